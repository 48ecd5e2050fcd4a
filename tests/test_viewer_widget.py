"""The viewer's traits, thresholds and still image."""

import zlib

import numpy as np
import pytest
import traitlets
from PIL import Image
from viewed import (
    CARD,
    LABELS,
    PROBABILITIES,
    SCORES,
    TRANSPARENT,
    encoded,
    noise,
    one_class,
    result,
)

import wasinn_nb as wn
from wasinn_nb.cards import assumed_recipe, assumed_scores, card_line
from wasinn_nb.cards.card import ModelCard
from wasinn_nb.errors import ImageError, InvalidArgumentError, TensorError
from wasinn_nb.imaging.coverage import Coverage

# ------------------------------------------------------------------------------------ the widget


def test_the_state_of_a_viewer():
    viewer = wn.MaskViewer(result(scores=SCORES, image=np.zeros((4, 6, 3), np.uint8)), opacity=0.3)
    assert (viewer.mode, viewer.opacity, viewer.hidden, viewer.serial) == (
        "overlay",
        0.3,
        ["background"],
        1,
    )
    state = viewer.get_state()
    assert [mask["serial"] for mask in state["_masks"]] == [1]
    assert state["_confidence"][0]["serial"] == 1
    assert state["_sent_image"]["width"] == 6
    assert b"DecompressionStream" in zlib.decompress(state["_module"])
    assert len(state["_module"]) < 60_000
    assert len(state["_esm"]) < 3000  # a page keeps each one that it loaded
    assert ".wnb-viewer" in state["_css"]
    assert viewer.result.card is CARD
    assert viewer.other is None


def test_a_viewer_without_a_result_has_something_to_show_later():
    viewer = wn.MaskViewer()
    assert viewer.result is None
    viewer.show(result())
    assert viewer.serial == 1
    assert viewer.hidden == ["background"]


def test_the_same_image_travels_once_and_switched_off_classes_stay_off():
    image = encoded(noise(8, 8))
    viewer = wn.MaskViewer(result(image=image))
    viewer.hidden = ["road"]
    sent = viewer._sent_image
    viewer.show(result(image=bytes(bytearray(image)), labels=LABELS[::-1].copy()))
    assert viewer._sent_image is sent
    assert viewer.hidden == ["road"]
    viewer.show(result(image=encoded(noise(9, 8))))
    assert viewer._sent_image["width"] == 9
    assert viewer.serial == 3
    two = ModelCard("other", "segmentation", classes=("void", "a"))
    viewer.show(result(card=two, labels=LABELS % 2))
    assert viewer.hidden == ["void"]
    assert viewer._sent_image == {"number": 3}
    assert viewer._masks[0]["image"] == 3


def test_an_image_sent_ahead_is_not_sent_again(tmp_path):
    first, second = encoded(noise(8, 8)), encoded(noise(9, 9))
    viewer = wn.MaskViewer(result(image=first))
    viewer.send_photo(first)
    assert viewer._sent_image["number"] == 1
    viewer.send_photo(second)
    assert (viewer._sent_image["bytes"], viewer._sent_image["number"]) == (second, 2)
    assert viewer._masks[0]["image"] == 1, "its mask is still to come"
    sent = viewer._sent_image
    viewer.show(result(image=second))
    assert viewer._sent_image is sent
    assert viewer._masks[0]["image"] == 2
    viewer.send_photo(first)
    viewer.recall_photo()  # no mask came of it
    assert viewer._sent_image["bytes"] == second
    assert viewer._masks[0]["image"] == viewer._sent_image["number"]
    viewer.send_photo(encoded(TRANSPARENT))  # goes with its mask
    viewer.send_photo(np.zeros((2, 2, 3), np.uint8))
    assert viewer._sent_image["bytes"] == second
    with pytest.raises(ImageError):
        viewer.send_photo(b"not an image")
    viewer.recall_photo()
    assert viewer._sent_image["bytes"] == second


