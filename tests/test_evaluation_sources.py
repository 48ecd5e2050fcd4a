"""Which image belongs to which mask, and which class to which."""

from __future__ import annotations

import ast
import re
import shlex

import numpy as np
import pytest
import toys
from evaluations import CARD, COLORS, FOUND, TRUTH, U8, painted, png
from PIL import Image

import wasinn_nb as wn
from wasinn_nb.cards.card import ModelCard
from wasinn_nb.errors import InvalidArgumentError, MissingFileError
from wasinn_nb.evaluation.judging import evaluate
from wasinn_nb.tasks.segmentation.result import SegmentationResult

# ------------------------------------------------------------------------------------------- pairs


def test_folders_are_paired_by_stem(tmp_path):
    for name, labels in (("b", FOUND), ("a", TRUTH)):
        png(tmp_path / "found" / f"{name}.png", labels)
        png(tmp_path / "truth" / f"{name}.tiff", TRUTH)
    (tmp_path / "truth/notes.txt").write_text("not a mask")
    found = evaluate(tmp_path / "found", tmp_path / "truth", classes=CARD.classes)
    assert [count.name for count in found.counts] == ["a", "b"]
    assert found.images().index.tolist() == ["b", "a"]
    listed = evaluate(
        [tmp_path / "found/b.png"], {"b": tmp_path / "truth/a.tiff"}, classes=CARD.classes
    )
    assert listed.counts[0].both.tolist() == [3, 4, 1, 1]


@pytest.mark.parametrize(
    ("predictions", "truths", "message"),
    [
        (
            {"a": FOUND, "b": FOUND},
            {"b": TRUTH},
            "1 of 2 predictions without truth: a; add their truths, or judge the others a",
        ),
        (
            {"b": FOUND},
            {"a": TRUTH, "b": TRUTH, "c": TRUTH},
            "of 3 truths without prediction: a, c; w",
        ),
        (
            {f"n{i:02}": FOUND for i in range(11)},
            {"x": TRUTH},
            "11 of 11 predictions without truth: n00, n01, n02 and 8 more; 1 of 1 truths",
        ),
        ([FOUND, FOUND], [TRUTH], "2 predictions and 1 truth"),
        (["x/a.png", "y/a.png"], ["x/a.png", "y/a.png"], "two predictions of one name: a"),
        ([], [], "got no predictions"),
        ({"a": FOUND}, {}, "got no truths"),
    ],
)
def test_incomplete_pairs_are_refused(predictions, truths, message):
    with pytest.raises(InvalidArgumentError, match=message):
        evaluate(predictions, truths, classes=CARD.classes)


def test_a_folder_without_images_and_a_missing_file(tmp_path):
    with pytest.raises(MissingFileError, match="no images in the folder"):
        evaluate(tmp_path, TRUTH, classes=2)
    with pytest.raises(MissingFileError, match=r"no file or folder at .*t\.png"):
        evaluate(FOUND, tmp_path / "t.png", classes=CARD.classes)


def test_files_that_are_passed_over_are_named_and_counted(tmp_path):
    for folder in ("found", "truth"):
        png(tmp_path / folder / "a.png", TRUTH)
        (tmp_path / folder / ".hidden.txt").write_text("not named")
        (tmp_path / folder / "inner").mkdir()
    clean = evaluate(tmp_path / "found", tmp_path / "truth", classes=4)
    assert "passed over" not in repr(clean)
    np.save(tmp_path / "found/b.npy", TRUTH)
    for n in range(10):
        (tmp_path / f"truth/c{n}.xcf").write_bytes(b"gimp")
    found = evaluate(tmp_path / "found", tmp_path / "truth", classes=4)
    lines = [line for line in found.policy() if "passed over" in line]
    names = ", ".join(["b.npy", *(f"c{n}.xcf" for n in range(7))])
    assert lines == [f"passed over, as not named like images: {names} and 3 more (11 files)"]
    assert lines[0] in found.to_dict()["policy"]


def test_files_that_are_passed_over_are_named_where_nothing_fits(tmp_path):
    png(tmp_path / "found/a.png", TRUTH)
    png(tmp_path / "found/b.png", TRUTH)
    png(tmp_path / "truth/a.png", TRUTH)
    (tmp_path / "truth/b.xcf").write_bytes(b"gimp")
    with pytest.raises(
        InvalidArgumentError, match=r"truth: b; passed over, .* images: b\.xcf; add"
    ):
        evaluate(tmp_path / "found", tmp_path / "truth", classes=4)
    (tmp_path / "truth/a.png").unlink()
    with pytest.raises(
        MissingFileError, match=r"no images in .*, which holds b\.xcf; name a folder"
    ):
        evaluate(tmp_path / "found", tmp_path / "truth", classes=4)


