"""`evaluate`: predictions and truths are paired, run where a model is given, and counted."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from wasinn_nb import metrics
from wasinn_nb.cards import ModelCard, PartialRecipe
from wasinn_nb.catalog import Model
from wasinn_nb.errors import InvalidArgumentError, Remedy
from wasinn_nb.evaluation.call_code import call_code
from wasinn_nb.evaluation.class_maps import Side, class_map
from wasinn_nb.evaluation.failures import Failures
from wasinn_nb.evaluation.judged_rows import JudgedRows, kept_pair
from wasinn_nb.evaluation.labels import Classes, label_set
from wasinn_nb.evaluation.mask_tally import MaskTally, with_card
from wasinn_nb.evaluation.pairs import Named, Pair, named, paired, passed_over, rows_left_out
from wasinn_nb.evaluation.rank_tally import RankTally
from wasinn_nb.evaluation.ranking import ClassificationEvaluation
from wasinn_nb.evaluation.result import Evaluation
from wasinn_nb.evaluation.samples import Sample
from wasinn_nb.evaluation.stored import Stored
from wasinn_nb.evaluation.suffixes import Suffix, Suffixes
from wasinn_nb.evaluation.true_masks import TrueMasks
from wasinn_nb.evaluation.truths import aligned, class_indices, class_truths, plain_names
from wasinn_nb.pipeline import Pipeline
from wasinn_nb.prediction import Predictions, is_store, read_predictions
from wasinn_nb.progress import Progress, progress_bar
from wasinn_nb.runtimes import Runtime
from wasinn_nb.tasks.classification import ClassificationResult, ScoresReading
from wasinn_nb.tasks.segmentation import MaskReading, SegmentationResult, with_background

__all__ = ["evaluate"]

_KEPT: Final = 6


def evaluate(
    predictions: Any,
    truths: Any,
    *,
    model: Pipeline | ModelCard | Model | str | os.PathLike[str] | None = None,
    card: ModelCard | str | os.PathLike[str] | None = None,
    recipe: PartialRecipe | None = None,
    runtime: str | Runtime | None = None,
    mapping: Mapping[Side, Side] | None = None,
    ignore: Any = None,
    classes: Classes | None = None,
    suffix: Suffix | None = None,
    dilation_ratio: float = metrics.DILATION_RATIO,
    worst: int = _KEPT,
    progress: Progress = True,
) -> Evaluation | ClassificationEvaluation:
    """Judge predictions by ground truth.

    Masks are compared at the truth's size.  A prediction of another size is resized: its scores
    before their argmax where it has them, else its labels by nearest.  Pixels that the model's
    input does not show, because the recipe crops, do not count.

    Classifications are judged by the place of the true class among all.

    Parameters
    ----------
    predictions : Predictions, store, folder, mapping of name → item, one item, or iterable of items
        Rows of a store are loaded one by one, whatever their number; their names are the paths
        inside the folder that was predicted, without suffixes.  Some of them, as
        :meth:`Predictions.query` gives, leave out the truths of the others; those with an error
        need no truth.  Other items are
        `SegmentationResult` or `ClassificationResult`, integer arrays (H, W) or (H, W, 1), or masks
        as files.  With a *model* to run they are its images.  One array (N, H, W) or (N, H, W, 1)
        holds N items.
    truths : folder, mapping, one item, or iterable of items
        For segmentation index masks, palette masks (their indices count), RGB masks (see *classes*)
        or integer arrays.  For classification name → class name or index; the path of a CSV file
        with the columns ``image`` and ``class``; the path of a folder whose folders are named after
        classes and hold the images; or classes in the order of the images.  Files, and the keys of
        mappings, are paired with the predictions by name (a file's name without its suffix); what
        has no name, by order.
    model : Pipeline, name, path, Model or ModelCard, optional
        What segments or classifies the images.  A `ModelCard` runs nothing: it names the classes of
        masks.
    card : ModelCard or path, optional
        In place of the model's own.  Without a model it describes the predictions: it names the
        classes of masks, and its names, colors and threshold replace those of results.
    recipe, runtime : optional
        As for `Pipeline`; they need a model to run.
    mapping : mapping, optional
        For masks: classes of the data → classes of the model that are the same; one name or several
        on either side, or indices: ``{"road": ("road", "mark")}``.  All the others, on either side,
        become one class ``other``, which no mean includes.  Labels are mapped after the argmax.
        Default: classes of one name are the same.
    ignore : label, class name, color, or a sequence of them, optional
        For masks: pixels with these values in the truth do not count, whatever was predicted there.
        A class that is ignored is in no mean.
    classes : int, sequence of str, or mapping, optional
        For masks, the data's classes: how many, their names in the order of their labels,
        name → label (``{"background": 0, "person": 255}``), or for RGB masks name → (red, green,
        blue).  Default: the model's.
    suffix : str or (str, str), optional
        What the names of the truths end with besides those of the predictions, such as ``"_mask"``;
        or what those of the predictions and of the truths end with, such as ``("_leftImg8bit",
        "_gtFine_labelIds")``.
    dilation_ratio : float
        How far the boundary of a mask reaches for the boundary IoU, as a part of the diagonal; see
        `metrics.boundary_iou`.
    worst : int
        How many of the worst images are kept for the page and the figure.
    progress : bool or callable
        Show a bar in a terminal or notebook; or call ``progress(so_far, in_all)`` with images.

    Returns
    -------
    Evaluation or ClassificationEvaluation
        It keeps what was judged, for `Gallery`; see :attr:`Evaluation.predictions`.

    Raises
    ------
    InvalidArgumentError
        If a pair is incomplete, classes do not fit each other, an image has another aspect ratio
        than its mask, or an option does not go with the others.
    TensorError
        If a mask holds values that are not classes; they are named.
    ImageError, MissingFileError
        If no mask or image can be read, or masks come from a lossy format such as JPEG.  Where
        others can be read, those that cannot are named with the reason, and do not count.

    Examples
    --------
    >>> import numpy as np
    >>> truth = np.array([[0, 0, 1, 1], [0, 0, 1, 9]], np.uint8)
    >>> predicted = np.array([[0, 0, 1, 1], [0, 1, 1, 1]], np.uint8)
    >>> wn.evaluate(predicted, truth, classes=("background", "road"), ignore=9)
    Evaluation: 1 image, 7 pixels counted
    mean IoU 0.7500, pixel accuracy 0.8571
    class          IoU    Dice  accuracy  boundary IoU  pixels
    background  0.7500  0.8571    0.7500        0.7500       4
    road        0.7500  0.8571    1.0000        0.7500       3
    - mean over background, road
    - pixels of all images count together; the mean of each image's own is 0.7500
    - ignored in the truth: 9, 1 pixel (12.50 %)
    - accuracy is the part of the true pixels that was found; a boundary reaches 2 % of the diagonal
      inwards

    The shipped model on a shipped scene:

    >>> import wasinn_nb as wn
    >>> found = wn.evaluate("city-crosswalk", wn.mask("city-crosswalk"), model=wn.Pipeline())
    >>> found.classes, found.iou["road"] > 0.5
    (('background', 'road', 'curb', 'mark'), True)

    Two classifications, whose true classes are a cat and a dog:

    >>> from wasinn_nb.origin import Origin
    >>> pets = wn.ModelCard("pets", "classification", classes=("cat", "dog", "owl"))
    >>> results = {
    ...     name: wn.ClassificationResult(np.float32(values), pets, Origin("pets"))
    ...     for name, values in {"a": [0.7, 0.2, 0.1], "b": [0.6, 0.3, 0.1]}.items()
    ... }
    >>> wn.evaluate(results, {"a": "cat", "b": "dog"})
    Evaluation: pets, 2 images, 3 classes
    top-1 accuracy 0.5000, top-5 accuracy 1.0000
    class  images   found  mostly taken for
    cat         1  1.0000
    dog         1  0.0000  cat 1
    the lowest probability of the true class first
    wrong images  true class  predicted  probability of the true class
    b             dog         cat                               0.3000
    - an image is found where its true class is the most probable one
    """
    if worst < 0:
        raise InvalidArgumentError(f"expected how many images to keep, got {worst}")
    code = call_code(
        predictions,
        truths,
        model=model,
        card=card,
        recipe=recipe,
        runtime=runtime,
        mapping=mapping,
        ignore=ignore,
        classes=classes,
        suffix=suffix,
    )
    if isinstance(predictions, str | os.PathLike) and is_store(predictions):
        predictions = read_predictions(predictions)
    pipeline, known = _model(model, card, recipe, runtime)
    classifies = pipeline is not None and isinstance(pipeline.reading, ScoresReading)
    stored = isinstance(predictions, Predictions)
    if stored and pipeline is not None:
        raise InvalidArgumentError(
            "these predictions are there already; leave model out, or pass the images"
        )
    own = named(predictions, "predictions", nested=classifies)
    classified = stored and predictions.task == "classification"
    about_run = predictions.remarks if stored else ()
    left_out = tuple(dict.fromkeys([*passed_over(predictions), *passed_over(truths)]))
    if classifies or classified or isinstance(own[0][1], ClassificationResult):
        ignores = ignore is not None and not (isinstance(ignore, list | tuple) and not ignore)
        if mapping is not None or classes is not None or ignores:
            raise InvalidArgumentError(
                "mapping, ignore and classes are for masks; the true classes of whole images are "
                "named as on the model's card, or by their index"
            )
        if suffix is not None:
            raise InvalidArgumentError("suffix is for the names of masks; classes have none")
        judged = _judged_classes(
            pipeline, known, own, rows_left_out(predictions), truths, code, worst, progress
        )
        remarks = replace(judged.remarks, passed_over=left_out, stored=about_run)
        return replace(judged, remarks=remarks)
    tally: MaskTally | None = None
    failures, judged_images = Failures(), 0
    held: list[Pair] = []
    known = known and with_background(known)
    pairs = paired(
        own,
        named(truths, "truths", nested=stored),
        left_out,
        Suffixes.of(suffix),
        rows_left_out(predictions),
    )
    if pipeline is None and not isinstance(pairs[0].prediction, Stored | SegmentationResult):
        _stated(classes, known)  # refuses before the first of them is read
    for pair, found in _predicted(pipeline, known, pairs, progress, failures):
        if found is None:
            held.append(kept_pair(pair, failures, pipeline))
            continue
        found_card = found.card if isinstance(found, SegmentationResult) else known
        if tally is None:
            data = label_set(_stated(classes, found_card), ignore)
            known_map = class_map(data, found_card, mapping)
            tally = MaskTally(data, found_card, known_map, dilation_ratio, worst)
        compared = None
        with failures.kept(pair.name):
            compared = tally.add(pair, found, found_card)
            judged_images += 1
        held.append(kept_pair(pair, found, pipeline, compared))
    if tally is None or not judged_images:
        failures.refuse_all()
    found_in_all = tally.evaluation()
    remarks = replace(
        found_in_all.remarks,
        numbered=classes is None,
        passed_over=left_out,
        failed=failures.reasons,
        stored=about_run,
    )
    samples = _with_images(found_in_all.samples, pairs) if stored else found_in_all.samples
    true_masks = TrueMasks(held, tally, found_in_all.class_map, known)
    rows = JudgedRows(held, code, predictions if stored else None, true_masks)
    return replace(found_in_all, remarks=remarks, samples=samples, rows=rows)


def _judged_classes(
    pipeline: Pipeline | None,
    known: ModelCard | None,
    own: Sequence[Named],
    others: Sequence[str],
    truths: Any,
    code: str,
    worst: int,
    progress: Progress,
) -> ClassificationEvaluation:
    """Judge classifications by the place of the true class."""
    plain = iter(plain_names([name for name, _ in own if name is not None]))
    images: list[Named] = [(None if name is None else next(plain), item) for name, item in own]
    first = own[0][1].predictions if isinstance(own[0][1], Stored) else own[0][1]
    card = pipeline.reading.card if pipeline is not None else _with_names(first, known).card
    others = plain_names(others)
    known_images = [*images, *((name, None) for name in others)]
    true = class_indices(aligned(class_truths(truths), known_images), card.classes)
    tally, failures = RankTally(worst), Failures()
    pairs = paired(images, true, suffixes=None, left_out=others)
    held: list[Pair] = []
    for pair, found in _predicted(pipeline, known, pairs, progress, failures):
        held.append(kept_pair(pair, failures if found is None else found, pipeline))
        if found is None:
            continue
        if not isinstance(found, ClassificationResult) or found.card.classes != card.classes:
            raise InvalidArgumentError(
                f"{pair.name}: its prediction has other classes than those before; "
                f"evaluate each model by itself"
            )
        tally.add(pair.name, found, pair.truth)
    if len(failures.reasons) == len(pairs):
        failures.refuse_all()
    judged = tally.evaluation(card.name, card.classes)
    samples = judged.samples
    if isinstance(own[0][1], Stored):  # whose images were not loaded to judge them
        by_name = {pair.name: pair.prediction for pair in pairs}
        samples = tuple((rank, by_name[rank.name].with_image()) for rank, _ in samples)
    remarks = replace(judged.remarks, failed=failures.reasons)
    rows = JudgedRows(held, code, first if isinstance(first, Predictions) else None)
    return replace(judged, remarks=remarks, samples=samples, rows=rows)


def _with_images(samples: Sequence[Sample], pairs: Sequence[Pair]) -> tuple[Sample, ...]:
    """Return the worst samples with their images, which were not loaded to judge them."""
    by_name = {pair.name: pair.prediction for pair in pairs}
    return tuple(
        one
        if one.result is None
        else one._replace(result=replace(one.result, image=by_name[one.name].with_image().image))
        for one in samples
    )


def _model(
    model: Any,
    card: ModelCard | str | os.PathLike[str] | None,
    recipe: PartialRecipe | None,
    runtime: str | Runtime | None,
) -> tuple[Pipeline | None, ModelCard | None]:
    """Return what runs, or the card that describes the predictions."""
    if isinstance(model, Pipeline):
        if any(option is not None for option in (card, recipe, runtime)):
            raise InvalidArgumentError(
                "a Pipeline has its card, recipe and runtime already; pass them when it is made, "
                "or pass the model's name or path in its place"
            )
        pipeline = model
    elif model is None or isinstance(model, ModelCard):
        if recipe is not None or runtime is not None:
            raise InvalidArgumentError(
                "recipe and runtime are for a model that runs; pass model=NAME or model=PATH"
            )
        if model is not None and card is not None:
            raise InvalidArgumentError("expected one card, got model=ModelCard and card=")
        return None, ModelCard.read(card) if isinstance(card, str | os.PathLike) else card or model
    else:
        pipeline = Pipeline(model, card=card, recipe=recipe, runtime=runtime)
    if not isinstance(pipeline.reading, ScoresReading | MaskReading):
        raise InvalidArgumentError(
            f"evaluate judges segmentation and classification; {pipeline.model.name} is read as "
            f"{type(pipeline.reading).__name__}"
        )
    return pipeline, None


def _predicted(
    pipeline: Pipeline | None,
    known: ModelCard | None,
    pairs: Sequence[Pair],
    progress: Progress,
    failures: Failures,
) -> Iterator[tuple[Pair, Any]]:
    """Yield each pair with its prediction: what the model gives, or what there is, or None."""
    for pair in progress_bar(pairs, progress=progress, desc="evaluate", unit="image", leave=False):
        given = pair.prediction
        if isinstance(given, Stored):
            found = None
            with failures.kept(pair.name):
                found = _with_names(given.load(), known)
            yield pair, found
        elif pipeline is None:
            yield pair, _with_names(given, known)
        elif isinstance(given, SegmentationResult | ClassificationResult):
            raise InvalidArgumentError(
                f"{pair.name}: expected an image for the model, got a result; "
                f"leave model out to evaluate results"
            )
        else:
            found = None
            with failures.kept(pair.name):
                found = pipeline(given)
            yield pair, found


def _with_names(given: Any, known: ModelCard | None) -> Any:
    """Return a result described by the card that was passed; anything else as it is."""
    if known is not None and isinstance(given, SegmentationResult):
        return with_card(given, known)
    if known is not None and known.classes and isinstance(given, ClassificationResult):
        return replace(given, card=known)
    return given


def _stated(classes: Classes | None, card: ModelCard | None) -> Classes:
    if classes is not None:
        return classes
    if card is None or not card.classes:
        raise InvalidArgumentError(
            "nothing says what the masks' values are",
            remedy=Remedy(
                "pass classes=(NAME, …), or model= where the predictions are images",
                command="add --classes NAME,NAME, or leave --masks-only out where they are images",
            ),
        )
    return card.classes
