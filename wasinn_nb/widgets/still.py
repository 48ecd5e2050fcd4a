"""The static image of a widget, for the notebook that is saved, exported or read on the web.

A widget needs its kernel.  What is saved with the notebook is therefore a second output below it:
the image as HTML and as PNG.  While the widget is alive its page hides that output; where it is
not, the image stands alone, without the front end's message that a model was not found.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Final

from wasinn_nb.render import Showing, documents_png

__all__ = ["Still"]

# In JupyterLab and Notebook the place of a widget that is not alive holds only words: an error, or
# that the widget is being loaded.
_PLACE: Final = "> .jp-OutputArea-output.lm-Panel"
_STYLE: Final = (
    f"<style>.jp-OutputArea-child:has({_PLACE}):has(~ .jp-OutputArea-child [data-wnb-still])"
    f":not(:has({_PLACE} > *)){{display:none}}</style>"
)


def _nothing() -> None:
    pass


class Still:
    """A display below a widget that follows its results.

    Parameters
    ----------
    prepare : callable
        Brings the image up to date, before it is displayed.
    moved : callable
        Called when `id` is another one.

    Attributes
    ----------
    prepare : callable
    id : str
        What the page hides while the widget is alive: ``[data-wnb-still=ID]``.
    displayed : bool
        Whether it stands in a notebook.
    """

    def __init__(
        self, prepare: Callable[[], None] = _nothing, moved: Callable[[], None] = _nothing
    ) -> None:
        self.prepare, self._moved = prepare, moved
        self.id = uuid.uuid4().hex
        self.displayed = False
        self._values: tuple[Showing, ...] = ()

    def display(self) -> None:
        """Show the image."""
        from IPython.display import display

        self.displayed = True
        display(self.bundle(), raw=True, display_id=self.id)  # type: ignore[no-untyped-call]

    def update(self, *values: Showing) -> None:
        """Show other values, wherever the image is shown.

        Parameters
        ----------
        *values : Showing
            One, or two side by side.
        """
        self._values = values
        self.refresh()

    def refresh(self) -> None:
        """Bring the image up to date, wherever it is shown."""
        if self.displayed:
            from IPython.display import update_display

            bundle = self.bundle()
            update_display(bundle, raw=True, display_id=self.id)  # type: ignore[no-untyped-call]

    def take_over(self, other: Still) -> None:
        """Stand in the place of another image, which is not shown any more."""
        self.id, other.id = other.id, self.id
        self.displayed, other.displayed = True, False
        self._moved()

    def bundle(self) -> dict[str, str | bytes]:
        """Return the image as a bundle of media types."""
        html_parts = "".join(one._repr_html_() for one in self._values)
        html = f'<div data-wnb-still="{self.id}">{_STYLE}{html_parts}</div>'
        text = "\n".join(map(repr, self._values)) or "no result yet"
        bundle: dict[str, str | bytes] = {"text/html": html, "text/plain": text}
        if (png := documents_png([one.document() for one in self._values])) is not None:
            bundle["image/png"] = png
        return bundle
