"""Names of columns in expressions, whatever a class is called."""

from __future__ import annotations

import numpy as np
import pytest
from gallery_help import HOSTILE
from hypothesis import given
from hypothesis import strategies as st

import wasinn_nb as wn
from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.prediction import quoted_column
from wasinn_nb.prediction.expressions import read_expression

NAMES = st.text(st.one_of(st.sampled_from("`\n 'a0.@"), st.characters(codec="utf-8")), max_size=9)


@given(st.lists(NAMES.filter(bool), min_size=1, max_size=3, unique=True))
def test_every_name_can_be_written_in_an_expression(names):
    expression = " and\n".join(f"{quoted_column(name)} > 0" for name in names)
    read = read_expression(expression, names)
    assert list(read.names.values()) == names


def test_a_backtick_that_was_not_closed_is_still_named():
    for expression in ("`a`` > 0", "`a > 0", "``a` > 0"):
        with pytest.raises(InvalidArgumentError, match=r"cannot be read|no column"):
            read_expression(expression, ["a", "a`"])


def test_errors_show_no_character_that_steers():
    with pytest.raises(InvalidArgumentError) as caught:
        read_expression("b >", ["a\u202eb", "two\nlines"])
    assert "\u202e" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_classes_of_any_name_have_a_facet_and_are_selected():
    classes = ("bg", *HOSTILE, "two\nlines")
    card = wn.ModelCard("odd", "segmentation", classes=classes)
    image = np.zeros((4, 5, 3), np.uint8)
    results = {
        name: wn.SegmentationResult(np.full((4, 5), n, np.uint8), card, image=image)
        for n, name in enumerate(classes)
    }
    truths = {name: np.full((4, 5), (n + 1) % 5, np.uint8) for n, name in enumerate(classes)}
    gallery = wn.Gallery(results, truths, progress=False)
    facets = {facet["name"] for facet in gallery._about["facets"]}
    for name in classes:
        assert name in facets
        gallery.query = f"{quoted_column(name)} > 0.5"
        assert gallery.selection["name"].tolist() == [name]
