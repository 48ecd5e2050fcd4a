"""One thing is in the singular, wherever a number stands before a noun."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import toys

import wasinn_nb as wn
from wasinn_nb.errors import ImageError, InvalidArgumentError, TensorError, TensorFileError
from wasinn_nb.imaging import open_image
from wasinn_nb.wording import bytes_text, counted

SOURCES = sorted(Path(wn.__file__).parent.rglob("*.py"))


def test_no_noun_leaves_its_number_open():
    for path in SOURCES:
        text = path.read_text(encoding="utf-8")
        assert re.findall(r"\w\(s\)[ ,;:.)\"']", text.replace("http(s) address", "")) == [], path
        assert re.findall(r"(?:''|\"\") if \w+ == 1 else (?:'s'|\"s\")", text) == [], path


@pytest.mark.parametrize(
    ("noun", "plural"),
    [
        *(("pixel", "pixels"), ("class", "classes"), ("index", "indexes"), ("entry", "entries")),
        *(("array", "arrays"), ("WASI-NN call", "WASI-NN calls"), ("branch", "branches")),
        *(("further class", "further classes"), ("file of a model", "files of a model")),
    ],
)
def test_the_plural(noun, plural):
    assert counted(1, noun) == f"1 {noun}"
    assert [counted(number, noun) for number in (0, 2, 1001)] == [
        f"{number} {plural}" for number in (0, 2, 1001)
    ]


def test_one_pixel_one_prediction_one_byte(tmp_path):
    one = np.zeros((1, 1), np.uint8)
    evaluation = wn.evaluate([one], [one], classes=["a", "b"])
    assert "1 image, 1 pixel counted" in repr(evaluation)
    with pytest.raises(InvalidArgumentError, match="got 1 prediction and 2 truths"):
        wn.evaluate([one], [one, one], classes=["a", "b"])
    assert repr(wn.Tensor.from_array(np.zeros(1, np.uint8))) == "Tensor(1xu8, 1 byte)"
    assert bytes_text(1) == "1 byte"
    with pytest.raises(ImageError, match=r"^the 1 byte: "):
        open_image(b"x")
    with pytest.raises(TensorError, match="takes 1 byte, got 2"):
        wn.Tensor([1], "u8", b"ab")
    (tmp_path / "a-1xu8.tensor").write_bytes(b"ab")
    with pytest.raises(TensorFileError, match="takes 1 byte, the file has 2"):
        wn.read_tensor(tmp_path / "a-1xu8.tensor")


def test_one_builder_and_one_call(tmp_path):
    model = toys.brightest_channel(tmp_path / "toy.xml")
    with wn.WasiNnCtx() as context:
        with pytest.raises(InvalidArgumentError, match="takes 1 builder, got 2"):
            context.load([model, model], "onnx", "CPU")
        assert repr(context) == "WasiNnCtx(0 graphs, precision f32, 1 call)"
