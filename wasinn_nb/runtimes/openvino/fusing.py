"""Preprocessing and heads inside OpenVINO's graphs."""

from __future__ import annotations

import functools

import numpy as np
import openvino as ov
from openvino import opset13 as op
from openvino.preprocess import PrePostProcessor

from wasinn_nb.imaging import PreprocessRecipe, pixels_to_tensor
from wasinn_nb.runtimes.confidence import STEPS
from wasinn_nb.runtimes.head import NOT_A_NUMBER, Head

__all__ = ["can_fuse_head", "with_head", "with_input"]


def with_input(model: ov.Model, recipe: PreprocessRecipe) -> ov.Model:
    """Return *model* with (1, height, width, channels) u8 pixels as input 0, in the recipe's order.

    The graph does not change the order of channels: OpenVINO would move that into the weights of
    the first convolution, which then adds in another order and rounds otherwise.

    Parameters
    ----------
    model : openvino.Model
        With one input, of the recipe's dimensions.
    recipe : PreprocessRecipe
    """
    layout: str = recipe.layout
    if "N" not in layout:
        model, layout = _batched(model, recipe), f"N{layout}"
    prepost = PrePostProcessor(model)
    pixels = prepost.input(0)
    pixels.tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
    pixels.model().set_layout(ov.Layout(layout))
    steps = pixels.preprocess()
    if recipe.is_identity:
        steps.convert_element_type(getattr(ov.Type, recipe.type.suffix))
    else:
        steps.custom(functools.partial(_looked_up, recipe=recipe))
    return prepost.build()


def _batched(model: ov.Model, recipe: PreprocessRecipe) -> ov.Model:
    """Return *model*, which takes an image without a batch, with a batch of one as input 0."""
    (image,) = model.get_parameters()
    batch = op.parameter([1, *recipe.dimensions], image.get_element_type())
    image.output(0).replace(op.squeeze(batch, np.array([0])).output(0))
    return ov.Model(model.get_results(), [batch], "batched")


def _looked_up(pixels: ov.Output, recipe: PreprocessRecipe) -> ov.Output:
    """Map (1, H, W, C) u8 values as the recipe's range, mean, scale and quantization do.

    A byte has 256 values, so a table holds them all: made by `pixels_to_tensor`, it gives the same
    bits as the five calls, where arithmetic in the graph is fused and rounded otherwise.
    """
    channels = recipe.channels
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[:, None, None], channels, axis=2)
    column = recipe.replace(height=256, width=1, layout="HWC")
    # The channels of the ramp are alike, so that their order does not matter.
    table = pixels_to_tensor(ramp, column).to_array().reshape(256, channels)
    offsets = np.arange(channels, dtype=np.int32) * 256
    index = op.add(op.convert(pixels, ov.Type.i32), op.constant(offsets))
    flat = op.constant(np.ascontiguousarray(table.T).reshape(-1))
    return op.gather(flat, index, np.int64(0)).output(0)


def can_fuse_head(model: ov.Model, head: Head) -> bool:
    """Return whether :func:`with_head` gives the same bits as `Head.apply`.

    Labels need a value to mark NaN with, so that there may be at most 255 classes; integers and
    labels that are labels already gain nothing.
    """
    output = model.output(head.output)
    return (
        head.reduce in {"argmax", "threshold"}
        and head.planes[0] <= NOT_A_NUMBER
        and head.quantization is None
        and output.get_element_type() in {ov.Type.f32, ov.Type.f16}
    )


def with_head(model: ov.Model, head: Head) -> ov.Model:
    """Return *model* with the head's outputs in place of its own: labels, values, confidences.

    Where a value is NaN, the label is `NOT_A_NUMBER`.

    Parameters
    ----------
    model : openvino.Model
    head : Head
        One that :func:`can_fuse_head`.
    """
    source = model.output(head.output).get_node().input_value(0)
    channels, height, width = head.planes
    if head.channels_last:
        shaped = op.reshape(source, np.array([1, height, width, channels]), special_zero=False)
        planes = op.transpose(shaped, np.array([0, 3, 1, 2])).output(0)
    elif source.get_partial_shape() == ov.PartialShape([1, channels, height, width]):
        planes = source
    else:
        shape = np.array([1, channels, height, width])
        planes = op.reshape(source, shape, special_zero=False).output(0)
    values = planes
    if planes.get_element_type() != ov.Type.f32:
        values = op.convert(planes, ov.Type.f32).output(0)
    best: list[ov.Output] = []
    if head.reduce == "argmax":
        labels, *best = _highest(planes, channels)
    else:
        labels = _above(values, head)
    outputs = [op.squeeze(op.convert(labels, ov.Type.u8), np.array([1])).output(0)]
    if head.keep:
        outputs.append(op.convert(planes, ov.Type.f32).output(0))
    if head.confidence != "none":
        if head.confidence == "logits" or len(best) < 2:
            best = _best_shares(values, head)
        outputs.append(_confidences(*best))
    return ov.Model(outputs, model.get_parameters(), "fused")


def _highest(scores: ov.Output, channels: int) -> list[ov.Output]:
    """Return (1, 1, H, W) labels of (1, C, H, W) scores, and the two highest scores.

    Of equals the lower class wins.  A chain of comparisons over planes: several times faster than
    TopK for the few classes that segmentation models have, and with NumPy's rule for ties.  Of one
    class there is no second score.
    """
    planes = op.split(scores, np.int64(1), channels)
    best = planes.output(0)
    second: list[ov.Output] = []
    # The sum of absolute values is NaN where one of them is, and only there.
    total = op.abs(best).output(0)
    labels = op.constant(np.zeros((1, 1, 1, 1), np.float32)).output(0)
    for index in range(1, channels):
        plane = planes.output(index)
        better = op.greater(plane, best)
        labels = op.select(better, np.float32(index), labels).output(0)
        next_best = op.minimum(best, plane).output(0)
        second = [op.maximum(second[0], next_best).output(0)] if second else [next_best]
        best = op.maximum(plane, best).output(0)
        total = op.add(total, op.abs(plane)).output(0)
    return [_marked(labels, total), best, *second]


def _best_shares(values: ov.Output, head: Head) -> list[ov.Output]:
    """Return the two highest probabilities of (1, C, H, W) scores."""
    if head.planes[0] == 1:
        share = op.sigmoid(values).output(0) if head.confidence == "logits" else values
        rest = op.subtract(np.float32(1), share).output(0)
        return [op.maximum(share, rest).output(0), op.minimum(share, rest).output(0)]
    return _highest(op.softmax(values, 1).output(0), head.planes[0])[1:]


def _confidences(best: ov.Output, second: ov.Output) -> ov.Output:
    """Return (1, 2, H, W) u8 confidences, as `confidence_maps` does."""
    steps = [
        op.convert(op.floor(op.multiply(op.clamp(one, 0.0, 1.0), np.float32(STEPS))), ov.Type.u8)
        for one in (best, op.subtract(best, second).output(0))
    ]
    return op.concat([step.output(0) for step in steps], 1).output(0)


def _above(values: ov.Output, head: Head) -> ov.Output:
    above = op.greater(values, np.float32(head.threshold))
    labels = op.select(above, np.float32(1), np.float32(0)).output(0)
    return _marked(labels, values)


def _marked(labels: ov.Output, values: ov.Output) -> ov.Output:
    same = op.equal(values, values)
    return op.select(same, labels, np.float32(NOT_A_NUMBER)).output(0)
