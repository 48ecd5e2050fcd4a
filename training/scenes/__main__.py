"""Draw scenes into a folder: ``python -m training.scenes --out FOLDER --count 8 --seed 0``."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from training.arguments import part, whole
from training.scenes.kinds import PALETTE
from training.scenes.scene import Scene, draw_scene


def save_mask(path: Path, scene: Scene) -> None:
    """Write the labels as an index PNG with the four classes' palette."""
    mask = Image.fromarray(scene.labels, mode="P")
    mask.putpalette([value for color in PALETTE for value in color])
    mask.save(path, optimize=True, bits=2)


def main() -> None:
    """Draw the scenes, and one sheet of all of them with their masks blended in."""
    parser = argparse.ArgumentParser(
        prog="python -m training.scenes",
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--out", type=Path, required=True, help="folder for images, masks and sheet.png")
    add("--count", type=whole(1), default=8, help="how many scenes")
    add("--seed", type=whole(0), default=0, help="of the first; the others follow")
    add(
        "--size",
        type=whole(16),
        nargs=2,
        default=(896, 512),
        metavar=("WIDTH", "HEIGHT"),
        help="in pixels",
    )
    add("--variety", type=part, default=1.0, help="0: a friendly day; 1: what training sees")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    tiles = []
    palette = np.array(PALETTE, np.float32)
    for seed in range(options.seed, options.seed + options.count):
        scene = draw_scene(seed, *options.size, variety=options.variety)
        Image.fromarray(scene.image).save(options.out / f"{seed:06}.jpg", quality=90)
        save_mask(options.out / f"{seed:06}.png", scene)
        blend = np.where(
            scene.labels[..., None] > 0,
            0.5 * scene.image + 0.5 * palette[scene.labels],
            scene.image,
        )
        pair = np.concatenate([scene.image, blend.astype(np.uint8)], 1)
        tiles.append(Image.fromarray(pair).resize((720, 206)))
    sheet = Image.new("RGB", (1440, 206 * ((len(tiles) + 1) // 2)))
    for index, tile in enumerate(tiles):
        sheet.paste(tile, (720 * (index % 2), 206 * (index // 2)))
    sheet.save(options.out / "sheet.png")


if __name__ == "__main__":
    main()
