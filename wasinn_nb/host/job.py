"""What a run is asked for, on its way to wherever the guest runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from wasinn_nb.abi import ExecutionTarget
from wasinn_nb.errors import GuestTimeout, Remedy
from wasinn_nb.host.run import Invocation
from wasinn_nb.runtimes import Runtime
from wasinn_nb.wasi_nn import Keep, ModelFiles

__all__ = ["REMEDIES", "Job"]

REMEDIES: Final = {
    limit: Remedy(f"{limit}= gives it more", command=f"{option} gives it more")
    for limit, option in (
        ("memory_limit", "--memory-limit MIB"),
        ("write_limit", "--write-limit MIB"),
        ("time_limit", "--time-limit SECONDS"),
    )
}
"""What to do where a limit was passed, by the argument's name."""


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
    """

    wasm: bytes
    invocation: Invocation
    engine: str | Runtime
    models: Mapping[str, ModelFiles]
    target: ExecutionTarget | str | int | None
    precision: str | None
    stdin: bytes
    memory_limit: int
    write_limit: int
    time_limit: float | None
    output_limit: int | None
    keep: Keep

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
