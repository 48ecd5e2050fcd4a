"""What the page "Use it in other places" says of containers and schedulers."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

import wasinn_nb as wn

pytestmark = pytest.mark.full

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "how-to" / "other-places.md"
DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "MPLBACKEND", "XDG_CACHE_HOME", "XDG_CONFIG_HOME")
NO_NETWORK = """
import socket
def refused(*_): raise OSError("there is no network")
socket.socket.connect = socket.getaddrinfo = refused
"""
NO_HOME = "/dev/null/home"  # nobody can make it


def environment(**variables):
    kept = {name: value for name, value in os.environ.items() if name not in DISPLAYS}
    return kept | {"PYTHONPATH": str(ROOT)} | variables


def size_of(path):
    with Image.open(path) as image:
        return image.size


def test_the_container_lines_run_without_display_home_and_network(tmp_path):
    (code,) = re.findall(
        r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    with Image.open(wn.image("city-arrow")) as image:
        image.convert("RGB").save(tmp_path / "image.jpg")
    (tmp_path / "out").mkdir()
    subprocess.run(
        [sys.executable, "-W", "error", "-c", NO_NETWORK + code],
        cwd=tmp_path,
        env=environment(HOME=NO_HOME, WASINN_NB_OFFLINE="1", TMPDIR=str(tmp_path)),
        check=True,
        timeout=120,
    )
    assert size_of(tmp_path / "out" / "panels.png")[0] > 1000
    assert size_of(tmp_path / "out" / "overlay.jpg") == size_of(tmp_path / "image.jpg")


def test_a_guest_runs_without_a_home_folder(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "wasinn_nb", "bundle", str(wn.model().files[0]), "road"],
        cwd=tmp_path,
        env=environment(HOME=NO_HOME, TMPDIR=str(tmp_path)),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "road" / "bundle.json").is_file()


@pytest.mark.slow
def test_papermill_takes_start_values_from_the_environment(tmp_path):
    pytest.importorskip("papermill")
    nbformat = pytest.importorskip("nbformat")
    cells = [
        "k = 1",
        "import wasinn_nb as wn\nresult = wn.segment()\nprint(k, sorted(result.areas())[:k])",
        "wn.MaskViewer(result)",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(one) for one in cells])
    notebook.cells[0].metadata["tags"] = ["parameters"]
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "", "language": "python"}
    nbformat.write(notebook, tmp_path / "in.ipynb")
    subprocess.run(
        [sys.executable, "-m", "papermill", "in.ipynb", "out.ipynb", "-p", "k", "2"],
        cwd=tmp_path,
        env=environment(WASINN_NB_IMAGE="country-road", WASINN_NB_RAISE="1"),
        capture_output=True,
        check=True,
        timeout=240,
    )
    done = nbformat.read(tmp_path / "out.ipynb", 4).cells
    printed = next(cell for cell in done if "segment()" in cell.source).outputs[0].text
    assert printed == "2 ['background', 'curb']\n"
    outputs = [output.data for output in done[-1].outputs if "data" in output]
    assert any("data-wnb-still" in data.get("text/html", "") for data in outputs)
