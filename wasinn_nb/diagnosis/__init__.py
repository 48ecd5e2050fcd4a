"""Why is this mask wrong?  From a tensor or an output back to the mistake that made it."""

from __future__ import annotations

import math
import os
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wasinn_nb import catalog
from wasinn_nb.cards import ModelCard
from wasinn_nb.catalog import Model
from wasinn_nb.diagnosis.alarms import Alarm, alarms
from wasinn_nb.diagnosis.candidates import Candidate, Making
from wasinn_nb.diagnosis.matching import Match, match
from wasinn_nb.diagnosis.outputs import OutputMatch, match_output
from wasinn_nb.diagnosis.remedies import Mistake
from wasinn_nb.diagnosis.resampling import Photo
from wasinn_nb.diagnosis.result import Diagnosis, Remedy, Verdict
from wasinn_nb.diagnosis.scalings import Scaling
from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.pictures import ImageSource
from wasinn_nb.pipeline import Pipeline
from wasinn_nb.preprocessing import ordered
from wasinn_nb.progress import Progress
from wasinn_nb.recipe import PreprocessRecipe
from wasinn_nb.segmentation import SegmentationResult
from wasinn_nb.tensor import Tensor, read_tensor
from wasinn_nb.trace import Trace

__all__ = ["Alarm", "Candidate", "Diagnosis", "Mistake", "Remedy", "alarms", "diagnose"]

Stage = Literal["input", "output"]
_SEEN: Final = 0.85
_THUMBNAIL: Final = 448


def diagnose(
    given: Any,
    image: ImageSource | None = None,
    model: str | os.PathLike[str] | Model | ModelCard | PreprocessRecipe | None = None,
    *,
    stage: Stage | None = None,
    recipe: PreprocessRecipe | None = None,
    target: str | int | None = None,
    precision: str | None = None,
    progress: Progress = True,
) -> Diagnosis:
    """Find the preprocessing mistake behind a tensor, an output or a mask.

    Of an input tensor and its image the way it was made is searched: layout, channels and their
    order, range, mean and scale, quantization, element type, byte order, size, filter, fit, border,
    EXIF, alpha, gray, shifts, and buffers that end early.  Of an output and its image the usual
    mistakes are fed to the model until one gives it.  Of an output alone there are alarms.  A cause
    is named only if it explains the values; otherwise the diagnosis says that nothing fits.

    Parameters
    ----------
    given : Tensor, array, GuestRun, Trace, SegmentationResult or path
        What a program fed, or what came out.  Of a run and a trace it is the first input, where
        that was kept; a path leads to a ``.tensor`` or ``.npy`` file.  (H, W) arrays and
        `SegmentationResult` are outputs.
    image : path, name of a shipped image, bytes, file, PIL.Image or array, optional
        The picture.  A `SegmentationResult` brings its own.
    model : str, path, Model, ModelCard or PreprocessRecipe, optional
        The model, as for :func:`wasinn_nb.model`.  For an input tensor its card or its recipe is
        enough.  Default: ``WASINN_NB_MODEL``, else the shipped one.
    stage : {"input", "output"}, optional
        Which of them *given* is.  Default: an input if it has the recipe's number of values (but
        an (H, W) array is an output) or three channels, else an output.
    recipe : PreprocessRecipe, optional
        What is right.  Default: the card's; where there is none, what the model's input says.
    target, precision : optional
        Where and in what the model runs, as for `Pipeline`.
    progress : bool or callable
        Show a bar in a terminal or notebook while the model runs; or call
        ``progress(so_far, in_all)`` with runs, from 0 again for each kind of mistake.

    Returns
    -------
    Diagnosis

    Raises
    ------
    InvalidArgumentError
        If *given* is none of those, or an image or recipe is needed and missing.
    MissingFileError, TensorFileError, ImageError, NotFoundError
        If a file cannot be found or read.

    Examples
    --------
    >>> import wasinn_nb as wn
    >>> card = wn.model().card
    >>> fed = wn.image_to_tensor(wn.image(), card.recipe.replace(color="RGB"))
    >>> diagnosis = diagnose(fed, wn.image(), card)
    >>> print(diagnosis.sentence)
    RGB channels, where the model takes BGR.
    >>> print(diagnosis.remedy)
    use     PreprocessRecipe(1x3x512x896xf32 NCHW BGR, range 0 to 255, bilinear)
    Rust    let pixel = [p[2], p[1], p[0]];  // BGR
    Python  pixels = np.asarray(image.convert('RGB'))[:, :, ::-1]  # BGR
    """
    value = _taken(given, stage)
    if isinstance(image, str):
        image = catalog.image(image)
    if isinstance(value, SegmentationResult):
        image, stage = (value.image if image is None else image), "output"
    found, right, classes = _model(model, recipe, value)
    if (stage or _stage(value, right, classes)) == "output":
        array = _output_array(value)
        if image is None:
            return _alarmed(array, classes, right)
        if found is None:
            raise InvalidArgumentError(
                "to match an output the model has to run: pass it, not only its card or recipe"
            )
        right = right or Pipeline(found, target, precision=precision).recipe
        matched = match_output(
            array,
            Photo(image),
            right,
            found,
            target=target,
            precision=precision,
            progress=progress,
        )
        return _of_output(array, matched, classes, right)
    if image is None:
        raise InvalidArgumentError(
            "expected the image that the tensor was made from: diagnose(tensor, image, model)"
        )
    if right is None:
        if found is None:
            raise InvalidArgumentError("expected a recipe, or a model whose card has one")
        right = Pipeline(found, target, precision=precision).recipe
    tensor = Tensor.from_array(value) if isinstance(value, np.ndarray) else value
    assert isinstance(tensor, Tensor)  # noqa: S101 - results are outputs
    return _of_input(tensor, Photo(image), right)


