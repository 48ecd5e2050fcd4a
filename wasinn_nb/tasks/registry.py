"""The tasks that are installed, by name."""

from __future__ import annotations

from typing import Final, cast

from wasinn_nb import registry
from wasinn_nb.cards import ModelCard, Signature
from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.recipe import PreprocessRecipe
from wasinn_nb.tasks.base import Task

__all__ = ["task", "task_for", "task_of_outputs", "tasks"]

GROUP: Final = "wasinn_nb.tasks"
UNKNOWN: Final = "unknown"


def tasks() -> tuple[str, ...]:
    """Return the names of the tasks that are registered.

    A package registers one as an entry point of the group ``wasinn_nb.tasks``: a class without
    parameters that is a `Task`.

    Examples
    --------
    >>> "segmentation" in tasks()
    True
    """
    return registry.names(GROUP)


def task(name: str) -> Task:
    """Return the task of that name.

    Raises
    ------
    InvalidArgumentError
        If no task has it; the error lists those that are known.

    Examples
    --------
    >>> task("detection")
    Traceback (most recent call last):
    ...
    wasinn_nb.errors.InvalidArgumentError: unknown task 'detection'; known are ...segmentation...
    """
    return cast("Task", registry.registered(GROUP, name))


def task_for(card: ModelCard, wanted: str | None = None) -> Task | None:
    """Return the task that a card's model is for.

    Parameters
    ----------
    card : ModelCard
    wanted : str, optional
        What the caller is about to do.

    Returns
    -------
    Task or None
        None where neither says it.

    Raises
    ------
    InvalidArgumentError
        If the card names another task than is wanted, or one that is not known.
    """
    stated = card.task
    if stated == UNKNOWN:
        return None if wanted is None else task(wanted)
    found = task(stated)
    if wanted not in {None, stated}:
        raise InvalidArgumentError(
            f"the card of {card.name} says that its task is {stated}, not {wanted}; use what is "
            f"there for {stated}, or pass a card with task={wanted!r}"
        )
    return found


def task_of_outputs(signature: Signature, card: ModelCard, recipe: PreprocessRecipe) -> Task:
    """Return the one task that can read a model's outputs, where nothing states the task.

    Parameters
    ----------
    signature : Signature
        What the model takes and gives at the recipe's size.
    card : ModelCard
    recipe : PreprocessRecipe

    Raises
    ------
    InvalidArgumentError
        If no task can, or several can.
    """
    fitting: dict[str, Task] = {}
    reasons = []
    for name in tasks():
        try:
            task(name).read(signature, card, recipe, scores=False)
        except InvalidArgumentError as error:
            reasons.append(str(error))
        else:
            fitting[name] = task(name)
    if len(fitting) == 1:
        return next(iter(fitting.values()))
    if fitting:
        raise InvalidArgumentError(
            f"{card.name} can be read for {' and '.join(fitting)}; say which on its card: task=..."
        )
    raise InvalidArgumentError("; ".join(reasons))
