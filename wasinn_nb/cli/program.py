"""The command as a whole: its entry points, exit codes, and how errors and warnings look."""

from __future__ import annotations

import os
import sys
import traceback
import warnings
from typing import Annotated, Any, Final, NoReturn

import typer

from wasinn_nb import __version__
from wasinn_nb.cli.apart import read_apart
from wasinn_nb.cli.console import ExitCode, app, print_line, print_warning
from wasinn_nb.cli.remedies import print_error
from wasinn_nb.errors import WasiNnError, WasiNnWarning

# isort: off
# Importing them defines the verbs, in the order in which --help lists them.
from wasinn_nb.cli import running, many, judging, shrinking, deploying, inspecting, looking  # noqa: F401
# isort: on

__all__ = ["main"]

_NAME: Final = "wasinn-nb"


def main() -> NoReturn:
    """Run the command line; an error or a warning of ours is one line on stderr.

    The exit codes are those of :class:`ExitCode`.
    """
    _show_warnings_in_one_line()
    try:
        code = _ended()
    except BrokenPipeError:
        _discard_output()
        code = ExitCode.CLOSED_PIPE
    except KeyboardInterrupt:
        code = ExitCode.INTERRUPTED
    sys.exit(code)


def _ended() -> int:
    """Run the command line and return its exit code.

    Raises
    ------
    BrokenPipeError, KeyboardInterrupt
        Also where a library made an exit code of them: its codes have another meaning here.
    """
    failed = ExitCode.GUEST if sys.argv[1:2] == ["run"] else ExitCode.ERROR
    try:
        try:
            app.group(prog_name=_NAME, obj=read_apart)
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
    except BrokenPipeError:
        raise
    except (WasiNnError, OSError) as error:
        print_error(error, sys.argv[1:])
    except Exception:  # noqa: BLE001 - a fault of ours must not look like a verdict
        traceback.print_exc()
    return failed


def _discard_output() -> None:
    """Lead what is still to be written nowhere, so that Python does not fail at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.__stdout__.fileno() if sys.__stdout__ else 1)


def _print_version(asked: bool) -> None:
    if asked:
        print_line(f"{_NAME} {__version__}")
        raise typer.Exit


@app.callback()
def _program(
    *,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    pass


def _show_warnings_in_one_line() -> None:
    standard = warnings.showwarning

    def show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
        if issubclass(category, WasiNnWarning):
            print_warning(message)
        else:
            standard(message, category, *place, **more)

    warnings.showwarning = show
    if not sys.warnoptions:
        warnings.simplefilter("always", WasiNnWarning)
