"""Values as Python code that evaluates to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

__all__ = ["called", "literal"]

_LINE: Final = 92  # 100 with what is put before it


def literal(value: Any) -> str:
    r"""Return plain values as code that evaluates to them: text, numbers, sequences and mappings.

    Whole floats are written as integers, which are equal to them; NumPy's values as Python's.

    Examples
    --------
    >>> print(literal({"range": (0.0, 1.0), "color": "RGB", "mean": [0.5], "fit": None}))
    {"range": (0, 1), "color": "RGB", "mean": [0.5], "fit": None}
    >>> print(literal('a "b"'), literal("a\x1b"), literal((True,)))
    'a "b"' 'a\x1b' (True,)
    """
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, str):
        plain = value.isprintable() and '"' not in value and "\\" not in value
        return f'"{value}"' if plain else repr(value)
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{literal(k)}: {literal(v)}' for k, v in value.items())}}}"
    if isinstance(value, tuple):
        inside = ", ".join(map(literal, value))
        return f"({inside},)" if len(value) == 1 else f"({inside})"
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    return repr(value)


def called(start: str, arguments: list[str], end: str = "") -> str:
    """Return the code of a call, over several lines where one would be long.

    Parameters
    ----------
    start : str
        What is called.
    arguments : list of str
        Code.
    end : str
        What follows the closing bracket.

    Examples
    --------
    >>> print(called("f", ["1", "b=2"], ".close()"))
    f(1, b=2).close()
    >>> print(called("f", ["1", f"b={'x' * 95}"]))
    f(
        1,
        b=xxx...,
    )
    """
    line = f"{start}({', '.join(arguments)}){end}"
    if len(line) <= _LINE or not arguments:
        return line
    return "\n".join([f"{start}(", *(f"    {argument}," for argument in arguments), f"){end}"])
