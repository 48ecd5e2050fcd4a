"""`quantize`: a model in INT8, judged beside f32."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from wasinn_nb import catalog
from wasinn_nb.benchmark import bench
from wasinn_nb.cards import ModelCard, ModelFile, PartialRecipe
from wasinn_nb.catalog import Model
from wasinn_nb.comparison import LayerComparison, compare_layers
from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.files import expanded
from wasinn_nb.folders import check_new, staged
from wasinn_nb.imaging import ImageSource
from wasinn_nb.json_files import json_text
from wasinn_nb.pipeline import Pipeline
from wasinn_nb.progress import Progress, progress_bar
from wasinn_nb.quantization.cards import int8_card
from wasinn_nb.quantization.judging import Judge, Judgement
from wasinn_nb.quantization.result import Quantization
from wasinn_nb.quantization.samples import Sample, Tensors, split
from wasinn_nb.quantization.stages import Stages
from wasinn_nb.quantization.truths import Truths
from wasinn_nb.runtimes import QuantizingRuntime, runtime
from wasinn_nb.transaction import atomic
from wasinn_nb.wording import counted

__all__ = ["quantize"]

_ROUNDS: Final = 20
_KEPT: Final = (1, 2, 4, 8)
_GAIN: Final = 0.25
"""Layers are kept where every class loses little enough, or this part less than without them."""
_PRECISION: Final = "INT8"
_REPORT: Final = "report.json"
_PAGE: Final = "report.html"


def quantize(
    model: str | os.PathLike[str] | Model | None,
    images: Any,
    masks: Any = None,
    folder: str | os.PathLike[str] | None = None,
    *,
    test_images: Any = None,
    max_drop: float = 0.01,
    subset: int = 64,
    card: ModelCard | str | os.PathLike[str] | None = None,
    recipe: PartialRecipe | None = None,
    mapping: Mapping[Any, Any] | None = None,
    ignore: Any = None,
    classes: Any = None,
    suffix: Any = None,
    progress: Progress = True,
) -> Quantization:
    """Make the INT8 variant of a model, and say what it gains and loses.

    Weights and values are rounded to 8 bits by NNCF, whose telemetry is off.  Some images
    calibrate: they tell the ranges of the values.  Others judge: f32 and INT8 run on them, and are
    compared with each other and, where there are masks, with the truth.

    If a class loses more than *max_drop*, layers are kept in floating point: first the one that
    INT8 changes most by itself, then two, four and eight.  The result says which; where they gain
    little, or none can be kept, it says so.

    Parameters
    ----------
    model : name, path or Model
        A model of one image, for segmentation or classification, in a format that OpenVINO reads:
        its IR, ONNX, TensorFlow Lite, TensorFlow, PaddlePaddle.  Of one that is in INT8 already
        the verdict says so.
    images : folder, glob, manifest, Predictions or iterable of images
        What calibrates; as for `predict`.  Those that cannot be read are passed over, and the
        report names them.  Without *test_images*, one image of four judges instead.
    masks : folder, mapping or sequence, optional
        The truth of the images that judge, as for `evaluate`.  Of segmentation models only.
    folder : path-like, optional
        A new or an empty folder for the model, its card and the report.  Default: ``NAME-int8``.
    test_images : as *images*, optional
        What judges.
    max_drop : float
        How much a class may lose: of its IoU with the masks; without masks, of its IoU with f32.
    subset : int
        How many images calibrate at most.
    card, recipe : optional
        As for `Pipeline`.
    mapping, ignore, classes, suffix : optional
        Of the masks; as for `evaluate`.
    progress : bool or callable
        Show a bar in a terminal or notebook; or call ``progress(so_far, in_all)``.

    Returns
    -------
    Quantization
        Its `model` is what everything else takes.  In the folder lie the model, its card, and the
        report as ``report.json`` and ``report.html``.

    Raises
    ------
    UnsupportedOperationError
        If NNCF is not installed: ``pip install 'wasinn-nb[quantize]'``.
    InvalidArgumentError
        If an image would calibrate and judge, too few can be read, masks do not fit, or the folder
        is not empty.
    RuntimeFailure
        If NNCF cannot quantize the model.

    Examples
    --------
    >>> import wasinn_nb as wn
    >>> wn.quantize("road-segmentation-synth-0001", "images", max_drop=2)
    Traceback (most recent call last):
    ...
    wasinn_nb.errors.InvalidArgumentError: expected max_drop from 0 to 1, got 2
    """
    if isinstance(max_drop, bool) or not 0 <= max_drop <= 1:
        raise InvalidArgumentError(f"expected max_drop from 0 to 1, got {max_drop!r:.80}")
    if isinstance(subset, bool) or not isinstance(subset, int) or subset < 1:
        raise InvalidArgumentError(f"expected how many images calibrate, got {subset!r:.80}")
    reference = Pipeline(
        model, "CPU", precision="f32", card=card, recipe=recipe, runtime="openvino"
    )
    classified = reference.reading.task == "classification"
    if classified and masks is not None:
        raise InvalidArgumentError(
            "masks are for segmentation models; of a classifier, evaluate both models with "
            "wasinn_nb.evaluate"
        )
    name = f"{reference.model.name}-int8"
    target = expanded(name if folder is None else folder)
    check_new(target)
    truths_of = Truths(masks, {"mapping": mapping, "ignore": ignore, "classes": classes}, suffix)
    chosen = split(images, test_images, subset, progress is True)
    truths = None if masks is None else truths_of.of(chosen.judged, chosen.masked)
    total = len(chosen.calibration) + 2 * len(chosen.judged) + _ROUNDS
    with (
        tempfile.TemporaryDirectory(prefix="wasinn-nb-") as work,
        progress_bar(
            progress=progress, total=total, desc="quantize", unit="step", leave=False
        ) as bar,
    ):
        stages = Stages(bar)
        judge = Judge(reference, chosen.judged, truths, stages)
        maker = _Maker(reference, chosen.calibration, Path(work), name, judge, stages)
        search = _searched(maker, chosen.calibration[0].image(), max_drop)
        best = search.best
        stages.begin("timing", of_attempt=False)
        timings = bench(
            [reference, best.pipeline, *_preferred(reference)],
            judge.samples[0].image(),
            rounds=_ROUNDS,
            progress=stages.part(planned=_ROUNDS),
        )
        final = f"{name}.xml"
        with staged(target, final) as stage:
            for path in best.pipeline.model.files:
                shutil.copyfile(path, stage / path.name)
            _described(maker.card, best.pipeline.model.files).write(stage / final)
    made = catalog.model(target / final)
    found = Quantization(
        made,
        reference.model.name,
        (_bytes(reference.model), _bytes(made)),
        timings,
        best.judgement,
        max_drop,
        best.kept,
        best.quantized,
        search.tried,
        search.layers,
        {
            "calibration": len(chosen.calibration),
            "judged": judge.count,
            "classified": classified,
            "unreadable": [name for name, _ in (*chosen.unreadable, *judge.unreadable)],
        },
        search.none_kept,
        _instead(reference.model),
        best.weighted,
    )
    found.write_html(target / _PAGE)
    with atomic(target / _REPORT) as temporary:
        text = json_text(found.to_dict(), "the report", InvalidArgumentError)
        temporary.write_text(text, encoding="utf-8")
    return found


class _Attempt(NamedTuple):
    """An INT8 model."""

    pipeline: Pipeline
    quantized: tuple[str, ...]
    kept: tuple[str, ...]
    judgement: Judgement
    weighted: int

    @property
    def lost(self) -> float:
        """What the class loses that loses most."""
        return self.judgement.worst_class.lost


class _Search(NamedTuple):
    """The model in which the classes lose least, and what was tried to get there."""

    best: _Attempt
    tried: tuple[tuple[int, str, float], ...] = ()
    layers: LayerComparison | None = None
    none_kept: str = ""
    """Why no layer is kept where a class loses too much."""


class _Maker:
    """Makes INT8 models of one model, and has them judged."""

    def __init__(
        self,
        reference: Pipeline,
        samples: Sequence[Sample],
        work: Path,
        name: str,
        judge: Judge,
        stages: Stages,
    ) -> None:
        self.reference = reference
        self.card = int8_card(reference, name)
        self._samples, self._work, self._name = samples, work, name
        self._judge, self.stages = judge, stages

    def __call__(self, kept: tuple[str, ...] = ()) -> _Attempt:
        path = self._work / str(len(kept)) / f"{self._name}.xml"
        path.parent.mkdir()
        if kept:
            self.stages.retry(len(kept), len(self._samples) + self._judge.count)
        engine, model = runtime("openvino"), self.reference.model
        assert isinstance(engine, QuantizingRuntime)  # noqa: S101 - OpenVINO is
        made = engine.quantize(
            model.files,
            model.encoding,
            Tensors(self._samples, self.reference.recipe, self.stages),
            path,
            count=len(self._samples),
            keep=kept,
            input=lambda _: self.reference.recipe,
        )
        # What the original's file states, the INT8 file does not: its card and recipe are passed.
        pipeline = self.reference.variant(
            model=catalog.model(path, card=self.card), recipe=self.reference.recipe
        )
        return _Attempt(pipeline, made.names, kept, self._judge(pipeline), made.weighted)


def _searched(maker: _Maker, image: ImageSource, max_drop: float) -> _Search:
    """Look for the layers to keep in floating point."""
    first = maker()
    if first.lost <= max_drop:
        return _Search(first)
    maker.stages.begin("which layers INT8 changes")
    layers, weighted, order = None, set(first.quantized), tuple[str, ...]()
    with contextlib.suppress(InvalidArgumentError):  # not one layer has a name of f32
        layers = compare_layers(
            maker.reference, first.pipeline, image, progress=maker.stages.part()
        )
        order = tuple(layer.name for layer in layers.worst_first if layer.name in weighted)
    attempts = [first]
    for count in _KEPT:
        whole = count > len(order) or count >= len(weighted)
        if whole or attempts[-1].lost <= max_drop:
            break
        attempts.append(maker(order[:count]))
    best, reason = min(attempts, key=lambda one: (one.lost > max_drop, one.lost)), ""
    if len(attempts) == 1:
        reason = f"no layer could be kept: {_impossible(weighted, order)}"
    elif best.lost > max_drop and best.lost > (1 - _GAIN) * first.lost:
        best, reason = first, "no layer is kept, as what they gain is too little"
    tried = [(len(one.kept), one.judgement.worst_class.name, one.lost) for one in attempts]
    return _Search(best, tuple(tried), layers, reason)


def _impossible(weighted: Collection[str], order: Sequence[str]) -> str:
    """Return why no layer can be kept."""
    if not weighted:
        return "none has weights in INT8"
    if not order:
        number = counted(len(weighted), "layer")
        return f"none of the {number} with weights in INT8 has a name that a layer in f32 has"
    return "one layer alone has weights in INT8, and with it the whole model would be kept"


def _instead(model: Model) -> str:
    """Return what to quantize in place of a model that is in INT8; nothing of any other."""
    if not model.stated.quantized:
        return ""
    others = [name for name in model.card.precisions if name != model.precision]
    if others:
        return f"quantize its {' or '.join(others)} files"
    return "quantize the model in floating point that it was made from"


def _preferred(reference: Pipeline) -> list[Pipeline]:
    """Return the model in the precision that the device prefers, where that is not f32."""
    own = reference.variant(precision="device")
    return [own] if own.precision != reference.precision else []


def _described(card: ModelCard, files: Sequence[Path]) -> ModelCard:
    """Return the card of the INT8 model with what it says of the model's files."""
    described = tuple(
        ModelFile(path.name, path.stat().st_size, sha384) for path, sha384 in _hashed(files)
    )
    return card.replace(precisions={_PRECISION: described})


def _hashed(files: Sequence[Path]) -> Iterator[tuple[Path, str]]:
    for path in files:
        with path.open("rb") as opened:
            yield path, hashlib.file_digest(opened, "sha384").hexdigest()


def _bytes(model: Model) -> int:
    return sum(path.stat().st_size for path in model.weights)
