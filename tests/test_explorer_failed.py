"""An explorer of a model that is nowhere says so, also as text."""

from __future__ import annotations

import pytest
from explorer_fakes import failing

from wasinn_nb.errors import NotFoundError


@pytest.mark.full
def test_the_text_of_an_explorer_has_its_error(explore):
    explorer = explore("no-such-model", "city-crosswalk")
    error = failing(explorer)
    assert isinstance(error, NotFoundError)
    text = repr(explorer)
    assert text.startswith("Explorer(city-crosswalk: no-such-model, f32 on CPU; error: no model ")
    assert str(error)[:40] in text
