"""`Quantization`: a model in INT8, and what it costs."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar, Final

from wasinn_nb.benchmark import Timings
from wasinn_nb.catalog import Model
from wasinn_nb.comparison import LayerComparison
from wasinn_nb.pickling import pickled_fields
from wasinn_nb.quantization.judging import Judgement
from wasinn_nb.quantization.losses import FEWEST_IMAGES, ClassLoss, Interval, loss_text
from wasinn_nb.quantization.verdict import better_words, loss_words, speed_words, worth_words
from wasinn_nb.render import (
    Block,
    Column,
    Document,
    Facts,
    Items,
    NumberText,
    Only,
    Paragraph,
    Report,
    Section,
    Table,
)
from wasinn_nb.tasks.segmentation import MANY_CLASSES
from wasinn_nb.wording import bytes_text, counted, listed, percent

__all__ = ["Quantization"]

_LISTED: Final = 5


@dataclass(frozen=True, eq=False, repr=False)
class Quantization(Report):
    """A model in INT8 and how it compares with f32; made by :func:`wasinn_nb.quantize`.

    Attributes
    ----------
    model : Model
        The INT8 model with its card, which everything else takes.
    original : str
        The name of the model that it was made from.
    sizes : (int, int)
        Bytes of the files, of the original and of the INT8 model.
    timings : Timings
        Of f32, of INT8, and of the precision that the device prefers, where that is another.
    judgement : Judgement
        Where the two agree and, with masks, what INT8 loses.
    max_drop : float
    kept : tuple of str
        Layers that are still in floating point because a class lost more than *max_drop*.
    quantized : tuple of str
        Layers whose weights are in 8 bits.
    tried : tuple of (int, str, float)
        How many layers were kept, the class that lost most then, and how much.
    layers : LayerComparison or None
        The layers of f32 and INT8, where layers to keep were looked for.
    images : mapping
        How many images calibrated and judged, and names of those that could not be read.
    none_kept : str
        Why no layer is kept although a class loses more than *max_drop*; empty otherwise.
    instead : str
        What to quantize where the original was in INT8 already; empty otherwise.
    weighted : int
        How many layers with weights the INT8 model has, in 8 bits or not.

    Examples
    --------
    What a class loses comes with the bounds of 95 % of the resamples:

    >>> from wasinn_nb.quantization import ClassLoss, Interval
    >>> curb = ClassLoss("curb", 0.97, (0.72, 0.71), Interval(0.01, 0.002, 0.017))
    >>> print(curb.name, curb.loss)
    curb 0.0100 (0.0020 to 0.0170)
    """

    _WIDTH: ClassVar[int] = 130

    model: Model
    original: str
    sizes: tuple[int, int]
    timings: Timings
    judgement: Judgement
    max_drop: float
    kept: tuple[str, ...] = ()
    quantized: tuple[str, ...] = ()
    tried: tuple[tuple[int, str, float], ...] = ()
    layers: LayerComparison | None = None
    images: Mapping[str, Any] = field(default_factory=dict)
    none_kept: str = ""
    instead: str = ""
    weighted: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "images", MappingProxyType(dict(self.images)))

    def __reduce__(self) -> tuple[Any, ...]:
        return pickled_fields(self)

    @property
    def speedup(self) -> float:
        """How many times as fast INT8 computes as f32: the median of the rounds' ratios."""
        return statistics.median(self._times_as_fast(1, 0))

    @property
    def preferred(self) -> tuple[str, float] | None:
        """The precision that the device prefers and its speed against f32; None where it is f32."""
        if len(self.timings) < 3:
            return None
        return self.timings[2].precision, statistics.median(self._times_as_fast(2, 0))

    def _times_as_fast(self, one: int, other: int) -> list[float]:
        """Return, round by round, how many times as fast one computes as another."""
        rounds = zip(self.timings[one].rounds, self.timings[other].rounds, strict=True)
        return [theirs["infer"] / own["infer"] for own, theirs in rounds]

    @property
    def classes(self) -> tuple[ClassLoss, ...]:
        """What each class loses."""
        return self.judgement.classes

    @property
    def within(self) -> bool:
        """Whether no class loses more than *max_drop*."""
        return self.judgement.worst_class.lost <= self.max_drop

    @property
    def verdict(self) -> str:
        """The outcome in one sentence."""
        fast = f"INT8 is {speed_words(self.speedup, 'f32')}"
        if self.preferred is not None:
            name, speed = self.preferred
            fast += f" ({name}, which this device prefers, is {speed_words(speed, 'f32')})"
        losses = loss_words(self.judgement, self.max_drop, self._unit)
        again = f"the original is in INT8 already: {self.instead}" if self.instead else ""
        return "; ".join(filter(None, (fast, losses, self._against, again)))

    @property
    def _against(self) -> str:
        better = ""
        if self.preferred is not None:
            int8, own = self.timings[1:3]
            same = int8.same_pixels, own.same_pixels
            better = better_words(own.precision, self._times_as_fast(2, 1), same)
        return worth_words(self.speedup, *self.sizes, better)

    @property
    def _unit(self) -> str:
        return "images" if self.images.get("classified") else "pixels"

    def __str__(self) -> str:
        """Return the verdict."""
        return self.verdict

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain JSON values."""
        found = self.judgement
        return {
            "verdict": self.verdict,
            "within": self.within,
            "original": self.original,
            "model": self.model.name,
            "path": str(self.model.path),
            "bytes": {"original": self.sizes[0], "int8": self.sizes[1]},
            "speedup": self.speedup,
            "preferred": None if self.preferred is None else list(self.preferred),
            "timings": self.timings.records(),
            "agreement": found.agreement,
            "miou": None if found.miou is None else list(found.miou),
            "loss": None if found.mean is None else _plain(found.mean),
            "classes": [one.to_dict() for one in found.classes],
            "worst": [list(row) for row in found.worst],
            "max_drop": self.max_drop,
            "kept": list(self.kept),
            "none_kept": self.none_kept,
            "instead": self.instead,
            "quantized": len(self.quantized),
            "weighted": self.weighted,
            "tried": [list(one) for one in self.tried],
            "layers": None if self.layers is None else self.layers.to_dict(),
            "images": dict(self.images),
        }

    def document(self) -> Document:
        """Return what there is to see: the verdict, sizes and times, classes, worst images."""
        times, classes, remarks = self.timings.document(), self._class_blocks(), self._remarks()
        doubtful = not self.within or self._against or self.instead
        blocks: list[Block] = [
            Paragraph(self.verdict, "bad" if doubtful else "strong"),
            Facts(self._facts()),
            Only(("text",), classes),
            Only(("notebook", "page"), [Section("Classes", classes)]),
            *self._image_section(),
            Section("Time", [Paragraph(times.title), *times.blocks]),
        ]
        if self.layers is not None:
            own = [*self.layers.document().blocks]
            blocks.append(Only(("notebook", "page"), [Section("Layers", own, folded=True)]))
        blocks.append(Only(("text",), [Items(remarks)]))
        how = Section("How it was measured", [Items(remarks)])
        blocks.append(Only(("notebook", "page"), [how]))
        return Document(f"{self.original} in INT8", blocks)

    def _facts(self) -> list[tuple[str, str]]:
        before, after = self.sizes
        used = self.images
        facts = [
            ("model", f"{self.model.name}, {self.model.path.name}"),
            ("size", f"{bytes_text(after)}, {percent(after / before)} of {bytes_text(before)}"),
            ("images", f"{used['calibration']} calibrated, {used['judged']} judged"),
        ]
        total = max(self.weighted, len(self.quantized) + len(self.kept))
        facts.append(("layers", f"{len(self.quantized)} of {total} with weights in INT8"))
        if self.kept:
            facts.append(("kept", f"{listed(self.kept, 8)} in floating point"))
        if self.judgement.miou is not None:
            f32, int8 = self.judgement.miou
            facts.append(("mean IoU", f"{int8:.4f} in INT8, {f32:.4f} in f32"))
        return facts

    def _class_blocks(self) -> list[Block]:
        """Return what the columns are, and the table: the former stays where the latter scrolls."""
        name = Column("class", colors=self.judgement.colors)
        agreement = Column("agreement", ".4f")
        if self.judgement.mean is None:
            chosen = self.classes
            if len(chosen) > MANY_CLASSES:
                seen = (one for one in chosen if not math.isnan(one.agreement))
                chosen = tuple(sorted(seen, key=lambda one: one.agreement)[:MANY_CLASSES])
            agreements = [(one.name, one.agreement) for one in chosen]
            caption = "agreement: IoU of the class in f32 and in INT8"
            return [Paragraph(caption), Table([name, agreement], agreements)]
        sides = ("f32", "INT8")
        rows = [
            (
                one.name,
                one.agreement,
                *(one.iou or (None, None)),
                _lost(one.loss),
                *(one.boundary or (None, None)),
                _lost(one.boundary_loss),
            )
            for one in self.classes
        ]
        caption = (
            "agreement: IoU of the class in f32 and in INT8; IoU: with the masks; boundary: IoU "
            "along the contours; lost: f32's less INT8's"
        )
        if any(one.loss is not None and one.loss.bounded for one in self.classes):
            caption += ", with the bounds of 95 % of 1000 resamples of the images"
        columns: list[Column | str] = [
            name,
            agreement,
            *(Column(f"IoU {side}", ".4f") for side in sides),
            "IoU lost",
            *(Column(f"boundary {side}", ".4f") for side in sides),
            "boundary lost",
        ]
        return [Paragraph(caption), Table(columns, rows)]

    def _image_section(self) -> list[Section]:
        """Return the worst images, in the order of the last column; none that loses nothing."""
        columns: list[Column | str] = ["worst images", Column("agree with f32", percent)]
        worst: Sequence[tuple[object, ...]]
        if self.judgement.mean is not None:
            columns.append(Column("mean IoU lost", loss_text))
            worst = [row for row in self.judgement.worst if row[2] is None or row[2] > 0]
        elif self._unit == "images":
            columns = ["images of another class", Column("probability of f32's class lost", ".4f")]
            worst = [(name, lost) for name, share, lost in self.judgement.worst if share < 1]
        else:
            worst = [row[:2] for row in self.judgement.worst if row[1] < 1]
        return [Section("Images", [Table(columns, worst[:_LISTED])])] if worst else []

    def _remarks(self) -> list[str]:
        remarks = [*self._search_remark(), *self._few_images()]
        if self.judgement.mean is None:
            remarks.append("without masks nothing says which of the two is right")
        remarks.append(
            "speed is that of inference alone, on this processor; with AVX2 alone, INT8 gains less "
            "and may give other values than with VNNI or AMX"
        )
        unreadable = self.images.get("unreadable", [])
        if unreadable:
            count = counted(len(unreadable), "image")
            remarks.append(f"{count} could not be read: {listed([*unreadable], _LISTED)}")
        return remarks

    def _search_remark(self) -> list[str]:
        """Return what became of the search for layers to keep, where there was one."""
        if not self.tried:
            return []
        of = " of its agreement" if self.judgement.mean is None else ""
        steps = [f"{n} kept: {name} loses {loss_text(lost)}{of}" for n, name, lost in self.tried]
        found = self.none_kept or (
            "layers were kept in floating point, the one that changes most by itself first"
        )
        missed = "" if self.within else f"; none of these reaches {self.max_drop:g}"
        return [f"a class lost more than {self.max_drop:g}; {found} ({'; '.join(steps)}{missed})"]

    def _few_images(self) -> list[str]:
        """Return what is not known of classes that few images have."""
        losses = [one.loss for one in self.classes if one.loss is not None]
        if all(loss.bounded or math.isnan(loss.value) for loss in losses):
            return []
        few = f"of a class that fewer than {FEWEST_IMAGES} images have, no bounds are given"
        return [f"{few}: losses as large come by chance; judge with more images"]


def _plain(loss: Interval) -> list[float | None]:
    """Return value and bounds as JSON has them."""
    return [None if math.isnan(value) else value for value in loss]


def _lost(loss: Interval | None) -> NumberText | None:
    if loss is None or math.isnan(loss.value):
        return None
    return NumberText(loss.value, str(loss))
