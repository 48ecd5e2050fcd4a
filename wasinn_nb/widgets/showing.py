"""Where widgets are shown: in a cell or an `Output` widget, with a static image for the notebook.

A widget is freed when the last place that showed it shows something else: ipywidgets itself would
keep each one, with its results, until the kernel ends.  Without a kernel nothing is shown.
"""

from __future__ import annotations

import re
import sys
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import ipywidgets

from wasinn_nb.widgets.still import Still

__all__ = ["Showable", "begin", "embed", "in_page"]

Place: TypeAlias = tuple[str, str]
"""``("cell", ID)`` or ``("output", MODEL ID)``."""

_CACHED: Final = re.compile(r"_{1,3}|_\d+")
"""The names that IPython gives to the results of cells."""


class Showable:
    """A widget that is shown with a static image below it, for the notebook that is saved.

    A base of classes that are an `ipywidgets.Widget`, too.

    Attributes
    ----------
    still : Still
    """

    still: Still

    @property
    def model_id(self) -> str:
        """The name of the widget in the page; one that was put away comes back to be named."""
        if (notebook := _Notebook.here()) is not None:
            notebook.reopen(self)
        return str(super().model_id)  # type: ignore[misc]

    def _ipython_display_(self) -> None:
        if (notebook := _Notebook.here()) is None:
            _display(self)
            self.still.prepare()
            self.still.display()
        else:
            notebook.show(self, [self])


def begin(widget: Showable) -> None:
    """Take note of the cell that makes a widget: until it is shown, it belongs to that."""
    if (notebook := _Notebook.here()) is not None:
        notebook.made(widget)
    elif "marimo" in sys.modules:
        _close_ended()


def embed(widget: Showable) -> None:
    """Take note that a widget is a part of another one, with which it is shown and freed."""
    if (notebook := _Notebook.here()) is not None:
        notebook.places.pop(widget, None)


def in_page() -> bool:
    """Return whether a page runs the present cell, which can be told of what comes later.

    Programs that run notebooks (nbval, nbconvert, papermill) keep what is there at a cell's end.
    """
    notebook = _Notebook.here()
    return notebook is not None and notebook.cell() is not None


@dataclass(eq=False)
class _Captured:
    """A widget in an `Output`."""

    widget: Any
    model_id: str
    seen: bool = False
    """Whether the page had it there at least once."""


