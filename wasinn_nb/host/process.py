"""One guest in a process of its own, seen from the process that asked for it."""

from __future__ import annotations

import dataclasses
import os
import pickle
import shutil
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.abi import Dialect, Errno
from wasinn_nb.errors import (
    GuestCrash,
    GuestError,
    InvalidArgumentError,
    Remedy,
    WasiNnError,
    WasiNnWarning,
)
from wasinn_nb.host.callvalues import call_from, text_from
from wasinn_nb.host.job import Job
from wasinn_nb.host.messages import error_from, seconds_from
from wasinn_nb.host.modules import NativeCode
from wasinn_nb.host.output import DONE, Output, Printer, Stream
from wasinn_nb.isolation import (
    Frame,
    FrameError,
    Helper,
    Watch,
    allowed_memory,
    borrowed,
    own_settings,
    prepare_spare,
    take_helper,
)
from wasinn_nb.runtimes import by_name
from wasinn_nb.wasi_nn import Call, ModelFiles, Trace, WasiNnCtx

__all__ = ["GuestProcess"]

_natives = NativeCode()
"""Machine code that helpers made: for helpers only, since a guest may have had a hand in it."""

_CHILD: Final = "wasinn_nb.host.child"
_COMPILING: Final = "compile"
_MOST_NAMES: Final = 1024


