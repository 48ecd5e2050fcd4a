"""How a model is run: the recipe of its image, its task, and how its output is read."""

from __future__ import annotations

from wasinn_nb.cards import (
    PartialRecipe,
    Signature,
    partial_fields,
    recipe_for,
    with_stated_by_file,
)
from wasinn_nb.catalog import Model
from wasinn_nb.recipe import PreprocessRecipe
from wasinn_nb.runtimes import Head
from wasinn_nb.tasks import Reading, reading_of, task_for

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
    task : str, optional
    scores : bool
        Whether results are to keep the scores.

    Attributes
    ----------
    recipe : PreprocessRecipe
        From the time when `recipe_of` was called.
    reading : Reading
        From the time when `head_of` was called.
    assumed : tuple of str
        What nothing states about the recipe.

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
        task: str | None = None,
        *,
        scores: bool = False,
    ) -> None:
        self._card, self._stated = with_stated_by_file(model.card, model.files)
        self._task, self._scores = task_for(self._card, task), scores
        self._known = self._card.recipe
        if isinstance(recipe, PreprocessRecipe):
            self._known = recipe
        elif self._known is not None:
            self._known = self._known.replace(**partial_fields(recipe))
        else:
            self._stated = {**self._stated, **partial_fields(recipe)}
        self.assumed: tuple[str, ...] = ()

    def recipe_of(self, signature: Signature) -> PreprocessRecipe:
        """Return the recipe: what is stated of it, completed by what the model's input shows."""
        self.recipe, self.assumed = recipe_for(signature, self._known, self._stated)
        return self.recipe

    def head_of(self, signature: Signature) -> Head:
        """Return the head of the task."""
        self.reading = reading_of(
            signature, self._card, self.recipe, self._task, scores=self._scores
        )
        return self.reading.head
