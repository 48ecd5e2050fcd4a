"""`bundle`: folders that run a model elsewhere, and what devices made of them."""

import hashlib
import json
import os
import shutil

import numpy as np
import pytest
from commands import both, run
from PIL import Image
from tables import all_slow_but
from toys import brightest_channel, brightness, channel_means, onnx_relu

import wasinn_nb as wn
from wasinn_nb.errors import (
    InvalidArgumentError,
    MissingFileError,
    RecipeError,
    TensorFileError,
    UnsupportedOperationError,
    UnwritableError,
)

pytest.importorskip("wasmtime")
pytestmark = pytest.mark.full


@pytest.fixture(scope="module")
def toy_files(tmp_path_factory):
    return brightest_channel(tmp_path_factory.mktemp("model") / "toy.xml")


@pytest.fixture(scope="module")
def made(toy_files, tmp_path_factory):
    """A bundle of the toy model, which no test changes."""
    folder = tmp_path_factory.mktemp("bundles") / "toy"
    recipe = {"color": "RGB", "range": (0, 255), "resize": "triangle"}
    return wn.bundle(toy_files, folder, noise(), recipe)


@pytest.fixture
def copied(made, tmp_path):
    return wn.Bundle.read(shutil.copytree(made.folder, tmp_path / "copy"))


def noise(height=9, width=13):
    return np.random.default_rng(3).integers(0, 256, (height, width, 3), dtype=np.uint8)


def on_device(bundle, tmp_path, *arguments):
    """Run a bundle here, as a device does; return the folder that it wrote to."""
    out = tmp_path / "device"
    out.mkdir(exist_ok=True)
    dirs = {".": bundle.folder, "out": out}
    guest = bundle.folder / "guest.wasm"
    done = wn.run_guest(guest, arguments, dirs, writable="out", stream=False, check=True)
    return out, done


def test_files_of_a_bundle(made):
    assert sorted(p.relative_to(made.folder).as_posix() for p in made.folder.rglob("*")) == [
        "README.md",
        "bundle.json",
        "guest.wasm",
        "model.bin",
        "model.card.json",
        "model.xml",
        "recipe.json",
        "run-wasmedge.sh",
        "run-wasmtime.sh",
        "vectors",
        "vectors/expected-1x3x4x6xf32.tensor",
        "vectors/expected-1x3x4x6xf32.tensor.json",
        "vectors/image.png",
    ]
    stated = json.loads((made.folder / "bundle.json").read_text("utf-8"))
    for name, sha256 in stated["sha256"].items():
        assert hashlib.sha256((made.folder / name).read_bytes()).hexdigest() == sha256
    assert len(stated["sha256"]) == 11
    assert all(os.access(made.folder / f"run-{name}.sh", os.X_OK) for name in made.runtimes)


def test_the_expected_output_is_that_of_the_five_calls(made):
    with wn.WasiNnCtx() as ctx:
        context = ctx.init_execution_context(ctx.load(made.model, "openvino", "CPU"))
        ctx.set_input(context, 0, wn.image_to_tensor(noise(), made.recipe))
        ctx.compute(context)
        assert ctx.get_output(context, 0) == made.expected
    result = wn.segment(noise(), made.model[0], scores=True)
    assert np.array_equal(result.scores[None], made.expected.to_array())


def test_text_of_a_bundle(made):
    assert str(made) == (
        "Bundle(toy, openvino)\n"
        "  task      segmentation\n"
        "  input     1x3x4x6xf32 NCHW RGB, range 0 to 255, triangle\n"
        "  output    1x3x4x6xf32, class scores\n"
        "  WasmEdge  ./run-wasmedge.sh\n"
        "  Wasmtime  ./run-wasmtime.sh"
    )


# -- comparing -------------------------------------------------------------------------------------


def test_a_device_that_does_the_same(made, tmp_path):
    out, done = on_device(made, tmp_path)
    assert done.stdout.splitlines()[0] == "model toy"
    found = made.compare(out)
    assert [(step.name, step.verdict.value) for step in found.steps] == [
        ("input tensor", "identical"),
        ("output tensor", "identical"),
        ("labels", "identical"),
    ]
    # A dump of another program, without a sidecar and with another name.
    raw = tmp_path / "dump.raw"
    raw.write_bytes(bytes(made.expected.data))
    assert made.compare(raw).verdict.value == "identical"
    assert made.compare(made.expected).verdict.value == "identical"