# -------------------------------------------------------------------------------- what is given


def _taken(given: Any, stage: Stage | None) -> Tensor | NDArray[Any] | SegmentationResult:
    trace = given if isinstance(given, Trace) else getattr(given, "trace", None)
    if isinstance(trace, Trace):
        kept = [] if stage == "output" else trace.tensors("set_input")
        kept = kept or trace.tensors("get_output")
        if not kept:
            raise InvalidArgumentError("the trace keeps no tensor; run it again with keep='all'")
        return kept[0]
    if isinstance(given, str | os.PathLike):
        return read_tensor(Path(given))
    if isinstance(given, Tensor | SegmentationResult | np.ndarray):
        return given
    raise InvalidArgumentError(
        f"expected a Tensor, an array, a GuestRun, a Trace, a SegmentationResult or the path of a "
        f".tensor file, got {type(given).__name__}"
    )


def _model(
    model: Any, recipe: PreprocessRecipe | None, value: Any
) -> tuple[Model | None, PreprocessRecipe | None, tuple[str, ...]]:
    """Return the model that can run, the right recipe and the names of the classes."""
    if isinstance(model, PreprocessRecipe):
        return None, recipe or model, ()
    if isinstance(model, ModelCard):
        return None, recipe or model.recipe, model.classes
    if model is None and isinstance(value, SegmentationResult):
        model = value.card.name
    if model is None and recipe is not None:
        return None, recipe, ()
    found = catalog.model(model)
    return found, recipe or found.card.recipe, found.card.classes


def _stage(value: Any, recipe: PreprocessRecipe | None, classes: tuple[str, ...]) -> Stage:
    if isinstance(value, SegmentationResult):
        return "output"
    shape = value.dimensions if isinstance(value, Tensor) else value.shape
    sizes = tuple(shape[1:]) if len(shape) == 4 and shape[0] == 1 else tuple(shape)
    if recipe is not None and math.prod(shape) == math.prod(recipe.dimensions):
        plane = recipe.channels == 1 and len(sizes) == 2 and 1 not in sizes
        return "output" if plane else "input"
    if len(sizes) == 3:
        if classes:
            return "output" if sizes[0] == len(classes) else "input"
        return "input" if 3 in {sizes[0], sizes[2]} else "output"
    return "output" if len(sizes) == 2 and 1 not in sizes else "input"


def _output_array(value: Any) -> NDArray[Any]:
    if isinstance(value, SegmentationResult):
        return value.labels if value.scores is None else value.scores
    array: NDArray[Any] = value.to_array() if isinstance(value, Tensor) else value
    return array[0] if array.ndim in {3, 4} and array.shape[0] == 1 else array


