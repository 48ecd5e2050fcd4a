"""The sentences of a diagnosis, which say what a recipe rests on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from wasinn_nb.diagnosis.remedies import Mistake

__all__ = ["STATE_IT", "compared_with", "right_sentence", "sentence_of"]

STATE_IT: Final = "Nothing states what the model takes: pass its card or recipe to compare with it."


def compared_with(assumed: Sequence[str]) -> str:
    """Return what was assumed in place of a stated recipe, in words.

    Examples
    --------
    >>> compared_with(["BGR, values 0 to 255, bilinear"])
    'compared with an assumed recipe (BGR, values 0 to 255, bilinear)'
    """
    return f"compared with an assumed recipe ({'; '.join(assumed)})"


def right_sentence(what: str, assumed: Sequence[str]) -> str:
    """Return that nothing is wrong.

    Parameters
    ----------
    what : str
        What agrees with what, as a sentence without its end.
    assumed : sequence of str
        What of the recipe nothing states.

    Examples
    --------
    >>> right_sentence("the mask is the same", ())
    'Right: the mask is the same.'
    >>> right_sentence("the mask is the same", ["BGR"])
    'Right, compared with an assumed recipe (BGR): the mask is the same.'
    """
    return f"Right{f', {compared_with(assumed)}' if assumed else ''}: {what}."


def sentence_of(mistakes: Sequence[Mistake], assumed: Sequence[str] = ()) -> str:
    """Return what was done differently from the recipe.

    Parameters
    ----------
    mistakes : sequence of Mistake
        At least one.
    assumed : sequence of str
        What of the recipe nothing states.

    Examples
    --------
    >>> color = Mistake("color", "RGB channels", "BGR", "", "")
    >>> sentence_of([color])
    'RGB channels, where the model takes BGR.'
    >>> sentence_of([color], ["BGR, values 0 to 255"])
    'RGB channels instead of BGR, compared with an assumed recipe (BGR, values 0 to 255).'
    """
    if assumed:
        differences = (
            f"{m.found} instead of {m.expected}" if m.expected else m.found for m in mistakes
        )
        text, count = "; ".join(differences), "differences"
    else:
        text, count = "; ".join(map(str, mistakes)), "mistakes"
    if len(mistakes) > 1:
        text = f"{len(mistakes)} {count}: {text}"
    end = f", {compared_with(assumed)}" if assumed else ""
    return f"{text[0].upper()}{text[1:]}{end}."
