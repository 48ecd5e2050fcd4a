"""compare(layers=True): the first layer that differs."""

from __future__ import annotations

import dataclasses
import json
import math
import pickle

import numpy as np
import pytest
import toys
from commands import run
from layered import in_8_bits, onnx_textures, planted
from tables import all_slow_but
from typer.testing import CliRunner

import wasinn_nb as wn
from wasinn_nb import cli, pipeline
from wasinn_nb.catalog import known_card
from wasinn_nb.comparison import LayerComparison, LayerDifference, models
from wasinn_nb.comparison.allowances import EXPLAINED, SPREAD
from wasinn_nb.comparison.layer_pairs import measured, signal_to_noise
from wasinn_nb.comparison.matching import Pair, matched, named_alike
from wasinn_nb.errors import InvalidArgumentError, UnsupportedOperationError
from wasinn_nb.imaging import preprocessing
from wasinn_nb.runtimes import INPUT, Layer

PIXELS = np.random.default_rng(3).integers(0, 256, (64, 96, 3), np.uint8)


@pytest.fixture
def textures(tmp_path):
    return toys.textures(tmp_path / "a.xml")


def layers_of(a, b, **options):
    return wn.compare(a, b, layers=True, image=PIXELS, progress=False, **options).layers


# -- a planted fault is named ----------------------------------------------------------------------


@pytest.mark.full
@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("half", [False, True])
def test_a_weight_changed_in_one_layer_names_it(textures, tmp_path, number, half):
    copy, name = planted(textures, tmp_path / "b.xml", number, half=half)
    found = layers_of(textures, copy)
    assert found.first.name == name
    assert found.explained_by == ("f16" if half else "f32")
    assert [layer.name for layer in found.layers if not layer.explained] == [name]
    assert all(layer.own == math.inf or layer.name == name or half for layer in found.layers)


@pytest.mark.full
@pytest.mark.parametrize("number", all_slow_but([0, 11, 29], 11))
def test_the_shipped_model(tmp_path, number):
    model = wn.model("road-segmentation-synth-0001")
    copy, name = planted(model.path, tmp_path / "b" / "b.xml", number, change=2.0, half=True)
    other = wn.Pipeline(copy, card=model.card)
    found = wn.compare(model, other, layers=True, image=wn.image(), progress=False)
    assert found.layers.first.name == name
    assert found.layers.first is found.layers.worst_first[0]
    assert name in repr(found)


@pytest.mark.slow
@pytest.mark.parametrize("number", [90])
def test_the_real_model_against_a_copy_in_f16(shared, tmp_path, number):
    path = shared / "models/road-segmentation-adas-0001.xml"
    copy, name = planted(path, tmp_path / "b.xml", number, half=True)
    card = known_card("road-segmentation-adas-0001")
    a, b = (wn.Pipeline(one, card=card) for one in (path, copy))
    found = wn.compare(a, b, layers=True, image=wn.image(), progress=False).layers
    assert (found.first.name, found.explained_by) == (name, "f16")
    assert len(found.layers) > 400


@pytest.mark.full
@pytest.mark.parametrize("changed", [0, 2])
@pytest.mark.parametrize("runtimes", [("openvino", "onnxruntime"), ("onnxruntime", "openvino")])
def test_two_engines_and_a_changed_onnx_file(tmp_path, changed, runtimes):
    pytest.importorskip("onnxruntime")
    paths = onnx_textures(tmp_path / "a.onnx"), onnx_textures(tmp_path / "b.onnx", changed)
    a, b = (
        wn.Pipeline(path, runtime=runtime) for path, runtime in zip(paths, runtimes, strict=True)
    )
    found = layers_of(a, b)
    assert found.first.operation in {"Conv", "Convolution"}
    assert f"conv{changed}" in {found.first.name, *(_names(a, found.first.name))}
    assert len(found.layers) == 6


def _names(pipeline, layer):
    """Return the values of an operation: OpenVINO has names of its own for operations."""
    from wasinn_nb.comparison.models import _layered

    return next(one.tensor_names for one in _layered(pipeline).layers if one.name == layer)


