"""The verdict of a quantization: speed, size and losses, and whether it is worth it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import quantized
import toys

from wasinn_nb.quantization import ClassLoss, Interval

IMAGE = np.zeros((4, 6, 3), np.uint8)


@pytest.fixture
def made(tmp_path):
    path = toys.brightest_channel(tmp_path / "toy.xml")

    def make(*seconds, sizes=(1000, 400), **options):
        found = quantized.quantization(path, IMAGE, third=False, **options)
        times = quantized.timings(*(seconds or (0.06, 0.03)))
        return dataclasses.replace(found, timings=times, sizes=sizes)

    return make


def test_the_verdict_says_what_is_lost_and_by_which_class(made):
    assert made().verdict == (
        "INT8 is 2.0 times as fast as f32; it loses 0.0040 mean IoU (0.0010 to 0.0080); "
        "class 2 loses most"
    )
    assert "it gains 0.0020 mean IoU (-0.0080 to -0.0010)" in made(lost=-0.002).verdict
    too_much = made(lost=0.05)
    assert not too_much.within
    assert too_much.verdict.endswith(
        "; class 2 loses 0.0500 (0.0250 to 0.0100) of its IoU, more than the 0.01 that is allowed"
    )


def test_a_loss_within_the_resamples_is_none(made):
    found = made()
    mean = Interval(-0.0003, -0.001, 0.0004)
    worst = ClassLoss("background", 0.99, (0.9, 0.8999), Interval(0.0001, -0.002, 0.003))
    judgement = dataclasses.replace(found.judgement, mean=mean, classes=(worst,))
    verdict = dataclasses.replace(found, judgement=judgement).verdict
    assert verdict.endswith(
        "; it does not change the mean IoU measurably (loss -0.0003 (-0.0010 to 0.0004)); "
        "no class loses measurably"
    )
    curb = ClassLoss("curb", 0.99, (0.9, 0.89995), Interval(0.00005, 0.00001, 0.0001))
    judgement = dataclasses.replace(judgement, classes=(worst, curb))
    verdict = dataclasses.replace(found, judgement=judgement).verdict
    assert verdict.endswith("; of the classes that lose measurably, curb loses most")


def test_without_masks_the_verdict_is_about_agreement(made):
    found = made(masks=False, max_drop=0.1)
    assert found.verdict.endswith(
        "; 99.20 % of the pixels of 8 images get f32's class; class 2 agrees least (its pixels in "
        "f32 and in INT8 have an IoU of 0.9820)"
    )
    found = made(masks=False, lost=0.1)
    assert "an IoU of 0.7900, less than the 0.99 that is allowed)" in found.verdict
    text = repr(found)
    assert "without masks nothing says which of the two is right" in text
    assert "IoU lost" not in text


def test_what_is_slower_or_larger_is_not_worth_it(made):
    slower = made(0.03, 0.06, sizes=(1000, 1100))
    assert slower.verdict.startswith("INT8 is slower than f32: it takes 2.0 times as long; ")
    assert slower.verdict.endswith("; slower and larger, it is not worth it on this device")
    assert slower.document().blocks[0].tone == "bad"
    assert "worth it only for its smaller files" in made(0.03, 0.06).verdict
    assert "is not worth it on this device" in made(0.03, 0.03, sizes=(400, 400)).verdict
    assert "worth it only for its speed" in made(sizes=(400, 500)).verdict
    assert "worth" not in made().verdict


def test_the_precision_that_the_device_prefers_is_named(made):
    verdict = made(0.06, 0.03, 0.02).verdict
    assert "(bf16, which this device prefers, is 3.0 times as fast as f32)" in verdict


def test_times_have_a_unit(made):
    assert (
        "image.png: 3 rounds in turn; medians in milliseconds; ratios are medians of paired rounds"
    ) in repr(made())


def test_speed_is_the_median_of_paired_rounds(made):
    """A machine that slows down in some rounds changes the ratios of none."""
    found = made()
    slow = [{"read": 0.01, "preprocess": 0.0, "infer": one} for one in (0.06, 0.6, 0.6)]
    fast = [{"read": 0.01, "preprocess": 0.0, "infer": one} for one in (0.03, 0.03, 0.3)]
    times = [
        dataclasses.replace(one, rounds=tuple(rounds))
        for one, rounds in zip(found.timings, (slow, fast), strict=True)
    ]
    timings = type(found.timings)("image.png", times)
    # Medians of each alone would be 20 times apart.
    assert dataclasses.replace(found, timings=timings).speedup == pytest.approx(2)
