"""`Evaluation`: what was counted in masks, and what follows from it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from wasinn_nb import metrics
from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.evaluation.class_maps import ClassMap
from wasinn_nb.evaluation.counts import ImageCounts
from wasinn_nb.evaluation.document import (
    confused,
    evaluation_document,
    matrix_section,
    true_shares,
)
from wasinn_nb.evaluation.of_rows import OfRows
from wasinn_nb.evaluation.policy import FIGURE, counting, figure_text
from wasinn_nb.evaluation.remarks import Remarks
from wasinn_nb.evaluation.samples import WHITE, WRONG, Sample, sample_blocks, sample_views
from wasinn_nb.render import (
    COUNT,
    Column,
    Document,
    Legend,
    LegendEntry,
    Report,
    Section,
    Table,
)
from wasinn_nb.tasks.segmentation import MANY_CLASSES
from wasinn_nb.wording import counted, percent

if TYPE_CHECKING:
    import pandas as pd

    from wasinn_nb.evaluation.judged_rows import JudgedRows
    from wasinn_nb.render import PanelFigure

__all__ = ["Evaluation"]

_FIGURES: Final = ("IoU", "Dice", "accuracy", "boundary IoU")
_PIXELS: Final = Column("pixels", COUNT)
_DRAWN_IMAGES: Final = 3


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation(OfRows, Report, arrays="take .matrix, .table() or .images()"):
    """How well predictions agree with the truth; made by :func:`wasinn_nb.evaluate`.

    Figures are over all images together: their pixels are added up, then divided.  An ignored class
    has none (NaN): no true pixel of it counts.

    Attributes
    ----------
    model : str
        The model's name; empty where only masks were given.
    class_map : ClassMap
        The evaluated classes, and what they are on either side.
    matrix : (C, C) int64 array
        Pixels: a row for each true class, a column for each predicted one.
    boundary : (2, C) int64 array
        Pixels in intersection and union of each class's boundaries.
    counts : sequence of ImageCounts
    ignored : str
        The values of the masks that were not counted, in words.
    resized : int
        How many predictions were brought to their truth's size.
    dilation_ratio : float
        Of the boundary IoU.
    samples : tuple of Sample
        The worst images, worst first.
    assumed : tuple of str
        What nothing states about the model, and was assumed.
    remarks : Remarks
        What was done with files.
    rows : JudgedRows or None
        What was judged; None where that is not known.

    Examples
    --------
    >>> import wasinn_nb as wn
    >>> truth = np.array([[0, 0, 1, 1]], np.uint8)
    >>> predicted = np.array([[0, 0, 0, 1]], np.uint8)
    >>> evaluation = wn.evaluate([predicted], [truth], classes=("background", "road"))
    >>> evaluation.matrix.tolist(), evaluation.iou["road"]
    ([[2, 0], [1, 1]], 0.5)
    """

    model: str
    class_map: ClassMap
    matrix: NDArray[np.int64]
    boundary: NDArray[np.int64]
    counts: Sequence[ImageCounts]
    ignored: str = ""
    resized: int = 0
    dilation_ratio: float = metrics.DILATION_RATIO
    samples: tuple[Sample, ...] = ()
    assumed: tuple[str, ...] = ()
    remarks: Remarks = field(default_factory=Remarks)
    rows: JudgedRows | None = None

    @property
    def classes(self) -> tuple[str, ...]:
        """The evaluated classes, in the order of the matrix."""
        return self.class_map.names

    @property
    def iou(self) -> dict[str, float]:
        """Intersection over union: class → 0 to 1, NaN where it is in neither."""
        return self._by_class(metrics.iou(self.matrix))

    @property
    def dice(self) -> dict[str, float]:
        """Dice coefficient (F1): class → 0 to 1, NaN where it is in neither."""
        return self._by_class(metrics.dice(self.matrix))

    @property
    def accuracy(self) -> dict[str, float]:
        """The part of the true pixels that was found: class → 0 to 1, NaN without such pixels."""
        return self._by_class(metrics.accuracy(self.matrix))

    @property
    def boundary_iou(self) -> dict[str, float]:
        """IoU along the contours: class → 0 to 1, NaN where it is in neither."""
        return self._by_class(metrics.ratio(self.boundary[0], self.boundary[1]))

    @property
    def pixel_accuracy(self) -> float:
        """The part of all counted pixels that was predicted right."""
        return metrics.pixel_accuracy(self.matrix)

    @property
    def miou(self) -> float:
        """The mean IoU of the classes that are in truth or prediction.

        Without ``other``, and without ignored classes.
        """
        return metrics.mean_over_classes(self._counting(metrics.iou(self.matrix)))

    @property
    def image_miou(self) -> float:
        """The mean of each image's own mean IoU."""
        return metrics.mean_over_classes(self._image_mious)

    def table(self) -> pd.DataFrame:
        """Return a row for each class: IoU, Dice, accuracy, boundary IoU, true pixels."""
        import pandas as pd

        columns = (self.iou, self.dice, self.accuracy, self.boundary_iou)
        values: dict[str, Any] = {
            name: list(column.values()) for name, column in zip(_FIGURES, columns, strict=True)
        }
        values["pixels"] = self.matrix.sum(axis=1)
        return pd.DataFrame(values, index=pd.Index(self.classes, name="class"))

    def images(self) -> pd.DataFrame:
        """Return a row for each image, the worst first.

        Columns: mean IoU, accuracy, worst class, counted pixels, the IoU of each class.  Images
        without any counted class come last; then, with an ``error``, those that cannot be read.
        """
        import pandas as pd

        order = self._worst_first()
        rows = [self._image_row(self.counts[index], self._image_mious[index]) for index in order]
        names = [self.counts[index].name for index in order]
        rows += [{"error": reason} for _, reason in self.remarks.failed]
        names += [name for name, _ in self.remarks.failed]
        return pd.DataFrame(rows, index=pd.Index(names, name="image"))

    def policy(self) -> list[str]:
        """Return how the figures were made, in sentences."""
        return [*counting(self), *self.remarks.sentences()]

    def lines(self) -> list[str]:
        """Return what the figures rest on, in sentences: mapping, policy, and what is assumed."""
        assumed = [f"assumed: {'; '.join(self.assumed)}"] if self.assumed else []
        return [*self.class_map.lines(), *self.policy(), *assumed]

    def plot(self, worst: int = _DRAWN_IMAGES) -> PanelFigure:
        """Draw the confusion matrix, and the worst images beneath it.

        Parameters
        ----------
        worst : int
            How many images; no more than were kept, and none that is entirely right.  0 draws the
            matrix alone.

        Returns
        -------
        PanelFigure
            A `matplotlib.figure.Figure`, shown once in a notebook.

        Raises
        ------
        InvalidArgumentError
            If *worst* is negative.
        """
        from wasinn_nb.render import Panel, draw_evaluation

        if worst < 0:
            raise InvalidArgumentError(f"expected how many images to draw, got {worst}")
        rows = []
        for sample in [one for one in self.samples if one.is_wrong][:worst]:
            views = sample_views(sample, self.class_map.palette)
            # The sample's name stands above its first or, without an image, above its last panel.
            titles = {"image": sample.name}
            if not sample.has_image:
                titles["wrong"] = f"wrong in {sample.name}"
            rows.append(
                [
                    Panel(titles.get(view, view), pixels, smooth=view == "image")
                    for view, pixels in views.items()
                ]
            )
        legend = self.legend() if rows else []
        return draw_evaluation(true_shares(self.matrix), self.classes, rows, legend)

    def legend(self) -> list[LegendEntry]:
        """Return the colors of the classes, and of what is wrong or ignored.

        Of more than 20 classes, only those that have a pixel.
        """
        pixels = self.matrix.sum(axis=0) + self.matrix.sum(axis=1)
        entries = [
            LegendEntry(name, color, "")
            for name, color, n in zip(self.classes, self.class_map.palette, pixels, strict=True)
            if n or len(self.classes) <= MANY_CLASSES
        ]
        entries.append(LegendEntry("wrong", WRONG, ""))
        if self.ignored or any(count.uncovered for count in self.counts):
            entries.append(LegendEntry("ignored", WHITE, ""))
        return entries

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the images as what JSON can hold; NaN as None."""
        figures = {
            "iou": self.iou,
            "dice": self.dice,
            "accuracy": self.accuracy,
            "boundary_iou": self.boundary_iou,
        }
        return {
            "model": self.model,
            "miou": _or_none(self.miou),
            "image_miou": _or_none(self.image_miou),
            "pixel_accuracy": _or_none(self.pixel_accuracy),
            "classes": {
                name: {what: _or_none(figure[name]) for what, figure in figures.items()}
                | {"pixels": int(pixels)}
                for name, pixels in zip(self.classes, self.matrix.sum(axis=1), strict=True)
            },
            "matrix": self.matrix.tolist(),
            "mapping": {
                name: {"data": list(truth), "model": list(predicted)}
                for name, truth, predicted in zip(
                    self.classes, self.class_map.truth, self.class_map.predicted, strict=True
                )
            },
            "policy": self.policy(),
            "assumed": list(self.assumed),
            "errors": dict(self.remarks.failed),
            "images": [
                {
                    "name": self.counts[index].name,
                    "miou": _or_none(self._image_mious[index]),
                    "iou": {
                        name: _or_none(value)
                        for name, value in self._by_class(self.counts[index].iou).items()
                    },
                }
                for index in self._worst_first()
            ],
        }

    def title(self) -> str:
        """Return one line: whose predictions, how many images and pixels."""
        n = len(self.counts)
        of = f"{self.model}, " if self.model else ""
        pixels = counted(int(self.matrix.sum()), "pixel", grouped=True)
        return f"{of}{counted(n, 'image')}, {pixels} counted"

    def summary(self) -> str:
        """Return the overall figures in one line."""
        return (
            f"mean IoU {figure_text(self.miou)}, pixel accuracy {figure_text(self.pixel_accuracy)}"
        )

    def class_rows(self) -> list[tuple[str, ...]]:
        """Return the table as text, a row for each class."""
        return list(self._class_table().cells)

    def image_rows(self) -> list[tuple[str, ...]]:
        """Return name, mean IoU, pixel accuracy and worst class of each image, the worst first."""
        return list(self._image_table().cells)

    def document(self) -> Document:
        """Return what there is to see: figures, how they were made, and the worst images."""
        classes = self._class_table()
        return evaluation_document(
            self.title(),
            self.summary(),
            self.lines(),
            classes,
            in_text=[classes],
            details=[
                *self._confused_section(),
                matrix_section(self.matrix, self.classes, self.class_map.palette),
            ],
            legend=[Legend(self.legend())],
            samples=sample_blocks(self.samples, self.class_map.palette),
            images=self._image_table(),
            order="the lowest mean IoU first",
            failed=self.remarks.failed,
        )

    def _class_table(self) -> Table:
        figures = (self.iou, self.dice, self.accuracy, self.boundary_iou)
        return Table(
            [self._class_column("class"), *(Column(name, FIGURE) for name in _FIGURES), _PIXELS],
            [
                (name, *(figure[name] for figure in figures), count)
                for name, count in zip(self.classes, self.matrix.sum(axis=1).tolist(), strict=True)
            ],
        )

    def _image_table(self) -> Table:
        rows = []
        for index in self._worst_first():
            row = self._image_row(self.counts[index], self._image_mious[index])
            figures = (row["mean IoU"], row["accuracy"], row["worst class"])
            rows.append((self.counts[index].name, *figures))
        columns = (Column(name, FIGURE) for name in ("mean IoU", "accuracy"))
        return Table(["image", *columns, self._class_column("worst class")], rows)

    def _confused_section(self) -> list[Section]:
        pairs = confused(self.matrix)
        if not pairs:
            return []
        rows = [
            (self.classes[true], self.classes[predicted], n, n / self.matrix[true].sum())
            for true, predicted, n in pairs[:MANY_CLASSES]
        ]
        columns = [self._class_column(name) for name in ("true class", "predicted as")]
        table = Table([*columns, _PIXELS, Column("part of the true class", percent)], rows)
        return [Section("Most confused classes", [table])]

    def _class_column(self, header: str) -> Column:
        return Column(header, colors=dict(zip(self.classes, self.class_map.palette, strict=True)))

    @cached_property
    def _image_mious(self) -> NDArray[np.float64]:
        return np.array(
            [metrics.mean_over_classes(self._counting(count.iou)) for count in self.counts]
        )

    def _counting(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        return values[[*self.class_map.averaged]]

    def _by_class(self, values: NDArray[np.float64]) -> dict[str, float]:
        ignored = self.class_map.ignored
        figures = zip(self.classes, values.tolist(), strict=True)
        return {name: math.nan if name in ignored else value for name, value in figures}

    def _worst_first(self) -> list[int]:
        order: list[int] = np.argsort(self._image_mious, kind="stable").tolist()  # NaN comes last
        return order

    def _image_row(self, count: ImageCounts, miou: float) -> dict[str, Any]:
        values = self._counting(count.iou)
        known = not np.isnan(values).all()
        worst = self.class_map.averaged[int(np.nanargmin(values))] if known else 0
        pixels = int(count.true.sum())
        return {
            "mean IoU": float(miou),
            "accuracy": int(count.both.sum()) / pixels if pixels else math.nan,
            "worst class": self.classes[worst] if known else "",
            "pixels": pixels,
            **{f"IoU {name}": value for name, value in self._by_class(count.iou).items()},
        }


def _or_none(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
