"""The package as a whole: what importing it loads, what the README promises, what a wheel holds."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import subprocess
import sys
import tomllib
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


@pytest.mark.full
def test_importing_loads_nothing_heavy():
    code = "import sys, wasinn_nb; print(*sys.modules)"
    loaded = {name.split(".")[0] for name in run_python(code).split()}
    assert "wasinn_nb" in loaded
    assert not loaded & {
        "openvino",
        "matplotlib",
        "ipywidgets",
        "wasmtime",
        "requests",
        "msgspec",
        "PIL",
    }


def test_every_public_name_is_there():
    for name in wn.__all__:
        assert getattr(wn, name).__doc__, name
    assert callable(wn.images), "a module must not hide a function of the same name"
    with pytest.raises(AttributeError, match="no_such_name"):
        wn.no_such_name  # noqa: B018


@pytest.mark.full
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


def readme_block(word):
    (found,) = (block for block in readme_blocks("python") if word in block)
    return found


# tests/test_docs.py runs all of them one after another.
@pytest.mark.full
def test_the_shipped_scene_of_the_readme_gives_what_is_said(tmp_path):
    printed = run_python(f"import wasinn_nb as wn\n{readme_block('digest()')}", cwd=tmp_path)
    assert printed.startswith(f"{wn.model().name}, 512x896, f32\n")
    assert (tmp_path / "overlay.jpg").stat().st_size > 10_000


@pytest.mark.full
def test_the_five_calls_of_the_readme_run_as_printed(tmp_path):
    printed = run_python(f"import wasinn_nb as wn\n{readme_block('WasiNnCtx')}", cwd=tmp_path)
    names = re.findall(r"^\d+ +(\w+)", printed, flags=re.MULTILINE)
    assert names == ["load", "init_execution_context", "set_input", "compute", "get_output"]


def test_the_readme_names_targets_that_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, flags=re.MULTILINE))
    named = set(re.findall(r"`?make ([a-z-]+)", (ROOT / "README.md").read_text(encoding="utf-8")))
    assert {"demo", "test", "lab", "lint", "bench"} <= named <= targets


@pytest.mark.parametrize("act", ["install", "lint", "test"])
def test_without_node_the_checks_of_javascript_are_counted_and_left_out(tmp_path, act):
    for program in ("bash", "cat", "dirname", "grep"):
        (tmp_path / program).symlink_to(shutil.which(program))
    (tmp_path / "npm").symlink_to("/bin/false")  # npm alone is not enough
    folder = ROOT / "tests/javascript"
    tests = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.test.js"))
    counts = {"lint": 2, "test": len(re.findall(r"^test\(", tests, flags=re.MULTILINE))}
    alone = {"PATH": str(tmp_path)}
    done = subprocess.run(
        [folder / "run.sh", act], env=alone, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    message = f"skipped: {counts.get(act)} JavaScript checks, because Node 20 is not installed\n"
    assert done.stdout == ("" if act == "install" else message)
    assert counts["test"] > 100


def node_version():
    """Return the version of Node, (0,) where there is none."""
    if shutil.which("node") is None:
        return (0,)
    printed = subprocess.run(
        ["node", "--version"], capture_output=True, text=True, check=True
    ).stdout
    return tuple(map(int, re.findall(r"\d+", printed)))


@pytest.mark.skipif(node_version() < (20, 19), reason="Node 20.19 is not installed")
def test_with_node_the_checks_of_javascript_are_not_left_out(tmp_path):
    for program in ("bash", "dirname", "node"):
        (tmp_path / program).symlink_to(shutil.which(program))
    (tmp_path / "npm").write_text('#!/usr/bin/env bash\necho "$@"\n')
    (tmp_path / "npm").chmod(0o755)
    done = subprocess.run(
        [ROOT / "tests/javascript/run.sh", "test"],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "run --silent test\n"


def files_below(folder):
    """Return the files that are to be shipped: all but what Python or an editor leaves there."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix()
        for path in paths
        if "__pycache__" not in path.parts and not path.name.startswith(".")
    }


def check_wheel(wheel):
    """Every file of the package, every file of the data, and every entry point is in the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        (declared,) = (name for name in names if name.endswith(".dist-info/entry_points.txt"))
        found = configparser.ConfigParser(delimiters="=")
        found.read_string(archive.read(declared).decode())
    package = {f"wasinn_nb/{name}" for name in files_below(ROOT / "wasinn_nb")}
    data = {f"wasinn_nb/data/{name}" for name in files_below(ROOT / "data")}
    assert package | data <= names
    assert {Path(name).suffix for name in package | data} >= {
        *(".css", ".js", ".jpg", ".json", ".png", ".py", ".pyi", ".typed", ".wasm", ".wat"),
    }
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    expected = {"console_scripts": project["scripts"], **project["entry-points"]}
    assert {group: dict(found[group]) for group in found.sections()} == expected


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_wheel_works_in_an_empty_environment(tmp_path, monkeypatch):
    """Built, installed with its dependencies, and run where the source tree is not."""
    monkeypatch.delenv("PYTHONPATH", raising=False)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "-q", "--no-deps", "-w", tmp_path, ROOT], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    check_wheel(wheel)
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
    printed = run_python(missing, cwd=tmp_path, python=python)
    assert printed == "the widgets need anywidget: pip install 'wasinn-nb[lab]'\n"
