"""The package as a whole: what importing it loads, what the README promises, what a wheel holds."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

import wasinn_nb as wn

ROOT = Path(__file__).resolve().parents[1]


def run_python(code, cwd=ROOT, python=sys.executable):
    return subprocess.run(
        [str(python), "-c", code], cwd=cwd, capture_output=True, text=True, check=True
    ).stdout


def test_importing_loads_nothing_heavy():
    code = "import sys, wasinn_nb; print(*sys.modules)"
    loaded = {name.split(".")[0] for name in run_python(code).split()}
    assert "wasinn_nb" in loaded
    assert not loaded & {"openvino", "matplotlib", "ipywidgets", "wasmtime", "pooch", "PIL"}


def test_every_public_name_is_there():
    for name in wn.__all__:
        assert getattr(wn, name).__doc__, name
    assert callable(wn.images), "a module must not hide a function of the same name"
    with pytest.raises(AttributeError, match="no_such_name"):
        wn.no_such_name  # noqa: B018


def test_public_names_survive_the_import_of_every_module():
    code = (
        "import importlib, pkgutil, wasinn_nb as wn\n"
        "for module in pkgutil.walk_packages(wn.__path__, 'wasinn_nb.'):\n"
        "    importlib.import_module(module.name)\n"
        "print([n for n in wn.__all__ if type(getattr(wn, n)).__name__ == 'module'])"
    )
    assert run_python(code).strip() == "[]"


def readme_blocks(language):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def test_the_first_example_of_the_readme_runs_as_printed(tmp_path):
    first = readme_blocks("python")[0]
    printed = run_python(first, cwd=tmp_path)
    assert printed.startswith(f"{wn.model().name}, 512x896, f32\n")
    assert (tmp_path / "overlay.jpg").stat().st_size > 10_000


def test_the_five_calls_of_the_readme_run_as_printed(tmp_path):
    (calls,) = (block for block in readme_blocks("python") if "WasiNnCtx" in block)
    printed = run_python(f"import wasinn_nb as wn\n{calls}", cwd=tmp_path)
    names = re.findall(r"^\d+ +(\w+)", printed, flags=re.MULTILINE)  # long arguments wrap
    assert names == ["load", "init_execution_context", "set_input", "compute", "get_output"]


def test_the_readme_names_targets_that_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, flags=re.MULTILINE))
    named = set(re.findall(r"`?make ([a-z]+)", (ROOT / "README.md").read_text(encoding="utf-8")))
    assert {"demo", "test", "lab", "lint", "bench"} <= named <= targets


@pytest.mark.timeout(600)
def test_the_wheel_works_in_an_empty_environment(tmp_path):
    """Built, installed with its dependencies, and run where the source tree is not."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "-q", "--no-deps", "-w", tmp_path, ROOT], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    pages = {
        "elements.js",
        "viewer.js",
        "viewer.css",
        "panel.js",
        "panel.css",
        "picker.js",
        "picker.css",
    }
    assert pages <= {Path(name).name for name in zipfile.ZipFile(wheel).namelist()}
    venv.create(tmp_path / "empty", with_pip=True, symlinks=os.name != "nt")
    python = tmp_path / "empty/bin/python"
    constraints = ROOT / "constraints.txt"
    subprocess.run(
        [python, "-m", "pip", "install", "-q", "-c", constraints, wheel], check=True, cwd=tmp_path
    )
    code = "import wasinn_nb as wn; print(wn.model().origin, wn.__file__); wn.segment().save('out')"
    origin, where = run_python(code, cwd=tmp_path, python=python).split()
    assert origin == "shipped"
    assert Path(where).is_relative_to(tmp_path / "empty")
    assert len(list((tmp_path / "out").iterdir())) == 5
    missing = "import wasinn_nb as wn\ntry: wn.Explorer\nexcept ImportError as error: print(error)"
    said = run_python(missing, cwd=tmp_path, python=python)
    assert said == "the widgets need anywidget: pip install 'wasinn-nb[lab]'\n"
