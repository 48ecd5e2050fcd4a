"""Which layers of two models belong together."""

from __future__ import annotations

import pytest
from layered import Graph

import wasinn_nb as wn
from wasinn_nb.comparison import LayerComparison, LayerDifference
from wasinn_nb.comparison.matching import gap_before, matched
from wasinn_nb.comparison.models import _layered
from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.runtimes import INPUT

KINDS = ("Convolution", "Add", "Relu", "Convolution", "Add", "Relu", "Softmax")


def numbered(start, kinds=KINDS):
    """Return a chain whose names end in numbers from *start* on, as an engine makes them up."""
    names = [f"{kind}_{start + number}" for number, kind in enumerate(kinds)]
    return Graph(
        {name: [names[n - 1] if n else "image"] for n, name in enumerate(names)},
        dict(zip(names, kinds, strict=True)),
    )


def names_of(a, b):
    return [(a.names[pair.a], b.names[pair.b]) for pair in matched(a, b)]


def test_generated_names_are_matched_by_their_place():
    a, b = numbered(100), numbered(200)
    assert [(pair.a, pair.b) for pair in matched(a, b)] == [(n, n) for n in range(7)]


def test_a_generated_name_that_is_anothers_by_chance():
    a, b = numbered(100), numbered(97)  # Convolution_100 is b's second, and a's first
    assert [(pair.a, pair.b) for pair in matched(a, b)] == [(n, n) for n in range(7)]


def test_rounding_that_was_put_between_is_passed_over():
    kinds = [kind for one in KINDS for kind in (one, "FakeQuantize")][:-1]
    a, b = numbered(100), numbered(300, kinds)
    assert [(pair.a, pair.b) for pair in matched(a, b)] == [(n, 2 * n) for n in range(7)]


def test_layers_of_one_place_that_read_others_do_not_belong_together():
    kinds = {"s0": "Relu", "t0": "Sigmoid", "x": "Add", "y": "Add"}
    a = Graph({"s0": ["image"], "t0": ["image"], "x": ["s0"]}, kinds, ["s0"])
    b = Graph({"s0": ["image"], "t0": ["image"], "y": ["t0"], "z": ["y"]}, kinds, ["s0"])
    assert names_of(a, b) == [("s0", "s0"), ("t0", "t0")]


def test_outputs_belong_together_by_their_place():
    a = Graph({"scores": ["image"]}, {"scores": "Softmax"})
    b = Graph({"out": ["image"]}, {"out": "SoftMax"})
    assert names_of(a, b) == [("scores", "out")]
    wider = Graph({"out": ["image"]}, {"out": "Softmax"}, sizes={"out": 8})
    assert matched(a, wider) == []


def test_what_lies_before_a_layer_without_a_counterpart():
    kinds = {"p": "P", "q": "Q", "r": "R"}
    a = Graph({"in": ["image"], "p": ["in"], "q": ["p"], "end": ["q"]}, kinds)
    b = Graph({"in": ["image"], "r": ["in"], "end": ["r"]}, kinds)
    pairs = matched(a, b)
    assert [(a.names[pair.a], b.names[pair.b]) for pair in pairs] == [("in", "in"), ("end", "end")]
    assert gap_before(a, b, pairs, pairs[1]) == (frozenset({0}), (2, 1))
    assert gap_before(a, b, pairs, pairs[0]) == (frozenset({INPUT}), (0, 0))


@pytest.mark.parametrize(
    ("unmatched", "words"),
    [
        ((1, 0), "; between stem and conv, layer without a counterpart: 1 of a"),
        ((0, 2), "; between stem and conv, layers without a counterpart: 2 of b"),
        ((2, 3), "; between stem and conv, layers without a counterpart: 2 of a and 3 of b"),
        ((0, 0), ""),
    ],
)
def test_the_answer_says_what_was_not_compared(unmatched, words):
    layer = LayerDifference(
        "conv", "Conv", (1, 8), 8.0, 8.0, 0.1, explained=False, before="stem", unmatched=unmatched
    )
    found = LayerComparison((layer,), "f32", 80.0, left_out=(3, 0))
    assert str(found) == (
        f"first layer that differs: conv (Conv), alone 8.0 dB where f32 explains 80 dB{words}; "
        f"without a counterpart: 3 of 4 layers of a, 0 of 1 of b"
    )
    assert found.to_dict()["layers"][0]["unmatched"] == list(unmatched)


# -- models ----------------------------------------------------------------------------------------


def chain(path, kinds, name="{}"):
    """Write an IR of functions, one after the other."""
    import numpy as np
    import openvino as ov
    from openvino import opset13 as op

    node = image = op.parameter([1, 3, 16, 24], np.float32, name="image")
    for number, kind in enumerate(kinds):
        node = getattr(op, kind)(node)
        node.set_friendly_name(name.format(f"{kind}{number}"))
    ov.save_model(ov.Model([node], [image], "chain"), path, compress_to_fp16=False)
    return path


@pytest.mark.full
def test_models_with_too_few_layers_in_common_are_refused(tmp_path):
    a = chain(tmp_path / "a.xml", ["relu", "sin", "sinh", "abs", "tanh"])
    b = chain(tmp_path / "b.xml", ["relu", "cos", "sigmoid", "erf", "floor"], "b-{}")
    pixels = toy_image()
    with pytest.raises(InvalidArgumentError, match=r"have 2 layers of one name or place.*half"):
        wn.compare(a, b, layers=True, image=pixels, progress=False)
    half = chain(tmp_path / "c.xml", ["relu", "sin", "sigmoid", "erf", "tanh"])
    found = wn.compare(a, half, layers=True, image=pixels, progress=False).layers
    assert [layer.name for layer in found.layers] == ["relu0", "sin1", "tanh4"]
    assert found.first.name == "tanh4"
    assert (found.first.before, found.first.unmatched) == ("sin1", (2, 2))


def toy_image():
    import numpy as np

    return np.random.default_rng(3).integers(0, 256, (16, 24, 3), np.uint8)


@pytest.mark.full
def test_two_reads_of_a_tensorflow_lite_file(shared):
    path = shared / "models/third-party/bodypix_float.tflite"
    a, b = (_layered(wn.Pipeline(path, runtime="openvino")) for _ in range(2))
    assert [layer.name for layer in a.layers] == [layer.name for layer in b.layers]
    assert len(matched(a, b)) == len(a.layers) == 85


@pytest.mark.full
def test_a_changed_tensorflow_lite_file(shared, tmp_path):
    import numpy as np

    path = shared / "models/third-party/bodypix_float.tflite"
    content = bytearray(path.read_bytes())
    place = len(content) // 2 // 4 * 4
    weights = np.frombuffer(bytes(content[place : place + 4000]), "<f4")
    content[place : place + 4000] = (-3 * weights).tobytes()
    copy = tmp_path / "changed.tflite"
    copy.write_bytes(content)
    pair = [wn.Pipeline(one, runtime="openvino") for one in (path, copy)]
    found = wn.compare(*pair, layers=True, image=wn.image(), progress=False).layers
    assert found.left_out == (0, 0)
    assert [layer.operation for layer in found.layers if not layer.explained] == ["Convolution"]
    assert found.first.name == "Convolution-94"
