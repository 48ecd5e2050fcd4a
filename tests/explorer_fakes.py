"""Models that fail, for the Explorer."""

import pytest

from wasinn_nb.errors import (
    WasiNnError,
)

# ------------------------------------------------------------------------------------- failures


def failing(explorer):
    """Return the error of the present selection, which the panel shows too."""
    with pytest.raises(WasiNnError) as caught:
        explorer.wait()
    error = explorer.panel._error
    assert error["message"] == str(caught.value)
    assert error["kind"] == type(caught.value).__name__
    assert "Traceback" in error["details"]
    assert explorer.result is None
    assert explorer.viewer.stale
    return caught.value
