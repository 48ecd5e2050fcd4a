"""Whole models of every output and input that `segment` reads, and of those that it refuses.

By ports alone, without a model, they are in `test_mask_output.py`.
"""

from __future__ import annotations

import re

import numpy as np
import pytest
from striped import GRAY, IMAGE, RGB, STRIPES, save

import wasinn_nb as wn
from wasinn_nb import errors
from wasinn_nb.cards import assumed_scores, assumed_threshold
from wasinn_nb.cards.card import ModelCard
from wasinn_nb.tasks.segmentation.masks import labels_of, resize_scores

LEVELS = np.array([[0, 51, 102], [153, 204, 255]], np.uint8)


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


@pytest.mark.full
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
    by_values = ("scores are logits, by their values",) if kind == "unknown" else ()
    assert result.assumed == (*by_values, "threshold 0.5")
    reading = wn.Pipeline(path, recipe=recipe, task="segmentation").reading
    assert reading.facts["threshold"] == "0.5"
    assert reading.assumed_facts == {
        **({"values": assumed_scores(logits=None)} if kind == "unknown" else {}),
        "threshold": assumed_threshold(),
    }
    assert (
        reading.facts["values"]
        == {
            "sigmoid": "one class, probabilities",
            "logits": "one class, logits",
            "unknown": "one class, probabilities or logits as the values tell",
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
    assert result.assumed == ("scores are probabilities, by their values", "threshold 0.5")
    assert result.scores[0] == pytest.approx(LEVELS / 255)


@pytest.mark.parametrize("logits", [True, False])
def test_the_card_says_whether_values_are_logits(tmp_path, logits):
    from openvino import opset13 as op

    path = save(tmp_path, lambda data: op.multiply(data, np.float32(1)), (1, 1, 2, 3))
    card = ModelCard("toy", recipe=GRAY.replace(range=(0, 1)), logits=logits)
    result = wn.segment(LEVELS, path, card=card)
    # As logits all but 0 are above 0.5.
    assert result.labels.tolist() == ([[0, 1, 1], [1, 1, 1]] if logits else [[0, 0, 0], [1, 1, 1]])
    assert result.assumed == ("threshold 0.5",)


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


@pytest.mark.full
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
    dims = "x".join(map(str, shape))
    assert f"it gives made {dims}xf32, and none of them is a mask of the image's size" in str(
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
