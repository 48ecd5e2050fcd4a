"""A result of the default image says which one it is, as None may come from a failed look-up."""

from __future__ import annotations

import pytest
import toys
from commands import run

import wasinn_nb as wn


@pytest.fixture
def toy(tmp_path):
    """Return the path of a toy model that has a card."""
    path = toys.textures(tmp_path / "toy.xml", gives="scores")
    recipe = wn.PreprocessRecipe(64, 96)
    wn.ModelCard("toy", "segmentation", recipe, ("a", "b", "c", "d")).write(path)
    return path


def test_the_image_is_named_where_none_was_given(toy, monkeypatch):
    monkeypatch.delenv("WASINN_NB_IMAGE", raising=False)
    note = f"the image {wn.image().stem}, as none was given"
    for found in (wn.segment(None, toy), wn.segment(model=toy), wn.Pipeline(toy)()):
        assert found.assumed == (note,)
        assert note in repr(found)
        assert str(found.digest()).endswith(f"\nassumed: {note}")
    assert f"assumed: {note}" in run("segment", "-m", toy)
    assert wn.segment("city-arrow", toy).assumed == ()
    assert "assumed" not in str(wn.segment("city-arrow", toy).digest())
    monkeypatch.setenv("WASINN_NB_IMAGE", "city-arrow")
    assert wn.segment(model=toy).assumed == ("the image city-arrow, as none was given",)
    assert wn.bench(wn.Pipeline(toy), rounds=4, progress=False)[0].assumed == ()
