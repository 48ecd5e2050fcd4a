"""The Explorer's panel: what happens, what went wrong, how long it took, code and files."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import traitlets

from wasinn_nb.widgets.access import PageWidget
from wasinn_nb.widgets.pages import page
from wasinn_nb.wording import bytes_text

__all__ = ["Panel"]

_ACTIONS: Final = ("copy", "save", "time")


class Panel(PageWidget):
    """Status, errors, times, code and saving, in one place right above the image.

    Attributes
    ----------
    compare : bool
        Whether a second run is wanted.
    code : str
        What "Copy code" copies.
    folder : str
        Where "Save" writes.
    code_folder : str
        The folder that the code on the page names: `folder` as it was when that was shown.
    saving : bool
        Whether the page may save.
    """

    _from_page = frozenset({"compare", "folder", "code_folder"})

    _from_threads = frozenset(
        {"_status", "_error", "_times", "_verdict", "_saved", "code", "code_folder"}
    )
    _page_module, _css = page("panel")

    compare = traitlets.Bool().tag(sync=True)
    code = traitlets.Unicode().tag(sync=True)
    code_folder = traitlets.Unicode().tag(sync=True)
    folder = traitlets.Unicode().tag(sync=True)
    saving = traitlets.Bool(default_value=True).tag(sync=True)
    _status = traitlets.Dict().tag(sync=True)
    _error = traitlets.Dict().tag(sync=True)
    _times = traitlets.List(traitlets.Dict()).tag(sync=True)
    _verdict = traitlets.Dict().tag(sync=True)
    _saved = traitlets.Dict().tag(sync=True)

    def __init__(self, **options: Any) -> None:
        self._actions: dict[str, Callable[[], None]] = {}
        super().__init__(**options)
        self.on_msg(self._received)

    def on_action(self, name: str, act: Callable[[], None]) -> None:
        """Call *act* when the button ``copy``, ``save`` or ``time`` is pressed."""
        self._actions[name] = act

    def busy(self, text: str) -> None:
        """Say what is being done; what was saved before is of another image."""
        with self.hold_sync():
            self._status = {"state": "busy", "text": text}
            self._saved = {}

    def downloading(self, done: int, total: int) -> None:
        """Say how much of a model has come: bytes so far, and in all."""
        part = done / total if total else 1.0
        text = f"Downloading the model: {100 * part:.0f} % of {bytes_text(total)}"
        if text != self._status.get("text"):
            self._status = {"state": "busy", "text": text, "part": part}

    def done(self, text: str) -> None:
        """Say what came of it; what went wrong before is over."""
        with self.hold_sync():
            self._status = {"state": "done", "text": text}
            self._error = {}

    def fail(self, error: BaseException) -> None:
        """Show an error's message, with its traceback folded away."""
        details = "".join(traceback.format_exception(error))
        with self.hold_sync():
            self._status = {"state": "error", "text": "Not run"}
            self._error = error_values(error) | {"details": details}

    def show_code(self, code: str) -> None:
        """Show the code; the folder that it names is the present one."""
        with self.hold_sync():
            self.code, self.code_folder = code, self.folder

    def show_times(self, tables: Sequence[tuple[str, list[list[str]]]]) -> None:
        """Show rows of text, a table for each run: its title, and step, first run, later runs."""
        self._times = [{"title": title, "rows": rows} for title, rows in tables]

    def show_verdict(self, verdict: str, text: str, details: str) -> None:
        """Show whether two runs agree: in a word, in a sentence, and in full."""
        self._verdict = {"verdict": verdict, "text": text, "details": details}

    def show_incomparable(self, reason: str) -> None:
        """Show why nothing is known about whether two runs agree."""
        self._verdict = {"text": reason}

    def hide_verdict(self) -> None:
        """Show no verdict: there is one run."""
        self._verdict = {}

    def show_saved(self, folder: Path, names: Sequence[str]) -> None:
        """Say which files were written."""
        self._saved = {"folder": str(folder), "names": list(names)}

    def fail_saving(self, error: BaseException) -> None:
        """Say why nothing was written."""
        message = error_values(error)["message"]
        if isinstance(error, OSError) and error.strerror:
            message = f"{error.filename}: {error.strerror}; choose another folder"
        self._saved = {"error": message}

    def _received(self, _widget: Any, content: Any, _buffers: Any) -> None:
        action = content.get("action") if isinstance(content, dict) else None
        if action in _ACTIONS and (act := self._actions.get(action)) is not None:
            act()


def error_values(error: BaseException) -> dict[str, str]:
    """Return an error's kind and message for people.

    Examples
    --------
    >>> error_values(KeyError("road"))
    {'kind': 'KeyError', 'message': "'road'"}
    >>> error_values(MemoryError())["message"]
    'MemoryError'
    """
    kind = type(error).__name__
    return {"kind": kind, "message": str(error) or kind}
