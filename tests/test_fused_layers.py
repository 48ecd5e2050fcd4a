"""compare(layers=True) of models in which normalizations are fused in one and not in the other."""

from __future__ import annotations

import json

import numpy as np
import pytest
import toys
from commands import run
from layered import Graph, converted, onnx_normalized

import wasinn_nb as wn
from wasinn_nb.comparison.fusions import without_fused
from wasinn_nb.comparison.matching import Pair

PIXELS = np.random.default_rng(3).integers(0, 256, (32, 48, 3), np.uint8)


def compared(a, b):
    return wn.compare(a, b, layers=True, image=PIXELS, progress=False)


@pytest.mark.full
@pytest.mark.parametrize("runtime", ["openvino", "onnxruntime"])
@pytest.mark.parametrize("reverse", [False, True])
def test_a_converted_model_differs_nowhere(tmp_path, runtime, reverse):
    original = wn.Pipeline(onnx_normalized(tmp_path / "a.onnx"), runtime=runtime)
    copy = wn.Pipeline(converted(tmp_path / "a.onnx", tmp_path / "a.xml"))
    found = compared(*((copy, original) if reverse else (original, copy))).layers
    assert found.first is None
    compensated = [layer for layer in found.layers if layer.compensated]
    assert {layer.dimensions for layer in compensated} <= {(1, 6, 32, 48), (1, 4, 32, 48)}
    # OpenVINO fuses its side; ONNX Runtime cannot.
    count = {"openvino": 0, "onnxruntime": 3}[runtime]
    assert len(compensated) == count
    assert all(layer.snr < 60 for layer in compensated)
    assert all(layer.own > 100 for layer in found.layers)
    assert all(layer.snr > 100 for layer in found.layers if not layer.compensated)
    assert ("; 3 layers hold other numbers" in str(found)) == (count > 0)
    assert len(found.layers) == 9


@pytest.mark.full
@pytest.mark.parametrize("runtime", ["openvino", "onnxruntime"])
@pytest.mark.parametrize("changed", [0, 1, 2])
def test_a_fault_before_the_conversion_is_named(tmp_path, runtime, changed):
    original = wn.Pipeline(onnx_normalized(tmp_path / "a.onnx"), runtime=runtime)
    faulty = converted(onnx_normalized(tmp_path / "b.onnx", changed), tmp_path / "b.xml")
    found = compared(original, wn.Pipeline(faulty)).layers
    names = [layer.name for layer in found.layers]
    assert found.first.operation in {"Conv", "Convolution", "GroupConvolution"}
    assert names.index(found.first.name) == 3 * changed
    fused = runtime == "openvino"
    assert sum(layer.compensated for layer in found.layers) == (0 if fused else 2)
    marked = [index for index, layer in enumerate(found.layers) if not layer.explained]
    assert marked == [3 * changed + further for further in range(1 if fused else 2)]


@pytest.mark.full
def test_a_fault_that_the_next_layer_hides(tmp_path):
    pair = [onnx_normalized(tmp_path / f"{n}.onnx", n, dead=True) for n in (None, 0)]
    found = compared(*pair).layers
    assert found.outputs_equal
    assert found.first is None
    hidden = [layer for layer in found.layers if not layer.explained]
    assert [(layer.operation, layer.compensated) for layer in hidden] == [("Convolution", False)]
    assert str(found) == (
        "the outputs are equal, but 1 of 9 layers inside differs by more than f32 explains; "
        "nothing of it reaches the outputs on this image"
    )
    assert found.to_dict()["first"] is None


@pytest.mark.full
def test_page_figure_and_command_line(tmp_path, here):
    original = onnx_normalized(tmp_path / "a.onnx")
    copy = converted(original, tmp_path / "a.xml")
    found = compared(wn.Pipeline(original, runtime="onnxruntime"), copy).layers
    assert "with the next: the layer holds other numbers" in repr(found)
    assert ", with the next<" in found.write_html(tmp_path / "page.html").read_text()
    in_whole, alone = (line.get_ydata() for line in found.plot().axes[0].get_lines()[:2])
    assert np.isnan(in_whole).sum() >= 3
    assert not (alone < 80).any()
    toys.third_blue("a.png")
    words = ["compare", str(original), str(copy), "--layers", "--image", "a.png", "--json"]
    words += ["--runtime", "onnxruntime", "--runtime", "openvino"]
    values = json.loads(run(*words))["layers"]
    assert (values["first"], values["compensated"], values["matched"]) == (None, 3, 9)
    assert sum(layer["compensated"] for layer in values["layers"]) == 3


# -- the rule --------------------------------------------------------------------------------------


CHAIN = Graph({"conv": ["image"], "norm": ["conv"], "relu": ["norm"], "head": ["relu"]})


def judged(graph, own, again, outputs=()):
    """Return what is measured at last, and the names of what is compensated.

    *again* maps what is passed over to what a layer then gives alone.
    """
    pairs = [Pair(number, number) for number in range(len(graph.names))]

    def alone(numbers, known):
        passed = frozenset(graph.names) - {graph.names[pair.b] for pair in known}
        return [again[passed].get(graph.names[number], 0.0) for number in numbers]

    found = without_fused(
        graph,
        pairs,
        [own[name] for name in graph.names],
        [80.0] * len(pairs),
        frozenset(outputs),
        alone,
    )
    return dict(zip(graph.names, found[0], strict=True)), {graph.names[n] for n in found[1]}


def test_what_the_next_layer_undoes_is_compensated():
    own = {"conv": -18.0, "norm": 1.0, "relu": 120.0, "head": 120.0}
    found, compensated = judged(CHAIN, own, {frozenset({"conv"}): {"norm": 120.0}})
    assert compensated == {"conv"}
    assert found == own | {"conv": 120.0, "norm": 120.0}


def test_a_fault_whose_next_layer_is_as_it_should_be_is_not():
    own = {"conv": 8.0, "norm": 120.0, "relu": 120.0, "head": 120.0}
    assert judged(CHAIN, own, {}) == (own, set())


def test_a_fault_in_fused_layers_is_not():
    own = {"conv": -18.0, "norm": 1.0, "relu": 120.0, "head": 120.0}
    found, compensated = judged(CHAIN, own, {frozenset({"conv"}): {"norm": 8.0}})
    assert compensated == set()
    assert found == own | {"norm": 8.0}


def test_factors_that_are_spread_over_several_layers():
    own = {"conv": -18.0, "norm": 1.0, "relu": 1.0, "head": 120.0}
    again = {
        frozenset({"conv"}): {"norm": 1.0},
        frozenset({"conv", "norm"}): {"relu": 120.0},
    }
    found, compensated = judged(CHAIN, own, again)
    assert compensated == {"conv", "norm"}
    assert set(found.values()) == {120.0}


def test_two_readers_have_to_make_up_for_it():
    graph = Graph({"conv": ["image"], "norm": ["conv"], "skip": ["conv"]})
    own = dict.fromkeys(graph.names, 1.0)
    passed = frozenset({"conv"})
    assert judged(graph, own, {passed: {"norm": 120.0, "skip": 120.0}})[1] == {"conv"}
    assert judged(graph, own, {passed: {"norm": 120.0, "skip": 8.0}})[1] == set()


def test_nothing_makes_up_for_an_output():
    own = {"conv": -18.0, "norm": 1.0, "relu": 120.0, "head": 120.0}
    assert judged(CHAIN, own, {}, outputs={0}) == (own, set())
