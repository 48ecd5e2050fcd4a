"""``wasinn-nb``: the package's verbs on the command line."""

from wasinn_nb.cli.console import ExitCode, app
from wasinn_nb.cli.program import main

__all__ = ["ExitCode", "app", "main"]
