"""x"""

from __future__ import annotations

import toys

import wasinn_nb as wn


def executed(code: str) -> dict:
    """Return the names that a piece of code defines."""
    names: dict = {"wn": wn}
    exec(code, names)
    return names


def saved(path, build, shape, dtype="f32"):
    """Write a model of one input and return its path."""
    return toys.save(toys.graph(build, shape, dtype), path)
