"""Folders as they come: broken files, names with suffixes, names from another system."""

import json
import subprocess
import sys
import unicodedata

import numpy as np
import pytest
import toys
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import wasinn_nb as wn
from wasinn_nb import errors
from wasinn_nb.evaluation.suffixes import Suffixes, likely_suffixes

CLASSES = ("sky", "road")
MASK = np.tile(np.array([[0, 1]], np.uint8), (6, 4))


def write(folder, names, mask=MASK):
    folder.mkdir(exist_ok=True)
    for name in names:
        Image.fromarray(mask).save(folder / f"{name}.png")
    return folder


@pytest.fixture
def folders(tmp_path):
    names = ["a", "b", "c", "d"]
    return write(tmp_path / "own", names), write(tmp_path / "true", names)


# -- broken files ----------------------------------------------------------------------------------


@pytest.mark.parametrize("side", [0, 1], ids=["prediction", "truth"])
@pytest.mark.parametrize("content", [b"", b"no image", b"\x89PNG\r\n\x1a\n cut"])
def test_a_broken_file_is_a_row_and_the_rest_is_judged(folders, side, content):
    broken = folders[side] / "b.png"
    broken.write_bytes(content or b"")
    found = wn.evaluate(*folders, classes=CLASSES)
    assert (len(found.counts), found.miou) == (3, 1)
    assert [name for name, _ in found.remarks.failed] == ["b"]
    assert str(broken) in found.remarks.failed[0][1]
    assert "not counted, as they cannot be read: b (1 image)" in found.policy()
    assert list(found.to_dict()["errors"]) == ["b"]
    assert json.dumps(found.to_dict(), allow_nan=False)
    table = found.images()
    assert list(table.index) == ["a", "c", "d", "b"]
    assert str(broken) in table.loc["b", "error"]
    for text in (repr(found), found._repr_html_()):
        assert "image that cannot be read" in text


def test_a_file_that_is_missing_is_a_row(tmp_path):
    write(tmp_path / "own", ["a"])
    own = {"a": tmp_path / "own/a.png", "b": tmp_path / "own/gone.png"}
    found = wn.evaluate(own, {"a": MASK, "b": MASK}, classes=CLASSES)
    assert [name for name, _ in found.remarks.failed] == ["b"]


def test_where_none_can_be_read_the_error_is_raised(folders):
    for path in folders[1].iterdir():
        path.write_bytes(b"no image")
    with pytest.raises(errors.ImageError, match=r"a\.png: not an image"):
        wn.evaluate(*folders, classes=CLASSES)
    with pytest.raises(errors.ImageError, match="not an image"):
        wn.evaluate(MASK, folders[1] / "a.png", classes=CLASSES)


def test_labels_that_are_no_classes_are_refused_as_before(folders):
    Image.fromarray(MASK + np.uint8(7)).save(folders[1] / "b.png")
    with pytest.raises(errors.TensorError, match="truth b: expected the labels"):
        wn.evaluate(*folders, classes=CLASSES)


