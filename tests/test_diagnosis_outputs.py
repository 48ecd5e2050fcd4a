"""Mistakes are named from the outputs of every kind of model, and never by a recipe in silence."""

from __future__ import annotations

import json

import numpy as np
import pytest
import toys
from diagnoses import drawn_image
from tables import all_slow_but

import wasinn_nb as wn
from wasinn_nb import errors
from wasinn_nb.diagnosis.diagnosing import diagnose

IMAGE = drawn_image()
RECIPE = wn.PreprocessRecipe(64, 96, resize="bilinear")
CARD = wn.ModelCard("toy", "segmentation", RECIPE, ("sky", "road", "curb", "mark"))
PERSON = CARD.replace(classes=("person",))
LETTERBOXED = RECIPE.replace(fit="letterbox", pad_value=114)
WRONG = {
    "RGB for BGR": (RECIPE.replace(color="RGB"), {"color"}),
    "0 to 1 for 0 to 255": (RECIPE.replace(range=(0, 1)), {"range"}),
    "letterbox for stretch": (LETTERBOXED, {"fit"}),
}
CARDS = {
    "scores": CARD,
    "channels last": CARD,
    "probability": PERSON,
    "logit": PERSON,
    "labels": CARD,
    "two": CARD.replace(output=1),
}


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    return {kind: toys.textures(folder / f"{kind}.xml", gives=kind) for kind in (*CARDS, "row")}


def given_by(path, recipe, output=0, image=IMAGE):
    """Return what a model gives for the tensor that a recipe makes: the five calls."""
    with wn.WasiNnCtx(keep="all") as ctx:
        context = ctx.init_execution_context(ctx.load(path))
        ctx.set_input(context, 0, wn.image_to_tensor(image, recipe))
        ctx.compute(context)
        ctx.get_output(context, 1 - output) if output else None
        return ctx.get_output(context, output), ctx.trace


def axes(found):
    return {mistake.axis for mistake in found.mistakes}


# -- every kind of output ----------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("kind", CARDS)
@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_named_from_what_the_model_gives(models, kind, name):
    recipe, expected = WRONG[name]
    output, _ = given_by(models[kind], recipe, CARDS[kind].output or 0)
    found = diagnose(output, IMAGE, models[kind], card=CARDS[kind])
    assert axes(found) == expected, found
    assert found.exact


def test_scalings_that_are_almost_the_same_are_one_cause(models):
    """A mask does not tell values divided by 255 from values divided by 256."""
    output, _ = given_by(models["labels"], RECIPE.replace(range=(0, 1)))
    found = diagnose(output, IMAGE, models["labels"], card=CARD)
    assert found.sentence == "Values 0 to 1, where the model takes 0 to 255."
    assert found.notes == (
        "100.00 % of the labels agree.",
        "This mask comes as well of range: values 0 to 1, divided by 256.",
    )


@pytest.mark.slow
@pytest.mark.parametrize("kind", CARDS)
@pytest.mark.parametrize("scores", [False, True], ids=["labels", "scores"])
def test_a_mistake_is_named_from_a_result(models, kind, scores):
    """Of a letterboxed image the result has no borders; of one class it has probabilities."""
    for recipe, expected in WRONG.values():
        result = wn.segment(IMAGE, models[kind], card=CARDS[kind], recipe=recipe, scores=scores)
        found = diagnose(result, model=models[kind], card=CARDS[kind])
        assert axes(found) == expected, found


@pytest.mark.full
@pytest.mark.parametrize("kind", all_slow_but(CARDS, "scores", "labels"))
def test_what_is_right_is_called_right(models, kind):
    output, _ = given_by(models[kind], RECIPE, CARDS[kind].output or 0)
    result = wn.segment(IMAGE, models[kind], card=CARDS[kind], scores=True)
    for given in (output, output.to_array(), result, result.labels):
        found = diagnose(given, IMAGE, models[kind], card=CARDS[kind])
        assert (found.verdict, found.exact, found.alarms) == ("right", True, ()), found
        assert found.sentence == (
            "Right: this is what the model gives for the recipe's tensor of this image."
        )
        assert "100.00 % of the labels agree." in found.notes


