"""The true masks of predictions in a store, read when they are looked at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wasinn_nb import metrics
from wasinn_nb.evaluation.class_maps import ClassMap, Side, class_map
from wasinn_nb.evaluation.labels import Classes, label_set
from wasinn_nb.evaluation.mask_tally import MaskTally
from wasinn_nb.evaluation.pairs import named, paired, passed_over
from wasinn_nb.evaluation.suffixes import Suffix, Suffixes
from wasinn_nb.evaluation.truths import plain_name
from wasinn_nb.prediction import Predictions

__all__ = ["TrueMasks", "row_names"]


def row_names(predictions: Predictions) -> tuple[str, ...]:
    """Return the names that an evaluation has for the rows of predictions.

    Parameters
    ----------
    predictions : Predictions
    """
    names = [str(name) for name, _ in named(predictions, "predictions")]
    if predictions.task == "classification":
        names = [plain_name(name) for name in predictions.table(["name"])["name"]]
    return tuple(names)


class TrueMasks:
    """The true masks of rows of segmentation, paired as `evaluate` does.

    Parameters
    ----------
    predictions : Predictions
    truths, mapping, ignore, classes, suffix
        As of :func:`wasinn_nb.evaluate`.

    Attributes
    ----------
    names : tuple of str
        Of the rows, as an evaluation names them.
    class_map : ClassMap

    Raises
    ------
    InvalidArgumentError
        If a row has no truth, a truth no row, or the classes do not fit each other.
    """

    def __init__(
        self,
        predictions: Predictions,
        truths: Any,
        *,
        mapping: Mapping[Side, Side] | None = None,
        ignore: Any = None,
        classes: Classes | None = None,
        suffix: Suffix | None = None,
    ) -> None:
        own = named(predictions, "predictions")
        given = named(truths, "truths", nested=True)
        self._pairs = paired(own, given, passed_over(truths), Suffixes.of(suffix))
        self.names = tuple(pair.name for pair in self._pairs)
        self._card = predictions.card
        data = label_set(self._card.classes if classes is None else classes, ignore)
        self.class_map: ClassMap = class_map(data, self._card, mapping)
        self._tally = MaskTally(data, self._card, self.class_map, metrics.DILATION_RATIO, 0)

    def at(self, row: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Return the true and the predicted classes of a row, at the size of its truth.

        Parameters
        ----------
        row : int
            Its place among the predictions.

        Returns
        -------
        (H, W) and (H, W) uint8 arrays
            Indices of evaluated classes; 255 where the truth does not count.

        Raises
        ------
        ImageError, MissingFileError, InvalidArgumentError, TensorError
            If there is no prediction, or the truth cannot be read or does not fit it.
        """
        pair = self._pairs[row]
        compared = self._tally.compared(pair, pair.prediction.load(), self._card)
        return compared.true, compared.predicted
