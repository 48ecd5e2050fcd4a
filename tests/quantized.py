"""A model that stands for one in INT8, where only the report matters."""

from __future__ import annotations

import dataclasses

import wasinn_nb as wn
from wasinn_nb.benchmark import PipelineTimes, Timings
from wasinn_nb.comparison import LayerDifference
from wasinn_nb.quantization import ClassLoss, Interval
from wasinn_nb.quantization.judging import Judgement


def layer_comparison(own=60.0, allowed=80.0):
    """Return the comparison of two layers; the second differs by so many dB."""
    first = LayerDifference(
        "conv", "Convolution", (1, 3, 4, 6), float("inf"), 90.0, 0.0, explained=True
    )
    second = LayerDifference("relu", "Relu", (1, 3, 4, 6), own, own, 0.01, own >= allowed)
    return wn.LayerComparison((first, second), "f32", allowed, (1, 0))


def timings(*seconds, same=(1.0, 1.0)):
    """Return times of f32, INT8 and, where a third is given, bf16 that are always the same."""
    made = []
    kinds = (("f32", "", 1.0), ("f32", "INT8", same[0]), ("bf16", "", same[1]))
    for (precision, weights, part), infer in zip(kinds, seconds, strict=False):
        rounds = ({"read": 0.01, "preprocess": 0.0, "infer": infer},) * 3
        times = PipelineTimes("toy", "CPU", precision, "bilinear", 0.1, rounds[0], rounds, part)
        made.append(dataclasses.replace(times, weights=weights))
    return Timings("image.png", made)


def quantization(
    path,
    image,
    *,
    lost=0.004,
    max_drop=0.01,
    masks=True,
    kept=(),
    third=True,
    images=8,
    tried=(),
    none_kept="",
    instead="",
):
    """Return a report over a model that is not in INT8 at all."""
    pipeline = wn.Pipeline(path)
    pipelines = [pipeline] * (3 if third else 2)
    interval = Interval(lost, 0.001, 0.008)
    names = ("class 0", "class 1", "class 2")
    classes = tuple(ClassLoss(name, 0.99 - lost * place) for place, name in enumerate(names))
    rest = [(f"image {n}", 1.0, None) for n in range(images - 2)]
    judgement = Judgement(0.992, classes, (("a", 0.98, None), ("b", 0.99, None), *rest))
    if masks:
        losses = [Interval(lost * place / 2, lost * place / 4, 0.01) for place in range(3)]
        classes = tuple(
            ClassLoss(name, 0.99, (0.9, 0.9 - loss.value), loss, (0.8, 0.79), loss)
            for name, loss in zip(names, losses, strict=True)
        )
        rest = [(f"image {n}", 1.0, 0.0) for n in range(images - 2)]
        worst = (("a", 0.98, 0.01), ("b", 0.99, 0.0), *rest)
        judgement = Judgement(0.992, classes, worst, interval, (0.9, 0.9 - lost))
    return wn.Quantization(
        wn.model(path),
        "toy",
        (1000, 400),
        wn.bench(pipelines, image, rounds=3, progress=False),
        judgement,
        max_drop,
        tuple(kept),
        ("conv",),
        ((0, "class 2", 0.05), (1, "class 2", lost)) if kept else tried,
        layer_comparison() if kept else None,
        {"calibration": 6, "judged": images, "classified": False, "unreadable": ["c.png"]},
        none_kept,
        instead,
    )
