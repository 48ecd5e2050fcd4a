"""How a run of a guest ended, and what there is to say of it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from wasinn_nb import settings
from wasinn_nb.errors import (
    GuestCrash,
    GuestError,
    GuestLinkError,
    GuestModuleError,
    GuestTimeout,
    GuestTrap,
    ReplayError,
)
from wasinn_nb.host.job import Job
from wasinn_nb.host.run import GuestRun
from wasinn_nb.host.wasi import Files
from wasinn_nb.wording import counted

__all__ = ["ended_words", "notes_on"]

_MOST_LINKS: Final = 10


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:  # gone meanwhile
        return "?"


def ended_words(
    exit_code: int | None, error: BaseException | None, time_limit: float | None, on: str | None
) -> str:
    """Return how a run ended.

    Parameters
    ----------
    exit_code : int or None
    error : BaseException or None
        What ended it, if it did not end by itself.
    time_limit : float or None
        In seconds.
    on : str or None
        The other runtime, if it ran on one.
    """
    if error is None:
        return f"exit code {exit_code}"
    if isinstance(error, GuestTimeout):
        return f"stopped after {time_limit} s"
    if isinstance(error, GuestTrap):
        return "trapped"
    if isinstance(error, GuestCrash):
        during = f" during {error.call}" if error.call else ""
        return f"stopped at {error.limit}" if error.limit else f"crashed{during}"
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    if isinstance(error, ReplayError):
        return "diverged from its recording"
    early = (GuestModuleError, GuestLinkError) if on else (GuestError,)
    return "not started" if isinstance(error, early) else "failed"


def notes_on(run: GuestRun, files: Files, job: Job, *, joined: bool) -> list[str]:
    """Return remarks on a run.

    Parameters
    ----------
    run : GuestRun
    files : Files
        Of its writable directories.
    job : Job
        What was asked for.
    joined : bool
        Whether its thread has ended.
    """
    notes = []
    if job.recorded is not None:
        notes.append("its WASI-NN calls were answered from a recording")
        left = len(job.recorded) - len(run.trace) - run.trace.dropped
        if left > 0 and run.exit_code is not None:
            notes.append(f"the recording has {counted(left, 'call')} more")
    elif not run.on and run.runtime != settings.DEFAULTS["runtime"]:
        notes.append(f"the engine behind WASI-NN was {run.runtime}")
    trace = run.trace
    if trace.dropped:
        notes.append(f"the trace leaves out {counted(trace.dropped, 'call')} in the middle")
    if trace.tensors_dropped:
        notes.append(
            f"the trace dropped {counted(trace.tensors_dropped, 'tensor')}, the oldest, to keep "
            f"within the memory limit; a larger one keeps more"
        )
    if not files.complete:
        notes.append("the writable directories hold too many files to list all that it wrote")
    if links := files.links_out(run.files):
        notes.append(
            f"links that it made lead out of its directories: "
            f"{', '.join(f'{link.name!r} to {_target(link)!r}' for link in links[:_MOST_LINKS])}; "
            f"do not follow them"
        )
    if not joined:
        notes.append("the guest was in a call that cannot be interrupted; it ends after that")
    readonly = [repr(d.guest) for d in run.invocation.dirs if not d.writable]
    if readonly and run.on == "wasmtime" and "landlock" not in run.isolation:
        notes.append(
            f"Wasmtime could write to {', '.join(readonly)}, too: it knows no read-only one"
        )
    if run.ended in {"trapped", f"exit code {run.exit_code}"} and run.exit_code != 0 and readonly:
        notes.append(
            f"read-only for the guest: {', '.join(readonly)}; writable= (on the command line: "
            f"no :readonly) lets it write there"
        )
    return notes
