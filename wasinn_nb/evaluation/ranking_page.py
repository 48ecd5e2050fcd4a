"""An evaluation of classifications as HTML: the page, and the parts that notebooks show too."""

from __future__ import annotations

import os
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from wasinn_nb import metrics
from wasinn_nb.evaluation.page import lines_html
from wasinn_nb.evaluation.ranking import CLASS_HEADERS, CONFUSION_HEADERS, IMAGE_HEADERS
from wasinn_nb.render import bars_html, figure_html, html_table, image_preview, write_page

if TYPE_CHECKING:
    from wasinn_nb.evaluation.ranking import ClassificationEvaluation, Rank
    from wasinn_nb.tasks.classification import ClassificationResult

__all__ = ["samples_html", "write_ranking"]

_FEW_IMAGES: Final = 30  # more than that are folded away
_BARS: Final = 3


def write_ranking(evaluation: ClassificationEvaluation, path: str | os.PathLike[str]) -> Path:
    """Write an evaluation as one page; see `ClassificationEvaluation.write_html`."""
    images = html_table(IMAGE_HEADERS, evaluation.image_rows())
    if (n := len(evaluation.ranks)) > _FEW_IMAGES:
        images = f"<details><summary>All {n} images</summary>{images}</details>"
    confusions = evaluation.confusion_rows()
    sections = [
        ("", f"<p>{escape(evaluation.title())}</p><p><strong>{evaluation.summary()}</strong></p>"),
        ("Classes", html_table(CLASS_HEADERS, evaluation.class_rows())),
        ("How it was counted", lines_html(evaluation.lines())),
        ("Most confused classes", html_table(CONFUSION_HEADERS, confusions) if confusions else ""),
        ("Confusion matrix", _matrix_html(evaluation)),
        ("Worst images", samples_html(evaluation, evaluation.samples)),
        ("Images, worst first", images),
    ]
    title = f"Evaluation: {evaluation.model}"
    return write_page(path, title, [(heading, html) for heading, html in sections if html])


def samples_html(
    evaluation: ClassificationEvaluation, samples: Sequence[tuple[Rank, ClassificationResult]]
) -> str:
    """Return each image with bars of its most probable classes and the true one."""
    return "".join(_sample_html(evaluation, rank, result) for rank, result in samples)


def _sample_html(
    evaluation: ClassificationEvaluation, rank: Rank, result: ClassificationResult
) -> str:
    shown = [one.index for one in result.top(_BARS)]
    name = evaluation.classes[rank.true]
    if rank.true not in shown:
        shown.append(rank.true)
    bars = bars_html(
        None if result.photo is None else image_preview(result.photo),
        bars=[
            (str(index), evaluation.classes[index], float(result.probabilities[index]))
            for index in shown
        ],
        facts=[rank.name, f"true class {name}: place {rank.rank} of {len(evaluation.classes)}"],
        details={},
    )
    return f'<div style="margin:0 0 1.2em">{bars}</div>'


def _matrix_html(evaluation: ClassificationEvaluation) -> str:
    if evaluation.matrix is None:
        return ""
    from wasinn_nb.render import draw_evaluation

    totals = np.broadcast_to(evaluation.matrix.sum(axis=1)[:, None], evaluation.matrix.shape)
    shares = metrics.ratio(evaluation.matrix, totals)
    figure = draw_evaluation(shares, evaluation.classes, [], [])
    return figure_html(figure, "Percent of each true class that was predicted as each class")
