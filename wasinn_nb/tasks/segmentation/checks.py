"""Whether the fields of a segmentation's result fit each other."""

from __future__ import annotations

import re
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.cards import ModelCard
from wasinn_nb.errors import InvalidArgumentError, TensorError
from wasinn_nb.render import checked_labels
from wasinn_nb.tasks.fields import read_only
from wasinn_nb.tasks.segmentation.masks import checked_size
from wasinn_nb.wording import counted

__all__ = ["kept_labels", "kept_scores", "refuse_sha384", "refuse_threshold"]

_SHA384: Final = re.compile(r"[0-9a-f]{96}")


def kept_labels(labels: NDArray[Any], card: ModelCard) -> NDArray[np.uint8]:
    """Return labels as a result keeps them: read-only.

    Raises
    ------
    InvalidArgumentError
        If the card names no classes.
    TensorError
        If they are not labels of the card's classes.
    """
    if not card.classes:
        raise InvalidArgumentError(
            f"the card of {card.name} names no classes; a mask needs one name per class"
        )
    checked_labels(labels, len(card.classes))
    checked_size(*labels.shape)
    return read_only(labels)


def kept_scores(scores: NDArray[Any], expected: tuple[int, ...]) -> NDArray[np.float32]:
    """Return scores as a result keeps them: read-only.

    Raises
    ------
    TensorError
        If they are not a float32 array of the *expected* shape.
    """
    if scores.shape != expected or scores.dtype != np.float32:
        raise TensorError(
            f"expected scores as a {expected} float32 array (a plane for each class), "
            f"got {scores.shape} {scores.dtype}"
        )
    return read_only(scores)


def refuse_sha384(digest: object) -> None:
    """Raise InvalidArgumentError where *digest* is not 96 hexadecimal digits."""
    if not _SHA384.fullmatch(str(digest)):
        raise InvalidArgumentError("expected model_sha384 as 96 hexadecimal digits")


def refuse_threshold(threshold: object, card: ModelCard) -> None:
    """Raise InvalidArgumentError where a mask of the card's classes has no such threshold."""
    if type(threshold) is not float or not 0 < threshold < 1:
        raise InvalidArgumentError(f"expected a threshold between 0 and 1, got {threshold!r:.80}")
    if len(card.classes) != 2:
        raise InvalidArgumentError(
            f"a threshold is for one class and its background, the card of {card.name} names "
            f"{counted(len(card.classes), 'class')}"
        )
