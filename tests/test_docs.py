"""The documentation: its examples run, and its reference is complete."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import toys
from PIL import Image
from tables import all_slow_but

import wasinn_nb as wn
from wasinn_nb import errors, metrics

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.glob("how-to/*.md"), *DOCS.glob("reference/[!c]*.md"), DOCS / "index.md"])
PAGES.append(ROOT / "README.md")


def blocks(page, language="python"):
    text = page.read_text("utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def with_blocks():
    return [page for page in PAGES if blocks(page)]


@pytest.fixture
def workplace(tmp_path):
    """The folder that the index of the how-to pages describes."""
    scene = Image.open(wn.image("city-crosswalk")).convert("RGB")
    scene.save(tmp_path / "image.jpg", quality=90)
    (tmp_path / "mine.onnx").write_bytes(
        toys.onnx_chain(["Relu"], (1, 3, 288, 512)).SerializeToString()
    )
    for folder in ("images", "masks", "out"):
        (tmp_path / folder).mkdir()
    scene.save(tmp_path / "images" / "a.png")
    labels = np.zeros((scene.height, scene.width), np.uint8)
    labels[scene.height // 2 :] = 1
    Image.fromarray(labels).save(tmp_path / "masks" / "a.png")
    return tmp_path


LONG = {"README", "compare-two-runs", "quantize"}  # test_readme.py runs the README, too


@pytest.mark.full
@pytest.mark.parametrize(
    "page",
    all_slow_but(with_blocks(), *(page for page in with_blocks() if page.stem not in LONG)),
    ids=lambda page: page.stem,
)
def test_the_examples_of_a_page_run_one_after_another(page, workplace):
    pytest.importorskip("wasmtime")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", "\n".join(blocks(page))],
        cwd=workplace,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_every_how_to_page_with_python_has_an_example_that_runs():
    assert {"your-own-model", "evaluate", "run-a-guest"} <= {page.stem for page in with_blocks()}


def test_the_reference_names_every_public_name_once():
    text = (DOCS / "reference" / "api.md").read_text("utf-8")
    listed = re.findall(r"^   (\w+)$", text, re.MULTILINE)
    assert sorted(listed) == sorted(wn.__all__)


def test_the_reference_has_every_error_and_metric():
    text = (DOCS / "reference" / "modules.md").read_text("utf-8")
    for module in (errors, metrics):
        assert f"automodule:: {module.__name__}\n   :members:" in text
    for name in errors.__all__:
        assert getattr(errors, name).__doc__, name


def test_the_reference_has_every_environment_variable():
    code = "\n".join(path.read_text("utf-8") for path in (ROOT / "wasinn_nb").rglob("*.py"))
    page = (DOCS / "reference" / "environment.md").read_text("utf-8")
    # Shells set the one of Tab completion, from the script that the program prints.
    read = set(re.findall(r"(?<!_)WASINN_NB_[A-Z]+", code))
    named = set(re.findall(r"WASINN_NB_[A-Z]+", page))
    assert read == named


def test_the_reference_has_every_field_of_a_card_and_of_a_recipe():
    for page, kind in (("card-file", wn.ModelCard), ("recipe", wn.PreprocessRecipe)):
        text = (DOCS / "reference" / f"{page}.md").read_text("utf-8")
        table = "\n".join(line for line in text.splitlines() if line.startswith("|"))
        missing = [name for name in kind.__dataclass_fields__ if f"`{name}`" not in table]
        assert not missing


def test_error_numbers_are_those_of_the_standard():
    text = (DOCS / "reference" / "verdicts.md").read_text("utf-8")
    rows = re.findall(r"^\| (\d) \| (\w+) \|", text, re.MULTILINE)
    assert {int(number): name for number, name in rows} == {
        errno.value: errno.name.lower() for errno in wn.Errno
    }


def test_the_figure_of_the_architecture_has_every_package(monkeypatch):
    monkeypatch.syspath_prepend(str(DOCS))
    import architecture

    rows = architecture.layers()
    found = {
        path.stem
        for path in (ROOT / "wasinn_nb").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").is_file()
    }
    assert {name for row in rows for name in row} == found - {"__init__"}
    figure = architecture.draw(rows)
    assert all(f">{name}</text>" in figure for row in rows for name in row)


def test_the_reference_has_every_column_of_a_store():
    from wasinn_nb.prediction import schema

    text = (DOCS / "reference" / "predictions-store.md").read_text("utf-8")
    named = set(re.findall(r"`([a-z_0-9]+)`", text))
    assert schema._RESERVED - named <= {"index"}
    fields = {field.name for field in schema.base_fields()}
    assert fields <= named
    assert fields < schema._RESERVED
