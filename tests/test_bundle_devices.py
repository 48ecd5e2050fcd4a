"""Bundles of real models, here and on an unmodified Wasmtime."""

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import wasinn_nb as wn
from wasinn_nb.host.external.libraries import prepare_libraries

pytest.importorskip("wasmtime")
full = pytest.mark.full

ROAD_PIXELS = ["background: 366570 pixels", "road: 78598 pixels", "curb: 11078 pixels"]
ROAD_PIXELS += ["mark: 2506 pixels"]  # shared/reference/runtimes.md


@pytest.fixture(scope="module")
def road(tmp_path_factory, shared):
    """A bundle of the real road model."""
    model = shared / "models" / "road-segmentation-adas-0001.xml"
    return wn.bundle(model, tmp_path_factory.mktemp("road") / "b", shared / "images/roadcrop.png")


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    return wn.bundle(None, tmp_path_factory.mktemp("shipped") / "b", "city-crosswalk")


def run(bundle, out, *arguments, **options):
    out.mkdir(exist_ok=True)
    dirs = {".": bundle.folder, "out": out}
    wasm = bundle.folder / "guest.wasm"
    options = {"stream": False, "check": True, **options}
    return wn.run_guest(wasm, arguments, dirs, writable="out", **options)


def verdicts(bundle, out):
    return [(step.name, step.verdict.value) for step in bundle.compare(out).steps]


IDENTICAL = [("input tensor", "identical"), ("output tensor", "identical")]
IDENTICAL += [("labels", "identical")]


def check_native(bundle):
    """The output is that of the five calls and of `segment`."""
    with wn.WasiNnCtx(precision="f32") as ctx:
        context = ctx.init_execution_context(ctx.load(bundle.model, "openvino", "CPU"))
        ctx.set_input(context, 0, wn.image_to_tensor(bundle.image, bundle.recipe))
        ctx.compute(context)
        assert ctx.get_output(context, 0) == bundle.expected
    native = wn.segment(bundle.image, bundle.model[0], resize="triangle", scores=True)
    assert np.array_equal(native.scores[None], bundle.expected.to_array())


@full
@pytest.mark.slow
def test_the_road_model(road, tmp_path):
    done = run(road, tmp_path / "here")
    assert done.stdout.splitlines()[-4:] == ROAD_PIXELS
    assert verdicts(road, tmp_path / "here") == IDENTICAL
    check_native(road)


@full
@pytest.mark.slow
def test_the_road_model_on_wasmtime(road, tmp_path, wasmtime_program):
    done = run(road, tmp_path / "there", on="wasmtime", precision="f32")
    assert done.stdout.splitlines()[-4:] == ROAD_PIXELS
    assert verdicts(road, tmp_path / "there") == IDENTICAL


@full
def test_the_shipped_model_on_wasmtime(shipped, tmp_path, wasmtime_program):
    run(shipped, tmp_path / "there", on="wasmtime", precision="f32")
    assert verdicts(shipped, tmp_path / "there") == IDENTICAL
    check_native(shipped)


