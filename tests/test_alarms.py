"""What an output alone shows."""

from __future__ import annotations

import re

import numpy as np
import pytest

from wasinn_nb import errors
from wasinn_nb.diagnosis.diagnosing import diagnose
from wasinn_nb.diagnosis.output_alarms import Alarm, alarms

CLASSES = ("background", "road", "curb", "mark")


def scores(top=0.94, shape=(64, 96)):
    """Return probabilities of an image with all four classes in it."""
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


def test_an_output_without_an_image():
    found = diagnose(scores())
    assert (found.verdict, found.right) == ("no alarm", True)
    found = diagnose(one_class(0.9994)[None])
    assert (found.verdict, found.right) == ("alarm", False)
    assert found.sentence == (
        "100.00 % of the pixels are background, with a mean top score of 0.9994: models are so "
        "sure of one class where the input is not an image (wrong layout or size)."
    )
    assert "single class" in found._repr_html_()
    assert diagnose(np.log(scores())).right


# -- one class ---------------------------------------------------------------------------------

PERSON = ("background", "person")


def person(low=0.02, high=0.97, shape=(64, 96)):
    """Return probabilities of one class that has a part of the image."""
    made = np.full(shape, low, np.float32)
    made[20:50, 30:60] = high
    made += np.linspace(0, 0.01, shape[1], dtype=np.float32)
    return made


ONE_CLASS = {
    "probabilities": (person(), []),
    "with an axis of one class": (person()[None], []),
    "as the model gives it": (person()[None, None], []),
    "channels last": (person()[None, :, :, None], []),
    "two values": ((person() > 0.5).astype("f4")[None], []),
    "nobody": (person(high=0.03), ["class never seen"]),
    "all": (person(low=0.9), ["single class"]),
    "all 0": (np.zeros((1, 64, 96), "f4"), ["constant", "class never seen"]),
    "all alike": (np.full((64, 96), 0.25, "f4"), ["constant", "class never seen"]),
    "logits": (np.log(person() / (1 - person())), ["logits"]),
    "NaN": (np.where(person() > 0.5, np.nan, person()), ["not a number"]),
    "noise": (np.random.default_rng(0).random((64, 96)), ["stripes"]),
    "labels": ((person() > 0.5).astype("u1"), []),
    "labels, nobody": (np.zeros((64, 96), "u1"), ["single class"]),
}


@pytest.mark.parametrize("classes", [PERSON, ("person",), ()], ids=["two names", "one", "none"])
@pytest.mark.parametrize("name", ONE_CLASS)
def test_alarms_of_one_class(name, classes):
    output, expected = ONE_CLASS[name]
    given = output.astype("f4") if output.dtype.kind == "f" else output
    assert [alarm.name for alarm in alarms(given, classes)] == expected


def test_an_image_without_the_class_is_no_reason_for_alarm():
    for output in (person(high=0.03)[None, None], person(low=0.9), np.zeros((64, 96), "u1")):
        assert not any(alarm.serious for alarm in alarms(output, PERSON)), output
    (alarm,) = alarms(person(high=0.03), PERSON)
    assert alarm.sentence == (
        "No pixel is person: the highest score is 0.03621, the threshold 0.5. This image may "
        "show none, or the range of the input's values is wrong."
    )


def test_the_threshold_and_the_meaning_of_one_class_can_be_stated():
    assert [a.name for a in alarms(person(), PERSON, threshold=0.99)] == ["class never seen"]
    assert [a.name for a in alarms(person(), PERSON, logits=True)] == ["single class"]
    assert alarms(person() * 20 - 10, PERSON, logits=True) == ()


def test_values_that_are_not_the_stated_probabilities():
    (alarm,) = alarms(2 * person() - 0.5, PERSON, logits=False)
    assert (alarm.name, alarm.serious) == ("not probabilities", True)
    assert alarm.sentence.startswith("The scores run from -0.46 to 1.452, but are stated to be")
    assert [a.name for a in alarms(person() * 2, PERSON, logits=False)] == ["not probabilities"]
    # Rounding in bfloat16 may exceed 1 by little.
    assert alarms(np.minimum(person() + 0.03, 1.01), PERSON, logits=False) == ()


# -- channels last -------------------------------------------------------------------------------


def test_classes_may_be_the_last_axis():
    last = scores().transpose(1, 2, 0)
    for given in (last, last[None]):
        assert alarms(given, CLASSES) == ()
        assert alarms(given, channels_last=True) == ()
    assert [a.name for a in alarms(last, ("a", "b", "c"))] == ["sums"]


# -- classifiers -----------------------------------------------------------------------------------

ROW = np.float32([0.05, 0.7, 0.2, 0.05])
FLAT = np.float32(np.full(100, 0.01) + np.linspace(-0.001, 0.001, 100))
ROWS = {
    "probabilities": (ROW, []),
    "sure": (np.float32([0, 1, 0, 0]), []),
    "logits": (np.log(ROW), ["logits"]),
    "a sigmoid for each class": (np.float32([0.9, 0.8, 0.1, 0]), ["sums"]),
    "all alike": (np.full(1000, 0.001, "f4"), ["constant"]),
    "NaN": (np.float32([0.5, np.nan]), ["not a number"]),
    "infinite": (np.float32([0.5, np.inf]), ["not a number"]),
    "flat": (FLAT, ["flat"]),
    "flat logits": (np.log(FLAT), ["logits", "flat"]),
    "quantized": (np.uint8([3, 200, 50, 3]), []),
    "quantized, all alike": (np.uint8([7, 7, 7]), ["constant"]),
}


@pytest.mark.parametrize("shape", [(-1,), (1, -1), (1, -1, 1, 1), (1, 1, 1, -1), (-1, 1, 1)])
@pytest.mark.parametrize("name", ROWS)
def test_alarms_of_a_row_of_scores(name, shape):
    row, expected = ROWS[name]
    found = alarms(row.reshape(shape))
    assert [alarm.name for alarm in found] == expected
    assert {a.name for a in found if a.serious} <= {"constant", "not a number"}


def test_the_sentences_on_rows_name_the_class():
    (logits,) = alarms(np.log(ROW), ("cat", "dog", "owl", "fox"))
    assert logits.sentence == (
        "The scores run from -2.996 to -0.3567: logits, not probabilities. The order is the same; "
        "a softmax gives dog a probability of 0.7000."
    )
    (flat,) = alarms(FLAT)
    assert flat.sentence.startswith(
        "No class stands out: the highest probability is 0.0110 (class 99), and 0.0100 is that of "
        "chance;"
    )


def test_every_documented_alarm_is_raised_and_every_raised_one_is_documented():
    documented = set(re.findall("``(.+?)``", Alarm.__doc__))
    raised = {name for _, names in (*CASES.values(), *ONE_CLASS.values(), *ROWS.values())
              for name in names}  # fmt: skip
    assert documented == raised | {"not probabilities"}
