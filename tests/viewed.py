"""What the tests of the viewer share."""

import io
import zlib

import numpy as np
from PIL import Image

from wasinn_nb.cards.card import ModelCard
from wasinn_nb.tasks.segmentation.result import SegmentationResult

CARD = ModelCard("toy", "segmentation", classes=("background", "road", "curb"))
LABELS = np.array([[0, 1, 1], [2, 1, 0]], np.uint8)
SCORES = np.array(
    [
        [[0.7, 0.1, 0.2], [0.2, 0.3, 0.5]],
        [[0.2, 0.8, 0.5], [0.3, 0.6, 0.3]],
        [[0.1, 0.1, 0.3], [0.5, 0.1, 0.2]],
    ],
    np.float32,
)


def encoded(image, kind="PNG", **options):
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


def result(**about):
    return SegmentationResult(about.pop("labels", LABELS), about.pop("card", CARD), **about)


def laid_down(sent):
    """Return the labels of a mask as the page has them."""
    runs, content = sent["runs"], sent["labels"]
    if runs == 0:
        labels = np.frombuffer(zlib.decompress(content), np.uint8)
    else:
        lengths = np.frombuffer(content[runs:], "<u2")
        assert len(lengths) == runs
        labels = np.repeat(np.frombuffer(content[:runs], np.uint8), lengths)
    return labels.reshape(sent["height"], sent["width"])


def noise(width, height):
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


TRANSPARENT = Image.fromarray(np.full((4, 4, 4), 100, np.uint8))  # half transparent gray


# --------------------------------------------------------------------------------- one class

PERSON = ModelCard("toy", "segmentation", classes=("background", "person"))
PROBABILITIES = np.array([[[0.0, 0.25, 0.5], [0.501, 0.75, 1.0]]], np.float32)


def one_class(threshold=0.5, probabilities=PROBABILITIES, **about):
    return SegmentationResult.from_scores(probabilities, PERSON, threshold=threshold, **about)
