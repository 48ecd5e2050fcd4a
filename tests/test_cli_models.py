"""The command line on models of one's own: inspect, card, classify, and what is assumed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import toy_files
import toys
from commands import STATE_IT, after, both, pasted, run, shell

import wasinn_nb as wn
from wasinn_nb.errors import InvalidArgumentError, MissingFileError, RecipeError, RuntimeFailure


@pytest.fixture
def here(here):
    """The current folder with an image: a third blue, the rest green."""
    toys.third_blue("a.png")
    return here


@pytest.fixture
def toy(here):
    toys.brightest_channel(here / "toy.xml")
    return "toy.xml"


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


def test_inspect_says_what_follows_where_the_files_are_others(here):
    model = wn.model()
    for path in (*model.files, model.card_path):
        shutil.copy(path, here)
    (here / model.path.name).write_bytes(model.path.read_bytes() + b"\n")
    printed = run("inspect", model.path.name)
    assert "# the files are those of the card: no: another build, which is used as it is" in printed


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
        ("folder", None, wn.WasiNnError, "no file or folder at folder "),
    ],
)
def test_inspect_refuses_what_is_not_a_model(here, name, content, error, words):
    if content is not None:
        Path(name).write_bytes(content)
    with pytest.raises(error, match=words):
        run("inspect", name)


@pytest.mark.full
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
    assert err.splitlines()[1] == "classes: class 0, class 1, class 2, without names"
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
    assert err == "classes: class 0, class 1, class 2, without names\n"
    assert not Path("toy.card.json").exists()


def test_class_names_from_a_file(toy):
    Path("names.txt").write_text("\ufeffa sky\nroad, or lane\n\nmark\n", encoding="utf-8")
    run("card", toy, "--classes-file", "names.txt")
    assert wn.model(toy).card.classes == ("a sky", "road, or lane", "mark")


def test_card_of_a_format_that_only_a_runtime_reads(here):
    Path("net.pb").write_bytes(toy_files.tensorflow_relu((1, 5, 6, 3)))
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
