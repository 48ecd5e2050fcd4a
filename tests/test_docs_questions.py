"""The script that looks for the answers to a stranger's questions in the built site."""

from __future__ import annotations

from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[1] / "docs"


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(DOCS))
    import questions

    return questions


@pytest.fixture
def site(tmp_path):
    """Pages that link in a row, a navigation bar that links to all, and one that nothing names."""
    links = {"index": "how-to/index", "how-to/index": "one", "how-to/one": "two", "how-to/two": ""}
    bar = "".join(f'<a href="/{name}.html">{name}</a>' for name in links)
    for name, link in links.items():
        page = tmp_path / f"{name}.html"
        page.parent.mkdir(exist_ok=True)
        target = f'<a href="{link}.html#a">on</a>' if link else ""
        page.write_text(f"<nav>{bar}</nav><article>answer of\n <b>{name}</b> {target}</article>")
    return tmp_path


def test_there_are_ten_questions_about_pages_that_exist(script):
    asked = script.questions()
    assert len(asked) == len({question.page for question in asked}) == 10
    assert [
        question.page for question in asked if not (DOCS / f"{question.page}.md").exists()
    ] == []


def test_answers_within_two_clicks_are_found(script, site):
    asked = [
        script.Question("Where?", "how-to/index", "answer of how-to/index"),
        script.Question("And where?", "how-to/one", "answer of how-to/one"),
    ]
    assert list(script.complaints(site, asked)) == []


def test_what_is_farther_away_or_not_said_is_named(script, site):
    asked = [
        script.Question("Three clicks?", "how-to/two", "answer of how-to/two"),
        script.Question("Another answer?", "how-to/one", "no such words"),
        script.Question("No such page?", "how-to/three", ""),
    ]
    assert list(script.complaints(site, asked)) == [
        "Three clicks? how-to/two is more than 2 clicks from the start page",
        "Another answer? how-to/one does not say: no such words",
        "No such page? how-to/three is more than 2 clicks from the start page",
    ]
