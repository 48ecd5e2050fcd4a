"""Commands that fail, and the remedies that they print, pasted."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from commands import run
from PIL import Image
from typer.testing import CliRunner

from wasinn_nb import cli
from wasinn_nb.cli.remedies import error_text
from wasinn_nb.errors import WasiNnError

PYTHON = re.compile(r"\b\w+=['\"(\[{]|=\(|\bwn\.|wasinn_nb\.[A-Z]|=(True|False|None)\b|\w+\(\w+, ")
"""What only Python reads."""


def refused(*words):
    """Run a command that fails; return its message as the command line puts it."""
    with pytest.raises(WasiNnError) as caught:
        run(*words)
    message = error_text(caught.value, [*map(str, words)])
    assert not PYTHON.search(message), message
    return message


def pasted(command):
    """Run a command that was printed; return what it prints, whatever its verdict."""
    program, *words = shlex.split(command)
    assert program == "wasinn-nb"
    done = CliRunner().invoke(cli.app, words, catch_exceptions=False)
    assert done.exit_code in {0, 1}, done.output
    return done.output


def options_in(message):
    """Return the options that a message says to add, with their values."""
    text = message.rpartition("; use: ")[2] or message
    return shlex.split(
        " ".join(
            found.rstrip(",.")
            for found in re.findall(r"--[a-z-]+(?: (?!--)'[^']*'| (?!--)[^\s;]+)?", text)
        )
    )


def mask(name, values):
    Path(name).parent.mkdir(exist_ok=True)
    Image.fromarray(np.asarray(values, np.uint8)).save(name)
    return name


def use(message):
    """Return the commands that a message ends with."""
    return message.split("; use: ")[1].split(" or ")
