"""The task ``classification``: reads a model's scores and makes `ClassificationResult` of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Final, Literal

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.abi import TensorType
from wasinn_nb.cards import (
    BOUNDED,
    UNBOUNDED,
    Assumption,
    ModelCard,
    Port,
    Signature,
    assumed_scores,
    unnamed_classes,
)
from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.imaging import ImageSource, PreprocessRecipe
from wasinn_nb.origin import Origin
from wasinn_nb.runtimes import Head, nan_error, row_saturates
from wasinn_nb.tasks.classification.result import ClassificationResult
from wasinn_nb.tasks.outputs import UnreadableError, chosen_outputs, listed, output_remedy
from wasinn_nb.tasks.saturation import saturated_row
from wasinn_nb.tensor import Tensor
from wasinn_nb.wording import counted

__all__ = ["Classification", "ScoresReading"]

Scale = Literal["probabilities", "logits", "by the values"]
_SCORES: Final = frozenset(
    {TensorType.F16, TensorType.F32, TensorType.F64, TensorType.U8, TensorType.I8}
)
_LEAST_CLASSES: Final = 2
_MOST_CLASSES: Final = 100_000
# Sums of rounded probabilities: bfloat16 and 8-bit outputs are off by up to 2 %.
_SUM_TOLERANCE: Final = 0.02


class Classification:
    """The task of models that give one score for each class; see `wasinn_nb.tasks.Task`."""

    name: Final = "classification"
    call: Final = "wasinn_nb.classify"

    def read(
        self, signature: Signature, card: ModelCard, recipe: PreprocessRecipe, *, scores: bool
    ) -> ScoresReading:
        """Return how a classifier is read; see :meth:`wasinn_nb.tasks.Task.read`."""
        del scores  # they are always kept
        index, port, classes = _scores_output(signature, card, recipe.height * recipe.width)
        return ScoresReading(
            port,
            Head(index, (classes, 1, 1), reduce="none", keep=True),
            _named(card, classes),
            _scale(port, card),
        )


@dataclass(frozen=True, slots=True)
class ScoresReading:
    """How a classifier is read; see `wasinn_nb.tasks.Reading`.

    Parameters
    ----------
    output : Port
    head : Head
    card : ModelCard
        With a name for every class.
    scale : {"probabilities", "logits", "by the values"}
        What the scores are; softmax makes probabilities of logits.
    """

    output: Port
    head: Head
    card: ModelCard
    scale: Scale
    task: ClassVar[str] = Classification.name

    @property
    def facts(self) -> Mapping[str, str]:
        """How the output is read, in words."""
        values = {
            "probabilities": "probabilities",
            "logits": "logits: softmax makes probabilities of them",
            "by the values": "probabilities or logits as the values tell",
        }
        facts = {
            "output": f"{self.output.name or self.head.output} {self.output.signature}",
            "classes": f"{self.head.planes[0]}",
            "values": values[self.scale],
        }
        if self.output.quantization is not None:
            scale, zero_point = self.output.quantization
            facts["quantization"] = f"{scale:g} * (value - {zero_point})"
        return facts

    @property
    def assumed_facts(self) -> Mapping[str, Assumption]:
        """Which of the facts are assumed."""
        return {"values": assumed_scores(logits=None)} if self.scale == "by the values" else {}

    def result(
        self,
        outputs: Sequence[Tensor],
        image: ImageSource | None,
        origin: Origin,
        timings: Mapping[str, float],
        *,
        size: tuple[int, int],
        assumed: Sequence[str] = (),
    ) -> ClassificationResult:
        """Make a result; see :meth:`wasinn_nb.tasks.Reading.result`."""
        del size
        scores = outputs[0].to_array().reshape(-1)
        if np.isnan(scores).any():
            raise nan_error(f"{np.isnan(scores).sum()} of {scores.size} scores are NaN")
        real = scores
        if self.output.quantization is not None:
            scale, zero_point = self.output.quantization
            real = (scores - np.float32(zero_point)) * np.float32(scale)
        logits, own = self.scale == "logits", dict(self.assumed_facts)
        if self.scale == "by the values":
            logits = not _are_probabilities(real)
            own["values"] = assumed_scores(logits=logits)
        probabilities = _softmax(real) if logits else real
        remarks = (saturated_row(),) if logits and row_saturates(real) else ()
        return ClassificationResult(
            probabilities,
            self.card,
            origin,
            scores,
            image,
            timings,
            (*assumed, *own.values()),
            logits,
            remarks,
        )


def _scores_output(signature: Signature, card: ModelCard, pixels: int) -> tuple[int, Port, int]:
    """Return the output that holds the scores: its index, and how many classes it has.

    A row with a value for each of the *pixels* of the image is a mask, unless the card says else.
    """
    fitting = []
    stated = card.task == Classification.name
    for index in chosen_outputs(signature, card):
        port = signature.outputs[index]
        wide = [side for side in port.dimensions[1:] if side != 1]
        first = port.dimensions[0] if port.dimensions else None
        if not wide and first not in {None, 1}:  # a row without a batch
            wide, first = [first], 1
        classes = wide[0] if len(wide) == 1 and first in {1, None} else None
        if not _holds_scores(port) or (classes == pixels and not stated):
            continue
        if classes and _LEAST_CLASSES <= classes <= _MOST_CLASSES:
            fitting.append((index, port, classes))
    if len(fitting) > 1 and card.classes:
        fitting = [one for one in fitting if one[2] == len(card.classes)] or fitting
    if len(fitting) == 1:
        return fitting[0]
    if not fitting:
        raise UnreadableError(
            f"{card.name} is not a classifier: it gives {listed(signature)}, and none of them is "
            f"one row of scores"
        )
    names = ", ".join(f"{port.name or index} {port.signature}" for index, port, _ in fitting)
    raise InvalidArgumentError(
        f"several outputs can be the scores: {names}",
        remedy=output_remedy([port.name or index for index, port, _ in fitting]),
    )


def _holds_scores(port: Port) -> bool:
    """Return whether an output's values can be scores: not indices of the highest classes."""
    return port.type in _SCORES and port.operation not in {"ArgMax", "TopK"}


def _named(card: ModelCard, classes: int) -> ModelCard:
    if not card.classes:
        return replace(card, task="classification", classes=unnamed_classes(classes))
    if len(card.classes) != classes:
        raise InvalidArgumentError(
            f"the card of {card.name} names {counted(len(card.classes), 'class')}, the model's "
            f"output has {classes}"
        )
    return card


def _scale(port: Port, card: ModelCard) -> Scale:
    if card.logits is not None:
        return "logits" if card.logits else "probabilities"
    if port.operation in BOUNDED:
        return "probabilities"
    return "logits" if port.operation in UNBOUNDED else "by the values"


def _are_probabilities(scores: NDArray[np.float32]) -> bool:
    return bool(
        scores.min() >= 0 and scores.max() <= 1 and abs(float(scores.sum()) - 1) <= _SUM_TOLERANCE
    )


def _softmax(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return ``exp(score) / sum(exp(scores))``, computed from the highest score down."""
    highest = scores.max()
    if np.isposinf(highest):  # exp(inf) / exp(inf): the infinite ones share the probability
        powers = np.isposinf(scores).astype(np.float64)
    else:
        powers = np.exp(scores.astype(np.float64) - highest)
    probabilities: NDArray[np.float32] = (powers / powers.sum()).astype(np.float32)
    return probabilities