@pytest.mark.parametrize("runtimes", [("openvino", "onnxruntime"), ("onnxruntime",) * 2])
def test_engines_agree_on_one_onnx_file(tmp_path, runtimes):
    pytest.importorskip("onnxruntime")
    path = onnx_textures(tmp_path / "a.onnx")
    found = layers_of(*(wn.Pipeline(path, runtime=runtime) for runtime in runtimes))
    assert found.first is None
    assert (found.explained_by, len(found.layers), found.left_out) == ("f32", 6, (0, 0))


def test_a_model_and_itself(textures):
    found = wn.compare(textures, textures, layers=True, image=PIXELS, progress=False)
    assert found.layers.identical
    assert str(found.layers).endswith(": all 9 layers are equal")
    assert found.verdict is wn.Verdict.IDENTICAL


# -- what INT8 explains of each layer --------------------------------------------------------------


@pytest.mark.full
@pytest.mark.parametrize("changed", [None, 0, 1])
def test_one_weight_changed_in_an_int8_model_names_its_layer(textures, tmp_path, changed):
    copy, names = in_8_bits(textures, tmp_path / "b.xml", changed)
    found = layers_of(textures, copy)
    assert found.explained_by == "i8"
    weighted = {layer.name: layer for layer in found.layers if layer.operation == "Convolution"}
    assert [*weighted] == names
    limits = [layer.allowed for layer in weighted.values()]
    assert all(30 < limit < 50 for limit in limits)
    assert {layer.allowed for layer in found.layers if layer.name not in weighted} == {10.0}
    unexplained = [layer.name for layer in found.layers if not layer.explained]
    assert unexplained == ([] if changed is None else [names[changed]])
    own = [layer.own - limit for layer, limit in zip(weighted.values(), limits, strict=True)]
    innocent = [round(one, 1) for number, one in enumerate(own) if number != changed]
    assert innocent == [SPREAD] * len(innocent)
    if changed is not None:
        assert found.first.own > EXPLAINED["i8"]  # what holds for any layer would let it pass
        assert f"where INT8 explains {limits[changed]:.3g} dB" in str(found)
    drawn = found.plot().axes[0].get_lines()[2].get_ydata()
    assert sorted({*drawn}) == sorted({10.0, *limits})
    assert "of layers with weights, INT8 explains what a's, rounded, give" in repr(found)


@pytest.mark.full
def test_ranges_that_cut_values_off_are_named_by_what_holds_for_any_layer(textures, tmp_path):
    copy, names = in_8_bits(textures, tmp_path / "b.xml", ends=(0.0, 20.0))
    found = layers_of(textures, copy)
    assert found.first.name == names[0]
    assert found.first.own < 10
    assert found.first.allowed == 10.0


@pytest.mark.full
def test_an_int8_model_as_a_or_on_both_sides(textures, tmp_path):
    copy, _ = in_8_bits(textures, tmp_path / "b.xml")
    for a, b in ((copy, textures), (copy, copy)):
        found = layers_of(a, b)
        assert found.first is None
        assert {layer.allowed for layer in found.layers} == {10.0}


def test_results_that_differ_although_no_layer_does():
    layer = LayerDifference("conv", "Convolution", (1, 8), 90.0, 90.0, 0.1, explained=True)
    found = LayerComparison((layer,), "f32", 80.0, (1, 0), results_differ=True)
    assert str(found).endswith(
        "the results differ all the same: in layers without a counterpart, or by many differences "
        "that are each explained"
    )
    alike = dataclasses.replace(found, left_out=(0, 0))
    assert "all the same: by many differences" in str(alike)
    read = dataclasses.replace(found, outputs_equal=True)
    assert "the outputs are equal, and the results differ as they are read otherwise" in str(read)
    named = dataclasses.replace(found, layers=(dataclasses.replace(layer, explained=False),))
    assert str(named).startswith("first layer that differs")
    assert "results" not in str(named)
    assert "80 dB are 0.01 % of its values" in repr(found)
    assert found.to_dict()["results_differ"]


