"""quantize passes over images that cannot be read, and names them."""

from __future__ import annotations

import json

import numpy as np
import pytest
import toys
from PIL import Image

import wasinn_nb as wn
from wasinn_nb.errors import InvalidArgumentError, MissingFileError
from wasinn_nb.quantization.samples import reasons, split


@pytest.fixture
def images(tmp_path):
    """A folder with eight images."""
    folder = tmp_path / "images"
    folder.mkdir()
    rng = np.random.default_rng(2)
    for number in range(8):
        pixels = rng.integers(0, 256, (16, 24, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return folder


@pytest.fixture
def model(tmp_path):
    return toys.textures(tmp_path / "toy.xml", height=16, width=24)


def spoil(path, kind):
    """Make the image at *path* one that cannot be read."""
    content = path.read_bytes()
    path.unlink()
    if kind == "gone":
        path.symlink_to("nowhere")
    else:
        path.write_bytes({"empty": b"", "truncated": content[:600], "text": b"hello"}[kind])


def sides(images):
    """Return an image that calibrates and one that judges."""
    found = split(images, None, 64)
    return [images / f"{side[0].name}.png" for side in (found.calibration, found.judged)]


@pytest.mark.parametrize("kind", ["empty", "truncated", "text", "gone"])
def test_another_image_calibrates_in_its_place(images, kind):
    names = [one.name for one in split(images, [np.zeros((4, 4, 3), np.uint8)], 3).calibration]
    assert names == ["0", "4", "7"]
    spoil(images / "4.png", kind)
    found = split(images, [np.zeros((4, 4, 3), np.uint8)], 3)
    assert [one.name for one in found.calibration] == ["0", "3", "7"]
    ((name, reason),) = found.unreadable
    assert name == "4.png"
    assert "4.png" in reason


def test_one_file_that_is_not_an_image(images):
    (images / "text.jpg").write_bytes(b"hello")
    with pytest.raises(InvalidArgumentError) as caught:
        split(images / "text.jpg", None, 64)
    assert str(caught.value) == (
        "expected images to calibrate the model and others to judge it, got 0 and 0; "
        f"{images}/text.jpg: not an image that Pillow can read; the first bytes are b'hello'"
    )


def test_of_many_that_cannot_be_read_three_are_named(images):
    for path in images.iterdir():
        spoil(path, "text")
        path.write_bytes(path.name.encode())  # copies of one file would be one image
    with pytest.raises(InvalidArgumentError, match="others to judge it, got 0 and 2; ") as caught:
        split(images, None, 64)
    assert str(caught.value).count("not an image") == 3
    assert str(caught.value).endswith("; 3 images more cannot be read")


def test_reasons_name_their_image_once():
    assert reasons([("a", "x/a: gone"), ("b", "gone")]) == ["x/a: gone", "b: gone"]


@pytest.mark.full
@pytest.mark.parametrize("kind", ["empty", "truncated", "text", "gone"])
@pytest.mark.parametrize("masked", [False, True])
def test_the_report_names_them(images, model, tmp_path, kind, masked):
    pytest.importorskip("nncf")
    pipeline = wn.Pipeline(model)
    masks = {path.stem: pipeline(path).labels for path in images.iterdir()} if masked else None
    broken = sides(images)
    for path in broken:
        spoil(path, kind)
    calls = []
    found = wn.quantize(
        model,
        images,
        masks,
        tmp_path / "out",
        max_drop=1,
        progress=lambda *done: calls.append(done),
    )
    values = json.loads((tmp_path / "out" / "report.json").read_text())["images"]
    assert sorted(values["unreadable"]) == sorted(path.name for path in broken)
    assert values["calibration"] + values["judged"] == 6
    assert f"2 images could not be read: {', '.join(values['unreadable'])}" in repr(found)
    assert len(found.judgement.worst) == values["judged"]
    assert calls[-1][0] == calls[-1][1]


@pytest.mark.full
def test_none_that_judges_can_be_read(images, model, tmp_path):
    pytest.importorskip("nncf")
    test = tmp_path / "test"
    test.mkdir()
    for name in ("a.png", "b.png"):
        (test / name).write_bytes(name.encode())
    with pytest.raises(InvalidArgumentError, match=r"none of 2 images that would judge .*a.png"):
        wn.quantize(model, images, folder=tmp_path / "o", test_images=test, progress=False)
    assert not (tmp_path / "o").exists()


@pytest.mark.full
def test_an_image_that_is_lost_meanwhile_is_not_the_fault_of_nncf(images, model, tmp_path):
    pytest.importorskip("nncf")
    first, _ = sides(images)

    def lose(*_):
        first.unlink(missing_ok=True)

    with pytest.raises(MissingFileError, match=first.name) as caught:
        wn.quantize(model, images, folder=tmp_path / "out", progress=lose)
    assert "NNCF" not in str(caught.value)
