"""Of few images quantize gives no bounds and makes no claim; small bounds keep their sign."""

from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pytest
import quantized
import toys

from wasinn_nb.evaluation import evaluate
from wasinn_nb.quantization import ClassLoss, Interval
from wasinn_nb.quantization.losses import class_losses, loss_text, mean_loss

IMAGE = np.zeros((4, 6, 3), np.uint8)
CLASSES = ("background", "road", "curb")


def evaluation(count, curbs, *, worse=0):
    """Judge masks of *count* images, of which *curbs* have a curb; *worse* columns are wrong."""
    truth = np.zeros((4, 8), np.uint8)
    truth[:, :4] = 1
    found = truth.copy()
    found[:, :worse] = 0
    with_curb = [np.where(np.arange(8) == 7, 2, one).astype(np.uint8) for one in (truth, found)]
    names = [f"{number}" for number in range(count)]
    pairs = [with_curb if number < curbs else (truth, found) for number in range(count)]
    return evaluate(
        {name: pair[1] for name, pair in zip(names, pairs, strict=True)},
        {name: pair[0] for name, pair in zip(names, pairs, strict=True)},
        classes=CLASSES,
        progress=False,
    )


@pytest.mark.parametrize(("count", "bounded"), [(1, False), (7, False), (8, True)])
def test_bounds_need_eight_images(count, bounded):
    before, after = evaluation(count, count), evaluation(count, count, worse=1)
    losses = class_losses(CLASSES, np.eye(3, dtype=np.int64), before, after)
    assert [one.loss.bounded for one in losses] == [bounded] * 3
    assert [one.boundary_loss.bounded for one in losses] == [bounded] * 3
    mean = mean_loss(before, after)
    assert mean.bounded is bounded
    assert mean.value == pytest.approx(before.miou - after.miou)
    assert losses[1].loss.value == 0.25
    assert str(losses[1].loss) == ("0.2500 (0.2500 to 0.2500)" if bounded else "0.2500")


def test_images_without_the_class_do_not_count():
    before, after = evaluation(20, 7), evaluation(20, 7, worse=1)
    losses = class_losses(CLASSES, np.eye(3, dtype=np.int64), before, after)
    assert [one.loss.bounded for one in losses] == [True, True, False]
    assert mean_loss(before, after).bounded


def unbounded(interval):
    return interval._replace(low=math.nan, high=math.nan)


def test_of_few_images_nothing_is_claimed(tmp_path):
    path = toys.brightest_channel(tmp_path / "toy.xml")

    def made(images, **options):
        found = quantized.quantization(path, IMAGE, images=images, third=False, **options)
        classes = [dataclasses.replace(one, loss=unbounded(one.loss)) for one in found.classes]
        judgement = dataclasses.replace(
            found.judgement, mean=unbounded(found.judgement.mean), classes=tuple(classes)
        )
        return dataclasses.replace(found, judgement=judgement)

    found = made(2)
    assert (
        "; it has a mean IoU of 0.8960, f32 one of 0.9000: 2 images are too few to tell a loss "
        "from chance"
    ) in found.verdict
    assert "measurabl" not in found.verdict
    assert "loses" not in found.verdict
    text = repr(found)
    assert "0.0020" in text
    assert "- of a class that fewer than 8 images have, no bounds are given" in text
    values = json.dumps(found.to_dict(), allow_nan=False)
    assert json.loads(values)["loss"] == [0.004, None, None]
    lost = made(2, lost=0.05).verdict
    assert "2 images are too few to tell a loss from chance; class 2 loses 0.0500 of its" in lost
    assert "more than the 0.01 that is allowed" in lost
    judgement = dataclasses.replace(found.judgement, worst=found.judgement.worst[:1])
    assert ": 1 image is too few to" in dataclasses.replace(found, judgement=judgement).verdict


def test_a_rare_class_is_not_said_to_lose_nothing(tmp_path):
    found = quantized.quantization(toys.brightest_channel(tmp_path / "toy.xml"), IMAGE)
    sure = ClassLoss("road", 0.99, (0.9, 0.9), Interval(0.0, -0.001, 0.001))
    rare = ClassLoss("curb", 0.99, (0.9, 0.895), unbounded(Interval(0.005, 0, 0)))
    judgement = dataclasses.replace(found.judgement, classes=(sure, rare))
    verdict = dataclasses.replace(found, judgement=judgement).verdict
    assert "; no class loses measurably (in too few images to tell: curb)" in verdict


def test_without_masks_the_number_of_images_is_said(tmp_path):
    path = toys.brightest_channel(tmp_path / "toy.xml")
    found = quantized.quantization(path, IMAGE, images=2, masks=False, max_drop=0.1)
    assert "99.20 % of the pixels of 2 images get f32's class" in found.verdict
    one_of_two = dataclasses.replace(found.judgement, agreement=0.5)
    images = {**found.images, "classified": True}
    found = dataclasses.replace(found, judgement=one_of_two, images=images)
    assert "; 1 of 2 images get f32's class" in found.verdict


@pytest.mark.parametrize(
    ("interval", "text"),
    [
        (Interval(0.0008, 0.00003, 0.0015), "0.0008 (0.00003 to 0.0015)"),
        (Interval(-0.00002, -0.0009, -0.000004), "-0.00002 (-0.0009 to -0.000004)"),
        (Interval(0.0, -1e-17, 0.0), "0.0000 (0.0000 to 0.0000)"),
    ],
)
def test_small_bounds_keep_their_sign(interval, text):
    assert str(interval) == text
    assert loss_text(interval.value) == text.split(" ", maxsplit=1)[0]
