"""What a widget says below an image: what was assumed of the model, and what to know of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

from wasinn_nb.tables import percent
from wasinn_nb.widgets.payload import Shown
from wasinn_nb.widgets.snippets import quoted, recipe_code

__all__ = ["Note", "gathered", "note", "notes_of"]

Note: TypeAlias = dict[str, str]
"""One note as the page takes it: ``text``, and ``code``, the Python that changes it, or ""."""

_WHOLE: Final = 0.9999  # of the image; a letterbox's borders are cut off at whole pixels


def note(text: str, code: str = "") -> Note:
    """Return a note."""
    return {"text": text, "code": code}


def notes_of(result: Shown, path: str | None = None) -> list[Note]:
    """Return what is to be known of a result: what it assumes, and what the model did not see.

    Parameters
    ----------
    result : SegmentationResult or ClassificationResult
    path : str, optional
        Where the model lies, for the line that writes a card beside it.  Without it, the line is
        what to pass to whatever ran the model.

    Examples
    --------
    >>> import numpy as np
    >>> from wasinn_nb.cards import ModelCard
    >>> from wasinn_nb.recipe import PreprocessRecipe
    >>> from wasinn_nb.segmentation import SegmentationResult
    >>> card = ModelCard("toy", "segmentation", classes=("background", "road"))
    >>> about = {"recipe": PreprocessRecipe(1, 1), "assumed": ("BGR, values 0 to 255, bilinear",)}
    >>> result = SegmentationResult(np.zeros((1, 1), np.uint8), card, **about)
    >>> for name, text in notes_of(result)[0].items():
    ...     print(name, text, sep=": ")
    text: assumed: BGR, values 0 to 255, bilinear
    code: recipe=wn.PreprocessRecipe(1, 1, color="BGR", range=(0.0, 255.0), resize="triangle")
    """
    notes = []
    if result.assumed:
        notes.append(note(f"assumed: {'; '.join(result.assumed)}", _stating(result, path)))
    if (covers := getattr(result, "covers", None)) is not None:
        down, across = (
            min(end, 1.0) - max(start, 0.0)
            for start, end in ((covers.top, covers.bottom), (covers.left, covers.right))
        )
        if (part := down * across) < _WHOLE:
            notes.append(note(f"the model saw {percent(part)} of the image"))
    return notes


def gathered(notes: Sequence[Sequence[Note]]) -> list[Note]:
    """Return the notes of one result, or of two, which are called A and B.

    Examples
    --------
    >>> gathered([[note("cropped"), note("slow")], [note("cropped")]])
    [{'text': 'cropped', 'code': ''}, {'text': 'A: slow', 'code': ''}]
    """
    if len(notes) == 1:
        return list(notes[0])
    both = [one for one in notes[0] if one in notes[1]]
    own = [
        note(f"{letter}: {one['text']}", one["code"])
        for letter, some in zip("AB", notes, strict=True)
        for one in some
        if one not in both
    ]
    return both + own


def _stating(result: Shown, path: str | None) -> str:
    """Return the Python that states what a result assumes, with the values that were assumed."""
    changes: dict[str, str] = {}
    recipe = result.origin.recipe
    for assumed in result.assumed:
        if assumed.startswith("scores are "):
            changes["logits"] = str("logits" in assumed)
        elif recipe is not None and (", values " in assumed or assumed.startswith("size ")):
            changes["recipe"] = recipe_code(recipe, "color", "range", "resize")
    arguments = ", ".join(f"{name}={value}" for name, value in changes.items())
    if path is None or not changes:
        return arguments
    return f"wn.model({quoted(path)}).card.replace({arguments}).write({quoted(path)})"
