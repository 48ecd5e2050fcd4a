import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared():
    """The folder with the reference files, which are too large to keep here."""
    beside = Path(__file__).parents[2] / "shared"
    folder = Path(os.environ.get("WASINN_NB_SHARED", beside))
    if not (folder / "reference").is_dir():
        pytest.skip("the shared reference files are not here (set WASINN_NB_SHARED)")
    return folder
