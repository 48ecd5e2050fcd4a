"""Remedies of images and tensors are pasted; every remedy of the package is pasted or listed."""

from __future__ import annotations

import ast
import shlex
from pathlib import Path

import numpy as np
import pytest
import toys
from commands import run
from pasting import options_in, pasted, refused, use
from PIL import Image

import wasinn_nb as wn

pytestmark = pytest.mark.full


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.fromarray(np.full((4, 6, 3), 90, np.uint8)).save("image.png")
    toys.brightest_channel(tmp_path / "toy.xml")


@pytest.fixture
def pets(tmp_path):
    from openvino import opset13 as op

    def build(data):
        return op.softmax(op.reduce_mean(data, np.array([2, 3]), keep_dims=False), 1)

    return toys.save(toys.graph(build, (1, 3, 4, 6)), tmp_path / "pets.xml")


# -- images and tensors ----------------------------------------------------------------------------


def test_images_too_long_to_crop():
    Image.fromarray(np.zeros((1, 60_000, 3), np.uint8)).save("long.png")
    words = ["segment", "long.png", "-m", "toy.xml", "--recipe"]
    (command,) = use(refused(*words, "color=RGB,range=0:1,fit=crop"))
    assert command.endswith("--recipe color=RGB,range=0:1,fit=letterbox")
    assert "class 0" in pasted(command)


def test_too_many_pixels(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 4)
    message = refused("segment", "image.png", "-m", "toy.xml")
    assert "make it smaller; in Python, PIL.Image.MAX_IMAGE_PIXELS" in message
    Image.fromarray(np.zeros((2, 2, 3), np.uint8)).save("image.png")
    assert "class 0" in run("segment", "image.png", "-m", "toy.xml")


def test_floating_point_images():
    Image.fromarray(np.ones((4, 6), np.float32)).save("float.tif")
    message = refused("segment", "float.tif", "-m", "toy.xml")
    assert message.endswith("scale it to 0 to 255, and save it as PNG")


def test_borders_of_a_letterbox():
    words = ["segment", "image.png", "-m", "toy.xml", "--recipe"]
    recipe = "color=RGB,range=0:1,fit=letterbox"
    Image.fromarray(np.full((6, 6, 3), 90, np.uint8)).save("image.png")
    run(*words, recipe, "-o", "out")
    wn.Tensor.from_array(np.zeros((1, 3, 4, 6), np.float32)).write("raw-1x3x4x6xf32.tensor")
    saved = wn.SegmentationResult.load("out/toy.json")
    plain = wn.SegmentationResult(saved.labels, saved.card, recipe=saved.recipe)
    plain.save("plain")
    words = ["compare", "raw-1x3x4x6xf32.tensor", "plain/toy.json"]
    message = refused(*words)
    assert options_in(message) == ["--image", "PATH"], message
    assert pasted(shlex.join(["wasinn-nb", *words, "--image", "image.png"]))


@pytest.mark.parametrize("words", [["inspect", "dump"], ["compare", "dump", "dump"]])
def test_raw_dumps(words):
    Path("dump").write_bytes(bytes(3 * 4 * 6 * 4))
    options = options_in(refused(*words))
    assert options[::2][:2] == ["--shape", "--type"]
    run(*words, "--shape", "1x3x4x6", "--type", "f32")
    run(*words, "--model", "toy.xml")


def test_a_dump_of_the_input_needs_its_image(pets):
    recipe = wn.PreprocessRecipe(4, 6, color="RGB")
    Path("dump").write_bytes(bytes(wn.image_to_tensor("image.png", recipe).data))
    words = ["diagnose", "dump", "-m", "pets.xml", "--recipe", "color=RGB,range=0:255"]
    assert options_in(refused(*words)) == ["--image", "PATH"]
    assert pasted(shlex.join(["wasinn-nb", *words, "--image", "image.png"]))


def test_a_sidecar_that_is_broken():
    wn.Tensor.from_array(np.zeros(3, np.float32)).write("t.tensor")
    Path("t.tensor.json").write_text("{}")
    options = options_in(refused("inspect", "t.tensor"))
    assert {"--shape", "--type"} <= set(options)
    Path("t.tensor.json").unlink()
    run("inspect", "t.tensor", "--shape", "3", "--type", "f32")


@pytest.mark.parametrize(
    "words",
    [
        ["segment", "URL"],
        ["inspect", "URL"],
        ["card", "URL"],
        ["run", "URL"],
        ["bench", "-m", "URL"],
        ["compare", "URL", "URL"],
        ["evaluate", "URL", "URL"],
        ["diagnose", "URL"],
        ["segment", "--card", "URL"],
        ["segment", "--recipe", "URL"],
    ],
)
def test_urls_are_named_by_every_verb(words):
    url = "https://example.com/a.bin"
    assert f"{url} is a URL" in refused(*(url if word == "URL" else word for word in words))


