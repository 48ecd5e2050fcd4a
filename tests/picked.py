"""What the tests of the image picker share."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image


def encoded(pixels=None, kind="PNG", **options):
    out = io.BytesIO()
    pixels = np.full((2, 3, 3), 200, np.uint8) if pixels is None else pixels
    Image.fromarray(pixels).save(out, kind, **options)
    return out.getvalue()


PNG = encoded()
NOISE = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
CUT = encoded(NOISE)[:3000]


def option_of(picker):
    """Return the option that is picked."""
    [found] = [option for option in picker._options if option["key"] == picker.value]
    return found


def looked_at(picker):
    """Return the options as the page shows them, once it has asked for their thumbnails."""
    made = {}

    def take(content, buffers):
        for one, thumbnail in zip(content["options"], buffers, strict=True):
            made[one["key"]] = one | ({"thumbnail": thumbnail} if thumbnail else {})

    picker.send = take
    keys = [option["key"] for option in picker._options]
    picker._handle_custom_msg({"type": "thumbnails", "keys": keys}, [])
    assert picker.wait(30)
    del picker.send
    return [option | made.get(option["key"], {}) for option in picker._options]


def small(option):
    """Return the thumbnail of an option."""
    with Image.open(io.BytesIO(option["thumbnail"])) as image:
        assert image.format == "JPEG"
        image.load()
        return image


def brief(picker):
    """Return key, whether it can be picked, and the reason of every option."""
    return [(option["key"], option["enabled"], option["reason"]) for option in picker._options]
