"""The command line on models of one's own: inspect, card, classify, and what is assumed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import toys
from commands import both, pasted, run, shell
from PIL import Image

import wasinn_nb as wn
from wasinn_nb.errors import InvalidArgumentError, MissingFileError, RecipeError, RuntimeFailure


@pytest.fixture
def here(here):
    """The current folder with an image: a third blue, the rest green."""
    pixels = np.zeros((4, 6, 3), np.uint8)
    pixels[:, :2, 2] = pixels[:, 2:, 1] = 200
    Image.fromarray(pixels).save("a.png")
    return here


@pytest.fixture
def toy(here):
    toys.brightest_channel(here / "toy.xml")
    return "toy.xml"


def after(text, start):
    """Return the rest of the line that begins with *start*."""
    (line,) = (line for line in text.splitlines() if line.startswith(start))
    return line.removeprefix(start)


STATE_IT = "state it, or what is right, with: "

# -- inspect ---------------------------------------------------------------------------------------


def test_inspect_prints_what_describe_says_and_the_command_that_states_it(toy):
    printed = run("inspect", toy)
    described, command = printed.rstrip("\n").split("\n\n# the same on the command line\n")
    assert described == repr(wn.describe(toy))
    assert command == (
        "wasinn-nb card toy.xml --color BGR --range 0 255 --resize bilinear "
        "--classes 'class 0,class 1,class 2' --task segmentation"
    )
    pasted(command)
    assert wn.describe(toy).assumed == ()
    assert "# the same on the command line" not in run("inspect", toy)


def test_inspect_as_json(toy):
    values = json.loads(run("inspect", toy, "--json"))
    assert [Path(file).name for file in values.pop("files")] == ["toy.xml", "toy.bin"]
    assert values.pop("sha384") == dict(wn.model(toy).sha384)
    assert values.pop("verified") is False
    assert values == json.loads(json.dumps(wn.describe(toy).to_dict()))


def test_inspect_with_a_card_a_recipe_and_a_runtime(here):
    Path("relu.onnx").write_bytes(toys.onnx_chain(["Relu"], (1, 3, 4, 6)).SerializeToString())
    Path("c.json").write_text('{"name": "c", "classes": ["a", "b", "c"]}')
    options = ["--card", "c.json", "--recipe", "color=RGB", "--runtime", "onnxruntime"]
    printed = run("inspect", "relu.onnx", *options)
    assert "  read by     onnxruntime\n" in printed
    assert "stated by the card (c.json)\n" in printed
    assert "  values 0 to 255, bilinear\n" in printed
    command = printed.rstrip().splitlines()[-1]
    assert command == (
        "wasinn-nb card relu.onnx --card c.json --recipe color=RGB --range 0 255 "
        "--resize bilinear --task segmentation"
    )
    pasted(command)
    assert wn.model("relu.onnx").card.classes == ("a", "b", "c")
    assert wn.describe("relu.onnx").assumed == ()


def test_inspect_a_shipped_model_by_its_name():
    printed = run("inspect", wn.model().name)
    assert "# the files are those of the card: yes, by SHA-384\n" in printed


def test_inspect_a_folder_and_a_suffix_in_upper_case(shared, here):
    shutil.copytree(shared / "models/third-party/tf_saved_model", "seg")
    assert "seg: no task reads it\n" in run("inspect", "seg")
    toys.brightest_channel(here / "m.xml")
    for name in ("m.xml", "m.bin"):
        Path(name).rename(name.upper())
    assert run("inspect", "M.XML").startswith("M: segmentation\n")


@pytest.mark.parametrize(
    ("name", "content", "error", "words"),
    [
        ("gone.onnx", None, MissingFileError, "no model at gone.onnx"),
        ("a.onnx", b"", RuntimeFailure, "an empty file: fetch or copy it again"),
        ("a.tflite", b"<html>", RuntimeFailure, "an HTML page: fetch the file again"),
        ("a.xml", b"hello", RuntimeFailure, "got plain text, such as the error of a server"),
        ("folder", None, wn.WasiNnError, "no model 'folder' in "),
    ],
)
def test_inspect_refuses_what_is_not_a_model(here, name, content, error, words):
    if content is not None:
        Path(name).write_bytes(content)
    with pytest.raises(error, match=words):
        run("inspect", name)


def test_inspect_refuses_a_model_that_was_cut_off(here):
    whole = toys.onnx_chain(["Relu"], (1, 3, 4, 6)).SerializeToString()
    for length in range(0, len(whole), 7):
        Path("cut.onnx").write_bytes(whole[:length])
        with pytest.raises(wn.WasiNnError):
            run("inspect", "cut.onnx")


def test_the_refusals_of_third_party_models(shared):
    folder = shared / "models/third-party"
    faces = run("inspect", folder / "ultraface_rfb320.onnx")
    assert "ultraface_rfb320: no task reads it\n" in faces
    assert "  0           scores 1x4420x2xf32, 35360 bytes\n" in faces
    assert "  1           boxes 1x4420x4xf32, 70720 bytes\n" in faces
    assert "\n# runs it by the five calls\n" in faces
    assert "this one has 3 inputs" in run("inspect", folder / "mp3in.tflite")
    for name, words in {
        "pinto_deeplab_fp16.xml": "IR version 4; OpenVINO reads 10 and 11: convert the original",
        "segm_lite_v681.tflite": "does not have the operation Convolution2DTransposeBias",
    }.items():
        done = shell("inspect", folder / name)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("error: ")
        assert words in done.stderr
        assert done.stderr.count("\n") == 1


# -- card ------------------------------------------------------------------------------------------


def test_card_writes_what_is_known(toy):
    out, err = both(
        *("card", toy, "--task", "segmentation", "--classes", "sky, road,mark"),
        *("--color", "RGB", "--range", "-1", "1", "--mean", "0.5", "--scale", "1,2,3"),
        *("--fit", "letterbox", "--pad", "114", "--resize", "bilinear", "--output", "scores"),
        *("--channels-first", "--background", "none"),
    )
    card = wn.model(toy).card
    assert card == wn.ModelCard(
        "toy",
        "segmentation",
        wn.PreprocessRecipe(
            4,
            6,
            "NCHW",
            "RGB",
            "f32",
            (-1, 1),
            0.5,
            (1, 2, 3),
            "bilinear",
            "ignore",
            "letterbox",
            114,
        ),
        ("sky", "road", "mark"),
        output="scores",
        channels_last=False,
        background=None,
    )
    assert json.loads(out) == json.loads(json.dumps(card.to_dict()))
    assert err == f"wrote {wn.model(toy).card_path}\n"


def test_card_says_what_is_still_assumed(toy):
    _, err = both("card", toy, "--color", "BGR", "--range", "0", "255")
    assert err.splitlines()[1] == "assumed: classes: class 0, class 1, class 2"
    command = after(err, STATE_IT)
    assert command == (
        "wasinn-nb card toy.xml --classes 'class 0,class 1,class 2' --task segmentation --force"
    )
    _, err = pasted(command)
    assert err.startswith("wrote ")
    assert "assumed" not in err
    assert wn.model(toy).card.recipe == wn.PreprocessRecipe(4, 6, resize="bilinear")


def test_card_lays_options_over_the_card_that_is_there(toy):
    run("card", toy, "--color", "BGR", "--range", "0", "255", "--classes", "3")
    before = Path("toy.card.json").read_bytes()
    with pytest.raises(InvalidArgumentError, match=r"toy\.card\.json is there already: --force"):
        run("card", toy, "--threshold", "0.25")
    assert Path("toy.card.json").read_bytes() == before
    run("card", toy, "--range", "0", "1", "--force")
    card = wn.model(toy).card
    assert card.classes == ("class 0", "class 1", "class 2")
    assert card.recipe == wn.PreprocessRecipe(4, 6, range=(0, 1), resize="bilinear")


def test_card_only_prints(toy):
    out, err = both("card", toy, "--print", "--recipe", "color=RGB,range=0:1", "--logits")
    assert json.loads(out)["recipe"]["range"] == [0, 1]
    assert json.loads(out)["logits"] is True
    assert err == "assumed: classes: class 0, class 1, class 2\n"
    assert not Path("toy.card.json").exists()


def test_class_names_from_a_file(toy):
    Path("names.txt").write_text("\ufeffa sky\nroad, or lane\n\nmark\n", encoding="utf-8")
    run("card", toy, "--classes-file", "names.txt")
    assert wn.model(toy).card.classes == ("a sky", "road, or lane", "mark")


def test_card_of_a_format_that_only_a_runtime_reads(here):
    Path("net.pb").write_bytes(toys.tensorflow_relu((1, 5, 6, 3)))
    run("card", "net.pb", "--color", "RGB", "--range", "0", "1")
    assert wn.model("net.pb").card.recipe == wn.PreprocessRecipe(
        5, 6, "NHWC", "RGB", range=(0, 1), resize="bilinear"
    )


def test_a_card_that_makes_a_model_unreadable_is_not_written(toy):
    with pytest.raises(InvalidArgumentError, match="names 2 classes, the model's output has 3"):
        run("card", toy, "--classes", "a,b")
    assert not Path("toy.card.json").exists()


def test_a_card_of_a_model_that_no_task_reads(here):
    toys.save(toys.graph(lambda data: data, (1, 3, 4, 6, 1)), here / "odd.xml")
    out, err = both("card", "odd.xml", "--classes", "a,b")
    assert json.loads(out) == {"name": "odd", "classes": ["a", "b"]}
    assert err.startswith("warning: no task reads the model: the model takes 1x3x4x6x1xf32, ")


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        (["--mean", "a"], RecipeError, "expected --mean as one number, or one for each channel"),
        (["--size", "4"], RecipeError, "expected --size as HxW, such as 512x896, got '4'"),
        (["--background", "x"], RecipeError, "expected --background as an index or none, got 'x'"),
        (["--color", "RGB"], RecipeError, "toy.xml: the recipe lacks range, which the file and "),
        (["--classes", "a", "--classes-file", "b"], RecipeError, "as --classes-file, got both"),
        (["--classes-file", "b"], MissingFileError, "no file of class names at b"),
        (["--classes", "a=0,b=1"], RecipeError, "order of their labels, .* got 'a=0'"),
        (["--classes=-5"], RecipeError, "or how many there are, got '-5'"),
        (["--classes", "300"], InvalidArgumentError, "toy is not a classifier: it gives scores"),
        (["--classes", "9" * 30], RecipeError, "expected at most 100000 classes, got 100001"),
        (["--threshold", "2"], RecipeError, "expected threshold as a probability above 0 and bel"),
        (["--output", "9"], InvalidArgumentError, "names the output 9; the model has scores"),
    ],
)
def test_card_refuses_what_cannot_be(toy, options, error, words):
    with pytest.raises(error, match=words):
        run("card", toy, *options)
    assert not Path("toy.card.json").exists()


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
