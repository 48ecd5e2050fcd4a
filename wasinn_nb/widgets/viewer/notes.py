"""What a widget says below an image: what was assumed of the model, and what to know of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

from wasinn_nb.cards import card_line, statements
from wasinn_nb.widgets.viewer.payload import WidgetResult
from wasinn_nb.wording import percent

__all__ = ["Note", "gathered", "note", "notes_of"]

Note: TypeAlias = dict[str, str]
"""One note as the page takes it: ``text``; ``code``, the Python that changes it, or ""; most have
``badge``, too: the text in a few words."""

_WHOLE: Final = 0.9999  # of the image; a letterbox's borders are cut off at whole pixels


def note(text: str, code: str = "", badge: str = "") -> Note:
    """Return a note.

    Parameters
    ----------
    text, code, badge : str
        As in `Note`.
    """
    return {"text": text, "code": code} | ({"badge": badge} if badge else {})


def notes_of(result: WidgetResult, code: str | None = None) -> list[Note]:
    """Return what is to be known of a result: what it assumes, and what the model did not see.

    Parameters
    ----------
    result : SegmentationResult or ClassificationResult
    code : str, optional
        The Python that states what is assumed.  Default: that of a card beside the model's file.

    Examples
    --------
    >>> import numpy as np
    >>> from wasinn_nb.cards import ModelCard
    >>> from wasinn_nb.tasks.segmentation import SegmentationResult
    >>> card = ModelCard("toy", "segmentation", classes=("background", "road"))
    >>> about = {"assumed": ("BGR, values 0 to 255, bilinear",)}
    >>> result = SegmentationResult(np.zeros((1, 1), np.uint8), card, **about)
    >>> for one in notes_of(result):
    ...     print(one["text"])
    assumed: BGR, values 0 to 255, bilinear
    """
    notes = []
    if result.assumed:
        if code is None:
            origin = result.origin
            code = card_line(origin.main_file, result.assumed, result.card, origin.recipe)
        badge = "recipe assumed" if "recipe" in statements(result.assumed) else "assumed"
        notes.append(note(f"assumed: {'; '.join(result.assumed)}", code, badge))
    notes += [note(text, badge="scores saturated") for text in result.remarks]
    if (covers := getattr(result, "covers", None)) is not None:
        down, across = (
            min(end, 1.0) - max(start, 0.0)
            for start, end in ((covers.top, covers.bottom), (covers.left, covers.right))
        )
        if (part := down * across) < _WHOLE:
            text = f"the model saw {percent(part)} of the image"
            notes.append(note(text, badge=f"saw {percent(part)}"))
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
        one | {name: f"{letter}: {one[name]}" for name in ("text", "badge") if name in one}
        for letter, some in zip("AB", notes, strict=True)
        for one in some
        if one not in both
    ]
    return both + own
