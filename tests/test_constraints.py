"""constraints.txt can be installed: each version in it suits every package that asks for it."""

import re
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

CONSTRAINTS = Path(__file__).parents[1] / "constraints.txt"


def pinned():
    pairs = (line.split("==") for line in CONSTRAINTS.read_text().splitlines() if "==" in line)
    return {canonicalize_name(name): version.strip() for name, version in pairs}


def requirements():
    """Each requirement of an installed package that holds here, with the package that has it."""
    for distribution in metadata.distributions():
        name = canonicalize_name(distribution.metadata["Name"])
        for text in distribution.requires or []:
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                yield name, requirement


def test_no_pinned_version_is_refused_by_a_package_that_needs_it():
    versions = pinned()
    refused = [
        f"{name} needs {requirement}; constraints.txt has {versions[needed]}"
        for name, requirement in requirements()
        if (needed := canonicalize_name(requirement.name)) in versions
        and not requirement.specifier.contains(versions[needed], prereleases=True)
    ]
    assert not refused


def test_each_line_names_one_version():
    lines = [line for line in CONSTRAINTS.read_text().splitlines() if not line.startswith("#")]
    assert len(lines) > 100
    assert [line for line in lines if not re.fullmatch(r"[\w.-]+==[\w.+!-]+", line)] == []
