"""The command line: what it prints, what it writes, how it fails."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import toys
from commands import run, shell, started
from PIL import Image
from typer.testing import CliRunner

import wasinn_nb as wn
from wasinn_nb import cli
from wasinn_nb.cli import ExitCode
from wasinn_nb.cli.remedies import error_text
from wasinn_nb.errors import InvalidArgumentError, TensorError


@pytest.fixture
def toy(tmp_path):
    return toys.brightest_channel(tmp_path / "toy.xml")


@pytest.fixture
def image(tmp_path):
    """An image whose left third is blue, the rest green: classes 0 and 1 of the toy."""
    return toys.third_blue(tmp_path / "image.png")


@pytest.mark.full
def test_segment_prints_areas_and_writes_files(toy, image, tmp_path):
    out = tmp_path / "out"
    printed = run("segment", image, "--model", toy, "--output", out)
    assert "toy, 4 x 6 pixels (height x width), f32 on CPU\n" in printed
    rows = [line.split() for line in printed.splitlines() if "class " in line and "%" in line]
    figures = [[row[-3], " ".join(row[-2:])] for row in rows]
    assert figures == [["8", "33.33 %"], ["16", "66.67 %"], ["0", "0.00 %"]]
    assert sorted(path.name for path in out.iterdir()) == [
        "toy-4x6xu8.tensor",
        "toy-4x6xu8.tensor.json",
        "toy-mask.png",
        "toy-overlay.jpg",
        "toy.json",
    ]
    assert wn.read_tensor(out / "toy-4x6xu8.tensor").to_array().tolist() == [[0, 0, 1, 1, 1, 1]] * 4
    for name in ("mask", "overlay", "tensor", "facts"):
        assert f"\n{name} " in printed


def test_segment_writes_scores_when_asked(toy, image, tmp_path):
    run("segment", image, "-m", toy, "-o", tmp_path / "out", "--scores")
    assert (tmp_path / "out/toy-1x3x4x6xf32.tensor").stat().st_size == 3 * 4 * 6 * 4


def test_segment_as_json(toy, image):
    values = json.loads(run("segment", image, "-m", toy, "--resize", "triangle", "--json"))
    assert values["areas"] == {"class 0": 8, "class 1": 16, "class 2": 0}
    assert values["fractions"]["class 0"] == pytest.approx(1 / 3)
    assert (values["model"], values["target"], values["precision"]) == ("toy", "CPU", "f32")
    assert (values["height"], values["width"], values["files"]) == (4, 6, {})
    assert values["digest"][0] == "toy, 4x6, f32"


def test_inspect_tensor(tmp_path):
    path = tmp_path / "data-2x3xf32.tensor"
    recipe = wn.PreprocessRecipe(2, 3)
    tensor = wn.Tensor.from_array(np.arange(6, dtype=np.float32).reshape(2, 3))
    tensor.write(path, metadata={"model": {"name": "toy"}, "recipe": recipe.to_dict()})
    printed = run("inspect", path)
    facts = dict(line.split(maxsplit=1) for line in printed.splitlines())
    assert facts["dimensions"] == "[2, 3]"
    assert (facts["min"], facts["mean"], facts["max"]) == ("0.0", "2.5", "5.0")
    assert (facts["model"], facts["recipe"]) == ("toy", repr(recipe))
    values = json.loads(run("inspect", path, "--json"))
    assert values["sha256"] == tensor.sha256()
    assert values["recipe"] == recipe.to_dict()


def test_inspect_image(image, tmp_path):
    assert json.loads(run("inspect", image, "--json")) == {
        "image": "image.png",
        "picture": "image.png",
        "format": "PNG",
        "width": 6,
        "height": 4,
        "mode": "RGB",
        "EXIF": "upright",
        "bytes": image.stat().st_size,
    }
    turned = Image.new("RGB", (2, 1))
    exif = turned.getexif()
    exif[0x0112] = 6
    turned.save(tmp_path / "turned.jpg", exif=exif)
    assert "orientation 6: guests ignore it" in run("inspect", tmp_path / "turned.jpg")


def test_models_and_devices(monkeypatch, tmp_path):
    toys.brightest_channel(tmp_path / "own.xml")
    monkeypatch.setenv("WASINN_NB_PATH", str(tmp_path))
    rows = {row["name"]: row for row in json.loads(run("models", "--json"))}
    assert rows["own"]["where"] == str(tmp_path)
    assert rows["road-segmentation-adas-0001"]["here"] is False
    assert "own" in run("models")
    assert json.loads(run("devices", "--json"))[0]["name"] == "CPU"
    assert run("devices").startswith("device")


@pytest.mark.full
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["segment", "missing.jpg"], "no image at missing.jpg"),
        (["segment", "--model", "no-such-model"], "no model 'no-such-model'"),
        (["segment", "--target", "XPU"], "unknown execution target 'XPU'"),
        (["segment", "--precision", "f8"], "f16, bf16 or device, got 'f8'"),
        (["segment", "--resize", "cubic"], "or bilinear-draft, got 'cubic'"),
        (["inspect", "missing.tensor"], "no tensor at missing.tensor"),
        (["inspect", "missing.png"], "no image at missing.png"),
        (["unknown"], "No such command 'unknown'"),
    ],
)
def test_errors_are_one_line_and_an_exit_code(arguments, message):
    done = shell(*arguments)
    assert done.returncode == ExitCode.ERROR == 2
    assert message in " ".join(done.stderr.replace("\u2502", " ").split())
    assert "Traceback" not in done.stderr
    assert not done.stdout
    assert ("Usage: " in done.stderr) is not done.stderr.startswith("error: ")


@pytest.mark.full
def test_a_file_in_the_way_of_the_folder(toy, image):
    done = shell("segment", image, "-m", toy, "-o", image / "out")
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr


def test_lab_starts_jupyter_with_further_options(monkeypatch, tmp_path):
    started = []
    monkeypatch.setattr("os.execv", lambda program, command: started.append(command))
    run("lab", tmp_path, "--no-browser", "--port", "9000")
    (command,) = started
    assert command[1:4] == ["-m", "jupyterlab", str(tmp_path)]
    assert command[-3:] == ["--no-browser", "--port", "9000"]


def test_lab_without_jupyterlab(monkeypatch):
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(wn.WasiNnError, match=r"pip install 'wasinn-nb\[lab\]'"):
        run("lab")


def test_help_names_every_verb():
    printed = run("--help")
    for verb in (
        *("segment", "classify", "run", "compare", "diagnose", "evaluate"),
        *("inspect", "card", "bench", "models", "devices", "lab"),
    ):
        assert verb in printed


@pytest.mark.full
@pytest.mark.parametrize(
    ("mode", "code", "printed"),
    [
        ("exit3", 3, ""),
        ("unreachable", 125, "error: misbehave.wasm trapped: unreachable executed"),
        ("panic", 125, "thread 'main' panicked at 'misbehaving'"),
        ("recurse", 125, "error: misbehave.wasm trapped"),
    ],
)
def test_run_hands_on_how_the_guest_ended(mode, code, printed):
    done = started("run", "misbehave", "--", mode)
    assert done.returncode == code, done.stderr
    assert printed in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mode", "code"), [("exit3", 3), ("unreachable", 125), ("panic", 125), ("recurse", 125)]
)
def test_run_hands_it_on_every_time(mode, code):
    """A guest's threads once brought the process down on its way out."""
    assert {started("run", "misbehave", "--", mode).returncode for _ in range(5)} == {code}


