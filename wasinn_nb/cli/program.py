"""The command with all its verbs, and how errors and warnings look."""

from __future__ import annotations

import sys
import traceback
import warnings
from typing import Any

from wasinn_nb.cli.apart import read_apart
from wasinn_nb.cli.console import app, print_warning
from wasinn_nb.cli.exit_codes import ExitCode
from wasinn_nb.cli.front import NAME
from wasinn_nb.cli.remedies import print_error
from wasinn_nb.errors import WasiNnError, WasiNnWarning

# isort: off
# Importing them defines the verbs, in the order in which --help lists them.
from wasinn_nb.cli import running, many, judging, shrinking, deploying, inspecting, looking  # noqa: F401
# isort: on

__all__ = ["app", "run"]


def run() -> int:
    """Run a verb and return the exit code; an error or a warning of ours is one line on stderr."""
    _show_warnings_in_one_line()
    failed = ExitCode.GUEST if sys.argv[1:2] == ["run"] else ExitCode.ERROR
    try:
        app.group(prog_name=NAME, obj=read_apart)
    except BrokenPipeError:
        raise
    except (WasiNnError, OSError) as error:
        print_error(error, sys.argv[1:])
    except Exception:  # noqa: BLE001 - a fault of ours must not look like a verdict
        traceback.print_exc()
    return failed


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
