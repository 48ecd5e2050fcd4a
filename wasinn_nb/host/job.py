"""What a run is asked for, on its way to wherever the guest runs."""

from __future__ import annotations

import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from wasinn_nb.abi import ExecutionTarget
from wasinn_nb.errors import GuestCrash, GuestTimeout, Remedy
from wasinn_nb.host.commands import Invocation
from wasinn_nb.isolation import Limit, allowed_memory
from wasinn_nb.runtimes import Precision, Runtime
from wasinn_nb.wasi_nn import Call, Keep, ModelFiles

__all__ = ["REMEDIES", "Job"]

REMEDIES: Final = {
    limit: Remedy(f"{limit}= gives it more", command=f"{option} gives it more")
    for limit, option in (
        ("memory_limit", "--memory-limit MIB"),
        ("write_limit", "--write-limit MIB"),
        ("time_limit", "--time-limit SECONDS"),
    )
} | {
    "invoke": Remedy(
        "invoke= runs one of its functions", command="--invoke NAME runs one of its functions"
    )
}
"""What to do, by the name of the argument that does it: limits that were passed, and others."""
_SIGNALS: Final = {
    "SIGSEGV": "an access outside of its memory",
    "SIGABRT": "it gave up by itself",
    "SIGBUS": "an access to memory that is not there",
    "SIGFPE": "arithmetic that is not possible",
    "SIGILL": "an instruction that is not possible",
    "SIGKILL": "ended from outside, as a system does that runs out of memory",
    "SIGXCPU": "it took more processor time than time_limit allows",
    "SIGSYS": "a system call that is not allowed",
}


@dataclass(frozen=True, slots=True)
class Job:
    """One run of a guest; the fields are the parameters of `run_guest`, checked.

    Attributes
    ----------
    wasm : bytes
    invocation : Invocation
    engine : str or Runtime
        By name, or one that is not registered.
    models : mapping
    target : ExecutionTarget, str, int or None
    precision : str or None
    stdin : bytes
    memory_limit, write_limit : int
    time_limit : float or None
    output_limit : int or None
    keep : {"all", "last", None}
    recorded : tuple of Call or None
        The calls of a recording, which answers in the place of an engine.
    """

    wasm: bytes
    invocation: Invocation
    engine: str | Runtime
    models: Mapping[str, ModelFiles]
    target: ExecutionTarget | str | int | None
    precision: Precision | None
    stdin: bytes
    memory_limit: int
    write_limit: int
    time_limit: float | None
    output_limit: int | None
    keep: Keep
    recorded: tuple[Call, ...] | None = None

    @property
    def engine_name(self) -> str:
        """The runtime's name."""
        return self.engine if isinstance(self.engine, str) else self.engine.name

    def timeout(self) -> GuestTimeout:
        """Return the error of a guest that does not end in time."""
        return GuestTimeout(
            f"{self.invocation.name} did not end within {self.time_limit} s and was stopped",
            remedy=REMEDIES["time_limit"],
        )

    def passed(self, limit: Limit, during: str = "") -> GuestCrash:
        """Return the error of a guest that passed a limit.

        Parameters
        ----------
        limit : {"memory_limit", "write_limit"}
        during : str
            The WASI-NN call that was running; may be empty.
        """
        if limit == "memory_limit":
            what = (
                f"took more than {allowed_memory(self.memory_limit)} bytes, with its models and "
                f"tensors, which is what memory_limit={self.memory_limit} allows"
            )
        else:
            what = f"wrote more than {self.write_limit} bytes to files"
        return GuestCrash(
            f"{self.invocation.name} {what}, and was stopped{_where(during)}",
            remedy=REMEDIES[limit],
            call=during,
            limit=limit,
        )

    def crash(
        self, code: int, last_words: Sequence[str], *, why: str = "", during: str = ""
    ) -> GuestCrash:
        """Return the error of a guest whose process ended before it.

        Parameters
        ----------
        code : int
            The process's exit code, negative for a signal.
        last_words : sequence of str
            The last lines that it printed on stderr.
        why : str
            What ended it, where that is known; else the exit code says it.
        during : str
            The WASI-NN call that was running; may be empty.
        """
        number = None
        if not why and code < 0:
            number = -code
            kind = _signal_name(number)
            why = f"its process was ended by {kind} ({_SIGNALS.get(kind, 'a signal')})"
        elif not why:
            why = f"its process ended with exit code {code}"
        lines = [f"{self.invocation.name}: {why}{_where(during)}"]
        if last_words:
            lines += ["its last words on stderr:", *(f"    {line[:300]}" for line in last_words)]
        return GuestCrash("\n".join(lines), signal=number, call=during)


def _where(during: str) -> str:
    return f" during {during}" if during else ""


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