@pytest.mark.full
def test_the_subject_says_what_was_examined(models):
    for kind, subject in {
        "channels last": "a 4x64x96 output",
        "probability": "a 1x64x96 output",
        "labels": "a 64x96 mask",
    }.items():
        output, _ = given_by(models[kind], RECIPE)
        assert diagnose(output, IMAGE, models[kind], card=CARDS[kind]).subject == subject


def test_scores_may_be_laid_out_as_the_model_gives_them_or_class_by_class(models):
    model, recipe = models["channels last"], WRONG["RGB for BGR"][0]
    output = given_by(model, recipe)[0].to_array()
    for given in (output, output[0], output[0].transpose(2, 0, 1), output.reshape(-1)):
        found = diagnose(given, IMAGE, model, card=CARD, stage="output")
        assert (axes(found), found.exact) == ({"color"}, True)


def test_of_several_outputs_the_one_on_the_card_is_read(models):
    output, trace = given_by(models["two"], RECIPE.replace(color="RGB"), output=1)
    assert [tensor.signature for tensor in trace.tensors("get_output")] == [
        "1x1x64x96xf32",
        "1x4x64x96xf32",
    ]
    for given in (output, trace):
        found = diagnose(given, IMAGE, models["two"], card=CARDS["two"], stage="output")
        assert (found.subject, axes(found)) == ("a 4x64x96 output", {"color"})
    with pytest.raises(errors.InvalidArgumentError, match="several outputs can be the mask"):
        diagnose(output, IMAGE, models["two"], card=CARD.replace(classes=()), stage="output")


@pytest.mark.full
def test_the_threshold_is_the_cards_else_the_results(models):
    """A mask made with a threshold of 0.9 is compared with masks of that threshold."""
    model, card = models["probability"], PERSON.replace(threshold=0.9)
    result = wn.segment(IMAGE, model, card=card)
    assert diagnose(result.labels, IMAGE, model, card=card).exact
    assert diagnose(result, model=wn.model(model, card=PERSON)).exact
    assert not diagnose(result.labels, IMAGE, model, card=PERSON).exact


def test_outputs_of_another_size_are_refused(models):
    for kind, given in {
        "probability": np.zeros((32, 48), np.float32),
        "channels last": np.zeros((1, 32, 48, 4), np.float32),
        "labels": np.zeros((32, 48), np.uint8),
    }.items():
        with pytest.raises(
            errors.InvalidArgumentError, match=r"the model's own size.* got .*32x48"
        ):
            diagnose(given, IMAGE, models[kind], card=CARDS[kind], stage="output")
    result = wn.segment(IMAGE, models["scores"], card=CARD)
    with pytest.raises(errors.InvalidArgumentError, match=r"own size \(64, 96\), got \(32, 48\)"):
        diagnose(result.resize(32, 48), model=models["scores"], card=CARD)


@pytest.mark.full
@pytest.mark.parametrize("kind", all_slow_but(CARDS, "scores", "labels"))
def test_an_output_is_distinguished_from_an_input_by_the_models_dimensions(models, kind):
    output, _ = given_by(models[kind], RECIPE, CARDS[kind].output or 0)
    assert diagnose(output, IMAGE, models[kind], card=CARDS[kind]).right
    fed = wn.image_to_tensor(IMAGE, RECIPE.replace(color="RGB"))
    found = diagnose(fed, IMAGE, models[kind], card=CARDS[kind])
    assert (found.subject, axes(found)) == ("a 1x3x64x96xf32 tensor", {"color"})


# -- values that are not numbers -----------------------------------------------------------------


def test_nan_in_the_output_does_not_fit_and_is_named(models):
    output = given_by(models["scores"], RECIPE)[0].to_array().copy()
    output[0, :, 3, 5] = np.nan
    found = diagnose(output, IMAGE, models["scores"], card=CARD)
    assert (found.verdict, found.mistakes) == ("nothing fits", ())
    assert found.sentence.endswith("the nearest one is not comparable.")
    assert [alarm.name for alarm in found.alarms] == ["not a number"]
    assert "also: 4 of 24576 scores are NaN or infinite" in repr(found)
    assert json.dumps(found.to_dict(), allow_nan=False)


