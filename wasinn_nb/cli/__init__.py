"""``wasinn-nb``: the package's verbs on the command line."""

from __future__ import annotations

import sys
import warnings
from typing import Any, NoReturn

from wasinn_nb.cli.console import app, print_warning
from wasinn_nb.cli.remedies import print_error
from wasinn_nb.errors import WasiNnError, WasiNnWarning

# isort: off
# Importing them defines the verbs, in the order in which --help lists them.
from wasinn_nb.cli import running, judging, inspecting, looking  # noqa: F401
# isort: on

__all__ = ["app", "main"]


def main() -> NoReturn:
    """Run the command line; an error or a warning of ours is one line on stderr.

    An error ends with exit code 1.
    """
    _show_warnings_in_one_line()
    try:
        app()
    except (WasiNnError, OSError) as error:
        print_error(error, sys.argv[1:])
        sys.exit(1)
    sys.exit(0)


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
