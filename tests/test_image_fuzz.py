"""Whatever an image file or a mask holds, reading it raises errors of ours only."""

from __future__ import annotations

import io
import random
import warnings
from collections import Counter

import numpy as np
import pytest
from PIL import Image

import wasinn_nb as wn
from wasinn_nb.errors import WasiNnError

RECIPE = wn.PreprocessRecipe(4, 4, resize="bilinear")
PIXELS = np.random.default_rng(0).integers(0, 255, (12, 16, 3), np.uint8)
LABELS = (PIXELS[..., 0] % 3).astype(np.uint8)
FORMATS = ("PNG", "JPEG", "TIFF", "GIF", "BMP", "WEBP", "PPM")


def encoded(kind, pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


def mutated(content, chance):
    """Return the bytes with some changed, taken out, put in, or the end cut off."""
    data = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        at = chance.randrange(len(data))
        if chance.random() < 0.7:  # headers are where readers trust
            at = min(at, chance.randrange(64))
        act = chance.randrange(4)
        if act == 0:
            data[at : at + 4] = chance.choice(
                (b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff")
            )
        elif act == 1:
            del data[at : at + chance.randrange(1, 9)]
        elif act == 2:
            data[at] ^= 1 << chance.randrange(8)
        else:
            del data[max(1, at) :]
        data = data or bytearray(b"\0")
    return bytes(data)


def read_image(content, path):
    wn.image_to_tensor(content, RECIPE)


def read_mask(content, path):
    path.write_bytes(content)
    wn.evaluate([LABELS], [path], classes=("a", "b", "c"), progress=False)


def fuzz(read, kind, rounds, path):
    """Count what came of so many mutations; other errors than ours are kept with their seed."""
    content = encoded(kind, LABELS if read is read_mask else PIXELS)
    if read is read_image or kind not in {"JPEG", "WEBP"}:  # a lossy mask is always refused
        read(content, path)
    counts, foreign = Counter(), {}
    for seed in range(rounds):
        changed = mutated(content, random.Random(seed))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                read(changed, path)
                counts["read"] += 1
            except WasiNnError as error:
                str(error).encode()
                counts["refused"] += 1
            except Exception as error:  # noqa: BLE001 - this is what is looked for
                foreign.setdefault(f"{type(error).__name__}: {error}"[:200], seed)
    print(f"{read.__name__} {kind}: {dict(counts)}, other errors: {len(foreign)}")  # noqa: T201
    assert foreign == {}
    assert counts["refused"] > 0


@pytest.mark.parametrize("read", [read_image, read_mask], ids=lambda one: one.__name__)
@pytest.mark.parametrize("kind", FORMATS)
def test_mutated_images(read, kind, tmp_path):
    fuzz(read, kind, 60, tmp_path / f"mask.{kind.lower()}")


@pytest.mark.slow
@pytest.mark.parametrize("read", [read_image, read_mask], ids=lambda one: one.__name__)
@pytest.mark.parametrize("kind", FORMATS)
def test_many_mutated_images(read, kind, tmp_path):
    fuzz(read, kind, 2000, tmp_path / f"mask.{kind.lower()}")
