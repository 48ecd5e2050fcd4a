"""Make the INT8 variant of the shipped model: ``python -m training.quantize``.

It needs the extras ``quantize`` and ``train``.  What calibrates are drawn scenes of seeds that
neither training nor measuring has; the shipped scenes judge.  ``python -m training.evaluate
--model data/models/road-segmentation-synth-0001/INT8 --write-card`` measures it.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

import wasinn_nb as wn
from training.card import FOLDER, HEIGHT, NAME, QUANTIZED, WIDTH, write_card
from training.scenes import draw_scene

# The first seed of the scenes that calibrate.
CALIBRATION = 700_000_000
SCENES = 64


def main() -> None:
    """Write the two files and the card, and print the report."""
    drawn = [
        draw_scene(seed, WIDTH, HEIGHT).image for seed in range(CALIBRATION, CALIBRATION + SCENES)
    ]
    names = wn.images()
    with tempfile.TemporaryDirectory() as work:
        found = wn.quantize(
            NAME,
            drawn,
            {name: wn.mask(name) for name in names},
            Path(work, "made"),
            test_images=[wn.image(name) for name in names],
            subset=SCENES,
        )
        print(found)
        target = FOLDER / QUANTIZED
        target.mkdir(exist_ok=True)
        for path in found.model.files:
            shutil.copyfile(path, target / f"{NAME}{path.suffix}")
    figures = json.loads((FOLDER / "card.json").read_text(encoding="utf-8"))["figures"]
    write_card(FOLDER, figures)


if __name__ == "__main__":
    main()
