"""What a query that is refused prints: a command that a shell takes as it stands."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from pasting import pasted, refused, use

from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.prediction.expressions import read_expression
from wasinn_nb.prediction.querying import rows_that_plainly_hold

COLUMNS = ["status", "name", "road", "class 0", "driver's seat"]


def choices(expression, how=read_expression):
    with pytest.raises(InvalidArgumentError) as caught:
        how(expression, COLUMNS)
    return [choice["query"] for choice in caught.value.remedy.choices]


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("class 0 > 0.9", ["`class 0` > 0.9"]),
        ("road > 0 and class 0 > 0.9", ["road > 0 and `class 0` > 0.9"]),
        ("`clas 0` > 0.9", ["`class 0` > 0.9"]),
        ("driver's seat > 0", ["`driver's seat` > 0"]),
        ("road = 1", ["road == 1"]),
        ("road > 0 && road < 1", ["road > 0 and road < 1"]),
        ("road <> 1", ["road != 1"]),
        ("road => 1", ["road >= 1"]),
        ("`class 0` =< 1", ["`class 0` <= 1"]),
        ("rod <", []),
        ("road = 1 and road = 2", []),
        ("road <", []),
    ],
)
def test_the_query_that_was_meant(wrong, right):
    assert choices(wrong) == right


def test_names_that_are_no_columns():
    def how(expression, columns):
        rows_that_plainly_hold(expression, columns, None)

    assert choices("rod < 1 and road > 0", how) == ["road < 1 and road > 0"]
    assert choices("status == done", how)[0] == 'status == "done"'
    assert choices("rod < 1 and thing > 0", how) == []
    assert choices("road == null", how) == []
    assert choices("road == true", how) == ["road == True"]


def test_long_texts_are_answered():
    assert choices(" = ".join(["road"] * 1400)) == []
    assert choices(" and ".join(f"`clas {n}` > 0" for n in range(300))) == []


def words_in_bash(command):
    """Return the words that Bash makes of a command, and what it prints on stderr."""
    script = f'wasinn-nb() {{ printf "%s\\n" "$@"; }}\n{command}'
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    return done.stdout.splitlines(), done.stderr


@pytest.mark.full
def test_the_command_works_when_pasted(toy_store):
    text = refused("predictions", "store", "-q", "`class 1` >")
    assert text.endswith(
        "; in a shell, backticks stand in single quotes, such as -q '`class 0` > 0'"
    )
    for wrong in ("class 1 > 0.5", "clas_1 > 0.5", "`clas 1` > 0.5"):
        text = refused("predictions", "store", "-q", wrong)
        assert "did you mean" not in text
        (first, *_) = [one for one in use(text) if "class 1" in one]
        assert first == "wasinn-nb predictions store --query '`class 1` > 0.5'"
        assert "Predictions: toy, 2 images" in pasted(first)
    text = refused("gallery", "store", "--html", "page.html", "-q", "class 1 > 0.5")
    assert pasted(use(text)[0]) == "2 images: page.html\n"
    text = refused("predictions", "store", "-q", "status = 'done'")
    assert "Predictions: toy, 6 images" in pasted(use(text)[0])


@pytest.mark.full
@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no Bash")
def test_bash_runs_nothing_of_it(toy_store):
    text = refused("predictions", "store", "-q", "class 1 > 0.5 and status == 'done'")
    query = "`class 1` > 0.5 and status == 'done'"
    assert words_in_bash(use(text)[0]) == (["predictions", "store", "--query", query], "")


@pytest.mark.full
def test_columns_that_order(toy_store):
    message = refused("predictions", "store", "--by", "confidence")
    command = use(message)[0]
    assert command == "wasinn-nb predictions store --by mean_confidence"
    assert "the lowest mean_confidence first" in pasted(command)
    message = refused("predictions", "store", "--by", "clas 1")
    commands = use(message)
    assert commands[0] == "wasinn-nb predictions store --by 'class 1'"
    assert "the lowest class 1 first" in pasted(commands[0])
    message = refused("gallery", "store", "--html", "page.html", "--by", "clas 1")
    assert pasted(use(message)[0]) == "6 images: page.html\n"
    message = refused("predictions", "store", "--compare", "store", "--by", "IoU clas 1")
    assert "the IoU class 1 of every image is 1" in pasted(use(message)[0])
    with pytest.raises(InvalidArgumentError) as caught:
        toy_store.worst(by="clas 1")
    assert "did you mean class 1" in str(caught.value)
    assert "`" not in str(caught.value)
