"""Every remedy that the command line prints is pasted and works: evaluations and models."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import toys
from commands import run
from pasting import mask, options_in, pasted, refused, use
from PIL import Image
from typer.testing import CliRunner

import wasinn_nb as wn
from wasinn_nb import cli
from wasinn_nb.cli.remedies import error_text
from wasinn_nb.errors import InvalidArgumentError, Remedy

pytestmark = pytest.mark.full


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.fromarray(np.full((4, 6, 3), 90, np.uint8)).save("image.png")
    toys.brightest_channel(tmp_path / "toy.xml")


# -- evaluations -----------------------------------------------------------------------------------

MASKS = ["evaluate", "own/x.png", "true/x.png", "--masks-only"]


@pytest.fixture
def masks():
    for name in MASKS[1:3]:
        mask(name, [[0, 1, 1]])
    return MASKS


def card_of(*classes):
    wn.ModelCard("toy", "segmentation", classes=classes).write("toy.xml")


def test_classes_of_the_same_names(masks):
    card_of("Background", "Road")
    words = [*masks, "--classes", "background,road", "--card", "toy.card.json"]
    options = options_in(refused(*words))
    assert options == ["--map", "background=Background", "--map", "road=Road"]
    assert "mean IoU 1.0000" in run(*words, *options)


def test_classes_of_other_names(masks):
    card_of("x", "y")
    words = [*masks, "--classes", "background,road", "--card", "toy.card.json"]
    options = options_in(refused(*words))
    assert options == ["--map", "DATA_CLASS=MODEL_CLASS"]
    assert "other" in run(*words, "--map", "background=x")


def test_masks_without_classes(masks):
    options = options_in(refused(*masks))
    assert options[:2] == ["--classes", "NAME,NAME"]
    assert "mean IoU 1.0000" in run(*masks, "--classes", "a,b")


def test_values_that_are_not_classes(masks):
    mask("true/x.png", [[0, 1, 7]])
    words = [*masks, "--classes", "a,b"]
    message = refused(*words)
    assert "with --classes NAME=LABEL,…, or leave it out with --ignore" in message
    assert "1.0000" in run(*words, "--ignore", "7")
    run(*masks, "--classes", "a=0,b=1,c=7")


def test_colors_without_names():
    for name in MASKS[1:3]:
        mask(name, [[[0, 0, 0], [255, 0, 9]]])
    words = [*MASKS, "--classes", "a,b"]
    message = refused(*words)
    assert "--color NAME=RRGGBB, again for more" in message
    colors = ["--color", "a=000000", "--color", "b=FF0009"]
    assert "mean IoU 1.0000" in run(*MASKS, *colors)
    mask("true/x.png", [[[0, 0, 0], [255, 0, 8]]])
    assert "--color NAME=RRGGBB" in refused(*MASKS, *colors)


def test_pairs_of_other_names():
    for folder, name in (("a", "x"), ("b", "y")):
        mask(f"{folder}/{name}.png", [[0, 1]])
    words = ["evaluate", "a", "b", "--masks-only", "--classes", "2"]
    assert "the files of a pair have one name" in refused(*words)
    Path("b/y.png").rename("b/x.png")
    assert "mean IoU 1.0000" in run(*words)
    mask("b/x.tif", [[0, 1]])
    assert "rename one of the files" in refused(*words)


def test_options_of_a_model_that_does_not_run_are_refused(masks):
    done = CliRunner().invoke(cli.app, [*masks, "--classes", "2", "--recipe", "color=RGB"])
    assert done.exit_code == 2
    assert "leave --masks-only out" in " ".join(done.output.replace("\u2502", "").split())


# -- models ----------------------------------------------------------------------------------------


def test_labels_that_the_card_does_not_name(tmp_path):
    from openvino import opset13 as op

    def build(data):
        scores = op.concat([data, op.constant(np.full((1, 1, 4, 6), 999, np.float32))], 1)
        return op.convert(op.topk(scores, np.int32(1), 1, "max", "none").output(1), "u8")

    toys.save(toys.graph(build, (1, 3, 4, 6)), tmp_path / "many.xml")
    wn.ModelCard("many", "segmentation", classes=("a", "b")).write("many.xml")
    words = ["segment", "image.png", "-m", "many.xml"]
    (command,) = use(refused(*words))
    assert command == "wasinn-nb card many.xml --classes 'a,b,class 2,class 3' --force"
    pasted(command)
    assert "class 3" in run(*words)


def test_a_card_that_names_what_is_not_of_its_class(tmp_path):
    from openvino import opset13 as op

    toys.save(
        toys.graph(
            lambda data: op.sigmoid(op.reduce_mean(data, np.array([1]), keep_dims=True)),
            (1, 3, 4, 6),
        ),
        tmp_path / "one.xml",
    )
    wn.ModelCard("one", "segmentation", classes=("background",)).write("one.xml")
    words = ["segment", "image.png", "-m", "one.xml"]
    (command,) = use(refused(*words))
    assert command == "wasinn-nb card one.xml --classes person --force"
    pasted(command)
    assert "person" in run(*words)


def test_where_the_classes_lie(tmp_path):
    from openvino import opset13 as op

    toys.save(
        toys.graph(lambda data: op.softmax(op.concat([data] * 4, 2), 1), (1, 6, 6, 6)),
        tmp_path / "x.xml",
    )

    def build(data):
        grown = op.tile(op.reduce_mean(data, np.array([1]), keep_dims=True), [1, 6, 1, 1])
        return op.softmax(grown, 1)

    toys.save(toys.graph(build, (1, 3, 6, 6)), tmp_path / "cube.xml")
    words = ["segment", "image.png", "-m", "cube.xml"]
    first, second = use(refused(*words))
    assert first == "wasinn-nb card cube.xml --channels-last"
    assert second == "wasinn-nb card cube.xml --channels-first"
    pasted(second)
    assert "class 5" in run(*words)


def test_the_order_of_axes(tmp_path):
    toys.save(toys.graph(lambda data: data, (1, 3, 4, 3)), tmp_path / "square.xml")
    words = ["segment", "image.png", "-m", "square.xml"]
    commands = use(refused(*words))
    assert commands[0] == "wasinn-nb segment image.png -m square.xml --recipe layout=NCHW"
    assert "class 0" in pasted(commands[0])


def test_a_fixed_batch(tmp_path):
    toys.save(toys.graph(lambda data: data, (2, 3, 4, 6)), tmp_path / "two.xml")
    message = refused("segment", "image.png", "-m", "two.xml")
    (command,) = re.findall(r"wasinn-nb inspect \S+", message)
    assert "wn.WasiNnCtx" in pasted(command)


def test_another_type_of_the_recipe(tmp_path):
    from openvino import opset13 as op

    toys.save(
        toys.graph(lambda data: op.convert(data, "f32"), (1, 3, 4, 6), "u8"), tmp_path / "u8.xml"
    )
    words = ["segment", "image.png", "-m", "u8.xml", "--recipe"]
    (command,) = use(refused(*words, "type=f32,color=RGB,range=0:1,height=4,width=6,layout=NCHW"))
    assert "type=u8,range=0:255" in command
    assert "class 0" in pasted(command)


def test_more_classes_than_a_mask_holds(tmp_path):
    from openvino import opset13 as op

    def build(data):
        row = op.reduce_mean(data, np.array([2, 3]), keep_dims=False)
        return op.softmax(op.tile(row, [1, 100]), 1)

    toys.save(toys.graph(build, (1, 3, 4, 6)), tmp_path / "300.xml")
    wn.ModelCard("300", description="of a task that nobody states").write("300.xml")
    (command,) = use(refused("card", "300.xml", "--classes", "300", "--force"))
    assert command == "wasinn-nb card 300.xml --classes 300 --force --task classification"
    assert '"class 299"' in pasted(command)
    # Of a mask there is no such remedy.
    message = refused("card", "toy.xml", "--classes", "847", "--task", "segmentation")
    assert message.endswith("expected at most 256 classes, got 847")


def test_an_option_that_is_given_is_replaced():
    remedy = Remedy("no", [{"task": "classification", "channels_last": True}])
    words = ["card", "toy.xml", "--task", "segmentation", "--channels-first", "--range", "0", "1"]
    assert error_text(InvalidArgumentError("no", remedy=remedy), words) == (
        "no; use: wasinn-nb card toy.xml --range 0 1 --task classification --channels-last"
    )


def test_a_model_of_more_classes_than_a_mask_holds(tmp_path):
    from openvino import opset13 as op

    toys.save(
        toys.graph(lambda data: op.tile(data, [1, 300, 1, 1]), (1, 3, 4, 6)), tmp_path / "900.xml"
    )
    message = refused("segment", "image.png", "-m", "900.xml")
    assert "it gives 900 classes, and a mask holds at most 256" in message


def test_another_runtime_for_another_format(tmp_path):
    pytest.importorskip("ai_edge_litert")
    (tmp_path / "toy.onnx").write_bytes(toys.onnx_relu((1, 3, 4, 6)))
    (command,) = use(refused("segment", "image.png", "-m", "toy.onnx", "--runtime", "litert"))
    assert command == "wasinn-nb segment image.png -m toy.onnx --runtime openvino"
    assert "class 0" in pasted(command)
    (command,) = use(refused("bench", "image.png", "-m", "toy.onnx", "--runtime", "litert"))
    assert "toy" in pasted(f"{command} -n 3")


def test_options_where_no_command_says_it():
    error = InvalidArgumentError("no", remedy=Remedy("runtime='x'", [{"runtime": "litert"}]))
    run_words = ["run", "a.wasm", "--", "--runtime", "of the guest"]
    assert error_text(error, run_words) == (
        "no; use: wasinn-nb run --runtime litert a.wasm -- --runtime 'of the guest'"
    )
    assert error_text(error, ["run", "--runtime", "openvino", "a.wasm"]) == (
        "no; use: --runtime litert"
    )
    assert error_text(error, ["bench", "--runtime", "a", "--runtime", "b"]) == (
        "no; use: --runtime litert"
    )


@pytest.mark.parametrize("verb", ["segment", "card"])
def test_a_quantized_recipe(tmp_path, verb):
    from openvino import opset13 as op

    toys.save(
        toys.graph(lambda data: op.convert(data, "f32"), (1, 3, 4, 6), "u8"), tmp_path / "u8.xml"
    )
    words = ["segment", "image.png", "-m"] if verb == "segment" else ["card"]
    words = [*words, "u8.xml", "--recipe"]
    message = refused(*words, "color=RGB,range=0:1,type=u8")
    (example,) = re.findall(r"as in (quantization=\S+)", message)
    assert "in --recipe" in message
    run(*words, f"color=RGB,range=0:1,type=u8,{example}")
