"""`ClassificationEvaluation`: what was counted in classifications, and what follows from it."""

from __future__ import annotations

import dataclasses
import functools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.evaluation.document import evaluation_document, matrix_section
from wasinn_nb.evaluation.of_rows import OfRows
from wasinn_nb.evaluation.ranks import ClassCounts, Confusion, Rank, worst_first
from wasinn_nb.evaluation.remarks import Remarks
from wasinn_nb.render import (
    COUNT,
    Bar,
    Bars,
    Block,
    Column,
    Document,
    ImageBlock,
    Paragraph,
    Report,
    Section,
    Table,
    encoded_image,
)
from wasinn_nb.tasks.classification import ClassificationResult
from wasinn_nb.tasks.segmentation import MANY_CLASSES
from wasinn_nb.wording import counted

if TYPE_CHECKING:
    import pandas as pd

    from wasinn_nb.evaluation.judged_rows import JudgedRows

__all__ = ["ClassificationEvaluation"]

_FIRST: Final = 5  # rows of a table that the text has
_IMAGES: Final = Column("images", COUNT)
_ORDER: Final = "the lowest probability of the true class first"
_BARS: Final = 3
_MOST_DRAWN: Final = 150  # classes
_LONGEST_SIDE: Final = 320  # pixels of an image beside its bars
# A part of the images that no chance explains, and that hints at classes counted from 1.
_SHIFTED: Final = 0.5


