"""Which run of a store is used is shown: in Python, on the command line, in pages."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import toys
from commands import both, run
from pasting import mask, refused
from prediction_help import write_images

import wasinn_nb as wn
from wasinn_nb.prediction.store import Run

pytestmark = pytest.mark.full


@pytest.fixture
def store(tmp_path, monkeypatch):
    """A store with two runs, of which the second one has another recipe."""
    monkeypatch.chdir(tmp_path)
    write_images(tmp_path / "images", 3)
    for n in range(3):
        mask(f"masks/{n:04}.png", np.zeros((8, 12)))
    model = toys.brightest_channel(tmp_path / "toy.xml")
    first = wn.predict("images", model, "store", progress=False)
    last = wn.predict("images", model, "store", resize="triangle", progress=False)
    for number, one in enumerate((first, last)):
        _restate(one.folder, created=f"2026-01-0{number + 1}")
    return first.folder.name, last.folder.name


def _restate(folder, **fields):
    path = folder / "origin.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def interrupted(store):
    """Make a later run of which no row was written; return its name."""
    folder = Path("store/0123456789abcdef")
    (folder / "rows").mkdir(parents=True)
    (folder / "origin.json").write_text(Path("store", store[1], "origin.json").read_text())
    (folder / ".driver.json").write_text("{}")
    _restate(folder, created="2026-01-09", key=folder.name)
    return folder.name


def test_a_store_of_one_run_says_nothing(store):
    found = wn.read_predictions(f"store/{store[0]}")
    assert (found.remarks, found.others, found.folder.name) == ((), (), store[0])
    assert wn.read_predictions("store", store[1]).remarks == ()


def test_the_last_of_several_is_used_and_said(store):
    first, last = store
    found = wn.read_predictions("store")
    assert (found.folder.name, found.others) == (last, (first,))
    sentence = (
        f"run {last} is used, the last of 2 in the store; any other opens by its folder: "
        f"store/{first} (toy, f32, another recipe)"
    )
    assert found.remarks == (sentence,)
    assert found.query("status == 'done'").remarks == (sentence,)
    assert f"- {sentence}" in str(found).splitlines()
    assert sentence in found._repr_html_()
    assert (found.to_dict()["others"], found.to_dict()["remarks"]) == ([first], [sentence])
    page = found.write_html("page.html").read_text("utf-8")
    assert sentence in page


def test_what_is_said_opens_the_other_run(store):
    (remark,) = wn.read_predictions("store").remarks
    folder = re.search(r"by its folder: (\S+) ", remark)[1]
    assert wn.read_predictions(folder).folder.name == store[0]
    assert f'"run": "{store[0]}"' in run("predictions", folder, "--json")


def test_a_later_run_without_rows_is_passed_over_and_said(store):
    empty = interrupted(store)
    found = wn.read_predictions("store")
    assert (found.folder.name, len(found)) == (store[1], 3)
    used, later = found.remarks
    assert used.startswith(f"run {store[1]} is used, the last with rows of 3 in the store; ")
    assert f"store/{empty} (toy, f32), store/{store[0]} (toy, f32, another recipe)" in used
    assert later.startswith(f"run {empty} was made later and has no rows: `predict` was ended")
    named = wn.read_predictions("store", empty)
    assert len(named) == 0
    assert named.remarks[0].startswith(f"run {empty} is not finished: `predict` was ended before")


def test_a_run_that_was_interrupted_says_so_until_it_is_finished(store):
    folder = Path("store", store[1])
    (folder / ".driver.json").write_text("{}")
    assert Run(folder).unfinished
    found = wn.read_predictions(folder)
    (remark,) = found.remarks
    assert remark.startswith(f"run {store[1]} is not finished: `predict` was ended before its last")
    assert remark in str(found)
    wn.predict("images", "toy.xml", "store", resize="triangle", progress=False)
    assert wn.read_predictions(folder).remarks == ()


def test_only_runs_without_rows(store):
    empty = interrupted(store)
    for path in [*Path("store").glob("*/rows/*.parquet")]:
        path.unlink()
    found = wn.read_predictions("store")
    assert (found.folder.name, len(found)) == (empty, 0)
    assert [one.split(" ")[2:4] for one in found.remarks] == [["is", "used,"], ["is", "not"]]


def test_comparisons_and_evaluations_say_it(store):
    found = wn.read_predictions("store")
    compared = found.compare(wn.read_predictions("store"), progress=False)
    assert compared.remarks == (*found.remarks, *found.remarks)
    assert str(compared).count(found.remarks[0]) == 2
    assert compared.to_dict()["remarks"] == [*compared.remarks]
    judged = wn.evaluate(found, "masks", progress=False)
    assert f"- {found.remarks[0]}" in str(judged).splitlines()
    named = wn.read_predictions(f"store/{store[0]}")
    assert "in the store" not in str(wn.evaluate(named, "masks", progress=False))


def test_galleries_say_it(store):
    (remark,) = wn.read_predictions("store").remarks
    gallery = wn.Gallery("store", other="store", progress=False)
    assert gallery._about["notes"][-2:] == [remark, f"other run: {remark}"]
    assert gallery._about["notes"][0].startswith("assumed: ")
    assert remark in gallery.write_html("gallery.html").read_text("utf-8")
    assert wn.Gallery(f"store/{store[0]}")._about["notes"][1:] == []


def test_commands_say_it(store):
    (remark,) = wn.read_predictions("store").remarks
    assert remark in run("predictions", "store")
    assert remark in run("predictions", "store", "--compare", f"store/{store[0]}")
    assert remark in run("evaluate", "store", "masks")
    for more in ([], ["--json"]):
        output, noted = both("gallery", "store", "--html", "page.html", *more)
        assert remark in noted
        assert remark not in output
    assert both("gallery", "store", "--html", "page.html", "--run", store[0])[1] == ""
    # Not a run of this store.
    message = refused("predictions", "store", "--run", "zz")
    assert message == f"no run begins with 'zz'; there are {store[0]}, {store[1]}"
