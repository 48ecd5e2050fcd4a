"""`gather_results`, and galleries of results, of folders of them, and of evaluations."""

from __future__ import annotations

import gc
import io
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest
from commands import run
from PIL import Image

import wasinn_nb as wn
from wasinn_nb.errors import InvalidArgumentError, MissingFileError
from wasinn_nb.origin import Origin
from wasinn_nb.prediction import is_store

pytest.importorskip("pyarrow")

pytestmark = pytest.mark.full

CLASSES = ("background", "road", "car")
CARD = wn.ModelCard("toy", "segmentation", classes=CLASSES)
PETS = wn.ModelCard("pets", "classification", classes=("cat", "dog"))
LABELS = {
    "a": np.array([[0, 0, 1, 1], [0, 0, 1, 1]], np.uint8),
    "b": np.array([[2, 2, 2, 2], [2, 2, 2, 1]], np.uint8),
}


def mask(labels, **about):
    return wn.SegmentationResult(labels, CARD, **about)


def image(shade):
    return np.full((40, 80, 3), shade, np.uint8)


@pytest.fixture
def results():
    return {n: mask(one, image=image(50 * k)) for k, (n, one) in enumerate(LABELS.items())}


def pet(*values):
    return wn.ClassificationResult(np.float32(values), PETS, Origin("pets"))


def test_rows_are_the_results_in_their_order(results):
    found = wn.gather_results(results)
    table = found.table(["name", "status", "width", "height", "road", "car"])
    assert table.to_numpy().tolist() == [
        ["a", "done", 80, 40, 0.5, 0.0],
        ["b", "done", 80, 40, 0.125, 0.875],
    ]
    assert (found.task, found.card.classes, found.origin) == (
        "segmentation",
        CLASSES,
        results["a"].origin,
    )
    again = found.result("b")
    assert again.labels.tolist() == LABELS["b"].tolist()
    assert np.array_equal(again.photo, image(50))
    with Image.open(io.BytesIO(found.thumbnail("b"))) as small:
        assert small.size == (80, 40)


def test_an_encoded_image_keeps_its_bytes_and_is_the_same_image_elsewhere(tmp_path):
    path = tmp_path / "x.png"
    Image.fromarray(image(90)).save(path)
    found = wn.gather_results([mask(LABELS["a"], image=path)])
    other = wn.gather_results([mask(LABELS["b"], image=path)])
    assert found.compare(other, progress=False).agreement == 1 / 8
    assert found.table(["name", "size"]).to_numpy().tolist() == [["#0", path.stat().st_size]]


def test_saved_results_are_named_by_their_files_and_have_no_image(results, tmp_path):
    for name, one in results.items():
        one.save(tmp_path, name)
    (tmp_path / "other.json").write_text('{"format": "of another program"}')
    (tmp_path / "broken.json").write_text("{")
    found = wn.gather_results(tmp_path)
    assert found.table(["name", "width", "height"]).to_numpy().tolist() == [
        ["a", 4, 2],
        ["b", 4, 2],
    ]
    assert found.result("a").image is None
    # Without an image nothing tells which rows of two runs belong together.
    with pytest.raises(InvalidArgumentError, match="no image"):
        found.compare(found, progress=False)