@dataclass(frozen=True, eq=False, repr=False)
class ClassificationEvaluation(OfRows, Report, arrays="take .matrix, .table() or .images()"):
    """How well classifications agree with the truth; made by :func:`wasinn_nb.evaluate`.

    Attributes
    ----------
    model : str
        The model's name.
    classes : tuple of str
    ranks : tuple of Rank
        Of each image, in their order.
    samples : tuple of (Rank, ClassificationResult)
        The worst images, worst first: the wrong ones, those whose true class has the lowest
        probability first, then the right ones likewise.
    assumed : tuple of str
        What nothing states about the model, and was assumed.
    remarks : Remarks
        What was done with files.
    rows : JudgedRows or None
        What was judged; None where that is not known.

    Examples
    --------
    >>> from wasinn_nb.evaluation import Rank
    >>> ranks = (Rank("a.jpg", 0, 0, 1, 0.9), Rank("b.jpg", 1, 0, 2, 0.3))
    >>> evaluation = wn.ClassificationEvaluation("toy", ("cat", "dog"), ranks)
    >>> evaluation.top1, evaluation.confusions()
    (0.5, (Confusion(true=1, predicted=0, images=1),))
    """

    model: str
    classes: tuple[str, ...]
    ranks: tuple[Rank, ...]
    samples: tuple[tuple[Rank, ClassificationResult], ...] = ()
    assumed: tuple[str, ...] = ()
    remarks: Remarks = field(default_factory=Remarks)
    rows: JudgedRows | None = None

    def top(self, k: int) -> float:
        """Return the part of the images whose true class is among the *k* most probable ones.

        Parameters
        ----------
        k : int

        Returns
        -------
        float
            From 0 to 1.

        Raises
        ------
        InvalidArgumentError
            If *k* is not a positive number.
        """
        if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1:
            raise InvalidArgumentError(f"expected how many classes, 1 or more, got {k!r:.80}")
        return sum(rank.rank <= k for rank in self.ranks) / len(self.ranks)

    @property
    def top1(self) -> float:
        """The part of the images whose true class is the most probable one: 0 to 1."""
        return self.top(1)

    @property
    def top5(self) -> float:
        """The part of the images whose true class is among the five most probable ones: 0 to 1."""
        return self.top(5)

    @cached_property
    def matrix(self) -> NDArray[np.int64] | None:
        """Images, a row for each true class and a column for each predicted one: (C, C) int64.

        None for more than 20 classes; :meth:`confusions` names the pairs that occur.
        """
        if len(self.classes) > MANY_CLASSES:
            return None
        matrix = np.zeros((len(self.classes),) * 2, np.int64)
        for rank in self.ranks:
            matrix[rank.true, rank.predicted] += 1
        return matrix

    def confusions(self) -> tuple[Confusion, ...]:
        """Return which classes were taken for which others, the most frequent first.

        Of equally frequent ones, those with the lower indices come first.
        """
        pairs = Counter((rank.true, rank.predicted) for rank in self.ranks)
        wrong = [Confusion(*pair, images) for pair, images in pairs.items() if pair[0] != pair[1]]
        return tuple(sorted(wrong, key=lambda c: (-c.images, c.true, c.predicted)))

    def counts(self) -> tuple[ClassCounts, ...]:
        """Return what was counted of each class that is the true one of an image."""
        images = Counter(rank.true for rank in self.ranks)
        found = Counter(rank.true for rank in self.ranks if rank.rank == 1)
        return tuple(ClassCounts(index, images[index], found[index]) for index in sorted(images))

    def table(self) -> pd.DataFrame:
        """Return a row for each class that is the true one of an image.

        Columns are its name, how many images there are, and the part of them that was found.
        """
        import pandas as pd

        counts = self.counts()
        values = {
            "class": [self.classes[count.index] for count in counts],
            "images": [count.images for count in counts],
            "found": [count.found / count.images for count in counts],
        }
        return pd.DataFrame(values, index=pd.Index([c.index for c in counts], name="index"))

    def images(self) -> pd.DataFrame:
        """Return a row for each image, the worst first: wrong ones before right ones.

        Of both, those whose true class has the lowest probability come first, and of equal ones
        those that are surest of a wrong class.  Columns are its true class, the predicted one, the
        place of the true class among all, and its probability.
        """
        import pandas as pd

        rows = self._worst_first()
        values = {
            "true": [self.classes[rank.true] for rank in rows],
            "predicted": [self.classes[rank.predicted] for rank in rows],
            "rank": [rank.rank for rank in rows],
            "probability": [rank.probability for rank in rows],
        }
        return pd.DataFrame(values, index=pd.Index([rank.name for rank in rows], name="image"))

    def policy(self) -> list[str]:
        """Return how the figures were made, in sentences."""
        sentences = ["an image is found where its true class is the most probable one"]
        for step, way in ((1, "higher"), (-1, "lower")):
            shifted = sum(rank.predicted - rank.true == step for rank in self.ranks)
            if shifted > _SHIFTED * len(self.ranks) and shifted > 2:
                sentences.append(
                    f"{shifted} of {len(self.ranks)} images are taken for the class whose index is "
                    f"one {way}: check whether truths and model count from the same class, such "
                    f"as a background"
                )
        return [*sentences, *self.remarks.sentences()]

    def lines(self) -> list[str]:
        """Return what the figures rest on, in sentences: policy, and what is assumed."""
        assumed = [f"assumed: {'; '.join(self.assumed)}"] if self.assumed else []
        return [*self.policy(), *assumed]

    def title(self) -> str:
        """Return one line: whose predictions, how many images and classes."""
        n = len(self.ranks)
        return f"{self.model}, {counted(n, 'image')}, {counted(len(self.classes), 'class')}"

    def summary(self) -> str:
        """Return the overall figures in one line."""
        return f"top-1 accuracy {self.top1:.4f}, top-5 accuracy {self.top5:.4f}"

    def class_rows(self) -> list[tuple[str, ...]]:
        """Return name, images, part found and the most frequent mistake of each class.

        Of more than 20 classes with images, those of which the smallest part was found.
        """
        return list(self._class_table().cells)

    def confusion_rows(self) -> list[tuple[str, ...]]:
        """Return the most frequent mistakes: true class, what it was taken for, images."""
        return list(self._confusion_table().cells)

    def image_rows(self) -> list[tuple[str, ...]]:
        """Return name, true class, predicted one and probability of the true one, worst first."""
        return list(self._image_table().cells)

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the images' pixels as what JSON can hold."""
        return {
            "model": self.model,
            "top1": self.top1,
            "top5": self.top5,
            "classes": [
                {"index": c.index, "name": self.classes[c.index], "images": c.images}
                | {"found": c.found}
                for c in self.counts()
            ],
            "confusions": [
                {"true": self._class(true), "predicted": self._class(predicted), "images": images}
                for true, predicted, images in self.confusions()
            ],
            "matrix": None if self.matrix is None else self.matrix.tolist(),
            "policy": self.policy(),
            "assumed": list(self.assumed),
            "errors": dict(self.remarks.failed),
            "images": [
                {
                    "name": rank.name,
                    "true": self._class(rank.true),
                    "predicted": self._class(rank.predicted),
                    "rank": rank.rank,
                    "probability": rank.probability,
                }
                for rank in self._worst_first()
            ],
        }

    def document(self) -> Document:
        """Return what there is to see: figures, how they were made, and the worst images."""
        classes, confusions, images = (
            self._class_table(),
            self._confusion_table(),
            self._image_table(),
        )
        few = len(self.counts()) <= MANY_CLASSES
        in_text = [classes] if few else [_first(confusions)] if confusions.rows else []
        details = []
        if confusions.rows:
            details.append(Section("Most confused classes", [confusions]))
        details += self._matrix_section()
        return evaluation_document(
            self.title(),
            self.summary(),
            self.lines(),
            classes,
            in_text=[*in_text, *self._wrong_images(images)],
            details=details,
            legend=[],
            samples=[self._sample(rank, result) for rank, result in self.samples if rank.rank > 1],
            images=images,
            order=_ORDER,
            order_of_all=f"wrong ones before right ones, {_ORDER}",
            failed=self.remarks.failed,
        )

    def _matrix_section(self) -> list[Section]:
        """Return the matrix of the classes that occur, unless these are too many to be seen."""
        there = sorted({one for rank in self.ranks for one in (rank.true, rank.predicted)})
        if len(there) > _MOST_DRAWN:
            return []
        if len(self.classes) <= MANY_CLASSES:
            there = list(range(len(self.classes)))
        places = {index: place for place, index in enumerate(there)}
        matrix = np.zeros((len(there),) * 2, np.int64)
        for rank in self.ranks:
            matrix[places[rank.true], places[rank.predicted]] += 1
        return [matrix_section(matrix, list(map(self._name, there)))]

    def _class_table(self) -> Table:
        counts: Sequence[ClassCounts] = self.counts()
        if len(counts) > MANY_CLASSES:
            counts = sorted(counts, key=lambda c: c.found / c.images)[:MANY_CLASSES]
        mistakes: dict[int, Confusion] = {}
        for confusion in self.confusions():
            mistakes.setdefault(confusion.true, confusion)
        rows = []
        for index, images, found in counts:
            mistake = mistakes.get(index)
            other = "" if mistake is None else f"{self._name(mistake.predicted)} {mistake.images:,}"
            rows.append((self._name(index), images, found / images, other))
        return Table(["class", _IMAGES, Column("found", ".4f"), "mostly taken for"], rows)

    def _confusion_table(self) -> Table:
        return Table(
            ["true class", "taken for", _IMAGES],
            [
                (self._name(true), self._name(predicted), images)
                for true, predicted, images in self.confusions()[:MANY_CLASSES]
            ],
        )

    def _image_table(self) -> Table:
        probability = Column("probability of the true class", ".4f")
        return Table(
            ["image", "true class", "predicted", probability],
            [
                (r.name, self._name(r.true), self._name(r.predicted), r.probability)
                for r in self._worst_first()
            ],
        )

    def _wrong_images(self, images: Table) -> list[Table]:
        """Return the first images that are wrong, where any are."""
        wrong = sum(rank.rank > 1 for rank in self.ranks)
        rows = images.rows[: min(wrong, _FIRST)]
        caption = _ORDER
        if len(rows) < wrong:
            caption = f"the first {len(rows)} of {counted(wrong, 'image', grouped=True)}, {_ORDER}"
        columns = ["wrong images", *images.columns[1:]]
        return [Table(columns, rows, caption)] if rows else []

    def _sample(self, rank: Rank, result: ClassificationResult) -> list[Block]:
        """Return an image with bars of its most probable classes and the true one."""
        indices = [score.index for score in result.top(_BARS)]
        if rank.true not in indices:
            indices.append(rank.true)
        bars = [
            Bar(self.classes[index], float(result.probabilities[index]), str(index))
            for index in indices
        ]
        true = f"true class {self.classes[rank.true]}: place {rank.rank} of {len(self.classes)}"
        encode = functools.partial(_encoded_image, result)
        block = None if result.image is None else ImageBlock(encode, f"image {rank.name}")
        return [Paragraph(f"{rank.name}, {true}", "strong"), Bars(bars, block)]

    def _name(self, index: int) -> str:
        """Return the name of a class, with its index where another class has the same name."""
        name = self.classes[index]
        return f"{name} ({index})" if self._name_counts[name] > 1 else name

    @cached_property
    def _name_counts(self) -> Counter[str]:
        return Counter(self.classes)

    def _class(self, index: int) -> dict[str, Any]:
        return {"index": index, "name": self.classes[index]}

    def _worst_first(self) -> list[Rank]:
        return sorted(self.ranks, key=worst_first)


def _first(table: Table) -> Table:
    return dataclasses.replace(table, rows=table.rows[:_FIRST])


def _encoded_image(result: ClassificationResult) -> tuple[str, bytes, int]:
    assert result.photo is not None  # noqa: S101 - only called where there is an image
    return encoded_image(Image.fromarray(result.photo), _LONGEST_SIDE)
