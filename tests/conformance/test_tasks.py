"""What every task makes of a model, on every runtime."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata
import json
import pickle
from typing import Final, NamedTuple

import numpy as np
import pytest

import wasinn_nb as wn
from conformance import models
from conformance.engines import ENGINES
from wasinn_nb import errors
from wasinn_nb.cards.card import ModelCard
from wasinn_nb.imaging.recipe import PreprocessRecipe
from wasinn_nb.tasks.base import Reading, Result
from wasinn_nb.tasks.registry import task, tasks

RECIPE: Final = PreprocessRecipe(4, 6, color="RGB", resize="bilinear")
CLASSES: Final = ("red", "green", "blue")
# Two columns of each color; of the whole image, red is the brightest.
IMAGE: Final = np.zeros((4, 6, 3), np.uint8)
IMAGE[:, :2, 0], IMAGE[:, 2:4, 1], IMAGE[:, 4:, 2] = 6, 5, 4


class TaskToy(NamedTuple):
    """A task, a model for it, and what it gives for `IMAGE`."""

    name: str
    build: object
    arguments: tuple
    field: str
    expected: list
    also_spoiled: tuple

    def builders(self, writer):
        return self.build(writer, *self.arguments)

    def card(self, **changes):
        return ModelCard("toy", self.name, RECIPE, CLASSES).replace(**changes)

    def call(self, image, model, **options):
        return getattr(wn, task(self.name).call.removeprefix("wasinn_nb."))(image, model, **options)


TASKS: Final = (
    TaskToy(
        "segmentation",
        models.doubled,
        ((1, 3, 4, 6),),
        "labels",
        [[0, 0, 1, 1, 2, 2]] * 4,
        (models.roots, ((1, 3, 4, 6),)),
    ),
    TaskToy(
        "classification",
        models.brightest,
        ((1, 3, 4, 6), (2, 3)),
        "scores",
        [12, 10, 8],
        (models.roots_of_brightest, ((1, 3, 4, 6), (2, 3))),
    ),
)


@pytest.fixture(params=TASKS, ids=[toy.name for toy in TASKS])
def toy(request):
    return request.param


@pytest.fixture
def model(engine, toy, tmp_path):
    """The task's toy model with its card."""
    return engine.model(toy.builders(engine.writer()), tmp_path, toy.card())


@pytest.fixture
def bare(model):
    """The same model with a card that says nothing."""
    return wn.Model(ModelCard("toy", encoding=model.encoding), None, model.files, "tests")


@pytest.fixture
def run(engine, toy):
    def run(model, image=IMAGE, **options):
        return toy.call(image, model, runtime=engine.runtime, **options)

    return run


def same(left, right):
    """Tell whether two results are equal in every array and every fact."""
    assert type(left) is type(right)
    for name in (field.name for field in dataclasses.fields(left) if field.name != "image"):
        one, other = getattr(left, name), getattr(right, name)
        if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
            assert np.array_equal(one, other), name
            assert one.dtype == other.dtype, name
    assert left.card.classes == right.card.classes
    assert left.origin == right.origin
    assert (repr(left), left.to_dict()) == (repr(right), right.to_dict())
    assert left.timings == right.timings
    return True


def test_every_registered_task_is_in_the_suite():
    assert {toy.name for toy in TASKS} == set(tasks())


def test_result(run, model, toy):
    result = run(model)
    assert isinstance(result, Result)
    assert getattr(result, toy.field).tolist() == toy.expected
    assert result.card.classes == CLASSES
    assert list(result.timings) == ["read", "preprocess", "infer"]
    assert min(result.timings.values()) >= 0


def test_reading(engine, model, toy):
    pipeline = wn.Pipeline(model, runtime=engine.runtime)
    reading = pipeline.reading
    assert isinstance(pipeline(IMAGE), Result)
    for name in ("head", "card", "facts", "assumed_facts", "result"):
        assert hasattr(Reading, name)
        assert hasattr(reading, name)
    assert reading.card.classes == CLASSES
    assert reading.head.output == 0
    assert reading.facts["output"].startswith("scores 1x3x")


def test_origin(engine, runner, run, model):
    origin = run(model).origin
    digests = {path.name: hashlib.sha384(path.read_bytes()).hexdigest() for path in model.files}
    assert dict(origin.files) == digests
    assert (origin.model, origin.recipe) == ("toy", RECIPE)
    assert (origin.target, origin.precision, origin.runtime) == ("CPU", "f32", engine.runtime)
    assert set(origin.versions) == {"wasinn-nb", "numpy", "pillow", *runner.versions}
    assert origin.versions["numpy"] == importlib.metadata.version("numpy")
    assert origin.versions.items() >= runner.versions.items()


def test_to_dict_is_json(run, model):
    values = run(model).to_dict()
    assert json.loads(json.dumps(values, allow_nan=False)) == values
    assert values["model"] == "toy"
    assert values["origin"] == run(model).origin.to_dict()


def test_saved_and_loaded(run, model, tmp_path):
    result = run(model, image=IMAGE)
    result.save(tmp_path / "saved")
    loaded = type(result).load(tmp_path / "saved" / "toy.json")
    assert loaded.image is None
    assert same(loaded, result)


