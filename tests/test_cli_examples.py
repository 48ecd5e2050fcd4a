"""Usage errors end in an example that is a command line; help names it; nothing of it is cut."""

from __future__ import annotations

import re
import shlex

import pytest
from commands import run
from typer.testing import CliRunner

import wasinn_nb as wn
from wasinn_nb import cli
from wasinn_nb.cli.examples import EXAMPLES, OTHER_NAMES

VERBS = cli.app.group.commands
REQUIRED = [name for name, verb in VERBS.items() if any(one.required for one in verb.params)]


def refused(*words):
    done = CliRunner().invoke(cli.app, words)
    assert done.exit_code == (125 if words[0] == "run" else 2), done.output
    # Without the box around it.
    return " ".join(re.sub(r"[│╭╮╰╯─]", " ", done.stderr).split())


@pytest.mark.parametrize("verb", EXAMPLES)
def test_each_example_is_a_command_line(verb):
    program, name, *words = shlex.split(EXAMPLES[verb])
    assert (program, name) == ("wasinn-nb", verb)
    VERBS[verb].make_context(verb, words)


@pytest.mark.parametrize("verb", REQUIRED)
def test_what_is_missing_is_answered_with_the_example(verb):
    message = refused(verb)
    assert "Missing argument" in message
    assert message.endswith(f"For example: {EXAMPLES[verb]}")


@pytest.mark.parametrize(
    "words", [["predict", "images"], ["gallery", "store"], ["segment", "a.png", "b.png"]]
)
def test_missing_options_and_words_too_many_are_answered_with_it_too(words):
    message = refused(*words)
    assert re.search(r"Missing option '--|Got unexpected extra argument", message)
    assert message.endswith(f"For example: {EXAMPLES[words[0]]}")


def test_other_errors_keep_their_own_words():
    assert "For example" not in refused("segment", "--precision", "f8")
    assert refused("predict", "--modl", "x").endswith("(Possible options: --html, --model)")


@pytest.mark.parametrize("verb", EXAMPLES)
def test_the_help_ends_in_the_example(verb):
    lines = run(verb, "--help").rstrip().splitlines()
    assert lines[-1].strip() == f"For example: {EXAMPLES[verb]}"


@pytest.mark.parametrize("name", OTHER_NAMES)
def test_functions_are_answered_with_their_verb(name):
    assert name in wn.__all__
    assert OTHER_NAMES[name] in VERBS
    message = refused(name, "x")
    assert message.endswith(f"No such command '{name}'. Did you mean '{OTHER_NAMES[name]}'?")


@pytest.mark.parametrize("verb", VERBS)
def test_no_word_of_a_help_is_cut(verb, monkeypatch):
    monkeypatch.setattr("typer.rich_utils.MAX_WIDTH", 80)
    printed = set(re.sub(r"[│╭╮╰╯─]", " ", run(verb, "--help")).split())
    for one in VERBS[verb].params:
        missing = {*(getattr(one, "help", None) or "").split()} - printed
        assert missing == set(), one.name