# -- what is measured ------------------------------------------------------------------------------


class Adding:
    """Five layers of a model that adds 1 each time; in b, the third adds 3 more."""

    precision = weights = "f32"
    outputs = (4,)

    def __init__(self, fault=0.0):
        self.layers = tuple(Layer(f"layer {n}", "Add", (4,)) for n in range(5))
        self.added = [1.0, 1.0, 1.0 + fault, 1.0, 1.0]
        self.runs = []

    def reads(self, layer, known):
        return frozenset({max((n for n in known if n < layer), default=INPUT)})

    def values(self, chosen, image):
        self.runs.append(list(chosen))
        return [image + sum(self.added[: n + 1]) for n in chosen]

    def values_from(self, chosen, known):
        assert set(known) == {INPUT, *(n - 1 for n in chosen)}
        return [known[n - 1] + self.added[n] for n in chosen]


@pytest.mark.parametrize("most_bytes", [1, 48, 1 << 20])
def test_groups_bound_memory_and_change_nothing(most_bytes):
    a, b = Adding(), Adding(fault=3.0)
    pairs = matched(a, b)
    steps = []
    image = np.zeros(4)
    found = measured(a, b, pairs, (image, image), steps.append, most_bytes)
    assert [one.own for one in found] == [math.inf] * 2 + [0.0] + [math.inf] * 2
    assert [round(one.snr, 1) for one in found[2:]] == [0.0, 2.5, 4.4]
    assert [one.largest for one in found] == [0, 0, 1, 0.75, 0.6]
    assert sum(steps) == 5
    held = max(map(len, a.runs))
    assert held == {1: 2, 48: 3, 1 << 20: 5}[most_bytes]


def test_names_of_values_count_before_those_of_operations_and_sizes_must_fit():
    def layer(name, *values, size=4):
        return Layer(name, "Relu", (size,), tensor_names=frozenset(values))

    a = layer("x", "v"), layer("y", "w"), layer("z"), layer("t", size=8)
    b = layer("y", "v"), layer("z"), layer("t", size=4), layer("q", "w")
    assert named_alike(a, b) == [Pair(0, 0), Pair(1, 3), Pair(2, 1)]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ([1.0, 2.0], [1.0, 2.0], math.inf),
        ([np.nan, 10.0], [np.nan, 9.0], 20.0),
        ([np.nan, 2.0], [1.0, 2.0], -math.inf),
        ([np.inf, 2.0], [np.inf, 2.0], math.inf),
        ([np.inf, 2.0], [-np.inf, 2.0], -math.inf),
        ([0.0, 0.0], [0.0, 1.0], -math.inf),
        ([1e30, 1e30], [1e30, 1.1e30], 20 - 10 * math.log10(0.5)),
        (np.arange(100_000) % 2, np.zeros(100_000), 0.0),
    ],
)
def test_signal_to_noise(one, other, expected):
    values = [np.asarray(side, np.float32) for side in (one, other)]
    assert signal_to_noise(*values) == pytest.approx(expected, abs=1e-4)


# -- what is shown ---------------------------------------------------------------------------------


@pytest.mark.full
def test_a_comparison_shows_its_layers(textures, tmp_path):
    copy, name = planted(textures, tmp_path / "b.xml", 1)
    found = wn.compare(textures, copy, layers=True, image=PIXELS, progress=False)
    assert found.layers.to_dict()["first"] == name
    assert found.to_dict()["layers"]["layers"][0]["identical"]
    json.dumps(found.to_dict(), allow_nan=False)
    text = repr(found)
    assert f"first layer that differs: {name} (Convolution), alone" in text
    page = found.write_html(tmp_path / "page.html").read_text()
    assert "Signal to noise of each layer" in page
    assert name in page
    again = pickle.loads(pickle.dumps(found))
    assert again.layers.first == found.layers.first
    axes = found.layers.plot().axes[0]
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    known = ["in the whole", "alone", "what f32 explains", f"first that differs: {name}"]
    assert labels == known


