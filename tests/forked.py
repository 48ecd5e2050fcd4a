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
from pathlib import Path

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(
    ["wasinn_nb.cli.program", "wasinn_nb.pipeline", "wasinn_nb.host.guest", "openvino"]
)


def ended(words: list[str], cwd: str, environment: dict[str, str]) -> subprocess.CompletedProcess:
    """Return how the program ended, and what it printed."""
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
