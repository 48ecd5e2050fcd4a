"""Galleries of evaluations, however `evaluate` was called: the same as of a store."""

from __future__ import annotations

import io
import json
import pickle
import zlib
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from gallery_help import CLASSES
from PIL import Image
from prediction_help import write_images
from toys import brightest_channel, brightest_of_image

import wasinn_nb as wn
from wasinn_nb.cards import ModelCard
from wasinn_nb.errors import InvalidArgumentError, WasiNnWarning
from wasinn_nb.evaluation.held import Held

pytest.importorskip("pyarrow")

pytestmark = pytest.mark.full

CARD = ModelCard("toy", "segmentation", classes=CLASSES)
LAYERS = ("prediction", "truth", "wrong", "cell:0:1")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Images with one that is none, true masks with pixels to ignore, a model, and a store."""
    folder = tmp_path_factory.mktemp("evaluated")
    brightest_channel(folder / "toy.xml")
    (folder / "card.json").write_text(json.dumps(CARD.to_dict()))
    (folder / "masks").mkdir()
    for n, name in enumerate(write_images(folder / "images", 5)):
        truth = np.full((8, 12), n % 3, np.uint8)
        truth[: n + 1] = (n + 1) % 3
        truth[:, :2] = 9
        Image.fromarray(truth).save(folder / "masks" / name)
    Image.fromarray(truth).save(folder / "masks/text.png")
    (folder / "images/text.png").write_text("no image")
    wn.predict(folder / "images", pipeline(folder), folder / "store", progress=False)
    return folder


def pipeline(folder, **options):
    return wn.Pipeline(folder / "toy.xml", card=CARD, recipe={"color": "RGB"}, **options)


@pytest.fixture
def stored(place):
    found = wn.evaluate(place / "store", place / "masks", ignore=9, progress=False)
    return wn.Gallery(found, progress=False)


def files(place, folder, read=lambda path: path, most=9):
    paths = sorted((place / folder).iterdir())[:most]
    return {path.stem: read(path) for path in paths}


def pixels(path):
    return np.asarray(Image.open(path))


def tiles(gallery, layer):
    """Return what a layer draws of each image: its size and labels, or why there are none."""
    made = gallery._tiles.made(range(len(gallery.predictions)), layer)
    return {
        one["name"].removesuffix(".png"): (
            (one["size"], one["width"], one["height"], zlib.decompress(one["labels"]))
            if "labels" in one
            else (one.get("error") or one.get("problem"))[:10]
        )
        for one in made
    }


def figures(gallery):
    frame = gallery.selection.set_index("name").sort_index()
    frame.index = frame.index.str.removesuffix(".png")
    chosen = [*CLASSES[2:], "class:width", *gallery._table.added]
    return frame[[name for name in chosen if name in frame]]


def same(gallery, other):
    """Check that two galleries show the same of the images that the first one has."""
    assert gallery._about["layers"] == ["prediction", "truth", "wrong"]
    assert gallery._about["matrix"] == other._about["matrix"]
    own = figures(gallery)
    assert own.equals(figures(other).loc[own.index, own.columns])
    assert {"grass land", "mean IoU", "IoU sky"} <= {*own.columns}
    for layer in LAYERS:
        drawn = tiles(gallery, layer)
        assert drawn == {name: tiles(other, layer)[name] for name in drawn}


CALLS = {
    "folders": lambda p: (p / "images", p / "masks", pipeline(p)),
    "paths": lambda p: (files(p, "images"), files(p, "masks"), pipeline(p)),
    "arrays": lambda p: (files(p, "images", pixels, 5), files(p, "masks", pixels, 5), pipeline(p)),
    "PIL": lambda p: (files(p, "images", Image.open, 5), files(p, "masks", pixels, 5), pipeline(p)),
    "bytes": lambda p: (
        files(p, "images", lambda path: path.read_bytes()),
        files(p, "masks", lambda path: io.BytesIO(path.read_bytes())),
        pipeline(p),
    ),
    "results": lambda p: (files(p, "images", pipeline(p), 5), files(p, "masks", most=5), None),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_however_it_was_called_it_shows_what_a_store_shows(place, stored, call):
    predictions, truths, model = call(place)
    found = wn.evaluate(predictions, truths, model=model, ignore=9, progress=False)
    gallery = wn.Gallery(found, progress=False)
    same(gallery, stored)
    assert "thumbnail" in gallery._tiles.made([0], "truth")[0]
    opened = gallery._questions.answer({"ask": "open", "row": 0, "against": "truth"})
    assert opened["viewer"]["_sent_image"]["number"] == 1
    assert opened["viewer"]["_notes"] == []  # such as that it is the thumbnail
    travelled = wn.Gallery(pickle.loads(pickle.dumps(found)), progress=False)
    same(travelled, stored)
    gallery.query = f"`mean IoU` < {gallery.selection['mean IoU'].median()}"
    exec(gallery.code, scope := {"evaluation": found})
    assert scope["selection"]["name"].tolist() == gallery.selection["name"].tolist()
    assert len(scope["selection"]) == 2


def test_wrong_pixels_are_those_that_were_counted_where_scores_are_resized(place):
    model = pipeline(place, scores=True)
    found = wn.evaluate(place / "images", place / "masks", model=model, ignore=9, progress=False)
    gallery = wn.Gallery(found, progress=False)
    assert gallery.predictions.result("0003").labels.shape == (8, 12)
    for count in found.counts:
        true, predicted = found.rows.true_masks.at(found.rows.names.index(count.name))
        pairs = zip(true[true != 255].tolist(), predicted[true != 255].tolist(), strict=True)
        assert Counter(pairs) == count.confusion


def test_images_by_their_order_are_named_by_it(place):
    images = [*files(place, "images", pixels, 3).values()]
    masks = [*files(place, "masks", pixels, 3).values()]
    found = wn.evaluate(images, masks, model=pipeline(place), ignore=9, progress=False)
    gallery = wn.Gallery(found, progress=False)
    assert sorted(gallery.selection["name"]) == ["image 0", "image 1", "image 2"]
    assert gallery.selection["mean IoU"].tolist() == found.images()["mean IoU"].tolist()


def test_what_fails_has_a_row_that_says_why(place, tmp_path, stored):
    masks = files(place, "masks")
    masks["0001"] = tmp_path / "text.png"
    masks["0001"].write_text("no image")
    found = wn.evaluate(place / "images", masks, model=pipeline(place), ignore=9, progress=False)
    gallery = wn.Gallery(found, progress=False)
    rows = gallery.selection.set_index("name")
    assert rows["status"].to_dict() == {f"{n:04}": "done" for n in range(5)} | {"text": "error"}
    assert rows["error_kind"]["text"] == "ImageError"
    assert rows["mean IoU"].isna().to_dict() == {name: name in {"0001", "text"} for name in masks}
    assert tiles(gallery, "prediction")["0001"] == tiles(stored, "prediction")["0001"]
    (problem,) = (t["problem"] for t in gallery._tiles.made(range(6), "truth") if "problem" in t)
    assert "text.png: not an image" in problem


MASKS = {"a": [[0, 0, 5, 5]], "b": [[5, 5, 5, 0]]}
TRUE = {"a": [[0, 5, 5, 9]], "b": [[5, 5, 5, 5]]}


def masks(given):
    return {name: np.array(one, np.uint8) for name, one in given.items()}


@pytest.mark.parametrize("as_files", [False, True], ids=["arrays", "files"])
def test_masks_alone(tmp_path, as_files):
    own, true = masks(MASKS), masks(TRUE)
    if as_files:
        for folder, those in (("own", own), ("true", true)):
            (tmp_path / folder).mkdir()
            for name, one in those.items():
                Image.fromarray(one).save(tmp_path / folder / f"{name}.png")
        own, true = tmp_path / "own", tmp_path / "true"
    found = wn.evaluate(own, true, classes={"background": 0, "car": 5}, ignore=9, progress=False)
    gallery = wn.Gallery(found)
    assert tiles(gallery, "prediction") == {
        "a": ([4, 1], 4, 1, bytes([0, 0, 1, 1])),
        "b": ([4, 1], 4, 1, bytes([1, 1, 1, 0])),
    }
    assert tiles(gallery, "truth")["a"][-1] == bytes([0, 1, 1, 255])
    assert tiles(gallery, "wrong") == {
        "a": ([4, 1], 4, 1, bytes([0, 1, 0, 0])),
        "b": ([4, 1], 4, 1, bytes([0, 0, 0, 1])),
    }
    assert gallery.selection.set_index("name")["car"].to_dict() == {"a": 0.5, "b": 0.75}
    assert gallery.hidden == ["background"]
    palette = gallery.predictions.card.palette
    assert palette == found.class_map.palette


def test_masks_with_classes_of_another_model_keep_them_in_the_prediction():
    card = ModelCard("toy", "segmentation", classes=("sky", "road", "car"))
    mapping = {"air": "sky", "way": ("road", "car")}
    predicted, true = np.array([[0, 1, 2, 2]], np.uint8), np.array([[0, 1, 1, 0]], np.uint8)
    found = wn.evaluate(
        predicted, true, model=card, classes=("air", "way"), mapping=mapping, progress=False
    )
    gallery = wn.Gallery(found)
    assert gallery.predictions.card.classes == card.classes
    assert tiles(gallery, "prediction")["image 0"][-1] == bytes([0, 1, 2, 2])
    assert tiles(gallery, "wrong")["image 0"][-1] == bytes([0, 0, 0, 1])
    assert gallery._table.values("air as way").tolist() == [1]


@pytest.mark.parametrize("kind", ["folder", "results"])
def test_classes_of_whole_images(tmp_path, kind):
    write_images(tmp_path / "images", 5)
    (tmp_path / "images/x.y.png").write_text("no image")
    model = brightest_of_image(tmp_path / "classifier.xml")
    card = ModelCard("toy", "classification", classes=("red", "green", "blue"))
    model = wn.Pipeline(model, card=card, recipe={"color": "RGB"})
    truths = {f"{n:04}": ["red", "green", "green"][n % 3] for n in range(5)} | {"x.y": "red"}
    given = tmp_path / "images"
    if kind == "results":
        truths.pop("x.y")
        given = {name: model(given / f"{name}.png") for name in truths}
    found = wn.evaluate(given, truths, model=model if kind == "folder" else None, progress=False)
    gallery = wn.Gallery(pickle.loads(pickle.dumps(found)))
    rows = gallery.selection.set_index("name")
    done = rows[rows["status"] == "done"]
    assert done["true class"].to_dict() == {n: c for n, c in truths.items() if n != "x.y"}
    by_name = {rank.name: rank for rank in found.ranks}
    assert done["true probability"].to_dict() == {n: r.probability for n, r in by_name.items()}
    assert gallery._about["matrix"]["cells"] == [[0, 0, 2], [1, 1, 2], [1, 2, 1]]
    wrong = {t["name"]: t["wrong"] for t in gallery._tiles.made(range(5), "") if "wrong" in t}
    assert {*wrong} == {"0002"} or {*wrong.values()} >= {"green"}
    assert [n for n in rows.index if rows["status"][n] == "error"] == [*{"x.y"} & {*truths}]


def test_a_file_that_is_gone_or_changed_is_not_shown_for_what_it_was(place, tmp_path):
    write_images(tmp_path / "images", 3)
    found = wn.evaluate(
        tmp_path / "images",
        files(place, "masks", most=3),
        model=pipeline(place),
        ignore=9,
        progress=False,
    )
    (tmp_path / "images/0000.png").unlink()
    Image.new("RGB", (12, 8)).save(tmp_path / "images/0001.png")
    with pytest.warns(WasiNnWarning) as caught:
        gallery = wn.Gallery(found, progress=False)
    assert [str(one.message).partition(", because ")[2][:14] for one in caught] == [
        "it cannot be r",
        "it was changed",
    ]
    made = gallery._tiles.made([0, 1, 2], "prediction")
    assert ["thumbnail" in one for one in made] == [False, False, True]
    assert all("labels" in one for one in made)
    # Its content is known, so that another run still finds it.
    assert gallery.predictions.table(["sha256"])["sha256"].notna().all()


def test_relative_paths_lead_to_the_same_files_elsewhere(place, stored, monkeypatch):
    monkeypatch.chdir(place)
    found = wn.evaluate("images", "masks", model=pipeline(place), ignore=9, progress=False)
    monkeypatch.chdir("/")
    same(wn.Gallery(found, progress=False), stored)


def test_originals_are_not_copied(place):
    found = wn.evaluate(
        place / "images", place / "masks", model=pipeline(place), ignore=9, progress=False
    )
    rows = found.predictions
    assert found.predictions is rows
    assert rows.temporary
    assert not (rows.folder.parent / "images").exists()
    sources = rows.table(["name", "source"]).set_index("name")["source"]
    assert sources["0000"] == str(place / "images/0000.png")
    assert np.array_equal(rows.result("0000").photo, pixels(place / "images/0000.png"))


def test_labels_are_kept_deflated_and_scores_are_not():
    labels = np.zeros((512, 896), np.uint8)
    labels[200:, 100:500] = 1
    result = wn.SegmentationResult(
        labels,
        wn.ModelCard("toy", "segmentation", classes=("a", "b")),
        scores=np.zeros((2, 512, 896), np.float32),
        image=np.zeros((1, 1, 3), np.uint8),
    )
    held = Held.of(replace(result, scores=None), result.image, None)
    assert np.array_equal(held.load().labels, labels)
    assert len(pickle.dumps(held)) < 5000
    at_truth = labels[::2, ::2]
    held = Held.of(result, result.image, at_truth)
    assert np.array_equal(held.load().labels, at_truth)
    assert held.load().scores is None


def test_code_that_makes_the_evaluation_is_copied_with_the_selection(place, monkeypatch):
    monkeypatch.chdir(place)
    found = wn.evaluate(
        "images", place / "masks", model="toy.xml", card="card.json", ignore=9, progress=False
    )
    gallery = wn.Gallery(found, progress=False)
    gallery.query = "`mean IoU` < 0.5"
    call = f"wn.evaluate('images', {str(place / 'masks')!r}, model='toy.xml', card='card.json'"
    assert f"\nevaluation = {call}, ignore=9)\n" in gallery.code
    exec(gallery.code, scope := {})
    assert scope["selection"]["name"].tolist() == gallery.selection["name"].tolist()
    assert len(scope["selection"])
    known = wn.evaluate("images", "masks", model=pipeline(place), ignore=9, progress=False)
    assert "\n# evaluation: " in wn.Gallery(known, progress=False).code


def test_an_evaluation_as_the_other_run(place):
    runs = [
        wn.evaluate(place / "images", place / "masks", model=one, ignore=9, progress=False)
        for one in (pipeline(place), pipeline(place).variant(recipe={"color": "BGR"}))
    ]
    gallery = wn.Gallery(runs[0], other=runs[1], progress=False)
    store = wn.Gallery(place / "store", other=runs[1], progress=False)
    disagreement = figures(gallery)["disagreement"]
    assert disagreement.equals(figures(store)["disagreement"])
    assert disagreement.max() == 1
    exec(gallery.code, scope := {"evaluation": runs[0], "other": runs[1]})
    assert scope["selection"]["name"].tolist() == gallery.selection["name"].tolist()


def test_what_cannot_be_known_is_refused_with_what_to_do(place):
    found = wn.evaluate(
        place / "images", place / "masks", model=pipeline(place), ignore=9, progress=False
    )
    with pytest.raises(InvalidArgumentError, match=r"wn\.Gallery\(predictions, evaluation\)"):
        wn.Gallery(replace(found, rows=None))
    assert replace(found, rows=None).predictions is None
    results = files(place, "images", pipeline(place), 2)
    results["0001"] = replace(results["0001"], precision="f16")
    mixed = wn.evaluate(results, files(place, "masks", most=2), ignore=9, progress=False)
    with pytest.raises(InvalidArgumentError, match="0000 and 0001 are not of one run"):
        wn.Gallery(mixed)
