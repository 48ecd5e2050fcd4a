"""Implementations that packages register as entry points: runtimes and tasks."""

from __future__ import annotations

import functools
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from wasinn_nb.errors import InvalidArgumentError, UnsupportedOperationError

__all__ = ["names", "registered"]


def names(group: str) -> tuple[str, ...]:
    """Return the names that are registered in an entry-point group, in the order of the alphabet.

    Parameters
    ----------
    group : str
        ``"wasinn_nb.runtimes"`` or ``"wasinn_nb.tasks"``.
    """
    return tuple(sorted(_points(group)))


def registered(group: str, name: str) -> Any:
    """Return the one instance of what is registered under *name*; made on first use.

    Parameters
    ----------
    group, name : str

    Raises
    ------
    InvalidArgumentError
        If nothing has that name; the error lists the names that are known.
    UnsupportedOperationError
        If it cannot be imported; the error says what to install.

    Examples
    --------
    >>> registered("wasinn_nb.runtimes", "openvino").name
    'openvino'
    """
    if not isinstance(name, str) or name not in _points(group):
        kind = group.rpartition(".")[2].removesuffix("s")
        raise InvalidArgumentError(
            f"unknown {kind} {name!r:.80}; known are {', '.join(names(group))}"
        )
    return _instance(group, name)


@functools.cache
def _points(group: str) -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=group)}


@functools.cache
def _instance(group: str, name: str) -> Any:
    point = _points(group)[name]
    try:
        return point.load()()
    except ModuleNotFoundError as error:
        raise UnsupportedOperationError(
            f"{name} is not installed; install it with: pip install {_package(point, error)}"
        ) from error
    except Exception as error:  # of a library of another version, or one that is damaged
        raise UnsupportedOperationError(f"{name} cannot be used here: {error}") from error


def _package(point: EntryPoint, error: ModuleNotFoundError) -> str:
    """Return what to install for an entry point: the extra of its name, else the module's name."""
    if point.dist is not None:
        extras = point.dist.metadata.get_all("Provides-Extra") or []
        if point.name in extras:
            return f"'{point.dist.name}[{point.name}]'"
    return (error.name or point.module).partition(".")[0]
