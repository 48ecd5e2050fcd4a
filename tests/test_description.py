"""`describe`: what it says of toy models, and that the Python it prints runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import toys
from descriptions import executed, saved

import wasinn_nb as wn
from wasinn_nb.cards import FIVE_CALLS, statements


@pytest.fixture
def toy(here):
    return toys.brightest_channel(here / "toy.xml")


# -- what it says ----------------------------------------------------------------------------------


def test_the_text_of_a_model_of_which_nothing_is_stated(toy):
    described = wn.describe("toy.xml")
    assert repr(described) == (
        "toy: segmentation\n"
        "\n"
        "file\n"
        "  path        toy.xml\n"
        "  format      openvino, IR 11\n"
        f"  written by  {described.stated.producer}\n"
        "  weights in  toy.bin\n"
        "  read by     openvino\n"
        "\n"
        "inputs\n"
        "  0           data 1x3x4x6xf32, 288 bytes\n"
        "              let mut input = vec![0f32; 1 * 3 * 4 * 6];\n"
        "\n"
        "outputs\n"
        "  0           scores 1x3x4x6xf32, 288 bytes\n"
        "              let mut output = vec![0f32; 1 * 3 * 4 * 6];\n"
        "\n"
        "stated by the file\n"
        f"  metadata    OpenVINO Runtime: {described.stated.facts['OpenVINO Runtime']}\n"
        "\n"
        "stated by a card\n"
        "  nothing: the model has none\n"
        "\n"
        "read as\n"
        "  recipe      1x3x4x6xf32 NCHW BGR, range 0 to 255, bilinear\n"
        "  task        segmentation\n"
        "  output      scores 1x3x4x6xf32\n"
        "  class axis  1, 3 classes\n"
        "  classes     class 0, class 1, class 2, without names\n"
        "\n"
        "assumed, because nothing states it\n"
        "  BGR, values 0 to 255, bilinear\n"
        "\n"
        "# runs it; change what is assumed where it is not right\n"
        "import wasinn_nb as wn\n"
        "\n"
        "card = wn.ModelCard.from_model(\n"
        '    "toy.xml",\n'
        '    recipe={"color": "BGR", "range": (0, 255), "resize": "bilinear"},\n'
        '    classes=["class 0", "class 1", "class 2"],\n'
        '    task="segmentation",\n'
        ")\n"
        'result = wn.segment(wn.image(), "toy.xml", card=card)\n'
        "\n"
        "# keeps the card beside the model, where every call finds it\n"
        'card.write("toy.xml")'
    )


def test_a_card_that_states_everything(toy):
    recipe = {"color": "RGB", "range": (0, 1)}
    known = {"task": "segmentation", "classes": ("sky", "road", "mark"), "license": "MIT"}
    wn.ModelCard.from_model(toy, recipe=recipe, **known).write(toy)
    described = wn.describe("toy.xml")
    assert (described.assumed, described.assumed_fields, described.card_line) == ((), {}, "")
    assert described.card_source == "toy.card.json"
    assert described.python == (
        'import wasinn_nb as wn\n\nresult = wn.segment(wn.image(), "toy.xml")'
    )
    _, text = repr(described).split("stated by the card (toy.card.json)\n")
    assert text.split("\n\n")[0] == (
        "  name        toy\n"
        "  recipe      1x3x4x6xf32 NCHW RGB, range 0 to 1, bilinear\n"
        "  classes     sky, road, mark\n"
        "  task        segmentation\n"
        "  license     MIT"
    )


def test_what_a_file_states_is_not_assumed(here):
    metadata = {
        "names": "{0: 'cat', 1: 'dog'}",
        "Image.BitmapPixelFormat": "Rgb8",
        "Image.NominalPixelRange": "Normalized_0_1",
        "author": "A. Uthor",
    }
    model = toys.onnx_chain(["GlobalAveragePool"], (1, 3, 4, 6), **metadata)
    del model.graph.output[0].type.tensor_type.shape.dim[:]
    for size in (1, 2, 1, 1):
        model.graph.output[0].type.tensor_type.shape.dim.add().dim_value = size
    conv = model.graph.node[0]
    conv.op_type = "Conv"
    from onnx import numpy_helper

    conv.input.append("weights")
    weights = numpy_helper.from_array(np.ones((2, 3, 4, 6), np.float32), "weights")
    model.graph.initializer.append(weights)
    Path("pets.onnx").write_bytes(model.SerializeToString())
    described = wn.describe("pets.onnx")
    assert described.task == "classification"
    assert described.reading == {
        "task": "classification",
        "output": "y 1x2x1x1xf32",
        "classes": "cat, dog",
        "values": "logits: softmax makes probabilities of them",
    }
    assert (described.assumed, described.card_line) == ((), "")
    assert repr(described.recipe).startswith("PreprocessRecipe(1x3x4x6xf32 NCHW RGB, range 0 to 1,")
    _, text = repr(described).split("stated by the file\n")
    assert text.split("\n\n")[0] == (
        '  classes   cat, dog\n  recipe    color "RGB", range (0, 1)\n  metadata  author: A. Uthor'
    )
    assert executed(described.python)["result"].card.classes == ("cat", "dog")


def test_one_class(here):
    from openvino import opset13 as op

    def build(data):
        return op.sigmoid(op.reduce_mean(data, np.array([1]), keep_dims=True))

    saved(here / "one.xml", build, (1, 3, 4, 6))
    described = wn.describe("one.xml")
    assert described.reading["values"] == "one class, probabilities"
    assert described.reading["threshold"] == "0.5, assumed"
    assert described.assumed == ("BGR, values 0 to 255, bilinear", "threshold 0.5")
    assert described.reading["classes"] == "background, foreground, without names"
    assert described.assumed_fields == {
        "recipe": {"color": "BGR", "range": (0.0, 255.0), "resize": "bilinear"},
        "classes": ["background", "foreground"],
        "threshold": 0.5,
        "task": "segmentation",
    }
    stated = wn.describe("one.xml", card=wn.ModelCard("one", threshold=0.25))
    assert stated.reading["threshold"] == "0.25"


@pytest.mark.parametrize("known", [{}, {"threshold": 0.25}, {"recipe": {"color": "RGB"}}])
def test_what_is_assumed_is_the_same_wherever_it_is_said(here, known):
    """Of a model of one class: before and after a run, of many images and of a saved result."""
    from openvino import opset13 as op

    def build(data):
        return op.sigmoid(op.reduce_mean(data, np.array([1]), keep_dims=True))

    saved(here / "one.xml", build, (1, 3, 4, 6))
    recipe = known.pop("recipe", None)
    card = wn.ModelCard("one", **known)
    assumed = wn.describe("one.xml", card=card, recipe=recipe).assumed
    result = wn.segment("city-arrow", "one.xml", card=card, recipe=recipe, scores=True)
    pipeline = wn.Pipeline("one.xml", card=card, recipe=recipe, task="segmentation")
    loaded = wn.SegmentationResult.load(result.save(here / "saved").facts)
    for one in (pipeline, result, loaded, wn.predict(["city-arrow"], pipeline, here / "store")):
        assert one.assumed == assumed
        assert statements(one.assumed) == statements(assumed)
    assert ("threshold 0.5" in assumed) == (not known)
    moved = loaded.with_threshold(0.75)
    assert moved.assumed == tuple(one for one in assumed if one != "threshold 0.5")
    executed(wn.describe("one.xml", card=card, recipe=recipe).card_line)
    after = wn.segment("city-arrow", "one.xml")
    assert (after.assumed, wn.describe("one.xml").assumed) == ((), ())


def test_scores_whose_values_tell_what_they_are(here):
    from openvino import opset13 as op

    saved(here / "one.xml", op.relu, (1, 1, 4, 6))
    described = wn.describe("one.xml")
    assert described.reading["values"] == (
        "one class, probabilities or logits as the values tell, assumed"
    )
    assert "scores are probabilities or logits, by their values" in described.assumed
    assert "GRAY, values 0 to 255, bilinear" in described.assumed


def test_labels_that_nothing_counts(here):
    import openvino as ov
    from openvino import opset13 as op

    def build(data):
        return op.convert(op.relu(data), ov.Type.i64)

    saved(here / "labels.xml", build, (1, 1, 4, 6))
    described = wn.describe("labels.xml")
    assert described.reading["classes"] == "256, without names, assumed"
    assert "256 classes, which nothing counts" in described.assumed
    assert '    classes=[f"class {index}" for index in range(256)],\n' in described.card_line
    executed(described.card_line)
    assert wn.describe("labels.xml").assumed == ()


def test_many_classes_are_counted_and_the_first_ones_shown(toy):
    names = tuple(f"kind {index}" for index in range(30))
    path = toys.brightest_channel(Path("many.xml").absolute(), classes=30)
    assert wn.describe(path).reading["classes"] == "30, without names"
    named = wn.describe(path, card=wn.ModelCard("many", classes=names))
    listing = ", ".join(names[:20])
    assert named.reading["classes"] == f"{listing}, ... (30 in all)"
    assert max(map(len, repr(named).split("\n# ")[0].splitlines())) <= 100


def test_open_sizes(here):
    import openvino as ov
    from openvino import opset13 as op

    shape = ov.PartialShape([-1, 3, -1, -1])
    saved(here / "open.xml", lambda data: op.softmax(data, 1), shape)
    described = wn.describe("open.xml")
    assert described.recipe.dimensions == (1, 3, 512, 512)
    assert "size 512x512, which the model leaves open" in described.assumed
    assert described.reading["class axis"] == "1, 3 classes"
    text = repr(described)
    assert "  0           data ?x3x?x?xf32, a size is open\n" in text
    assert "let mut" not in text
    executed(described.card_line)
    assert wn.describe("open.xml").assumed == ()
    sized = wn.describe("open.xml", recipe={"height": 8, "width": 10})
    assert sized.recipe.dimensions == (1, 3, 8, 10)


# -- models that no task reads ---------------------------------------------------------------------


def test_a_fixed_batch(here):
    from openvino import opset13 as op

    saved(here / "four.xml", lambda data: op.softmax(data, 1), (4, 3, 5, 6))
    described = wn.describe("four.xml")
    assert (described.task, described.recipe, described.card_line) == ("", None, "")
    assert described.refusal == (
        "the model takes 4x3x5x6xf32: a fixed batch of 4 images; convert it again with a batch of "
        f"1, or {FIVE_CALLS.python}"
    )
    (output,) = executed(described.python)["outputs"]
    assert output.dimensions == (4, 3, 5, 6)


def test_an_image_model_without_a_mask(here):
    """As face detectors are: the five calls get the image, by the recipe that is assumed."""
    from openvino import opset13 as op

    def build(data):
        rows = op.reshape(data, np.array([1, 24, 3]), special_zero=False)
        return [rows, op.relu(rows)]

    saved(here / "faces.xml", build, (1, 3, 4, 6))
    described = wn.describe("faces.xml")
    assert described.refusal.endswith(FIVE_CALLS.python)
    assert described.assumed == ("BGR, values 0 to 255, bilinear",)
    assert described.python == (
        "import wasinn_nb as wn\n"
        "\n"
        'recipe = wn.PreprocessRecipe(4, 6, color="BGR", range=(0, 255), resize="bilinear")\n'
        "with wn.WasiNnCtx() as ctx:\n"
        '    graph = ctx.load("faces.xml", "openvino")\n'
        "    context = ctx.init_execution_context(graph)\n"
        "    ctx.set_input(context, 0, wn.image_to_tensor(wn.image(), recipe))\n"
        "    ctx.compute(context)\n"
        "    outputs = [ctx.get_output(context, index) for index in [0, 1]]"
    )
    outputs = executed(described.python)["outputs"]
    assert [output.dimensions for output in outputs] == [(1, 24, 3), (1, 24, 3)]


def test_types_that_wasi_nn_does_not_have(here):
    import openvino as ov
    from openvino import opset13 as op

    def build(data):
        return [op.logical_not(data), op.convert(data, ov.Type.f32)]

    saved(here / "flags.xml", build, (1, 4), "boolean")
    described = wn.describe("flags.xml")
    assert "  0           data 1x4xboolean, a type that WASI-NN does not have\n" in repr(described)
    assert described.refusal.startswith("the model takes 1x4xboolean; expected an image of u8, i8,")
    assert described.python == ""


def test_signed_bytes_are_for_python_only(here):
    from openvino import opset13 as op

    saved(here / "bytes.xml", op.relu, (1, 3, 4, 6), "i8")
    described = wn.describe("bytes.xml")
    line = "data 1x3x4x6xi8, 72 bytes, a type that WASI-NN does not have: in Python only\n"
    assert line in repr(described)
    assert "BGR, values -128 to 127, bilinear" in described.assumed


def test_several_inputs_and_an_output_of_a_foreign_type(here):
    import openvino as ov
    from openvino import opset13 as op

    inputs = [op.parameter([1, 2], ov.Type.f32, name=name) for name in "ab"]
    for data, name in zip(inputs, "ab", strict=True):
        data.output(0).set_names({name})
    results = [op.result(op.less(*inputs)), op.result(op.add(*inputs))]
    toys.save(ov.Model(results, inputs, "two"), here / "two.xml")
    described = wn.describe("two.xml")
    assert described.refusal.startswith("expected a model of one image, this one has 2 inputs (a ")
    assert described.python.endswith("for index in [1]]")
    (total,) = executed(described.python)["outputs"]
    assert total.to_array().tolist() == [[0, 0]]


def test_a_card_that_does_not_fit(toy):
    described = wn.describe(toy, card=wn.ModelCard("toy", classes=("a", "b")))
    assert described.refusal == "the card of toy names 2 classes, the model's output has 3"
    described = wn.describe(toy, card=wn.ModelCard("toy", "detection"))
    assert described.refusal.startswith("unknown task 'detection'; known are classification, segm")
