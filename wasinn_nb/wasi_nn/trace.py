"""A record of every WASI-NN call: its arguments, what was expected, and what it gave."""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from numbers import Integral
from typing import Any, Final, Literal, overload

from wasinn_nb.abi import Errno
from wasinn_nb.cards import Port
from wasinn_nb.errors import WasiNnError
from wasinn_nb.render import Column, Document, Only, Paragraph, Showing, Table
from wasinn_nb.tensor import Tensor
from wasinn_nb.wording import inert, milliseconds

__all__ = ["Call", "Keep", "Trace"]

Keep = Literal["all", "last"] | None
"""Which tensors a trace keeps: every one, the last of each input and output, or none."""

# A guest may call without end.  Of very many calls the first ones, which set everything up, and
# the last ones are held; the repr shows fewer.
_MAX_CALLS: Final = 10_000
_OF_THREADS: Final = frozenset({"_lock", "_open"})
_FIRST_CALLS: Final = 1_000
_FIRST_ROWS: Final = 30
_LAST_ROWS: Final = 10


@dataclass(slots=True)
class Call:
    """One call.

    Attributes
    ----------
    name : str
        The WASI-NN function.
    arguments : str
        The arguments in short.
    expected, got : str
        What the graph takes and what it was given, such as ``1x3x512x896xf32``; may be empty.
    errno : Errno
    note : str
        Why it failed, or what is odd about it.
    seconds : float
        How long it took.
    tensor : Tensor or None
        The tensor that went in or out, if the trace keeps it.
    index : int or None
        Of the input or output that the call is about, if it is about one.
    port : Port or None
        That input or output of the model.
    model : str
        The name that ``load_by_name`` asks for.
    facts : dict
        The call in numbers, for rules about calls: the arguments by name (``context``,
        ``encoding``), and 0 or 1 for what was found (``outside``, ``unknown``, ``mismatch``).
    """

    name: str
    arguments: str = ""
    expected: str = ""
    got: str = ""
    errno: Errno = Errno.SUCCESS
    note: str = ""
    seconds: float = 0.0
    tensor: Tensor | None = None
    index: int | None = None
    port: Port | None = None
    model: str = ""
    facts: dict[str, int] = field(default_factory=dict)

    def state(self, **facts: object) -> None:
        """Add facts; those that are there already, stated by an outer host, stay.

        What is not a whole number, such as a handle of another type, becomes -1.
        """
        numbers = {
            name: int(value) if isinstance(value, Integral) else -1 for name, value in facts.items()
        }
        self.facts = numbers | self.facts

    def to_dict(self) -> dict[str, Any]:
        """Return the call as plain JSON values, without its tensor."""
        return {
            "name": self.name,
            "arguments": self.arguments,
            "expected": self.expected,
            "got": self.got,
            "errno": self.errno.name.lower(),
            "note": self.note,
            "seconds": self.seconds,
            "facts": dict(self.facts),
        }


