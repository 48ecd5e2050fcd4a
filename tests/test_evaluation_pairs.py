"""Pairing predictions with truths: as a plain reference does, and in linear time."""

from __future__ import annotations

from collections import Counter
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.evaluation.pairs import named, paired
from wasinn_nb.evaluation.truths import aligned

MANY = 20_000
NAMES = st.lists(st.one_of(st.none(), st.sampled_from(["a", "b", "c", "x/a", "x/b", "y/a"])))


class CountingName(str):
    """A name that counts how often names are compared."""

    __slots__ = ()
    comparisons: ClassVar[Counter[str]] = Counter()

    def __eq__(self, other):
        self.comparisons["=="] += 1
        return str.__eq__(self, other)

    def __lt__(self, other):
        self.comparisons["<"] += 1
        return str.__lt__(self, other)

    __hash__ = str.__hash__

    def rpartition(self, separator):
        return tuple(map(CountingName, str.rpartition(self, separator)))


def items(prefix="", count=MANY, step=1):
    # 7919 is a prime: every name comes once, in no order.
    return [(CountingName(f"{prefix}{step * n * 7919 % MANY}"), n) for n in range(count)]


def comparisons(action):
    CountingName.comparisons.clear()
    action()
    return sum(CountingName.comparisons.values())


@pytest.mark.full
def test_names_are_compared_a_constant_number_of_times():
    own, truths = items(), items()[::-1]
    assert len(paired(own, truths)) == MANY
    assert comparisons(lambda: paired(own, truths)) <= 8 * MANY


@pytest.mark.full
def test_other_folders_are_laid_aside_in_almost_linear_time():
    images, truths = items(), items("val/")[::-1]
    assert [name for name, _ in aligned(truths, images)] == [name for name, _ in images[::-1]]
    # Sorting compares n log n times.
    assert comparisons(lambda: aligned(truths, images)) <= 8 * MANY * MANY.bit_length()


def test_names_without_a_counterpart_are_found_as_fast():
    own, truths = items("a"), items("b")

    def refused():
        with pytest.raises(InvalidArgumentError, match=r"without truth: .* 19,997 more"):
            paired(own, truths)

    assert comparisons(refused) <= 8 * MANY


def test_files_are_paired_by_their_stems():
    own = named([f"images/{n}.jpg" for n in range(MANY)], "predictions")
    truths = named([f"masks/{n}.png" for n in reversed(range(MANY))], "truths")
    pairs = paired(own, truths)
    assert len(pairs) == MANY
    assert all(
        (pair.prediction, pair.truth) == (f"images/{n}.jpg", f"masks/{n}.png")
        for n, pair in enumerate(pairs)
    )


def reference(own, truths):
    """Return the indices of each pair, every name compared with every other; None if refused."""
    names, true_names = ([name for name, _ in side] for side in (own, truths))
    if None in names + true_names:
        return list(range(len(own))) if len(own) == len(truths) else None
    for side in (names, true_names):
        if any(side.count(name) > 1 for name in side):
            return None
    if any(name not in true_names for name in names) or len(names) != len(true_names):
        return None
    return [true_names.index(name) for name in names]


@given(NAMES, NAMES)
def test_pairs_are_those_of_a_plain_reference(names, true_names):
    own, truths = (list(zip(side, range(len(side)), strict=True)) for side in (names, true_names))
    expected = reference(own, truths)
    if expected is None:
        with pytest.raises(InvalidArgumentError):
            paired(own, truths)
        return
    pairs = paired(own, truths)
    assert [pair.prediction for pair in pairs] == list(range(len(own)))
    assert [pair.truth for pair in pairs] == expected