def test_saved_and_loaded_with_what_was_assumed(run, bare, tmp_path):
    result = run(bare)
    result.save(tmp_path / "saved", "other")
    loaded = type(result).load(tmp_path / "saved" / "other.json")
    assert loaded.assumed == result.assumed
    assert "BGR, values 0 to 255, bilinear" in loaded.assumed
    assert same(loaded, result)


def test_pickled(run, bare, model):
    for one in (run(model), run(bare)):
        assert same(pickle.loads(pickle.dumps(one)), one)


@pytest.mark.full
def test_text_and_html_are_stable_and_say_what_is_assumed(run, model, bare):
    stated, assumed = run(model), run(bare)
    for one, again in [(stated, run(model)), (assumed, run(bare))]:
        assert repr(one) == repr(again)
        assert one._repr_html_() == again._repr_html_()
    for text in (repr(assumed), assumed._repr_html_()):
        assert "assumed: BGR, values 0 to 255" in text
    for text in (repr(stated), stated._repr_html_()):
        assert "BGR" not in text
        assert "toy" in text
    for text in (repr(stated), repr(assumed)):
        assert " at 0x" not in text
        assert "f32 on CPU" in text


def test_results_stay_as_they_are(engine, model, toy):
    pipeline = wn.Pipeline(model, runtime=engine.runtime, scores=True)
    first = pipeline(IMAGE)
    before = pickle.dumps(first)
    pipeline(IMAGE[:, ::-1])
    assert same(first, pickle.loads(before))


def test_task_of_the_outputs_where_nothing_states_it(engine, bare, toy):
    assert (
        type(wn.Pipeline(bare, runtime=engine.runtime)(IMAGE)).__name__
        == {
            "segmentation": "SegmentationResult",
            "classification": "ClassificationResult",
        }[toy.name]
    )


def test_unknown_task(engine, run, model, toy):
    other = wn.Model(toy.card(task="detection", encoding=model.encoding), None, model.files, "x")
    known = ".*classification, segmentation"
    with pytest.raises(errors.InvalidArgumentError, match=f"unknown task 'detection'.*{known}"):
        wn.Pipeline(other, runtime=engine.runtime)
    with pytest.raises(errors.InvalidArgumentError, match=f"unknown task 'detection'.*{known}"):
        run(other)


def test_task_of_another_card(engine, model, toy):
    for other in TASKS:
        if other.name == toy.name:
            continue
        message = f"its task is {toy.name}, not {other.name}; use {task(toy.name).call}"
        with pytest.raises(errors.InvalidArgumentError, match=message):
            other.call(IMAGE, model, runtime=engine.runtime)


def test_task_that_the_outputs_are_not_for(engine, bare, toy):
    for other in TASKS:
        if other.name == toy.name:
            continue
        message = f"it can be read for {toy.name}: use {task(toy.name).call}"
        with pytest.raises(errors.InvalidArgumentError, match=message):
            other.call(IMAGE, bare, runtime=engine.runtime)


def test_number_of_classes(run, model, toy):
    for classes in (("one", "two"), ("a", "b", "c", "d")):
        card = toy.card(classes=classes, encoding=model.encoding)
        other = wn.Model(card, None, model.files, "tests")
        message = f"names {len(classes)} classes, the model's output has 3"
        with pytest.raises(errors.InvalidArgumentError, match=message):
            run(other)


# ---------------------------------------------------------------------------------------- NaN


@pytest.mark.full
@pytest.mark.parametrize("channel", [0, 1, 2])
@pytest.mark.parametrize("scores", [False, True])
def test_scores_that_are_not_numbers(engine, toy, tmp_path, channel, scores):
    build, arguments = toy.also_spoiled
    recipe = RECIPE.replace(range=(-1, 1))
    model = engine.model(build(engine.writer(), *arguments), tmp_path, toy.card(recipe=recipe))
    pipeline = wn.Pipeline(model, runtime=engine.runtime, scores=scores)
    image = np.full((4, 6, 3), 255, np.uint8)
    assert pipeline(image).assumed is not None
    image[:, :, channel] = 0  # -1, whose square root is not a number
    with pytest.raises(errors.TensorError, match="NaN, so that the class is undefined"):
        pipeline(image)


@pytest.mark.full
@pytest.mark.parametrize("place", [(0, 0), (3, 5), (1, 2)])
@pytest.mark.parametrize("scores", [False, True])
def test_one_score_that_is_not_a_number(engine, tmp_path, place, scores):
    toy = TASKS[0]
    build, arguments = toy.also_spoiled
    recipe = RECIPE.replace(range=(-1, 1))
    model = engine.model(build(engine.writer(), *arguments), tmp_path, toy.card(recipe=recipe))
    image = np.full((4, 6, 3), 255, np.uint8)
    image[(*place, 1)] = 0
    with pytest.raises(errors.TensorError, match=r"^1 of "):
        wn.Pipeline(model, runtime=engine.runtime, scores=scores)(image)


@pytest.mark.parametrize("engine", ENGINES[:1], ids=str)
def test_infinite_scores_are_compared(engine, tmp_path):
    """float32 overflows to infinity, which is higher than every number."""
    recipe = RECIPE.replace(range=(0, 3e38))
    toy = TASKS[0]
    model = engine.model(toy.builders(engine.writer()), tmp_path, toy.card(recipe=recipe))
    result = wn.Pipeline(model, runtime=engine.runtime)(np.where(IMAGE > 0, 255, IMAGE))
    assert result.labels.tolist() == toy.expected
