"""What an output alone shows."""

from __future__ import annotations

import numpy as np
import pytest

from wasinn_nb import errors
from wasinn_nb.diagnosis import alarms, diagnose

CLASSES = ("background", "road", "curb", "mark")


def scores(top=0.94, shape=(64, 96)):
    """Return probabilities of a picture with all four classes in it."""
    labels = np.zeros(shape, np.uint8)
    labels[32:] = 1
    labels[40:44, 10:80] = 3
    labels[30:34] = 2
    return np.where(labels == np.arange(4)[:, None, None], top, (1 - top) / 3).astype(np.float32)


def one_class(top):
    made = np.full((4, 64, 96), (1 - top) / 3, np.float32)
    made[0] = top
    made[0, 0, 0] = top + 1e-5
    return made


NO_CURB = scores()
NO_CURB[1] += NO_CURB[2]
NO_CURB[2] = 0
SWAPPED = scores().transpose(0, 2, 1).reshape(4, 64, 96)
NOISE = np.random.default_rng(0).dirichlet(np.ones(4), (64, 96)).transpose(2, 0, 1)
CASES = {
    "right": (scores(), []),
    "batch axis": (scores()[None], []),
    "empty": (np.zeros((4, 0, 3)), ["empty"]),
    "NaN": (np.where(np.arange(96) == 3, np.nan, scores()), ["not a number"]),
    "zeros": (np.zeros((4, 8, 8)), ["constant", "sums", "single class"]),
    "sure of one class": (one_class(0.9994), ["single class"]),
    "logits": (np.log(scores()), ["logits"]),
    "sums": (scores() / 2, ["sums"]),
    "saturated": (scores(1.0), ["saturated"]),
    "no curb": (NO_CURB, ["class never seen"]),
    "swapped": (SWAPPED, ["stripes"]),
    "noise": (NOISE, ["stripes"]),
    "labels": (scores().argmax(0), []),
    "one label": (np.zeros((64, 96), np.uint8), ["single class"]),
    "foreign label": (np.full((64, 96), 9, np.uint8), ["not a label", "single class"]),
    "no label": (np.full((64, 96), 0.5), ["not a label"]),
}


@pytest.mark.parametrize("name", CASES)
def test_alarms(name):
    output, expected = CASES[name]
    assert [alarm.name for alarm in alarms(output.astype("f4"), CLASSES)] == expected


def test_other_shapes_are_refused():
    with pytest.raises(errors.InvalidArgumentError, match="expected scores"):
        alarms(np.zeros((2, 3, 4, 5, 6)))


def test_an_output_without_a_picture():
    found = diagnose(scores())
    assert (found.verdict, found.right) == ("no alarm", True)
    found = diagnose(one_class(0.9994)[None])
    assert (found.verdict, found.right) == ("alarm", False)
    assert found.sentence == (
        "100.00 % of the pixels are background, with a mean top score of 0.9994: so sure of one "
        "class are models that see no picture (wrong layout or size)."
    )
    assert "single class" in found._repr_html_()
    assert diagnose(np.log(scores())).right