def test_a_device_that_computes_in_another_precision(made):
    values = made.expected.to_array()
    close = wn.Tensor.from_array(values * np.float32(1.0001))
    assert made.compare(close).verdict.value == "same within precision"
    assert made.compare(close, tolerance=0).verdict.value == "different"
    swapped = wn.Tensor.from_array(values[:, ::-1])
    assert made.compare(swapped).verdict.value == "different"


def test_an_edited_recipe_differs_at_the_input(copied, tmp_path):
    path = copied.folder / "recipe.json"
    recipe = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps(recipe | {"color": "BGR"}), "utf-8")
    out, _ = on_device(copied, tmp_path)
    found = copied.compare(out)
    assert found.verdict.value == "different"
    assert found.steps[0].name == "input tensor"
    assert found.steps[0].verdict.value == "different"
    assert "first at the input tensor" in str(found)


def test_another_image_is_no_difference_but_an_error(made, tmp_path):
    Image.new("RGB", (5, 5), "red").save(tmp_path / "red.png")
    out = tmp_path / "device"
    out.mkdir()
    dirs = {".": made.folder, "out": out, "in": tmp_path}
    wn.run_guest(
        made.folder / "guest.wasm", ["in/red.png"], dirs, writable="out", stream=False, check=True
    )
    with pytest.raises(InvalidArgumentError, match="made of another image than the bundle's"):
        made.compare(out)


def test_outputs_that_cannot_be_compared(made, tmp_path):
    with pytest.raises(MissingFileError, match=r"no output-1x3x4x6xf32\.tensor in .*\.tensor file"):
        made.compare(tmp_path)
    (tmp_path / "short.raw").write_bytes(b"abc")
    with pytest.raises(TensorFileError, match="takes 288 bytes, the file has 3"):
        made.compare(tmp_path / "short.raw")
    out, _ = on_device(made, tmp_path)
    next(out.glob("output-*.tensor")).write_bytes(bytes(288))
    with pytest.raises(TensorFileError, match="changed after its sidecar"):
        made.compare(out)


def test_a_large_output_is_compared_by_its_labels(toy_files, tmp_path, monkeypatch):
    monkeypatch.setattr("wasinn_nb.deployment.vectors._MOST_BYTES", 100)
    bundle = wn.bundle(toy_files, tmp_path / "b", noise(), {"color": "RGB", "range": (0, 255)})
    assert bundle.expected is None
    assert (bundle.folder / "vectors" / "expected-labels.png").is_file()
    out, _ = on_device(bundle, tmp_path)
    assert bundle.compare(out).verdict.value == "identical"
    values = wn.read_tensor(next(out.glob("output-*.tensor"))).to_array()
    close = bundle.compare(wn.Tensor.from_array(values + np.float32(0.001)))
    assert [(step.name, step.verdict.value) for step in close.steps] == [("labels", "identical")]
    different = bundle.compare(wn.Tensor.from_array(values[:, ::-1]))
    assert different.verdict.value == "different"


# -- models ----------------------------------------------------------------------------------------


def test_a_classifier(tmp_path):
    model = tmp_path / "pets.xml"
    channel_means(model)
    recipe = {"color": "RGB", "range": (0, 255)}
    bundle = wn.bundle(model, tmp_path / "b", noise(), recipe)
    out, done = on_device(bundle, tmp_path, "--top", "2")
    result = wn.classify(bundle.image, bundle.model[0])
    assert done.stdout.splitlines()[-2:] == result.lines(2)
    assert bundle.compare(out).verdict.value == "identical"


def test_a_model_of_one_class_states_what_is_assumed(tmp_path):
    model = brightness(tmp_path / "bright.xml")
    bundle = wn.bundle(model, tmp_path / "b", noise())
    assert bundle.output["values"] == "one class, by the values"
    by_values = "scores are probabilities or logits, by their values"
    assert bundle.assumed == ("BGR, values 0 to 255", by_values, "threshold 0.5")
    readme = (bundle.folder / "README.md").read_text()
    for sentence in bundle.assumed:
        assert f"assumed: {sentence}" in str(bundle)
        assert f"- assumed: {sentence}\n" in readme
    _, done = on_device(bundle, tmp_path)
    assert done.stdout.splitlines()[-2].startswith("background: ")


