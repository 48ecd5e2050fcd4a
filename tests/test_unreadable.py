"""What is given as an image or a path, and is not one: URLs, other formats, too many pixels."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import numpy as np
import pytest
from commands import run, shell
from PIL import Image, features

import wasinn_nb as wn
from wasinn_nb.errors import ImageError, MissingFileError
from wasinn_nb.files import expanded
from wasinn_nb.imaging import kept_image, open_image

pytestmark = pytest.mark.full

READERS = (wn.segment, wn.model, wn.image, wn.read_tensor, wn.run_guest, wn.describe, open_image)


def boxed(*brands):
    """Return the first box of a HEIF or MP4 file."""
    content = b"ftyp" + brands[0] + bytes(4) + b"".join(brands)
    return (len(content) + 4).to_bytes(4, "big") + content + bytes(100)


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("kind", [str, Path])
@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("https://example.com/a.jpg", r"^https://example.com/a.jpg is a URL, .* download the file"),
        ("HTTP://example.com/m.xml", r"^HTTP://example.com/m.xml is a URL"),
        ("s3://bucket/a.onnx", r"^s3://bucket/a.onnx is a URL"),
        ("file:///tmp/an%20a.png", r"^file:///tmp/an%20a.png is a URL; .* alone: /tmp/an a.png$"),
        ("data:image/png;base64,iVBORw", "is a data URL; pass its decoded bytes"),
    ],
)
def test_urls_are_named(read, kind, url, message):
    with pytest.raises(MissingFileError, match=message):
        read(kind(url))


def test_urls_on_the_command_line():
    for words in (
        ["segment", "https://example.com/a.jpg"],
        ["inspect", "https://example.com/a.jpg"],
        ["inspect", "https://example.com/a.xml"],
        ["segment", "-m", "https://example.com/a.onnx"],
        ["compare", "https://example.com/a.tensor", "https://example.com/a.tensor"],
    ):
        with pytest.raises(MissingFileError, match=r"https://example.com/a.* is a URL"):
            run(*words)


@pytest.mark.parametrize("name", ["a:b.png", "x:/y.png", "a/https:/b.png", "http:", "data:", "a:/"])
def test_paths_with_colons_are_paths(name):
    assert expanded(name) == Path(name)


def test_a_folder_that_is_called_like_a_scheme(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("https:").mkdir()
    tensor = wn.Tensor.from_array(np.zeros(3, np.uint8))
    tensor.write("https:/a-3xu8.tensor")
    assert wn.read_tensor("https:/a-3xu8.tensor").dimensions == (3,)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (boxed(b"heic", b"mif1"), "a HEIC image .*convert it .*pip install pillow-heif"),
        (boxed(b"mif1", b"heix"), "a HEIC image"),
        (boxed(b"isom", b"mp42"), r"a video \(MP4 or QuickTime\)"),
        (b"\xff\x0a" + bytes(50), "a JPEG XL image.*pip install pillow-jxl-plugin"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(50), "a JPEG XL image"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b'<?xml version="1.0"?>\n<svg xmlns="x">', "an SVG drawing"),
        (b"<svg>", "an SVG drawing"),
        (b"<!doctype html><html>", "a web page.*download the image itself"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer.*git lfs pull"),
        (b"RIFF\x10\0\0\0AVI LIST", "a video"),
        (b"\x1aE\xdf\xa3\0", "a video"),
        (b"\x93NUMPY\x01\0", "a NumPy array"),
    ],
)
def test_formats_that_are_not_read_are_named(tmp_path, content, message):
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    for source in (content, path):
        with pytest.raises(ImageError, match=message) as caught:
            open_image(source)
        assert "not an image that Pillow can read" not in str(caught.value)
    with pytest.raises(ImageError, match=message):
        run("inspect", path)


def test_avif_without_a_pillow_that_reads_it(monkeypatch):
    monkeypatch.setattr(features, "check", lambda name: False)
    with pytest.raises(ImageError, match=r"an AVIF image.*pip install --upgrade 'pillow"):
        open_image(boxed(b"avif")[:40])


@pytest.mark.skipif(not features.check("avif"), reason="Pillow without AVIF")
def test_an_avif_file_that_is_cut_off_is_not_an_unknown_format():
    content = io.BytesIO()
    Image.new("RGB", (8, 8)).save(content, "AVIF")
    assert open_image(content.getvalue()).size == (8, 8)
    with pytest.raises(ImageError) as caught:
        open_image(content.getvalue()[:60])
    assert "install" not in str(caught.value)


def test_what_is_not_known_shows_its_first_bytes():
    with pytest.raises(ImageError, match=r"the first bytes are b'xxxxxxxxxxxxxxxx'$"):
        open_image(b"x" * 600)


@pytest.fixture
def large(tmp_path):
    Image.new("L", (60, 50)).save(tmp_path / "large.png")
    return tmp_path / "large.png"


def test_too_many_pixels_name_the_limit(large, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    for read in (open_image, kept_image, wn.segment):
        with pytest.raises(ImageError, match=r"3000 pixels.*2000.*PIL.Image.MAX_IMAGE_PIXELS = No"):
            read(large)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    assert open_image(large).size == (60, 50)


@pytest.mark.full
def test_too_many_pixels_on_the_command_line(tmp_path):
    Image.new("1", (20_000, 10_000)).save(tmp_path / "huge.png")
    done = shell("segment", tmp_path / "huge.png")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith(
        "; make it smaller; in Python, PIL.Image.MAX_IMAGE_PIXELS = None lifts the limit\n"
    )


def test_many_pixels_are_warned_of_once(large, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 2000)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        wn.segment(large)
    names = [one.category.__name__ for one in caught]
    assert names.count("DecompressionBombWarning") == 1