# -------------------------------------------------------------------------------- input tensors


def _of_input(tensor: Tensor, photo: Photo, recipe: PreprocessRecipe) -> Diagnosis:
    subject = f"a {tensor.signature} tensor"
    if not tensor.nbytes:
        return Diagnosis(subject, "nothing fits", "The tensor is empty: nothing was fed.", recipe)
    found = match(tensor, photo, recipe)
    if found.fits:
        return _named(subject, found, tensor, photo, recipe)
    sentence, verdict = _unfit(tensor, found, recipe)
    pictures = _pictures(tensor, photo, recipe)
    return Diagnosis(
        subject, verdict, sentence, recipe, found.candidates[:_MOST], pictures=pictures
    )


_MOST: Final = 12


def _named(
    subject: str, found: Match, tensor: Tensor, photo: Photo, recipe: PreprocessRecipe
) -> Diagnosis:
    first = found.candidates[0]
    mistakes, notes = first.mistakes, []
    if first.note:
        notes.append(f"The {first.note}.")
    if (apart := _filter_apart(first.making, photo, recipe)) is not None and apart <= 1:
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
        sentence = _sentence(mistakes)
        same = [
            c.name
            for c in found.candidates[1:]
            if c.exact and first.exact and len(c.mistakes) == len(first.mistakes)
        ]
        if same:
            notes.append(f"These values come as well of {' or of '.join(same)}.")
    else:
        sentence = "Right: the tensor is what the model's recipe makes of this image."
    return Diagnosis(
        subject,
        "mistake" if mistakes else "right",
        sentence,
        recipe,
        found.candidates[:_MOST],
        mistakes,
        notes=tuple(notes),
        pictures=_pictures(tensor, photo, recipe),
    )


def _sentence(mistakes: tuple[Mistake, ...]) -> str:
    said = "; ".join(map(str, mistakes))
    if len(mistakes) > 1:
        return f"{len(mistakes)} mistakes: {said}."
    return f"{said[0].upper()}{said[1:]}."


def _filter_apart(making: Making, photo: Photo, recipe: PreprocessRecipe) -> float | None:
    """Return how far the filter that was used is from the recipe's; None where it is the same."""
    if making.filter == recipe.resize:
        return None
    same = replace(making, filter=recipe.resize)
    seen = [photo.pixels(m.view) for m in (making, same)]
    if seen[0] is None or seen[1] is None:
        return None
    return float(np.abs(seen[0].astype(np.float32) - seen[1].astype(np.float32)).max())


def _unfit(tensor: Tensor, found: Match, recipe: PreprocessRecipe) -> tuple[str, Verdict]:
    values = tensor.to_array()
    expected = f"{'x'.join(map(str, recipe.dimensions))}x{recipe.type.suffix}"
    if not found.comparable:
        said = (
            f"Nothing fits: the tensor has {values.size} values, which are not those of an image "
            f"of 1, 3 or 4 channels; the model takes {expected}."
        )
        return said, "nothing fits"
    if values.dtype.kind == "f" and not (finite := np.isfinite(values)).all():
        bad = values.size - int(finite.sum())
        said = (
            f"Nothing fits: {bad} of {values.size} values are NaN or infinite, which no "
            f"preprocessing of a picture gives."
        )
        return said, "nothing fits"
    if (values == values.flat[0]).all():
        never = ": it was never written" if not values.flat[0] else ", which is no picture"
        return f"Every value of the tensor is {values.flat[0]:g}{never}.", "nothing fits"
    if found.likeness < _SEEN:
        said = (
            f"Not made from this image: in no layout, size or fit is the picture seen in the "
            f"tensor (highest correlation {found.likeness:.2f})."
        )
        return said, "another image"
    nearest = f"{found.candidates[0].distance:.2f} of 255 off" if found.candidates else "none"
    said = (
        f"Nothing fits: the tensor resembles this image (correlation {found.likeness:.2f}), but no "
        f"way of making it that is known here gives these values; the nearest one is {nearest}. "
        f"It is another picture of the same scene, or was changed in another way."
    )
    return said, "nothing fits"


