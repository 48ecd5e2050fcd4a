"""Options that are given again: each joins what was given, or is refused; nothing is lost."""

from __future__ import annotations

import json

import numpy as np
import pytest
import typer
from commands import both, run
from pasting import mask

from wasinn_nb.cli.exit_codes import ExitCode
from wasinn_nb.cli.guest_options import parsed_directories, parsed_preloads
from wasinn_nb.cli.statements import read_recipe, recipe_text
from wasinn_nb.cli.truth_options import truth_options
from wasinn_nb.errors import RecipeError


def mapping(*texts):
    return truth_options(None, None, [*texts], None, None)["mapping"]


def test_maps_of_the_same_classes_are_joined():
    assert mapping("road=road", "road=mark") == mapping("road=road,mark")
    assert mapping("a,b=1", "c=2", "b,a=3,1") == {("a", "b"): (1, 3), ("c",): (2,)}


@pytest.mark.full
def test_an_evaluation_counts_every_map(toy_store, tmp_path):
    for n in range(len(toy_store)):
        mask(f"masks/{n:04}.png", np.full((8, 12), 0 if n % 3 else 1))
    words = ["evaluate", "store", "masks", "--classes", "flat,tall", "--json"]
    joined = json.loads(run(*words, "--map", "flat=class 0,class 1", "--map", "tall=class 2"))
    again = ["--map", "flat=class 0", "--map", "tall=class 2", "--map", "flat=class 1"]
    assert json.loads(run(*words, *again)) == joined
    assert joined["miou"] == pytest.approx(1)


@pytest.mark.parametrize(
    ("read", "message"),
    [
        (lambda: truth_options(None, ["a=000000", "a=FFFFFF"], None, None, None), "'a' twice"),
        (lambda: parsed_directories([".:one", ".:two:readonly"]), "as 'one', once as 'two'"),
        (lambda: parsed_preloads(["m:a.onnx", "m:b.onnx"]), "as 'a.onnx', once as 'b.onnx'"),
        (lambda: parsed_preloads(["m:a.onnx", "m:onnx:cpu:b.onnx"]), "once as 'b.onnx'"),
    ],
)
def test_a_name_that_is_given_again_is_refused(read, message):
    with pytest.raises(typer.BadParameter, match=message):
        read()


def test_a_field_of_a_recipe_is_stated_once():
    with pytest.raises(RecipeError, match="each field once, got 'color' twice"):
        read_recipe("color=RGB,range=0:1,color=BGR")
    assert read_recipe(recipe_text("color=RGB,fit=crop", {"color": "BGR"})) == {
        "fit": "crop",
        "color": "BGR",
    }


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("segment -m road --model birds", "'--model' / '-m': expected it once, got it 2 times"),
        (
            "predict x --store s --recipe color=RGB --recipe fit=crop",
            "put its fields together, as in",
        ),
        ("evaluate a b --classes a --classes b", "'--classes': expected it once"),
        ("run --env A=1 --env A=2 roadseg", "expected different names, got 'A' twice"),
    ],
)
def test_one_value_is_given_once(words, message):
    ends = ExitCode.GUEST if words.startswith("run") else ExitCode.ERROR
    _, text = both(*words.split(), ends=ends)
    assert message in " ".join(text.replace("\u2502", " ").split())


@pytest.mark.full
def test_options_of_several_values_and_arguments_of_guests_are_repeated():
    with pytest.raises(Exception, match=r"nowhere\.wasm"):
        run("run", "nowhere.wasm", "--", "--env", "A=1", "--target", "x", "--target", "y")
