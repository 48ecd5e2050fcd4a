"""What classes are called that nothing names."""

from __future__ import annotations

from typing import Final

__all__ = ["UNNAMED_CLASS", "unnamed_class", "unnamed_classes"]

UNNAMED_CLASS: Final = ("background", "foreground")
"""What the two labels of a model of one class are called where nothing names it."""


def unnamed_class(index: int) -> str:
    """Return what a class is called that nothing names.

    Examples
    --------
    >>> unnamed_class(7)
    'class 7'
    """
    return f"class {index}"


def unnamed_classes(count: int) -> tuple[str, ...]:
    """Return names for classes that nothing names.

    Examples
    --------
    >>> unnamed_classes(2)
    ('class 0', 'class 1')
    """
    return tuple(map(unnamed_class, range(count)))