def _pictures(
    tensor: Tensor, photo: Photo, recipe: PreprocessRecipe
) -> tuple[tuple[str, Image.Image], ...]:
    """Return the tensor as the model reads it, and as it should be."""
    right = Making.of(recipe)
    made = photo.whole(right.view, right.pad)
    pictures = []
    values = np.frombuffer(tensor.data, tensor.type.dtype)
    if values.size == right.elements:
        with np.errstate(invalid="ignore", over="ignore"):
            levels = Scaling.of(recipe).undo(right.picture(values))
        levels = np.clip(np.nan_to_num(levels), 0, 255)
        seen = ordered(levels, recipe.color).astype(np.uint8)
        pictures.append(("What the model saw", _thumbnail(seen)))
    if made is not None:
        pictures.append(("What it should have seen", _thumbnail(made.astype(np.uint8))))
    return tuple(pictures)


def _thumbnail(pixels: NDArray[np.uint8]) -> Image.Image:
    gray = pixels.shape[2] == 1
    image = Image.fromarray(np.ascontiguousarray(pixels[:, :, 0] if gray else pixels[:, :, :3]))
    image.thumbnail((_THUMBNAIL, _THUMBNAIL))
    return image


# ------------------------------------------------------------------------------------- outputs


def _of_output(
    array: NDArray[Any], matched: OutputMatch, classes: tuple[str, ...], recipe: PreprocessRecipe
) -> Diagnosis:
    shape = "x".join(map(str, array.shape))
    subject = f"a {shape} {'mask' if array.ndim == 2 else 'output'}"
    found = alarms(array, classes)
    ranked = matched.candidates[:_MOST]
    if not matched.fits:
        if matched.equals and ranked[0].distance == 0:
            names = [candidate.name for candidate in (ranked[0], *matched.equals)]
            sentence = (
                f"Nothing is shown: {len(names)} ways of feeding the model give this very "
                f"{'mask' if array.ndim == 2 else 'output'} ({'; '.join(names)}). "
                f"Pass the scores or the input tensor to tell them apart."
            )
        else:
            off = ranked[0].off if ranked else "not there"
            sentence = (
                f"Nothing fits: no mistake that is known here gives this output of this image; the "
                f"nearest one is {off}."
            )
        return Diagnosis(subject, "nothing fits", sentence, recipe, ranked, alarms=found)
    first = ranked[0]
    mistakes = tuple(m for m in first.mistakes if m.axis != "resize")
    notes = [f"{first.note[0].upper()}{first.note[1:]}."]
    if first.axes - {m.axis for m in mistakes}:
        if mistakes or _is_slight(first, ranked):
            notes.append(
                f"Of the filters, {first.making.filter} comes nearest, rather than {recipe.resize}."
            )
        else:
            mistakes = first.mistakes
    right = "Right: this is what the model gives for the recipe's tensor of this image."
    sentence = _sentence(mistakes) if mistakes else right
    verdict: Verdict = "mistake" if mistakes else "right"
    return Diagnosis(
        subject,
        verdict,
        sentence,
        recipe,
        ranked,
        mistakes,
        found if mistakes else (),
        tuple(notes),
    )


def _is_slight(first: Candidate, ranked: tuple[Candidate, ...]) -> bool:
    """Whether the recipe's own filter gives almost the same output."""
    own = [candidate for candidate in ranked if not candidate.mistakes]
    return bool(own) and (own[0].agreement or 0) >= min(0.999, first.agreement or 0)


def _alarmed(
    array: NDArray[Any], classes: tuple[str, ...], recipe: PreprocessRecipe | None
) -> Diagnosis:
    shape = "x".join(map(str, array.shape))
    subject = f"a {shape} {'mask' if array.ndim == 2 else 'output'}"
    found = alarms(array, classes)
    if not found:
        sentence = "No alarm: nothing about this output alone is odd. Pass its image to know more."
        return Diagnosis(subject, "no alarm", sentence, recipe)
    verdict: Verdict = "alarm" if found[0].serious else "no alarm"
    return Diagnosis(subject, verdict, found[0].sentence, recipe, alarms=found)
