"""Files that say little: raw dumps of tensors, foreign models, folders; and several at once."""

from __future__ import annotations

import json
import zipfile

import numpy as np
import pytest
import toys
from commands import run, shell
from PIL import Image

import wasinn_nb as wn
from wasinn_nb.errors import ImageError, MissingFileError, TensorFileError

pytestmark = pytest.mark.full


@pytest.fixture
def values():
    return np.arange(24, dtype=np.float32).reshape(1, 2, 4, 3)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "x-1x2x4x3-f32.bgr",
            "x-1x2x4x3xf32.raw",
            "1x2x4x3xf32",
            "x_1x2x4x3-f32",
            "a.1x2x4x3xf32",
        ),
        *("x-1x2x4x3xf32.bin", "x-1x2x4x3-f32.dat"),
    ],
)
def test_names_of_other_programs_say_the_shape(values, tmp_path, name):
    values.tofile(tmp_path / name)
    assert wn.read_tensor(tmp_path / name).dimensions == (1, 2, 4, 3)
    facts = json.loads(run("inspect", tmp_path / name, "--json"))
    assert (facts["dimensions"], facts["type"], facts["max"]) == ([1, 2, 4, 3], "f32", 23)
    assert "identical" in run("compare", tmp_path / name, tmp_path / name)


@pytest.mark.parametrize("name", ["run-2-f32.tensor", "image-4x6-f32.tensor"])
def test_such_a_name_is_weaker_than_a_sidecar(values, tmp_path, name):
    wn.Tensor.from_array(values).write(tmp_path / name)
    assert wn.read_tensor(tmp_path / name).dimensions == (1, 2, 4, 3)


@pytest.mark.parametrize("name", ["dump.raw", "dump", "dump.bin", "dump.bgr"])
@pytest.mark.parametrize("shape", ["1x2x4x3", "1,2,4,3"])
def test_the_shape_of_a_raw_dump_can_be_stated(values, tmp_path, name, shape):
    path = tmp_path / name
    values.tofile(path)
    facts = json.loads(run("inspect", path, "--shape", shape, "--type", "f32", "--json"))
    assert (facts["dimensions"], facts["sha256"]) == (
        [1, 2, 4, 3],
        wn.Tensor.from_array(values).sha256(),
    )
    stated = ["--shape", shape, "--type", "f32"]
    assert "identical" in run("compare", path, path, *stated)
    np.save(tmp_path / "same.npy", values)
    assert "identical" in run("compare", path, tmp_path / "same.npy", *stated)


@pytest.mark.parametrize("name", ["dump.raw", "dump", "dump.bin"])
def test_a_raw_dump_without_a_shape_names_the_options(tmp_path, name):
    (tmp_path / name).write_bytes(bytes(range(1, 97)))
    done = shell("inspect", tmp_path / name)
    assert (done.returncode, done.stdout) == (2, "")
    assert "if these 96 bytes are a raw tensor, nothing says its shape" in done.stderr
    assert done.stderr.endswith("; state it: --shape 1x224x224x3 --type f32\n")
    assert ("dump.xml is missing" in done.stderr) is (name == "dump.bin")


def test_a_shape_that_does_not_fit(values, tmp_path):
    path = tmp_path / "dump.raw"
    values.tofile(path)
    with pytest.raises(TensorFileError, match="takes 4 bytes, the file has 96"):
        run("inspect", path, "--shape", "1", "--type", "f32")
    with pytest.raises(TensorFileError, match="nothing says its type"):
        run("inspect", path, "--shape", "24")
    wn.Tensor.from_array(values).write(tmp_path / "a-1x2x4x3xf32.tensor")
    with pytest.raises(TensorFileError, match="1x2x4x3 in the name, but 24 in the arguments"):
        run("compare", *[tmp_path / "a-1x2x4x3xf32.tensor"] * 2, "--shape", "24")
    assert shell("inspect", path, "--shape", "1xN").returncode == 2


