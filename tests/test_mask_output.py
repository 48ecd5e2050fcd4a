"""Which output of a model is the mask, and how it is read: by ports alone, without a model."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wasinn_nb import errors
from wasinn_nb.cards.card import ModelCard
from wasinn_nb.cards.ports import Signature, port_of
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
    dims = "x".join(["?" if side is None else str(side) for side in dimensions] + ["f32"])
    assert f"it gives out {dims}, and none of them is a mask" in str(caught.value)


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
        f"the call, or the card of toy, names the output {output!r}; the model has aux "
        f"1x4x48x64xf32, boxes 1x100x4xf32, mask 1x4x48x64xf32"
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
