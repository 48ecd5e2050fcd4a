"""Every public object and error travels as a pickle, or says why it does not."""

from __future__ import annotations

import copy
import inspect
import pickle
from tempfile import mkdtemp

import numpy as np
import pytest
import quantized
import toys
from PIL import Image

import wasinn_nb as wn
from wasinn_nb import errors
from wasinn_nb.abi import GraphEncoding
from wasinn_nb.runtimes import runtime

pytestmark = pytest.mark.full

STAYS = {
    wn.Explorer: wn.Explorer,
    wn.Gallery: lambda: wn.Gallery(wn.predict(["city-arrow"], store=mkdtemp(), progress=False)),
    wn.ImagePicker: wn.ImagePicker,
    wn.MaskViewer: lambda: wn.MaskViewer(wn.segment()),
    wn.ModelPicker: wn.ModelPicker,
    wn.TargetPicker: wn.TargetPicker,
    wn.WasiNnCtx: wn.WasiNnCtx,
}
"""Class → what makes one that stays in its process."""


@pytest.fixture(scope="module")
def travellers(tmp_path_factory):
    """One object of each public class that travels."""
    folder = tmp_path_factory.mktemp("objects")
    for name in ("images", "masks"):
        (folder / name).mkdir()
    image = folder / "images/a.png"
    Image.new("RGB", (6, 4), (250, 10, 20)).save(image)
    Image.new("L", (6, 4), 2).save(folder / "masks/a.png")
    model = toys.brightest_channel(folder / "toy.xml")
    classifier = toys.brightest_of_image(folder / "classifier.xml")
    pipeline = wn.Pipeline(model)
    result, ranking = wn.segment(image, model, scores=True), wn.classify(image, classifier)
    with wn.WasiNnCtx() as ctx:
        graph = ctx.load(wn.model(model).files)
        context = ctx.init_execution_context(graph)
        tensor = wn.image_to_tensor(image, pipeline.recipe)
        ctx.set_input(context, 0, tensor)
    predictions = wn.predict(folder / "images", model, folder / "store", progress=False)
    (folder / "truth.csv").write_text("image,class\na.png,2\n")
    found = [
        pipeline,
        result,
        ranking,
        tensor,
        ctx.trace,
        wn.model(model),
        wn.model(model).card.replace(classes=("a", "b", "c")),
        pipeline.recipe,
        wn.compare(result, wn.segment(image, model, resize="triangle")),
        wn.diagnose(tensor, image, model),
        wn.evaluate(folder / "images", folder / "masks", model=model),
        wn.evaluate(folder / "images", folder / "truth.csv", model=classifier),
        wn.bench([pipeline], image, rounds=5),
        wn.bundle(model, folder / "bundle", image),
        wn.describe(model),
        wn.portability(ctx.trace),
        predictions,
        predictions.compare(predictions),
        quantized.layer_comparison(),
        quantized.quantization(model, image),
        wn.run_guest(wn.guest("misbehave"), ["nn-tensor"], stream=False),
        wn.models(),
        wn.devices(),
        wn.engines(),
        wn.Verdict.SAME,
        wn.Errno.BUSY,
        wn.ExecutionTarget.CPU,
        GraphEncoding.ONNX,
        wn.TensorType.F32,
        result.digest(),
        wn.WasiNnError("why"),
    ]
    return {type(one): one for one in found}


@pytest.mark.full
def test_every_public_class_is_listed(travellers):
    public = {one for name in wn.__all__ if inspect.isclass(one := getattr(wn, name))}
    assert public - set(travellers) - set(STAYS) == set()


@pytest.mark.parametrize("again", [lambda one: pickle.loads(pickle.dumps(one)), copy.deepcopy])
def test_what_travels_is_the_same_there(travellers, again):
    for kind, one in travellers.items():
        other = again(one)
        assert type(other) is kind
        assert repr(other) == repr(one)


def test_a_pipeline_travels_as_a_description(travellers, tmp_path):
    pipeline = travellers[wn.Pipeline]
    pickled = pickle.dumps(pipeline)
    assert len(pickled) < 5000
    image = np.full((4, 6, 3), (10, 200, 30), np.uint8)
    other = pickle.loads(pickled)
    assert other(image).labels.tolist() == pipeline(image).labels.tolist()
    assert other.origin == pipeline.origin


def test_a_pipeline_whose_model_is_gone(tmp_path):
    path = toys.brightest_channel(tmp_path / "toy.xml")
    pickled = pickle.dumps(wn.Pipeline(path))
    path.unlink()
    with pytest.raises(errors.MissingFileError, match=r"toy\.xml"):
        pickle.loads(pickled)


@pytest.mark.parametrize("kind", STAYS, ids=lambda kind: kind.__name__)
def test_what_stays_says_what_to_do(kind):
    one = STAYS[kind]()
    for act in (pickle.dumps, copy.copy, copy.deepcopy):
        if act is not pickle.dumps and kind is not wn.WasiNnCtx:
            continue  # ipywidgets refuses copies by itself
        with pytest.raises(errors.UnsupportedOperationError, match="belongs to this process; make"):
            act(one)
    one.close()


@pytest.mark.parametrize("name", ["openvino", "onnxruntime"])
def test_graphs_and_contexts_stay(name):
    graph = runtime(name).load([toys.onnx_relu()], GraphEncoding.ONNX, "CPU")
    for one in (graph, graph.execution_context()):
        with pytest.raises(errors.UnsupportedOperationError, match="load the model where it is us"):
            pickle.dumps(one)


ERRORS = [one for name in errors.__all__ if inspect.isclass(one := getattr(errors, name))]
WORDS = {errors.TooLargeError: {"needed": 7}, errors.GuestExitError: {"exit_code": 3}}


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_errors_travel_whole(kind):
    remedy = errors.Remedy("use another", [{"runtime": "litert"}], "use it")
    if not issubclass(kind, errors.WasiNnError):
        one = remedy if kind is errors.Remedy else kind("what")
    else:
        one = kind("what", **WORDS.get(kind, {}))
        one.remedy = remedy
    for other in (pickle.loads(pickle.dumps(one)), copy.deepcopy(one), copy.copy(one)):
        assert (type(other), str(other), repr(other)) == (kind, str(one), repr(one))
        assert getattr(other, "__dict__", None) == getattr(one, "__dict__", None)


def test_an_error_of_a_guest_travels_with_its_run(travellers):
    error = errors.GuestTrap("why", reason="unreachable", backtrace=("a",))
    error.run = travellers[wn.GuestRun]
    other = pickle.loads(pickle.dumps(error))
    assert (other.reason, other.backtrace) == ("unreachable", ("a",))
    assert repr(other.run) == repr(error.run)
    assert [one.signature for one in other.run.inputs] == [
        one.signature for one in error.run.inputs
    ]
    with other.run.trace.call("compute"):
        pass
    assert len(other.run.trace) == len(error.run.trace) + 1
