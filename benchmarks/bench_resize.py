"""Each resize filter, on all processors, against Pillow's bilinear: 1920x1080 to 896x512."""

from __future__ import annotations

import numpy as np
from PIL import Image

from benchmarks.paired import Row, measure, ratio
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
    return [
        ratio(f"resize, {name}", "Pillow BILINEAR", seconds[name], seconds["pillow"], goal)
        for name, goal in zip(filters, ("<= 1.5", "<= 2", "<= 1"), strict=True)
    ]