def test_urls_are_named_by_fetch():
    with pytest.raises(wn.errors.MissingFileError, match=r"https://example.com/a\.onnx is a URL"):
        wn.fetch("https://example.com/a.onnx")


def test_names_of_shipped_images_are_inspected():
    assert "format  JPEG" in run("inspect", "city-crosswalk")


# -- the remedies that there are -------------------------------------------------------------------

ELSEWHERE = {
    "prediction/column_names.py refusal": "test_cli_queries",
    "widgets/gallery/standalone.py written_page": "test_cli_predict_again",
    "catalog/shipped.py image": "test_missing_paths",
    "prediction/store.py runs_in": "test_missing_paths",
    "cards/inputs.py FIVE_CALLS": "test_cli_remedies",
    "tasks/outputs.py output_remedy": "test_cli_remedies",
    "tasks/registry.py task_for": "test_cli_remedies",
    "tasks/registry.py reading_of": "test_cli_remedies",
    "tasks/registry.py _remedy": "test_cli_remedies",
    "cards/from_file.py _recipe": "test_cli_remedies",
    "evaluation/labels.py _remedy": "test_cli and here",
    "evaluation/pairs.py _remedy": "test_evaluation_folders",
    "evaluation/pairs.py _judge_the_others": "test_some_truths",
    "evaluation/class_maps.py _model_side": "test_some_truths",
    "prediction/columns.py no_mask": "test_cli_predict",
    "quantization/samples.py _refuse_both": "test_quantization",
    "prediction/session.py broken": "test_cli_predict",
    "prediction/manifests.py _chosen": "test_cli_predict",
}
NOT_PASTED = {
    "comparison/chain.py _of_file": "names the call in Python: test_compared_models",
    "runtimes/litert.py _SYMMETRIC": "a model that LiteRT refuses: test_third_party",
    "runtimes/litert.py _REMEDIES": "a model that LiteRT refuses: test_third_party",
    "runtimes/openvino/models.py _explained": "needs MediaPipe's operations",
    "runtimes/openvino/quantizing.py _MISSING": "installs a package",
    "runtimes/reading.py failure": "hands on what runtimes give",
    "runtimes/forking.py check": "of processes that fork: Python alone",
    "deployment/planning.py _files": "runs OpenVINO's own converter",
    "host/job.py REMEDIES": "options with a number: test_cli, slow",
    "host/process.py _without_engine": "an engine object: Python alone",
    "prediction/arrow.py arrow": "installs a package",
    "prediction/remote.py _files": "installs a package",
    "prediction/executors.py dask_executor": "installs a package",
    "host/modules.py read_module": "the command takes the name: test_python_like_the_command",
    "prediction/main_module.py refuse_unguarded": "of a script: Python alone",
    "prediction/executors.py __init__": "an executor: Python alone",
    "evaluation/mask_tally.py _labels": "names a store that is not known: test_some_truths",
    "evaluation/labels.py indices": "a mask in memory: Python alone",
    "diagnosis/result.py remedy": "code to put into a program: test_diagnosis",
}


def sites():
    """Yield where remedies are made: file, and function or constant."""
    root = Path(wn.__file__).parent
    for path in sorted(root.rglob("*.py")):
        if path.parent.name == "cli" or path.name == "errors.py":
            continue
        text = path.read_text(encoding="utf-8")
        for node in ast.parse(text).body if "Remedy(" in text else ():
            inner = node.body if isinstance(node, ast.ClassDef) else [node]
            for one in inner:
                calls = (n for n in ast.walk(one) if isinstance(n, ast.Call))
                if any(getattr(call.func, "id", "") == "Remedy" for call in calls):
                    target = getattr(one, "target", None)
                    name = getattr(one, "name", None) or getattr(target, "id", "?")
                    yield f"{path.relative_to(root).as_posix()} {name}"


HERE = {
    "cards/checks.py card_classes",
    "cards/inputs.py image_input",
    "cards/recipes.py check_fit",
    "comparison/reading.py _image_size",
    "diagnosis/diagnosing.py diagnose",
    "evaluation/class_maps.py _mapping_remedy",
    "evaluation/judging.py _stated",
    "evaluation/labels.py _values",
    "evaluation/labels.py _refuse",
    "evaluation/pairs.py _refuse_twice",
    "imaging/colors.py _SCALE",
    "imaging/preprocessing.py resized_pixels",
    "imaging/reading.py _TOO_MANY_PIXELS",
    "imaging/recipe.py _QUANTIZED",
    "inspection/files.py _STATE_SHAPE",
    "runtimes/reading.py checked_part",
    "tasks/segmentation/outputs.py mask_output",
    "tasks/segmentation/task.py _more_classes",
    "tasks/segmentation/task.py with_background",
    "tensor/reading.py _STATE_IT",
    "tensor/sidecar.py _REMEDY",
}


def test_every_remedy_is_pasted_or_listed():
    listed = HERE | set(ELSEWHERE) | set(NOT_PASTED)
    assert sorted(set(sites()) - listed) == []
    assert sorted(listed - set(sites())) == []
