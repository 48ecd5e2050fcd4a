"""The command line, called in this process, in a forked one, or started anew."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import forked
import pytest
import typer.testing
from typer.testing import CliRunner

from wasinn_nb import cli
from wasinn_nb.cli.remedies import error_text
from wasinn_nb.errors import WasiNnError

# typer puts the program together again at each call, which takes longer than most commands do.
typer.testing._get_command = lambda app: app.group


def run(*arguments):
    """Return what a command prints; its errors come out as exceptions, as in `main`."""
    return both(*arguments)[0]


def both(*arguments, ends=0):
    """Return what a command prints on stdout and on stderr; it ends with the exit code *ends*."""
    done = CliRunner().invoke(cli.app, [*map(str, arguments)], catch_exceptions=False)
    assert done.exit_code == ends, done.output
    return done.stdout, done.stderr


def pasted(line):
    """Run a command as it is printed; return what it prints on stdout and on stderr."""
    program, *arguments = shlex.split(line)
    assert program == "wasinn-nb"
    return both(*arguments)


STATE_IT = "state it, or what is right, with: "


def after(text, start):
    """Return the rest of the line that begins with *start*."""
    (line,) = (line for line in text.splitlines() if line.startswith(start))
    return line.removeprefix(start)


def shell(*arguments, cwd=None):
    """Return how the program ends in a process of its own, which is forked: it imports nothing."""
    return forked.ended([*map(str, arguments)], cwd or Path.cwd(), dict(os.environ))


def started(*arguments, cwd=None, **environment):
    """Return how the program ends, from the start of the interpreter to its end."""
    return subprocess.run(
        [sys.executable, "-m", "wasinn_nb.cli", *map(str, arguments)],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
    )


def refused(*arguments):
    """Run a command that fails; return its message as the command line puts it."""
    with pytest.raises(WasiNnError) as caught:
        run(*arguments)
    return error_text(caught.value, arguments)


def commands_in(message):
    """Return the commands that a message offers."""
    return message.split("; use: ")[1].split(" or ")
