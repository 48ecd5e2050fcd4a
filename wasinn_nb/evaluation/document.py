"""The document of an evaluation: the same parts in the same order for masks and for classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wasinn_nb import metrics
from wasinn_nb.render import (
    Block,
    Document,
    ImageBlock,
    Items,
    Only,
    Paragraph,
    Section,
    Table,
    encoded_figure,
)

__all__ = ["evaluation_document", "matrix_image", "true_shares"]

_FEW_IMAGES: Final = 30  # more than that are folded away
_FIRST_SAMPLES: Final = 3  # in a notebook


def evaluation_document(
    title: str,
    summary: str,
    lines: Sequence[str],
    classes: Table,
    *,
    in_text: Sequence[Table],
    details: Sequence[Section],
    legend: Sequence[Block],
    samples: Sequence[Sequence[Block]],
    images: Table,
    failed: Sequence[tuple[str, str]] = (),
) -> Document:
    """Return what there is to see of an evaluation.

    Parameters
    ----------
    title, summary : str
        One line each.
    lines : sequence of str
        What the figures rest on, in sentences.
    classes : Table
        A row for each class.
    in_text : sequence of Table
        The tables that the text has.
    details : sequence of Section
        What only a page has, before the images.
    legend : sequence of blocks
        What the colors of the samples mean.
    samples : sequence of sequences of blocks
        The worst images, worst first.
    images : Table
        A row for each image, the worst first.
    failed : sequence of (name, reason)
        Images that could not be read.
    """
    heading = "Images, worst first"
    many = len(images.rows) > _FEW_IMAGES
    if many:
        heading = f"All {len(images.rows)} images, worst first"
    errors = [Table(["image that cannot be read", "reason"], failed)] if failed else []
    notebook: list[Block] = [classes, *errors, Items(lines)]
    page: list[Block] = [
        Section("Classes", [classes]),
        *([Section("Not counted", errors)] if errors else []),
        Section("How it was counted", [Items(lines)]),
        *details,
    ]
    if samples:
        first = [block for sample in samples[:_FIRST_SAMPLES] for block in sample]
        every = [block for sample in samples for block in sample]
        notebook.append(Section("Worst images", [*legend, *first], folded=True))
        page.append(Section("Worst images", [*legend, *every]))
    page.append(Section(heading, [images], folded_on_page=many))
    return Document(
        f"Evaluation: {title}",
        [
            Paragraph(summary, "strong"),
            Only(("text",), [*in_text, *errors, Items(lines)]),
            Only(("notebook",), notebook),
            Only(("page",), page),
        ],
    )


def true_shares(matrix: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the part of each true class that was predicted as each class.

    Parameters
    ----------
    matrix : (C, C) int64 array
        A row for each true class, a column for each predicted one.

    Returns
    -------
    (C, C) float64 array
        From 0 to 1; NaN where there is none of the true class.

    Examples
    --------
    >>> true_shares(np.array([[3, 1], [0, 0]]))
    array([[0.75, 0.25],
           [ nan,  nan]])
    """
    return metrics.ratio(matrix, np.broadcast_to(matrix.sum(axis=1)[:, None], matrix.shape))


def matrix_image(matrix: NDArray[np.int64], names: Sequence[str]) -> ImageBlock:
    """Return a drawing of a confusion matrix.

    Parameters
    ----------
    matrix : (C, C) int64 array
        A row for each true class, a column for each predicted one.
    names : sequence of str
        Of the classes.
    """

    def encode() -> tuple[str, bytes, int]:
        from wasinn_nb.render import draw_evaluation

        return encoded_figure(draw_evaluation(true_shares(matrix), names, [], []))

    return ImageBlock(encode, "Percent of each true class that was predicted as each class")
