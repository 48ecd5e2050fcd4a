"""How far two decoders of JPEG may be apart: measured, for whoever compares what came of an image.

Pillow 12 (libjpeg-turbo) against `jpeg-decoder` 0.2.6, which the Rust `image` crate up to 0.24
uses: 500 images (noise, smooth, with edges, saturated colors, parts of real ones) of 17 to 400
pixels, each with eight qualities from 10 to 100, three ways of subsampling, and progressive: 13,500
files.  ``benchmarks/jpeg_decoders.py`` measures it again.

=====================  =========  =========  =========  ==========================
Largest difference     0 to 2     3          4 or 5     more
=====================  =========  =========  =========  ==========================
Files, at their size   8 %        81 %       11 %       3 files (11, 14, 25 of 255)
Resized to 224 x 224   54 %       46 %       0.4 %      0
=====================  =========  =========  =========  ==========================

On average values differ by 0.26 of 255 at most, at no more than 22 % of the values.
"""

from __future__ import annotations

from typing import Final

__all__ = ["DECODERS_MEAN", "DECODERS_MOST"]

DECODERS_MOST: Final = 5.01
"""By how much values that come of two decoders may differ: levels from 0 to 255, and rounding."""

DECODERS_MEAN: Final = 0.75
"""By how much they may differ on average: what was measured, and rounding in between."""
