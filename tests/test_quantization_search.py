"""quantize looks for the layers to keep in floating point, and says what it found."""

from __future__ import annotations

import numpy as np
import pytest
import quantized
import toys
from PIL import Image

import wasinn_nb as wn
from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.progress import progress_bar
from wasinn_nb.quantization.quantizing import _searched
from wasinn_nb.quantization.stages import Stages

IMAGE = np.zeros((4, 6, 3), np.uint8)

# -- which layers are kept -------------------------------------------------------------------------


class Maker:
    """Stands for NNCF: what a class loses, by how many layers are kept."""

    def __init__(self, losses, quantized="abcdefghij"):
        self.losses, self.reference, self.asked = losses, None, []
        self.quantized = tuple(quantized)
        self.stages = Stages(progress_bar(progress=False, total=0))

    def __call__(self, kept=()):
        from types import SimpleNamespace

        self.asked.append(kept)
        worst = SimpleNamespace(name="curb", lost=self.losses[len(kept)])
        judgement = SimpleNamespace(worst_class=worst)
        return SimpleNamespace(
            kept=kept,
            lost=worst.lost,
            judgement=judgement,
            quantized=self.quantized,
            pipeline=None,
        )


@pytest.fixture
def layers(monkeypatch):
    from types import SimpleNamespace

    order = [SimpleNamespace(name=name) for name in ("x", *"jihgfedcba")]
    compared = SimpleNamespace(worst_first=order)
    monkeypatch.setattr(
        "wasinn_nb.quantization.quantizing.compare_layers", lambda *_, **__: compared
    )
    return compared


@pytest.mark.parametrize(
    ("losses", "asked", "kept"),
    [
        ({0: 0.009}, [0], ""),
        ({0: 0.05, 1: 0.03, 2: 0.01}, [0, 1, 2], "ji"),
        ({0: 0.05, 1: 0.06, 2: 0.04, 4: 0.03, 8: 0.035}, [0, 1, 2, 4, 8], "jihg"),
    ],
)
def test_layers_are_kept_until_no_class_loses_too_much(layers, losses, asked, kept):
    maker = Maker(losses)
    found = _searched(maker, None, 0.01)
    assert [len(one) for one in maker.asked] == asked
    assert found.best.kept == tuple(kept)
    assert (found.tried == ()) == (asked == [0])
    assert found.layers is (layers if found.tried else None)
    assert found.none_kept == ""


def test_layers_that_gain_little_are_not_kept(layers):
    found = _searched(Maker({0: 0.05, 1: 0.06, 2: 0.045, 4: 0.04, 8: 0.038}), None, 0.01)
    assert found.best.kept == ()
    assert found.none_kept == "no layer is kept, as what they gain is too little"
    assert [count for count, *_ in found.tried] == [0, 1, 2, 4, 8]
    # One class fails in place of another.
    found = _searched(Maker({0: 0.0009, 1: 0.0008, 2: 0.0009, 4: 0.001, 8: 0.001}), None, 0.0005)
    assert found.best.kept == ()


@pytest.mark.parametrize(
    ("quantized", "reason"),
    [
        ("", "none has weights in INT8"),
        ("k", "none of the 1 layer with weights in INT8 has a name that a layer in f32 has"),
        ("kl", "none of the 2 layers with weights in INT8 has a name that a layer in f32 has"),
        ("a", "one layer alone has weights in INT8, and with it the whole model would be kept"),
    ],
)
def test_where_no_layer_can_be_kept_the_reason_is_said(layers, quantized, reason):
    found = _searched(Maker({0: 0.05}, quantized), None, 0.01)
    assert (found.best.kept, found.tried) == ((), ((0, "curb", 0.05),))
    assert found.none_kept == f"no layer could be kept: {reason}"


