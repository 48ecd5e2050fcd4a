"""What a large image takes: resizing 1920x1080 to 896x512, and decoding a JPEG of that size.

Each filter runs on all processors, and is compared with Pillow's bilinear; simplejpeg, a dependency
for this alone, with Pillow's decoder.
"""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from benchmarks.paired import Row, measure, ratio
from wasinn_nb.imaging.jpeg import jpeg_pixels
from wasinn_nb.imaging.preprocessing import resized_pixels
from wasinn_nb.imaging.recipe import PreprocessRecipe
from wasinn_nb.runtimes import processors

ROUNDS = 40


def rows() -> list[Row]:
    """Measure and return the ratios."""
    noise = np.random.default_rng(0).integers(0, 256, (1080, 1920, 3), dtype=np.uint8)
    image = Image.fromarray(noise)
    filters = ("triangle", "triangle-0.23", "bilinear")
    recipes = {name: PreprocessRecipe(512, 896, resize=name) for name in filters}
    seconds = measure(
        {"pillow": lambda: image.resize((896, 512), Image.Resampling.BILINEAR)}
        | {
            name: (lambda name=name: resized_pixels(image, recipes[name], processors()))
            for name in filters
        },
        ROUNDS,
    )
    photograph = image.resize((240, 135)).resize((1920, 1080), Image.Resampling.BICUBIC)
    file = io.BytesIO()
    photograph.save(file, "JPEG", quality=92)
    decoding = measure(
        {
            "ours": lambda: jpeg_pixels(Image.open(file), file),
            "pillow": lambda: np.asarray(Image.open(file)),
        },
        ROUNDS,
    )
    return [
        ratio(f"resize, {name}", "Pillow BILINEAR", seconds[name], seconds["pillow"], goal)
        for name, goal in zip(filters, ("<= 1.5", "<= 2", "<= 1"), strict=True)
    ] + [ratio("decode a JPEG", "Pillow", decoding["ours"], decoding["pillow"], "<= 0.95")]