@full
def test_the_shipped_model_by_its_script(shipped, tmp_path, wasmtime_program):
    """As on a device: the bundle is copied, and the script is called from elsewhere."""
    copied = tmp_path / 'it\'s "$(touch pwned)"\n'
    shutil.copytree(shipped.folder, copied)
    assert prepare_libraries(tmp_path / "libraries", "f32") is not None
    given = {"WASMTIME": str(wasmtime_program), "LD_LIBRARY_PATH": str(tmp_path / "libraries")}
    done = subprocess.run(
        [copied / "run-wasmtime.sh"],
        env=os.environ | given,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert verdicts(shipped, copied / "out") == IDENTICAL
    image = wn.image("country-road")
    out = tmp_path / "results of $HOME"
    again = subprocess.run(
        [copied / "run-wasmtime.sh", image, out],
        env=os.environ | given,
        capture_output=True,
        text=True,
        check=True,
    )
    # Two JPEG decoders differ a little.
    native = wn.segment(image, resize="triangle")
    areas = dict(line.rsplit(": ", 1) for line in again.stdout.splitlines()[-4:])
    for label, name in enumerate(native.card.classes):
        pixels = int(areas[name].split()[0])
        assert abs(pixels - int((native.labels == label).sum())) < 0.001 * native.labels.size
    assert not [*tmp_path.rglob("pwned")]


@full
def test_the_road_model_on_wasmedge(road, tmp_path, wasmedge_program):
    done = run(road, tmp_path / "there", on="wasmedge")
    assert done.stdout.splitlines()[-4:] == ROAD_PIXELS
    assert road.compare(tmp_path / "there").same


@full
def test_a_tflite_classifier(shared, tmp_path):
    model = shared / "models/third-party/coral_mobilenet_v1_quant.tflite"
    image = shared / "images/grace_hopper.jpg"
    bundle = wn.bundle(model, tmp_path / "b", image, {"color": "RGB"})
    assert not (bundle.folder / "run-wasmtime.sh").exists()
    text = (bundle.folder / "README.md").read_text("utf-8")
    assert f"**Not with Wasmtime**: {bundle.runtimes['wasmtime']}" in text.replace("\n", " ")
    assert "quantized" in text
    done = run(bundle, tmp_path / "out")
    lines = done.stdout.splitlines()[-5:]
    # The fourth and the fifth are equal (shared/reference/models.md).
    assert [int(line.partition("[")[2].partition("]")[0]) for line in lines][:3] == [401, 668, 835]
    assert lines == wn.classify(bundle.image, bundle.model[0], recipe={"color": "RGB"}).lines(5)
    assert bundle.compare(tmp_path / "out").verdict.value == "identical"


SINET = {
    "color": "BGR",
    "mean": (102.890434, 111.25247, 126.91212),
    "scale": tuple(255 * one for one in (62.93292, 62.82138, 66.355705)),
}
MASKS = {
    "SINet.onnx": (SINET, {"class 1": 59202}),
    "mnv3_seg_quant.tflite": ({"color": "RGB", "range": (0, 1)}, {"class 1": 37654}),
    "bodypix_float.tflite": ({"color": "RGB", "range": (-1, 1)}, {"foreground": 669}),
    "prisma-net_fp16.tflite": ({"color": "RGB", "range": (0, 1)}, {"foreground": 38391}),
    "coral_deeplab_dm05_quant.tflite": ({"color": "RGB"}, {"class 0": 87989, "class 15": 175180}),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", MASKS)
def test_third_party_models(shared, tmp_path, name):
    """Channels last, one class, flat probabilities, labels: what each model is known to give."""
    recipe, known = MASKS[name]
    model = shared / "models/third-party" / name
    bundle = wn.bundle(model, tmp_path / "b", shared / "images/grace_hopper.jpg", recipe)
    done = run(bundle, tmp_path / "out")
    areas = dict(line.rsplit(": ", 1) for line in done.stdout.splitlines()[3:])
    counts = {label: int(text.split()[0]) for label, text in areas.items()}
    for label, pixels in known.items():
        # The figures were made with Pillow's filter.
        assert abs(counts[label] - pixels) < 0.01 * sum(counts.values())
    result = wn.segment(bundle.image, bundle.model[0])
    expected = np.bincount(result.labels.ravel(), minlength=len(result.card.classes)).tolist()
    assert [*counts.values()] == expected
    assert bundle.compare(tmp_path / "out").verdict.value == "identical"


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_guest_built_from_its_source_does_the_same(tmp_path):
    """The project that `guest_source` writes compiles, and its module can be the bundle's guest."""
    registry = Path("/usr/share/cargo/registry")
    if not (registry / "png-0.17.7").is_dir() or not Path("/usr/bin/cargo").exists():
        pytest.skip("Debian's Rust and its crates are not installed: see guests/README.md")
    bundle = wn.bundle(None, tmp_path / "b", "city-crosswalk", source=True)
    done = subprocess.run(
        [
            "/usr/bin/cargo",
            "build",
            "--release",
            "--offline",
            "--target=wasm32-wasi",
            f"--target-dir={tmp_path / 'target'}",
            '--config=source.crates-io.replace-with="debian"',
            f'--config=source.debian.directory="{registry}"',
            "--config=profile.release.lto=false",
            "--config=profile.release.codegen-units=16",
            "--config=profile.release.opt-level=1",
        ],
        cwd=bundle.folder / "source",
        env={
            "PATH": "/usr/bin:/bin",
            "RUSTC": "/usr/bin/rustc",
            "CARGO_HOME": str(tmp_path / "home"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "warning" not in done.stderr
    (module,) = (tmp_path / "target/wasm32-wasi/release").glob("*.wasm")
    module.replace(bundle.folder / "guest.wasm")
    for name in ("bundle.json", "recipe.json", "model.card.json"):
        (bundle.folder / name).rename(tmp_path / name)  # its constants are in it
    run(bundle, tmp_path / "out")
    for name in ("bundle.json", "recipe.json", "model.card.json"):
        (tmp_path / name).rename(bundle.folder / name)
    assert verdicts(bundle, tmp_path / "out") == IDENTICAL
