"""Notebooks with widgets compare equal under ``pytest --nbval`` with the file that is shipped."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.full

TREE = Path(__file__).resolve().parents[1]
CELLS = (
    "import ipywidgets as w\nimport wasinn_nb as wn\nresult = wn.segment('city-crosswalk')\nresult",
    "wn.MaskViewer(result)",
    "w.HBox([wn.MaskViewer(result)])",
    "explorer = wn.Explorer(image='country-road')\nexplorer",
    "wn.Explorer('road-segmentation-synth-0001', compare=True)",
)


def compared(path: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull]
    sanitize = TREE / "notebooks/sanitize.cfg"
    command += ["--noconftest", "--nbval", "--nbval-sanitize-with", str(sanitize), str(path)]
    environment = {name: one for name, one in os.environ.items() if name != "WASINN_NB_RAISE"}
    return subprocess.run(
        command,
        cwd=path.parent,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.slow
def test_a_notebook_with_widgets_compares_equal(tmp_path):
    # Importing them takes seconds, which every collection of tests would spend.
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("nbval")
    notebook = nbformat.v4.new_notebook(cells=list(map(nbformat.v4.new_code_cell, CELLS)))
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    path = tmp_path / "widgets.ipynb"
    nbformat.write(notebook, path)
    run = compared(path)
    assert run.returncode == 0, run.stdout[-4000:]
    assert f"{len(CELLS)} passed" in run.stdout
    # What is another result still differs.
    text = path.read_text().replace("image='country-road'", "image='city-island'")
    path.write_text(text)
    run = compared(path)
    assert run.returncode == 1
    assert f"1 failed, {len(CELLS) - 1} passed" in run.stdout, run.stdout[-4000:]
