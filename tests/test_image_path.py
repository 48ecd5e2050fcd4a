"""The way of an image from a call to its mask: which packages it enters, and how often."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import wasinn_nb as wn

ROOT = Path(wn.__file__).parent
PIPELINE = {"pipeline", "request"}
"""Where the steps of a call are: the second holds what many images at once need of them."""
GROUND_FLOOR = {"abi", "errors", "files", "settings", "tensor", "wording"}
"""Values and rules that every package uses."""

NOT_THE_IMAGE = {"ProcessGuard.check"}
"""Calls of the pipeline that look at the process, not at the image."""


def package_of(frame):
    """Return the package or module of wasinn_nb that a frame runs in, or None."""
    path = Path(frame.f_code.co_filename)
    return path.relative_to(ROOT).parts[0].removesuffix(".py") if ROOT in path.parents else None


def entered(run, modules):
    """Return the packages that *modules* call while *run* is called, in order."""
    packages = []

    def note(frame, event, _):
        if event != "call" or frame.f_back is None or package_of(frame.f_back) not in modules:
            return
        package = package_of(frame)
        if (
            package not in {None, *modules, *GROUND_FLOOR}
            and frame.f_code.co_qualname not in NOT_THE_IMAGE
        ):
            packages.append(package)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        run()
    finally:
        sys.setprofile(before)
    return [name for name, _ in itertools.groupby(packages)]


def test_an_image_enters_four_packages_on_its_way_to_the_mask_and_each_once(toy, red):
    pipeline = wn.Pipeline(toy)
    pipeline(red)  # what is loaded at the first run is no part of the way
    way = entered(lambda: pipeline(red), PIPELINE)
    assert way == ["catalog", "imaging", "runtimes", "tasks"]
