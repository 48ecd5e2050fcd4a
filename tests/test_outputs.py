"""Which output of a model is the mask, and how it is read: by ports, and in whole models."""

from __future__ import annotations

import re

import numpy as np
import pytest
import toys
from hypothesis import example, given
from hypothesis import strategies as st

import wasinn_nb as wn
from wasinn_nb import errors
from wasinn_nb.abi import TensorType
from wasinn_nb.cards import ModelCard, Signature, port_of
from wasinn_nb.masks import labels_of, resize_scores
from wasinn_nb.recipe import PreprocessRecipe
from wasinn_nb.tasks.segmentation.outputs import mask_output

SIZE = (48, 64)
CARD = ModelCard("toy")
FLOATS = ("f16", "f32", "f64")
INTEGERS = ("u8", "i8", "i32", "i64")


def read(dimensions, type_="f32", size=SIZE, card=CARD, **port):
    """Return how one output is read: scale, planes, whether classes are last, their axis."""
    return read_all([port_of("out", dimensions, type_, **port)], size, card)[1:]


def read_all(ports, size=SIZE, card=CARD):
    found = mask_output(Signature((), tuple(ports)), card, size)
    return found.index, found.scale, found.planes, found.channels_last, found.axis


# ------------------------------------------------------------------------------------ the port


@pytest.mark.parametrize("type_", FLOATS)
@pytest.mark.parametrize(
    ("dimensions", "last", "axis"),
    [
        ((1, 4, 48, 64), False, 1),
        ((None, 4, 48, 64), False, 1),
        ((4, 48, 64), False, 0),
        ((1, 48, 64, 4), True, 3),
        ((None, 48, 64, 4), True, 3),
        ((48, 64, 4), True, 2),
    ],
)
def test_class_scores(dimensions, last, axis, type_):
    assert read(dimensions, type_) == ("scores", (4, 48, 64), last, axis)


@pytest.mark.parametrize("type_", INTEGERS)
def test_quantized_class_scores(type_):
    assert read((1, 48, 64, 4), type_) == ("scores", (4, 48, 64), True, 3)


@pytest.mark.parametrize("count", [2, 3, 21, 255, 256])
def test_numbers_of_classes(count):
    assert read((1, count, 48, 64)) == ("scores", (count, 48, 64), False, 1)
    assert read((1, 48, 64, count)) == ("scores", (count, 48, 64), True, 3)


@pytest.mark.parametrize("dimensions", [(1, 257, 48, 64), (1, 48, 64, 257), (257, 48, 64)])
def test_more_classes_than_labels_hold(dimensions):
    with pytest.raises(errors.InvalidArgumentError, match="not a segmentation model of 48x64"):
        read(dimensions)


ONE_PLANE = [
    ((1, 1, 48, 64), False),
    ((None, 1, 48, 64), False),
    ((1, 48, 64, 1), True),
    ((1, 48, 64), False),
    ((48, 64), False),
    ((48, 64, 1), True),
]


@pytest.mark.parametrize("type_", FLOATS)
@pytest.mark.parametrize(("dimensions", "last"), [*ONE_PLANE, ((1, 48 * 64), False)])
def test_one_class(dimensions, last, type_):
    assert read(dimensions, type_) == ("one class", (1, 48, 64), last, None)


@pytest.mark.parametrize("type_", INTEGERS)
@pytest.mark.parametrize(("dimensions", "last"), ONE_PLANE)
def test_labels(dimensions, last, type_):
    assert read(dimensions, type_) == ("labels", (1, 48, 64), last, None)


@pytest.mark.parametrize("type_", ["u8", "i8"])
def test_quantized_probabilities_of_one_class(type_):
    found = read((1, 48, 64, 1), type_, quantization=(1 / 256, 0))
    assert found == ("one class", (1, 48, 64), True, None)


def test_flat_labels_are_not_read():
    with pytest.raises(errors.InvalidArgumentError, match="none of them is a mask"):
        read((1, 48 * 64), "i64")


@pytest.mark.parametrize("type_", ["boolean", "u16", "string"])
def test_types_that_tensors_do_not_have(type_):
    with pytest.raises(errors.InvalidArgumentError, match=f"it gives out 1x48x64x{type_}, and"):
        read((1, 48, 64), type_)


@pytest.mark.parametrize("part", [1, 2, 4, 8, 16])
def test_fractions_of_the_input(part):
    height, width = 48 // part, 64 // part
    assert read((1, 5, height, width)) == ("scores", (5, height, width), False, 1)
    assert read((1, height, width, 5)) == ("scores", (5, height, width), True, 3)
    assert read((1, 1, height, width)) == ("one class", (1, height, width), False, None)