@pytest.mark.parametrize(
    "suffix", ["tga", "TGA", "pnm", "PGM", "PNG", "Tiff", "dib", "apng", "BMP"]
)
def test_masks_in_folders_whatever_their_suffix(suffix, tmp_path):
    for folder in ("found", "truth"):
        (tmp_path / folder).mkdir()
        formats = {"PNM": "PPM", "PGM": "PPM", "APNG": "PNG", "TIFF": "TIFF"}
        kind = formats.get(suffix.upper(), suffix.upper())
        Image.fromarray(TRUTH).save(tmp_path / folder / f"a.{suffix}", kind)
    got = evaluate(tmp_path / "found", tmp_path / "truth", classes=4)
    assert (got.miou, len(got.counts)) == (1, 1)


@pytest.mark.parametrize("size", [(60, 40), (60, 60), (40, 56), (20, 26)])
@pytest.mark.parametrize("kind", ["array", "file", "colors"])
def test_a_predicted_mask_of_another_aspect_ratio_is_refused(kind, size, tmp_path):
    found, options = np.zeros(size, U8), {"classes": CARD.classes}
    truth = np.zeros((40, 60), U8)
    if kind == "file":
        found = png(tmp_path / "m.png", found)
    if kind == "colors":
        found, truth, options = painted(found), painted(truth), {"classes": COLORS}
    there = f"{size[1]}x{size[0]} pixels, the true one 60x40: another aspect ratio"
    with pytest.raises(InvalidArgumentError, match=f"image 0: .* {there}|m: .* {there}"):
        evaluate(found, truth, **options)


@pytest.mark.parametrize("size", [(20, 30), (80, 120), (2, 3), (13, 20), (14, 20), (7, 10)])
def test_masks_of_one_aspect_ratio_are_resized(size):
    got = evaluate(np.zeros(size, U8), np.zeros((40, 60), U8), classes=2)
    assert (got.resized, got.matrix.sum()) == (1, 2400)


def test_a_transposed_result_is_refused_and_a_models_square_is_not():
    truth = np.zeros((40, 60), U8)
    with pytest.raises(InvalidArgumentError, match=r"has 40x60 pixels, its truth 60x40: .* transp"):
        evaluate(SegmentationResult(np.zeros((60, 40), U8), CARD), truth)
    assert evaluate(SegmentationResult(np.zeros((32, 32), U8), CARD), truth).resized == 1


# ----------------------------------------------------------------------------------------- classes


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"classes": ("a", "b", "c", "d")}, r"a, b, c, d\) are not the model's \(background, road"),
        ({"mapping": {"rod": "road"}}, "no data class 'rod'; did you mean road?"),
        ({"mapping": {"road": "rode"}}, "no model class 'rode'; did you mean road?"),
        ({"mapping": {"road": ("road", 4)}}, "index from 0 to 3, got 4"),
        ({"mapping": {"road": True}}, "got True"),
        ({"mapping": {"road": 1.5}}, "got 1.5"),
        ({"mapping": {"road": "road", "mark": "road"}}, "model's road more than once"),
        ({"mapping": {"road": "road", ("mark", "road"): "mark"}}, "data's road more than once"),
        ({"mapping": {"road": ()}}, "gives no model class"),
        ({"mapping": {}}, "expected a mapping"),
        ({"mapping": "road"}, "expected a mapping"),
        ({"ignore": "rod"}, "no data class 'rod'"),
        ({"ignore": (0, (1, 2, 3))}, "expected labels to ignore"),
        ({"ignore": 1.5}, "expected a label, or a color"),
        ({"classes": "road"}, "expected classes as names"),
        ({"classes": ("road", 3)}, "class names as text"),
        ({"classes": ("road", "road")}, "share a name or a value"),
        ({"classes": {"a": 1, "b": 1}}, "share a name or a value"),
        ({"classes": {"a": 1, "b": (1, 2, 3)}}, "labels or colors, not both"),
        ({"classes": {"a": (1, 2)}}, r"color \(red, green, blue\)"),
        ({"classes": {"a": (1, 2, 300)}}, r"color \(red, green, blue\)"),
        ({"classes": {"a": -1}}, "labels from 0 to 65535"),
        ({"classes": 0}, "1 to 250 classes"),
        ({"classes": 847}, "1 to 250 classes, got 847"),
        ({"classes": -5}, "1 to 250 classes, got -5"),
        ({"worst": -1}, "how many images to keep"),
        ({"classes": ("other", "b"), "mapping": {"other": "road"}}, "names a class 'other'"),
    ],
)
def test_classes_that_do_not_fit(options, message):
    with pytest.raises(InvalidArgumentError, match=message):
        evaluate(SegmentationResult(FOUND, CARD), TRUTH, **options)