def test_images_of_a_model_are_rows_too(tmp_path):
    card = wn.ModelCard(
        "toy", "segmentation", wn.PreprocessRecipe(64, 96), ("sky", "road", "curb", "mark")
    )
    model = wn.Pipeline(toys.textures(tmp_path / "toy.xml", gives="scores"), card=card)
    images = write(tmp_path / "images", ["a", "b"], np.zeros((64, 96, 3), np.uint8))
    truths = write(tmp_path / "true", ["a", "b"], np.zeros((64, 96), np.uint8))
    whole = (images / "b.png").read_bytes()
    (images / "b.png").write_bytes(whole[: len(whole) // 2])
    found = wn.evaluate(images, truths, model=model)
    assert [name for name, _ in found.remarks.failed] == ["b"]
    assert [count.name for count in found.counts] == ["a"]


def test_images_of_a_classifier_are_rows_too(tmp_path):
    card = wn.ModelCard(
        "toy", "classification", wn.PreprocessRecipe(64, 96), ("cat", "dog", "owl", "fox")
    )
    model = wn.Pipeline(toys.textures(tmp_path / "toy.xml", gives="row"), card=card)
    images = write(tmp_path / "images", ["a", "b"], np.zeros((64, 96, 3), np.uint8))
    (images / "b.png").write_bytes(b"no image")
    found = wn.evaluate(images, {"a": "cat", "b": "dog"}, model=model)
    assert [name for name, _ in found.remarks.failed] == ["b"]
    assert len(found.ranks) == 1
    assert list(found.to_dict()["errors"]) == ["b"]
    assert "image that cannot be read" in repr(found)
    (images / "a.png").write_bytes(b"no image")
    with pytest.raises(errors.ImageError, match=r"a\.png"):
        wn.evaluate(images, {"a": "cat", "b": "dog"}, model=model)


# -- suffixes --------------------------------------------------------------------------------------

STEMS = ["frankfurt_000000_000294", "frankfurt_000000_000576", "lindau_000001_000019"]
NAMES = {
    "VOC": ("", "_mask"),
    "ADE": ("", "_L"),
    "Cityscapes": ("_leftImg8bit", "_gtFine_labelIds"),
    "dots": (".image", ".label"),
    "images only": ("_img", ""),
}


@pytest.mark.parametrize("kind", NAMES)
def test_suffixes_are_proposed_and_pair(tmp_path, kind):
    own, true = NAMES[kind]
    images = write(tmp_path / "own", [stem + own for stem in STEMS])
    truths = write(tmp_path / "true", [stem + true for stem in STEMS])
    with pytest.raises(errors.InvalidArgumentError, match="predictions without truth") as raised:
        wn.evaluate(images, truths, classes=CLASSES)
    (choice,) = raised.value.remedy.choices
    assert choice["suffix"] == ((own, true) if own else true)
    assert f"suffix={choice['suffix']!r} pairs 3 of them" in str(raised.value)
    found = wn.evaluate(images, truths, classes=CLASSES, **choice)
    assert [count.name for count in found.counts] == STEMS


@pytest.mark.full
def test_the_proposed_command_can_be_pasted(tmp_path):
    images = write(tmp_path / "own", [f"{stem}_leftImg8bit" for stem in STEMS])
    truths = write(tmp_path / "true", [f"{stem}_gtFine_labelIds" for stem in STEMS])
    words = ["evaluate", str(images), str(truths), "--masks-only", "--classes", "sky,road"]
    program = [sys.executable, "-m", "wasinn_nb"]
    refused = subprocess.run([*program, *words], capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "--suffix _leftImg8bit,_gtFine_labelIds" in refused.stderr
    words += ["--suffix", "_leftImg8bit,_gtFine_labelIds", "--json"]
    done = subprocess.run([*program, *words], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["miou"] == 1


def test_some_without_counterpart_are_still_named(tmp_path):
    images = write(tmp_path / "own", [*STEMS, "extra"])
    truths = write(tmp_path / "true", [f"{stem}_mask" for stem in STEMS])
    with pytest.raises(errors.InvalidArgumentError, match="pairs 3 of them"):
        wn.evaluate(images, truths, classes=CLASSES)
    with pytest.raises(errors.InvalidArgumentError, match="predictions without truth: extra; add"):
        wn.evaluate(images, truths, classes=CLASSES, suffix="_mask")


def test_names_that_have_nothing_in_common_get_no_proposal(tmp_path):
    images = write(tmp_path / "own", ["cat1", "dog"])
    truths = write(tmp_path / "true", ["cat2", "owl"])
    with pytest.raises(errors.InvalidArgumentError, match="name the pairs with") as raised:
        wn.evaluate(images, truths, classes=CLASSES)
    assert not raised.value.remedy.choices


@pytest.mark.parametrize("suffix", [3, ("a",), ("a", "b", "c"), ("a", 3), b"_mask"])
def test_suffixes_are_checked(suffix):
    with pytest.raises(errors.InvalidArgumentError, match="expected suffix as what"):
        wn.evaluate({"a": MASK}, {"a": MASK}, classes=CLASSES, suffix=suffix)


@given(
    st.lists(st.text("abc123_", min_size=1, max_size=6), min_size=2, max_size=6, unique=True),
    st.sampled_from(["", "_image", "-rgb"]),
    st.sampled_from(["_mask", "_gtFine_labelIds", ".label"]),
)
def test_what_is_proposed_pairs_at_least_half(stems, own, true):
    names, true_names = [stem + own for stem in stems], [stem + true for stem in stems]
    found = likely_suffixes(names, true_names)
    if found is None:
        return
    suffixes, count = found
    left = {name.removesuffix(suffixes.own) for name in names if name.endswith(suffixes.own)}
    right = {n.removesuffix(suffixes.true) for n in true_names if n.endswith(suffixes.true)}
    assert len((left & right) - {""}) == count
    assert 2 * count >= len(stems)
    assert Suffixes.of(suffixes.argument) == suffixes


# -- names of two systems --------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Straße über Brücke", "한국어", "é"])
def test_names_of_both_unicode_forms_pair(tmp_path, name):
    forms = [unicodedata.normalize(form, name) for form in ("NFD", "NFC")]
    assert forms[0] != forms[1]
    images = write(tmp_path / "own", forms[:1])
    truths = write(tmp_path / "true", forms[1:])
    for own, true in ((images, truths), ({forms[0]: MASK}, truths), (images, {forms[1]: MASK})):
        found = wn.evaluate(own, true, classes=CLASSES)
        assert [count.name for count in found.counts] == [forms[1]]


def test_two_files_of_one_name_in_both_forms_are_refused(tmp_path):
    forms = [unicodedata.normalize(form, "über") for form in ("NFD", "NFC")]
    images = write(tmp_path / "own", forms)
    with pytest.raises(errors.InvalidArgumentError, match="two predictions of one name: über"):
        wn.evaluate(images, {forms[1]: MASK}, classes=CLASSES)


def test_classes_of_images_pair_in_both_forms(tmp_path):
    forms = [unicodedata.normalize(form, "über") for form in ("NFD", "NFC")]
    card = wn.ModelCard("pets", "classification", classes=("cat", "dog"))
    from wasinn_nb.origin import Origin

    result = wn.ClassificationResult(np.float32([0.7, 0.3]), card, Origin("pets"))
    table = tmp_path / "classes.csv"
    table.write_text(f"image,class\n{forms[1]}.png,cat\n", encoding="utf-8")
    assert wn.evaluate({forms[0]: result}, table).top1 == 1
