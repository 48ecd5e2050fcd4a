"""What travels to other processes as a pickle, and what says why it does not."""

from __future__ import annotations

from dataclasses import fields
from types import MappingProxyType
from typing import Any, ClassVar, NoReturn, SupportsIndex

from wasinn_nb.errors import UnsupportedOperationError

__all__ = ["NotPickled", "pickled_fields"]


class NotPickled:
    """A base of classes whose objects stay in their process.

    Examples
    --------
    >>> import copy
    >>> class Engine(NotPickled):
    ...     _instead = "make another one"
    >>> copy.copy(Engine())
    Traceback (most recent call last):
    ...
    wasinn_nb.errors.UnsupportedOperationError: the Engine cannot be pickled or copied: it belongs
    to this process; make another one
    """

    __slots__ = ()
    _instead: ClassVar[str]
    """What to do instead."""

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise UnsupportedOperationError(
            f"the {type(self).__name__} cannot be pickled or copied: it belongs to this process; "
            f"{self._instead}"
        )


def pickled_fields(value: Any) -> tuple[Any, ...]:
    """Return what ``__reduce__`` of a frozen dataclass returns.

    Read-only views of mappings cannot be pickled; the mappings themselves can.

    Parameters
    ----------
    value : dataclass
    """
    values = [getattr(value, one.name) for one in fields(value)]
    return type(value), tuple(
        dict(one) if isinstance(one, MappingProxyType) else one for one in values
    )
