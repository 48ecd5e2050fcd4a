"""Evaluations of cropped and letterboxed images, of models of one class, and what was assumed."""

from __future__ import annotations

import json

import numpy as np
import pytest
import toys
from PIL import Image

import wasinn_nb as wn
from wasinn_nb.errors import InvalidArgumentError, TensorError
from wasinn_nb.evaluation.judging import evaluate

U8 = np.uint8
BLUE_GREEN_RED = ("blue", "green", "red")
RECIPE = wn.PreprocessRecipe(4, 4, resize="bilinear")
CARD = wn.ModelCard("toy", "segmentation", RECIPE, BLUE_GREEN_RED)


@pytest.fixture(scope="module")
def square(tmp_path_factory):
    """A model of 4x4 images, whose class is the channel with the highest value."""
    return toys.brightest_channel(tmp_path_factory.mktemp("square") / "toy.xml", width=4)


@pytest.fixture(scope="module")
def bright(tmp_path_factory):
    """A model of one class: the probability is the mean of the channels, of 0 to 255."""
    from openvino import opset13 as op

    def build(data):
        return op.divide(op.reduce_mean(data, np.array([1]), keep_dims=True), np.float32(255))

    model = toys.graph(build, (1, 3, 4, 4))
    return toys.save(model, tmp_path_factory.mktemp("bright") / "bright.xml")


def painted(labels):
    """Return an image whose pixels have the colors of the labels: blue, green, red."""
    return np.array([[0, 0, 200], [0, 200, 0], [200, 0, 0]], U8)[np.asarray(labels)]


# -- the part of the image that the model sees -----------------------------------------------------

WIDE = np.array([[0, 0, 1, 1, 1, 1, 2, 2]] * 4, U8)
"""Four rows; a crop to a square sees the four columns in the middle, which are green."""


def test_pixels_that_a_crop_leaves_out_do_not_count(square):
    card = CARD.replace(recipe=RECIPE.replace(fit="crop"))
    found = evaluate(painted(WIDE), WIDE, model=square, card=card)
    assert found.matrix.tolist() == [[0, 0, 0], [0, 16, 0], [0, 0, 0]]
    assert (found.counts[0].ignored, found.counts[0].uncovered) == (0, 16)
    assert found.policy()[2] == (
        "not counted, because the cropped input does not show them: 16 pixels (50.00 %) in 1 image"
    )
    for text in (repr(found), found._repr_html_(), json.dumps(found.to_dict())):
        assert text.count("the cropped input does not show them") == 1
    assert [entry.name for entry in found.legend()][-1] == "ignored"


def test_what_the_truth_ignores_and_a_crop_leaves_out_is_counted_once(square):
    card = CARD.replace(recipe=RECIPE.replace(fit="crop"))
    truth = WIDE.copy()
    truth[0] = 9  # 8 pixels, of which the crop shows 4
    found = evaluate(painted(WIDE), truth, model=square, card=card, ignore=9)
    assert (found.counts[0].ignored, found.counts[0].uncovered) == (8, 12)
    assert found.matrix.sum() == 12
    assert "ignored in the truth: 9, 8 pixels (25.00 %)" in found.policy()


def test_letterboxed_images_are_judged_over_the_whole_image(square):
    card = CARD.replace(recipe=RECIPE.replace(fit="letterbox"))
    found = evaluate(painted(WIDE), WIDE, model=square, card=card)
    assert found.samples[0].result.labels.shape == (2, 4)
    assert found.matrix.tolist() == [[8, 0, 0], [0, 16, 0], [0, 0, 8]]
    assert found.counts[0].uncovered == 0
    assert "does not show them" not in repr(found)


def test_a_stretched_image_leaves_nothing_out(square):
    found = evaluate(painted(WIDE), WIDE, model=square, card=CARD)
    assert found.matrix.tolist() == [[8, 0, 0], [0, 16, 0], [0, 0, 8]]
    assert found.counts[0].uncovered == 0


# -- one class -----------------------------------------------------------------------------------

SHINING = np.array([[0, 0, 1, 1]] * 3 + [[0, 1, 1, 1]], U8)
IMAGE = np.repeat(SHINING[:, :, None] * U8(200), 3, axis=2)
IMAGE[3, 1] = 100  # probability 0.39
PERSON = wn.ModelCard("bright", "segmentation", RECIPE, ("person",))


