"""Many scenes at once, kept on disk as plain arrays that training maps into memory."""

from __future__ import annotations

import json
import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap

from training.scenes.scene import draw_scene

# Bumped whenever the same seed begins to give another image: older caches are drawn anew.
VERSION = 6


def render_pool(
    folder: Path,
    first_seed: int,
    count: int,
    *,
    width: int = 896,
    height: int = 512,
    workers: int = 2,
) -> tuple[np.memmap, np.memmap]:
    """Return `count` scenes of consecutive seeds, drawn into `folder` unless they are there.

    Returns
    -------
    images
        (count, height, width, 3) uint8, RGB, mapped read-only.
    labels
        (count, height, width) uint8, mapped read-only.
    """
    folder.mkdir(parents=True, exist_ok=True)
    key = {
        "version": VERSION,
        "first_seed": first_seed,
        "count": count,
        "size": [width, height],
    }
    done = folder / "done.json"
    if not done.exists() or json.loads(done.read_text()) != key:
        done.unlink(missing_ok=True)
        _create(folder, count, width, height)
        blocks = [
            (folder, first_seed, start, min(start + 16, count)) for start in range(0, count, 16)
        ]
        with ProcessPoolExecutor(workers) as pool:
            for _ in pool.map(_fill, blocks):
                pass
        done.write_text(json.dumps(key))
    images = np.load(folder / "images.npy", mmap_mode="r")
    labels = np.load(folder / "labels.npy", mmap_mode="r")
    return images, labels


def _create(folder: Path, count: int, width: int, height: int) -> None:
    for name, shape in (("images", (count, height, width, 3)), ("labels", (count, height, width))):
        open_memmap(folder / f"{name}.npy", "w+", np.uint8, shape).flush()


def _fill(block: tuple[Path, int, int, int]) -> int:
    folder, first_seed, start, stop = block
    os.environ["OMP_NUM_THREADS"] = "1"
    images = np.load(folder / "images.npy", mmap_mode="r+")
    labels = np.load(folder / "labels.npy", mmap_mode="r+")
    height, width = labels.shape[1:]
    for index in range(start, stop):
        scene = draw_scene(first_seed + index, width, height)
        images[index], labels[index] = scene.image, scene.labels
    return stop - start