class Trace(Showing, Sequence[Call], arrays="take .tensors('get_output')"):
    """The calls of one context, in the order in which they ended.

    Its text leaves the durations out, so that it stays the same from run to run; its HTML shows
    them.  Of more than 10,000 calls those in the middle are left out.

    Parameters
    ----------
    keep : {"all", "last", None}
        Which tensors to keep.
    keep_bytes : int, optional
        How many bytes of tensors to keep; the oldest are dropped first.

    Attributes
    ----------
    dropped : int
        The calls that were left out.
    tensors_dropped : int
        The tensors that were dropped to keep within *keep_bytes*.

    Examples
    --------
    >>> trace = wn.Trace()
    >>> with trace.call("compute", "context 0"):
    ...     pass
    >>> trace
    #  call     arguments  expected  got  errno
    0  compute  context 0                 success
    """

    def __init__(self, *, keep: Keep = "last", keep_bytes: int | None = None) -> None:
        self.keep = keep
        self.keep_bytes = keep_bytes
        self.dropped = self.tensors_dropped = 0
        self._calls: list[Call] = []
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._kept: deque[Call] = deque()
        self._kept_bytes = 0
        self._last: dict[tuple[str, str], Call] = {}
        self._open = threading.local()
        self._lock = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in _OF_THREADS}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._open = threading.local()
        self._lock = threading.Lock()

    @contextmanager
    def call(self, name: str, arguments: str = "") -> Iterator[Call]:
        """Time the block and record it as one call, with the error that leaves it.

        A call inside of another one of the same thread is the same call, in one row: so a host
        times and records what it does around a context's method.

        Parameters
        ----------
        name : str
            The WASI-NN function.
        arguments : str
            In short.
        """
        outer: Call | None = getattr(self._open, "call", None)
        if outer is not None:
            outer.arguments = arguments or outer.arguments
            yield outer
            return
        call = self._open.call = Call(name, arguments)
        start = time.perf_counter()
        try:
            yield call
        except WasiNnError as error:
            call.errno = error.errno or Errno.RUNTIME_ERROR
            call.note = str(error)
            raise
        except BaseException as error:
            # A bug of ours or an interrupt: it goes into the row, and on to the caller.
            call.errno, call.note = Errno.RUNTIME_ERROR, repr(error)
            raise
        finally:
            self._open.call = None
            call.seconds = time.perf_counter() - start
            with self._lock:
                self.add(call)

    def add(self, call: Call) -> None:
        """Record a call that has ended, and hold on to its tensor if that is to be kept.

        Parameters
        ----------
        call : Call
        """
        self._seconds[call.name] += call.seconds
        self._calls.append(call)
        if call.tensor is not None:
            if self.keep is None:
                call.tensor = None
            else:
                self._keep(call, call.tensor.nbytes)
        if len(self._calls) > _MAX_CALLS:
            middle = slice(_FIRST_CALLS, 2 * _FIRST_CALLS)
            for old in self._calls[middle]:
                self._drop_tensor(old)
            self.dropped += len(self._calls[middle])
            del self._calls[middle]

    def _keep(self, call: Call, nbytes: int) -> None:
        """Keep the tensor of *call*, and drop those that it replaces."""
        self._kept.append(call)
        self._kept_bytes += nbytes
        if self.keep == "last":
            key = (call.name, call.arguments)
            if (earlier := self._last.get(key)) is not None:
                self._drop_tensor(earlier)
            self._last[key] = call
        while self._kept and (
            self._kept[0].tensor is None
            or (self.keep_bytes is not None and self._kept_bytes > self.keep_bytes)
        ):
            oldest = self._kept.popleft()
            self.tensors_dropped += oldest.tensor is not None
            self._drop_tensor(oldest)

    def _drop_tensor(self, call: Call) -> None:
        if call.tensor is not None:
            self._kept_bytes -= call.tensor.nbytes
            call.tensor = None

    def tensors(self, name: Literal["set_input", "get_output"]) -> list[Tensor]:
        """Return the tensors kept of the calls *name*, in order."""
        return [c.tensor for c in self._calls if c.name == name and c.tensor is not None]

    def seconds(self, name: str) -> float:
        """Return the time spent in all calls *name* together."""
        return self._seconds.get(name, 0.0)

    @overload
    def __getitem__(self, index: int) -> Call: ...
    @overload
    def __getitem__(self, index: slice) -> list[Call]: ...
    def __getitem__(self, index: int | slice) -> Call | list[Call]:
        return self._calls[index]

    def __len__(self) -> int:
        return len(self._calls)

    def numbered(self) -> list[tuple[int, Call]]:
        """Return the calls with their numbers; those that were left out are counted."""
        return [
            (index + (self.dropped if index >= _FIRST_CALLS else 0), call)
            for index, call in enumerate(self._calls)
        ]

    def _rows(self) -> list[tuple[int | str, Call | None]]:
        """Return numbered calls, with None where some are left out."""
        numbered: list[tuple[int | str, Call | None]] = [*self.numbered()]
        if len(numbered) <= _FIRST_ROWS + _LAST_ROWS:
            return numbered
        return [*numbered[:_FIRST_ROWS], ("…", None), *numbered[-_LAST_ROWS:]]

    def document(self) -> Document:
        """Return what there is to see: a row for each call, and below them the notes by number."""
        calls = self._rows()
        failed = [i for i, (_, c) in enumerate(calls) if c and c.errno is not Errno.SUCCESS]
        notes = [f"#{number} {c.name}: {inert(c.note)}" for number, c in calls if c and c.note]
        columns = ["#", "call", "arguments", "expected", "got", "errno"]
        rows = [(number, *_cells(call)) for number, call in calls]
        times = [call.seconds if call else None for _, call in calls]
        timed = Table(
            [*columns, Column("time", milliseconds)],
            [(*row, seconds) for row, seconds in zip(rows, times, strict=True)],
            caption="WASI-NN calls",
            marked=failed,
        )
        return Document(
            "WASI-NN calls",
            [
                Only(("text",), [Table(columns, rows)]),
                Only(("notebook", "page"), [timed]),
                Paragraph("\n".join(notes)),
            ],
            show_title=False,
        )


def _cells(call: Call | None) -> list[str]:
    if call is None:
        return ["…", "", "", "", ""]
    return [call.name, call.arguments, call.expected, call.got, call.errno.name.lower()]