class GuestProcess:
    """Runs a guest in a helper process, which can be ended whatever it does.

    Parameters
    ----------
    job : Job
    output : Output
    stopping : threading.Event
        The output's: once set, nothing waits for the printer.

    Attributes
    ----------
    trace : Trace
        The calls that have arrived.
    exit_code : int or None
    error : BaseException or None
        Why there is no exit code.
    dialects : set of Dialect
    models : dict
        The models that the guest has asked for by name.
    facts : tuple of str
        What holds the guest.
    """

    def __init__(self, job: Job, output: Output, stopping: threading.Event) -> None:
        self.trace = Trace(keep=job.keep, keep_bytes=job.memory_limit)
        self.exit_code: int | None = None
        self.error: BaseException | None = None
        self.dialects: set[Dialect] = set()
        self.models: dict[str, ModelFiles] = {}
        self.facts: tuple[str, ...] = ("process",)
        self._job = job
        self._output = output
        self._stopping = stopping
        self._seconds: dict[str, float] = {}
        self._names: list[str] = []
        self._warnings: list[str] = []
        self._running = ""
        self._finished = self._ended = self._halted = False
        self._violation: FrameError | None = None
        self._helper: Helper | None = None
        self._watch: Watch | None = None
        self._begun = 0.0
        self._temporary = ""
        self._max_content = allowed_memory(job.memory_limit)
        self._reader = threading.Thread(target=self._read, name="wasinn-nb guest", daemon=True)

    # -- the caller's thread ---------------------------------------------------------------------

    def start(self) -> None:
        """Hand the job to a helper that is ready.

        Raises
        ------
        GuestError
            If no helper can be started.
        InvalidArgumentError
            If the runtime cannot be handed over.
        """
        job, engine = _without_engine(self._job)
        self._temporary = tempfile.mkdtemp(prefix="wasinn-nb-guest-")
        packed = _packed(job)
        native = _natives.get(job.wasm) or b""
        values: dict[str, Any] = {
            "job": len(packed),
            "engine": engine and engine.hex(),
            "settings": own_settings(os.environ),
            "folder": _folder(),
            "temporary": self._temporary,
            "import_from": sys.path if engine else [],
        }
        # A spare may have idled for too long at this very moment.
        helper = self._hand_over(values, packed + native) or self._hand_over(
            values, packed + native
        )
        if helper is None:
            raise GuestError("the helper process did not take the guest; try again")
        self._reader.start()

    def _hand_over(self, values: dict[str, Any], content: bytes) -> Helper | None:
        """Return a helper that has taken the job; None where it ended instead."""
        job = self._job
        self._helper = helper = take_helper(_CHILD, job.engine_name)
        helper.wait_until_ready()
        self._begun = time.perf_counter()
        self._watch = Watch(
            helper.number,
            helper.kill,
            memory_limit=job.memory_limit,
            write_limit=job.write_limit,
            time_limit=job.time_limit,
            sent=lambda: helper.received,
        )
        frame: Frame | None = None
        with suppress(OSError, FrameError):
            helper.send(values, content)
            frame = helper.receive()
        if frame is not None and frame[0].get("kind") == "accepted":
            facts = frame[0].get("facts")
            if isinstance(facts, list):
                self.facts += tuple(text_from(fact) for fact in facts)
            return helper
        self._watch.end()
        if self._watch.struck is not None:  # a job that alone takes more than the guest may have
            return helper
        helper.forget()
        return None

    def wait(self) -> bool:
        """Print what the guest prints; return whether it ended before its time limit."""
        limit = self._job.time_limit
        deadline = None if limit is None else self._begun + limit
        return Printer(self._output).print_until(deadline)

    def halt(self) -> None:
        """End the helper if the guest still runs."""
        if not self._ended:
            self._halted = True
        self._stopping.set()
        if self._helper is not None:
            self._helper.kill()

    def join(self) -> bool:
        """Wait for the end of the helper, and say how the guest ended."""
        helper = self._helper
        if helper is not None:
            begun = self._reader.ident is not None
            if begun:
                self._reader.join()
            if self._watch is not None:
                self._watch.end()
            code = helper.end()
            if begun and not self._finished:
                self._conclude(code, helper.last_words())
            helper.forget()
        if self._temporary:
            shutil.rmtree(self._temporary, ignore_errors=True)
        self._name_models()
        prepare_spare(_CHILD, self._job.engine_name)
        for message in self._warnings:
            warnings.warn(message, WasiNnWarning, stacklevel=3)
        return True

    def durations(self) -> dict[str, float]:
        """Return how long compiling, the guest's own code and each function took, in seconds."""
        if self._finished:
            return self._seconds
        names = dict.fromkeys(call.name for call in self.trace)
        return self._seconds | {name: self.trace.seconds(name) for name in names}

    def _conclude(self, code: int, last_words: Sequence[str]) -> None:
        """Say why the helper ended before its guest did."""
        if self._running and self._running != _COMPILING:
            note = "it was running when the guest's process ended"
            self.trace.add(Call(self._running, errno=Errno.RUNTIME_ERROR, note=note))
        struck = None if self._watch is None else self._watch.struck
        if struck == "time_limit":
            self.error = self._job.timeout()
        elif struck is not None:
            self.error = self._job.passed(struck, self._running)
        elif not self._halted:
            self.error = self._crash(code, last_words)

    def _crash(self, code: int, last_words: Sequence[str]) -> GuestCrash:
        why = ""
        if self._violation is not None:
            why = f"its process sent what it should not ({self._violation}), and was stopped"
        return self._job.crash(code, last_words, why=why, during=self._running)

    def _name_models(self) -> None:
        """Note where the models lie that the guest has asked for by name."""
        with WasiNnCtx(models=self._job.models) as ctx:
            for name in self._names:
                with suppress(WasiNnError):
                    self.models[name] = ctx.model_files(name)

    # -- the reader's thread ---------------------------------------------------------------------

    def _read(self) -> None:
        helper = self._helper
        assert helper is not None  # noqa: S101 - it has taken the job
        try:
            while not self._finished and (frame := helper.receive(self._max_content)) is not None:
                self._take(helper, *frame)
        except FrameError as error:
            self._violation = error
            helper.kill()
        except (OSError, ValueError):  # closed
            helper.kill()
        finally:
            self._ended = True
            self._output.chunks.put(DONE)

    def _take(self, helper: Helper, values: dict[str, Any], content: NDArray[np.uint8]) -> None:
        kind = values.get("kind")
        if kind == "output":
            if values.get("stream") not in {"stdout", "stderr"}:
                raise FrameError("a frame is of no stream")
            self._output.take(cast("Stream", values["stream"]), content.tobytes())
        elif kind == "begin":
            self._running = text_from(values.get("name"))
        elif kind == "compiled":
            self._running = ""
            self._seconds["compile"] = time.perf_counter() - self._begun
            if content.size:
                _natives.put(self._job.wasm, content.tobytes())
        elif kind == "call":
            self._running = ""
            self._note_facts(values)
            self.trace.add(call_from(values, self._data(helper, values, content)))
        elif kind == "end":
            self._end(values)
        else:
            raise FrameError(f"a frame is of the unknown kind {kind!r:.80}")

    def _data(
        self, helper: Helper, values: dict[str, Any], content: NDArray[np.uint8]
    ) -> Callable[[int], NDArray[np.uint8]]:
        def data(size: int) -> NDArray[np.uint8]:
            if values.get("lent") is not True:
                return content
            if helper.lent is None or not 0 < size <= self._max_content:
                raise FrameError(f"a tensor of {size} bytes cannot be lent")
            return borrowed(helper.lent, size)

        return data

    def _note_facts(self, values: dict[str, Any]) -> None:
        dialects, names = values.get("dialects"), values.get("models")
        if not isinstance(dialects, list) or not isinstance(names, list):
            raise FrameError("a frame holds no lists where they are expected")
        try:
            self.dialects = {Dialect(value) for value in dialects}
        except (ValueError, TypeError) as error:
            raise FrameError(f"a frame holds no dialect: {error}") from error
        self._names = [text_from(name) for name in names[:_MOST_NAMES]]

    def _end(self, values: dict[str, Any]) -> None:
        self._note_facts(values)
        code, error, caught = values.get("exit_code"), values.get("error"), values.get("warnings")
        if error is not None:
            self.error = error_from(error, self._job.invocation.name)
        elif isinstance(code, int) and 0 <= code < 1 << 32:
            self.exit_code = code
        else:
            raise FrameError(f"a frame holds no exit code: {code!r:.80}")
        if isinstance(caught, list):
            self._warnings = [text_from(message) for message in caught[:_MOST_NAMES]]
        self._seconds = seconds_from(values.get("seconds"))
        self._finished = True


def _packed(job: Job) -> bytes:
    try:
        return pickle.dumps(job)
    except Exception as error:
        raise InvalidArgumentError(
            f"the models cannot be handed to the guest's process ({error}); give them as paths or "
            f"bytes"
        ) from error


def _without_engine(job: Job) -> tuple[Job, bytes | None]:
    """Return the job with its runtime by name, and the runtime itself where no name means it."""
    engine = job.engine
    if isinstance(engine, str):
        return job, None
    named = dataclasses.replace(job, engine=engine.name)
    if isinstance(by_name(engine), str):
        return named, None
    try:
        return named, pickle.dumps(engine)
    except Exception as error:
        raise InvalidArgumentError(
            f"the runtime {engine.name} cannot be handed to the guest's process ({error})",
            remedy=Remedy(
                "isolation='thread' runs it in this one",
                command="--isolation thread runs it in this one",
            ),
        ) from error


def _folder() -> str:
    try:
        return str(Path.cwd())
    except OSError:  # it is gone
        return os.sep
