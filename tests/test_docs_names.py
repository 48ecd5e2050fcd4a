"""Each public name has a page with an example; each error says when it is raised and what to do."""

from __future__ import annotations

import inspect
import re

import wasinn_nb as wn
from wasinn_nb import errors

ERRORS = [getattr(errors, name) for name in errors.__all__ if name != "Remedy"]


def page_of(value):
    """The docstrings of the page: of the object, and of a class those of its own members."""
    members = vars(value).values() if inspect.isclass(value) else ()
    return [inspect.getdoc(one) or "" for one in (value, *members) if callable(one)]


def examples(value):
    """The examples that doctest runs, as it does for all of the package."""
    lines = "\n".join(page_of(value))
    return re.findall(r"^ *>>> (?!.*\+SKIP)(.+)$", lines, re.MULTILINE)


def test_the_page_of_each_public_name_has_an_example_that_doctest_runs():
    assert [name for name in wn.__all__ if not examples(getattr(wn, name))] == []
    assert len(wn.__all__) > 50


def test_each_error_says_when_it_is_raised_and_what_to_do():
    for kind in ERRORS:
        assert kind.__doc__, kind  # its own docstring, not that of the class above it
        when, _, rest = inspect.getdoc(kind).partition("\n")
        assert re.fullmatch(r"[A-Z].{19,}\.", when), kind
        (remedy,) = re.findall(r"^Remedy: ((?:.+\n?)+)", rest, re.MULTILINE)
        assert len(remedy.split()) >= 5, kind


def test_remedies_name_what_exists():
    text = "\n".join(inspect.getdoc(kind) for kind in ERRORS)
    named = set(re.findall(r"``run\.(\w+)``", text))
    assert {"trace", "stderr", "reasons", "save"} <= named
    fields = set(wn.GuestRun.__dataclass_fields__)
    assert [name for name in named if not hasattr(wn.GuestRun, name) and name not in fields] == []
    assert set(re.findall(r"``wn\.(\w+)", text)) == {"devices", "engines"} <= set(wn.__all__)
    assert set(re.findall(r"``(\w+)=", text)) == {"failures"}
    assert "failures" in inspect.signature(wn.predict).parameters
