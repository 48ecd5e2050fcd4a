"""What the command line assumes, classifies and warns of."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import toys
from commands import STATE_IT, after, pasted, run, shell
from PIL import Image

import wasinn_nb as wn
from wasinn_nb.errors import InvalidArgumentError, MissingFileError, RecipeError


@pytest.fixture
def here(here):
    """The current folder with an image: a third blue, the rest green."""
    toys.third_blue("a.png")
    return here


@pytest.fixture
def toy(here):
    toys.brightest_channel(here / "toy.xml")
    return "toy.xml"


# -- what is assumed, and the command that states it -----------------------------------------------


def test_segment_says_what_is_assumed_and_the_command_ends_that(toy):
    before = run("segment", "a.png", "-m", toy)
    assert after(before, "assumed: ") == "BGR, values 0 to 255, bilinear"
    command = after(before, STATE_IT)
    assert command == "wasinn-nb card toy.xml --color BGR --range 0 255 --resize bilinear"
    pasted(command)
    now = run("segment", "a.png", "-m", toy)
    assert now == before[: before.index("assumed: ")]


def test_what_is_assumed_as_json(toy):
    values = json.loads(run("segment", "a.png", "-m", toy, "--json"))
    assert values["assumed"] == ["BGR, values 0 to 255, bilinear"]
    assert values["remedy"] == (
        "wasinn-nb card toy.xml --color BGR --range 0 255 --resize bilinear"
    )
    assert (values["runtime"], values["threshold"]) == ("openvino", None)


@pytest.mark.full
@pytest.mark.parametrize(
    ("recipe", "blue", "assumed"),
    [
        ("color=RGB,range=0:1", 2, None),
        ("color=BGR,range=0:1,resize=bilinear", 0, None),
        ("color=RGB", 2, "values 0 to 255, bilinear"),
        ("range=0:255,resize=triangle", 0, "BGR"),
        ("whole.json", 2, None),
        ("part.json", 2, "values 0 to 255, bilinear"),
    ],
)
def test_a_recipe_on_the_command_line(toy, recipe, blue, assumed):
    whole = wn.PreprocessRecipe(4, 6, color="RGB", mean=(1, 2, 3))
    Path("whole.json").write_text(whole.to_json())
    Path("part.json").write_text('{"color": "RGB"}')
    printed = run("segment", "a.png", "-m", toy, "--recipe", recipe)
    areas = json.loads(run("segment", "a.png", "-m", toy, "--recipe", recipe, "--json"))["areas"]
    assert areas[f"class {blue}"] == 8
    if assumed is None:
        assert "assumed" not in printed
        return
    assert after(printed, "assumed: ") == assumed
    pasted(after(printed, STATE_IT))
    assert "assumed" not in run("segment", "a.png", "-m", toy)


def test_a_recipe_is_laid_over_that_of_the_card(toy):
    run("card", toy, "--color", "RGB", "--range", "0", "1")
    printed = run("inspect", toy, "--recipe", "range=-1:1")
    assert "NCHW RGB, range -1 to 1, bilinear\n" in printed


@pytest.mark.parametrize(
    ("recipe", "error", "words"),
    [
        ("color", MissingFileError, "no recipe at color"),
        ("color=RGB,range", RecipeError, "expected a recipe as key=value,key=value with ':' betw"),
        ("colour=RGB", RecipeError, "a recipe has no colour; it has height, width, layout, color"),
        ("range=0:x", RecipeError, "expected 2 finite float32 numbers for range"),
        ("a.png", RecipeError, "a.png is not valid JSON: "),
        ("list.json", RecipeError, "list.json: expected a recipe as a JSON object, got"),
        ("deep.json", RecipeError, "deep.json is not valid JSON: "),
    ],
)
def test_recipes_that_are_none(toy, recipe, error, words):
    Path("list.json").write_text("[1]")
    Path("deep.json").write_text("[" * 100_000)
    with pytest.raises(error, match=words):
        run("segment", "a.png", "-m", toy, "--recipe", recipe)


def test_threshold_and_output_by_name(here):
    from openvino import opset13 as op

    def build(data):
        mean = op.reduce_mean(data, np.array([1]), keep_dims=True)  # 66.7 everywhere
        low, high = op.divide(mean, np.float32(1000)), op.divide(mean, np.float32(100))
        for output, name in ((low, "low"), (high, "high")):
            output.output(0).set_names({name})
        return [op.sigmoid(low), op.sigmoid(high)]

    model = toys.graph(build, (1, 3, 4, 6))
    for output, name in zip(model.outputs, ("low", "high"), strict=True):
        output.set_names({name})
    toys.save(model, here / "two.xml")
    with pytest.raises(InvalidArgumentError, match="several outputs can be the mask: low 1x1"):
        run("segment", "a.png", "-m", "two.xml")

    def found(*options):
        printed = run("segment", "a.png", "-m", "two.xml", "--json", *options)
        values = json.loads(printed)
        return values["areas"]["foreground"], values["threshold"]

    # sigmoid(0.0667) = 0.517, sigmoid(0.667) = 0.661
    assert found("--output-name", "low") == (24, 0.5)
    assert found("--output-name", "low", "--threshold", "0.6") == (0, 0.6)
    assert found("--output-name", "1", "--threshold", "0.6") == (24, 0.6)


def test_many_classes_without_a_pixel_are_not_listed(here):
    toys.brightest_channel(here / "many.xml", classes=30)
    printed = run("segment", "a.png", "-m", "many.xml")
    assert printed.count("class ") == 1 + 2  # the heading, and the two that are there
    assert "\n28 further classes have no pixel\n" in printed


def test_names_of_classes_are_not_markup(toy):
    run("card", toy, "--classes", "[/],[bold]road,[link=x]")
    printed = run("segment", "a.png", "-m", toy)
    for name in ("[/]", "[bold]road", "[link=x]"):
        assert name in printed


@pytest.mark.full
def test_bench_evaluate_and_diagnose_take_card_recipe_and_runtime(here):
    Path("relu.onnx").write_bytes(toys.onnx_chain(["Relu"], (1, 3, 4, 6)).SerializeToString())
    Path("c.json").write_text('{"name": "c", "classes": ["blue", "green", "red"]}')
    Path("masks").mkdir()
    Image.fromarray(np.array([[0, 0, 1, 1, 1, 1]] * 4, np.uint8)).save("masks/a.png")
    model = ["-m", "relu.onnx", "--card", "c.json"]
    truths = ["evaluate", "a.png", "masks", *model, "--json"]
    assert json.loads(run(*truths))["classes"]["blue"]["iou"] == 1
    found = json.loads(run(*truths, "--recipe", "color=RGB,range=0:1", "--runtime", "onnxruntime"))
    assert found["classes"]["blue"]["iou"] == 0
    printed = run("evaluate", "a.png", "masks", *model)
    command = after(printed, STATE_IT)
    assert command == (
        "wasinn-nb card relu.onnx --card c.json --color BGR --range 0 255 --resize bilinear"
    )
    engines = ["--runtime", "openvino", "--runtime", "onnxruntime"]
    printed = run("bench", "a.png", *model, *engines, "-n", 3)
    assert printed.splitlines()[3].endswith("100.00 %")
    assert after(printed, STATE_IT) == command
    recipe = wn.PreprocessRecipe(4, 6, color="RGB", range=(0, 1))
    wn.image_to_tensor("a.png", recipe).write("fed-1x3x4x6xf32.tensor")
    fed = ["diagnose", "fed-1x3x4x6xf32.tensor", "-i", "a.png", *model]
    assert "Right" in run(*fed, "--recipe", "color=RGB,range=0:1")
    done = shell(*fed, "--recipe", "color=BGR,range=0:1", cwd=here)
    assert done.returncode == 1
    assert "RGB channels, where the model takes BGR" in done.stdout


# -- classify --------------------------------------------------------------------------------------


def test_classify_prints_lines_as_the_example_guests_do(pets):
    printed = run("classify", "a.png", "-m", pets, "-k", 2)
    result = wn.classify("a.png", pets)
    assert printed.splitlines()[:2] == result.lines(2)
    assert printed.startswith("1.) [1](0.5627) class 1\n2.) [0](0.2889) class 0\n")
    assert after(printed, "assumed: ") == "BGR, values 0 to 255, bilinear"
    pasted(after(printed, STATE_IT))
    assert run("classify", "a.png", "-m", pets, "-k", 2).splitlines() == result.lines(2)


def test_classify_as_json_and_into_a_folder(pets):
    values = json.loads(run("classify", "a.png", "-m", pets, "-k", 1, "--json", "-o", "out"))
    assert [one["index"] for one in values["top"]] == [1]
    assert sorted(values["files"]) == ["facts", "tensor"]
    assert {Path(file).name for file in values["files"].values()} == {
        "pets.json",
        "pets-1x3xf32.tensor",
    }
    assert values["remedy"].startswith("wasinn-nb card pets.xml --color BGR")


def test_segment_and_classify_name_each_other(toy, pets):
    with pytest.raises(InvalidArgumentError, match=r"use wasinn_nb\.classify"):
        run("segment", "a.png", "-m", pets)
    with pytest.raises(InvalidArgumentError, match=r"use wasinn_nb\.segment"):
        run("classify", "a.png", "-m", toy)


# -- warnings, devices, help -----------------------------------------------------------------------


@pytest.mark.full
def test_warnings_are_one_line_without_a_place_in_the_source_code(toy, here):
    Path("other.card.json").write_text('{"name": "other"}')
    done = shell("segment", "a.png", "-m", "toy.xml", cwd=here)
    assert done.returncode == 0
    assert done.stderr == (
        f"warning: the model card {here}/other.card.json is not used: it names other, but the "
        "models there are toy.xml; rename it to toy.card.json if it is the card of toy.xml, or "
        "remove it\n"
    )


def test_devices_of_another_runtime():
    printed = run("devices", "--runtime", "litert")
    assert "CPU     yes   LiteRT's own kernels" in printed
    with pytest.raises(InvalidArgumentError, match="unknown runtime 'x'"):
        run("devices", "--runtime", "x")


@pytest.mark.full
def test_a_guest_on_another_runtime(here):
    """A guest of the legacy interface, which loads the model of bytes by its name."""
    from onnx import TensorProto, helper

    node = helper.make_node("BitwiseNot", ["x"], ["y"])
    ends = [helper.make_tensor_value_info(name, TensorProto.UINT8, [1, 4]) for name in "xy"]
    graph = helper.make_graph([node], "flip", ends[:1], ends[1:])
    opset = [helper.make_opsetid("", 18)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=8)
    Path("flip.onnx").write_bytes(model.SerializeToString())
    Path("in").write_bytes(bytes([0, 1, 2, 255]))
    guest = ["run", "classify-legacy", "--dir", ".:.", "--nn-preload", "flip:flip.onnx"]
    arguments = ["--", "flip", "1x4", "in", "out"]
    done = shell(*guest, "--runtime", "onnxruntime", *arguments, cwd=here)
    assert done.returncode == 0, done.stderr
    assert Path("out").read_bytes() == bytes([255, 254, 253, 0])
    done = shell(*guest, "--runtime", "x", *arguments, cwd=here)
    assert (done.returncode, done.stdout) == (125, "")
    assert done.stderr.startswith("error: unknown runtime 'x'; known are ")


@pytest.mark.full
def test_help_imports_no_engine():
    import subprocess
    import sys

    code = (
        "import sys, wasinn_nb.cli\n"
        "heavy = {'openvino', 'onnxruntime', 'onnx', 'matplotlib', 'pandas', 'wasmtime'}\n"
        "heavy |= {'requests', 'urllib3'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
