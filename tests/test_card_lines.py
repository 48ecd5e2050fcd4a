"""What is assumed, as text; and the line of Python that states it on a card."""

from __future__ import annotations

import copy
import json
import pickle
import re
from html import unescape

import numpy as np
import pytest
import toys
from hypothesis import example, given
from hypothesis import strategies as st

import wasinn_nb as wn
from wasinn_nb.abi import TensorType
from wasinn_nb.cards.assumptions import (
    Assumption,
    assumed_classes,
    assumed_recipe,
    assumed_scores,
    assumed_size,
    assumed_threshold,
    restored_assumptions,
    statements,
)
from wasinn_nb.cards.code import card_line, is_bare, recipe_code
from wasinn_nb.cards.ports import Port, Signature
from wasinn_nb.cards.recipes import recipe_for
from wasinn_nb.literals import called, literal

BILINEAR = wn.PreprocessRecipe(4, 6, resize="bilinear")
BGR = assumed_recipe(BILINEAR, ["color", "range", "resize"])


# -- words and fields ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("type_", "dimensions", "stated", "words", "fields"),
    [
        (
            "f32",
            (1, 3, 4, 6),
            None,
            (BGR,),
            {"color": "BGR", "range": (0, 255), "resize": "bilinear"},
        ),
        (
            "i8",
            (1, 5, 6, 1),
            None,
            ("GRAY, values -128 to 127, bilinear",),
            {"color": "GRAY", "range": (-128, 127), "resize": "bilinear"},
        ),
        (
            "f32",
            (1, 3, 4, 6),
            {"color": "RGB"},
            ("values 0 to 255, bilinear",),
            {"range": (0, 255), "resize": "bilinear"},
        ),
        (
            "f32",
            (1, 3, 4, 6),
            {"scale": 255, "resize": "triangle"},
            ("BGR",),
            {"color": "BGR"},
        ),
        ("u8", (1, 3, 4, 6), {"color": "RGB"}, (), {}),
        (
            "f32",
            (1, 3, None, 6),
            {"color": "RGB", "range": (0, 1)},
            ("size 512x6, which the model leaves open",),
            {"height": 512, "width": 6},
        ),
        (
            "f32",
            (1, 3, None, None),
            {"color": "RGB", "range": (0, 1), "height": 4, "width": 6},
            (),
            {},
        ),
    ],
)
def test_the_words_of_a_recipe_and_the_fields_that_they_stand_for(
    type_, dimensions, stated, words, fields
):
    kind = TensorType.parse(type_)
    signature = Signature((Port("data", dimensions, kind, type_),), ())
    recipe, assumed = recipe_for(signature, stated)
    assert assumed == words
    assert statements(assumed) == ({"recipe": fields} if fields else {})
    for name, value in fields.items():
        assert getattr(recipe, name) == value
    again, nothing = recipe_for(signature, {**(stated or {}), **fields})
    assert (again, nothing) == (recipe, ())


def test_what_else_can_be_assumed():
    assumed = [assumed_classes(21), assumed_scores(logits=False)]
    assert assumed == [
        "21 classes, which nothing counts",
        "scores are probabilities, by their values",
    ]
    assert statements(assumed) == {"classes": 21, "logits": False}


@pytest.mark.parametrize(
    "text", ["", "threshold: 0.5", str(BGR), "4 classes, which nothing counts"]
)
def test_plain_text_states_nothing(text):
    assert statements([text]) == {}


@pytest.mark.parametrize("copied", [pickle.dumps, copy.copy, copy.deepcopy])
def test_copies_of_an_assumption_state_the_same(copied):
    twin = copied(BGR)
    twin = pickle.loads(twin) if isinstance(twin, bytes) else twin
    assert (type(twin), twin, statements([twin])) == (Assumption, BGR, statements([BGR]))
    assert json.loads(json.dumps([BGR])) == [str(BGR)]


