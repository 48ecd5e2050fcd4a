"""Every public function, class and method lists its own parameters, with types editors know."""

from __future__ import annotations

import inspect
import re
import typing

import numpy as np
import pytest
from public_api import public_objects

import wasinn_nb as wn
from wasinn_nb.imaging import RecipeFields

PUBLIC = public_objects()
CHOICES = frozenset(
    {"precision", "resize", "mode", "layout", "color", "fit", "exif", "isolation", "keep", "stage"}
)
"""Parameters with a few values, which editors complete."""

FREE = {
    "wn.fetch": {"precision"},  # of weights: a card's own words, such as FP16-INT8
    "wn.model": {"precision"},
    "wn.Model": {"precision"},
    "wn.Digest": {"precision"},
    "wn.Digest.of": {"precision"},
    "wn.GuestRun": {"isolation"},  # facts
    "wn.SegmentationResult": {"precision"},  # what a device ran in
}


def callables():
    """Yield name, function, and the docstring that documents its parameters."""
    for name, one in PUBLIC.items():
        if inspect.isfunction(one):
            yield name, one, one.__doc__
        elif inspect.isclass(one):
            if "__init__" in vars(one) and inspect.isfunction(one.__init__):
                root = (
                    inspect.cleandoc(wn.WasiNnError.__doc__) if issubclass(one, Exception) else ""
                )
                yield name, one.__init__, f"{inspect.cleandoc(one.__doc__)}\n\n{root}"
            for member, raw in vars(one).items():
                function = getattr(raw, "__func__", raw)
                if not member.startswith("_") and inspect.isfunction(function):
                    yield f"{name}.{member}", function, function.__doc__


CALLABLES = {name: (function, doc) for name, function, doc in callables()}


def own(function):
    parameters = inspect.signature(function).parameters
    return {
        name: one
        for name, one in parameters.items()
        if name not in {"self", "cls"} and not name.startswith("_")
    }


def documented(doc):
    sections = re.findall(
        r"(?:Parameters|Attributes)\n-+\n(.*?)(?=\n\n\S[^\n]*\n-+\n|\Z)",
        inspect.cleandoc(doc or ""),
        re.DOTALL,
    )
    heads = re.findall(r"^([*\w][\w, *]*?)(?: :.*)?$", "\n".join(sections), re.MULTILINE)
    return {name.strip(" *") for head in heads for name in head.split(",")}


def literals(kind):
    if typing.get_origin(kind) is typing.Literal:
        return set(typing.get_args(kind))
    return {value for part in typing.get_args(kind) for value in literals(part)}


def hints(function):
    """Return the types, those that are imported for checkers alone left out."""
    import wasinn_nb.host.guest as of_guests

    names = vars(of_guests) | vars(typing) | {"np": np}
    found = {}
    for name, text in function.__annotations__.items():
        if name == "return":
            continue
        try:
            found[name] = eval(text, function.__globals__ | {"wn": wn}, names)
        except (NameError, AttributeError):
            found[name] = None
    return found


def test_there_are_many():
    assert len(CALLABLES) > 100
    assert {"wn.segment", "wn.MaskViewer", "wn.ModelCard.from_model"} <= set(CALLABLES)


def test_parameters_are_typed():
    untyped = [
        f"{name}: {one}"
        for name, (function, _) in CALLABLES.items()
        for one, about in own(function).items()
        if about.annotation is about.empty
    ]
    assert untyped == []


def test_parameters_are_documented():
    missing = [
        f"{name}: {one}"
        for name, (function, doc) in CALLABLES.items()
        if own(function) and not is_short(name, function)
        for one in set(own(function)) - documented(doc)
    ]
    assert missing == []


def is_short(name, function):
    """Return whether the sentence of a method names what its one or two parameters are."""
    words = set(re.findall(r"\w+", (function.__doc__ or "").lower()))
    return "." in name.removeprefix("wn.") and all(
        one in words or one.rstrip("s") in words for one in own(function)
    )


def test_parameters_with_a_few_values_are_literals():
    open_ones = [
        f"{name}: {one}"
        for name, (function, _) in CALLABLES.items()
        for one in CHOICES & set(own(function)) - FREE.get(name, set())
        if not literals(hints(function)[one])
    ]
    assert open_ones == []


def test_literals_are_what_is_taken():
    assert literals(hints(wn.segment)["precision"]) == {"f32", "f16", "bf16", "device"}
    for name, kind in typing.get_type_hints(RecipeFields).items():
        for value in literals(kind):
            recipe = wn.PreprocessRecipe(8, 8).replace(**{name: value})
            assert getattr(recipe, name) == value


def test_lists_are_taken_where_there_are_tuples():
    recipe = wn.PreprocessRecipe(8, 8, range=[0, 1], mean=[0.1, 0.2, 0.3], scale=np.ones(3) * 2)
    same = wn.PreprocessRecipe(8, 8, range=(0, 1), mean=(0.1, 0.2, 0.3), scale=2)
    assert recipe == same
    assert hash(recipe) == hash(same)
    quantized = wn.PreprocessRecipe(8, 8, type="u8", quantization=[0.5, 3])
    assert quantized.quantization == (0.5, 3)
    card = wn.ModelCard("a", classes=["x", "y"], palette=[[0, 0, 0], [1, 2, 3]])
    assert (card.classes, card.palette) == (("x", "y"), ((0, 0, 0), (1, 2, 3)))
    assert hash(card.replace(classes=["y", "z"]).classes)
    assert wn.Tensor([1, 2], "u8", b"ab").dimensions == (1, 2)
    found = wn.Digest.of(np.zeros((8, 8), np.uint8), ["a"], "m", "f32")
    assert found.classes == ("a",)


def test_other_names_are_refused_by_name():
    with pytest.raises(wn.errors.RecipeError, match="no colour"):
        wn.PreprocessRecipe(8, 8).replace(colour="RGB")
    with pytest.raises(wn.errors.RecipeError, match="no klasses"):
        wn.ModelCard("a").replace(klasses=("x",))
    with pytest.raises(wn.errors.RecipeError, match="no klasses"):
        wn.ModelCard.from_model(wn.model().path, klasses=("x",))


def test_the_viewer_takes_its_own_parameters():
    pytest.importorskip("anywidget")
    result = wn.SegmentationResult(
        np.zeros((2, 2), np.uint8), wn.ModelCard("toy", "segmentation", classes=("a", "b"))
    )
    viewer = wn.MaskViewer(result, mode="mask", opacity=0.25, outline=True, hidden=("b",))
    assert (viewer.mode, viewer.opacity, viewer.outline) == ("mask", 0.25, True)
    assert viewer.hidden == ["b"]
    assert wn.MaskViewer(result, layout={"width": "300px"}).layout.width == "300px"


def test_the_default_filter_is_said_to_be_the_slow_one():
    words = " ".join(wn.PreprocessRecipe.__doc__.split())
    assert "is the slowest" in words
    assert "``bilinear`` where nothing names a filter" in words
    known = wn.ModelCard.from_model(wn.model().path, recipe={"color": "RGB", "range": (0, 1)})
    assert (known.recipe.resize, wn.PreprocessRecipe(8, 8).resize) == ("bilinear", "triangle")
