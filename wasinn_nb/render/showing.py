"""A value that shows itself: it says what there is to see in ``document``.

Nothing that is shown is imported before: a value can be made and never be looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from wasinn_nb.errors import InvalidArgumentError

if TYPE_CHECKING:
    from wasinn_nb.render.document import Document

__all__ = ["Showing"]


class Showing:
    """A value that shows itself: as text, and as HTML in a notebook, from one document.

    A subclass states with ``arrays=`` where its numbers are, for those who ask NumPy for an array.
    """

    __slots__ = ()
    _WIDTH: ClassVar[int] = 100
    """The longest line of the text, in characters: fixed, so that output compares equal."""
    _ARRAYS: ClassVar[str] = "take one from its attributes"

    def __init_subclass__(cls, *, arrays: str = "", **options: Any) -> None:
        super().__init_subclass__(**options)
        if arrays:
            cls._ARRAYS = arrays

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        """Refuse to be an array: NumPy would make one of a single object, and say nothing."""
        raise InvalidArgumentError(f"expected an array, got {type(self).__name__}: {self._ARRAYS}")

    def document(self) -> Document:
        """Return what there is to see."""
        raise NotImplementedError

    def __repr__(self) -> str:
        from wasinn_nb.render.text import document_text

        return document_text(self.document(), self._WIDTH)

    def _repr_html_(self) -> str:
        from wasinn_nb.render.html import document_html

        return document_html(self.document())

    def _repr_png_(self) -> bytes | None:
        from wasinn_nb.render.png import document_png

        return document_png(self.document())
