"""``inspect`` in a process of its own: a file that makes an engine crash is an error there, too."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from wasinn_nb.cli.console import ExitCode, print_error_text

__all__ = ["CONTAINED", "run_contained"]

CONTAINED: Final = frozenset({"inspect"})
"""The verbs that read a model with an engine in this process; ``run`` has a helper of its own."""

_PROGRAM: Final = "from wasinn_nb.cli import main_here; main_here()"


def run_contained(arguments: Sequence[str]) -> int:
    """Run a verb in a process of its own, and return its exit code; 2 where it crashed.

    Ctrl-C ends that process, too.

    Parameters
    ----------
    arguments : sequence of str
        The verb, and what follows it.
    """
    root = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")]))
    process = subprocess.Popen(  # noqa: S603 - our own code
        [sys.executable, "-P", "-c", _PROGRAM, *arguments],
        env=os.environ | {"PYTHONPATH": path},
    )
    try:
        code = process.wait()
    finally:
        process.kill()
    if code >= 0:
        return code
    name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
    print_error_text(
        f"{' '.join(arguments)}: the process that read the file was ended by {name}; "
        f"the file is damaged, or made to crash the engine"
    )
    return ExitCode.ERROR
