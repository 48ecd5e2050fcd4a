"""The document of an evaluation: the same parts in the same order for masks and for classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wasinn_nb import metrics
from wasinn_nb.render import (
    RGB,
    Block,
    Document,
    ImageBlock,
    Items,
    Matrix,
    Only,
    Paragraph,
    Section,
    Table,
    encoded_figure,
)
from wasinn_nb.tasks.segmentation import MANY_CLASSES
from wasinn_nb.wording import counted

__all__ = ["confused", "evaluation_document", "matrix_section", "true_shares"]

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
    order: str,
    order_of_all: str = "",
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
        The worst images, worst first; none that is entirely right.
    images : Table
        A row for each image, the worst first.
    order : str
        What the worst images are ordered by.
    order_of_all : str
        What all images are ordered by, where it is more than that.
    failed : sequence of (name, reason)
        Images that could not be read.
    """
    many = len(images.rows) > _FEW_IMAGES
    which = f"All {len(images.rows):,} images" if many else "Images"
    heading = f"{which}, {order_of_all or order}"
    worst = f"Worst images, {order}"
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
        notebook.append(Section(worst, [*legend, *first], folded=True))
        page.append(Section(worst, [*legend, *every]))
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


def matrix_section(
    matrix: NDArray[np.int64], names: Sequence[str], colors: Sequence[RGB] = ()
) -> Section:
    """Return a drawing of a confusion matrix, and how to read it.

    Parameters
    ----------
    matrix : (C, C) int64 array
        A row for each true class, a column for each predicted one.
    names : sequence of str
        Of the classes.
    colors : sequence of (red, green, blue)
        Of the classes, where they have any.

    Examples
    --------
    >>> section = matrix_section(np.array([[3, 1], [0, 4]]), ["road", "curb"])
    >>> section.blocks[0].shares
    [[0.75, 0.25], [0.0, 1.0]]
    """
    there = list(range(len(names)))
    if len(names) > MANY_CLASSES:
        there = np.flatnonzero(matrix.sum(axis=0) + matrix.sum(axis=1)).tolist()
    shares = true_shares(matrix[np.ix_(there, there)])
    present = [names[index] for index in there]
    how = (
        "Each row shows what became of a true class, in percent of it: blue where it was predicted "
        "right, orange where not. Small parts have a stronger color than their size gives, so that "
        "they are seen."
    )
    if left_out := len(names) - len(there):
        how += f" {counted(left_out, 'class')} without a pixel or an image left out."
    block = Matrix(
        shares.tolist(),
        present,
        [colors[index] for index in there] if colors else (),
        alt="Percent of each true class that was predicted as each class",
        image=_matrix_image(shares, present),
    )
    return Section("Confusion matrix", [block, Paragraph(how)])


def confused(matrix: NDArray[np.int64]) -> list[tuple[int, int, int]]:
    """Return which classes were predicted as which others, the most frequent first.

    Parameters
    ----------
    matrix : (C, C) int64 array
        A row for each true class, a column for each predicted one.

    Returns
    -------
    list of (true class, predicted class, how often)
        Of equally frequent ones, those with the lower indices come first.

    Examples
    --------
    >>> confused(np.array([[3, 1], [2, 4]]))
    [(1, 0, 2), (0, 1, 1)]
    """
    wrong = matrix.copy()
    np.fill_diagonal(wrong, 0)
    true, predicted = np.nonzero(wrong)
    counts = wrong[true, predicted]
    order = np.argsort(-counts, kind="stable")
    return list(
        zip(true[order].tolist(), predicted[order].tolist(), counts[order].tolist(), strict=True)
    )


def _matrix_image(shares: NDArray[np.float64], names: Sequence[str]) -> ImageBlock:
    def encode() -> tuple[str, bytes, int]:
        from wasinn_nb.render import draw_evaluation

        return encoded_figure(draw_evaluation(shares, names, [], []))

    return ImageBlock(encode, "Percent of each true class that was predicted as each class")
