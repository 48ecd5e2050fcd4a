"""What the tests of predictions share: images, and a store of them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

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


def whole_table(predictions):
    """Return all rows and columns but those of time, in the order of the sources."""
    parts = sorted((predictions.folder / "rows").glob("*.parquet"))
    table = pa.concat_tables([pq.read_table(path) for path in parts])
    kept = [name for name in table.column_names if name not in TIMES]
    return table.select(kept).sort_by("source").to_pylist()
