"""``predict`` and ``predictions`` on the command line, and the remedies that they print."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from commands import run, shell, started
from pasting import mask, refused
from prediction_help import write_images

import wasinn_nb as wn

pytestmark = [pytest.mark.full, pytest.mark.usefixtures("toy_place")]


def test_predict_then_look():
    text = run("predict", "images", "-m", "toy.xml", "--store", "store")
    assert text.startswith("Predictions: toy, 6 images\n")
    assert "state it, or what is right, with: " in text
    assert "rows: " in text
    text = run("predictions", "store", "--query", "`class 1` > 0.5")
    assert "Predictions: toy, 2 images" in text
    assert [line.split()[:2] for line in text.splitlines()[-2:]] == [
        ["0001.png", "done"],
        ["0004.png", "done"],
    ]
    values = json.loads(run("predictions", "store", "--worst", "1", "--by", "size", "--json"))
    assert (values["images"], len(values["rows"])) == (6, 1)
    run("predictions", "store", "--export", "masks", "--to-parquet", "rows.parquet")
    assert len(pd.read_parquet("rows.parquet")) == 6
    assert len([*Path("masks").iterdir()]) == 6
    assert "the same class in both: 100.00 %" in run("predictions", "store", "--compare", "store")
    run("predictions", "store", "--html", "page.html")
    assert "0000.png" in Path("page.html").read_text("utf-8")


def test_columns_of_manifests():
    Path("list.csv").write_text("split,where\ntrain,images/0000.png\n")
    words = ["predict", "list.csv", "-m", "toy.xml", "--store", "store"]
    message = refused(*words)
    assert message.endswith("it has split, where; name the one with the paths, --column NAME")
    assert "1 image" in run(*words, "--column", "where")


def test_images_that_fail(tmp_path):
    (tmp_path / "bad").mkdir()
    for n in range(101):
        (tmp_path / f"bad/{n}.png").write_text("no image")
    words = ["predict", "bad", "-m", "toy.xml", "--store", "store"]
    message = refused(*words)
    assert "100 of the first 100 images failed" in message
    assert message.endswith("to go on regardless, add --failures 1")
    assert "101 images, 101 errors" in run(*words, "--failures", "1")


def test_masks_that_were_not_kept():
    words = ["predict", "images", "-m", "toy.xml", "--store"]
    run(*words, "store", "--no-masks", "--no-thumbnails")
    message = refused("predictions", "store", "--export", "masks")
    assert message.endswith("run predict without --no-masks into another store")
    run(*words, "other")
    assert "masks: masks" in run("predictions", "other", "--export", "masks")


def test_interrupted(tmp_path):
    write_images(tmp_path / "many", 2000)
    program = [sys.executable, "-m", "wasinn_nb.cli"]
    words = ["predict", "many", "-m", "toy.xml", "--store", "store"]
    with subprocess.Popen([*program, *words], stderr=subprocess.PIPE, text=True) as driver:
        parts = tmp_path / "store"
        while driver.poll() is None and not list(parts.glob("*/rows/*.parquet")):
            time.sleep(0.05)
        driver.send_signal(signal.SIGINT)
        start = time.monotonic()
        message = driver.stderr.read()
        code = driver.wait()
        waited = time.monotonic() - start
    if code == 0:
        pytest.skip("the machine finished before it could be interrupted")
    assert code == 130, message
    assert "interrupted; what is finished is kept in store" in message
    assert waited < 20  # a second on an idle machine; the process itself has to end, too
    kept = len(wn.read_predictions("store"))
    assert 0 < kept < 2000
    values = json.loads(shell(*words, "--json").stdout)
    assert values["images"] == 2000
    assert values["remedy"].startswith("wasinn-nb card ")
    last = wn.read_predictions("store").facts["sessions"][-1]
    assert (last["finished"], last["unchanged"]) == (2000 - kept, kept)


def test_judging_a_store(tmp_path):
    run("predict", "images", "-m", "toy.xml", "--store", "store")
    for n in range(6):
        mask(f"masks/{n:04}.png", np.full((8, 12), 2 - n % 3))  # the toy reads BGR
    values = json.loads(run("evaluate", "store", "masks", "--json"))
    assert (values["miou"], len(values["images"])) == (1, 6)
    refusal = started("evaluate", "store", "masks", "-m", "toy.xml", COLUMNS="300")
    assert refusal.returncode == 2
    assert "store is a store of predictions, which are judged as they are" in refusal.stderr


def test_a_gallery_as_a_page(tmp_path):
    run("predict", "images", "-m", "toy.xml", "--store", "store")
    for n in range(6):
        mask(f"masks/{n:04}.png", np.full((8, 12), n % 2))
    words = ["gallery", "store", "--html", "page.html"]
    assert run(*words) == "6 images: page.html\n"
    with_truths = [*words, "--truths", "masks", "--query", "`mean IoU` < 1", "--most", "2"]
    values = json.loads(run(*with_truths, "--json"))
    assert values == {"html": "page.html", "images": 2, "selected": 4}
    assert run(*with_truths) == "the first 2 of 4 images: page.html\n"
    text = Path("page.html").read_text("utf-8")
    assert text.count("\u003ctitle>") == 1
    assert "true probability" not in text
    message = refused(*words, "--by", "nothing")
    assert "no column 'nothing'" in message
