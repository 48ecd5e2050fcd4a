"""The shipped model's name, place, size and ``card.json``; needs no PyTorch."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from training.scenes import CLASSES, PALETTE

NAME = "road-segmentation-synth-0001"
FOLDER = Path(__file__).resolve().parent.parent / "data" / "models" / NAME
HEIGHT, WIDTH = 512, 896
QUANTIZED = "INT8"
"""The precision, and the folder, of the variant that `training.quantize` makes."""

DESCRIPTION = "Road, curbs and marks from a car's camera; trained on drawn street scenes only."


def card(folder: Path, figures: dict[str, float]) -> dict[str, Any]:
    """Return the model card for the files of a folder."""
    precisions = {"FP16": files_in(folder)}
    if (folder / QUANTIZED).is_dir():
        precisions[QUANTIZED] = files_in(folder / QUANTIZED)
    return {
        "name": NAME,
        "task": "segmentation",
        "description": DESCRIPTION,
        "classes": list(CLASSES),
        "palette": [list(color) for color in PALETTE],
        "recipe": {
            "height": HEIGHT,
            "width": WIDTH,
            "layout": "NCHW",
            "color": "BGR",
            "type": "f32",
            "range": [0, 255],
            "mean": [0, 0, 0],
            "scale": [1, 1, 1],
            "resize": "bilinear",
            "exif": "ignore",
        },
        "encoding": "openvino",
        "precisions": precisions,
        "license": "Apache-2.0",
        "source": "training/ of this project",
        "figures": figures,
    }


def files_in(folder: Path) -> list[dict[str, Any]]:
    """Describe the two files of the model in a folder."""
    files = []
    for suffix in ("xml", "bin"):
        content = (folder / f"{NAME}.{suffix}").read_bytes()
        digest = hashlib.sha384(content).hexdigest()
        files.append({"name": f"{NAME}.{suffix}", "bytes": len(content), "sha384": digest})
    return files


def write_figures(folder: Path, figures: dict[str, float]) -> None:
    """Write figures onto the card, beside those that are there.

    Those of the INT8 variant, measured on the files of its folder, have ``int8_`` before their
    names; its time is left out: with AMX it says nothing of other processors.
    """
    home, measured = folder, figures
    if folder.name == QUANTIZED:
        home, prefix = folder.parent, f"{QUANTIZED.lower()}_"
        measured = {f"{prefix}{k}": value for k, value in figures.items() if k != "time_ratio"}
    known = json.loads((home / "card.json").read_text(encoding="utf-8"))["figures"]
    write_card(home, known | {key: round(value, 4) for key, value in measured.items()})


def write_card(folder: Path, figures: dict[str, float]) -> None:
    """Write ``card.json`` beside the model."""
    text = json.dumps(card(folder, figures), indent=2) + "\n"
    (folder / "card.json").write_text(text, encoding="utf-8")
