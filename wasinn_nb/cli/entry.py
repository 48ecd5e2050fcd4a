"""The entry point: exit codes, and which part of the program is needed at all."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import NoReturn

from wasinn_nb.cli.exit_codes import ExitCode
from wasinn_nb.cli.front import NAME, front

__all__ = ["main"]

_LIGHT = (["--help"], ["--version"])
"""What needs no verb."""


def main() -> NoReturn:
    """Run the command line.

    The exit codes are those of :class:`ExitCode`.
    """
    try:
        code = _ended(_list_verbs if sys.argv[1:] in _LIGHT else _run)
    except BrokenPipeError:
        _discard_output()
        code = ExitCode.CLOSED_PIPE
    except KeyboardInterrupt:
        code = ExitCode.INTERRUPTED
    sys.exit(code)


def _list_verbs() -> int:
    front()(prog_name=NAME)
    return ExitCode.DONE


def _run() -> int:
    from wasinn_nb.cli.program import run

    return run()


def _ended(call: Callable[[], int]) -> int:
    """Return the exit code of what is called.

    Raises
    ------
    BrokenPipeError, KeyboardInterrupt
        Also where a library made an exit code of them: its codes have another meaning here.
    """
    try:
        try:
            return call()
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except SystemExit as ended:
        cause: BaseException | None = ended
        while cause is not None:
            if isinstance(cause, BrokenPipeError | KeyboardInterrupt):
                raise cause from None
            cause = cause.__context__
        return int(ended.code or 0)


def _discard_output() -> None:
    """Lead what is still to be written nowhere, so that Python does not fail at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.__stdout__.fileno() if sys.__stdout__ else 1)