@pytest.mark.slow
def test_run_stops_a_guest_in_time():
    done = shell("run", "misbehave", "--time-limit", "0.3", "loop")
    assert done.returncode == ExitCode.GUEST
    assert done.stderr == (
        "error: misbehave.wasm did not end within 0.3 s and was stopped; "
        "--time-limit SECONDS gives it more\n"
    )


@pytest.mark.full
def test_run_traces_and_dumps_tensors(tmp_path, image):
    """The legacy guest on a model of bytes, by its name; tensors and trace as they were."""
    import openvino as ov
    from openvino import opset13 as op

    data = op.parameter([1, 4], ov.Type.u8)
    flipped = op.subtract(op.constant(np.uint8(255)), data)
    model = toys.save(ov.Model([flipped.output(0)], [data], "flip"), tmp_path / "flip.xml")
    (tmp_path / "in").write_bytes(bytes([0, 1, 2, 255]))
    done = shell(
        *("run", "classify-legacy", "--dir", f".:{tmp_path}", "--nn-preload", f"flip:{model}"),
        *("--trace", "--dump-tensors", tmp_path / "dumped", "--", "flip", "1x4", "in", "out"),
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out").read_bytes() == bytes([255, 254, 253, 0])
    dumped = sorted(path.name for path in (tmp_path / "dumped").glob("*.tensor"))
    assert dumped == ["input-0-1x4xu8.tensor", "output-0-1x4xu8.tensor"]
    assert wn.read_tensor(tmp_path / "dumped" / dumped[0]).to_array().tolist() == [[0, 1, 2, 255]]
    assert "load_by_name" in done.stderr
    assert "1x4xu8" in done.stderr


@pytest.mark.full
def test_run_keeps_readonly_directories_as_they_are(tmp_path):
    done = shell("run", "misbehave", "--dir", f".:{tmp_path}:readonly", "--", "write")
    assert list(tmp_path.iterdir()) == []
    assert done.returncode != 0


@pytest.mark.full
def test_run_refuses_pairs_without_a_separator():
    done = shell("run", "misbehave", "--env", "NAME", "--", "exit3")
    assert done.returncode == ExitCode.GUEST
    assert "expected NAME=" in done.stderr


@pytest.mark.full
def test_compare_says_the_same_and_different_by_its_exit_code(toy, image, tmp_path):
    run("segment", image, "-m", toy, "-o", tmp_path / "a", "--scores")
    run("segment", image, "-m", toy, "-o", tmp_path / "b", "--scores")
    name = "toy-1x3x4x6xf32.tensor"
    same = shell("compare", tmp_path / "a" / name, tmp_path / "b" / name)
    assert (same.returncode, same.stderr) == (0, "")
    assert "identical" in same.stdout
    other = tmp_path / "other-1x3x4x6xf32.tensor"
    scores = wn.read_tensor(tmp_path / "a" / name).to_array()
    wn.Tensor.from_array(scores[:, ::-1]).write(other)
    page = tmp_path / "page.html"
    different = shell("compare", tmp_path / "a" / name, other, "--json", "--html", page)
    assert different.returncode == 1
    assert json.loads(different.stdout)["verdict"] == "different"
    assert page.read_text().startswith("<!doctype html>")
    nothing = shell("compare", tmp_path / "a" / name, tmp_path / "missing.tensor")
    assert nothing.returncode == 2
    assert nothing.stderr.startswith("error: no ")


def test_evaluate_prints_iou_and_writes_a_page(toy, image, tmp_path):
    masks = tmp_path / "masks"
    masks.mkdir()
    truth = np.array([[0, 0, 1, 1, 1, 2]] * 4, np.uint8)
    Image.fromarray(truth).save(masks / "image.png")
    page = tmp_path / "page.html"
    values = json.loads(run("evaluate", image, masks / "image.png", "-m", toy, "--json"))
    assert values["classes"]["class 0"]["iou"] == pytest.approx(1)
    assert values["classes"]["class 1"]["iou"] == pytest.approx(12 / 16)
    printed = run("evaluate", image, masks / "image.png", "-m", toy, "--html", page)
    assert "class 1  0.7500" in printed
    assert page.read_text().startswith("<!doctype html>")


@pytest.fixture
def white(tmp_path):
    """A mask of 0 and 255."""
    path = tmp_path / "white.png"
    Image.fromarray(np.array([[0, 0, 255]], np.uint8)).save(path)
    return path


def judged(mask, classes, *options):
    return run("evaluate", mask, mask, "--masks-only", "--classes", classes, *options)


def test_evaluate_takes_labels_of_classes(white):
    found = json.loads(judged(white, "background=0, object=255", "--json"))
    assert {name: figures["iou"] for name, figures in found["classes"].items()} == {
        "background": 1,
        "object": 1,
    }


@pytest.mark.parametrize("classes", ["a=0,b", "a=0,b=x", "a=0,b=-1", "a=0,a=1", "=0,b=1"])
def test_labels_of_classes_that_are_not_stated_in_full_are_refused(white, classes):
    done = CliRunner().invoke(
        cli.app, ["evaluate", str(white), str(white), "--masks-only", "--classes", classes]
    )
    assert done.exit_code == 2
    assert "NAME=LABEL" in done.output


@pytest.mark.parametrize(("classes", "got"), [("-5", "-5"), ("0", "0"), ("+999", "999")])
def test_a_number_of_classes_is_never_a_name(white, classes, got):
    with pytest.raises(InvalidArgumentError, match=f"expected 1 to 250 classes, got {got}$"):
        judged(white, classes)


def test_the_remedy_for_black_and_white_masks_can_be_pasted(white):
    words = ["evaluate", str(white), str(white), "--masks-only", "--classes", "a,b"]
    with pytest.raises(TensorError) as caught:
        run(*words)
    assert error_text(caught.value, words).endswith("where 255 is b, add --classes a=0,b=255")
    assert "mean IoU 1.0000" in judged(white, "a=0,b=255")


@pytest.mark.full
def test_diagnose_says_right_and_wrong_by_its_exit_code(tmp_path):
    recipe = wn.model().card.recipe
    right, wrong = tmp_path / "right.tensor", tmp_path / "wrong.tensor"
    wn.image_to_tensor(wn.image(), recipe).write(right)
    wn.image_to_tensor(wn.image(), recipe.replace(color="RGB")).write(wrong)
    shipped = wn.image().stem
    done = shell("diagnose", right, "--image", shipped)
    assert (done.returncode, done.stderr) == (0, "")
    page = tmp_path / "page.html"
    done = shell("diagnose", wrong, "--image", shipped, "--json", "--html", page)
    assert done.returncode == 1
    assert json.loads(done.stdout)["sentence"] == "RGB channels, where the model takes BGR."
    assert page.read_text().startswith("<!doctype html>")
    assert shell("diagnose", tmp_path / "missing.tensor", "--image", shipped).returncode == 2


CRASHING = """
import os, signal
from wasinn_nb.runtimes import runtime
engine = type(runtime("openvino"))
sound = engine.load
def crash(self, builders, *arguments, **options):
    while not isinstance(builders[0], bytes):  # what a helper warms up with
        os.kill(os.getpid(), signal.SIGSEGV)
    return sound(self, builders, *arguments, **options)
engine.describe = engine.load = crash
"""


@pytest.mark.full
@pytest.mark.parametrize(
    "arguments",
    [["inspect", "toy.onnx"], ["run", "misbehave", "--nn-preload", "road:toy.onnx", "nn-early"]],
)
def test_a_model_that_crashes_its_engine_is_an_error(tmp_path, arguments):
    """The engine is made to crash by a module that Python imports at its start."""
    (tmp_path / "toy.onnx").write_bytes(toys.onnx_relu())
    (tmp_path / "sitecustomize.py").write_text(CRASHING)
    root = str(Path(wn.__file__).parents[1])
    path = os.pathsep.join([str(tmp_path), root])
    if arguments[0] == "run":
        arguments = [*arguments[:-1], "--", arguments[-1], "road"]
    done = started(*arguments, cwd=tmp_path, PYTHONPATH=path)
    code = ExitCode.GUEST if arguments[0] == "run" else ExitCode.ERROR
    assert done.returncode == code, done.stderr
    assert done.stderr.startswith("error: ")
    assert "SIGSEGV" in done.stderr
    assert "Traceback" not in done.stderr
