"""A tensor while a model is written."""

from __future__ import annotations

from typing import Any, NamedTuple


class Value(NamedTuple):
    """What an operation of a model that is being written gives."""

    node: Any
    dimensions: tuple[int | None, ...]
    type: str

    def without(self, axes: tuple[int, ...]) -> Value:
        """Return the value without some axes."""
        kept = tuple(size for axis, size in enumerate(self.dimensions) if axis not in axes)
        return self._replace(dimensions=kept)
