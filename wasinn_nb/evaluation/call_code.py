"""The call of `evaluate` as text."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final

__all__ = ["call_code"]

_LONGEST: Final = 1000


def call_code(*given: Any, **options: Any) -> str:
    """Return the Python of a call; empty where an argument has no short text.

    Parameters
    ----------
    *given
        Predictions and truths.
    **options
        Those that are None are left out.

    Examples
    --------
    >>> call_code("images", {"a": "a.png"}, model="m.xml", ignore=None, classes=("sky", "road"))
    "wn.evaluate('images', {'a': 'a.png'}, model='m.xml', classes=('sky', 'road'))"
    >>> call_code([b"an image"], "masks")
    ''
    """
    stated = {name: value for name, value in options.items() if value is not None}
    try:
        parts = [repr(_plain(one)) for one in given]
        parts += [f"{name}={_plain(value)!r}" for name, value in stated.items()]
    except TypeError:
        return ""
    code = f"wn.evaluate({', '.join(parts)})"
    return code if len(code) <= _LONGEST else ""


def _plain(value: Any) -> Any:
    """Return paths as text, and literals as they are; raise TypeError for anything else."""
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if type(value) in {str, int, float, bool}:
        return value
    if type(value) in {list, tuple}:
        return type(value)(map(_plain, value))
    if isinstance(value, Mapping):
        return {_plain(key): _plain(one) for key, one in value.items()}
    raise TypeError(type(value))