@pytest.mark.parametrize(("side", "stride"), [(33, 8), (65, 4), (17, 16), (129, 2)])
def test_strides(side, stride):
    assert (side - 1) * stride + 1 == 257
    assert read((1, side, side, 1), size=(257, 257))[1] == (1, side, side)
    assert read((1, 21, side, side), size=(257, 257))[1] == (21, side, side)
    wide = (side - 1) * 2 + 1
    assert read((1, 21, side, wide), size=(257, 513))[1] == (21, side, wide)


@pytest.mark.parametrize(
    "dimensions",
    [
        (1, 3, 47, 64),
        (1, 3, 48, 63),
        (1, 3, 64, 48),
        (1, 3, 24, 64),  # half the height only
        (1, 3, 48, 32),
        (1, 3, 96, 128),  # larger
        (1, 3, 32, 32),
        (1, 3, 1, 1),
        (1, 10, 1, 1),
        (1, 1),
        (1, 64),
        (1, 1000),
        (1, 47 * 64),
        (2, 3, 48, 64),
        (4, 1, 48, 64),
        (1, 1, 3, 48, 64),
        (1, 3, None, 64),
        (1, 3, None, None),
        (None, None, 48, 64),
        (),
    ],
)
def test_what_is_never_a_mask(dimensions):
    with pytest.raises(errors.InvalidArgumentError) as caught:
        read(dimensions)
    shown = "x".join(["?" if side is None else str(side) for side in dimensions] + ["f32"])
    assert f"it gives out {shown}, and none of them is a mask" in str(caught.value)


def test_a_classifier_of_square_images_gives_no_mask_of_one_pixel():
    """1x1 is a whole fraction of every square; a row of scores for the image is not its mask."""
    for dimensions in [(1, 10, 1, 1), (1, 1, 1, 10), (1, 1, 1, 1), (1, 1)]:
        with pytest.raises(errors.InvalidArgumentError, match="none of them is a mask"):
            read(dimensions, size=(224, 224))
    assert read((1, 10, 1, 1), size=(1, 1))[1] == (10, 1, 1)


# ------------------------------------------------------------------------- two readings fit


@pytest.mark.parametrize("dimensions", [(1, 8, 8, 8), (8, 8, 8), (1, 4, 4, 4)])
def test_cubes_are_refused_until_the_card_says_the_axis(dimensions):
    first = len(dimensions) - 3
    count = dimensions[-1]
    with pytest.raises(errors.InvalidArgumentError) as caught:
        read(dimensions, size=(8, 8))
    assert (
        f"holds its classes in axis {first} ({count} classes) or axis {first + 2} ({count} classes)"
    ) in str(caught.value)
    remedies = re.findall(r"(channels_last)=(True|False)", str(caught.value))
    found = {
        value: read(dimensions, size=(8, 8), card=CARD.replace(**{name: value == "True"}))
        for name, value in remedies
    }
    assert found == {
        "True": ("scores", (count, count, count), True, first + 2),
        "False": ("scores", (count, count, count), False, first),
    }


def test_the_number_of_classes_on_the_card_decides():
    dimensions, size = (1, 2, 4, 8), (8, 16)  # 2 classes of 4x8, or 8 of 2x4
    with pytest.raises(errors.InvalidArgumentError, match=r"axis 1 \(2 classes\) or axis 3 \(8"):
        read(dimensions, size=size)
    two = CARD.replace(classes=("a", "b"))
    assert read(dimensions, size=size, card=two) == ("scores", (2, 4, 8), False, 1)
    eight = CARD.replace(classes=tuple("abcdefgh"))
    assert read(dimensions, size=size, card=eight) == ("scores", (8, 2, 4), True, 3)


def test_a_card_that_contradicts_the_axes():
    with pytest.raises(errors.InvalidArgumentError, match="none of them is a mask"):
        read((1, 48, 64, 4), card=CARD.replace(channels_last=False))
    with pytest.raises(errors.InvalidArgumentError, match="none of them is a mask"):
        read((1, 4, 48, 64), card=CARD.replace(channels_last=True))


@pytest.mark.parametrize("last", [True, False])
def test_one_plane_has_no_axis_to_say(last):
    card = CARD.replace(channels_last=last)
    assert read((1, 48, 64), "i64", card=card)[0] == "labels"
    assert read((1, 1, 48, 64), card=card)[0] == "one class"


# ----------------------------------------------------------------------------- several outputs

BOXES = port_of("boxes", (1, 100, 4), "f32")
AUX = port_of("aux", (1, 4, 48, 64), "f32")
MASK = port_of("mask", (1, 4, 48, 64), "f32")
SMALL = port_of("small", (1, 4, 24, 32), "f32")
UNNAMED = port_of("", (1, 4, 48, 64), "f32")


def test_the_one_output_that_fits_is_taken():
    assert read_all([BOXES, MASK])[0] == 1
    assert read_all([MASK, BOXES])[0] == 0


