"""From an image to its row: prepared, run, encoded; errors are rows, too."""

from __future__ import annotations

import datetime as dt
import io
import time
from typing import Any, Final, NamedTuple

import numpy as np
from PIL import Image

from wasinn_nb.imaging import rgb_image
from wasinn_nb.pipeline import Pipeline
from wasinn_nb.prediction.columns import Columns
from wasinn_nb.prediction.items import Content, Item
from wasinn_nb.request import Prepared, Request
from wasinn_nb.wording import inert

__all__ = ["Kept", "error_row", "finished_row", "known_of", "thumbnail_of"]

_THUMBNAIL: Final = 160
_QUALITY: Final = 75
_MOST_CHARACTERS: Final = 2000


class Kept(NamedTuple):
    """What rows keep beside their figures."""

    masks: bool = True
    thumbnails: bool = True
    digests: bool = True


def finished_row(
    item: Item,
    content: Content,
    pipeline: Pipeline,
    request: Request,
    columns: Columns,
    run: str,
    kept: Kept,
) -> dict[str, Any]:
    """Return the row of an image that the model is run on.

    Raises
    ------
    WasiNnError
        If it cannot be read, or the model fails.
    """
    prepared = pipeline.prepare(content.image)
    start = time.perf_counter()
    outputs = request.run(prepared.tensor)
    result = pipeline.result(prepared, outputs, time.perf_counter() - start)
    start = time.perf_counter()
    values = columns.row(result)
    if not kept.masks:
        values["mask"] = None
    row = {
        **known_of(item, content, run),
        **values,
        "width": prepared.opened.width,
        "height": prepared.opened.height,
        "exif_ignored": prepared.opened.ignored,
        "status": "done",
        "seconds_read": content.seconds + result.timings["read"],
        "seconds_preprocess": result.timings["preprocess"],
        "seconds_infer": result.timings["infer"],
        "digest": str(result.digest()) if kept.digests and hasattr(result, "digest") else None,
        "thumbnail": _thumbnail(prepared, pipeline) if kept.thumbnails else None,
    }
    row["seconds_write"] = time.perf_counter() - start
    return row


def error_row(
    item: Item, content: Content | None, run: str, error: BaseException
) -> dict[str, Any]:
    """Return the row of an image that has no result.

    Parameters
    ----------
    item : Item
    content : Content or None
        What was read of it, if it could be read.
    run : str
    error : exception
    """
    message = inert(str(error) or type(error).__name__, _MOST_CHARACTERS)
    return {
        **known_of(item, content, run),
        "status": "error",
        "error": message,
        "error_kind": type(error).__name__,
    }


def known_of(item: Item, content: Content | None, run: str) -> dict[str, Any]:
    """Return what a row says of its image, whatever came of it; parameters as of `error_row`."""
    source = item.source.encode("utf-8", "backslashreplace").decode()
    stamp = None if content is None else content.stamp
    return {
        "source": source,
        "source_bytes": None if source == item.source else item.identity,
        "name": item.name.encode("utf-8", "backslashreplace").decode(),
        "size": stamp and stamp.size,
        "mtime_ns": stamp and stamp.mtime_ns,
        "inode": stamp and stamp.inode,
        "etag": stamp and stamp.etag,
        "sha256": content and content.sha256,
        "finished": dt.datetime.now(dt.UTC),
        "run": run,
    }


def _thumbnail(prepared: Prepared, pipeline: Pipeline) -> bytes:
    """Return the image as a small JPEG."""
    opened, recipe = prepared.opened, pipeline.recipe
    size = _size(opened.width, opened.height)
    height, width, channels = prepared.pixels.shape
    if recipe.fit == "stretch" and channels == 3 and width >= size[0] and height >= size[1]:
        # In RGB order, and smaller than the image; of every second pixel where it is large enough.
        step = max(1, min(width // (2 * size[0]), height // (2 * size[1])))
        image = Image.fromarray(np.ascontiguousarray(prepared.pixels[::step, ::step]))
    else:
        image = opened.image
        image = rgb_image(image.reduce(factor) if (factor := _factor(image, size)) > 1 else image)
    return _jpeg(image, size)


def thumbnail_of(image: Image.Image) -> bytes:
    """Return an image in RGB order as a small JPEG, as rows keep it."""
    size = _size(image.width, image.height)
    factor = _factor(image, size)
    return _jpeg(image.reduce(factor) if factor > 1 else image, size)


def _size(width: int, height: int) -> tuple[int, int]:
    scale = min(1.0, _THUMBNAIL / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _jpeg(image: Image.Image, size: tuple[int, int]) -> bytes:
    file = io.BytesIO()
    image.resize(size, Image.Resampling.BILINEAR).save(file, "JPEG", quality=_QUALITY)
    return file.getvalue()


def _factor(image: Image.Image, size: tuple[int, int]) -> int:
    """Return by how much an image can be made smaller cheaply, so that it is still twice as large.

    Palettes and 1-bit images have no colors in between.
    """
    if image.mode not in {"L", "RGB", "RGBA"}:
        return 1
    return min(image.width // (2 * size[0]), image.height // (2 * size[1]))
