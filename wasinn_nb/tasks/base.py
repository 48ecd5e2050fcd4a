"""The interfaces of a task, of its readings and of its results."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from wasinn_nb import render
from wasinn_nb.cards import Assumption, ModelCard, Signature
from wasinn_nb.imaging import ImageSource, PreprocessRecipe
from wasinn_nb.origin import Origin
from wasinn_nb.runtimes import Head
from wasinn_nb.tensor import Tensor

__all__ = ["Measurable", "Reading", "Result", "Task"]


@runtime_checkable
class Result(Protocol):
    """What a task makes of a model's output for one image."""

    @property
    def card(self) -> ModelCard:
        """The model's card, with a name for every class."""

    @property
    def origin(self) -> Origin:
        """What made it."""

    @property
    def assumed(self) -> tuple[str, ...]:
        """What nothing states, and was assumed."""

    @property
    def timings(self) -> Mapping[str, float]:
        """Step → seconds."""

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""

    def document(self) -> render.Document:
        """Return what there is to see of it, for text, notebooks and pages."""

    def save(self, directory: str | os.PathLike[str], stem: str | None = None) -> Any:
        """Write it to files in a folder."""


class Reading(Protocol):
    """How a task reads one model: which output, what is computed behind it, what it means."""

    @property
    def task(self) -> str:
        """The task's name."""

    @property
    def head(self) -> Head:
        """What is computed behind the model."""

    @property
    def card(self) -> ModelCard:
        """The model's card, with a name for every class."""

    @property
    def facts(self) -> Mapping[str, str]:
        """How the output is read, in words: name → text."""

    @property
    def assumed_facts(self) -> Mapping[str, Assumption]:
        """What nothing states of how the output is read: name of a fact → what is assumed.

        Results have the same in their ``assumed``; what only the values tell is more exact there.
        """

    def result(
        self,
        outputs: Sequence[Tensor],
        image: ImageSource | None,
        origin: Origin,
        timings: Mapping[str, float],
        *,
        size: tuple[int, int],
        assumed: Sequence[str] = (),
    ) -> Result:
        """Make a result.

        Parameters
        ----------
        outputs : sequence of Tensor
            What the head gave.
        image : path, bytes, binary file, PIL.Image, array or None
        origin : Origin
        timings : mapping
            Step → seconds.
        size : (int, int)
            Height and width of the image, turned as the recipe says.
        assumed : sequence of str
            What was assumed before the model ran, such as the recipe.

        Raises
        ------
        TensorError
            If the values are not what the reading expects, such as NaN.
        """


@runtime_checkable
class Measurable(Protocol):
    """A reading whose results can say how sure the model was of them."""

    def measuring(self) -> Reading:
        """Return the same reading, whose results say it, if that can be told."""


class Task(Protocol):
    """What a model is for."""

    @property
    def name(self) -> str:
        """As a card's ``task``: ``"segmentation"``."""

    @property
    def call(self) -> str:
        """The function that does it in one call: ``"wasinn_nb.segment"``."""

    def read(
        self, signature: Signature, card: ModelCard, recipe: PreprocessRecipe, *, scores: bool
    ) -> Reading:
        """Return how the task reads a model.

        Parameters
        ----------
        signature : Signature
            What the model takes and gives at the recipe's size.
        card : ModelCard
        recipe : PreprocessRecipe
            Of the model's one image.
        scores : bool
            Whether results are to keep the scores.

        Raises
        ------
        UnreadableError
            If the model gives nothing that the task can read; the error says what it gives.
        InvalidArgumentError
            If it gives several such things, or the card does not fit it; the error says how to
            choose.
        """
