"""The summary of predictions: each message of the errors, those of most images first."""

from __future__ import annotations

import numpy as np
import pytest
import toys
from PIL import Image

import wasinn_nb as wn


@pytest.mark.full
def test_each_message_is_listed(tmp_path):
    path = toys.textures(tmp_path / "toy.xml", gives="scores")
    recipe = wn.PreprocessRecipe(64, 96)
    wn.ModelCard("toy", "segmentation", recipe, ("a", "b", "c", "d")).write(path)
    folder = tmp_path / "images"
    (folder / "deep").mkdir(parents=True)
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(folder / "whole.png")
    for name in ("one.png", "deep/two.png"):
        (folder / name).touch()
    for number in range(5):
        (folder / f"text{number}.png").write_text(f"text {number}")
    found = wn.predict(folder, path, tmp_path / "store", failures=1, progress=False)
    text = str(found)
    assert "7 errors" in text
    assert "ImageError (2): deep/two.png: empty; expected an encoded image" in text
    assert "ImageError (1): text3.png: not an image that Pillow can read" in text
    assert "text4.png" not in text
    assert "1 other message of 1 image: column error, where status == 'error'" in text
