"""What an output shows, in words: with its image the mistake, alone what is odd about it."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from wasinn_nb.cards import ModelCard
from wasinn_nb.diagnosis.candidates import Candidate
from wasinn_nb.diagnosis.output_alarms import alarms, is_row
from wasinn_nb.diagnosis.outputs import OutputMatch
from wasinn_nb.diagnosis.reading import Given
from wasinn_nb.diagnosis.result import MOST_CANDIDATES, Diagnosis, Verdict
from wasinn_nb.diagnosis.wording import STATE_IT, right_sentence, sentence_of
from wasinn_nb.imaging import PreprocessRecipe

__all__ = ["answer_of_alarms", "answer_of_output"]


def answer_of_output(
    given: Given,
    matched: OutputMatch,
    card: ModelCard,
    recipe: PreprocessRecipe,
    assumed: tuple[str, ...],
) -> Diagnosis:
    """Return which mistake gave an output.

    Parameters
    ----------
    given : Given
    matched : OutputMatch
    card : ModelCard
        Of the model, with a name for every class.
    recipe : PreprocessRecipe
        What the model takes.
    assumed : tuple of str
        What of it nothing states.
    """
    subject, what = _subject(given.values), "mask" if given.labels else "output"
    found = alarms(given.values, card.classes, threshold=card.threshold, logits=card.logits)
    ranked = matched.candidates[:MOST_CANDIDATES]
    notes = [STATE_IT] if assumed else []
    if not matched.fits:
        if matched.equals and ranked[0].exact:
            names = [candidate.name for candidate in (ranked[0], *matched.equals)]
            sentence = (
                f"No cause can be named: {len(names)} ways of feeding the model give this very "
                f"{what} ({'; '.join(names)}). "
                f"Pass the scores or the input tensor to distinguish them."
            )
        else:
            off = ranked[0].off if ranked else "missing"
            sentence = (
                f"Nothing fits: no mistake that is known here gives this output of this image; the "
                f"nearest one is {off}."
            )
        return Diagnosis(
            subject,
            "nothing fits",
            sentence,
            recipe,
            ranked,
            alarms=found,
            notes=tuple(notes),
            assumed=assumed,
        )
    first = ranked[0]
    mistakes = tuple(m for m in first.mistakes if m.axis != "resize")
    if first.note:
        notes.append(f"{first.note[0].upper()}{first.note[1:]}.")
    if matched.alike:
        names = [candidate.name for candidate in matched.alike]
        notes.append(f"This {what} comes as well of {' or of '.join(names)}.")
        if not mistakes:
            notes.append("Pass the scores or the input tensor to distinguish them.")
    if first.axes - {m.axis for m in mistakes}:
        if mistakes or _is_slight(first, ranked):
            notes.append(
                f"Of the filters, {first.making.filter} comes nearest, rather than {recipe.resize}."
            )
        else:
            mistakes = first.mistakes
    if mistakes:
        sentence = sentence_of(mistakes, assumed)
    else:
        own = "its" if assumed else "the recipe's"
        what = f"this is what the model gives for {own} tensor of this image"
        sentence = right_sentence(what, assumed)
    verdict: Verdict = "mistake" if mistakes else "right"
    return Diagnosis(
        subject,
        verdict,
        sentence,
        recipe,
        ranked,
        mistakes,
        # What is odd about a right output is the model's own, but NaN is worth knowing.
        tuple(alarm for alarm in found if mistakes or alarm.name == "not a number"),
        tuple(notes),
        assumed=assumed,
    )


def _is_slight(first: Candidate, ranked: tuple[Candidate, ...]) -> bool:
    """Whether the recipe's own filter gives almost the same output."""
    own = [candidate for candidate in ranked if not candidate.mistakes]
    return bool(own) and (own[0].agreement or 0) >= min(0.999, first.agreement or 0)


def answer_of_alarms(
    output: NDArray[Any], card: ModelCard | None, recipe: PreprocessRecipe | None
) -> Diagnosis:
    """Return what is odd about an output whose image is not known.

    Parameters
    ----------
    output : array
        As `alarms` takes it.
    card : ModelCard or None
        Of the model.
    recipe : PreprocessRecipe or None
        What it takes.
    """
    subject = _subject(output)
    if card is None:
        found = alarms(output)
    else:
        found = alarms(
            output,
            card.classes,
            threshold=card.threshold,
            logits=card.logits,
            channels_last=card.channels_last,
        )
    if not found:
        sentence = "No alarm: nothing about this output alone is odd. Pass its image to know more."
        return Diagnosis(subject, "no alarm", sentence, recipe)
    verdict: Verdict = "alarm" if found[0].serious else "no alarm"
    return Diagnosis(subject, verdict, found[0].sentence, recipe, alarms=found)


def _subject(output: NDArray[Any]) -> str:
    if is_row(output):
        return f"a row of {output.size} scores"
    shape = output.shape[1:] if output.ndim == 4 and output.shape[0] == 1 else output.shape
    return f"a {'x'.join(map(str, shape))} {'mask' if len(shape) == 2 else 'output'}"
