"""Widgets whose arguments are refused: one error, and nothing from what Python throws away."""

from __future__ import annotations

import gc
import sys

import pytest

import wasinn_nb as wn
from wasinn_nb.errors import InvalidArgumentError, MissingFileError

pytestmark = pytest.mark.full

REFUSED = {
    "Explorer, unknown": (lambda: wn.Explorer(img="city-crosswalk"), TypeError),
    "Explorer, resize": (lambda: wn.Explorer(resize="cubic"), InvalidArgumentError),
    "Explorer, root": (lambda: wn.Explorer(root="/no/such/folder"), MissingFileError),
    "ImagePicker, unknown": (lambda: wn.ImagePicker(img="city-crosswalk"), TypeError),
    "ImagePicker, root": (lambda: wn.ImagePicker(root="/no/such/folder"), MissingFileError),
    "ModelPicker, unknown": (lambda: wn.ModelPicker(file="x"), TypeError),
    "TargetPicker, unknown": (lambda: wn.TargetPicker(device="CPU"), TypeError),
    "MaskViewer, no result": (lambda: wn.MaskViewer("city-crosswalk"), InvalidArgumentError),
    "MaskViewer, one mask": (lambda: wn.MaskViewer(mode="difference"), InvalidArgumentError),
}


@pytest.mark.parametrize("name", REFUSED)
def test_one_error_and_no_other(name, monkeypatch, capsys):
    ignored = []
    monkeypatch.setattr(sys, "unraisablehook", ignored.append)
    make, kind = REFUSED[name]
    with pytest.raises(kind):
        make()
    gc.collect()
    assert [str(one.exc_value) for one in ignored] == []
    assert capsys.readouterr().err == ""
