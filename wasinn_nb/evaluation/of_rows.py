"""What evaluations of masks and of classes have in common: the rows that they judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wasinn_nb.evaluation.judged_rows import JudgedRows
    from wasinn_nb.prediction import Predictions

__all__ = ["OfRows"]


class OfRows:
    """A base of evaluations, which have `rows`."""

    rows: JudgedRows | None

    @property
    def predictions(self) -> Predictions | None:
        """The rows that were judged, as a store has them; None where they are not known.

        What is in no store is gathered in a temporary one when it is first asked for.  Until then
        the evaluation keeps what a model gave: labels are deflated, so that an image of 896 x 512
        pixels takes 10 kB in all.  Files it keeps by their paths, and what was passed in memory as
        it is, not copied.

        Raises
        ------
        InvalidArgumentError
            If results are not of one run; see :func:`wasinn_nb.gather_results`.
        UnsupportedOperationError
            If pyarrow is not installed.
        """
        return None if self.rows is None else self.rows.predictions()