def test_a_temporary_store_goes_with_the_last_predictions(results, tmp_path):
    found = wn.gather_results(results)
    folder, part = found.folder.parent, found[:1]
    assert is_store(folder)
    assert found.temporary
    del found
    gc.collect()
    assert len(part.table()) == 1
    del part
    gc.collect()
    assert not folder.exists()
    kept = wn.gather_results(results, tmp_path / "kept")
    assert not kept.temporary
    del kept
    gc.collect()
    assert len(wn.read_predictions(tmp_path / "kept")) == 2


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ([], InvalidArgumentError, "got none"),
        (3, InvalidArgumentError, "got int"),
        ([mask(LABELS["a"]), "b"], InvalidArgumentError, "got str"),
        ([mask(LABELS["a"]), pet(0.5, 0.5)], InvalidArgumentError, "differ in task"),
        (
            [mask(LABELS["a"]), mask(LABELS["b"], precision="f16")],
            InvalidArgumentError,
            "#0 and #1 are not of one run: they differ in precision",
        ),
        ("no-such-folder", MissingFileError, "no folder at no-such-folder"),
        (".", MissingFileError, "no saved results"),
    ],
    ids=["none", "number", "other", "tasks", "precisions", "path", "empty folder"],
)
def test_what_cannot_be_gathered(given, error, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(error, match=words):
        wn.gather_results(given)
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_is_there_is_not_written_into(results, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(InvalidArgumentError, match=r"mine\.txt"):
        wn.gather_results(results, tmp_path)


# ------------------------------------------------------------------------------------- galleries


def test_a_gallery_of_results(results):
    gallery = wn.Gallery(results)
    gallery.query = "car > 0.5"
    assert gallery.selection["name"].tolist() == ["b"]
    assert "predictions = wn.gather_results(results)\n" in gallery.code


def test_a_gallery_of_a_folder_of_saved_results(results, tmp_path):
    for name, one in results.items():
        one.save(tmp_path, name)
    gallery = wn.Gallery(tmp_path)
    assert sorted(gallery.selection["name"]) == ["a", "b"]
    scope: dict = {}
    exec(gallery.code, scope)
    assert scope["selection"]["name"].tolist() == gallery.selection["name"].tolist()
    with pytest.raises(MissingFileError, match="neither a store nor saved results"):
        wn.Gallery(tmp_path.parent)


def test_results_one_level_deeper_are_named(results, tmp_path):
    for name, one in results.items():
        one.save(tmp_path / name)
    several = f"they are in {tmp_path / 'a'}, {tmp_path / 'b'}: name one of these"
    for opens in (wn.Gallery, wn.gather_results):
        with pytest.raises(MissingFileError, match=re.escape(several)):
            opens(tmp_path)
    shutil.rmtree(tmp_path / "b")
    for opens in (wn.Gallery, wn.gather_results):
        with pytest.raises(MissingFileError, match=re.escape(f"did you mean {tmp_path / 'a'}?")):
            opens(tmp_path)


def test_a_page_of_a_folder_of_saved_results(results, tmp_path):
    for name, one in results.items():
        one.save(tmp_path / "saved", name)
    page = tmp_path / "page.html"
    printed = run("gallery", tmp_path / "saved", "--html", page, "--query", "car > 0.5")
    assert printed == f"1 image: {page}\n"
    assert page.read_text().startswith("<!doctype html>")


def test_a_gallery_of_an_evaluation_shows_its_true_masks(results, tmp_path):
    predictions = wn.gather_results(results, tmp_path / "store")
    truths = {"a": LABELS["a"], "b": np.zeros((2, 4), np.uint8)}
    found = wn.evaluate(predictions, truths, progress=False)
    assert found.predictions is predictions
    gallery = wn.Gallery(found)
    assert gallery.selection["name"].tolist() == ["b", "a"]  # the worst first
    assert gallery._about["layers"] == ["prediction", "truth", "wrong"]
    assert gallery.evaluation is found
    with pytest.raises(InvalidArgumentError, match="leave truths out"):
        wn.Gallery(found, truths)
    beside = wn.Gallery(predictions, found)
    assert beside._about["layers"] == ["prediction", "truth", "wrong"]
    others = wn.Gallery(wn.read_predictions(tmp_path / "store"), found)  # other rows, maybe
    assert others._about["layers"] == ["prediction"]


def test_a_gallery_of_an_evaluation_of_classes():
    predictions = wn.gather_results({"x": pet(0.8, 0.2), "y": pet(0.3, 0.7)})
    found = wn.evaluate(predictions, {"x": "cat", "y": "cat"}, progress=False)
    gallery = wn.Gallery(found)
    assert gallery.selection["name"].tolist() == ["y", "x"]
    assert gallery.code.startswith("import wasinn_nb as wn\n\n# evaluation: ")


def test_another_run_can_be_results_too(results):
    changed = {name: replace(one, labels=one.labels * 0) for name, one in results.items()}
    gallery = wn.Gallery(results, other=changed, progress=False)
    disagreement = dict(zip(*gallery.selection[["name", "disagreement"]].to_numpy().T, strict=True))
    assert disagreement == {"a": 0.5, "b": 1.0}
    assert gallery.columns[-1] == "disagreement"
