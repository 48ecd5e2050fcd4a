"""Where code lies: packages are entered from the front, files are short, names are not hidden."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import wasinn_nb as wn

ROOT = Path(wn.__file__).parent
MODULES = sorted(ROOT.rglob("*.py"))
PACKAGES = {
    ".".join(path.parent.relative_to(ROOT.parent).parts) for path in ROOT.rglob("__init__.py")
}
PACKAGES.remove("wasinn_nb")
PUBLIC_PATHS = {"wasinn_nb/metrics.py"}
"""Modules that only give an inner module its public path."""

_NAMES = ("id", "arg", "attr", "name")  # of variables, parameters, attributes, functions
REASON = "Longer than "
"""What the head of a longer file says, and why."""


def _name(path):
    return path.relative_to(ROOT.parent).as_posix()


def _imports(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node


def _owner(module):
    """Return the innermost package that a module lies in."""
    around = [one for one in PACKAGES if module == one or module.startswith(f"{one}.")]
    return max(around, key=len, default=None)


def test_other_packages_are_imported_from_the_package():
    inner = [
        f"{_name(path)}, line {node.lineno}: {node.module}"
        for path in MODULES
        if _name(path) not in PUBLIC_PATHS
        for here in [".".join(path.parent.relative_to(ROOT.parent).parts)]
        for node in _imports(path)
        if (owner := _owner(node.module)) is not None
        and owner not in {node.module, here}
        and not here.startswith(f"{owner}.")
    ]
    assert inner == []


def test_init_files_hold_no_functions():
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    found = [
        f"{_name(path)}: {node.name}"
        for path in ROOT.rglob("__init__.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, kinds)
    ]
    assert found == []


@pytest.mark.parametrize(("pattern", "most"), [("*.py", 400), ("*.js", 500)])
@pytest.mark.parametrize("folder", ["wasinn_nb", "tests", "benchmarks", "training", "guests"])
def test_long_files_give_a_reason(folder, pattern, most):
    too_long = {}
    for path in ROOT.with_name(folder).rglob(pattern):
        if "node_modules" in path.parts:
            continue
        text = path.read_text(encoding="utf-8")
        if (lines := text.count("\n")) > most and REASON not in text[:2000]:
            too_long[_name(path)] = lines
    assert too_long == {}


@pytest.mark.full
def test_names_say_what_they_hold():
    vague = {"came", "said", "shown", "taken", "told", "wanted"}
    found = []
    for folder in ("wasinn_nb", "tests", "benchmarks", "training", "docs"):
        for path in ROOT.with_name(folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                name = next((getattr(node, one) for one in _NAMES if hasattr(node, one)), None)
                if isinstance(name, str) and name.strip("_") in vague:
                    found.append(f"{path}, line {node.lineno}: {name}")
    assert found == []


def test_no_module_hides_a_public_function():
    functions = {name for name in wn.__all__ if callable(getattr(wn, name))}
    hidden = {path.stem for path in ROOT.glob("*.py")} | {path.name for path in ROOT.iterdir()}
    assert functions & hidden == set()
    for package in PACKAGES - {"wasinn_nb.cli"}:  # it imports its modules, which register verbs
        init = ROOT.joinpath(*package.split(".")[1:], "__init__.py")
        exported = {alias.name for node in _imports(init) for alias in node.names}
        assert exported & {path.stem for path in init.parent.glob("*.py")} == set(), package


def test_packages_are_found():
    assert {"wasinn_nb.cards", "wasinn_nb.tasks.segmentation"} <= PACKAGES
    assert len(MODULES) > 100
