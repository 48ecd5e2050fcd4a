"""The toy models of the suites; each is written by any `conformance.engines.Writer`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import toys

from conformance.engines import Engine, Writer
from wasinn_nb.runtimes.registry import runtime
from wasinn_nb.tensor import Tensor

F32 = np.float32
TWO = np.array([2], F32)


def add_one(writer: Writer, dimensions: Sequence[int | None] = (1, 2)) -> list[bytes]:
    """``data`` → ``sum``: one more."""
    data = writer.input("data", dimensions, "f32")
    return writer.finish({"sum": writer.apply("add", data, np.array([1], F32))})


def crossed(writer: Writer) -> list[bytes]:
    """``left``, ``right`` → ``sum`` and ``difference``; not commutative, so that order shows."""
    left, right = (writer.input(name, (1, 2), "f32") for name in ("left", "right"))
    return writer.finish(
        {
            "sum": writer.apply("add", left, right),
            "difference": writer.apply("subtract", left, right),
        }
    )


def doubled(
    writer: Writer, dimensions: Sequence[int | None], type_: str = "f32", output: str = "f32"
) -> list[bytes]:
    """``data`` → ``scores``, of the same dimensions: twice its values, which is exact.

    Of an image it is a segmentation model whose class is the brightest channel.
    """
    data = writer.input("data", dimensions, type_)
    values = data if type_ == "f32" else writer.convert(data, "f32")
    scores = writer.apply("multiply", values, TWO)
    return writer.finish({"scores": scores if output == "f32" else writer.convert(scores, output)})


def plane(writer: Writer, dimensions: Sequence[int | None], *, sigmoid: bool = True) -> list[bytes]:
    """``data`` → ``person``: the probability of one class, or the logit."""
    data = writer.input("data", dimensions, "f32")
    logits = writer.apply("multiply", data, TWO)
    return writer.finish({"person": writer.apply("sigmoid", logits) if sigmoid else logits})


def roots(writer: Writer, dimensions: Sequence[int | None]) -> list[bytes]:
    """``data`` → ``scores``: square roots, NaN where a value is negative."""
    data = writer.input("data", dimensions, "f32")
    return writer.finish({"scores": writer.apply("sqrt", data)})


def brightest(
    writer: Writer, dimensions: Sequence[int | None], axes: tuple[int, int]
) -> list[bytes]:
    """``data`` → ``scores``: twice the highest value of each channel; a classifier of channels."""
    data = writer.input("data", dimensions, "f32")
    highest = writer.highest(data, axes)
    return writer.finish({"scores": writer.apply("multiply", highest, TWO)})


def chain(writer: Writer, steps: int, side: int) -> list[bytes]:
    """``data`` → ``end``: so many steps over a square matrix."""
    value = writer.input("data", (side, side), "f32")
    for _ in range(steps):
        value = writer.apply("add", value, writer.highest(value, (0,)))
        value = writer.apply("sigmoid", value)
    return writer.finish({"end": value})


def lasting(engine: Engine, seconds: float, side: int = 4096) -> Any:
    """Return a context that computes for so long on this machine, with its input set."""

    def context(steps: int) -> Any:
        builders = chain(engine.writer(), steps, side)
        graph = runtime(engine.runtime).load(builders, engine.encoding, "CPU", "f32")
        made = graph.execution_context()
        made.set_input(0, Tensor.from_array(np.zeros((side, side), F32)))
        return made

    return context(2 * toys.repeats(seconds, context(2).compute))


def roots_of_brightest(
    writer: Writer, dimensions: Sequence[int | None], axes: tuple[int, int]
) -> list[bytes]:
    """``data`` → ``scores``: roots of each channel's highest value; NaN where it is negative."""
    data = writer.input("data", dimensions, "f32")
    return writer.finish({"scores": writer.apply("sqrt", writer.highest(data, axes))})