def test_one_class_against_a_mask_of_0_and_1(bright):
    found = evaluate(IMAGE, SHINING, model=bright, card=PERSON)
    assert found.classes == ("background", "person")
    assert found.matrix.tolist() == [[7, 0], [1, 8]]
    lower = evaluate(IMAGE, SHINING, model=bright, card=PERSON.replace(threshold=0.3))
    assert lower.miou == 1


@pytest.mark.parametrize("named", [True, False], ids=["named", "unnamed"])
@pytest.mark.parametrize("names", [("background", "person"), ("person", "background")])
def test_one_class_against_a_mask_of_0_and_255(bright, tmp_path, named, names):
    Image.fromarray(SHINING * U8(255)).save(tmp_path / "mask.png")
    values = {"background": 0, "person": 255}
    card = PERSON if named else PERSON.replace(classes=())
    found = evaluate(
        {"mask": IMAGE},
        tmp_path,
        model=bright,
        card=card,
        classes={name: values[name] for name in names},
    )
    assert found.iou == {"background": 7 / 8, "person": 8 / 9}
    assert ("foreground of the model" in repr(found)) == (not named)


def test_a_mask_of_0_and_255_without_classes_names_the_remedy(bright):
    remedy = r"where 255 is person, say so: classes=\{'background': 0, 'person': 255\}"
    with pytest.raises(TensorError, match=remedy):
        evaluate(IMAGE, SHINING * U8(255), model=bright, card=PERSON)
    # Beside 1, 255 is something else, such as pixels that do not count.
    truth = SHINING.copy()
    truth[0, 0] = 255
    with pytest.raises(TensorError, match="leave it out with ignore"):
        evaluate(IMAGE, truth, model=bright, card=PERSON)
    assert evaluate(IMAGE, truth, model=bright, card=PERSON, ignore=255).matrix.sum() == 15


def test_other_names_for_a_class_that_nothing_names_need_a_mapping(bright):
    classes = {"rest": 0, "person": 1}
    with pytest.raises(InvalidArgumentError, match=r"are not the model's \(background, foregrou"):
        evaluate(IMAGE, SHINING, model=bright, recipe=RECIPE, classes=classes)


def test_results_of_one_class_are_judged_at_the_threshold_of_a_card(bright):
    kept = wn.segment(IMAGE, bright, card=PERSON, scores=True)
    bare = wn.segment(IMAGE, bright, card=PERSON)
    lower = PERSON.replace(threshold=0.3, classes=("cat",))
    assert evaluate(kept, SHINING).matrix.tolist() == [[7, 0], [1, 8]]
    found = evaluate(kept, SHINING, card=lower)
    assert (found.classes, found.miou) == (("background", "cat"), 1)
    with pytest.raises(InvalidArgumentError, match=r"threshold 0.5, the card of bright states 0.3"):
        evaluate(bare, SHINING, card=lower)


def test_masks_of_one_class_that_a_card_describes():
    found = evaluate(SHINING, SHINING, card=PERSON)
    assert found.iou == {"background": 1, "person": 1}


# -- what was assumed ------------------------------------------------------------------------------


def test_what_was_assumed_is_listed_once(tmp_path):
    model = toys.brightest_channel(tmp_path / "toy.xml")
    images = {"a": painted(WIDE), "b": painted(WIDE)}
    found = evaluate(images, {"a": WIDE, "b": WIDE}, model=model)
    assert found.assumed == ("BGR, values 0 to 255, bilinear",)
    assert found.to_dict()["assumed"] == ["BGR, values 0 to 255, bilinear"]
    page = found.write_html(tmp_path / "a.html").read_text()
    for text in (repr(found), found._repr_html_(), page):
        assert text.count("assumed: BGR, values 0 to 255, bilinear") == 1
    assert json.dumps(found.to_dict()).count("BGR, values 0 to 255") == 1


def test_nothing_is_assumed_where_a_recipe_is_stated(square):
    found = evaluate(painted(WIDE), WIDE, model=square, recipe=RECIPE)
    assert found.assumed == ()
    assert "assumed" not in repr(found)
    numbered = "labels of the truth were taken for the numbers of the model's classes"
    assert numbered in repr(found)
    named = evaluate(painted(WIDE), WIDE, model=square, recipe=RECIPE, classes=3)
    assert numbered not in repr(named)
