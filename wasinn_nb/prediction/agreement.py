"""Two runs over the same images: how far they agree, and on which images least."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from wasinn_nb import metrics
from wasinn_nb.cards import precision_with
from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.prediction.column_names import no_column
from wasinn_nb.prediction.tallies import MaskTally, RankTally, RunTally
from wasinn_nb.progress import Progress, progress_bar
from wasinn_nb.render import (
    COUNT,
    RGB,
    Block,
    Column,
    Document,
    Items,
    Only,
    Paragraph,
    Report,
    Section,
    Table,
)
from wasinn_nb.tasks.segmentation import MANY_CLASSES
from wasinn_nb.wording import counted, percent

if TYPE_CHECKING:
    import pandas as pd

    from wasinn_nb.prediction.predictions import Predictions

__all__ = ["RunComparison", "compared"]

_SHOWN: Final = 10
_MOST_LISTED: Final = 256  # classes of a matrix
_AGREEMENT: Final = "agreement"


@dataclass(frozen=True, eq=False, repr=False)
class RunComparison(Report, arrays="take .matrix, .ious or .images()"):
    """How far two runs agree; made by :meth:`Predictions.compare`.

    Attributes
    ----------
    titles : (str, str)
        The models.
    classes : tuple of str
        Of both; of classifiers those that an image has in either run.
    matrix : (C, C) int64 array
        Pixels, or images of a classifier: a row for each class of the first run, a column for each
        of the second.
    names : tuple of str
        Of the images that both have.
    agreements : (N,) float64 array
        Of each image, the part of the pixels that have one class in both runs; of a classifier 1
        or 0.
    ious : (N, C) float64 array
        Of each image, the IoU of each class between the runs, NaN where it is in neither.  Of
        classifiers (N, 0): an image has one class.
    alone : (int, int)
        Images compared that only the first, and only the second run has a result for.
    differs : tuple of str
        What of the two origins differs, such as ``recipe``.
    remarks : tuple of str
        Those of the two runs: which of several they are, and whether they are finished.
    not_selected : int
        Images with a result in both runs that are not among the rows that were compared.
    most : int, optional
        How many images are listed.  Default: 10 as text, and all elsewhere.
    by : str
        What orders them: ``"agreement"`` or ``"IoU CLASS"``; the lowest first.  Of equal images
        those come first of which both runs were surest.
    sure : (N,) float64 array, optional
        Of each image of a classifier, the lower one of the probabilities that the two runs gave
        their class.
    colors : mapping
        Of the classes of masks: name → (red, green, blue).

    Examples
    --------
    >>> counted = np.array([[8, 2], [0, 6]])
    >>> one, other, classes = "fp32", "int8", ("background", "road")
    >>> comparison = wn.RunComparison(
    ...     (one, other), classes, counted, ("a.jpg",), np.array([0.875]), np.ones((1, 2)), (0, 0)
    ... )
    >>> comparison.agreement
    0.875
    """

    titles: tuple[str, str]
    classes: tuple[str, ...]
    matrix: NDArray[np.int64]
    names: tuple[str, ...]
    agreements: NDArray[np.float64]
    ious: NDArray[np.float64]
    alone: tuple[int, int]
    differs: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    not_selected: int = 0
    most: int | None = None
    by: str = _AGREEMENT
    sure: NDArray[np.float64] | None = None
    colors: Mapping[str, RGB] = field(default_factory=dict)

    @property
    def agreement(self) -> float:
        """The part of all pixels, or images, that have one class in both runs."""
        return metrics.pixel_accuracy(self.matrix)

    @property
    def iou(self) -> dict[str, float]:
        """IoU between the runs over all images: class → 0 to 1, NaN where it is in neither."""
        return dict(zip(self.classes, metrics.iou(self.matrix).tolist(), strict=True))

    def worst(self, n: int | None = None, by: str = _AGREEMENT) -> RunComparison:
        """Return the same comparison with other images listed; it is still of all.

        Parameters
        ----------
        n : int, optional
            How many.  Default: 10 as text, and all elsewhere.
        by : str
            ``"agreement"`` or, of masks, ``"IoU CLASS"``: the lowest first.  Images that have the
            class in neither run are left out.

        Raises
        ------
        InvalidArgumentError
            If it is neither, or *n* is not a number of images.
        """
        if n is not None and (isinstance(n, bool) or not isinstance(n, int) or n < 1):
            raise InvalidArgumentError(f"expected how many images, got {n!r:.80}")
        if by not in self._measures():
            raise no_column(by, [*self._measures()], argument="by")
        return replace(self, most=n, by=by)

    def images(self) -> pd.DataFrame:
        """Return a row for each image, the ones that the runs disagree on most first."""
        import pandas as pd

        order = self._order()[: self.most]
        values = {name: column[order] for name, column in self._measures().items()}
        return pd.DataFrame(values, index=pd.Index([self.names[n] for n in order], name="image"))

    def _measures(self) -> dict[str, NDArray[np.float64]]:
        """Return what there is of each image, by name."""
        of_classes = zip(self.classes, self.ious.T, strict=False)  # of classifiers there are none
        return {_AGREEMENT: self.agreements} | {f"IoU {name}": one for name, one in of_classes}

    def disagreements(self) -> list[tuple[str, str, int]]:
        """Return what differs: the class in the first run, in the second, and how often.

        Pixels or, of classifiers, images; the most frequent ones first.
        """
        counts = self.matrix * ~np.eye(len(self.classes), dtype=bool)
        first, second = np.nonzero(counts)
        order = np.argsort(-counts[first, second], kind="stable")
        return [
            (self.classes[one], self.classes[other], int(counts[one, other]))
            for one, other in zip(first[order].tolist(), second[order].tolist(), strict=True)
        ]

    def _order(self) -> NDArray[np.int64]:
        """Return the places of the images, the lowest values first."""
        values = self._measures()[self.by]
        surest = np.zeros(len(values)) if self.sure is None else -self.sure
        order = np.lexsort([surest, values])
        return order[~np.isnan(values[order])]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values, the images that the runs disagree on most first.

        ``matrix`` is None for more than 256 classes; ``disagreements`` names the pairs that occur.
        """
        measures = dict.fromkeys([_AGREEMENT, self.by])
        values = {name: self._measures()[name].tolist() for name in measures}
        return {
            "models": list(self.titles),
            "agreement": self.agreement,
            "iou": {name: None if np.isnan(one) else one for name, one in self.iou.items()},
            "matrix": self.matrix.tolist() if len(self.classes) <= _MOST_LISTED else None,
            "disagreements": [
                {"first": first, "second": second, "count": count}
                for first, second, count in self.disagreements()
            ],
            "alone": list(self.alone),
            "differs": list(self.differs),
            "remarks": list(self.remarks),
            "compared": len(self.names),
            "not_selected": self.not_selected,
            "images": [
                {"name": self.names[n], **{name: column[n] for name, column in values.items()}}
                for n in self._order()[: self.most].tolist()
            ],
        }

    def document(self) -> Document:
        """Return what there is to see: agreement by class, and the images with the least."""
        order = self._order()
        order = order[self._measures()[self.by][order] < 1][: self.most or _SHOWN]
        count = len(self.names)
        title = f"{self.titles[0]} and {self.titles[1]}, {counted(count, 'image')}"
        listed = {name: self._measures()[name] for name in dict.fromkeys([_AGREEMENT, self.by])}
        caption = f"least {self.by}"
        if len(order) < count:
            caption = f"the {len(order)} of {count} images with the least {self.by}"
        if self.sure is not None:
            listed["probability in both at least"] = self.sure
            caption += ", the surest first"
        alone = [
            f"{counted(count, 'image')} only in the {which} run"
            for count, which in zip(self.alone, ("first", "second"), strict=True)
            if count
        ]
        if self.not_selected:
            alone.append(f"{counted(self.not_selected, 'image')} of both runs not selected")
        pixels = self.matrix.sum(axis=1).tolist(), self.matrix.sum(axis=0).tolist()
        sides = (Column(f"in the {side}", COUNT) for side in ("first", "second"))
        differs = f"what differs: {', '.join(self.differs)}"
        classes = Table(
            [self._class_column("class"), Column("IoU", ".4f"), *sides],
            list(zip(self.classes, self.iou.values(), *pixels, strict=True)),
        )
        images = Table(
            ["image", *(Column(name, ".4f") for name in listed)],
            [(self.names[n], *(float(one[n]) for one in listed.values())) for n in order],
            caption,
        )
        what = "pixels" if self.sure is None else "images"
        differing = self.disagreements()
        pairs = Table(
            [
                *map(self._class_column, ("class in the first", "in the second")),
                Column(what, COUNT),
            ],
            differing[:MANY_CLASSES],
            f"the first {MANY_CLASSES} of {len(differing):,} pairs of classes"
            if len(differing) > MANY_CLASSES
            else "",
        )
        none = Paragraph(f"the {self.by} of every image is 1")
        listing: list[Block] = [images if images.rows else none]
        in_text: list[Block] = [Paragraph("; ".join(alone))] if alone else []
        in_text += [Items(self.remarks)] if self.remarks else []
        # As text, many classes are not read.
        few = [classes] if len(self.classes) <= MANY_CLASSES else [pairs] if pairs.rows else []
        sections = [
            Section("Classes", [classes]),
            *([Section("Where they disagree", [pairs])] if pairs.rows else []),
            Section("Images", listing),
            Section("How they were compared", [Items([*alone, *self.remarks])]),
        ]
        return Document(
            title,
            [
                *([Paragraph(differs)] if self.differs else []),
                Paragraph(f"the same class in both: {percent(self.agreement)}", "strong"),
                Only(("text",), [*few, *listing, *in_text]),
                Only(("notebook", "page"), sections),
            ],
        )

    def _class_column(self, header: str) -> Column:
        return Column(header, colors=self.colors)


