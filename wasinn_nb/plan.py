"""How a model is run: the recipe of its image, its task, and how its output is read."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from wasinn_nb.cards import ModelCard, PartialRecipe, Signature, Stated, partial_fields, recipe_for
from wasinn_nb.catalog import Model
from wasinn_nb.errors import InvalidArgumentError, RecipeError
from wasinn_nb.imaging import PreprocessRecipe, Resize
from wasinn_nb.runtimes import Head
from wasinn_nb.tasks import Measurable, Reading, reading_of, task, task_for, tasks

__all__ = ["Plan"]


class Plan:
    """What is decided about a model once a runtime says what it takes and gives.

    A caller's word counts most, then the card's, then that of the model's file.  What none of them
    states is assumed.

    Parameters
    ----------
    model : Model
    recipe : PreprocessRecipe or mapping, optional
        A whole recipe, or some of its fields.
    required : str, optional
        The task.
    resize : str, optional
        The filter, in the place of the recipe's.
    scores : bool
        Whether results are to keep the scores.
    measured : bool
        Whether results are to say how sure the model was, where the task has that.

    Attributes
    ----------
    recipe : PreprocessRecipe
        From the time when `recipe_of` was called.
    reading : Reading
        From the time when `head_of` was called.
    assumed : tuple of str
        What nothing states about the recipe.
    exif_stated : bool
        Whether the caller says what becomes of the EXIF orientation.

    Raises
    ------
    InvalidArgumentError
        If the card is for another task.
    RecipeError
        If *recipe* holds what it cannot.
    """

    recipe: PreprocessRecipe
    reading: Reading

    def __init__(
        self,
        model: Model,
        recipe: PartialRecipe | None = None,
        required: str | None = None,
        *,
        resize: Resize | None = None,
        scores: bool = False,
        measured: bool = False,
    ) -> None:
        self._card = card = model.card
        self.assumed: tuple[str, ...] = ()
        whole = card.recipe is not None or isinstance(recipe, PreprocessRecipe)
        complete = whole and card.classes and card.task != "unknown"
        stated = Stated(model.encoding) if complete else model.stated
        self._named = card if card.classes else _with_classes(card, stated.classes)
        self._task = task_for(card, required)
        if self._task is None and stated.task in tasks():
            self._task = task(stated.task)
        self._scores, self._measured = scores, measured
        self._given = _laid_over(card.recipe, recipe)
        # A whole recipe has a value for it, whether or not it was thought of.
        self.exif_stated = isinstance(recipe, Mapping) and "exif" in recipe
        if resize is not None:
            self._given = _laid_over(self._given, {"resize": resize})
        self._in_file = {} if isinstance(self._given, PreprocessRecipe) else stated.recipe

    def recipe_of(self, signature: Signature) -> PreprocessRecipe:
        """Return the recipe: what is stated of it, completed by what the model's input shows."""
        given = self._given
        if not isinstance(given, PreprocessRecipe) and self._in_file:
            # A file that contradicts itself states nothing.
            with suppress(InvalidArgumentError, RecipeError):
                self.recipe, self.assumed = recipe_for(signature, {**self._in_file, **given})
                return self.recipe
        self.recipe, self.assumed = recipe_for(signature, given)
        return self.recipe

    def head_of(self, signature: Signature) -> Head:
        """Return the head of the task."""
        self.reading = self._reading(signature)
        if self._measured and isinstance(self.reading, Measurable):
            self.reading = self.reading.measuring()
        return self.reading.head

    def _reading(self, signature: Signature) -> Reading:
        if self._named is not self._card:
            # Names that do not fit the output are not its classes.
            with suppress(InvalidArgumentError):
                return self._reading_with(self._named, signature)
        return self._reading_with(self._card, signature)

    def _reading_with(self, card: ModelCard, signature: Signature) -> Reading:
        return reading_of(signature, card, self.recipe, self._task, scores=self._scores)


def _laid_over(
    recipe: PartialRecipe | None, over: PartialRecipe | None
) -> PreprocessRecipe | dict[str, Any]:
    """Return a recipe, or some of its fields, with another one's in their place."""
    if isinstance(over, PreprocessRecipe):
        return over
    known = partial_fields(over)
    return (
        recipe.replace(**known)
        if isinstance(recipe, PreprocessRecipe)
        else {**(recipe or {}), **known}
    )


def _with_classes(card: ModelCard, classes: tuple[str, ...]) -> ModelCard:
    """Return the card with the classes that a file states, if it can hold them."""
    for known_task in (card.task, "classification"):
        with suppress(RecipeError):
            return card.replace(classes=classes, task=known_task) if classes else card
    return card