def test_the_same_file_turned_otherwise_is_sent_again():
    exif = Image.Exif()
    exif[0x0112] = 6
    content = encoded(Image.new("RGB", (200, 100)), "JPEG", exif=exif)
    recipe = wn.PreprocessRecipe(2, 3)
    viewer = wn.MaskViewer(result(image=content, recipe=recipe))
    assert viewer._sent_image["width"] == 200
    viewer.show(result(image=content, recipe=recipe.replace(exif="apply")))
    assert viewer._sent_image["width"] == 100
    sent = viewer._sent_image
    viewer.show(result(image=content, recipe=recipe.replace(exif="apply", color="RGB")))
    assert viewer._sent_image is sent


def test_two_masks_and_the_end_of_a_difference():
    viewer = wn.MaskViewer(result(), result(precision="bf16"), mode="difference")
    assert [mask["caption"] for mask in viewer._masks] == ["f32", "bf16"]
    viewer.show(result())
    assert viewer.mode == "overlay"
    assert viewer.other is None


@pytest.mark.parametrize("classes", [1, 2, 21, 256])
def test_any_number_of_classes(classes):
    card = ModelCard("many", "segmentation", classes=tuple(f"c{i}" for i in range(classes)))
    labels = np.arange(classes, dtype=np.uint8).reshape(1, -1)
    viewer = wn.MaskViewer(result(card=card, labels=labels))
    assert len(viewer._masks[0]["classes"]) == classes
    assert viewer.hidden == []  # none of them is called background
    assert len({one["color"] for one in viewer._masks[0]["classes"]}) == classes


def test_bad_values_are_refused_with_a_remedy():
    with pytest.raises(InvalidArgumentError, match=r"SegmentationResult, got ndarray; wn.segment"):
        wn.MaskViewer(LABELS)
    with pytest.raises(InvalidArgumentError, match="difference' needs a second result"):
        wn.MaskViewer(result(), mode="difference")
    with pytest.raises(traitlets.TraitError, match="swipe"):
        wn.MaskViewer(result(), mode="sideways")
    viewer = wn.MaskViewer(result())
    for name, value in [("opacity", 1.5), ("threshold", -1), ("outline", "yes"), ("hidden", 3)]:
        with pytest.raises(traitlets.TraitError):
            setattr(viewer, name, value)
    with pytest.raises(InvalidArgumentError, match="got NoneType"):
        viewer.show(None)
    assert viewer.serial == 1, "what was shown before is still there"
    with pytest.raises(TensorError, match="expected labels from 0 to 2, got 9"):
        result(labels=np.array([[9]], np.uint8))


# ------------------------------------------------------------------------- threshold of one class


def levels_of(viewer):
    return viewer._confidence[0]["levels"]


def test_the_threshold_of_one_class_starts_at_the_result_s_and_moves_what_is_shown():
    viewer = wn.MaskViewer(one_class(0.25))
    assert viewer.threshold == 0.25
    assert viewer.result.labels.tolist() == [[0, 0, 1], [1, 1, 1]]
    sent = viewer._confidence
    viewer.threshold = 0.5
    assert viewer.result.labels.tolist() == [[0, 0, 0], [1, 1, 1]]
    assert viewer.result.threshold == 0.5
    assert viewer._confidence is sent, "a half percent is among the levels"
    viewer.threshold = 0.7501
    assert viewer.result.areas() == {"background": 5, "person": 1}
    assert 0.7501 in levels_of(viewer)
    viewer.threshold = 0.25
    assert viewer.result.threshold == 0.25
    assert wn.MaskViewer(one_class(), threshold=0.8).result.areas()["person"] == 1


def test_a_threshold_that_was_moved_stays_for_the_next_image_of_the_same_model():
    viewer = wn.MaskViewer(one_class())
    viewer.threshold = 0.25
    viewer.show(one_class(probabilities=PROBABILITIES[:, ::-1].copy()))
    assert viewer.threshold == 0.25
    assert viewer.result.labels.tolist() == [[1, 1, 1], [0, 0, 1]]
    viewer.show(one_class(), one_class(0.2))
    assert [one.threshold for one in viewer.results] == [0.25, 0.25]
    viewer.show(one_class(0.6))  # another model's, or another card's
    assert viewer.threshold == 0.6
    viewer.show(result(scores=SCORES))  # of several classes it is how sure the model has to be
    assert viewer.threshold == 0.0
    assert "levels" not in viewer._confidence[0]
    viewer.threshold = 1.0
    assert viewer.result.labels.tolist() == LABELS.tolist()
    viewer.show(one_class(keep_scores=False))
    assert viewer.threshold == 0.5


