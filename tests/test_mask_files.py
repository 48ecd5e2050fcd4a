"""Masks as files: the stored samples count, whatever the format makes of them."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

import wasinn_nb as wn
from wasinn_nb.errors import ImageError, InvalidArgumentError
from wasinn_nb.imaging import stored_mask

U8 = np.uint8
LABELS = np.array([[0, 1, 2, 3, 3], [3, 0, 0, 1, 2]], U8)


def packed_rows(labels, bits):
    for row in labels:
        digits = "".join(format(int(value), f"0{bits}b") for value in row)
        digits += "0" * (-len(digits) % 8)
        yield int(digits, 2).to_bytes(len(digits) // 8, "big")


def gray_png(labels, bits):
    """Return a gray PNG file of so few bits, which Pillow cannot write."""
    return png(labels.shape, bits, 0, packed_rows(labels, bits))


def png(shape, bits, kind_of_color, packed):

    def chunk(kind, content):
        checksum = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + checksum

    height, width = shape
    rows = b"".join(b"\0" + row for row in packed)
    header = struct.pack(">IIBBBBB", width, height, bits, kind_of_color, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        chunk(kind, content)
        for kind, content in ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    )


def gray_tiff(labels, bits, photometric):
    """Return a gray TIFF file; where *photometric* is 0, the sample 0 is white."""
    content = b"".join(packed_rows(labels, bits))
    height, width = labels.shape
    tags = {256: width, 257: height, 258: bits, 259: 1, 262: photometric, 273: 122}
    tags |= {277: 1, 278: height, 279: len(content)}
    directory = struct.pack("<H", len(tags))
    directory += b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    return struct.pack("<2sHI", b"II", 42, 8) + directory + bytes(4) + content


def gray_pgm(labels, largest, *, plain=False):
    height, width = labels.shape
    start = f"P{2 if plain else 5}\n{width} {height}\n{largest}\n".encode()
    if plain:
        return start + b" ".join(str(value).encode() for value in labels.ravel().tolist())
    return start + labels.astype(">u2" if largest > 255 else U8).tobytes()


SMALL_SAMPLES = {
    "png-2": gray_png(LABELS, 2),
    "png-4": gray_png(LABELS, 4),
    "png-8": gray_png(LABELS, 8),
    "tiff-2": gray_tiff(LABELS, 2, 1),
    "tiff-4": gray_tiff(LABELS, 4, 1),
    "pgm-3": gray_pgm(LABELS, 3),
    "pgm-7": gray_pgm(LABELS, 7),
    "pgm-1000": gray_pgm(LABELS, 1000),
    "pgm-3-plain": gray_pgm(LABELS, 3, plain=True),
    "pgm-255-plain": gray_pgm(LABELS, 255, plain=True),
}


@pytest.mark.parametrize("kind", SMALL_SAMPLES)
@pytest.mark.parametrize("given", ["path", "bytes", "file", "image"])
def test_the_stored_samples_are_the_labels(kind, given, tmp_path):
    content = SMALL_SAMPLES[kind]
    path = tmp_path / f"mask.{kind.partition('-')[0]}"
    path.write_bytes(content)
    source = {
        "path": lambda: path,
        "bytes": lambda: content,
        "file": lambda: io.BytesIO(content),
        "image": lambda: Image.open(path),
    }[given]()
    found = wn.evaluate(LABELS, source, classes=("a", "b", "c", "d"), ignore=255)
    assert found.miou == 1
    assert found.matrix.sum() == LABELS.size
    assert found.matrix.diagonal().tolist() == np.bincount(LABELS.ravel()).tolist()


@pytest.mark.parametrize("kind", SMALL_SAMPLES)
def test_compare_takes_the_stored_samples_too(kind, tmp_path):
    path = tmp_path / f"mask.{kind.partition('-')[0]}"
    path.write_bytes(SMALL_SAMPLES[kind])
    assert wn.compare(path, LABELS).same
    assert not wn.compare(path, np.roll(LABELS, 1)).same


@pytest.mark.parametrize("largest", [1, 2, 3, 7, 11, 100, 254, 255, 256, 4095, 65535])
def test_every_sample_of_a_pgm_file_comes_back(largest):
    samples = np.arange(largest + 1).reshape(1, -1)[:, :60000]
    found = stored_mask(gray_pgm(samples, largest), "the mask").samples
    assert found.tolist() == samples.tolist()


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_inverted_samples_are_refused(bits, tmp_path):
    content = gray_tiff(LABELS % 2, bits, 0)
    with pytest.raises(ImageError, match=r"truth image 0: .* inverted .*export it again as PNG"):
        wn.evaluate(LABELS, content, classes=4)
    path = tmp_path / "mask.tif"
    path.write_bytes(content)
    with pytest.raises(ImageError, match=r"a \(mask.tif\): .* inverted"):
        wn.compare(path, LABELS)


def test_compare_takes_index_masks_of_16_bits(tmp_path):
    path = tmp_path / "mask.png"
    Image.fromarray(LABELS.astype(np.uint16)).save(path)
    assert wn.compare(path, LABELS).same
    Image.fromarray(LABELS.astype(np.uint16) * 256).save(path)
    with pytest.raises(InvalidArgumentError, match="class numbers from 0 to 255, got 0 to 768"):
        wn.compare(path, LABELS)


def test_compare_reads_gray_color_images_as_labels_and_says_so(tmp_path):
    path = tmp_path / "mask.png"
    Image.fromarray(LABELS).convert("RGB").save(path)
    found = wn.compare(path, LABELS)
    assert found.same
    assert "mask.png: mask 2x5: read as labels, though it is a color image (R = G = B)" in repr(
        found
    ).replace("\n  ", " ")


@pytest.mark.parametrize("kind", ["tif", "gif", "png", "webp"])
@pytest.mark.parametrize("given", ["path", "bytes", "image"])
def test_masks_of_several_pages_or_frames_are_refused(kind, given, tmp_path):
    path = tmp_path / f"mask.{kind}"
    pages = [Image.fromarray(labels) for labels in (LABELS, LABELS[::-1].copy(), LABELS)]
    pages[0].save(path, save_all=True, append_images=pages[1:], lossless=True)
    source = {"path": path, "bytes": path.read_bytes(), "image": None}[given]
    source = source or Image.open(io.BytesIO(path.read_bytes()))
    with pytest.raises(ImageError, match=r"truth (image 0|mask): expected one mask, got 3 pages"):
        wn.evaluate([LABELS], [source], classes=4)
    with pytest.raises(ImageError, match=r"a \(mask\..*expected one mask, got 3 pages or frames"):
        wn.compare(path, LABELS)


@pytest.mark.parametrize("kind", ["tif", "gif", "png"])
def test_one_page_or_frame_is_taken(kind, tmp_path):
    path = tmp_path / f"mask.{kind}"
    Image.fromarray(LABELS).save(path, save_all=True)
    assert wn.evaluate(LABELS, path, classes=4).miou == 1
    assert wn.compare(path, LABELS).same


@pytest.mark.parametrize(("kind_of_color", "channels"), [(2, 3), (4, 2), (6, 4)])
def test_gray_color_images_of_16_bits_are_refused(kind_of_color, channels):
    rows = [row.repeat(channels).astype(">u2").tobytes() for row in LABELS]
    content = png(LABELS.shape, 16, kind_of_color, rows)
    with pytest.raises(ImageError, match="with 16 bits in each channel, of which 8 are read"):
        wn.evaluate(LABELS, content, classes=4)


@pytest.mark.parametrize("kind", ["png", "pbm", "tif", "bmp"])
def test_white_is_1_in_masks_of_1_bit(kind, tmp_path):
    path = tmp_path / f"mask.{kind}"
    Image.fromarray(LABELS > 1).save(path)
    assert wn.evaluate(LABELS > 1, path, classes=2).miou == 1
    assert wn.compare(path, LABELS > 1).same
