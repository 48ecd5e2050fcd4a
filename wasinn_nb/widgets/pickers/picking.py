"""What the pickers have in common: options, one of them picked, and a message."""

from __future__ import annotations

import json
import threading
import time
import zlib
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

from traitlets import List, Unicode, observe, validate

from wasinn_nb.errors import InvalidArgumentError, WasiNnError
from wasinn_nb.widgets.access import PageWidget
from wasinn_nb.widgets.pages import page
from wasinn_nb.widgets.pickers.background import join_at_exit
from wasinn_nb.wording import inert

__all__ = ["Option", "Picker", "is_text", "option", "readable"]

Option: TypeAlias = dict[str, Any]
"""What the page shows of one option; see :func:`option`."""

_MOST_WORDS: Final = 2000
_MOST_PLAIN: Final = 200  # options; Jupyter drops what is more than some megabytes in a moment


def option(
    key: str,
    title: str,
    detail: str = "",
    reason: str = "",
    *,
    enabled: bool = True,
    **more: Any,
) -> Option:
    """Return an option as the page takes it.

    Parameters
    ----------
    key : str
        What `Picker.value` becomes.
    title, detail, reason : str
        Its name, what it is, and why it cannot be picked or what is uncommon about it.
    enabled : bool
        Whether it can be picked.
    **more
        ``why`` (more of the reason, folded away), ``action`` and ``progress`` (0 to 1); None counts
        as absent.

    Examples
    --------
    >>> option("CPU", "CPU", "A processor", progress=None)
    {'key': 'CPU', 'title': 'CPU', 'detail': 'A processor', 'reason': '', 'enabled': True}
    """
    fields = {"key": key, "title": title, "detail": detail, "reason": reason, "enabled": enabled}
    return fields | {name: value for name, value in more.items() if value is not None}


def readable(text: str, most: int = 120) -> str:
    r"""Return *text* for one line on the page: nothing invisible in it, and not too long.

    Examples
    --------
    >>> readable("a\nb\u202ec"), readable("x" * 300, 9)
    ('a\\nb\\u202ec', 'xxxx…xxxx')
    """
    return inert(text, most, middle=True)


def is_text(text: str) -> bool:
    """Return whether the page can be sent *text*: names of files may hold bytes that are none."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _packed(options: list[Option], _: object) -> object:
    """Return options as they travel to the page: a long list as compressed JSON."""
    if len(options) <= _MOST_PLAIN:
        return options
    return {"count": len(options), "deflated": zlib.compress(json.dumps(options).encode(), 1)}


class Picker(PageWidget):
    """A group of options of which one is picked.

    Attributes
    ----------
    label : str
        What the group is called.
    value : str
        The key of the picked option.  It may be one that cannot be picked in the page, such as a
        target that is not here: its option says why.
    """

    _from_page = frozenset({"value"})

    _page_module, _css = page("picker")

    label = Unicode().tag(sync=True)
    value = Unicode().tag(sync=True)
    _kind = Unicode().tag(sync=True)
    _options: List[Option] = List().tag(sync=True, to_json=_packed)
    _message = Unicode().tag(sync=True)

    def __init__(self, **state: Any) -> None:
        # Threads change the options too: whoever reads them to write them holds this.
        self._guard = threading.RLock()
        self._threads: list[threading.Thread] = []
        super().__init__(**state)
        self.on_msg(self._receive)
        join_at_exit(self)

    def refresh(self) -> None:
        """Look again at what can be picked."""
        with self._guard:
            self._options = self._listed(self.value)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until nothing runs in the background.

        Parameters
        ----------
        timeout : float, optional
            The most seconds to wait.

        Returns
        -------
        bool
            Whether nothing runs any more.
        """
        end = None if timeout is None else time.monotonic() + timeout
        for thread in list(self._threads):
            thread.join(None if end is None else max(end - time.monotonic(), 0))
        return not any(thread.is_alive() for thread in self._threads)

    def close(self) -> None:
        """Take the widget off the page; what runs in the background ends by itself."""
        if self.comm is not None:  # it never came so far where a parameter was refused
            with self._guard:  # no thread is just about to tell the page something
                super().close()

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take what the page sends; of values only those that it was offered."""
        if any(sync_data[name] != getattr(self, name) for name in self._from_page & set(sync_data)):
            self._message = ""  # of what was picked before
        value = sync_data.get("value", self.value)
        if value != self.value and not self._offers(value):
            self._say(f"{readable(str(value))} is not among what can be picked")
            sync_data = {name: one for name, one in sync_data.items() if name != "value"}
            self.send_state("value")
        super().set_state(sync_data)

    def _offers(self, value: object) -> bool:
        return any(known["key"] == value and known["enabled"] for known in self._options)

    # -- for the subclasses --------------------------------------------------------------------

    def _listed(self, value: str) -> list[Option]:
        """Return the options, one for *value* among them."""
        raise NotImplementedError

    def _answer(self, content: dict[str, Any], buffers: Sequence[memoryview], /) -> None:
        """Do what the page asks for."""

    def _change(self, changed: Option) -> None:
        """Replace the option of the same key."""
        with self._guard:
            self._options = [
                changed if old["key"] == changed["key"] else old for old in self._options
            ]

    def _in_background(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        self._threads = [*(old for old in self._threads if old.is_alive()), thread]
        thread.start()

    def _say(self, text: object, *, below: bool = False) -> None:
        """Show *text*, *below* what is shown already or in its place."""
        message = f"{self._message}\n{text}" if below and self._message else str(text)
        self._message = message[-_MOST_WORDS:].encode(errors="replace").decode()

    @validate("value")
    def _check_value(self, proposal: Any) -> Any:
        value = proposal["value"]
        if not is_text(value):
            raise InvalidArgumentError(f"expected a name or a path in UTF-8, got {value!r:.80}")
        return value

    @observe("value")
    def _list_value(self, _: object) -> None:
        if all(known["key"] != self.value for known in self._options):
            self.refresh()

    def _receive(self, _: object, content: object, buffers: Sequence[memoryview]) -> None:
        if not isinstance(content, dict):
            return
        try:
            self._answer(content, buffers)
        except (WasiNnError, OSError) as error:
            self._say(error, below=True)
