"""`MaskViewer` and what it sends to the page, without a kernel."""

import io
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image
from viewed import (
    LABELS,
    SCORES,
    TRANSPARENT,
    encoded,
    laid_down,
    noise,
    one_class,
    result,
)

import wasinn_nb as wn
from wasinn_nb.tasks.segmentation.masks import labels_of
from wasinn_nb.widgets.viewer.payload import (
    captions,
    confidence_payload,
    confidence_planes,
    image_payload,
    mask_payload,
    threshold_levels,
)

# ------------------------------------------------------------------------------- the image


@pytest.mark.parametrize(("kind", "type_"), [("PNG", "png"), ("JPEG", "jpeg"), ("WEBP", "webp")])
def test_an_image_that_browsers_show_alike_travels_as_it_is(kind, type_):
    content = encoded(noise(40, 30), kind)
    sent = image_payload(result(image=content))
    assert sent == {"bytes": content, "type": f"image/{type_}", "width": 40, "height": 30}


def pixels_of(sent):
    return np.asarray(Image.open(io.BytesIO(sent["bytes"])).convert("RGB"))


@pytest.mark.parametrize(
    ("content", "pixel"),
    [
        (encoded(TRANSPARENT), (100, 100, 100)),  # alpha is dropped, not blended
        (encoded(Image.new("P", (4, 4))), (0, 0, 0)),
        (encoded(Image.new("I;16", (4, 4), 65_535)), (255, 255, 255)),
        (encoded(Image.new("CMYK", (4, 4), (0, 255, 255, 0)), "TIFF"), (255, 0, 0)),
        (encoded(Image.new("RGB", (4, 4), (1, 2, 3)), "BMP"), (1, 2, 3)),
    ],
    ids=["alpha", "palette", "16 bit", "CMYK", "BMP"],
)
def test_an_image_that_browsers_show_otherwise_is_encoded_anew(content, pixel):
    sent = image_payload(result(image=content))
    assert sent["bytes"] != content
    assert sent["type"] == "image/png"
    assert (pixels_of(sent) == pixel).all()


def test_an_orientation_that_the_model_did_not_see_is_not_sent():
    exif = Image.Exif()
    exif[0x0112] = 6  # on its side
    image = Image.new("RGB", (200, 100), (9, 9, 9))
    sent = image_payload(result(image=encoded(image, "JPEG", exif=exif)))
    assert (sent["width"], sent["height"]) == (200, 100)
    assert Image.open(io.BytesIO(sent["bytes"])).getexif().get(0x0112, 1) == 1


@pytest.mark.full
def test_a_large_image_shrinks_to_what_may_travel_and_keeps_its_own_size_in_words():
    sent = image_payload(result(image=np.asarray(noise(2400, 1600))))
    assert len(sent["bytes"]) <= 260_000
    assert (sent["width"], sent["height"]) == (2400, 1600)
    height, width = pixels_of(sent).shape[:2]
    assert width < 2400
    assert abs(width / height - 1.5) < 0.01


def test_a_single_pixel_and_no_image():
    assert pixels_of(image_payload(result(image=np.full((1, 1, 3), 7, np.uint8)))).tolist() == [
        [[7, 7, 7]]
    ]
    assert image_payload(result()) == {}


# -------------------------------------------------------------------------- masks and confidences


def test_the_mask_travels_exactly():
    sent = mask_payload(result(), 3, "toy")
    assert (laid_down(sent) == LABELS).all()
    assert (sent.pop("runs"), len(sent.pop("labels"))) == (5, 15)
    assert sent == {
        "serial": 3,
        "caption": "toy",
        "image": 0,
        "width": 3,
        "height": 2,
        "covers": [0.0, 0.0, 1.0, 1.0],
        "threshold": None,
        "classes": [
            {"name": "background", "color": "#000000", "pixels": 2},
            {"name": "road", "color": "#0072b2", "pixels": 3},
            {"name": "curb", "color": "#d55e00", "pixels": 1},
        ],
    }


@given(
    arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.integers(0, 2))
)
def test_any_mask_travels_exactly(labels):
    sent = mask_payload(result(labels=labels), 1)
    assert (laid_down(sent) == labels).all()
    assert sent["runs"] == 1 + np.count_nonzero(np.diff(labels.ravel()))


def test_runs_longer_than_two_bytes_count_go_on_in_the_next():
    labels = np.zeros((300, 500), np.uint8)
    labels[200:] = 1
    sent = mask_payload(result(labels=labels), 1)
    assert (laid_down(sent) == labels).all()
    assert sent["runs"] == 4  # 65535 + 34465 of one class, then 31070 + 18930: a cut at each 65535


@pytest.mark.parametrize(("stripes", "runs"), [(8192, 8193), (8193, 0)])
def test_a_mask_of_many_runs_travels_deflated(stripes, runs):
    labels = np.zeros(2 * stripes + 1, np.uint8)
    labels[: stripes + 1] = np.arange(stripes + 1) % 3
    labels[stripes + 1 :] = labels[stripes]
    sent = mask_payload(result(labels=labels[None]), 1)
    assert (laid_down(sent) == labels).all()
    assert sent["runs"] == runs


