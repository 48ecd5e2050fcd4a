"""Names that the package does not have."""

import re

import pytest

import wasinn_nb as wn


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("segement", "module 'wasinn_nb' has no attribute 'segement'; did you mean segment?"),
        ("modelcard", "module 'wasinn_nb' has no attribute 'modelcard'; did you mean ModelCard?"),
        ("frobnicate", "module 'wasinn_nb' has no attribute 'frobnicate'"),
        ("_repr_html_", "module 'wasinn_nb' has no attribute '_repr_html_'"),
    ],
)
def test_the_nearest_names_are_offered(name, message):
    with pytest.raises(AttributeError, match=f"^{re.escape(message)}$"):
        getattr(wn, name)
    assert getattr(wn, name, None) is None


def test_a_name_that_cannot_be_imported_from_the_package():
    with pytest.raises(ImportError, match="cannot import name 'segement' from 'wasinn_nb'"):
        from wasinn_nb import segement  # noqa: F401
