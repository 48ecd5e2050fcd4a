"""``wasinn-nb``: the package's verbs on the command line."""

from __future__ import annotations

import sys
from typing import NoReturn

from wasinn_nb.cli.console import app, print_error
from wasinn_nb.errors import WasiNnError

# isort: off
# Importing them defines the verbs, in the order in which --help lists them.
from wasinn_nb.cli import running, judging, looking  # noqa: F401
# isort: on

__all__ = ["app", "main"]


def main() -> NoReturn:
    """Run the command line; an error of ours is one line on stderr and exit code 1."""
    try:
        app()
    except (WasiNnError, OSError) as error:
        print_error(error)
        sys.exit(1)
    sys.exit(0)