def test_the_text_lists_the_first_layer_that_differs_even_where_others_change_more():
    def layer(number, own):
        return LayerDifference(f"layer {number}", "Add", (4,), own, own, 0.1, own >= 80)

    found = LayerComparison((layer(0, 70.0), *(layer(n, 60.0) for n in range(1, 12))), "f32", 80.0)
    assert "layer 0  " in repr(found)
    assert "layer 11" not in repr(found)
    with pytest.raises(InvalidArgumentError, match="no layer in common"):
        LayerComparison((), "f32", 80.0).plot()


# -- what is refused -------------------------------------------------------------------------------


def test_what_cannot_be_compared_by_layers(textures, tmp_path):
    other = toys.brightest_channel(tmp_path / "c.xml", height=64, width=96)
    with pytest.raises(InvalidArgumentError, match="no layer of one name or place"):
        layers_of(textures, other)
    with pytest.raises(InvalidArgumentError, match="expected a as a Pipeline or a model"):
        layers_of(np.zeros((2, 2), np.uint8), textures)


def test_a_runtime_that_shows_no_layers(tmp_path):
    from conformance.toy_engine import ToyEngine

    from wasinn_nb.abi import GraphEncoding
    from wasinn_nb.runtimes import open_layers

    with pytest.raises(UnsupportedOperationError, match="does not show the layers"):
        open_layers(ToyEngine(), [], GraphEncoding.ONNX, "CPU", "f32", input=lambda _: None)


# -- on the command line ---------------------------------------------------------------------------


@pytest.mark.full
def test_the_command_line(textures, tmp_path, here):
    copy, name = planted(textures, tmp_path / "b.xml", 1)
    toys.third_blue("a.png")
    printed = run("compare", textures, textures, "--layers", "--image", "a.png")
    assert "all 9 layers are equal" in printed
    words = ["compare", str(textures), str(copy), "--layers", "--image", "a.png", "--json"]
    done = CliRunner().invoke(cli.app, words, catch_exceptions=False)
    values = json.loads(done.stdout)
    assert values["layers"]["first"] == name
    assert done.exit_code == (0 if values["same"] else 1)


def test_options_for_each_of_two_models(textures, here):
    toys.third_blue("a.png")
    words = ["--layers", "--image", "a.png", "-p", "f32", "-p", "f32", "--target", "CPU"]
    assert "all 9 layers" in run("compare", textures, textures, *words)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-p", "f32"], "add --layers"),
        (["--layers", *["--target", "CPU"] * 3], "got it 3 times"),
        (["--layers", "--model", "m"], "are for tensors"),
    ],
)
def test_options_that_do_not_fit(textures, words, message):
    done = CliRunner().invoke(cli.app, ["compare", str(textures), str(textures), *words])
    assert done.exit_code == 2
    assert message in " ".join(done.output.replace("│", " ").split())


@pytest.mark.parametrize(("own", "resized"), [({}, 1), ({"range": (0, 1)}, 2)])
def test_an_image_is_resized_once_for_each_recipe(textures, monkeypatch, own, resized):
    fed, calls = [], []
    real, pixels = preprocessing.resized_pixels, np.kron(PIXELS, np.ones((2, 2, 1), np.uint8))

    def counting(*arguments):
        calls.append(arguments)
        return real(*arguments)

    monkeypatch.setattr(preprocessing, "resized_pixels", counting)
    monkeypatch.setattr(pipeline, "resized_pixels", counting)
    monkeypatch.setattr(models, "measured", lambda *given, **_: fed.append(given[3]))
    made = [wn.Pipeline(textures, recipe=recipe) for recipe in ({}, own)]
    with pytest.raises(TypeError):  # nothing was measured
        models.compare_layers(*made, pixels, progress=False)
    assert len(calls) == resized
    for tensor, one in zip(fed[0], made, strict=True):
        assert np.array_equal(tensor, wn.image_to_tensor(pixels, one.recipe))