def compared(one: Predictions, other: Predictions, progress: Progress) -> RunComparison:
    """Compare two runs; see :meth:`Predictions.compare`."""
    if one.task != other.task or one.task not in {"segmentation", "classification"}:
        raise InvalidArgumentError(
            f"expected two runs of segmentation, or two of classification, got {one.task} and "
            f"{other.task}"
        )
    masks = one.task == "segmentation"
    tally: RunTally = MaskTally(one, other) if masks else RankTally(one, other)
    names: list[str] = []
    pairs = _pairs(one, other, tally.columns)
    alone, count, not_selected = next(pairs)
    for first, second in progress_bar(
        pairs, progress=progress, desc="compare", unit="image", total=count, leave=False
    ):
        tally.add(first, second)
        names.append(first["name"])
    if not names:
        raise InvalidArgumentError(
            "the two runs have no image in common: none has the same content in both"
        )
    classes, matrix = tally.counts()
    return RunComparison(
        _titles(one, other),
        classes,
        matrix,
        tuple(names),
        np.array(tally.agreements),
        np.array(tally.ious),
        alone,
        tuple(one.origin.diff(other.origin)),
        (*one.remarks, *other.remarks),
        not_selected,
        sure=None if tally.sure is None else np.array(tally.sure),
        colors=_colors(one) | _colors(other) | _colors(one) if masks else {},
    )


