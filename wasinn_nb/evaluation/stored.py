"""Predictions of a store, loaded one by one as they are judged."""

from __future__ import annotations

from typing import Any, NamedTuple

from wasinn_nb.errors import ImageError
from wasinn_nb.prediction import Predictions

__all__ = ["Stored", "stored_items"]


class Stored(NamedTuple):
    """One row of predictions."""

    predictions: Predictions
    place: int

    def load(self) -> Any:
        """Return the result without its image.

        Raises
        ------
        ImageError
            If the row holds an error.
        """
        row = self._row()
        if row["status"] != "done":
            raise ImageError(f"{row['error_kind']}: {row['error']}")
        return self.predictions.made(row)

    def with_image(self) -> Any:
        """Return the result with its image, where that is still what it was."""
        return self.predictions.result(self.place)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the image."""
        row = self._row()
        return row["height"], row["width"]

    def _row(self) -> dict[str, Any]:
        columns = [name for name in self.predictions.columns if name != "thumbnail"]
        return self.predictions.row(self.place, columns)


def stored_items(predictions: Predictions) -> list[tuple[str, Stored]]:
    """Return the rows with their names, as folders have them: ``"FOLDER/NAME.SUFFIX"``."""
    names = predictions.table(["name"])["name"].tolist()
    return [(name, Stored(predictions, place)) for place, name in enumerate(names)]