def test_models_without_a_name_in_common_are_judged_all_the_same(monkeypatch):
    def compare(*_, **__):
        raise InvalidArgumentError("no layer in common")

    monkeypatch.setattr("wasinn_nb.quantization.quantizing.compare_layers", compare)
    found = _searched(Maker({0: 0.05}), None, 0.01)
    assert found.layers is None
    assert found.none_kept.endswith(
        "none of the 10 layers with weights in INT8 has a name that a layer in f32 has"
    )


def test_one_named_layer_of_many_can_be_kept(monkeypatch):
    from types import SimpleNamespace

    compared = SimpleNamespace(worst_first=[SimpleNamespace(name="c")])
    monkeypatch.setattr(
        "wasinn_nb.quantization.quantizing.compare_layers", lambda *_, **__: compared
    )
    assert _searched(Maker({0: 0.05, 1: 0.001}), None, 0.01).best.kept == ("c",)


# -- a real model ----------------------------------------------------------------------------------


def outlier(path):
    """Write an ONNX model whose layer ``narrow`` reads three channels beside a much wider one.

    8 bits for all four leave nothing of the three; with the layer in floating point all is left.
    """
    from onnx import TensorProto, helper, numpy_helper

    shape = [1, 3, 32, 48]
    ends = {"data": (TensorProto.FLOAT, shape)}, {"scores": (TensorProto.FLOAT, shape)}
    model = toys.onnx_graph(
        [
            ("Conv", ["data", "w0"], ["wide"]),
            ("Conv", ["wide", "w1"], ["narrow"]),
            ("Conv", ["narrow", "w2"], ["scores"]),
        ],
        *ends,
    )
    mixed = np.eye(3) + np.random.default_rng(3).normal(size=(3, 3)) / 8
    wide = np.vstack([mixed, np.full((1, 3), 1000)])
    narrow = np.hstack([np.eye(3), np.zeros((3, 1))])
    for number, kernel in enumerate((wide, narrow, mixed)):
        values = kernel.astype(np.float32)[:, :, None, None]
        model.graph.initializer.append(numpy_helper.from_array(values, f"w{number}"))
    helper.set_model_props(
        model,
        {"Image.BitmapPixelFormat": "Rgb8", "Image.NominalPixelRange": "Normalized_0_1"}
        | {"names": "['red', 'green', 'blue']"},
    )
    path.write_bytes(model.SerializeToString())
    return path


@pytest.mark.full
def test_the_layer_that_int8_spoils_is_kept_and_the_rest_is_in_int8(tmp_path):
    pytest.importorskip("nncf")
    rng = np.random.default_rng(5)
    images = [
        np.asarray(Image.fromarray(rng.integers(0, 256, (4, 6, 3), np.uint8)).resize((48, 32)))
        for _ in range(8)
    ]
    found = wn.quantize(
        outlier(tmp_path / "toy.onnx"),
        images,
        folder=tmp_path / "out",
        max_drop=0.3,
        progress=False,
    )
    (none, name, before), (one, _, after) = found.tried
    assert (none, name, one) == (0, "green", 1)
    assert before == 1  # no pixel is green any more
    assert after < 0.3
    assert found.layers.first.name == "narrow"
    assert found.kept == ("narrow",)
    assert found.quantized == ("wide", "scores")
    assert found.none_kept == ""
    assert found.within
    text = repr(found)
    assert "kept    narrow in floating point" in text
    assert "2 of 3 with weights in INT8" in text


# -- what is said ----------------------------------------------------------------------------------


def test_the_report_says_that_none_could_be_kept(tmp_path):
    path = toys.brightest_channel(tmp_path / "toy.xml")
    reason = "no layer could be kept: none has weights in INT8"
    found = quantized.quantization(
        path, IMAGE, lost=0.05, tried=((0, "class 2", 0.05),), none_kept=reason
    )
    text = repr(found)
    assert (
        f"- a class lost more than 0.01; {reason} (0 kept: class 2 loses 0.0500; "
        "none of these reaches 0.01)"
    ) in text
    assert "were kept" not in text
    assert found.to_dict()["none_kept"] == reason