class _Notebook:
    """What is shown where, of one IPython with a kernel."""

    _made: _Notebook | None = None

    @classmethod
    def here(cls) -> _Notebook | None:
        """Return that of this process; None where there is no kernel."""
        if sys.is_finalizing():  # a widget that lives to the end is closed when nothing is imported
            return None
        from IPython.core.getipython import get_ipython

        shell = get_ipython()
        if getattr(shell, "kernel", None) is None:
            return None
        if cls._made is None or cls._made.shell is not shell:
            cls._made = cls(shell)
        return cls._made

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        # For each widget the places that show it, and the run of the cell that did so last.
        self.places: weakref.WeakKeyDictionary[Any, dict[Place, str]] = weakref.WeakKeyDictionary()
        self.only_made: weakref.WeakSet[Any] = weakref.WeakSet()
        self.closed: weakref.WeakSet[Any] = weakref.WeakSet()  # by us: they can be shown again
        self.later: list[Showable] = []  # those whose image stands at the end of the cell
        # What each `Output` captured; it lives as long as that.
        self.captured: weakref.WeakKeyDictionary[Any, list[_Captured]] = weakref.WeakKeyDictionary()
        shell.events.register("post_run_cell", self.cell_ended)
        formatter = shell.display_formatter.ipython_display_formatter
        formatter.for_type(ipywidgets.Box, self.show_foreign)
        formatter.for_type(ipywidgets.Output, self.show_foreign)

    def header(self, name: str) -> str:
        """Return a field of the header of the message that the kernel answers now."""
        return str((self.shell.get_parent() or {}).get("header", {}).get(name, ""))

    def cell(self) -> Place | None:
        """Return the cell that runs now; None where its page does not say so."""
        cell = (self.shell.get_parent() or {}).get("metadata", {}).get("cellId")
        return ("cell", str(cell)) if cell and self.runs_cell() else None

    def runs_cell(self) -> bool:
        """Return whether a cell runs now: not what a control of a widget calls."""
        return self.header("msg_type") == "execute_request"

    # ------------------------------------------------------------------------------- showing

    def made(self, widget: Showable) -> None:
        """Take note of a new widget."""
        if (cell := self.cell()) is not None:
            self.places[widget] = {cell: self.header("msg_id")}
            self.only_made.add(widget)

    def show_foreign(self, widget: Any) -> None:
        """Show a box or an `Output`; one that holds nothing of ours is left to IPython."""
        if isinstance(widget, Showable):
            self.show(widget, [widget])
        elif held := [one for one in self.tree(widget) if isinstance(one, Showable)]:
            self.show(widget, [one for one in held if one in _tree(widget)])
        else:
            self.note(widget, self.capturing())  # it may hold something later
            raise NotImplementedError

    def show(self, outermost: Any, widgets: Sequence[Showable]) -> None:
        """Show a widget that is or holds some of ours, and the static image of each."""
        for one in self.tree(outermost):
            self.reopen(one)
            if one in self.only_made:  # from now on the places count that show it
                self.only_made.discard(one)
                self.places.pop(one, None)
        output = self.capturing()
        self.note(outermost, output)
        if output is not None:
            self.capture(output, outermost, widgets)
        _display(outermost)
        for one in widgets:
            one.still.prepare()
            if output is None:
                one.still.display()
            elif self.runs_cell():  # the content of an output is not in the notebook's file
                self.later.append(one)
            else:
                one.still.refresh()

    def note(self, widget: Any, output: Any) -> None:
        """Take note of the place that shows a widget: an `Output`, or the cell."""
        place = self.cell() if output is None else ("output", output.model_id)
        if place is not None:
            self.places.setdefault(widget, {})[place] = self.header("msg_id")

    def capturing(self) -> Any:
        """Return the `Output` that captures what is displayed now, or None."""
        run = self.header("msg_id")
        outputs = (one for one in reversed(_open_widgets()) if isinstance(one, ipywidgets.Output))
        return next((one for one in outputs if run and one.msg_id == run), None)

    def capture(self, output: Any, outermost: Any, widgets: Sequence[Showable]) -> None:
        """Follow what the page has in an `Output`."""
        if output not in self.captured:
            self.captured[output] = []
            output.observe(self.output_changed, "outputs")
            output.observe(self.output_entered, "msg_id")
        captured = self.captured[output]
        if not self.runs_cell():
            # A control was moved: the images of what is replaced follow what replaces it.
            before = [held for one in captured for held in _tree(one.widget)]
            free = [one.still for one in before if isinstance(one, Showable)]
            free = [still for still in free if still.displayed]
            for widget, still in zip(widgets, free, strict=False):
                widget.still.take_over(still)
        captured.append(_Captured(outermost, outermost.model_id))

    def output_entered(self, change: Any) -> None:
        """Bring an `Output` back that was closed with its cell."""
        self.reopen(change["owner"])

    # ------------------------------------------------------------------------------- freeing

    def output_changed(self, change: Any) -> None:
        """Free what an `Output` showed and shows no more."""
        output = change["owner"]
        present = {
            view["model_id"]
            for one in change["new"]
            for kind, view in one.get("data", {}).items()
            if kind.endswith("widget-view+json") and isinstance(view, dict)
        }
        captured = self.captured[output]
        gone = [one for one in captured if one.seen and one.model_id not in present]
        captured[:] = [one for one in captured if one not in gone]
        for one in captured:
            one.seen = one.seen or one.model_id in present
        for one in gone:
            self.leave(one.widget, ("output", output.model_id))

    def cell_ended(self, _: object) -> None:
        """Show the images that are due, and free what earlier runs of the cell showed."""
        due, self.later = self.later, []
        for widget in due:
            widget.still.display()
        if (cell := self.cell()) is None:
            return
        run = self.header("msg_id")
        for widget, places in list(self.places.items()):
            if places.get(cell, run) != run:
                self.leave(widget, cell)

    def leave(self, widget: Any, place: Place) -> None:
        """Take note that a place shows a widget no more; free it where that was the last one."""
        places = self.places.get(widget, {})
        places.pop(place, None)
        if places:
            return
        self.places.pop(widget, None)
        if not any(isinstance(one, Showable) for one in self.tree(widget)):
            return
        self.forget(widget)
        for one in _tree(widget):
            if one in self.places or any(one in _tree(other) for other in self.places):
                continue
            if isinstance(one, Showable):
                self.close(one)
            elif one in self.captured:
                for held in self.captured[one]:
                    self.leave(held.widget, ("output", one.model_id))
                self.close(one)
            elif any(isinstance(held, Showable) for held in self.tree(one)):
                self.close(one)  # a box
        if isinstance(widget, ipywidgets.interactive) and widget.out in self.captured:
            # Its controls keep it, and so what it captured.
            del self.captured[widget.out]

    def close(self, widget: Any) -> None:
        """Close a widget; it can be shown again."""
        widget.close()
        self.closed.add(widget)

    def reopen(self, widget: Any) -> None:
        """Bring a widget that was closed here back to the page, under its old name."""
        if widget in self.closed:
            self.closed.discard(widget)
            vars(widget).pop("_repr_mimebundle_", None)  # closing sets it to None
            widget.open()

    def tree(self, widget: Any) -> list[Any]:
        """Return a widget and all in it, also what an `Output` captured; the inner ones first."""
        captured = [held for one in _tree(widget) for held in self.captured.get(one, ())]
        return [*(inner for one in captured for inner in self.tree(one.widget)), *_tree(widget)]

    def forget(self, widget: Any) -> None:
        """Take a widget out of IPython's cache of results, as ``%xdel`` does."""
        shell, hook = self.shell, self.shell.displayhook
        results = shell.history_manager.output_hist
        for number in [number for number, one in results.items() if one is widget]:
            del results[number]
        for names in (shell.user_ns, shell.user_ns_hidden):
            for name in [name for name, one in names.items() if one is widget]:
                if _CACHED.fullmatch(name):
                    del names[name]
        for name in ("_", "__", "___"):
            if getattr(hook, name, None) is widget:
                setattr(hook, name, None)


def _close_ended() -> None:
    """Close the widgets that marimo took off their page, so that nothing keeps them.

    When a cell runs again, or its session ends, marimo closes the comms that were made there; the
    widgets themselves are left open, and ipywidgets keeps those.
    """
    for one in _open_widgets():
        ours = isinstance(one, Showable)
        known = getattr(getattr(one.comm, "comm_manager", None), "comms", None)
        if ours and known is not None and one.comm.comm_id not in known:
            one.close()


def _open_widgets() -> list[Any]:
    """Return all widgets that ipywidgets keeps."""
    return list(getattr(ipywidgets.widgets.widget, "_instances", {}).values())


def _display(widget: Any) -> None:
    """Show a widget's own bundle of media types."""
    from IPython.display import display

    bundle = widget._repr_mimebundle_()
    data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
    display(data, metadata=metadata, raw=True)  # type: ignore[no-untyped-call]


def _tree(widget: Any) -> list[Any]:
    """Return a widget and all that its boxes hold, the inner ones first."""
    children = () if isinstance(widget, Showable) else getattr(widget, "children", ())
    return [*(inner for child in children for inner in _tree(child)), widget]
