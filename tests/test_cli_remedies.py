"""Remedies on the command line: what an error says to type works when it is pasted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import toys
from commands import commands_in, pasted, refused, run, shell
from PIL import Image

import wasinn_nb as wn
from wasinn_nb.cards import FIVE_CALLS
from wasinn_nb.cli.remedies import error_text, remedy_commands
from wasinn_nb.errors import InvalidArgumentError, Remedy


@pytest.fixture
def here(here):
    """The current folder with a gray image."""
    Image.fromarray(np.full((4, 6, 3), 90, np.uint8)).save("an image.png")
    return here


@pytest.fixture
def toy(here):
    toys.brightest_channel(here / "toy.xml")
    return "toy.xml"


def test_the_command_of_the_other_task(pets, toy):
    message = refused("segment", "an image.png", "-m", pets)
    (command,) = commands_in(message)
    assert command == "wasinn-nb classify 'an image.png' -m pets.xml"
    assert "wasinn_nb." not in message
    assert pasted(command)[0].startswith("1.) [")
    (command,) = commands_in(refused("classify", "an image.png", "-m", toy, "-k", "2"))
    assert command == "wasinn-nb segment 'an image.png' --model toy.xml"
    assert "class 0" in pasted(command)[0]


def test_a_task_that_a_card_names(toy):
    run("card", toy, "--task", "segmentation")
    (command,) = commands_in(refused("classify", "an image.png", "-m", toy))
    assert "class 0" in pasted(command)[0]


@pytest.mark.full
def test_one_of_several_outputs(here):
    from openvino import opset13 as op

    def build(data):
        return [op.softmax(data, 1), op.relu(data)]

    toys.save(toys.graph(build, (1, 3, 4, 6)), here / "two.xml")
    names = [port.name for port in wn.describe("two.xml").outputs]
    first, second = commands_in(refused("segment", "an image.png", "-m", "two.xml"))
    assert first == f"wasinn-nb segment 'an image.png' -m two.xml --output-name {names[0] or 0}"
    assert "share" in pasted(first)[0]
    assert "share" in pasted(second)[0]
    # `bench` has no such option: the card states it.
    (command, _) = commands_in(refused("bench", "an image.png", "-m", "two.xml"))
    assert command.startswith("wasinn-nb card two.xml --output ")
    pasted(command)
    assert wn.model("two.xml").card.output is not None


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["segment", "-m", "a.onnx"], "wasinn-nb segment -m a.onnx --recipe layout=NHWC"),
        (
            ["segment", "--recipe", "color=RGB", "-m", "a.onnx"],
            "wasinn-nb segment -m a.onnx --recipe color=RGB,layout=NHWC",
        ),
        (
            ["segment", "--recipe=color=RGB", "-m", "a.onnx"],
            "wasinn-nb segment -m a.onnx --recipe color=RGB,layout=NHWC",
        ),
        (["inspect", "a.onnx"], "wasinn-nb inspect a.onnx --recipe layout=NHWC"),
        (
            ["card", "a.onnx", "--color", "RGB"],
            "wasinn-nb card a.onnx --color RGB --recipe layout=NHWC",
        ),
    ],
)
def test_fields_of_a_recipe_join_those_that_are_given(words, expected):
    remedy = Remedy("say which", [{"recipe": {"layout": "NHWC"}}])
    assert remedy_commands(remedy, words) == [expected]


def test_another_runtime_takes_the_place_of_the_one_that_is_given():
    remedy = Remedy("use runtime='litert'", [{"runtime": "litert"}])
    words = ["segment", "a b.jpg", "-m", "m.tflite", "--runtime", "openvino", "--json"]
    assert remedy_commands(remedy, words) == [
        "wasinn-nb segment 'a b.jpg' -m m.tflite --json --runtime litert"
    ]
    # Of several values nothing says which one is meant.
    error = InvalidArgumentError("no", remedy=remedy)
    words = ["bench", "--runtime", "openvino"]
    assert error_text(error, words) == "no; use: wasinn-nb bench --runtime litert"
    assert error_text(error, [*words, "--runtime", "x"]) == "no; use: --runtime litert"


def test_what_a_recipe_lacks(toy):
    message = refused("card", toy, "--color", "RGB")
    (command,) = commands_in(message)
    assert command == "wasinn-nb card toy.xml --color RGB --recipe range=0:255"
    pasted(command)
    assert wn.model(toy).card.recipe.range == (0, 255)


def test_a_model_that_no_task_reads(here):
    toys.save(toys.graph(lambda data: data, (1, 3, 4, 6, 1)), here / "odd one.xml")
    message = refused("segment", "an image.png", "-m", "odd one.xml")
    assert message.endswith(
        "; wasinn-nb inspect 'odd one.xml' prints the Python that runs it tensor by tensor"
    )
    assert "wn.WasiNnCtx" in run("inspect", "odd one.xml")
    error = InvalidArgumentError("no", remedy=FIVE_CALLS)
    assert error_text(error, ["no-such-verb"]).startswith("no; wasinn-nb inspect MODEL prints")


def test_errors_without_a_remedy_stay_as_they_are():
    assert error_text(OSError("gone"), ["models"]) == "gone"
    assert error_text(InvalidArgumentError("no"), ["segment"]) == "no"
    assert error_text(InvalidArgumentError("no"), []) == "no"


@pytest.mark.full
def test_the_program_prints_them(pets, here):
    done = shell("segment", "an image.png", "-m", pets, cwd=here)
    assert done.returncode == 2
    assert done.stderr.endswith("; use: wasinn-nb classify 'an image.png' -m pets.xml\n")
    assert done.stderr.count("\n") == 1


def test_models_that_can_be_fetched_name_the_command():
    printed = run("models")
    assert "model('" not in printed
    assert "wasinn-nb inspect road-segmentation-adas-0001 fetches it" in printed
    assert not Path("road-segmentation-adas-0001").exists()
