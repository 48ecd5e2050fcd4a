"""Looking at a result: `MaskViewer` for masks, `Bars` for classes."""

from wasinn_nb.widgets.viewer.bars import Bars, bars_state
from wasinn_nb.widgets.viewer.notes import Note, gathered, note, notes_of
from wasinn_nb.widgets.viewer.payload import WidgetResult, captions
from wasinn_nb.widgets.viewer.snapshot import viewer_state
from wasinn_nb.widgets.viewer.viewer import MaskViewer, Mode

__all__ = [
    "Bars",
    "MaskViewer",
    "Mode",
    "Note",
    "WidgetResult",
    "bars_state",
    "captions",
    "gathered",
    "note",
    "notes_of",
    "viewer_state",
]