@pytest.mark.full
def test_what_a_full_hd_result_weighs():
    made = wn.segment("city-crosswalk", scores=True)
    image = made.resize(1080, 1920)  # the mask at the size of the image, at worst
    assert len(mask_payload(image, 1)["labels"]) < 40_000
    together = [image_payload(made)["bytes"], mask_payload(made, 1)["labels"]]
    together.append(confidence_payload(made, 1)["planes"])
    assert sum(map(len, together)) < 600_000


def test_probabilities_are_sent_in_percent():
    planes = confidence_planes(SCORES, LABELS)
    assert planes.tolist() == [
        [[70, 80, 50], [50, 60, 50]],
        [[1, 0, 2], [1, 0, 1]],
        [[20, 10, 30], [30, 30, 30]],
    ]
    sent = confidence_payload(result(scores=SCORES), 4)
    assert sent["serial"] == 4
    assert zlib.decompress(sent["planes"]) == planes.tobytes()
    assert confidence_payload(result(), 4) == {}


@pytest.mark.full
@given(
    arrays(np.float32, (3, 2, 4), elements=st.floats(-50, 50, width=32), unique=True).filter(
        lambda scores: scores.min() < 0
    )
)
def test_other_scores_go_through_softmax(scores):
    labels = scores.argmax(0).astype(np.uint8)
    first, runner, second = confidence_planes(scores, labels)
    powers = np.exp(scores.astype(np.float64) - scores.max(0))
    expected = np.sort(100 * powers / powers.sum(0), axis=0)
    assert np.abs(first - expected[-1]).max() <= 0.51
    assert np.abs(second - expected[-2]).max() <= 0.51
    assert (runner == np.argsort(scores, 0)[-2]).all()


def test_many_classes_take_little_memory_at_a_time():
    scores = np.zeros((256, 64, 300), np.float32)
    scores[7], scores[9] = 0.75, 0.25
    planes = confidence_planes(scores, np.full((64, 300), 7, np.uint8))
    assert [np.unique(plane).tolist() for plane in planes] == [[75], [9], [25]]


def test_one_class_sends_its_probabilities_as_levels_that_they_are_above():
    sent = confidence_payload(one_class(), 4)
    assert (sent["serial"], sent["step"]) == (4, 1)
    assert sent["levels"] == [step / 200 for step in range(201)]
    above = np.frombuffer(zlib.decompress(sent["planes"]), np.uint8)
    assert above.tolist() == [0, 50, 100, 101, 150, 200]
    mask = mask_payload(one_class(), 4)
    assert mask["threshold"] == 0.5
    assert laid_down(mask).tolist() == [[0, 0, 0], [1, 1, 1]]
    assert [one["pixels"] for one in mask["classes"]] == [3, 3]
    assert confidence_payload(one_class(keep_scores=False), 4) == {}


def test_a_threshold_between_the_steps_gets_a_level_of_its_own():
    third = 1 / 3
    levels = confidence_payload(one_class(third), 1, 0.123)["levels"]
    assert len(levels) == 203
    assert [levels[25], levels[68]] == [0.123, third]


@pytest.mark.full
@given(
    arrays(np.float32, (1, 3, 5), elements=st.floats(0, 1, width=32)),
    st.floats(0.001, 0.999),
    st.sampled_from([20, 50, 100, 200]),
)
def test_at_every_level_the_page_has_the_labels_of_the_kernel(probabilities, threshold, steps):
    levels = threshold_levels(steps, threshold)
    labels = labels_of(probabilities, threshold)
    (above,) = confidence_planes(probabilities, labels, levels)
    for index, level in enumerate(levels):
        assert ((above > index) == labels_of(probabilities, level)).all()


@pytest.mark.parametrize(("side", "step"), [(64, 1), (256, 1), (350, 2), (600, 5)])
def test_probabilities_that_do_not_compress_travel_in_coarser_steps(side, step):
    wild = np.random.default_rng(0).random((1, side, side), np.float32)
    sent = confidence_payload(one_class(0.375, wild), 1)
    assert sent["step"] == step
    assert 0.375 in sent["levels"]
    if step < 5:
        assert len(sent["planes"]) <= 100_000
    above = np.frombuffer(zlib.decompress(sent["planes"]), np.uint8).reshape(side, side)
    assert ((above > sent["levels"].index(0.375)) == labels_of(wild, 0.375)).all()


def test_captions_say_what_differs_and_nothing_else():
    recipe = wn.PreprocessRecipe(2, 3)
    a = result(recipe=recipe)
    assert captions([a, result(recipe=recipe)]) == ["", ""]
    other = result(recipe=recipe.replace(color="RGB"), precision="bf16")
    assert captions([a, other]) == ["f32, color BGR", "bf16, color RGB"]
    assert captions([a]) == ["toy"]
    assert captions([result(), a]) == ["", ""], "one says nothing of its recipe"
    assert captions([result(), result(runtime="litert")]) == ["openvino", "litert"]
    assert captions([one_class(), one_class(0.3)]) == ["threshold 0.5", "threshold 0.3"]
