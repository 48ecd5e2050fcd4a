"""Rows that `predictions` lists: the summary, and a comparison, are of all images."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from commands import run, started
from pasting import refused
from prediction_help import predicted, write_place

pytestmark = pytest.mark.full


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """Return a folder with two runs over 26 images, one of which cannot be read."""
    place = write_place(tmp_path_factory.mktemp("listing"), 26, "0025.png")
    predicted(place, "a")
    predicted(place, "b", recipe={"color": "RGB"})
    return place


@pytest.fixture(autouse=True)
def _here(stores, monkeypatch):
    monkeypatch.chdir(stores)


SUMMARY = "Predictions: toy, 26 images, 1 error"


def test_the_summary_is_of_all_rows():
    whole = run("predictions", "a")
    assert whole.startswith(f"{SUMMARY}\n")
    text = run("predictions", "a", "--by", "mean_confidence")
    assert text.startswith(whole.rstrip())
    caption = "the first 20 of 26 rows, the lowest mean_confidence first; 1 row without a value"
    assert caption in text
    assert text.count(".png  done") == 20
    text = run("predictions", "a", "--worst", "22", "--by", "near_tie")
    assert text.startswith(f"{SUMMARY}\n")
    assert "the first 22 of 26 rows, the highest near_tie first; 1 row without a value" in text
    assert text.count(".png  done") == 22
    text = run("predictions", "a", "--query", "status == 'done'", "--worst", "2")
    assert text.startswith("Predictions: toy, 25 images\n")
    assert "the first 2 of 25 rows, the lowest mean_confidence first\n" in text


def test_json_counts_all_rows_and_lists_some():
    values = json.loads(run("predictions", "a", "--worst", "3", "--json"))
    assert (values["images"], values["errors"], len(values["rows"])) == (26, 1, 3)
    values = json.loads(run("predictions", "a", "--by", "mean_confidence", "--json"))
    sure = [row["mean_confidence"] for row in values["rows"]]
    assert (values["images"], len(sure), sure) == (26, 25, sorted(sure))


def test_a_page_lists_rows_under_the_summary():
    run("predictions", "a", "--worst", "3", "--html", "page.html")
    page = Path("page.html").read_text("utf-8")
    assert SUMMARY in page
    assert "the first 3 of 26 rows, the lowest mean_confidence first" in page


def test_files_get_the_rows_that_are_asked_for():
    run("predictions", "a", "--by", "mean_confidence", "--to-parquet", "all.parquet")
    assert len(pd.read_parquet("all.parquet")) == 26
    run("predictions", "a", "--worst", "3", "--to-parquet", "some.parquet")
    assert len(pd.read_parquet("some.parquet")) == 3


def test_a_comparison_is_of_all_images_and_lists_some():
    whole = json.loads(run("predictions", "a", "--compare", "b", "--json"))
    assert (whole["compared"], len(whole["images"]), whole["alone"]) == (25, 25, [0, 0])
    words = ["predictions", "a", "--compare", "b", "--worst", "3"]
    text = run(*words, "--html", "page.html")
    page = Path("page.html").read_text("utf-8")
    for made in (text, page):
        assert "25 images" in made.partition("\n\n")[0]
        assert "the 3 of 25 images with the least agreement" in made
        assert "only in the" not in made
    some = json.loads(run(*words, "--json"))
    assert some["images"] == whole["images"][:3]
    assert {**some, "images": whole["images"]} == whole
    text = run("predictions", "a", "--compare", "b", "--by", "IoU class 1")
    assert "the IoU class 1 of every image is 1" in text
    assert "0000.png" not in text
    text = run("predictions", "a", "--compare", "b", "--by", "IoU class 2")
    assert "with the least IoU class 2" in text
    assert "no column 'class 1'" in refused("predictions", "a", "--compare", "b", "--by", "class 1")
    wrong = started(*words, "--to-parquet", "some.parquet", COLUMNS="300")
    assert wrong.returncode == 2
    assert "list images of the comparison" in wrong.stderr


def test_a_query_selects_what_is_compared():
    words = ["predictions", "a", "--compare", "b", "--query", "`class 1` == 1"]
    text = run(*words)
    assert "only in the" not in text
    values = json.loads(run(*words, "--json"))
    count = values["compared"]
    assert 0 < count < 25
    assert values["not_selected"] == 25 - count
    assert f"{25 - count} images of both runs not selected" in text
