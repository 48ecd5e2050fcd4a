"""Expressions that cannot be read or computed: what was expected, where it ends, which columns."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from pasting import refused
from prediction_help import write_images
from toys import brightest_channel

import wasinn_nb as wn
from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.prediction.expressions import read_expression
from wasinn_nb.prediction.querying import rows_that_hold, rows_that_plainly_hold

FRAME = pd.DataFrame(
    {
        "source": ["/a.png", "/b.png"],
        "name": ["a.png", "b.png"],
        "status": ["done", "error"],
        "mean_confidence": [0.5, np.nan],
        "road": [0.1, np.nan],
        "grass land": [0.0, np.nan],
        "class 1": [0.2, np.nan],
    }
)
COLUMNS = "columns are road, `grass land`, `class 1`, mean_confidence, name, status, source"


def hold(expression):
    return rows_that_hold(expression, list(FRAME), FRAME.get)


def plainly_hold(expression):
    return rows_that_plainly_hold(expression, list(FRAME), FRAME.get)


def message(expression, how=hold):
    with pytest.raises(InvalidArgumentError) as caught:
        how(expression)
    return str(caught.value)


EXPECTED = "where a column, a number or a text in quotes was expected"
BOTH = {
    "road <": f"the expression ends after 'road <', {EXPECTED}; the {COLUMNS}",
    "road < 1 and ": f"the expression ends after 'road < 1 and', {EXPECTED}; the {COLUMNS}",
    "rod <": f"the expression ends after 'rod <', {EXPECTED}; did you mean road? The {COLUMNS}",
    "road < 5%": (
        f"the expression ends after 'road < 5%', {EXPECTED}; parts are of 1: 0.05 for 5 %; the "
        f"{COLUMNS}"
    ),
    "road < 1 or or road > 2": (
        f"the expression cannot be read from 'or road > 2' on, after 'road < 1 or'; the {COLUMNS}"
    ),
    "road = 1": (
        f"the expression cannot be read from '= 1' on, after 'road'; compare with '=='; the "
        f"{COLUMNS}"
    ),
    "`grass land` = 1": (
        f"the expression cannot be read from '= 1' on, after '`grass land`'; compare with '=='; "
        f"the {COLUMNS}"
    ),
    "road > 0 && road < 1": (
        f"the expression cannot be read from '&& road < 1' on, after 'road > 0'; join comparisons "
        f"with 'and'; the {COLUMNS}"
    ),
    "road <> 1": (
        f"the expression cannot be read from '<> 1' on, after 'road'; compare with '!='; the "
        f"{COLUMNS}"
    ),
    "road > 0 AND road < 1": (
        f"the expression cannot be read from 'AND road < 1' on, after 'road > 0'; write 'and', "
        f"'or', 'not' and 'in' in lower case; the {COLUMNS}"
    ),
    "NOT road < 1": (
        f"the expression cannot be read from 'road < 1' on, after 'NOT'; write 'and', 'or', 'not' "
        f"and 'in' in lower case; the {COLUMNS}"
    ),
    "name contains 'bird'": (
        f"the expression cannot be read from \"contains 'bird'\" on, after 'name'; a part of a "
        f"text: name.str.contains('part'); the {COLUMNS}"
    ),
    "image like '%7%'": (
        f"the expression cannot be read from \"like '%7%'\" on, after 'image'; the operators are "
        f"==, !=, <, <=, >, >=, in, and, or, not, +, -, *, /, // and %; the {COLUMNS}"
    ),
    "road IS NULL": (
        f"the expression cannot be read from 'IS NULL' on, after 'road'; what is missing: "
        f"road.isna(), or road.notna(); the {COLUMNS}"
    ),
    "1; drop table x": (
        f"the expression cannot be read from '; drop table x' on, after '1'; join comparisons with "
        f"'and'; the {COLUMNS}"
    ),
    "road > 0 road < 1": (
        f"the expression cannot be read from 'road < 1' on, after 'road > 0'; join comparisons "
        f"with 'and' or 'or'; the {COLUMNS}"
    ),
    "road => 1": (
        f"the expression cannot be read from '=> 1' on, after 'road'; compare with '>='; the "
        f"{COLUMNS}"
    ),
    "image == 1": f"no column 'image'; the {COLUMNS}",
    "road == null": (
        f"no column 'null'; what is missing: COLUMN.isna(), or COLUMN.notna(); the {COLUMNS}"
    ),
    "mean confidence < 1": (
        f"the expression cannot be read from 'confidence < 1' on, after 'mean'; did you mean "
        f"mean_confidence? The {COLUMNS}"
    ),
    "grass land < 1": (
        f"the expression cannot be read from 'land < 1' on, after 'grass'; did you mean "
        f"`grass land`? The {COLUMNS}"
    ),
    "class 1 < 1": (
        f"the expression cannot be read from its start on: 'class 1 < 1'; did you mean "
        f"`class 1`? The {COLUMNS}"
    ),
    "(road < 1": f"the expression '(road < 1' cannot be read: '(' was never closed; the {COLUMNS}",
    "road < 1)": f"the expression 'road < 1)' cannot be read: unmatched ')'; the {COLUMNS}",
    "`road < 1": (
        f"the expression '`road < 1' cannot be read: a backtick was never closed; the {COLUMNS}"
    ),
    "name == 'a": (
        f'the expression "name == \'a" cannot be read: unterminated text in quotes; the {COLUMNS}'
    ),
    "road < 0,5": (
        "expected one expression, got 2 with commas between them in 'road < 0,5'; write numbers "
        "with a point, 0.5, and join comparisons with 'and' or 'or'"
    ),
    "road << 1": (
        "expected comparisons of columns such as \"status == 'done'\", joined with 'and', 'or' or "
        "'not', got 'road << 1'"
    ),
    "rod < 1": f"no column 'rod'; did you mean road? The {COLUMNS}",
    "`rod` < 1": f"no column 'rod'; did you mean road? The {COLUMNS}",
    "road < x": f"no column 'x'; the {COLUMNS}",
    "status == finished": (
        f"no column 'finished'; a text stands in quotes: 'finished'; the {COLUMNS}"
    ),
    "road": (
        f'expected an expression that is true or false for each row, such as "road > 0", got '
        f"'road'; the {COLUMNS}"
    ),
    "`grass land`": (
        f"expected an expression that is true or false for each row, such as '`grass land` > 0', "
        f"got '`grass land`'; the {COLUMNS}"
    ),
    "name": (
        f'expected an expression that is true or false for each row, such as "name.notna()", got '
        f"'name'; the {COLUMNS}"
    ),
    "road + 1": (
        f"expected an expression that is true or false for each row, such as \"status == 'done'\", "
        f"got 'road + 1'; the {COLUMNS}"
    ),
    "road < 'a'": (
        f"the expression \"road < 'a'\" cannot be computed: road holds numbers, 'a' is a text; the "
        f"{COLUMNS}"
    ),
    "name < 1": (
        f"the expression 'name < 1' cannot be computed: name holds no numbers, and 1 is one; the "
        f"{COLUMNS}"
    ),
    "": f"expected an expression such as \"status == 'done'\", got an empty one; the {COLUMNS}",
    " \n ": f"expected an expression such as \"status == 'done'\", got an empty one; the {COLUMNS}",
}


@pytest.mark.parametrize("expression", BOTH)
def test_what_is_wrong_with_an_expression(expression):
    assert message(expression) == BOTH[expression]
    assert message(expression, plainly_hold) == BOTH[expression]


@pytest.mark.parametrize("expression", BOTH)
def test_the_expressions_that_are_given_as_examples_hold(expression):
    for _, example in re.findall(r'such as (["\'`])(.*?)\1[,;]', BOTH[expression]):
        assert hold(example).shape == (2,)
        assert plainly_hold(example).shape == (2,)


def test_long_expressions_are_cut_where_they_are_wrong():
    long = "road < 1" + " and road < 2" * 500
    found = message(f"{long} and")
    assert found.startswith("the expression ends after '… < 2 and road < 2 and road < 2 and road")
    assert len(found) < 400
    start = message(f"= {long}")
    assert start.startswith("the expression cannot be read from its start on: '= road < 1 and ")
    assert len(start) < 400
    assert message("road < 1 " * 2000) == (
        "expected an expression of at most 10000 characters, got 18000"
    )
    nested = message("(" * 300 + "road < 1" + ")" * 300)
    assert "cannot be read: too many nested parentheses" in nested
    assert len(nested) < 400


def test_what_steers_a_terminal_stays_inert():
    assert "\x1b" not in message("road < \x1b[31m")


def test_other_values_than_text():
    found = "expected an expression as text, such as \"status == 'done'\", got 7"
    assert message(7) == found


def test_variables():
    least = 0.05
    with pytest.raises(InvalidArgumentError, match=r"no variable 'gone' where .* without @; "):
        rows_that_hold("road > @gone", list(FRAME), FRAME.get, level=1)
    assert message("road > @least", plainly_hold) == (
        "expected columns, numbers and texts alone, got the variable '@least'"
    )
    assert least


@pytest.mark.parametrize(
    "expression",
    [
        "road > 0.05 and\n  road < 1",
        "  road > 0.05",
        "`road` > 0.05",
        "not road < 0.05 and status == 'done'",
        "name in ['a.png', 'c.png']",
    ],
)
def test_expressions_that_hold(expression):
    assert hold(expression).tolist() == [True, False]
    assert plainly_hold(expression).tolist() == [True, False]


def test_columns_without_a_status_have_an_example_of_their_own():
    with pytest.raises(InvalidArgumentError, match="such as '`a b` > 0', got an empty one"):
        read_expression("", ["a b"])


def test_many_columns_are_not_all_named():
    many = [f"c{n}" for n in range(500)]
    with pytest.raises(InvalidArgumentError) as caught:
        read_expression("c1 <", many)
    assert str(caught.value).endswith(
        "the columns are c0, c1, c2, c3, c4, c5, c6, c7, c8, c9 and 490 more"
    )


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_images(tmp_path / "images", 3)
    return wn.predict("images", brightest_channel(tmp_path / "toy.xml"), "store", progress=False)


@pytest.mark.full
def test_every_function_and_command_says_it(store):
    found = "the expression ends after '`class 1` <', where a column, a number or a text in quotes"
    gallery = wn.Gallery(store)
    for call in (store.query, lambda text: setattr(gallery, "query", text)):
        with pytest.raises(InvalidArgumentError) as caught:
            call("`class 1` <")
        assert str(caught.value).startswith(found)
    for words in (["predictions", "store"], ["gallery", "store", "--html", "page.html"]):
        text = refused(*words, "-q", "`class 1` <")
        assert text.startswith(found)
        assert "; the columns are `class 0`, `class 1`, `class 2`, mean_confidence, " in text


@pytest.mark.full
def test_columns_that_are_sorted_by(store):
    for call in (
        lambda: store.worst(by="mean_confidense"),
        lambda: store.table(["mean_confidense"]),
        lambda: setattr(wn.Gallery(store), "sort_by", "mean_confidense"),
    ):
        with pytest.raises(InvalidArgumentError) as caught:
            call()
        assert "no column 'mean_confidense'; did you mean mean_confidence? The columns are" in str(
            caught.value
        )
