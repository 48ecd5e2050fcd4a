"""A record of every WASI-NN call: what was asked, what was expected, what came."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, overload

from wasinn_nb.abi import Errno
from wasinn_nb.errors import WasiNnError
from wasinn_nb.tables import html_table, text_table
from wasinn_nb.tensor import Tensor

__all__ = ["Call", "Keep", "Trace"]

Keep = Literal["all", "last"] | None
"""Which tensors a trace holds on to: every one, the last of each input and output, or none."""


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
        What the graph wanted and what came, such as ``1x3x512x896xf32``; may be empty.
    errno : Errno
    note : str
        Why it failed, or what is odd about it.
    seconds : float
        How long it took.
    tensor : Tensor or None
        The tensor that went in or out, if the trace keeps it.
    """

    name: str
    arguments: str = ""
    expected: str = ""
    got: str = ""
    errno: Errno = Errno.SUCCESS
    note: str = ""
    seconds: float = 0.0
    tensor: Tensor | None = None


class Trace(Sequence[Call]):
    """The calls of one context, in the order in which they ended.

    Its text leaves the durations out, so that it stays the same from run to run; its HTML shows
    them.

    Parameters
    ----------
    keep : {"all", "last", None}
        Which tensors to hold on to.

    Examples
    --------
    >>> trace = Trace()
    >>> with trace.call("compute", "context 0"):
    ...     pass
    >>> trace
    #  call     arguments  expected  got  errno
    0  compute  context 0                 success
    """

    _HEADERS = ("call", "arguments", "expected", "got", "errno")

    def __init__(self, *, keep: Keep = "last") -> None:
        self.keep = keep
        self._calls: list[Call] = []

    @contextmanager
    def call(self, name: str, arguments: str = "") -> Iterator[Call]:
        """Time the block and record it as one call, with the error that leaves it."""
        call = Call(name, arguments)
        start = time.perf_counter()
        try:
            yield call
        except WasiNnError as error:
            call.errno = error.errno or Errno.RUNTIME_ERROR
            call.note = str(error)
            raise
        except BaseException as error:
            # A bug of ours or an interrupt: the row says so, and the exception goes on.
            call.errno, call.note = Errno.RUNTIME_ERROR, repr(error)
            raise
        finally:
            call.seconds = time.perf_counter() - start
            self._add(call)

    def _add(self, call: Call) -> None:
        if self.keep is None:
            call.tensor = None
        elif self.keep == "last" and call.tensor is not None:
            for earlier in self._calls:
                if (earlier.name, earlier.arguments) == (call.name, call.arguments):
                    earlier.tensor = None
        self._calls.append(call)

    def tensors(self, name: Literal["set_input", "get_output"]) -> list[Tensor]:
        """Return the tensors kept of the calls *name*, in order."""
        return [c.tensor for c in self._calls if c.name == name and c.tensor is not None]

    def seconds(self, name: str) -> float:
        """Return the time spent in all calls *name* together."""
        return sum(call.seconds for call in self._calls if call.name == name)

    @overload
    def __getitem__(self, index: int) -> Call: ...
    @overload
    def __getitem__(self, index: slice) -> list[Call]: ...
    def __getitem__(self, index: int | slice) -> Call | list[Call]:
        return self._calls[index]

    def __len__(self) -> int:
        return len(self._calls)

    def _rows(self) -> list[list[str]]:
        return [[c.name, c.arguments, c.expected, c.got, c.errno.name.lower()] for c in self._calls]

    def __repr__(self) -> str:
        rows = [[str(number), *row] for number, row in enumerate(self._rows())]
        notes = [f"#{i} {c.name}: {c.note}" for i, c in enumerate(self._calls) if c.note]
        return "\n".join([text_table(["#", *self._HEADERS], rows), *notes])

    def _repr_html_(self) -> str:
        rows = [
            [*row, f"{call.seconds * 1e3:.1f} ms", call.note]
            for row, call in zip(self._rows(), self._calls, strict=True)
        ]
        failed = [i for i, call in enumerate(self._calls) if call.errno is not Errno.SUCCESS]
        headers = [*self._HEADERS, "time", "note"]
        return html_table(headers, rows, caption="WASI-NN calls", marked=failed)