@pytest.mark.full
def test_a_model_whose_output_is_nan_for_some_mistakes_is_diagnosed(tmp_path):
    """Of a logarithm values of -1 to 1 give NaN; neither labels nor scores stumble over it."""
    from openvino import opset13 as op

    kernel = np.random.default_rng(1).normal(size=(3, 3, 3, 3)).astype(np.float32)

    def build(data):
        bent = op.log(op.add(data, np.float32(0.5)))
        return op.convolution(bent, kernel, [1, 1], [1, 1], [1, 1], [1, 1])

    model = toys.save(toys.graph(build, (1, 3, 64, 96)), tmp_path / "logarithm.xml")
    card = CARD.replace(classes=("a", "b", "c"))
    for recipe, verdict in ((RECIPE, "right"), (WRONG["RGB for BGR"][0], "mistake")):
        result = wn.segment(IMAGE, model, card=card, recipe=recipe, scores=True)
        for given in (result, result.labels, result.scores):
            found = diagnose(given, IMAGE, model, card=card, stage="output")
            assert (found.verdict, found.exact) == (verdict, True), found
    output, _ = given_by(model, RECIPE.replace(range=(-1, 1)))
    assert np.isnan(output.to_array()).any()
    found = diagnose(output, IMAGE, model, card=card, stage="output")
    assert (axes(found), found.exact) == ({"range"}, True)


# -- a recipe that nothing states ------------------------------------------------------------------

ASSUMED = "compared with an assumed recipe (BGR, values 0 to 255, bilinear)"


@pytest.mark.full
def test_an_assumed_recipe_is_named_in_the_sentence(models):
    model, bare = models["scores"], CARD.replace(recipe=None)
    right, wrong = (
        wn.image_to_tensor(IMAGE, RECIPE),
        wn.image_to_tensor(IMAGE, RECIPE.replace(color="RGB", range=(0, 1))),
    )
    for options in ({}, {"card": bare}):
        found = diagnose(right, IMAGE, model, **options)
        assert found.sentence == (
            f"Right, {ASSUMED}: the tensor is what that recipe makes of this image."
        )
        assert found.assumed == ("BGR, values 0 to 255, bilinear",)
        found = diagnose(wrong, IMAGE, model, **options)
        assert found.sentence == (
            f"2 differences: RGB channels instead of BGR; values 0 to 1 instead of 0 to 255, "
            f"{ASSUMED}."
        )
        output, _ = given_by(model, RECIPE)
        assert diagnose(output, IMAGE, model, **options).sentence == (
            f"Right, {ASSUMED}: this is what the model gives for its tensor of this image."
        )
    assert repr(found).splitlines()[0].endswith("mistake, exact, assumed recipe")
    assert found.to_dict()["assumed"] == ["BGR, values 0 to 255, bilinear"]
    for text in (repr(found), found._repr_html_()):
        assert text.count("Nothing states what the model takes") == 1


def test_a_stated_recipe_is_not_assumed(models):
    fed = wn.image_to_tensor(IMAGE, RECIPE.replace(color="RGB"))
    for options in ({"recipe": RECIPE}, {"card": CARD}, {"card": CARD.replace(recipe=None)}):
        found = diagnose(fed, IMAGE, models["scores"], **options)
        assert bool(found.assumed) == (options.get("card") is not CARD and "card" in options)


def test_some_fields_of_a_recipe_complete_what_is_stated(models):
    model, rgb = models["scores"], {"color": "RGB", "range": (0, 1)}
    fed = wn.image_to_tensor(IMAGE, RECIPE.replace(resize="triangle", **rgb))
    found = diagnose(fed, IMAGE, model, recipe=rgb)
    assert (found.verdict, found.assumed) == ("right", ())
    assert diagnose(fed, IMAGE, model, card=CARD, recipe=rgb).candidates[0].axes == {"resize"}
    assert diagnose(fed, IMAGE, RECIPE, recipe=rgb).right
    found = diagnose(fed, IMAGE, model, recipe={"range": (0, 1)})
    assert "color" in axes(found)
    assert found.assumed == ("BGR, bilinear",)


def test_nothing_fits_says_that_the_recipe_was_assumed(models):
    found = diagnose(np.ones((1, 3, 64, 96), np.float32), IMAGE, models["scores"])
    assert found.verdict == "nothing fits"
    assert found.assumed
    assert "Nothing states what the model takes" in repr(found)


# -- classifiers -----------------------------------------------------------------------------------

ANIMALS = wn.ModelCard("toy", "classification", RECIPE, ("cat", "dog", "owl", "fox"))


