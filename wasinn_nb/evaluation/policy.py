"""How the figures of an evaluation of masks were made, in sentences."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from wasinn_nb import metrics
from wasinn_nb.evaluation.class_maps import OTHER
from wasinn_nb.wording import counted, listed, percent

if TYPE_CHECKING:
    from wasinn_nb.evaluation.result import Evaluation

__all__ = ["FIGURE", "counting", "figure_text"]

FIGURE: Final = ".4f"
"""How a figure from 0 to 1 becomes text."""


def counting(evaluation: Evaluation) -> list[str]:
    """Return what was averaged, left out, ignored and resized.

    Parameters
    ----------
    evaluation : Evaluation
    """
    classes, class_map = evaluation.classes, evaluation.class_map
    values = metrics.iou(evaluation.matrix)
    absent = [i for i in class_map.averaged if math.isnan(values[i])]
    averaged = [classes[i] for i in class_map.averaged if i not in absent]
    left_out = [f"{classes[i]} (in neither)" for i in absent]
    left_out += [f"{name} (ignored in the truth)" for name in class_map.ignored]
    if class_map.has_other:
        left_out.append(f"{OTHER} (what the mapping does not name)")
    mean = f"mean over {listed(averaged, 12) or 'no class'}"
    if left_out:
        mean += f"; left out: {listed(left_out, 12)}"
    own = figure_text(evaluation.image_miou)
    sentences = [
        mean,
        f"pixels of all images count together; the mean of each image's own is {own}",
    ]
    true, predicted = evaluation.matrix.sum(axis=1), evaluation.matrix.sum(axis=0)
    only = [i for i in class_map.averaged if true[i] == 0 and predicted[i] > 0]
    if only:
        pixels = {i: counted(int(predicted[i]), "pixel", grouped=True) for i in only}
        names = listed([f"{classes[i]} ({pixels[i]})" for i in only], 12)
        sentences.append(f"nowhere in the truth, but predicted, so that its IoU is 0: {names}")
    counts = evaluation.counts
    ignored = sum(count.ignored for count in counts)
    uncovered = sum(count.uncovered for count in counts)
    total = max(1, ignored + uncovered + int(evaluation.matrix.sum()))
    if evaluation.ignored:
        sentences.append(f"ignored in the truth: {evaluation.ignored}, {_pixels(ignored, total)}")
    if uncovered:
        images = sum(count.uncovered > 0 for count in counts)
        sentences.append(
            f"not counted, because the cropped input does not show them: "
            f"{_pixels(uncovered, total)} in {counted(images, 'image')}"
        )
    if resized := evaluation.resized:
        brought = "was brought to its" if resized == 1 else "were brought to their"
        sentences.append(
            f"{resized} of {counted(len(counts), 'prediction')} {brought} truth's "
            f"size (scores before the argmax where kept, else labels by nearest)"
        )
    sentences.append(
        f"accuracy is the part of the true pixels that was found; a boundary reaches "
        f"{100 * evaluation.dilation_ratio:g} % of the diagonal inwards"
    )
    return sentences


def figure_text(value: float) -> str:
    """Return a figure as text.

    Examples
    --------
    >>> figure_text(0.5), figure_text(math.nan)
    ('0.5000', '-')
    """
    return "-" if math.isnan(value) else format(value, FIGURE)


def _pixels(count: int, total: int) -> str:
    return f"{counted(count, 'pixel', grouped=True)} ({percent(count / total)})"
