"""What the tests of predictions share: images, and a store of them."""

from __future__ import annotations

import numpy as np
from PIL import Image
from toys import brightest_channel

import wasinn_nb as wn

COLORS = {"red": (250, 10, 20), "green": (10, 250, 20), "blue": (10, 20, 250)}
TIMES = {"seconds_read", "seconds_preprocess", "seconds_infer", "seconds_write", "finished"}


def write_images(folder, count=6, first=0):
    """Write images whose classes are known: red, green and blue in turn; all differ."""
    folder.mkdir(parents=True, exist_ok=True)
    names = []
    for n in range(first, count):
        color = [*COLORS.values()][n % 3]
        pixels = np.full((8, 12, 3), color, np.uint8)
        pixels[0, 0] = n % 256, n // 256, 77
        path = folder / f"{n:04}.png"
        Image.fromarray(pixels).save(path)
        names.append(path.name)
    return names


def write_place(folder, count=6, broken=""):
    """Write a toy, ``toy.xml``, that knows the classes of the images beside it, in ``images``.

    A file named *broken* is no image.
    """
    brightest_channel(folder / "toy.xml")
    write_images(folder / "images", count)
    if broken:
        (folder / "images" / broken).write_text("not an image")
    return folder


def predicted(folder, store="store", **options):
    """Run the toy of a place on its images, into a store there."""
    where = folder / "images", folder / "toy.xml", folder / store
    return wn.predict(*where, progress=False, **options)


def whole_table(predictions):
    """Return all rows and columns but those of time, in the order of the sources."""
    import pyarrow as pa  # slow to import, and few tests need it
    import pyarrow.parquet as pq

    parts = sorted((predictions.folder / "rows").glob("*.parquet"))
    table = pa.concat_tables([pq.read_table(path) for path in parts])
    kept = [name for name in table.column_names if name not in TIMES]
    return table.select(kept).sort_by("source").to_pylist()
