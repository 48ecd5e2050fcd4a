"""What of the public values NumPy takes as an array, and what the others say."""

from __future__ import annotations

import inspect
import re

import numpy as np
import pandas as pd
import pytest
from comparisons import result
from PIL import Image

import wasinn_nb as wn
from wasinn_nb.cards import ModelCard
from wasinn_nb.comparison import Comparison
from wasinn_nb.errors import InvalidArgumentError, TensorError
from wasinn_nb.origin import Origin
from wasinn_nb.render import Document, Showing
from wasinn_nb.tasks.classification import ClassificationResult
from wasinn_nb.tensor import Tensor

RNG = np.random.default_rng(2)
PROBABILITIES = np.float32([0.25, 0.75])
CLASSIFIED = ClassificationResult(
    PROBABILITIES, ModelCard("toy", "classification", classes=("cat", "dog")), Origin("toy")
)
MASK = result()
DTYPES = ["f2", "f4", "f8", "u1", "i1", "i4", "i8"]


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_tensor_is_its_array(dtype):
    values = RNG.integers(0, 99, (1, 2, 3)).astype(dtype)
    tensor = Tensor.from_array(values)
    array = np.asarray(tensor)
    assert array.dtype == np.dtype(dtype)
    assert np.array_equal(array, values)
    assert np.shares_memory(array, tensor.to_array())
    assert not array.flags.writeable
    assert Tensor.from_array(tensor) == tensor
    assert (tensor == values).all()
    assert (values == tensor).all()
    assert np.stack([tensor, tensor]).shape == (2, 1, 2, 3)


@pytest.mark.parametrize(
    ("value", "array"),
    [
        (Tensor.from_array(PROBABILITIES), PROBABILITIES),
        (CLASSIFIED, PROBABILITIES),
        (MASK, MASK.labels),
    ],
)
def test_a_copy_is_made_where_one_is_asked_for_or_needed(value, array):
    assert np.array_equal(np.asarray(value), array)
    copied = np.array(value)
    assert copied.flags.writeable
    assert not np.shares_memory(copied, np.asarray(value))
    for dtype in ("f8", "i8"):
        assert np.array_equal(np.asarray(value, dtype), array.astype(dtype))
        assert np.asarray(value, dtype).dtype == np.dtype(dtype)
    assert np.shares_memory(np.asarray(value, array.dtype), np.asarray(value))
    assert np.shares_memory(value.__array__(copy=False), np.asarray(value))
    with pytest.raises(ValueError, match="as float64 takes a copy: leave copy=False out"):
        value.__array__("f8", copy=False)


def test_a_mask_can_be_drawn_and_computed_with():
    from matplotlib.figure import Figure

    drawn = Figure().subplots().imshow(MASK).get_array()
    assert np.array_equal(drawn, MASK.labels)
    assert np.array_equal(np.bincount(np.ravel(MASK), minlength=3), [*MASK.areas().values()])
    assert (MASK.labels == MASK).all()
    assert (np.stack([MASK, MASK]) == MASK.labels).all()


def test_pillow_is_given_the_array():
    assert np.array_equal(Image.fromarray(np.asarray(MASK)), MASK.labels)
    with pytest.raises(AttributeError, match=r"pass numpy\.asarray of it"):
        Image.fromarray(MASK)


SHOWING = [
    value
    for value in (getattr(wn, name) for name in wn.__all__)
    if inspect.isclass(value) and issubclass(value, Showing)
]
ARRAYS = {wn.SegmentationResult, wn.ClassificationResult}


def test_there_are_values_that_show_themselves():
    assert {wn.Comparison, wn.Evaluation, wn.Predictions, wn.Trace} < {*SHOWING}


@pytest.mark.parametrize("kind", SHOWING, ids=lambda kind: kind.__name__)
def test_what_is_not_one_array_says_what_to_take(kind):
    value = kind.__new__(kind)
    if kind in ARRAYS:
        assert kind.__array__ is not Showing.__array__
        return
    with pytest.raises(InvalidArgumentError) as caught:
        np.asarray(value)
    text = str(caught.value)
    assert text.startswith(f"expected an array, got {kind.__name__}: take ")
    for name in re.findall(r"\.(\w+)", text):
        assert hasattr(kind, name) or name in kind.__annotations__


def test_what_is_not_one_array_still_fits_into_tables():
    class Found(Showing, arrays="take .nothing"):
        def document(self):
            return Document("Found")

    found = Found()
    assert pd.Series([found, found]).tolist() == [found, found]
    assert pd.DataFrame([{"found": found}])["found"][0] is found
    with pytest.raises(TensorError, match=r"array, got Found: take \.nothing"):
        Tensor.from_array(found)


def test_a_comparison_is_what_it_names():
    compared = wn.compare(MASK, MASK)
    assert isinstance(compared, Comparison)
    with pytest.raises(InvalidArgumentError, match=r"take \.iou, \.pixels or \.to_dict\(\)"):
        np.asarray(compared)
    assert compared.iou
