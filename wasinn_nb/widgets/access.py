"""What a page may reach: which traits it sets, and which folders of this machine it opens.

In JupyterLab whoever has the page has the kernel, too.  A visitor of Voila, or of an app that
``marimo run`` serves, has the page alone.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

import anywidget
import ipywidgets
import traitlets

from wasinn_nb.errors import InvalidArgumentError, MissingFileError
from wasinn_nb.files import expanded
from wasinn_nb.pickling import NotPickled
from wasinn_nb.widgets.pages import LOADED_ONCE, deflated
from wasinn_nb.wording import inert

__all__ = ["Access", "PageWidget", "for_visitors", "under_voila"]


class PageWidget(NotPickled, anywidget.AnyWidget):
    """A widget whose page sets only the traits that its controls are for.

    A subclass states the ES module of its page; the page loads it once for all widgets that have
    it, by way of a short one that anywidget loads for each.
    """

    _instead = "make it where it is shown"
    _from_page: ClassVar[frozenset[str]] = frozenset()
    _page_module: ClassVar[str]
    _from_threads: ClassVar[frozenset[str]] = frozenset()
    """The traits that a thread sets when a run ends."""

    _esm = LOADED_ONCE
    _module = traitlets.Bytes().tag(sync=True)

    @traitlets.default("_module")
    def _own_module(self) -> bytes:
        return deflated(self._page_module)

    def get_state(self, key: Any = None, drop_defaults: bool = False) -> dict[str, Any]:
        """Return the traits that a page gets; send what a thread changes meanwhile again.

        A page that is loaded asks for the states of all widgets at once.  What another thread sends
        while they are gathered arrives before them, and they would bring the old values back.
        """
        known = self._values_of(self._from_threads) if key is None else {}
        state: dict[str, Any] = super().get_state(key, drop_defaults)
        if known:
            with suppress(RuntimeError):  # there is no loop, and no page that asks
                asyncio.get_running_loop().call_soon(self._send_newer, known)
        return state

    def _values_of(self, names: Iterable[str]) -> dict[str, Any]:
        return {name: getattr(self, name) for name in names}

    def _send_newer(self, known: Mapping[str, Any]) -> None:
        """Send what is another value than the page knows, until there is nothing left."""
        while self.comm is not None:
            newer = [name for name, value in known.items() if getattr(self, name) is not value]
            if not newer:
                return
            known = self._values_of(newer)
            self.send_state(newer)

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take what the page sends; all but what its controls are for is left out."""
        super().set_state(
            {name: value for name, value in sync_data.items() if name in self._from_page}
        )

    def _handle_custom_msg(self, content: Any, buffers: Sequence[memoryview]) -> None:
        # A page holds a change of a trait back while an earlier one is on its way, but never a
        # message: the message carries the traits that it is about.
        if isinstance(content, dict) and isinstance(traits := content.get("traits"), dict):
            self.set_state(traits)
        super()._handle_custom_msg(content, buffers)

    def open(self) -> None:
        """Bring the widget to the page, and its layout, which was closed with it."""
        self.layout.open()
        super().open()

    def close(self) -> None:
        """Close the widget, and its layout where it is of no other widget.

        ipywidgets leaves that open, in the kernel and in the page.
        """
        if self.comm is None:
            return
        super().close()
        widgets = list(getattr(ipywidgets.widgets.widget, "_instances", {}).values())
        if not any(getattr(one, "layout", None) is self.layout for one in widgets):
            self.layout.close()


def under_voila() -> bool:
    """Return whether this kernel serves a page of Voila."""
    return os.environ.get("SERVER_SOFTWARE", "").startswith("voila/")


def for_visitors() -> bool:
    """Return whether this kernel serves people who have the page alone: Voila, ``marimo run``."""
    if under_voila():
        return True
    marimo = sys.modules.get("marimo")
    return marimo is not None and marimo.app_meta().mode == "run"


class Access:
    """Which folders of this machine a page opens and writes to.

    Parameters
    ----------
    root : path-like, optional
        The folder that holds all of them.  Default: for visitors the folder of the notebook, else
        any folder.

    Raises
    ------
    MissingFileError
        If there is no such folder.

    Examples
    --------
    >>> import tempfile
    >>> access = Access(tempfile.mkdtemp())
    >>> access.folder("../..")
    Traceback (most recent call last):
    ...
    wasinn_nb.errors.InvalidArgumentError: '../..' is outside of the folder that this page may use;
    give a path inside it, such as '.'
    """

    def __init__(self, root: str | os.PathLike[str] | None = None) -> None:
        if root is None and for_visitors():
            root = Path.cwd()
        self.root: Path | None = None
        if root is not None:
            self.root = expanded(root).resolve()
            if not self.root.is_dir():
                raise MissingFileError(f"expected a folder as root, got {inert(str(root))!r}")

    def folder(self, path: str) -> Path:
        """Return a folder that the page names; a relative one is looked for in the root.

        Parameters
        ----------
        path : str

        Raises
        ------
        InvalidArgumentError
            If it lies outside of the root, by its name or by a symbolic link on the way.
        """
        if self.root is None:
            return expanded(path)
        found = self.root / path
        if not self.holds(found):
            raise InvalidArgumentError(
                f"{inert(path)!r} is outside of the folder that this page may use; give a path "
                f"inside it, such as '.'"
            )
        return found.resolve()

    def holds(self, path: Path) -> bool:
        """Return whether a path lies in the root, and no symbolic link leads out of it."""
        if self.root is None:
            return True
        try:
            return path.resolve().is_relative_to(self.root)
        except (OSError, ValueError, RuntimeError):  # a NUL, or links in a circle
            return False

    def name_of(self, path: Path) -> str:
        """Return how the page names a folder: from the root on, where there is one."""
        if self.root is None:
            return str(path)
        return str(path.resolve().relative_to(self.root)) if self.holds(path) else path.name
