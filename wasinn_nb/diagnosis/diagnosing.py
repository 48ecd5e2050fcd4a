"""`diagnose`: what is given, which model it belongs to, and who answers."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from wasinn_nb import catalog
from wasinn_nb.cards import ModelCard, PartialRecipe, Port, partial_fields
from wasinn_nb.catalog import Model
from wasinn_nb.diagnosis.input_answer import answer_of_input
from wasinn_nb.diagnosis.output_alarms import is_row
from wasinn_nb.diagnosis.output_answer import answer_of_alarms, answer_of_output
from wasinn_nb.diagnosis.outputs import match_output
from wasinn_nb.diagnosis.reading import Reader
from wasinn_nb.diagnosis.resampling import Original
from wasinn_nb.diagnosis.result import Diagnosis
from wasinn_nb.errors import InvalidArgumentError, NotFoundError, Remedy
from wasinn_nb.imaging import ImageSource, PreprocessRecipe
from wasinn_nb.plan import Plan
from wasinn_nb.progress import Progress
from wasinn_nb.runtimes import Precision, Runtime
from wasinn_nb.runtimes import runtime as runtime_of
from wasinn_nb.tasks.classification import ClassificationResult
from wasinn_nb.tasks.segmentation import SegmentationResult
from wasinn_nb.tensor import Tensor, read_tensor
from wasinn_nb.wasi_nn import Trace

__all__ = ["diagnose"]

Stage = Literal["input", "output"]
_TASKS: Final = {SegmentationResult: "segmentation", ClassificationResult: "classification"}
_Found = SegmentationResult | ClassificationResult


def diagnose(
    given: Any,
    image: ImageSource | None = None,
    model: str | os.PathLike[str] | Model | ModelCard | PreprocessRecipe | None = None,
    *,
    stage: Stage | None = None,
    card: ModelCard | str | os.PathLike[str] | None = None,
    recipe: PartialRecipe | None = None,
    runtime: str | Runtime | None = None,
    target: str | int | None = None,
    precision: Precision | None = None,
    progress: Progress = True,
) -> Diagnosis:
    """Find the preprocessing mistake behind a tensor, an output or a mask.

    Of an input tensor and its image the way it was made is searched: layout, channels and their
    order, range, mean and scale, quantization, element type, byte order, size, filter, fit, border,
    EXIF, alpha, gray, shifts, and buffers that end early.  Of an output and its image the usual
    mistakes are fed to the model until one gives it.  Of an output alone there are alarms.  A cause
    is named only if it explains the values; otherwise the verdict is that nothing fits.

    Parameters
    ----------
    given : Tensor, array, GuestRun, Trace, SegmentationResult, ClassificationResult or path
        The input of a model, or its output.  Of a run and a trace it is the first input, where
        that was kept; a path leads to a ``.tensor`` or ``.npy`` file.  (H, W) arrays and results
        are outputs.  An output is read as the model's task reads it: scores with the classes first
        or last, of one class, labels, or the scores of a classifier.
    image : path, name of a shipped image, bytes, file, PIL.Image or array, optional
        A result brings its own.
    model : str, path, Model, ModelCard or PreprocessRecipe, optional
        The model, as for :func:`wasinn_nb.model`.  For an input tensor its card or its recipe is
        enough.  Default: ``WASINN_NB_MODEL``, else the shipped one.
    stage : {"input", "output"}, optional
        Which of them *given* is.  Default: an input if it has the recipe's number of values (but
        an (H, W) array is an output), an output if it has the dimensions of one of the model's;
        otherwise an input if it has three channels.
    card : ModelCard or path, optional
        In place of the model's own.  For an input tensor it is enough alone.
    recipe : PreprocessRecipe or mapping, optional
        What is right, or some fields of it; the rest is the card's, else what the model's file
        states.  What nothing states is assumed, and the sentence says so.
    runtime, target, precision : optional
        With which engine, where and in what the model runs, as for `Pipeline`.
    progress : bool or callable
        Show a bar in a terminal or notebook while the model runs; or call
        ``progress(so_far, in_all)`` with runs, from 0 again for each kind of mistake.

    Returns
    -------
    Diagnosis

    Raises
    ------
    InvalidArgumentError
        If *given* is none of those, an image or recipe is needed and missing, or an output is of
        another size than the model's.
    MissingFileError, TensorFileError, ImageError, NotFoundError
        If a file cannot be found or read.

    Examples
    --------
    >>> import wasinn_nb as wn
    >>> card = wn.model().card
    >>> fed = wn.image_to_tensor(wn.image(), card.recipe.replace(color="RGB"))
    >>> diagnosis = wn.diagnose(fed, wn.image(), card)
    >>> print(diagnosis.sentence)
    RGB channels, where the model takes BGR.
    >>> print(diagnosis.remedy)
    use     PreprocessRecipe(1x3x512x896xf32 NCHW BGR, range 0 to 255, bilinear)
    Rust    let pixel = [p[2], p[1], p[0]];  // BGR
    Python  pixels = np.asarray(image.convert('RGB'))[:, :, ::-1]  # BGR
    guest   color: Color::Bgr,  // src/settings.rs of guest_source
    """
    values = _values_of(given, stage)
    _, value = values[0]
    if isinstance(image, str):
        image = catalog.image(image)
    if isinstance(value, _Found):
        image, stage = (value.image if image is None else image), "output"
    if isinstance(model, PreprocessRecipe):
        if not isinstance(recipe, PreprocessRecipe):
            recipe = model.replace(**partial_fields(recipe))
        model = None
    found, known = _model(model, card, value, alone=isinstance(recipe, PreprocessRecipe))
    right = _stated(recipe, known)
    assumed: tuple[str, ...] = ()
    if stage is None and image is None and is_row(_array(value)):
        stage = "output"
    if image is None:
        if (stage or _stage(value, right, known, found, runtime)) == "output":
            return answer_of_alarms(_array(value), known, right)
        raise InvalidArgumentError(
            "expected the image that the tensor was made from",
            remedy=Remedy(
                "pass it: diagnose(tensor, image, model)", command="name it with --image PATH"
            ),
        )
    if right is None:
        if found is None:
            raise InvalidArgumentError("expected a recipe, or a model whose card has one")
        plan = Plan(found, recipe)
        right = plan.recipe_of(runtime_of(runtime).describe(found.files, found.encoding))
        assumed = plan.assumed
    original = Original(image, right.bits)
    if (stage or _stage(value, right, known, found, runtime)) == "input":
        tensor = value if isinstance(value, Tensor) else Tensor.from_array(value)
        return answer_of_input(tensor, original, right, assumed)
    if found is None:
        raise InvalidArgumentError(
            "to match an output the model has to run: pass it, not only its card or recipe"
        )
    task = next((name for kind, name in _TASKS.items() if isinstance(value, kind)), None)
    reader = Reader(found, right, task=task, runtime=runtime, target=target, precision=precision)
    of_index = (tensor for index, tensor in values if index == reader.reading.head.output)
    output = reader.given(next(of_index, value), image)
    matched = match_output(output, original, right, reader, progress=progress)
    return answer_of_output(output, matched, reader.reading.card, right, assumed)


def _values_of(given: Any, stage: Stage | None) -> Sequence[tuple[int | None, Any]]:
    """Return what was given; of a trace every tensor of the stage that it keeps, with its index."""
    trace = given if isinstance(given, Trace) else getattr(given, "trace", None)
    if isinstance(trace, Trace):
        for name in ("set_input", "get_output")[stage == "output" :]:
            kept = [(c.index, c.tensor) for c in trace if c.name == name and c.tensor is not None]
            if kept:
                return kept
        raise InvalidArgumentError("the trace keeps no tensor; run it again with keep='all'")
    if isinstance(given, str | os.PathLike):
        return [(None, read_tensor(Path(given)))]
    if isinstance(given, Tensor | np.ndarray | _Found):
        return [(None, given)]
    raise InvalidArgumentError(
        f"expected a Tensor, an array, a GuestRun, a Trace, a result or the path of a .tensor "
        f"file, got {type(given).__name__}"
    )


def _stated(recipe: PartialRecipe | None, card: ModelCard | None) -> PreprocessRecipe | None:
    """Return the recipe that the caller and the card state; None where they state not all of it."""
    if isinstance(recipe, PreprocessRecipe):
        return recipe
    own = None if card is None else card.recipe
    fields = partial_fields(recipe)
    return own and own.replace(**fields)


def _model(
    model: Any, card: ModelCard | str | os.PathLike[str] | None, value: Any, *, alone: bool
) -> tuple[Model | None, ModelCard | None]:
    """Return the model that can run, and the card that describes it.

    None runs where a recipe or a card is given *alone*.
    """
    if isinstance(card, str | os.PathLike):
        card = ModelCard.read(card)
    if isinstance(model, ModelCard):
        if card is not None:
            raise InvalidArgumentError("expected one card, got model=ModelCard and card=")
        return None, model
    if model is None and isinstance(value, _Found):
        try:
            model = catalog.model(value.card.name)
        except NotFoundError as error:
            raise NotFoundError(
                f"the model of the result, {value.card.name}, has no name here; pass its path: "
                f"diagnose(result, model=PATH)"
            ) from error
    if isinstance(model, PreprocessRecipe) or (model is None and (alone or card is not None)):
        return None, card
    found = catalog.model(model, card=card)
    if card is None and isinstance(value, SegmentationResult) and value.threshold is not None:
        found = catalog.model(found, card=found.card.replace(threshold=value.threshold))
    return found, found.card


def _stage(
    value: Tensor | NDArray[Any],
    recipe: PreprocessRecipe | None,
    card: ModelCard | None,
    model: Model | None,
    runtime: str | Runtime | None,
) -> Stage:
    """Return whether a tensor is what a model takes, or what it gives."""
    shape = value.dimensions if isinstance(value, Tensor) else value.shape
    sizes = tuple(shape[1:]) if len(shape) == 4 and shape[0] == 1 else tuple(shape)
    if recipe is not None and math.prod(shape) == math.prod(recipe.dimensions):
        plane = recipe.channels == 1 and len(sizes) == 2 and 1 not in sizes
        return "output" if plane else "input"
    if model is not None:
        outputs = runtime_of(runtime).describe(model.files, model.encoding).outputs
        if any(_fits(shape, port) for port in outputs):
            return "output"
    classes = 0 if card is None else len(card.classes)
    if len(sizes) == 3:
        if classes:
            last = card is not None and card.channels_last
            return "output" if sizes[2 if last else 0] == classes else "input"
        return "input" if 3 in {sizes[0], sizes[2]} else "output"
    return "output" if len(sizes) == 2 and 1 not in sizes else "input"


def _fits(shape: tuple[int, ...], port: Port) -> bool:
    """Whether dimensions are those of a port, but for axes of one element and open ones."""
    given = [side for side in shape if side != 1]
    batch = port.dimensions[:1] == (None,)  # an open batch is one image
    expected = [side for side in port.dimensions[batch:] if side != 1]
    if len(given) != len(expected) or not any(expected):
        return False
    return all(theirs in {None, ours} for ours, theirs in zip(given, expected, strict=True))


def _array(value: Any) -> NDArray[Any]:
    """Return the values of an output."""
    if isinstance(value, SegmentationResult):
        return value.labels if value.scores is None else value.scores
    if isinstance(value, ClassificationResult):
        return value.probabilities
    array: NDArray[Any] = value.to_array() if isinstance(value, Tensor) else value
    return array
