"""What ``--help`` says of every verb, and what the verbs have in common."""

from __future__ import annotations

import re

import pytest
from commands import run

from wasinn_nb import cli

VERBS = cli.app.group.commands
NO_FACTS = {"card", "lab"}
"""What prints JSON in any case, and what starts another program."""


@pytest.mark.parametrize("verb", ["", *VERBS])
def test_flags_have_no_type_and_no_type_is_pythons(verb):
    printed = run(*([verb] if verb else []), "--help")
    assert "bool" not in printed
    options = printed.partition("Options")[2]
    assert "list[" not in options
    assert re.search(r"--help +Show this message", printed)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_that_prints_facts_has_json(verb):
    options = {word for one in VERBS[verb].params for word in one.opts}
    assert ("--json" in options) is (verb not in NO_FACTS)


@pytest.mark.parametrize("width", [60, 80, 200])
@pytest.mark.parametrize("verb", VERBS)
def test_help_fits_the_terminal_and_is_wrapped_by_it_alone(verb, width, monkeypatch):
    monkeypatch.setattr("typer.rich_utils.MAX_WIDTH", width)
    lines = run(verb, "--help").splitlines()
    assert max(map(len, lines)) <= width
    paragraphs = VERBS[verb].help.split("\n\n")
    assert not any("\n" in paragraph for paragraph in paragraphs)
    if width == 200:
        assert all(any(part[:100] in line for line in lines) for part in paragraphs)