def test_a_u8_input_is_refused_for_wasmedge_alone(tmp_path):
    model = brightest_channel(tmp_path / "bytes.xml", type_="u8")
    bundle = wn.bundle(model, tmp_path / "b", noise(), {"color": "RGB"})
    assert bundle.runtimes["wasmtime"] is None
    assert "f32" in bundle.runtimes["wasmedge"]
    assert not (bundle.folder / "run-wasmedge.sh").exists()
    text = (bundle.folder / "README.md").read_text("utf-8")
    assert "**Not with WasmEdge**" in text
    assert "## Run it" in text
    assert "run-wasmtime.sh" in text


def test_another_filter_is_replaced_and_said(toy_files, tmp_path):
    recipe = wn.PreprocessRecipe(4, 6, color="RGB", resize="bilinear")
    bundle = wn.bundle(toy_files, tmp_path / "b", noise(), recipe)
    assert bundle.recipe == recipe.replace(resize="triangle")
    (note,) = bundle.notes
    assert note.startswith("the recipe's filter bilinear is replaced by triangle")
    assert "replaced by triangle" in (bundle.folder / "README.md").read_text("utf-8")


def test_models_that_no_guest_can_run(tmp_path):
    folder = tmp_path / "saved"
    folder.mkdir()
    (folder / "saved_model.pb").write_bytes(b"")
    with pytest.raises(UnsupportedOperationError, match=r"OpenVINO IR, or one ONNX.*a folder"):
        wn.bundle(folder, tmp_path / "b")
    signed = brightest_channel(tmp_path / "signed.xml", type_="i8")
    with pytest.raises(UnsupportedOperationError, match="takes i8, which WASI-NN does not have"):
        wn.bundle(signed, tmp_path / "b", noise(), {"color": "RGB"})
    (tmp_path / "relu.onnx").write_bytes(onnx_relu())
    with pytest.raises(InvalidArgumentError, match="image"):
        wn.bundle(tmp_path / "relu.onnx", tmp_path / "b")
    assert not (tmp_path / "b").exists()


def test_images_of_every_kind_become_png(toy_files, tmp_path):
    recipe = wn.PreprocessRecipe(4, 6, color="RGB", exif="apply")
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(noise(40, 30)).save(tmp_path / "a.jpg", exif=exif)
    Image.fromarray(noise()[:, :, 0]).convert("P").save(tmp_path / "a.gif")
    Image.fromarray(noise()).convert("CMYK").save(tmp_path / "a.tif")
    wide = np.random.default_rng(1).integers(0, 65536, (9, 9), dtype=np.uint16)
    for number, image in enumerate(
        (tmp_path / "a.jpg", tmp_path / "a.gif", tmp_path / "a.tif", wide)
    ):
        bundle = wn.bundle(toy_files, tmp_path / f"b{number}", image, recipe)
        with Image.open(bundle.image) as opened:
            assert opened.format == "PNG"
        made = wn.image_to_tensor(image, recipe)
        assert wn.image_to_tensor(bundle.image, recipe) == made
        assert bundle.vector["input_sha256"] == made.sha256()


# -- folders ---------------------------------------------------------------------------------------

HOSTILE = ['it\'s "b"', "$(touch pwned)", "two\nlines", "\u202egpj", "-rf", "a\\b", "*"]


@pytest.mark.parametrize("name", all_slow_but(HOSTILE, *HOSTILE[:3]))
def test_hostile_names_of_folders_and_models(tmp_path, name):
    model = brightest_channel(tmp_path / f"{name}.xml")
    recipe = {"color": "RGB", "range": (0, 255)}
    Image.fromarray(noise()).save(tmp_path / f"{name}.png")
    bundle = wn.bundle(model, tmp_path / name, tmp_path / f"{name}.png", recipe)
    assert wn.Bundle.read(tmp_path / name).compare(bundle.expected).same
    assert sorted(path.name for path in bundle.model) == ["model.bin", "model.xml"]
    assert str(bundle).isprintable() or "\n" in str(bundle)
    assert "\u202e" not in str(bundle)
    assert not [*tmp_path.rglob("pwned")]