def test_diagnose_takes_a_raw_dump_and_its_shape_from_the_model(tmp_path):
    recipe = wn.model().card.recipe
    fed = wn.image_to_tensor(wn.image(), recipe.replace(color="RGB"))
    (tmp_path / "fed.raw").write_bytes(fed.to_array().tobytes())
    words = ["diagnose", tmp_path / "fed.raw", "--image", wn.image().stem]
    shape = "x".join(map(str, fed.dimensions))
    for stated in (["--shape", shape, "--type", "f32"], ["-m", wn.model().name]):
        done = shell(*words, *stated)
        assert done.returncode == 1, done.stderr
        assert "RGB channels, where the model takes BGR" in done.stdout


def zipped(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", "x")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("m.pt", zipped, r"m.pt: a PyTorch file; export .*torch.onnx.export\("),
        ("pytorch_model.bin", zipped, "a PyTorch file"),
        ("m.pth", b"\x80\x02garbage", "a PyTorch file"),
        ("m.ckpt", b"anything", "a PyTorch file"),
        ("m.zip", zipped, "a zip archive; unpack it"),
        ("m.gguf", b"GGUF\3\0\0\0", "a GGUF file"),
        ("m.bin", b"GGUF\3\0\0\0", "a GGUF file"),
        ("m.safetensors", b'\x08\0\0\0\0\0\0\0{"a":1}', "weights alone"),
        ("m.h5", b"\x89HDF\r\n\x1a\n", "a Keras model"),
        ("m.tar.gz", b"\x1f\x8b\x08\0", "gzip data"),
        ("g.wasm", b"\0asm\1\0\0\0", r"a WebAssembly module; run it: wasinn-nb run .*g.wasm$"),
        ("g", b"\0asm\1\0\0\0", "a WebAssembly module"),
    ],
)
def test_foreign_files_are_named(tmp_path, name, content, message):
    path = tmp_path / name
    if callable(content):
        content(path)
    else:
        path.write_bytes(content)
    with pytest.raises(ImageError, match=message):
        run("inspect", path)


def test_weights_alone_name_the_file_that_is_missing(tmp_path):
    (tmp_path / "m.pdiparams").write_bytes(b"weights")
    with pytest.raises(MissingFileError, match=r"m.pdmodel is missing beside"):
        run("inspect", tmp_path / "m.pdiparams")


def test_folders_say_what_they_hold(tmp_path):
    for name, message in {
        "empty": "a folder without files; inspect takes",
        "one": "a folder with 1 image; inspect takes",
        "several": "a folder with 2 images, 1 tensor, 1 other file; ",
        "models": r"4 files of a model; inspect a model in it: net-2.bin, net-2.xml, net.bin",
    }.items():
        folder = tmp_path / name
        folder.mkdir()
        for image in {"one": ["a.png"], "several": ["a.JPG", "b.png"]}.get(name, []):
            Image.new("L", (2, 2)).save(folder / image)
        if name == "several":
            np.save(folder / "c.npy", np.zeros(2))
            (folder / "notes.txt").write_text("x")
        if name == "models":
            toys.brightest_channel(folder / "net.xml")
            toys.brightest_channel(folder / "net-2.xml")
        with pytest.raises(MissingFileError, match=message):
            run("inspect", folder)


def test_inspect_takes_several_files(values, tmp_path):
    toy = toys.brightest_channel(tmp_path / "toy.xml")
    tensor, image = tmp_path / "a-1x2x4x3xf32.tensor", tmp_path / "b.png"
    wn.Tensor.from_array(values).write(tensor)
    Image.new("L", (3, 2)).save(image)
    alone = [json.loads(run("inspect", path, "--json")) for path in (tensor, image, toy)]
    assert json.loads(run("inspect", tensor, image, toy, "--json")) == alone
    printed = run("inspect", tensor, image)
    assert printed == "\n".join(run("inspect", path) for path in (tensor, image))


@pytest.mark.full
def test_one_broken_file_of_several_does_not_hide_the_others(values, tmp_path):
    tensor = tmp_path / "a-1x2x4x3xf32.tensor"
    wn.Tensor.from_array(values).write(tensor)
    done = shell("inspect", "missing.png", tensor, "--json")
    assert done.returncode == 2
    assert done.stderr.startswith("error: no image at missing.png")
    broken, whole = json.loads(done.stdout)
    assert broken["path"] == "missing.png"
    assert broken["error"].startswith("no image at missing.png")
    assert whole["dimensions"] == [1, 2, 4, 3]