def test_several_that_fit_are_listed():
    with pytest.raises(errors.InvalidArgumentError) as caught:
        read_all([AUX, BOXES, MASK, SMALL])
    assert str(caught.value) == (
        "several outputs can be the mask: aux 1x4x48x64xf32, mask 1x4x48x64xf32, "
        "small 1x4x24x32xf32; choose one on the card: output='aux'"
    )


@pytest.mark.parametrize("output", ["mask", 2])
def test_the_card_chooses_by_name_or_index(output):
    assert read_all([AUX, BOXES, MASK], card=CARD.replace(output=output))[0] == 2


def test_outputs_without_names_are_chosen_by_index():
    with pytest.raises(errors.InvalidArgumentError, match=r"0 1x4x48x64xf32, 1 .* output=0"):
        read_all([UNNAMED, UNNAMED])
    assert read_all([UNNAMED, UNNAMED], card=CARD.replace(output=1))[0] == 1


@pytest.mark.parametrize("output", ["masks", "", 3])
def test_the_card_names_an_output_that_is_not_there(output):
    if output == "":
        with pytest.raises(errors.RecipeError):
            CARD.replace(output=output)
        return
    with pytest.raises(errors.InvalidArgumentError) as caught:
        read_all([AUX, BOXES, MASK], card=CARD.replace(output=output))
    assert str(caught.value) == (
        f"the card of toy names the output {output!r}; the model has aux 1x4x48x64xf32, boxes "
        f"1x100x4xf32, mask 1x4x48x64xf32"
    )


def test_the_chosen_output_is_not_a_mask():
    with pytest.raises(errors.InvalidArgumentError, match=r"\(output 'boxes' was asked for\)"):
        read_all([AUX, BOXES, MASK], card=CARD.replace(output="boxes"))


def test_the_number_of_classes_decides_between_outputs():
    edges = port_of("edges", (1, 2, 48, 64), "f32")
    card = CARD.replace(classes=("a", "b", "c", "d"))
    assert read_all([edges, MASK], card=card)[0] == 1


# ------------------------------------------------------------------------ never another size

SIDES = st.one_of(st.integers(1, 20), st.sampled_from([24, 32, 33, 48, 64, 65, 128, 256, 257]))


