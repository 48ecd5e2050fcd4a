"""What an evaluation judged, as rows to look at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from wasinn_nb.errors import WasiNnError
from wasinn_nb.evaluation.failures import Failures
from wasinn_nb.evaluation.held import Failed, Given, Held, lasting
from wasinn_nb.evaluation.mask_tally import Compared
from wasinn_nb.evaluation.pairs import Pair
from wasinn_nb.evaluation.stored import Stored
from wasinn_nb.evaluation.true_masks import TrueMasks
from wasinn_nb.pipeline import Pipeline
from wasinn_nb.prediction import NamedResult, Predictions, gather_named
from wasinn_nb.progress import Progress, progress_bar
from wasinn_nb.tasks.classification import ClassificationResult
from wasinn_nb.tasks.segmentation import SegmentationResult

__all__ = ["JudgedRows", "kept_pair"]


def kept_pair(
    pair: Pair, found: Any, pipeline: Pipeline | None, compared: Compared | None = None
) -> Pair:
    """Return a pair as `JudgedRows` take it.

    Parameters
    ----------
    pair : Pair
    found : result, mask, or Failures
        Its prediction; or where the last error is the reason why there is none.
    pipeline : Pipeline or None
        What made it.
    compared : Compared or None
        What was counted of it.
    """
    if isinstance(pair.prediction, Stored):
        return pair
    kept: Failed | Given | Held
    if isinstance(found, Failures):
        kept = Failed(type(found.last), str(found.last))
    elif pipeline is None:
        kept = Given(lasting(found))
    else:
        kept = Held.of(found, pair.prediction, None if compared is None else compared.labels)
    return Pair(pair.name, kept, lasting(pair.truth))


class JudgedRows:
    """What an evaluation judged.

    What a model gave is kept deflated: the labels of a mask take a few kB.  Images and truths are
    kept by the paths of their files; what was passed in memory is kept as it is, not copied.

    Parameters
    ----------
    pairs : sequence of Pair
        Of each image; its prediction is `Stored`, `Held`, `Given` or `Failed`.
    code : str
        The Python that makes the evaluation; empty where its arguments have no short text.
    predictions : Predictions, optional
        Those that were judged, where there were any.
    true_masks : TrueMasks, optional
        Where masks were judged.

    Attributes
    ----------
    names : tuple of str
        As the evaluation names the images, in the order of the rows.
    code : str
    true_masks : TrueMasks or None
    """

    def __init__(
        self,
        pairs: Sequence[Pair],
        code: str = "",
        predictions: Predictions | None = None,
        true_masks: TrueMasks | None = None,
    ) -> None:
        self._pairs, self.code, self.true_masks = tuple(pairs), code, true_masks
        self._predictions, self._gathered = predictions, False
        self.names = tuple(pair.name for pair in pairs)

    def __getstate__(self) -> dict[str, Any]:
        # A temporary store stays behind; it is made again there.
        state = vars(self).copy()
        return state | ({"_predictions": None, "_gathered": False} if self._gathered else {})

    def are(self, predictions: Predictions) -> bool:
        """Return whether these very rows were judged."""
        return self._predictions is predictions

    def predictions(self, progress: Progress = False) -> Predictions:
        """Return the rows: those that were judged, or what was judged in a temporary store.

        Parameters
        ----------
        progress : bool or callable
            While the store is made, when it is first asked for.

        Raises
        ------
        InvalidArgumentError
            If they are not of one run.
        """
        if self._predictions is None:
            self._predictions, self._gathered = gather_named(self._named(progress)), True
        return self._predictions

    def _named(self, progress: Progress) -> Iterator[NamedResult]:
        bar = progress_bar(self._pairs, progress=progress, desc="gather", unit="image", leave=False)
        for row, pair in enumerate(bar):
            try:
                found = pair.prediction.with_image()
                if not isinstance(found, SegmentationResult | ClassificationResult):
                    assert self.true_masks is not None  # noqa: S101 - it is a mask
                    found = self.true_masks.as_result(row, found)
            except WasiNnError as error:
                yield NamedResult(pair.name, None, error=error)
            else:
                yield NamedResult(pair.name, found, pair.prediction.original)