@pytest.fixture(scope="module", params=["row", "logits"])
def classifier(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("classifier")
    return toys.textures(folder / "toy.xml", gives=request.param)


@pytest.mark.slow
@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("card", [ANIMALS, None], ids=["card", "no card"])
def test_a_mistake_is_named_from_the_scores_of_a_classifier(classifier, name, card):
    recipe, expected = WRONG[name]
    output, _ = given_by(classifier, recipe)
    result = wn.classify(IMAGE, classifier, card=card, recipe=recipe)
    row = output.to_array()
    for given in (output, row, row[0], row[:, :, None, None], result):
        found = diagnose(given, IMAGE, classifier, card=card, stage="output")
        assert axes(found) == expected, found
        assert found.subject == "a row of 4 scores"
        assert bool(found.assumed) == (card is None)


@pytest.mark.full
def test_a_right_classification_is_called_right(classifier):
    result = wn.classify(IMAGE, classifier, card=ANIMALS)
    found = diagnose(result, model=classifier, card=ANIMALS)
    assert (found.verdict, found.exact) == ("right", True)
    assert found.notes == ("The most probable class is the same.",)


def test_inputs_of_a_classifier_are_diagnosed_as_any_other(classifier):
    fed = wn.image_to_tensor(IMAGE, RECIPE.replace(color="RGB", range=(0, 1)))
    found = diagnose(fed, IMAGE, classifier, card=ANIMALS)
    assert (axes(found), found.exact) == ({"color", "range"}, True)
    assert ASSUMED in diagnose(fed, IMAGE, classifier).sentence


def test_a_row_of_scores_alone_gives_alarms(classifier):
    row = np.array([[0.25, 0.25, 0.25, 0.25]], np.float32)
    found = diagnose(row, model=classifier, card=ANIMALS)
    assert (found.verdict, found.subject) == ("alarm", "a row of 4 scores")
    assert found.sentence == (
        "Every class has the same score, 0.25: the model received no image, or did not run."
    )
    result = wn.classify(IMAGE, classifier, card=ANIMALS)
    assert diagnose(result.probabilities, model=ANIMALS).verdict == "no alarm"


def test_a_row_of_another_length_is_refused(classifier):
    with pytest.raises(errors.InvalidArgumentError, match=r"own size, 4x1x1 .* got 1x5; a resized"):
        diagnose(np.zeros((1, 5), np.float32), IMAGE, classifier, stage="output")


# -- models of others ------------------------------------------------------------------------------

HOPPER = {
    "bodypix_float.tflite": wn.PreprocessRecipe(257, 257, "NHWC", "RGB", range=(-1, 1)),
    "coral_mobilenet_v1_quant.tflite": wn.PreprocessRecipe(128, 128, "NHWC", "RGB", "u8"),
    "prisma-net_fp16.tflite": wn.PreprocessRecipe(256, 256, "NHWC", "RGB", range=(0, 1)),
}


@pytest.mark.parametrize("name", all_slow_but(HOPPER, "coral_mobilenet_v1_quant.tflite"))
def test_mistakes_are_named_from_results_of_models_of_others(shared, name):
    """Strides of 8 and a class by logits; 8-bit scores of 1001 classes; a flat row of pixels."""
    model, recipe = shared / "models/third-party" / name, HOPPER[name].replace(resize="bilinear")
    run = wn.classify if "mobilenet" in name else wn.segment
    image = shared / "images/grace_hopper.jpg"
    result = run(image, model, recipe=recipe.replace(color="BGR"))
    found = diagnose(result, model=model, recipe=recipe)
    assert axes(found) == {"color"}, found
    with pytest.raises(errors.NotFoundError, match="has no name here; pass its path"):
        diagnose(result)


# -- other engines ---------------------------------------------------------------------------------


def test_the_model_runs_on_the_engine_that_is_asked_for(shared):
    pytest.importorskip("onnxruntime")
    model = shared / "models/third-party/SINet.onnx"
    recipe = wn.PreprocessRecipe(320, 320, range=(0, 1), resize="bilinear")
    options = {"card": wn.ModelCard("SINet", recipe=recipe), "runtime": "onnxruntime"}
    wrong = recipe.replace(color="RGB")
    result = wn.segment(wn.image("city-arrow"), model, recipe=wrong, scores=True, **options)
    assert result.runtime == "onnxruntime"
    found = diagnose(result, model=model, **options)
    assert (axes(found), found.exact) == ({"color"}, True)
