"""What a tensor and its image show, in words: the mistake, or that nothing explains the tensor."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wasinn_nb.diagnosis.candidates import Making
from wasinn_nb.diagnosis.matching import Match, match
from wasinn_nb.diagnosis.resampling import Original
from wasinn_nb.diagnosis.result import MOST_CANDIDATES, Diagnosis, Verdict
from wasinn_nb.diagnosis.scalings import Scaling
from wasinn_nb.diagnosis.wording import STATE_IT, right_sentence, sentence_of
from wasinn_nb.imaging import PreprocessRecipe, ordered
from wasinn_nb.tensor import Tensor
from wasinn_nb.wording import counted, percent

__all__ = ["answer_of_input"]

_SEEN: Final = 0.85
_MIXED: Final = 0.95
_UNWRITTEN: Final = 0.9
_THUMBNAIL: Final = 448


def answer_of_input(
    tensor: Tensor, original: Original, recipe: PreprocessRecipe, assumed: tuple[str, ...]
) -> Diagnosis:
    """Return how a tensor was made of an image.

    Parameters
    ----------
    tensor : Tensor
    original : Original
    recipe : PreprocessRecipe
        What the model takes.
    assumed : tuple of str
        What of it nothing states.
    """
    subject = f"a {tensor.signature} tensor"
    if not tensor.nbytes:
        return Diagnosis(subject, "nothing fits", "The tensor is empty: nothing was fed.", recipe)
    found = match(tensor, original, recipe)
    if found.fits:
        return _named(subject, found, tensor, original, recipe, assumed)
    sentence, verdict = _unfit(tensor, found, recipe)
    images = _images(tensor, original, recipe)
    return Diagnosis(
        subject,
        verdict,
        sentence,
        recipe,
        found.candidates[:MOST_CANDIDATES],
        notes=(STATE_IT,) if assumed else (),
        pictures=images,
        assumed=assumed,
    )


def _named(
    subject: str,
    found: Match,
    tensor: Tensor,
    original: Original,
    recipe: PreprocessRecipe,
    assumed: tuple[str, ...],
) -> Diagnosis:
    first = found.candidates[0]
    mistakes, notes = first.mistakes, []
    if first.note:
        notes.append(f"The {first.note}.")
    if (apart := _filter_apart(first.making, original, recipe)) is not None and apart <= 1:
        mistakes = tuple(m for m in mistakes if m.axis != "resize")
        notes.append(
            f"The filter is {first.making.filter} rather than {recipe.resize}; that changes no "
            f"value by more than 1 of 255."
        )
    if not first.exact:
        notes.append(
            f"Not exact: {first.distance:.2f} of 255 off on average, {first.furthest:.1f} at most, "
            f"as between two JPEG decoders or ways of rounding."
        )
    if mistakes:
        sentence = sentence_of(mistakes, assumed)
        same = [
            c.name
            for c in found.candidates[1:]
            if c.exact and first.exact and len(c.mistakes) == len(first.mistakes)
        ]
        if same:
            notes.append(f"These values come as well of {' or of '.join(same)}.")
    else:
        own = "that" if assumed else "the model's"
        sentence = right_sentence(f"the tensor is what {own} recipe makes of this image", assumed)
    if assumed:
        notes.append(STATE_IT)
    return Diagnosis(
        subject,
        "mistake" if mistakes else "right",
        sentence,
        recipe,
        found.candidates[:MOST_CANDIDATES],
        mistakes,
        notes=tuple(notes),
        pictures=_images(tensor, original, recipe),
        assumed=assumed,
    )


def _filter_apart(making: Making, original: Original, recipe: PreprocessRecipe) -> float | None:
    """Return how far the filter that was used is from the recipe's; None where it is the same."""
    if making.filter == recipe.resize:
        return None
    same = replace(making, filter=recipe.resize)
    resized = [original.pixels(m.view) for m in (making, same)]
    if resized[0] is None or resized[1] is None:
        return None
    return float(np.abs(resized[0].astype(np.float32) - resized[1].astype(np.float32)).max())


def _unfit(tensor: Tensor, found: Match, recipe: PreprocessRecipe) -> tuple[str, Verdict]:
    values = tensor.to_array()
    expected = f"{'x'.join(map(str, recipe.dimensions))}x{recipe.type.suffix}"
    if not found.comparable:
        sentence = (
            f"Nothing fits: the tensor has {counted(values.size, 'value')}, not those of an image "
            f"of 1, 3 or 4 channels; the model takes {expected}."
        )
        return sentence, "nothing fits"
    if values.dtype.kind == "f" and not (finite := np.isfinite(values)).all():
        bad = values.size - int(finite.sum())
        sentence = (
            f"Nothing fits: {bad} of {values.size} values are NaN or infinite, which no "
            f"preprocessing of an image gives."
        )
        return sentence, "nothing fits"
    if (values == values.flat[0]).all():
        constant = f"Every value of the tensor is {values.flat[0]:g}, which is not an image."
        return constant, "nothing fits"
    zeros = float((values == 0).mean())
    if found.likeness < _SEEN and zeros >= _UNWRITTEN:
        sentence = (
            f"Nothing fits: {percent(zeros)} of the values are 0, as of an input of which little "
            f"was written."
        )
        return sentence, "nothing fits"
    if found.likeness < _SEEN and found.mixed >= _MIXED:
        sentence = (
            f"Nothing fits: the tensor shows this image (correlation {found.mixed:.2f}), but its "
            f"channels are mixtures of red, green and blue, as of a color space such as YUV, or "
            f"8-bit arithmetic wrapped around at 256."
        )
        return sentence, "nothing fits"
    if found.likeness < _SEEN:
        sentence = (
            f"Not made from this image: the tensor does not resemble it in any layout, size, fit, "
            f"row length or color space that is known here (highest correlation "
            f"{found.likeness:.2f})."
        )
        return sentence, "another image"
    nearest = f"{found.candidates[0].distance:.2f} of 255 off" if found.candidates else "none"
    sentence = (
        f"Nothing fits: the tensor resembles this image (correlation {found.likeness:.2f}), but no "
        f"way of making it that is known here gives these values; the nearest one is {nearest}. "
        f"It is another image of the same scene, or was changed in another way."
    )
    return sentence, "nothing fits"


def _images(
    tensor: Tensor, original: Original, recipe: PreprocessRecipe
) -> tuple[tuple[str, Image.Image], ...]:
    """Return the tensor as the model reads it, and as it should be."""
    right = Making.of(recipe)
    made = original.whole(right.view, right.pad)
    images = []
    values = np.frombuffer(tensor.data, tensor.type.dtype)
    if values.size == right.elements:
        with np.errstate(invalid="ignore", over="ignore"):
            levels = Scaling.of(recipe).undo(right.as_image(values))
        levels = np.clip(np.nan_to_num(levels), 0, 255)
        fed = ordered(levels, recipe.color).astype(np.uint8)
        images.append(("The image that the model received", _thumbnail(fed)))
    if made is not None:
        images.append(("The image that it should have received", _thumbnail(made.astype(np.uint8))))
    return tuple(images)


def _thumbnail(pixels: NDArray[np.uint8]) -> Image.Image:
    gray = pixels.shape[2] == 1
    image = Image.fromarray(np.ascontiguousarray(pixels[:, :, 0] if gray else pixels[:, :, :3]))
    image.thumbnail((_THUMBNAIL, _THUMBNAIL))
    return image