def _colors(run: Predictions) -> dict[str, RGB]:
    return dict(zip(run.card.classes, run.card.palette, strict=False))


def _titles(one: Predictions, other: Predictions) -> tuple[str, str]:
    """Return the models; of one name, with what tells them apart, where it is known."""
    runs = (one, other)
    first, second = (run.origin.model for run in runs)
    if first != second:
        return first, second
    weights = [precision_with(run.card.precisions, run.origin.files.values()) for run in runs]
    known = (weights, [run.origin.ran for run in runs])
    apart = [pair for pair in known if pair[0] != pair[1] and None not in pair]
    if not apart:
        return first, second
    one_side, other_side = (", ".join(str(pair[side]) for pair in apart) for side in range(2))
    return f"{first} ({one_side})", f"{second} ({other_side})"


def _pairs(one: Predictions, other: Predictions, columns: Sequence[str]) -> Iterator[Any]:
    """Yield counts of images; then the rows of each image that both have.

    The counts: what only one has, how many pairs there are, and how many are not selected.
    """
    finished = [run.query("status == 'done'") for run in (one, other)]
    hashes = [_hashes(run) for run in finished]
    wholes = [{*_hashes(run.whole.query("status == 'done'"))} - {None} for run in (one, other)]
    places = {sha256: place for place, sha256 in enumerate(hashes[1])}
    common = ({*hashes[0]} & {*hashes[1]}) - {None}  # of results that came without their image
    alone = (
        sum(sha256 not in wholes[1] for sha256 in hashes[0]),
        sum(sha256 not in wholes[0] for sha256 in hashes[1]),
    )
    yield (
        alone,
        sum(sha256 in common for sha256 in hashes[0]),
        len((wholes[0] & wholes[1]) - common),
    )
    for row in finished[0].rows(columns):
        if row["sha256"] in common:
            yield row, finished[1].row(places[row["sha256"]], columns)


def _hashes(run: Predictions) -> list[str | None]:
    hashes: list[str | None] = run.table(["sha256"])["sha256"].tolist()
    return hashes
