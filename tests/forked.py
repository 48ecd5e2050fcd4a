"""The program in a process that is forked from one with all imports, which spares a second each.

How the interpreter starts and ends is not part of it: `commands.started` is for that.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import subprocess
import sys
import tempfile
from functools import cache
from multiprocessing import forkserver
from pathlib import Path
from unittest.mock import patch

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["forked_imports"])


@cache
def _start_server() -> None:
    """Start the process that is forked: it looks for modules where PYTHONPATH says, only."""
    path = [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    with patch.dict(os.environ, PYTHONPATH=os.pathsep.join(filter(None, path))):
        forkserver.ensure_running()


def ended(words: list[str], cwd: str, environment: dict[str, str]) -> subprocess.CompletedProcess:
    """Return how the program ended, and what it printed."""
    _start_server()
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder, name) for name in ("stdout", "stderr")]
        process = CONTEXT.Process(target=_be_program, args=(words, cwd, environment, files))
        process.start()
        process.join()
        return subprocess.CompletedProcess(
            words, process.exitcode, *(file.read_text("utf-8") for file in files)
        )


def _be_program(words, cwd, environment, files):
    for number, file in enumerate(files, 1):
        opened = os.open(file, os.O_WRONLY | os.O_CREAT)
        os.dup2(opened, number)
        os.close(opened)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(cwd)
    sys.argv = ["wasinn-nb", *words]
    from wasinn_nb.cli import main

    try:
        main()
    finally:
        atexit._run_exitfuncs()