@given(
    st.sets(st.sampled_from(["color", "range", "resize"]), min_size=1),
    st.sampled_from([True, False, None]),
)
def test_saved_sentences_become_what_they_were(names, logits):
    recipe = BILINEAR.replace(range=(-1, 0.1))
    assumed = [
        assumed_recipe(recipe, sorted(names)),
        assumed_size(4, 6),
        assumed_classes(3),
        assumed_scores(logits=logits),
        assumed_threshold(),
    ]
    again = restored_assumptions(map(str, assumed), recipe, 3)
    assert again == tuple(assumed)
    assert statements(again) == statements(assumed)


def test_sentences_of_another_result_stay_plain():
    texts = ("5 classes, which nothing counts", "RGB", "size 9x9, which the model leaves open", "")
    assert statements(restored_assumptions(texts, BILINEAR, 4)) == {}
    assert statements(restored_assumptions(["BGR"], None, 4)) == {}


# -- the line --------------------------------------------------------------------------------------


def test_a_bare_card_is_made_from_the_file():
    assert card_line("a b.onnx", [BGR], wn.ModelCard("a")) == (
        "wn.ModelCard.from_model(\n"
        '    "a b.onnx",\n'
        '    recipe={"color": "BGR", "range": (0, 255), "resize": "bilinear"},\n'
        ').write("a b.onnx")'
    )
    counted = card_line("a.tflite", [assumed_classes(2)], wn.ModelCard("a"))
    assert counted == (
        "wn.ModelCard.from_model(\n"
        '    "a.tflite",\n'
        '    classes=[f"class {index}" for index in range(2)],\n'
        ').write("a.tflite")'
    )


def test_what_a_card_states_stays_on_it():
    card = wn.ModelCard("a", classes=("sky", "road"))
    recipe = wn.PreprocessRecipe(4, 6, resize="bilinear")
    assert card_line("a.onnx", [BGR], card, recipe) == (
        'wn.model("a.onnx").card.replace(\n'
        '    recipe=wn.PreprocessRecipe(4, 6, color="BGR", range=(0, 255), resize="bilinear"),\n'
        ').write("a.onnx")'
    )


@pytest.mark.parametrize("path", ["net.pb", "net.pdmodel", "folder"])
def test_of_files_that_are_not_read_the_whole_recipe_is_written(path):
    recipe = wn.PreprocessRecipe(4, 6, "NHWC", resize="bilinear")
    line = card_line(path, [BGR], wn.ModelCard("net"), recipe)
    assert line.startswith(
        f'wn.model("{path}").card.replace(\n    recipe=wn.PreprocessRecipe(4, 6, '
    )


def test_nothing_to_state():
    assert card_line("a.onnx", [], wn.ModelCard("a")) == ""
    assert card_line("a.onnx", ["other words"], wn.ModelCard("a")) == ""


def test_which_cards_are_bare():
    assert is_bare(wn.ModelCard("a", "segmentation", classes=("class 0", "class 1")))
    assert is_bare(wn.ModelCard("a", classes=("background", "foreground")))
    assert not is_bare(wn.ModelCard("a", classes=("class 0", "road")))
    assert not is_bare(wn.ModelCard("a", threshold=0.5))
    assert not is_bare(wn.ModelCard("a", classes=("class 0",), palette=((1, 2, 3),)))


# -- as results show it ----------------------------------------------------------------------------


def line_in(html: str) -> str:
    (code,) = re.findall("<code>(wn.*?)</code></pre>", html, flags=re.DOTALL)
    return unescape(code)


def test_the_line_in_the_html_of_a_mask_states_what_was_assumed(here):
    toys.brightest_channel(here / "toy.xml")
    image = np.full((4, 6, 3), 200, np.uint8)
    before = wn.segment(image, "toy.xml")
    html = before._repr_html_()
    assert f"assumed: {BGR}" in html
    exec(line_in(html), {"wn": wn})
    after = wn.segment(image, "toy.xml")
    assert (after.assumed, after.recipe) == ((), before.recipe)
    assert "assumed" not in after._repr_html_()


