"""What is published: one version everywhere, and files that a package index takes."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path

import pytest

import wasinn_nb as wn

ROOT = Path(__file__).resolve().parents[1]


def test_the_version_is_the_same_everywhere():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    citation, changelog = ((ROOT / n).read_text("utf-8") for n in ("CITATION.cff", "CHANGELOG.md"))
    (cited,) = re.findall(r"^version: (.+)$", citation, re.MULTILINE)
    latest = re.search(r"^## \[(.+?)\]", changelog, re.MULTILINE)[1]
    assert {project["version"], cited, latest} == {wn.__version__}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_files_for_a_package_index_are_built_and_pass_its_check(tmp_path):
    pytest.importorskip("build")
    pytest.importorskip("twine")
    subprocess.run(
        [sys.executable, "-m", "build", "--outdir", tmp_path, ROOT], check=True, capture_output=True
    )
    names = sorted(path.name for path in tmp_path.iterdir())
    stem = f"wasinn_nb-{wn.__version__}"
    assert names == [f"{stem}-py3-none-any.whl", f"{stem}.tar.gz"]
    check = [sys.executable, "-m", "twine", "check", "--strict", *map(str, tmp_path.iterdir())]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    with tarfile.open(tmp_path / f"{stem}.tar.gz") as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    expected = ("README.md", "CHANGELOG.md", "docs/conf.py", "tests/conftest.py", "guests/build.py")
    assert set(expected) <= inside
    assert not [name for name in inside if "node_modules" in name or name.startswith("out/")]