def test_two_results_of_one_class_have_their_own_thresholds_until_it_is_moved():
    viewer = wn.MaskViewer(one_class(0.5), one_class(0.2))
    assert [one.areas()["person"] for one in viewer.results] == [3, 5]
    viewer.threshold = 0.75
    assert [one.areas()["person"] for one in viewer.results] == [1, 1]
    viewer.threshold = 0.5
    assert [one.areas()["person"] for one in viewer.results] == [3, 5]
    mixed = wn.MaskViewer(one_class(), result(scores=SCORES))
    mixed.threshold = 0.1
    assert mixed.other.labels.tolist() == LABELS.tolist()
    assert mixed.result.areas()["person"] == 5


def test_thresholds_of_one_class_that_cannot_be_applied():
    viewer = wn.MaskViewer(one_class())
    for outside in (0.0, 1.0):
        with pytest.raises(InvalidArgumentError, match="above 0 and below 1, got"):
            viewer.threshold = outside
    bare = wn.MaskViewer(one_class(keep_scores=False))
    with pytest.raises(InvalidArgumentError, match=r"keeps no scores .* scores=True"):
        bare.threshold = 0.3
    assert (viewer.threshold, bare.threshold) == (0.5, 0.5)
    with pytest.raises(InvalidArgumentError, match="one of toy has 3 classes"):
        result().with_threshold(0.4)


# -------------------------------------------------------------------- background, covers and notes


@pytest.mark.parametrize(("background", "hidden"), [(None, []), (2, ["curb"]), (0, ["background"])])
def test_the_card_s_background_is_switched_off_at_first(background, hidden):
    card = CARD.replace(background=background)
    assert wn.MaskViewer(result(card=card)).hidden == hidden
    viewer = wn.MaskViewer(result())
    viewer.hidden = ["road"]
    viewer.show(result(card=card))
    assert viewer.hidden == (["road"] if background == 0 else hidden)


def test_what_a_mask_covers_and_what_is_assumed_is_said():
    recipe = wn.PreprocessRecipe(2, 3, range=(0, 1))
    made = result(
        recipe=recipe,
        covers=Coverage(0.0, 0.25, 1.0, 0.75),
        assumed=(
            assumed_recipe(recipe, ["color", "range", "resize"]),
            assumed_scores(logits=True),
        ),
    )
    viewer = wn.MaskViewer(made)
    assert viewer._masks[0]["covers"] == [0.0, 0.25, 1.0, 0.75]
    assumed, covers = viewer._notes
    assert assumed["text"] == (
        "assumed: BGR, values 0 to 1, triangle; scores are logits, by their values"
    )
    assert assumed["code"] == card_line("toy", made.assumed, CARD, recipe)
    assert 'color="BGR", range=(0, 1), resize="triangle"' in assumed["code"]
    assert "logits=True" in assumed["code"]
    assert assumed["badge"] == "recipe assumed"
    (by_values,) = wn.MaskViewer(result(assumed=made.assumed[1:]))._notes
    assert by_values["badge"] == "assumed", "a recipe is stated"
    assert covers == {
        "text": "the model saw 50.00 % of the image",
        "code": "",
        "badge": "saw 50.00 %",
    }
    beyond = result(covers=Coverage(-0.01, -0.01, 1.01, 1.01))
    assert wn.MaskViewer(beyond)._notes == [], "a stride reaches beyond the image"
    viewer.show(beyond, made)
    assert [one["text"][:11] for one in viewer._notes] == ["B: assumed:", "B: the mode"]
    viewer.show(made, made)
    assert [one["text"][:9] for one in viewer._notes] == ["assumed: ", "the model"]
