"""``wasinn-nb --help`` without the verbs: the same text, and no heavy import."""

from __future__ import annotations

import subprocess
import sys

import pytest
from commands import run, started

from wasinn_nb import cli
from wasinn_nb.cli.application import _joined
from wasinn_nb.cli.front import SUMMARIES, front

HEAVY = ("numpy", "openvino", "PIL", "pandas", "matplotlib", "wasinn_nb.runtimes")


def test_the_summaries_are_those_of_the_verbs_in_their_order():
    verbs = cli.app.group.commands
    assert list(SUMMARIES) == list(verbs)
    paragraphs = {name: _joined(verb.help).split("\n\n")[0] for name, verb in verbs.items()}
    assert paragraphs == SUMMARIES


def test_both_know_the_same_options():
    options = [[one.opts for one in group.params] for group in (front(), cli.app.group)]
    assert options[0] == options[1]


@pytest.mark.full
def test_the_help_is_the_same_text():
    alone, whole = started("--help", COLUMNS="80").stdout, run("--help")
    assert alone.split() == whole.replace("Usage: root", "Usage: wasinn-nb").split()


@pytest.mark.full
@pytest.mark.parametrize("option", ["--help", "--version"])
def test_the_help_imports_no_engine(option):
    program = (
        "import sys\n"
        f"sys.argv = ['wasinn-nb', {option!r}]\n"
        "from wasinn_nb.cli import main\n"
        "try:\n    main()\n"
        "except SystemExit as ended:\n    assert ended.code == 0\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines()[-1] == "[]", done.stderr
