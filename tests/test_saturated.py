"""Confidences that mean nothing, as the scores are too far apart: said wherever they are seen."""

from __future__ import annotations

import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from commands import run
from toys import F32, graph, save

import wasinn_nb as wn
from wasinn_nb.abi import TensorType
from wasinn_nb.cards import ModelCard, Port, Signature
from wasinn_nb.diagnosis.output_alarms import alarms
from wasinn_nb.imaging import PreprocessRecipe
from wasinn_nb.origin import Origin
from wasinn_nb.render.text import document_text
from wasinn_nb.tasks import task
from wasinn_nb.tasks.classification import ClassificationResult
from wasinn_nb.tasks.segmentation import SegmentationResult
from wasinn_nb.tensor import Tensor
from wasinn_nb.widgets.viewer import notes_of

RNG = np.random.default_rng(3)
PLANES = RNG.normal(size=(1, 2, 8, 12)).astype(np.float32)
CAUSE = "the input is probably scaled wrongly"
RECIPE = PreprocessRecipe(8, 12)
ROW = np.float32([[3, 1, 2]])


def found(scores, operation="Convolution", name="segmentation", *, keep=True, measured=False):
    """Return the result of a model that gives *scores* from an *operation*."""
    port = Port("out", scores.shape, TensorType.F32, "f32", operation=operation)
    signature = Signature((), (port,))
    reading = task(name).read(signature, ModelCard("toy"), RECIPE, scores=keep)
    reading = reading.measuring() if measured else reading
    head = reading.head
    outputs = head.apply(Tensor.from_array(scores))
    return reading.result(outputs, None, Origin("toy", {}, RECIPE), {}, size=(8, 12))


