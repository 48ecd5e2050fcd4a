"""Measure the shipped files and print the table: ``python -m training.evaluate``.

The real model, the CamVid frames and one more image are not part of the project. They are looked
for in the folder that ``WASINN_NB_SHARED`` names, else in ``../shared`` beside the project; rows
that need them say so where they are absent. They serve for measuring only.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from PIL import Image

import wasinn_nb as wn
from training.card import FOLDER, HEIGHT, NAME, WIDTH, write_figures
from training.scenes import CLASSES, draw_scene
from wasinn_nb.metrics import confusion_matrix, iou

# The first seed of the 300 scenes that no training run has seen.
UNSEEN = 500_000_000
SCENES = 300

# CamVid's index of road, and the one that is to be ignored.
CAMVID_ROAD, CAMVID_UNLABELED = 3, 11

# Title, key on the card, floor and aim (of the ratio: at most) of each row.
ROWS = (
    ("300 drawn scenes, unseen seeds: mIoU", "drawn_miou", 0.85, 0.92),
    ("CamVid, 26 frames: IoU of road", "camvid_road_iou", 0.80, 0.90),
    ("Real image: IoU of road to the real model", "photo_road_iou", 0.85, 0.95),
    ("Time against the real model, f32", "time_ratio", 1.0, 0.6),
)

Labels = NDArray[np.uint8]
Segmenter = Callable[[Image.Image], Labels]


def shared() -> Path:
    """Return the folder with the real model and images, which need not exist."""
    default = Path(__file__).resolve().parent.parent.parent / "shared"
    return Path(os.environ.get("WASINN_NB_SHARED", default))


def compiled(xml: Path) -> ov.CompiledModel:
    """Return the model on the CPU at f32, two threads."""
    options = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 2}
    return ov.Core().compile_model(xml, "CPU", options)


def segmenter(xml: Path) -> Segmenter:
    """Return a function from an image to its (512, 896) uint8 labels, computed in f32."""
    pipeline = wn.Pipeline(xml, "CPU", precision="f32", resize="bilinear")
    return lambda image: pipeline(image).labels


def drawn(segment: Segmenter, count: int = SCENES) -> NDArray[np.float64]:
    """Return the classes' IoU over drawn scenes of unseen seeds."""
    total = np.zeros((len(CLASSES), len(CLASSES)), np.int64)
    for seed in range(UNSEEN, UNSEEN + count):
        scene = draw_scene(seed, WIDTH, HEIGHT)
        found = segment(Image.fromarray(scene.image))
        total += confusion_matrix(scene.labels, found, len(CLASSES))
    return iou(total)


def camvid(segment: Segmenter, folder: Path) -> float:
    """Return the IoU of road and mark together against CamVid's road, over all frames."""
    both = either = 0
    for path in sorted((folder / "images").glob("*.png")):
        truth = np.asarray(Image.open(folder / "labels" / path.name))
        labels = Image.fromarray(segment(Image.open(path)))
        found = np.asarray(labels.resize(truth.shape[::-1], Image.Resampling.NEAREST))
        road, counted = np.isin(found, (1, 3)), truth != CAMVID_UNLABELED
        both += int(((truth == CAMVID_ROAD) & road & counted).sum())
        either += int((((truth == CAMVID_ROAD) | road) & counted).sum())
    return both / either


def agreement(segment: Segmenter, real: Segmenter, path: Path) -> float:
    """Return the IoU of road and mark together against the real model's mask."""
    with Image.open(path) as image:
        ours, theirs = (np.isin(each(image), (1, 3)) for each in (segment, real))
    return float((ours & theirs).sum() / (ours | theirs).sum())


def time_ratio(ours: ov.CompiledModel, real: ov.CompiledModel, rounds: int = 40) -> float:
    """Return the median of our time over the real model's, run by turns."""
    data = np.random.default_rng(0).uniform(0, 255, (1, 3, HEIGHT, WIDTH)).astype(np.float32)
    requests = [model.create_infer_request() for model in (ours, real)]
    spent: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for request, times in zip(requests, spent, strict=True):
            began = time.perf_counter()
            request.infer([data])
            times.append(time.perf_counter() - began)
    return statistics.median(spent[0]) / statistics.median(spent[1])


def measure(folder: Path = FOLDER) -> dict[str, float]:
    """Return the figures that can be measured here, by their keys on the card."""
    ours = folder / f"{NAME}.xml"
    segment = segmenter(ours)
    classes = drawn(segment)
    print("  ".join(f"{name} {value:.3f}" for name, value in zip(CLASSES, classes, strict=True)))
    figures = {"drawn_miou": float(classes.mean())}
    outside = shared()
    if (outside / "camvid").is_dir():
        figures["camvid_road_iou"] = camvid(segment, outside / "camvid")
    real = outside / "models" / "road-segmentation-adas-0001.xml"
    if real.is_file():
        image = outside / "images" / "empty_road_mapillary.jpg"
        if image.is_file():
            figures["photo_road_iou"] = agreement(segment, segmenter(real), image)
        figures["time_ratio"] = time_ratio(compiled(ours), compiled(real))
    return figures


def main() -> None:
    """Print the table; with ``--write-card``, write the figures onto the card too."""
    parser = argparse.ArgumentParser(prog="python -m training.evaluate", description=__doc__)
    parser.add_argument("--model", type=Path, default=FOLDER)
    parser.add_argument("--write-card", action="store_true")
    options = parser.parse_args()
    figures = measure(options.model)
    print(f"{'':44}{'figure':>8}{'floor':>8}{'aim':>8}")
    for title, key, floor, aim in ROWS:
        value = f"{figures[key]:8.3f}" if key in figures else f"{'absent':>8}"
        print(f"{title:44}{value}{floor:8.2f}{aim:8.2f}")
    if len(figures) < len(ROWS):
        print(f"absent: {shared()} holds no real model or images; set WASINN_NB_SHARED")
    if options.write_card:
        write_figures(options.model, figures)


if __name__ == "__main__":
    main()
