"""An evaluation as HTML: the page that stands alone, and the parts that notebooks show too."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PIL import Image

from wasinn_nb.evaluation.samples import sample_pictures
from wasinn_nb.render import figure_html, html_table, image_html, write_page

if TYPE_CHECKING:
    from wasinn_nb.evaluation.result import Evaluation
    from wasinn_nb.evaluation.samples import Sample

__all__ = ["lines_html", "samples_html", "write_evaluation"]

_LONGEST_SIDE: Final = 480  # pixels of a picture in the page
_FEW_IMAGES: Final = 30  # more than that are folded away
_IMAGE_HEADERS: Final = ("image", "mean IoU", "accuracy", "worst class")
_ROW: Final = "display:flex;flex-wrap:wrap;gap:8px;margin:0 0 1em"
_CELL: Final = "margin:0;flex:1 1 200px;max-width:480px"
_SWATCH: Final = (
    "display:inline-block;width:12px;height:12px;margin-right:6px;border:1px solid currentColor;"
    "vertical-align:-1px;background:rgb({})"
)


def write_evaluation(evaluation: Evaluation, path: str | os.PathLike[str]) -> Path:
    """Write an evaluation as one self-contained page; see `Evaluation.write_html`."""
    images = html_table(_IMAGE_HEADERS, evaluation.image_rows())
    if (n := len(evaluation.counts)) > _FEW_IMAGES:
        images = f"<details><summary>All {n} images</summary>{images}</details>"
    headers = ("class", "IoU", "Dice", "accuracy", "boundary IoU", "pixels")
    classes = html_table(headers, evaluation.class_rows())
    sections = [
        ("", f"<p>{escape(evaluation.title())}</p><p><strong>{evaluation.summary()}</strong></p>"),
        ("Classes", classes),
        ("How it was counted", lines_html(evaluation.lines())),
        ("Confusion matrix", _matrix_html(evaluation)),
        ("Worst images", samples_html(evaluation, evaluation.samples)),
        ("Images, worst first", images),
    ]
    title = f"Evaluation: {evaluation.model}" if evaluation.model else "Evaluation"
    return write_page(path, title, [(heading, html) for heading, html in sections if html])


def lines_html(lines: Iterable[str]) -> str:
    """Return sentences as an escaped list.

    Examples
    --------
    >>> lines_html(["a < b"])
    '<ul><li>a &lt; b</li></ul>'
    """
    return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>"


def samples_html(evaluation: Evaluation, samples: Sequence[Sample]) -> str:
    """Return rows of photograph, truth, prediction and errors, with a legend; empty for none."""
    if not samples:
        return ""
    legend = "".join(
        f'<span style="margin-right:18px;white-space:nowrap"><span style="'
        f'{_SWATCH.format(",".join(map(str, entry.color)))}"></span>{escape(entry.name)}</span>'
        for entry in evaluation.legend()
    )
    rows = [
        f"<h3>{escape(sample.name)}: mean IoU {sample.miou:.4f}</h3>"
        f'<div style="{_ROW}">{_pictures_html(sample, evaluation)}</div>'
        for sample in samples
    ]
    return f"<p>{legend}</p>{''.join(rows)}"


def _pictures_html(sample: Sample, evaluation: Evaluation) -> str:
    shrink = min(1.0, _LONGEST_SIDE / max(sample.truth.shape))
    height, width = (max(1, round(side * shrink)) for side in sample.truth.shape)
    cells = []
    for title, pixels, smooth in sample_pictures(
        sample, evaluation.class_map.palette, (height, width)
    ):
        image = Image.fromarray(pixels)
        if not smooth and title in {"truth", "prediction"}:  # few colours: as PNG, exactly
            image = image.quantize(256, dither=Image.Dither.NONE)
        kind = "photograph" if smooth else title
        caption = f"<figcaption>{escape(kind)}</figcaption>"
        cells.append(
            f'<figure style="{_CELL}">{image_html(image, f"{kind} of {sample.name}")}'
            f"{caption}</figure>"
        )
    return "".join(cells)


def _matrix_html(evaluation: Evaluation) -> str:
    figure = evaluation.plot(worst=0)
    return figure_html(figure, "Percent of each true class that was predicted as each class")