def test_the_line_in_the_html_of_a_classification(here):
    from openvino import opset13 as op

    def build(data):
        return op.reduce_mean(data, np.array([2, 3]), keep_dims=False)

    toys.save(toys.graph(build, (1, 3, 4, 6)), here / "toy.xml")
    image = np.full((4, 6, 3), 200, np.uint8)
    before = wn.classify(image, "toy.xml")
    assert before.assumed == (BGR, "scores are logits, by their values")
    exec(line_in(before._repr_html_()), {"wn": wn})
    after = wn.classify(image, "toy.xml")
    assert after.assumed == ()
    assert (after.probabilities == before.probabilities).all()
    assert "<code>wn" not in after._repr_html_()


def test_the_main_file_of_an_origin():
    sha = "0" * 96
    assert wn.segment().origin.main_file == f"{wn.model().name}.xml"
    from wasinn_nb.origin import Origin

    assert Origin("toy").main_file == "toy"
    files = {"assets/a": sha, "saved_model.pb": sha, "variables/b": sha}
    assert Origin("toy", files).main_file == "saved_model.pb"


# -- a recipe of which some fields are given -------------------------------------------------------


def test_segment_takes_some_fields_of_a_recipe(here):
    path = toys.brightest_channel(here / "toy.xml")
    image = np.zeros((4, 6, 3), np.uint8)
    image[:, :2, 2] = image[:, 2:, 1] = 200
    found = wn.segment(image, path, recipe={"color": "RGB", "range": (0, 1)})
    assert (found.areas()["class 2"], found.assumed) == (8, ())
    assert found.recipe == wn.PreprocessRecipe(4, 6, color="RGB", range=(0, 1), resize="bilinear")
    other = wn.segment(image, path, recipe={"color": "BGR", "range": (0, 1)})
    assert other.areas()["class 0"] == 8
    wn.ModelCard("toy", recipe=found.recipe).write(path)
    laid_over = wn.segment(image, path, recipe={"range": (-1, 1)})
    assert laid_over.recipe == found.recipe.replace(range=(-1, 1))


def test_a_filter_that_is_given_is_not_assumed(here):
    path = toys.brightest_channel(here / "toy.xml")
    image = np.zeros((4, 6, 3), np.uint8)
    found = wn.segment(image, path, resize="triangle")
    assert (found.assumed, found.recipe.resize) == (("BGR, values 0 to 255",), "triangle")
    assert wn.segment(image, path, resize="triangle", recipe=found.recipe).assumed == ()


# -- code ------------------------------------------------------------------------------------------

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(st.text(), inner),
)


@pytest.mark.full
@given(VALUES)
@example('"\\\x1b\u202e\ud800')
@example((1.0, -0.0, 1e300, 0.1))
def test_a_literal_gives_its_value_back(value):
    assert eval(literal(value)) == value


@given(
    st.builds(
        wn.PreprocessRecipe,
        st.integers(1, 9),
        st.integers(1, 9),
        st.sampled_from(["NCHW", "NHWC", "CHW", "HWC"]),
        st.sampled_from(["BGR", "RGB", "GRAY", "RGBA"]),
        st.sampled_from(["f32", "f16"]),
        st.sampled_from([(0, 255), (0, 1), (-1, 1)]),
        st.sampled_from([0.0, 103.53]),
        st.sampled_from([1.0, 58.395]),
        st.sampled_from(["triangle", "bilinear"]),
        fit=st.sampled_from(["stretch", "letterbox"]),
        pad_value=st.integers(0, 255),
    )
)
@example(wn.PreprocessRecipe(1, 1, type="i8"))
@example(wn.PreprocessRecipe(1, 1, type="u8", range=(-1, 1), quantization=(0.0078125, 128)))
def test_the_code_of_a_recipe_gives_it_back(recipe):
    assert eval(recipe_code(recipe), {"wn": wn}) == recipe


def test_literals_of_numpy_are_those_of_python():
    assert literal({"range": np.float32([0, 0.5]), "height": np.int64(4)}) == (
        '{"range": [0, 0.5], "height": 4}'
    )


def test_long_calls_have_a_line_for_each_argument():
    long = f'"{"x" * 90}"'
    assert called("f", [long, "b=1"], ".g()") == f"f(\n    {long},\n    b=1,\n).g()"
    assert called("f", []) == "f()"
