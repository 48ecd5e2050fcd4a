"""Draw the scenes that the package ships again: ``python -m training.shipped``."""

from __future__ import annotations

import argparse
from pathlib import Path

from PIL import Image

from training.scenes import draw_scene
from training.scenes.__main__ import save_mask

DATA = Path(__file__).resolve().parent.parent / "data"

# Chosen by eye from many: the name says what there is to see.
SEEDS = {
    "city-crosswalk": 2209,
    "city-cyclist": 147,
    "city-island": 161,
    "city-arrow": 167,
    "country-road": 163,
    "hill-crosswalk": 152,
    "shops-bend": 149,
    "suburb-junction": 146,
}

WIDTH, HEIGHT = 1280, 720


def main() -> None:
    """Write ``data/images/NAME.jpg`` and ``data/masks/NAME.png`` for each of them."""
    argparse.ArgumentParser(prog="python -m training.shipped", description=__doc__).parse_args()
    for folder in ("images", "masks"):
        (DATA / folder).mkdir(parents=True, exist_ok=True)
    for name, seed in SEEDS.items():
        scene = draw_scene(seed, WIDTH, HEIGHT, variety=0.0)
        image = Image.fromarray(scene.image)
        image.save(DATA / "images" / f"{name}.jpg", quality=82, optimize=True)
        save_mask(DATA / "masks" / f"{name}.png", scene)


if __name__ == "__main__":
    main()
