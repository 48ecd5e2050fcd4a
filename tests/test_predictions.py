"""`Predictions`: asked, compared, exported, shown."""

from __future__ import annotations

import io
import json

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from PIL import Image
from prediction_help import predicted, write_images, write_place
from toys import brightest_of_image

import wasinn_nb as wn
from wasinn_nb.cards import ModelCard
from wasinn_nb.errors import (
    InvalidArgumentError,
    MissingFileError,
    TensorError,
    WasiNnWarning,
)
from wasinn_nb.prediction.exporting import run_lengths
from wasinn_nb.prediction.schema import class_columns

pytestmark = pytest.mark.full

CLASSES = ("sky", "width", "grass land")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a model, images, and a store of their predictions."""
    folder = write_place(tmp_path_factory.mktemp("predictions"), 7, "text.png")
    card = ModelCard("toy", "segmentation", classes=CLASSES)
    # In "other" red becomes blue.
    for store, color in (("store", "RGB"), ("same", "RGB"), ("other", "BGR")):
        predicted(folder, store, card=card, recipe={"color": color})
    return folder


@pytest.fixture
def found(place):
    return wn.read_predictions(place / "store")


def test_queries(found):
    assert len(found) == 8
    assert sorted(found.query("sky == 1").table()["name"]) == ["0000.png", "0003.png", "0006.png"]
    assert len(found.query("`grass land` > 0.5 and status == 'done'")) == 2
    assert len(found.query("`class:width` > 0.9")) == 2
    assert len(found.query("width == 12")) == 7  # the image's
    least = 0.9
    assert len(found.query("sky > @least")) == 3
    assert len(found.query("sky > @least").query("name > '0001'")) == 2
    assert len(found.query("sky > 2")) == 0
    assert least


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("skye > 0.5", r"no column 'skye'; did you mean sky"),
        ("sky >", "the expression ends after 'sky >'"),
        ("sky + 1", "true or false for each row"),
        ("", "got an empty one"),
        ("1", "true or false for each row"),
    ],
)
def test_queries_that_make_no_sense(found, expression, message):
    with pytest.raises(InvalidArgumentError, match=message):
        found.query(expression)


def test_reserved_names_of_classes():
    names = ["road", "width", "class:width", "mask"]
    assert [*class_columns(names).values()] == [
        "road",
        "class:width",
        "class:class:width",
        "class:mask",
    ]


def test_table_and_parts(found):
    frame = found.table()
    assert "mask" not in frame
    assert frame.loc[frame["name"] == "0001.png", "class:width"].tolist() == [1.0]
    assert list(found[2:4].table(["name"])["name"]) == list(frame["name"][2:4])
    with pytest.raises(InvalidArgumentError, match="no column 'nmae'; did you mean name"):
        found.table(["nmae"])
    with pytest.raises(InvalidArgumentError, match=r"use .result\(row\)"):
        found[0]


def test_worst(found):
    worst = found.worst(3)
    values = worst.table()["mean_confidence"].tolist()
    everything = sorted(found.query("status == 'done'").table()["mean_confidence"])
    assert values == everything[:3]
    assert found.worst(1, "size").table()["name"].tolist() == ["text.png"]
    assert len(found.worst(100)) == 7
    with pytest.raises(InvalidArgumentError, match="a column of numbers, got 'name'"):
        found.worst(1, "name")
    with pytest.raises(InvalidArgumentError, match="how many rows"):
        found.worst(-1)


def test_results(found, place):
    names = found.table()["name"].tolist()
    for n, name in enumerate(names):
        if name != "text.png":
            result = found.result(n)
            assert set(np.unique(result.labels)) == {int(name[:4]) % 3}
            assert result.card.classes == CLASSES
            assert result.origin == found.origin
    assert found.result("0000.png").recipe.color == "RGB"
    assert found.result(str(place / "images/0000.png")).areas()["sky"] == 24
    for row in (99, "no.png", 1.5):
        with pytest.raises(InvalidArgumentError, match="row"):
            found.result(row)


def test_a_result_comes_without_an_image_that_changed(tmp_path, toy):
    write_images(tmp_path / "images", 2)
    found = wn.predict(tmp_path / "images", toy, tmp_path / "store", progress=False)
    Image.new("RGB", (3, 3)).save(tmp_path / "images/0000.png")
    (tmp_path / "images/0001.png").unlink()
    with pytest.warns(WasiNnWarning, match="0000.png: .*without its image, because it was changed"):
        assert found.result("0000.png").photo is None
    with pytest.warns(WasiNnWarning, match="0001.png: .*cannot be read"):
        assert found.result("0001.png").labels.shape == (4, 6)


def test_two_runs(found, place):
    same = found.compare(wn.read_predictions(place / "same"), progress=False)
    assert (same.agreement, same.alone) == (1, (0, 0))
    other = found.compare(wn.read_predictions(place / "other"), progress=False)
    assert other.agreement == pytest.approx(2 / 7)
    assert other.iou == {"sky": 0, "width": 1, "grass land": 0}
    assert other.matrix.tolist() == [[0, 0, 72], [0, 48, 0], [48, 0, 0]]
    frame = other.images()
    assert frame["agreement"].tolist() == [0, 0, 0, 0, 0, 1, 1]
    assert set(frame.index[-2:]) == {"0001.png", "0004.png"}
    assert "the same class in both: 28.57 %" in repr(other)
    assert other.to_dict()["images"][0]["agreement"] == 0
    with pytest.raises(InvalidArgumentError, match="no image in common"):
        found.query("sky == 1").compare(found.query("sky < 1"), progress=False)


def test_one_file(found, tmp_path):
    path = found.query("sky == 1").to_parquet(tmp_path / "sky.parquet")
    frame = pd.read_parquet(path)
    assert sorted(frame["name"]) == ["0000.png", "0003.png", "0006.png"]
    assert "mask" not in frame
    whole = pq.read_table(found.to_parquet(tmp_path / "all.parquet", masks=True))
    assert whole.column_names == list(found.columns)
    assert whole.num_rows == 8


def test_masks_as_files(found, tmp_path):
    found.export(tmp_path / "masks", progress=False)
    for n in range(7):
        mask = np.asarray(Image.open(tmp_path / f"masks/{n:04}.png").copy())
        assert set(np.unique(mask)) == {n % 3}
    with pytest.raises(InvalidArgumentError, match="'png' or 'coco'"):
        found.export(tmp_path, "voc")


def test_names_do_not_lead_out_of_the_folder(toy, tmp_path):
    pixels = np.zeros((4, 6, 3), np.uint8)
    names = [
        "../up.png",
        "/root.png",
        "a/b.png",
        "a/b.jpg",
        "a/B.gif",
        "..",
        "c\\d.png",
        "x\ny.png",
    ]
    images = {name: pixels + n for n, name in enumerate(names)}
    found = wn.predict(images, toy, tmp_path / "store", progress=False)
    found.export(tmp_path / "masks", progress=False)
    written = {
        path.relative_to(tmp_path / "masks").as_posix() for path in _files(tmp_path / "masks")
    }
    assert len(written) == len(names)
    assert {path.name for path in tmp_path.iterdir()} <= {"store", "masks", "toy.xml", "toy.bin"}


def _files(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def test_coco(found, tmp_path):
    path = found.export(tmp_path, "coco", progress=False)
    values = json.loads(path.read_text())
    assert [one["name"] for one in values["categories"]] == [*CLASSES]
    images = {one["id"]: one["file_name"] for one in values["images"]}
    assert sorted(images.values()) == [f"{n:04}.png" for n in range(7)]
    for note in values["annotations"]:
        assert note["category_id"] == int(images[note["image_id"]][:4]) % 3 + 1
        assert note["segmentation"] == {"size": [8, 12], "counts": [0, 96]}
        assert (note["area"], note["bbox"]) == (96, [0, 0, 12, 8])
    assert {path.name for path in tmp_path.iterdir()} == {"annotations.json"}


def test_run_lengths_are_those_of_coco():
    mask = np.array([[0, 1, 1], [0, 1, 0]], bool)
    assert run_lengths(mask) == [2, 3, 1]


def test_what_there_is_to_see(found, place):
    assert repr(found).splitlines()[:2] == [
        "Predictions: toy, 8 images, 1 error",
        "mean confidence 1.000",
    ]
    assert "ImageError (1): " in repr(found)
    html = found._repr_html_()
    assert html.count("<img") == 5
    assert "sky" in html
    assert "other runs" not in html
    page = found.write_html(place / "page.html").read_text()
    assert "text.png" in page
    assert "the first 5 of 8 images" in page
    few = found[:2]
    assert "the first" not in few.write_html(place / "few.html").read_text()


def test_nothing_to_see(found):
    none = found.query("sky > 2")
    assert repr(none).startswith("Predictions: toy, 0 images")
    assert none.worst().table().empty


def test_values(found):
    values = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert (values["images"], values["errors"]) == (8, 1)
    (row,) = [row for row in values["rows"] if row["name"] == "0001.png"]
    assert row["class:width"] == 1
    assert row["pixels"] == [0, 24, 0]


def test_no_store(tmp_path):
    for path in (tmp_path / "no", tmp_path):
        with pytest.raises(MissingFileError, match="store"):
            wn.read_predictions(path)


def test_classification(tmp_path):
    write_images(tmp_path / "images", 5)
    model = brightest_of_image(tmp_path / "classifier.xml")
    card = ModelCard("toy", "classification", classes=("reddish", "greenish", "bluish"))
    found = wn.predict(
        tmp_path / "images",
        model,
        tmp_path / "store",
        card=card,
        recipe={"color": "RGB"},
        progress=False,
    )
    assert len(found.query("label == 'reddish'")) == 2
    for n in range(5):
        alone = wn.classify(
            tmp_path / f"images/{n:04}.png", model, card=card, recipe={"color": "RGB"}
        )
        result = found.result(f"{n:04}.png")
        assert (result.probabilities == alone.probabilities).all()
        row = found.row(f"{n:04}.png")
        top = alone.top()
        assert row["top"] == [one._asdict() for one in top]
        assert row["margin"] == top[0].probability - top[1].probability
    assert "reddish        2             0.98" in repr(found)
    same = found.compare(found, progress=False)
    assert (same.agreement, same.matrix.trace()) == (1, 5)
    with pytest.raises(InvalidArgumentError, match="results of classification"):
        found.export(tmp_path / "masks")


def test_rows_that_were_tampered_with(found):
    row = found.row("0000.png")
    for mask, message in ((b"x", "its mask cannot be read"), (None, "no mask was kept")):
        with pytest.raises(InvalidArgumentError, match=message):
            found.made(row | {"mask": mask})
    color = io.BytesIO()
    Image.new("RGB", (4, 4)).save(color, "PNG")
    with pytest.raises(InvalidArgumentError, match="not an index PNG"):
        found.made(row | {"mask": color.getvalue()})
    high = io.BytesIO()
    Image.fromarray(np.full((4, 6), 9, np.uint8)).save(high, "PNG")
    with pytest.raises(TensorError, match="expected labels from 0 to 2, got 9"):
        found.made(row | {"mask": high.getvalue()})
    with pytest.raises(InvalidArgumentError, match="covers"):
        found.made(row | {"covers": [1, 2, 3]})