def test_folders_that_are_there(toy_files, tmp_path):
    recipe = {"color": "RGB", "range": (0, 255)}
    empty = tmp_path / "empty"
    empty.mkdir()
    assert wn.bundle(toy_files, empty, noise(), recipe).folder == empty
    before = sorted(empty.rglob("*"))
    with pytest.raises(InvalidArgumentError, match=r"holds README\.md, bundle\.json.* more"):
        wn.bundle(toy_files, empty, noise(), recipe)
    assert sorted(empty.rglob("*")) == before
    (tmp_path / "file").touch()
    with pytest.raises(InvalidArgumentError, match="is a file"):
        wn.bundle(toy_files, tmp_path / "file", noise(), recipe)
    with pytest.raises(UnwritableError, match="expected a folder to write into, got the file"):
        wn.bundle(toy_files, tmp_path / "file" / "below", noise(), recipe)
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "target")
    (tmp_path / "target").mkdir()
    assert wn.bundle(toy_files, link, noise(), recipe).folder == tmp_path / "target"


@pytest.mark.skipif(os.getuid() == 0, reason="root writes everywhere")
def test_a_read_only_folder(toy_files, tmp_path):
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    with pytest.raises(UnwritableError, match="cannot be written"):
        wn.bundle(toy_files, folder, noise(), {"color": "RGB", "range": (0, 255)})


@pytest.mark.parametrize("there", [False, True])
def test_nothing_is_left_of_a_bundle_that_fails(toy_files, tmp_path, monkeypatch, there):
    folder = tmp_path / "b"
    if there:
        folder.mkdir()

    def fail(*_args, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("wasinn_nb.deployment.bundling.run_guest", fail)
    with pytest.raises(UnwritableError, match="No space left on device"):
        wn.bundle(toy_files, folder, noise(), {"color": "RGB", "range": (0, 255)})
    assert (sorted(folder.iterdir()) if there else folder.exists()) == ([] if there else False)


@pytest.mark.parametrize("runtimes", [["wamr"], [], "wasmer"])
def test_unknown_runtimes(toy_files, tmp_path, runtimes):
    with pytest.raises(InvalidArgumentError, match="wasmedge, wasmtime"):
        wn.bundle(toy_files, tmp_path / "b", runtimes=runtimes)
    assert not (tmp_path / "b").exists()


# -- reading ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "other/1"}, 'expected a JSON object with "format"'),
        (
            {"image": "../../etc/passwd"},
            r"names of files in the bundle, got '\.\./\.\./etc/passwd'",
        ),
        ({"model": ["/etc/passwd"]}, "names of files in the bundle"),
        ({"card": ""}, "names of files in the bundle"),
        ({"output": {}}, "missing required field"),
        ({"runtimes": 7}, "runtimes"),
    ],
)
def test_edited_bundles_are_refused(copied, change, message):
    path = copied.folder / "bundle.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | change), "utf-8")
    with pytest.raises(InvalidArgumentError, match=message):
        wn.Bundle.read(copied.folder)


def test_broken_bundles_are_refused(copied, tmp_path):
    with pytest.raises(MissingFileError, match=r"no bundle\.json"):
        wn.Bundle.read(tmp_path)
    (copied.folder / "recipe.json").write_text("{", "utf-8")
    with pytest.raises(RecipeError, match="not valid JSON"):
        wn.Bundle.read(copied.folder)


# -- the command line ------------------------------------------------------------------------------


def test_on_the_command_line(toy_files, tmp_path):
    folder = tmp_path / "b"
    options = ["--recipe", "color=RGB,range=0:255", "--on", "wasmtime"]
    printed, notes = both("bundle", toy_files, folder, *options)
    assert printed.splitlines()[0] == "Bundle(toy, openvino)"
    assert printed.splitlines()[-1] == f"folder {folder}"
    assert not (folder / "run-wasmedge.sh").exists()
    bundle = wn.Bundle.read(folder)
    out, _ = on_device(bundle, tmp_path)
    assert run("compare", folder, out).splitlines()[0] == (
        "identical: input tensor, output tensor and labels"
    )
    assert notes == ""


def test_what_is_assumed_can_be_stated(toy_files, tmp_path):
    model = shutil.copy(toy_files, tmp_path / "mine.xml")
    shutil.copy(toy_files.with_suffix(".bin"), tmp_path / "mine.bin")
    printed = run("bundle", model, tmp_path / "b")
    assert "assumed: BGR, values 0 to 255" in printed
    assert "state it, or what is right, with: wasinn-nb card" in printed
    stated = json.loads(run("bundle", model, tmp_path / "c", "--json"))
    assert stated["remedy"].startswith("wasinn-nb card ")
    assert stated["runtimes"] == {"wasmedge": None, "wasmtime": None}
