"""Cards made of models of other people, and of their inputs."""

from __future__ import annotations

import pytest

from wasinn_nb import PreprocessRecipe
from wasinn_nb.abi import TensorType
from wasinn_nb.cards.card import ModelCard
from wasinn_nb.cards.inputs import image_inputs
from wasinn_nb.cards.ports import Port


def bilinear(*values, **fields):
    """Return a recipe with the filter that cards from models have where nothing states one."""
    return PreprocessRecipe(*values, **({"resize": "bilinear"} | fields))


# -- third-party models ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "known", "recipe"),
    [
        (
            "SINet.onnx",
            {
                "color": "BGR",
                "mean": (103, 111, 127),
                "scale": (63, 62, 66),
            },
            "1x3x320x320xf32 NCHW BGR, range 0 to 255, mean 103 111 127, scale 63 62 66, bilinear",
        ),
        (
            "deeplab_nchw.onnx",
            {"color": "RGB", "range": (-1, 1)},
            "1x3x513x513xf32 NCHW RGB, range -1 to 1, bilinear",
        ),
        (
            "mnv3_seg_quant.tflite",
            {"color": "RGB", "range": (0, 1)},
            "1x256x256x3xf32 NHWC RGB, range 0 to 1, bilinear",
        ),
        ("coral_deeplab_dm05_quant.tflite", {"color": "RGB"}, "1x513x513x3xu8 NHWC RGB, bilinear"),
        (
            "ch_ppocr_mobile_v2.0_cls_infer.onnx",
            {"color": "BGR", "range": (-1, 1), "height": 48, "width": 192},
            "1x3x48x192xf32 NCHW BGR, range -1 to 1, bilinear",
        ),
    ],
)
def test_recipes_of_third_party_models(shared, file, known, recipe):
    path = shared / "models/third-party" / file
    assert ModelCard.from_model(path).recipe is None
    card = ModelCard.from_model(path, recipe=known)
    assert repr(card.recipe) == f"PreprocessRecipe({recipe})"


def test_a_classifier_that_states_all_of_itself(shared):
    path = shared / "models/third-party/coral_mobilenet_v1_quant.tflite"
    card = ModelCard.from_model(path)
    assert (card.task, len(card.classes), card.classes[1]) == (
        "classification",
        1001,
        "tench, Tinca tinca",
    )
    assert card.recipe == bilinear(128, 128, "NHWC", "RGB", "u8")


def test_quantization_of_the_input_where_values_are_to_be_rounded(shared):
    path = shared / "models/third-party/coral_deeplab_dm05_quant.tflite"
    step, zero = 0.0078125, 128
    recipe = ModelCard.from_model(path, recipe={"color": "RGB", "range": (-1, 1)}).recipe
    assert recipe.quantization == (step, zero)
    own = {"color": "RGB", "range": (0, 1), "quantization": (0.5, 1)}
    assert ModelCard.from_model(path, recipe=own).recipe.quantization == (0.5, 1)
    plain = ModelCard.from_model(path, recipe={"color": "RGB", "range": (0, 255)}).recipe
    assert plain.quantization is None


# -- inputs for images -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dimensions", "type_", "layout", "found"),
    [
        ((1, 3, 4, 6), "F32", "", "NCHW"),
        ((None, 3, None, None), "F16", "", "NCHW"),
        ((1, 5, 6, 1), "U8", "", "NHWC"),
        ((5, 6, 4), "I8", "", "HWC"),
        ((1, 3, 4, 6), "F32", "NHWC", None),
        ((1, 3, 4, 6), "I32", "", None),
        ((2, 3, 4, 6), "F32", "", None),
        ((1, 2, 4, 6), "F32", "", None),
        ((1, None, 4, 6), "F32", "NCHW", None),
        ((1, 3, 6, 3), "F32", "", None),
        ((1, 4, 6, 3), "F32", "", None),
        ((1, 3, 6, 3), "F32", "NCHW", "NCHW"),
        ((1, 3), "F32", "", None),
        ((1, 1, 3, 4, 6), "F32", "", None),
        ((), "F32", "", None),
    ],
)
def test_which_inputs_take_an_image(dimensions, type_, layout, found):
    kind = TensorType[type_]
    port = Port("data", dimensions, kind, kind.suffix)
    port = Port("data", dimensions, kind, kind.suffix, layout)
    assert [image.layout for image in image_inputs([port], layout)] == [found] * bool(found)
    assert [image.layout for image in image_inputs([port])] == [found] * bool(found)