@pytest.mark.parametrize(
    ("data", "model", "mapping"),
    [
        (("sky", "car"), ("sky", "vehicle"), {"sky": "sky"}),
        (("car", "Sky", "road"), ("road", "sky", "x"), {"road": "road", "Sky": "sky"}),
        (("SKY", "sky", "a"), ("sky", "b"), {"sky": "sky"}),
        (("it's", "b"), ("it's", "c"), {"it's": "it's"}),
        (("other", "sky"), ("other", "sky", "x"), {"sky": "sky"}),
    ],
)
def test_the_mapping_that_is_proposed_joins_classes_of_one_name(data, model, mapping):
    labels = np.zeros((1, 2), U8)
    result = SegmentationResult(labels, ModelCard("toy", "segmentation", classes=model))
    with pytest.raises(InvalidArgumentError, match="are not the model's") as caught:
        evaluate(result, labels, classes=data)
    remedy = re.search(r"say which are the same: mapping=(\{.*\}); the rest", str(caught.value))
    assert ast.literal_eval(remedy[1]) == mapping
    assert evaluate(result, labels, classes=data, mapping=mapping).class_map.has_other
    words = shlex.split(caught.value.remedy.command.replace("; the rest", " ; the rest"))
    options = [words[n + 1] for n, word in enumerate(words) if word == "--map"]
    assert options == [f"{own}={other}" for own, other in mapping.items()]


def test_no_mapping_is_proposed_where_no_name_is_the_same():
    labels = np.zeros((1, 2), U8)
    result = SegmentationResult(labels, CARD)
    with pytest.raises(InvalidArgumentError, match=r"mapping=\{DATA_CLASS: MODEL_CLASS, …\}; the"):
        evaluate(result, labels, classes=("sky", "vehicle"))


def test_masks_need_classes():
    with pytest.raises(InvalidArgumentError, match=r"pass classes="):
        evaluate(FOUND, TRUTH)


def test_results_of_two_models_are_refused():
    other = ModelCard("second", "segmentation", classes=("a", "b", "c", "d"))
    results = [SegmentationResult(FOUND, card) for card in (CARD, other)]
    with pytest.raises(InvalidArgumentError, match=r"image 1: .* other classes than those before"):
        evaluate(results, [TRUTH, TRUTH])


@pytest.mark.full
def test_images_that_differ_only_in_their_suffixes(tmp_path):
    for name, color in (("same.jpg", 250), ("same.png", 10), ("other.png", 90)):
        (tmp_path / "images").mkdir(exist_ok=True)
        Image.new("RGB", (12, 8), (color, 255 - color, 10)).save(tmp_path / "images" / name)
    toys.brightest_channel(tmp_path / "masks.xml")
    toys.brightest_of_image(tmp_path / "classes.xml")
    kind = {"color": "RGB"}
    masks = wn.predict(
        tmp_path / "images", tmp_path / "masks.xml", tmp_path / "m", recipe=kind, progress=False
    )
    of_masks = {name: masks.result(name).labels for name in ("same.jpg", "same.png")}
    of_masks["other"] = masks.result("other.png").labels
    judged = wn.evaluate(masks, of_masks, progress=False)
    assert judged.miou == 1
    assert sorted(one.name for one in judged.counts) == ["other", "same.jpg", "same.png"]
    card = wn.ModelCard("toy", "classification", classes=("r", "g", "b"))
    ranks = wn.predict(
        tmp_path / "images",
        tmp_path / "classes.xml",
        tmp_path / "c",
        card=card,
        recipe=kind,
        progress=False,
    )
    truths = {"same.jpg": "r", "same.png": "g", "other.png": "g"}
    table = tmp_path / "truths.csv"
    table.write_text("image,class\n" + "".join(f"{a},{b}\n" for a, b in truths.items()))
    for given in (truths, table):
        assert wn.evaluate(ranks, given, progress=False).top1 == 1
    assert (wn.Gallery(ranks, truths, progress=False).selection["true probability"] > 0.5).all()
    with pytest.raises(InvalidArgumentError, match="two predictions of one name: same"):
        wn.evaluate(ranks, {"same": "r", "other": "g"}, progress=False)
