"""The true masks of what was judged, read when they are looked at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.cards import ModelCard
from wasinn_nb.evaluation.class_maps import ClassMap
from wasinn_nb.evaluation.mask_tally import MaskTally, with_card
from wasinn_nb.evaluation.pairs import Pair, named
from wasinn_nb.evaluation.truths import plain_names
from wasinn_nb.prediction import Predictions
from wasinn_nb.tasks.segmentation import SegmentationResult, with_background

__all__ = ["TrueMasks", "row_names"]


def row_names(predictions: Predictions) -> tuple[str, ...]:
    """Return the names that an evaluation has for the rows of predictions.

    Parameters
    ----------
    predictions : Predictions
    """
    names = [str(name) for name, _ in named(predictions, "predictions")]
    if predictions.task == "classification":
        names = plain_names(predictions.table(["name"])["name"].tolist())
    return tuple(names)


class TrueMasks:
    """The true masks of what was judged, paired as `evaluate` paired them.

    Parameters
    ----------
    pairs : sequence of Pair
        Of each row, in their order; its prediction is `Stored`, `Held`, `Given` or `Failed`.
    tally : MaskTally
        Knows the classes on both sides.
    class_map : ClassMap
    card : ModelCard or None
        In place of that of results, and of masks.

    Attributes
    ----------
    names : tuple of str
        Of the rows, as the evaluation names them.
    class_map : ClassMap
    """

    def __init__(
        self,
        pairs: Sequence[Pair],
        tally: MaskTally,
        class_map: ClassMap,
        card: ModelCard | None = None,
    ) -> None:
        self._pairs, self._tally, self._card = tuple(pairs), tally, card
        self.names = tuple(pair.name for pair in pairs)
        self.class_map = class_map

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
        found, card = pair.prediction.load(), self._card
        if isinstance(found, SegmentationResult):
            found = found if card is None else with_card(found, card)
            card = found.card
        compared = self._tally.compared(pair, found, card)
        return compared.true, compared.predicted

    def as_result(self, row: int, mask: Any) -> SegmentationResult:
        """Return a mask that was judged as a result, at its own size; errors as of :meth:`at`."""
        labels = self._tally.predicted(self._pairs[row], mask)
        card = self._card
        if card is None or not card.classes:
            names = self._tally.classes
            places = self.class_map.from_predicted[: len(names)]
            palette = tuple(self.class_map.palette[place] for place in places)
            card = ModelCard("masks", "segmentation", classes=names, palette=palette)
        return SegmentationResult(labels, with_background(card))
