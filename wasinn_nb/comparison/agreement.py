"""How far two tensors, or two masks, differ: numbers and a sentence, whatever they belong to.

One number, the *tolerance*, decides what is "the same within precision".  Differences are measured
against the largest absolute value of either tensor, so that it means the same for pixels up to 255,
probabilities up to 1, and logits.  Its default, 0.01, lies between what precision changes and what
a mistake changes.  Measured with OpenVINO 2026.4 on a processor with AVX512-BF16, against the run
in f32 on the recipe's own tensor: road-segmentation-adas-0001 on an image, a part of it and 26
frames of CamVid (those marked * on every third frame), the shipped model on 8 shipped images and 7
frames:

======================  ==============  ===============  ==============  ===========  ==========
Changed                 Output, RMS     Output, largest  Pixels changed  Lowest IoU   Near a tie
======================  ==============  ===============  ==============  ===========  ==========
**allowed**             0.01            0.25             0.25 %          0.90         50 %
FP16 weights, real *    0.0002-0.0004   0.01             0.00-0.01 %     0.993-0.999  100 %
bfloat16, real          0.0023-0.0050   0.06-0.22        0.03-0.14 %     0.944-0.992  89-100 %
bfloat16, shipped       0.0004-0.0016   0.01-0.03        0.01-0.13 %     0.985-0.999  100 %
triangle-0.23, real     0.0016-0.0065   0.07-0.25        0.02-0.13 %     0.940-0.994  62-100 %
triangle-0.23, shipped  0.0004-0.0021   0.02-0.06        0.01-0.15 %     0.966-0.998  100 %
OpenCV linear, real *   0.0054-0.0124   0.15-0.39        0.08-0.45 %     0.822-0.970  69-94 %
bicubic, real *         0.0066-0.0165   0.21-0.45        0.12-0.51 %     0.850-0.973  47-96 %
nearest, real *         0.0182-0.0494   0.38-0.80        0.30-1.75 %     0.464-0.939  22-67 %
one row lower, real *   0.0229-0.0399   0.50-0.70        0.62-1.16 %     0.585-0.879  22-41 %
RGB for BGR, real       0.0253-0.0551   0.46-0.82        0.30-2.28 %     0.678-0.891  20-58 %
RGB for BGR, shipped    0.0033-0.0356   0.24-0.97        0.06-2.15 %     0.704-0.990  11-86 %
======================  ==============  ===============  ==============  ===========  ==========

No column alone decides; all of them must hold.  Input tensors are judged by their largest
difference, 0.01 of 255, or 5 of 255 where they differ by no more than 0.75 on average: the filter
of `image` 0.23 differs by 1, two JPEG decoders by 3 in most files and by 5 in all but a few (see
`wasinn_nb.imaging.decoders`), bicubic by 23 and more.  An output alone cannot tell a mistake that
changes it less than bfloat16 may: OpenCV's linear filter on 2 of 11 images, RGB for BGR on an image
without colors.  There only the input shows it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.comparison.margins import NEAR_TIE
from wasinn_nb.comparison.tensors import TOLERANCE, TensorDifference, compare_tensors
from wasinn_nb.metrics import confusion_matrix, iou
from wasinn_nb.wording import percent

__all__ = [
    "TOLERANCE",
    "MaskDifference",
    "TensorDifference",
    "compare_masks",
    "compare_tensors",
    "percent",
]

# Multiples of the tolerance; the table above says what they lie between.
_CHANGED: Final = 0.25
_IOU: Final = 10.0
_TIES: Final = 0.5
# Classes smaller than this part of the image do not count for the lowest IoU.
_SMALL_CLASS: Final = 0.001
_GRID: Final = 8


@dataclass(frozen=True, slots=True, eq=False)
class MaskDifference:
    """How two masks of one size differ.

    Attributes
    ----------
    matrix : (C, C) int64 array
        Pixels; rows are the classes of the first mask.
    changed : int
        Pixels whose class differs.
    near_ties : int or None
        Those of them near a tie; None without scores.
    iou : (C,) float64 array
        NaN for classes in neither.
    within : bool
        Whether the difference is within the tolerance.
    cell : (row, column, row, column) or None
        The part of the image with most changed pixels: first row and column, and those after it.
    """

    matrix: NDArray[np.int64]
    changed: int
    near_ties: int | None
    iou: NDArray[np.float64]
    within: bool
    cell: tuple[int, int, int, int] | None

    @property
    def agreement(self) -> float:
        """The part of the pixels that have the same class, 0 to 1."""
        total = int(self.matrix.sum())
        return (total - self.changed) / total


def compare_masks(
    a: NDArray[np.uint8],
    b: NDArray[np.uint8],
    classes: int,
    tolerance: float = TOLERANCE,
    margins: NDArray[np.float32] | None = None,
) -> MaskDifference:
    """Measure how two masks differ.

    Two masks are within the tolerance where at most a quarter of it of the pixels changed, no class
    of 0.1 % of the image or more has an IoU below 1 - 10 times it, and, where *margins* are known,
    at least half of the changed pixels are near a tie.

    Parameters
    ----------
    a, b : (H, W) uint8 arrays
        Of one size.
    classes : int
    tolerance : float
    margins : (H, W) float array, optional
        As from `margins.score_margins`; of two sides, the larger.

    Examples
    --------
    >>> a = np.array([[0, 0, 1, 1]], np.uint8)
    >>> found = compare_masks(a, np.array([[0, 1, 1, 1]], np.uint8), 3)
    >>> found.agreement, found.iou.round(3).tolist()
    (0.75, [0.5, 0.667, nan])
    """
    matrix = confusion_matrix(a, b, classes)
    overlap = iou(matrix)
    total = int(matrix.sum())
    changed = total - int(np.trace(matrix))
    differs = a != b
    ties = None if margins is None else int(np.count_nonzero(margins[differs] < NEAR_TIE))
    union = matrix.sum(axis=0) + matrix.sum(axis=1) - np.diagonal(matrix)
    counted = overlap[union >= max(1.0, _SMALL_CLASS * total)]
    within = (
        changed <= _CHANGED * tolerance * total
        and (not counted.size or float(counted.min()) >= 1 - _IOU * tolerance)
        and (ties is None or ties >= _TIES * changed)
    )
    return MaskDifference(matrix, changed, ties, overlap, within, _fullest_cell(differs))


def _fullest_cell(differs: NDArray[np.bool_]) -> tuple[int, int, int, int] | None:
    """Return the cell of a coarse grid with most of the pixels set."""
    rows = np.unique(np.linspace(0, differs.shape[0], _GRID + 1).astype(int))
    columns = np.unique(np.linspace(0, differs.shape[1], _GRID + 1).astype(int))
    sums = np.add.reduceat(differs.astype(np.int64), rows[:-1], axis=0)
    sums = np.add.reduceat(sums, columns[:-1], axis=1)
    if not sums.any():
        return None
    row, column = divmod(int(sums.argmax()), sums.shape[1])
    return (int(rows[row]), int(columns[column]), int(rows[row + 1]), int(columns[column + 1]))
