"""Implementations that packages register as entry points: runtimes and tasks."""

from __future__ import annotations

import functools
from importlib.metadata import EntryPoint, PackageNotFoundError, distribution, entry_points
from typing import Any, Final

from wasinn_nb.errors import InvalidArgumentError, UnsupportedOperationError

__all__ = ["is_registered", "names", "registered"]

_OWN: Final = "wasinn-nb"


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
    if not is_registered(group, name):
        kind = group.rpartition(".")[2].removesuffix("s")
        raise InvalidArgumentError(
            f"unknown {kind} {name!r:.80}; known are {', '.join(names(group))}"
        )
    return _instance(group, name)


def is_registered(group: str, name: object) -> bool:
    """Return whether something is registered under *name*.

    Parameters
    ----------
    group : str
    name : object
        No other object than a str is a name.
    """
    return isinstance(name, str) and (name in _own_points(group) or name in _points(group))


@functools.cache
def _own_points(group: str) -> dict[str, EntryPoint]:
    """Return what this package registers: of one package, not of the hundreds that are here."""
    try:
        points = distribution(_OWN).entry_points
    except PackageNotFoundError:
        return {}
    return {point.name: point for point in points.select(group=group)}


@functools.cache
def _points(group: str) -> dict[str, EntryPoint]:
    """Return what all packages register; nobody's takes the place of this package's own."""
    return {point.name: point for point in entry_points(group=group)} | _own_points(group)


@functools.cache
def _instance(group: str, name: str) -> Any:
    own = _own_points(group)
    point = own[name] if name in own else _points(group)[name]
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
