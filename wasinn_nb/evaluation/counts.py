"""The pixels that were counted in each image, in a few bytes for each."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from typing import NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from wasinn_nb import metrics

__all__ = ["Counts", "ImageCounts"]


class ImageCounts(NamedTuple):
    """What was counted in one image.

    Examples
    --------
    >>> count = ImageCounts.of("a", np.array([[3, 0], [1, 4]]))
    >>> count.confusion, count.both.tolist(), count.true.tolist(), count.predicted.tolist()
    ({(0, 0): 3, (1, 0): 1, (1, 1): 4}, [3, 4], [3, 5], [4, 4])
    """

    name: str
    cells: NDArray[np.int64]
    """(N, 3): true class, predicted class and pixels, where there are any."""
    classes: int
    ignored: int = 0
    """Pixels that the truth leaves out."""
    uncovered: int = 0
    """Other pixels that the prediction does not cover, such as those that a crop cut off."""
    boundary: NDArray[np.int64] | None = None
    """(2, C): pixels in intersection and union of each class's boundaries."""

    @classmethod
    def of(
        cls,
        name: str,
        matrix: NDArray[np.int64],
        ignored: int = 0,
        uncovered: int = 0,
        boundary: NDArray[np.int64] | None = None,
    ) -> ImageCounts:
        """Return the counts of a confusion matrix, a row for each true class."""
        true, predicted = np.nonzero(matrix)
        cells = np.stack([true, predicted, matrix[true, predicted]], axis=1).astype(np.int64)
        return cls(name, cells, len(matrix), ignored, uncovered, boundary)

    @property
    def confusion(self) -> dict[tuple[int, int], int]:
        """True and predicted class → pixels, where there are any."""
        return {(true, predicted): pixels for true, predicted, pixels in self.cells.tolist()}

    @property
    def both(self) -> NDArray[np.int64]:
        """Pixels of each class that are true and predicted."""
        return self._summed(0, self.cells[self.cells[:, 0] == self.cells[:, 1]])

    @property
    def true(self) -> NDArray[np.int64]:
        """Pixels of each true class."""
        return self._summed(0, self.cells)

    @property
    def predicted(self) -> NDArray[np.int64]:
        """Pixels of each predicted class."""
        return self._summed(1, self.cells)

    @property
    def iou(self) -> NDArray[np.float64]:
        """IoU per class, NaN where it is in neither."""
        both = self.both
        return metrics.ratio(both, self.true + self.predicted - both)

    def _summed(self, column: int, cells: NDArray[np.int64]) -> NDArray[np.int64]:
        sums = np.zeros(self.classes, np.int64)
        np.add.at(sums, cells[:, column], cells[:, 2])
        return sums


class Counts(Sequence[ImageCounts]):
    """The counts of many images, in their order: about 300 bytes for each image.

    Parameters
    ----------
    counts : iterable of ImageCounts

    Examples
    --------
    >>> counts = Counts([ImageCounts.of("a", np.eye(2, dtype=np.int64))])
    >>> len(counts), counts[0].name, counts[-1].both.tolist()
    (1, 'a', [1, 1])
    """

    def __init__(self, counts: Sequence[ImageCounts] = ()) -> None:
        self._names: list[str] = []
        self._cells, self._ends, self._left_out = array("q"), array("q"), array("q")
        self._boundaries: list[bytes | None] = []
        self._classes = 0
        for count in counts:
            self.append(count)

    def append(self, count: ImageCounts) -> None:
        """Add an image; all have the same classes."""
        self._names.append(count.name)
        self._cells.frombytes(np.ascontiguousarray(count.cells).tobytes())
        self._ends.append(len(self._cells))
        self._left_out.extend((count.ignored, count.uncovered))
        edges = count.boundary
        self._boundaries.append(None if edges is None else edges.astype(np.int64).tobytes())
        self._classes = count.classes

    def __len__(self) -> int:
        return len(self._names)

    @overload
    def __getitem__(self, index: int) -> ImageCounts: ...
    @overload
    def __getitem__(self, index: slice) -> Counts: ...
    def __getitem__(self, index: int | slice) -> ImageCounts | Counts:
        """Return the counts of an image, or of some."""
        if isinstance(index, slice):
            return Counts([self[n] for n in range(*index.indices(len(self)))])
        number = range(len(self))[index]
        start = self._ends[number - 1] if number else 0
        cells = np.array(self._cells[start : self._ends[number]], np.int64).reshape(-1, 3)
        ignored, uncovered = self._left_out[2 * number : 2 * number + 2]
        edges = self._boundaries[number]
        boundary = None if edges is None else np.frombuffer(edges, np.int64).reshape(2, -1)
        name = self._names[number]
        return ImageCounts(name, cells, self._classes, ignored, uncovered, boundary)

    def __iter__(self) -> Iterator[ImageCounts]:
        return (self[number] for number in range(len(self)))