def belongs(side, mask):
    """Return by how much a side is larger than the mask's, in the two ways that there are."""
    fractions = {side // mask} if side % mask == 0 else set()
    strides = {(side - 1) // (mask - 1)} if mask > 1 and (side - 1) % (mask - 1) == 0 else set()
    return fractions, strides


@given(
    dimensions=st.lists(st.one_of(SIDES, st.none()), max_size=5),
    type_=st.sampled_from(["f16", "f32", "u8", "i64", "boolean"]),
    size=st.tuples(SIDES, SIDES),
    last=st.sampled_from([None, True, False]),
    classes=st.integers(0, 8),
)
@example(dimensions=[1, 8, 8, 8], type_="f32", size=(8, 8), last=True, classes=0)
@example(dimensions=[1, 33, 33, 1], type_="f32", size=(257, 257), last=None, classes=0)
@example(dimensions=[1, 64], type_="f32", size=(8, 8), last=None, classes=0)
def test_a_mask_is_always_of_the_images_size_or_a_whole_part_of_it(
    dimensions, type_, size, last, classes
):
    card = CARD.replace(channels_last=last, classes=tuple(map(str, range(classes))))
    port = port_of("out", dimensions, type_)
    try:
        found = mask_output(Signature((), (port,)), card, size)
    except errors.InvalidArgumentError:
        return
    channels, rows, columns = found.planes
    known = [side for side in dimensions if side is not None]
    assert channels * rows * columns == np.prod(known)
    assert channels == 1 or found.scale == "scores"
    down, across = belongs(size[0], rows), belongs(size[1], columns)
    assert (down[0] & across[0]) or (down[1] & across[1])
    assert (rows, columns) != (1, 1) or size == (1, 1)
    if last is not None and found.axis is not None:
        assert found.channels_last is last


# ------------------------------------------------------------------------------- whole models

IMAGE = np.zeros((4, 6, 3), np.uint8)
IMAGE[:, :2, 0], IMAGE[:, 2:4, 1], IMAGE[:, 4:, 2] = 200, 100, 50
STRIPES = [[0, 0, 1, 1, 2, 2]] * 4
RGB = PreprocessRecipe(4, 6, color="RGB", resize="bilinear")
GRAY = PreprocessRecipe(2, 3, color="GRAY", resize="bilinear")
LEVELS = np.array([[0, 51, 102], [153, 204, 255]], np.uint8)


def save(folder, build, shape=(1, 3, 4, 6), type_="f32", name="toy"):
    return toys.save(toys.graph(build, shape, type_), folder / f"{name}.xml")


def reshaped(data, shape, order=None):
    from openvino import opset13 as op

    moved = data if order is None else op.transpose(data, np.array(order))
    return op.reshape(moved, np.array(shape), special_zero=False)


@pytest.mark.parametrize(
    ("shape", "order"),
    [
        ((1, 3, 4, 6), None),
        ((3, 4, 6), None),
        ((1, 4, 6, 3), (0, 2, 3, 1)),
        ((4, 6, 3), (0, 2, 3, 1)),
    ],
)
@pytest.mark.parametrize("scores", [False, True])
def test_models_of_class_scores(tmp_path, shape, order, scores):
    path = save(tmp_path, lambda data: reshaped(data, shape, order))
    result = wn.segment(IMAGE, path, recipe=RGB, scores=scores)
    assert result.labels.tolist() == STRIPES
    assert (result.threshold, result.assumed) == (None, ())
    if scores:
        assert np.array_equal(result.scores, IMAGE.transpose(2, 0, 1))


def test_channels_last_is_not_a_mask_of_many_classes(tmp_path):
    """1x48x64x4 was a mask of 64x4 pixels and 48 classes."""
    path = save(tmp_path, lambda data: reshaped(data, (1, 48, 64, 3), (0, 2, 3, 1)), (1, 3, 48, 64))
    result = wn.segment(np.repeat(np.repeat(IMAGE, 12, 0), 12, 1)[:, :64], path)
    assert result.labels.shape == (48, 64)
    assert len(result.card.classes) == 3


@pytest.mark.parametrize("shape", [(1, 1, 2, 3), (1, 2, 3), (2, 3), (1, 2, 3, 1), (1, 6)])
@pytest.mark.parametrize("kind", ["sigmoid", "logits", "unknown"])
@pytest.mark.parametrize("scores", [False, True])
def test_models_of_one_class(tmp_path, shape, kind, scores):
    """2 (x - 0.5) of gray values 0 to 1, in three kinds of graphs; right above 0.5."""
    from openvino import opset13 as op

    def build(data):
        if kind == "unknown":
            return reshaped(op.subtract(op.multiply(data, np.float32(2)), np.float32(1)), shape)
        kernel = np.full((1, 1, 1, 1), 2, np.float32)
        linear = op.convolution(data, kernel, [1, 1], [0, 0], [0, 0], [1, 1])
        logits = op.add(linear, np.full((1, 1, 1, 1), -1, np.float32))
        return reshaped(op.sigmoid(logits) if kind == "sigmoid" else logits, shape)

    path = save(tmp_path, build, (1, 1, 2, 3))
    recipe = GRAY.replace(range=(0, 1))
    result = wn.segment(LEVELS, path, recipe=recipe, scores=scores)
    assert result.labels.tolist() == [[0, 0, 0], [1, 1, 1]]
    assert result.card.classes == ("background", "foreground")
    assert result.threshold == 0.5
    assert result.assumed == (("scores are logits, by their values",) if kind == "unknown" else ())
    facts = wn.Pipeline(path, recipe=recipe, task="segmentation").reading.facts
    assert facts["threshold"] == "0.5, assumed"
    assert (
        facts["values"]
        == {
            "sigmoid": "one class, probabilities",
            "logits": "one class, logits",
            "unknown": "one class, probabilities or logits as the values tell, assumed",
        }[kind]
    )
    if scores:
        logits = 2 * (LEVELS / 255) - 1
        assert result.scores.shape == (1, 2, 3)
        assert result.scores[0] == pytest.approx(1 / (1 + np.exp(-logits)), abs=1e-6)
    else:
        assert result.scores is None


def test_values_within_0_and_1_are_probabilities(tmp_path):
    from openvino import opset13 as op

    path = save(tmp_path, lambda data: op.multiply(data, np.float32(1)), (1, 1, 2, 3))
    result = wn.segment(LEVELS, path, recipe=GRAY.replace(range=(0, 1)), scores=True)
    assert result.labels.tolist() == [[0, 0, 0], [1, 1, 1]]
    assert result.assumed == ("scores are probabilities, by their values",)
    assert result.scores[0] == pytest.approx(LEVELS / 255)


@pytest.mark.parametrize("logits", [True, False])
def test_the_card_says_whether_values_are_logits(tmp_path, logits):
    from openvino import opset13 as op

    path = save(tmp_path, lambda data: op.multiply(data, np.float32(1)), (1, 1, 2, 3))
    card = ModelCard("toy", recipe=GRAY.replace(range=(0, 1)), logits=logits)
    result = wn.segment(LEVELS, path, card=card)
    # As logits all but 0 are above 0.5.
    assert result.labels.tolist() == ([[0, 1, 1], [1, 1, 1]] if logits else [[0, 0, 0], [1, 1, 1]])
    assert result.assumed == ()


@pytest.mark.parametrize("kind", ["sigmoid", "logits"])
def test_threshold_of_card_and_call(tmp_path, kind):
    from openvino import opset13 as op

    def build(data):
        logits = op.convolution(
            data, np.ones((1, 1, 1, 1), np.float32), [1, 1], [0, 0], [0, 0], [1, 1]
        )
        return op.sigmoid(logits) if kind == "sigmoid" else logits

    path = save(tmp_path, build, (1, 1, 2, 3))
    card = ModelCard(
        "toy", recipe=GRAY.replace(range=(-2, 3)), classes=("person",), threshold=0.9
    )  # logits -2 to 3, probabilities 0.12 0.27 0.5 0.73 0.88 0.95
    result = wn.segment(LEVELS, path, card=card)
    assert result.labels.tolist() == [[0, 0, 0], [0, 0, 1]]
    assert (result.threshold, result.card.classes) == (0.9, ("background", "person"))
    assert result.areas() == {"background": 5, "person": 1}
    lower = wn.segment(LEVELS, path, card=card, threshold=0.6, scores=True)
    assert lower.labels.tolist() == [[0, 0, 0], [1, 1, 1]]
    assert lower.threshold == 0.6
    assert np.array_equal(labels_of(lower.scores, 0.6), lower.labels)


@pytest.mark.parametrize("classes", [("a", "b", "c"), tuple("abcdefgh")])
def test_a_card_of_several_classes_on_a_model_of_one(tmp_path, classes):
    from openvino import opset13 as op

    path = save(tmp_path, op.sigmoid, (1, 1, 2, 3))
    message = f"names {len(classes)} classes, the model's output has 2"
    with pytest.raises(errors.InvalidArgumentError, match=message):
        wn.segment(LEVELS, path, card=ModelCard("toy", recipe=GRAY, classes=classes))


@pytest.mark.parametrize("type_", ["u8", "i32", "i64", "i8"])
@pytest.mark.parametrize("shape", [(1, 2, 3), (1, 1, 2, 3), (1, 2, 3, 1), (2, 3)])
def test_models_of_labels(tmp_path, type_, shape):
    from openvino import opset13 as op

    def build(data):
        return reshaped(op.convert(op.divide(data, np.float32(51)), type_), shape)

    path = save(tmp_path, build, (1, 1, 2, 3))
    card = ModelCard("toy", recipe=GRAY, classes=tuple("abcdef"))
    result = wn.segment(LEVELS, path, card=card, scores=True)
    assert result.labels.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert result.labels.dtype == np.uint8
    assert (result.scores, result.threshold, result.assumed) == (None, None, ())
    bare = wn.segment(LEVELS, path, recipe=GRAY)
    assert bare.labels.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert bare.assumed == ("256 classes, which nothing counts",)


def test_labels_that_the_card_does_not_name(tmp_path):
    from openvino import opset13 as op

    path = save(tmp_path, lambda data: op.convert(data, "i32"), (1, 1, 2, 3))
    card = ModelCard("toy", recipe=GRAY, classes=tuple("abcdef"))
    with pytest.raises(errors.TensorError, match=r"gives label 255, .* names 6 classes: 0 to 5"):
        wn.segment(LEVELS, path, card=card)


@pytest.mark.parametrize(("low", "high"), [(-1, 254), (0, 256), (-300, 300)])
def test_labels_that_no_mask_holds(tmp_path, low, high):
    from openvino import opset13 as op

    path = save(tmp_path, lambda data: op.convert(data, "i32"), (1, 1, 2, 3))
    recipe = GRAY.replace(range=(low, high))
    message = f"labels as whole numbers from 0 to 255, got values from {low} to {high}"
    with pytest.raises(errors.TensorError, match=message):
        wn.segment(LEVELS, path, recipe=recipe)


def test_several_outputs(tmp_path):
    from openvino import opset13 as op

    def build(data):
        opposite = op.multiply(data, np.float32(-1))
        opposite.output(0).set_names({"aux"})
        scores = op.multiply(data, np.float32(2))
        scores.output(0).set_names({"scores"})
        means = op.reduce_mean(data, np.array([2, 3]))
        means.output(0).set_names({"means"})
        return [opposite, means, scores]

    path = save(tmp_path, build)
    with pytest.raises(errors.InvalidArgumentError) as caught:
        wn.segment(IMAGE, path, recipe=RGB)
    assert str(caught.value) == (
        "several outputs can be the mask: aux 1x3x4x6xf32, scores 1x3x4x6xf32; choose one on the "
        "card: output='aux'"
    )
    for output in ("scores", 2):
        card = ModelCard("toy", recipe=RGB, output=output)
        assert wn.segment(IMAGE, path, card=card).labels.tolist() == STRIPES
        assert wn.segment(IMAGE, path, recipe=RGB, output=output).labels.tolist() == STRIPES
    # What is not negative is the highest: the lower of two equal ones.
    assert (
        wn.segment(IMAGE, path, recipe=RGB, output="aux").labels.tolist()
        == [[1, 1, 0, 0, 0, 0]] * 4
    )
    for output in ("mask", 3):
        with pytest.raises(errors.InvalidArgumentError, match=f"names the output {output!r}"):
            wn.segment(IMAGE, path, recipe=RGB, output=output)
    with pytest.raises(errors.InvalidArgumentError, match="'means' was asked for"):
        wn.segment(IMAGE, path, recipe=RGB, output="means")


@pytest.mark.parametrize("part", [2, 4, 8])
def test_fractions_are_upsampled_before_their_argmax(tmp_path, part):
    from openvino import opset13 as op

    def build(data):
        sides, no = [part, part], [0, 0]
        return op.avg_pool(data, sides, no, no, sides, exclude_pad=False)

    path = save(tmp_path, build, (1, 3, 16, 32))
    recipe = RGB.replace(height=16, width=32)
    image = np.random.default_rng(part).integers(0, 256, (16, 32, 3), np.uint8)
    result = wn.segment(image, path, recipe=recipe, scores=True)
    assert result.labels.shape == (16 // part, 32 // part)
    assert np.array_equal(result.labels, result.scores.argmax(0))
    larger = result.labels_at(16, 32)
    assert np.array_equal(larger, resize_scores(result.scores, 16, 32).argmax(0))
    assert np.array_equal(result.resize(16, 32).labels, larger)


def test_a_stride(tmp_path):
    """33 of 257, as TensorFlow's encoders give: every eighth pixel, the first and last included."""
    from openvino import opset13 as op

    def build(data):
        pixels = op.strided_slice(
            data, np.array([0] * 4), np.array([0] * 4), np.array([1, 1, 8, 8]), [1] * 4, [1] * 4
        )
        return op.sigmoid(op.subtract(pixels, np.float32(128)))

    path = save(tmp_path, build, (1, 1, 257, 257))
    recipe = GRAY.replace(height=257, width=257)
    image = np.zeros((257, 257), np.uint8)
    image[:, 128:] = 255
    result = wn.segment(image, path, recipe=recipe, scores=True)
    assert result.labels.tolist() == [[0] * 16 + [1] * 17] * 33
    larger = result.labels_at(257, 257)
    # Between columns 120 and 128, which the mask holds, the class changes in the middle.
    assert larger[:, :124].max() == 0
    assert larger[:, 125:].min() == 1


@pytest.mark.parametrize("shape", [(1, 3, 3, 5), (1, 3, 8, 12), (1, 3, 4, 3), (1, 12, 6), (1, 71)])
def test_models_whose_output_never_fits(tmp_path, shape):
    from openvino import opset13 as op

    def build(data):
        flat = op.reshape(data, np.array([-1]), special_zero=False)
        repeated = op.concat([flat] * 4, 0)
        end = np.array([int(np.prod(shape))])
        cut = op.strided_slice(repeated, np.array([0]), end, np.array([1]), [0], [0])
        made = op.reshape(cut, np.array(shape), special_zero=False)
        made.output(0).set_names({"made"})
        return made

    path = save(tmp_path, build)
    with pytest.raises(errors.InvalidArgumentError) as caught:
        wn.segment(IMAGE, path, recipe=RGB)
    shown = "x".join(map(str, shape))
    assert f"it gives made {shown}xf32, and none of them is a mask of the image's size" in str(
        caught.value
    )


def test_a_cube_with_the_remedy_of_its_error(tmp_path):
    from openvino import opset13 as op

    def build(data):  # 3 of the 8 channels are the image's
        return op.concat([data, op.constant(np.full((1, 5, 8, 8), -1, np.float32))], 1)

    path = save(tmp_path, build, (1, 3, 8, 8))
    recipe = RGB.replace(height=8, width=8)
    image = np.zeros((8, 8, 3), np.uint8)
    image[:4, :, 1], image[4:, :, 2] = 9, 9
    with pytest.raises(errors.InvalidArgumentError) as caught:
        wn.segment(image, path, recipe=recipe)
    remedies = re.findall(r"channels_last=(?:True|False)", str(caught.value))
    assert remedies == ["channels_last=True", "channels_last=False"]
    cards = [eval(f"ModelCard('toy', {remedy})") for remedy in remedies]
    last, first = (wn.segment(image, path, card=card, recipe=recipe) for card in cards)
    assert first.labels.tolist() == [[1] * 8] * 4 + [[2] * 8] * 4
    assert last.labels.shape == (8, 8)


@pytest.mark.parametrize("count", [2, 4, 21])
def test_the_number_of_classes_is_checked(tmp_path, count):
    path = save(tmp_path, lambda data: reshaped(data, (1, 3, 4, 6)))
    card = ModelCard("toy", recipe=RGB, classes=tuple(f"c{index}" for index in range(count)))
    message = f"the card of toy names {count} classes, the model's output has 3"
    with pytest.raises(errors.InvalidArgumentError, match=message):
        wn.segment(IMAGE, path, card=card)


# ------------------------------------------------------------------------------------- inputs


def doubled(data):
    from openvino import opset13 as op

    kind = data.get_element_type().get_type_name()
    values = data if kind == "f32" else op.convert(data, "f32")
    return op.multiply(values, np.float32(2))


def test_a_fixed_batch(tmp_path):
    path = save(tmp_path, doubled, (4, 3, 4, 6))
    with pytest.raises(errors.InvalidArgumentError) as caught:
        wn.segment(IMAGE, path)
    assert str(caught.value) == (
        "the model takes 4x3x4x6xf32: a fixed batch of 4 images; convert it again with a batch of "
        "1, or call it with wasinn_nb.WasiNnCtx"
    )


def test_an_open_batch_is_one_image(tmp_path):
    path = save(tmp_path, doubled, (-1, 3, 4, 6))
    assert wn.segment(IMAGE, path, recipe=RGB).labels.tolist() == STRIPES
    assert wn.Pipeline(path).recipe.dimensions == (1, 3, 4, 6)


@pytest.mark.parametrize("shape", [(1, 3, -1, -1), (-1, 3, -1, -1), (1, 3, 4, -1)])
def test_open_sizes(tmp_path, shape):
    path = save(tmp_path, doubled, shape)
    assert wn.segment(IMAGE, path, recipe=RGB).labels.tolist() == STRIPES
    assumed = wn.Pipeline(path)
    height = 512 if shape[2] == -1 else 4
    assert assumed.recipe.dimensions == (1, 3, height, 512)
    assert f"size {height}x512, which the model leaves open" in assumed.assumed


@pytest.mark.parametrize(("layout", "shape"), [("CHW", (3, 4, 6)), ("HWC", (4, 6, 3))])
def test_images_without_a_batch(tmp_path, layout, shape):
    path = save(tmp_path, doubled, shape)
    result = wn.segment(IMAGE, path, recipe=RGB.replace(layout=layout))
    assert result.labels.tolist() == STRIPES
    assert result.recipe.dimensions == shape


def test_gray_images(tmp_path):
    from openvino import opset13 as op

    def build(data):
        return op.concat([data, op.subtract(np.float32(255), data)], 1)

    path = save(tmp_path, build, (1, 1, 5, 7))
    image = np.zeros((5, 7), np.uint8)
    image[2, 3] = 255
    result = wn.segment(image, path)
    assert result.recipe == GRAY.replace(height=5, width=7)
    assert result.areas() == {"class 0": 1, "class 1": 34}
    assert result.labels[2, 3] == 0


@pytest.mark.parametrize("color", ["RGBA", "BGRA"])
def test_images_with_alpha(tmp_path, color):
    path = save(tmp_path, doubled, (1, 4, 4, 6))
    image = np.dstack([IMAGE, np.full((4, 6), 75, np.uint8)])
    result = wn.segment(image, path, recipe=RGB.replace(color=color), scores=True)
    order = [0, 1, 2, 3] if color == "RGBA" else [2, 1, 0, 3]
    assert np.array_equal(result.scores, 2.0 * image[..., order].transpose(2, 0, 1))
    assert result.labels.tolist() == image[..., order].argmax(2).tolist()
    assert wn.Pipeline(path).recipe.color == "BGRA"


def test_signed_bytes(tmp_path):
    path = save(tmp_path, doubled, type_="i8")
    result = wn.segment(IMAGE, path, recipe=RGB.replace(type="i8"), scores=True)
    assert np.array_equal(result.scores, 2 * (IMAGE.transpose(2, 0, 1).astype(np.float32) - 128))
    assert result.labels.tolist() == STRIPES
    assert wn.Pipeline(path).recipe.range == (-128, 127)


def test_signed_bytes_with_quantization(tmp_path):
    path = save(tmp_path, doubled, type_="i8")
    recipe = RGB.replace(type="i8", range=(0, 1), quantization=(1 / 255, -128))
    result = wn.segment(IMAGE, path, recipe=recipe, scores=True)
    assert np.array_equal(result.scores, 2 * (IMAGE.transpose(2, 0, 1).astype(np.float32) - 128))


@pytest.mark.parametrize("type_", ["boolean", "i32", "i64", "f64"])
def test_segment_refuses_what_set_input_refuses(tmp_path, type_):
    """A mask from numbers of another type would look like a mask."""
    path = save(tmp_path, doubled, type_=type_)
    with pytest.raises(errors.InvalidArgumentError) as refused:
        wn.segment(IMAGE, path)
    assert f"the model takes 1x3x4x6x{type_}" in str(refused.value)
    with wn.WasiNnCtx() as ctx:
        context = ctx.init_execution_context(ctx.load(path))
        for image_type in ("u8", "i8", "f16", "f32"):
            recipe = RGB.replace(type=image_type)
            with pytest.raises(errors.InvalidArgumentError) as refused:
                wn.segment(IMAGE, path, recipe=recipe)
            assert f"the model takes 1x3x4x6x{type_}" in str(refused.value)
            with pytest.raises(errors.InvalidArgumentError) as refused:
                ctx.set_input(context, 0, wn.image_to_tensor(IMAGE, recipe))
            assert f"the model takes 1x3x4x6x{type_}" in str(refused.value)


@pytest.mark.parametrize("type_", ["u8", "i8", "f16", "f32"])
@pytest.mark.parametrize("given", ["u8", "i8", "f16", "f32"])
def test_segment_takes_what_set_input_takes(tmp_path, type_, given):
    path = save(tmp_path, doubled, type_=type_)
    recipe = RGB.replace(type=given)
    with wn.WasiNnCtx() as ctx:
        context = ctx.init_execution_context(ctx.load(path))
        tensor = wn.image_to_tensor(IMAGE, recipe)
        if given != type_:
            with pytest.raises(errors.InvalidArgumentError, match=f"the model takes .*x{type_}"):
                ctx.set_input(context, 0, tensor)
            with pytest.raises(errors.InvalidArgumentError, match=f"the model takes .*x{type_}"):
                wn.segment(IMAGE, path, recipe=recipe)
            return
        ctx.set_input(context, 0, tensor)
        ctx.compute(context)
        scores = ctx.get_output(context, 0).to_array()[0]
    result = wn.segment(IMAGE, path, recipe=recipe, scores=True)
    assert np.array_equal(result.scores, scores)
    assert TensorType.parse(type_) is result.recipe.type


@pytest.mark.parametrize("runtime", ["openvino", "litert"])
@pytest.mark.parametrize(
    ("type_", "quantization", "ends"),
    [
        ("i8", (1 / 255, -128), (0, 1)),
        ("u8", (1 / 255, 0), (0, 1)),
        ("i8", (1 / 127, 0), (-1, 1)),
        ("u8", (1 / 128, 128), (-1, 1)),
    ],
)
def test_quantization_that_the_file_states(tmp_path, runtime, type_, quantization, ends):
    """A card that says the values' range takes the scale and zero point from the file."""
    numbers = {"u8": 3, "i8": 9}
    dequantize = 6
    path = tmp_path / "toy.tflite"
    image_input = toys.tflite_tensor("x", (1, 5, 6, 3), numbers[type_], quantization)
    scores = toys.tflite_tensor("scores", (1, 5, 6, 3))
    path.write_bytes(toys.tflite([image_input, scores], [dequantize]))
    card = ModelCard.from_model(path, recipe={"color": "RGB", "range": ends, "resize": "bilinear"})
    assert card.recipe.quantization == (pytest.approx(quantization[0]), quantization[1])
    image = IMAGE[[0, 1, 2, 3, 3]]
    result = wn.segment(image, path, card=card, scores=True, runtime=runtime)
    low, high = ends
    values = image.transpose(2, 0, 1) / 255 * (high - low) + low
    assert result.scores == pytest.approx(values, abs=quantization[0] / 1.9)
    assert result.labels.tolist() == [STRIPES[0]] * 5


@pytest.mark.parametrize("runtime", ["openvino", "litert"])
@pytest.mark.parametrize("type_", ["u8", "i8"])
def test_quantized_probabilities(tmp_path, runtime, type_):
    """Bytes of one class are probabilities where the file states what they stand for."""
    number, zero_point = {"u8": (3, 0), "i8": (9, -128)}[type_]
    quantize = 114
    path = tmp_path / "toy.tflite"
    image_input = toys.tflite_tensor("x", (1, 2, 7, 1))
    person = toys.tflite_tensor("person", (1, 2, 7, 1), number, (1 / 256, zero_point))
    path.write_bytes(toys.tflite([image_input, person], [quantize]))
    recipe = PreprocessRecipe(2, 7, "NHWC", "GRAY", range=(0, 1), resize="bilinear")
    image = np.array([[0, 100, 120, 127, 129, 200, 255]] * 2, np.uint8)
    result = wn.segment(image, path, recipe=recipe, scores=True, runtime=runtime)
    assert result.labels.tolist() == [[0, 0, 0, 0, 1, 1, 1]] * 2
    assert result.scores[0] == pytest.approx(image / 255, abs=1 / 256)
    assert result.threshold == 0.5
