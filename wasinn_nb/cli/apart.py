"""``inspect`` in a process of its own: a file that makes an engine crash is an error there, too."""

from __future__ import annotations

import json
import os
import signal
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Final

from wasinn_nb.cli.inspected import Inspected, Request, fetch
from wasinn_nb.errors import Remedy, RuntimeFailure, WasiNnWarning
from wasinn_nb.isolation import Frame, FrameError, Helper, Watch, with_imports

__all__ = ["read_apart"]

_MODULE: Final = "wasinn_nb.cli.inspector"
_MOST_WARNINGS: Final = 100
_MOST_BYTES: Final = 1 << 28  # of what is known of a file


class _ReadingFailure(RuntimeFailure):
    """Has several lines where an engine's last words or a traceback are part of it."""

    _lines = True


@contextmanager
def read_apart(
    request: Request, *, memory_limit: int, time_limit: float
) -> Iterator[_HelperReading]:
    """Give a function that reads files in a helper process, as `inspected` does.

    Parameters
    ----------
    request : Request
    memory_limit : int
        Bytes that reading a file may take, as of `allowed_memory`.
    time_limit : float
        Seconds that it may take.
    """
    reading = _HelperReading(request, memory_limit, time_limit)
    try:
        yield reading
    finally:
        reading.end()


class _HelperReading:
    """Reads one file after another in a helper; where that ends, the next file gets another one."""

    def __init__(self, request: Request, memory_limit: int, time_limit: float) -> None:
        self._request = request
        self._memory_limit = memory_limit
        self._time_limit = time_limit
        self._helper: Helper | None = None
        self._number = 0

    def end(self) -> None:
        """End the helper."""
        helper, self._helper = self._helper, None
        if helper is not None:
            helper.forget()

    def __call__(self, path: str, words: Sequence[str]) -> Inspected:
        """Return what is known of a file.

        Raises
        ------
        RuntimeFailure
            If it cannot be read, or its helper crashed or passed a limit.
        """
        fetch(self._request, path)
        helper = self._helper or Helper(
            _MODULE, "", with_imports(os.environ, os.environ), lends=False
        )
        self._helper = helper
        helper.wait_until_ready()
        self._number += 1
        job = {
            "number": self._number,
            "request": asdict(self._request),
            "folder": str(Path.cwd()),
            "path": path,
            "words": list(words),
            "memory_limit": self._memory_limit,
        }
        found, violation = None, ""
        watch = Watch(
            helper.number,
            helper.kill,
            memory_limit=self._memory_limit,
            write_limit=None,
            time_limit=self._time_limit,
            sent=lambda: helper.received,
            files=False,  # large tensors are mapped, not read
        )
        try:
            with suppress(BrokenPipeError):
                helper.send(job)
            frame = helper.receive(_MOST_BYTES)
            found = None if frame is None else _answer(frame, self._number)
        except FrameError as error:
            violation = str(error)
        finally:
            watch.end()
        if found is None:
            why = self._ended(path, helper, watch, violation)
            self.end()
            raise why
        if isinstance(found, Exception):
            raise found
        return found

    def _ended(self, path: str, helper: Helper, watch: Watch, violation: str) -> RuntimeFailure:
        """Return why a helper ended before it had read its file."""
        code = helper.end()
        if watch.struck == "time_limit":
            return RuntimeFailure(
                f"{path}: reading it took longer than {self._time_limit:g} s, and was stopped",
                remedy=_more("--time-limit SECONDS"),
            )
        if watch.struck is not None:
            most = self._memory_limit >> 20
            return RuntimeFailure(
                f"{path}: reading it took more than {most} MiB, and was stopped",
                remedy=_more("--memory-limit MIB"),
            )
        if violation:
            why = f"sent what it should not ({violation})"
        elif code < 0:
            known = -code in set(signal.Signals)
            why = f"was ended by {signal.Signals(-code).name if known else f'signal {-code}'}"
        else:
            why = f"ended with exit code {code}"
        what = "the file is damaged, or made to crash the engine"
        lines = [f"{path}: the process that read the file {why}; {what}"]
        if last_words := helper.last_words():
            lines += ["its last words on stderr:", *(f"    {line[:300]}" for line in last_words)]
        return _ReadingFailure("\n".join(lines))


def _more(option: str) -> Remedy:
    return Remedy(f"{option} gives it more", command=f"{option} gives it more")


def _answer(frame: Frame, number: int) -> Inspected | RuntimeFailure:
    """Return what a frame says of a file, or the error in it; raise FrameError for others."""
    values, content = frame
    if values.get("number") != number:
        raise FrameError("an answer to another question")
    if isinstance(texts := values.get("warnings"), list):
        for text in texts[:_MOST_WARNINGS]:
            warnings.warn(str(text), WasiNnWarning, stacklevel=2)
    if isinstance(error := values.get("error"), str):
        return _ReadingFailure(error, remedy=_remedy(values.get("remedy")))
    try:
        found = json.loads(content.tobytes())
        text, facts = found["text"], found["facts"]
    except (ValueError, RecursionError, KeyError, TypeError) as failure:
        raise FrameError("an answer that says nothing") from failure
    if not isinstance(text, str) or not isinstance(facts, dict):
        raise FrameError("an answer of other types")
    return Inspected(text, facts)


def _remedy(values: object) -> Remedy | None:
    """Return the remedy of an error that was sent; raise FrameError for others."""
    match values:
        case None:
            return None
        case {"python": str(python), "command": str(command), "choices": list(choices)}:
            if all(isinstance(one, dict) for one in choices):
                return Remedy(python, choices, command=command)
    raise FrameError("a remedy of other types")