def softmaxed(scores):
    powers = np.exp(scores - scores.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


INFINITE = PLANES.copy()
INFINITE[0, 0] = np.inf
HARD = softmaxed(1e6 * PLANES)
SATURATED = {
    "logits": (1e18 * PLANES, "Convolution"),
    "logits by their values": (1e6 * PLANES, "Reshape"),
    "infinite": (INFINITE, "Convolution"),
    "infinite by their values": (INFINITE, "Reshape"),
    "one class": (1e6 * PLANES[:, :1], "Convolution"),
    "one class by its values": (1e6 * PLANES[:, :1], "Reshape"),
}
MEANT = {
    "logits": (PLANES, "Convolution"),
    "logits that are far apart at some pixels": (
        np.where(np.arange(12) < 6, 1e3, 1).astype("f4") * PLANES,
        "Convolution",
    ),
    "probabilities of 0 and 1": (HARD, "Softmax"),
    "probabilities of 0 and 1 by their values": (HARD, "Reshape"),
    "one class, probabilities of 0 and 1": (HARD[:, :1], "Sigmoid"),
    "one class, probabilities by its values": (HARD[:, :1], "Reshape"),
    "zeros": (0 * PLANES, "Convolution"),
    "zeros of many classes": (np.zeros((1, 256, 8, 12), np.float32), "Convolution"),
    "zeros of one class": (0 * PLANES[:, :1], "Convolution"),
    "labels": (np.zeros((1, 8, 12), np.float32), "ArgMax"),
}


@pytest.mark.parametrize("measured", [False, True])
@pytest.mark.parametrize("name", SATURATED)
def test_a_mask_of_scores_that_are_far_apart_has_a_remark(name, measured):
    result = found(*SATURATED[name], measured=measured)
    (remark,) = result.remarks
    assert remark.startswith("confidence is saturated at 100.00 % of the pixels, and means noth")
    assert "state range, mean and scale of the recipe" in remark
    for text in (repr(result), document_text(result.document()), result._repr_html_()):
        assert CAUSE in text
    assert result.to_dict()["remarks"] == [remark]
    assert remark in [note["text"] for note in notes_of(result)]
    assert (result.confidence is not None) == measured
    if measured:
        assert result.confidence.saturated == 1


@pytest.mark.parametrize("measured", [False, True])
@pytest.mark.parametrize("name", MEANT)
def test_other_scores_have_none(name, measured):
    result = found(*MEANT[name], measured=measured)
    assert result.remarks == ()
    assert CAUSE not in repr(result) + document_text(result.document())
    assert notes_of(result) == [one for one in notes_of(result) if "means nothing" not in one]


def test_only_confidences_that_are_computed_are_looked_at():
    assert found(1e18 * PLANES, keep=False).remarks == ()
    assert found(1e18 * PLANES, keep=False, measured=True).remarks != ()


@pytest.mark.parametrize(
    ("scores", "operation", "expected"),
    [
        (1e18 * ROW, "MatMul", True),
        (1e18 * ROW, "Reshape", True),
        (np.float32([[np.inf, 1, 2]]), "MatMul", True),
        (ROW, "MatMul", False),
        (np.float32([[30, 1, 2]]), "MatMul", False),  # sure, and not absurd
        (np.float32([[3, -np.inf, -np.inf]]), "MatMul", False),  # ruled out
        (np.float32([[1, 0, 0]]), "Softmax", False),
        (np.float32([[1, 0, 0]]), "Reshape", False),
        (0 * ROW, "MatMul", False),
    ],
)
def test_a_classifier_whose_scores_are_far_apart_has_a_remark(scores, operation, expected):
    result = found(scores, operation, "classification")
    assert (len(result.remarks) == 1) == expected
    for text in (repr(result), document_text(result.document()), result._repr_html_()):
        assert (CAUSE in text) == expected
    assert result.to_dict()["remarks"] == list(result.remarks)


@pytest.mark.parametrize(
    ("kind", "result"),
    [
        (SegmentationResult, found(1e18 * PLANES)),
        (SegmentationResult, found(PLANES)),
        (ClassificationResult, found(1e18 * ROW, "MatMul", "classification")),
    ],
)
def test_it_is_saved(tmp_path, kind, result):
    assert kind.load(result.save(tmp_path).facts).remarks == result.remarks
    values = json.loads((tmp_path / "toy.json").read_text())
    values.pop("remarks", None)  # as versions before did
    (tmp_path / "toy.json").write_text(json.dumps(values))
    assert kind.load(tmp_path / "toy.json").remarks == ()


# -- many images -----------------------------------------------------------------------------------


def scaled(path, factor):
    """Write a model of three classes whose logits are the channels times a factor."""
    from openvino import opset13 as op

    def build(data):
        kernel = (factor * np.eye(3)).reshape(3, 3, 1, 1).astype(F32)
        scores = op.convolution(data, kernel, [1, 1], [0, 0], [0, 0], [1, 1])
        scores.output(0).set_names({"scores"})
        return scores

    return save(graph(build, (1, 3, 8, 12)), path)


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """Predictions of two images, of which the second has equal channels."""
    folder = tmp_path_factory.mktemp("stores")
    images = [RNG.integers(0, 256, (8, 12, 3), dtype=np.uint8), np.full((8, 12, 3), 7, np.uint8)]

    def predicted(name, factor):
        model = scaled(folder / f"{name}.xml", factor)
        return wn.predict(images, model, folder / name, progress=False)

    return {"far": predicted("far", 1e9), "near": predicted("near", 1e-3)}


@pytest.mark.full
def test_predictions_say_of_how_many_images_it_is_so(stores):
    predictions = stores["far"]
    (remark,) = predictions.remarks
    assert remark.startswith("confidence is saturated for 1 of 2 images, and means nothing: ")
    for text in (repr(predictions), predictions._repr_html_()):
        assert CAUSE in text
    assert predictions.to_dict()["remarks"] == [remark]
    assert predictions.table()["saturated"].round(1).tolist() == [1, 0]
    assert predictions.query("saturated < 0.5").remarks == ()
    assert predictions[:1].whole.remarks == (remark,)
    assert predictions.result(0).remarks != ()
    assert predictions.result(1).remarks == ()
    assert stores["near"].remarks == ()
    assert remark in wn.Gallery(predictions)._notes()


@pytest.mark.full
def test_commands_say_it(stores):
    assert CAUSE in run("predictions", str(stores["far"].folder.parent))
    assert CAUSE not in run("predictions", str(stores["near"].folder.parent))


@pytest.mark.full
def test_the_command_of_a_classifier_says_it(tmp_path):
    from openvino import opset13 as op

    def build(data):
        row = op.reduce_mean(data, np.array([2, 3]), keep_dims=False)
        return op.multiply(row, F32(1e6))

    model = save(graph(build, (1, 3, 8, 12)), tmp_path / "row.xml")
    *ranked, remark, assumed, _ = run("classify", "city-arrow", "-m", model).splitlines()
    assert [line[:3] for line in ranked] == ["1.)", "2.)", "3.)"]
    assert CAUSE in remark
    assert assumed.startswith("assumed: ")
    assert CAUSE in json.loads(run("classify", "city-arrow", "-m", model, "--json"))["remarks"][0]


@pytest.mark.full
def test_rows_of_an_older_version_do_not_have_the_column(stores, tmp_path):
    model = scaled(tmp_path / "far.xml", 1e9)
    images = [RNG.integers(0, 256, (8, 12, 3), dtype=np.uint8) for _ in range(2)]
    made = wn.predict(images[:1], model, tmp_path / "store", progress=False)
    (part,) = (made.folder / "rows").iterdir()
    pq.write_table(pq.read_table(part).drop_columns(["saturated"]), part)
    old = wn.read_predictions(tmp_path / "store")
    assert old.remarks == ()
    assert old.result(0).confidence.saturated == 0
    assert old.table()["saturated"].isna().all()
    both = wn.predict(images, model, tmp_path / "store", progress=False)
    assert len(both) == 2
    assert both.remarks[0].startswith("confidence is saturated for 1 of 1 images")
    assert both.to_parquet(tmp_path / "all.parquet").stat().st_size > 0


@pytest.mark.full
def test_an_evaluation_of_a_classifier_says_it():
    results = [
        found(1e18 * ROW, "MatMul", "classification"),
        found(ROW, "MatMul", "classification"),
    ]
    judged = wn.evaluate(results, [0, 1])
    assert "confidence is saturated for 1 of 2 images" in repr(judged)


# -- diagnosis -------------------------------------------------------------------------------------


def test_a_diagnosis_says_it():
    planes = RNG.normal(size=(4, 64, 96)).astype(np.float32)
    for scores in (1e18 * planes, 1e18 * planes[:1]):
        assert "saturated" in [alarm.name for alarm in alarms(scores)]
    for scores in (planes, planes[:1]):
        assert "saturated" not in [alarm.name for alarm in alarms(scores)]
    assert [alarm.name for alarm in alarms(1e18 * ROW)] == ["saturated", "logits"]
