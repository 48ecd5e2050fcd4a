"""Segmentation: a class for every pixel."""

from wasinn_nb.tasks.segmentation.confidence import NEAR_TIE, Confidence
from wasinn_nb.tasks.segmentation.digest import MANY_CLASSES, Digest
from wasinn_nb.tasks.segmentation.masks import blend, colorize, labels_of, resize_labels
from wasinn_nb.tasks.segmentation.result import SegmentationResult
from wasinn_nb.tasks.segmentation.task import MaskReading, with_background

__all__ = [
    "MANY_CLASSES",
    "NEAR_TIE",
    "Confidence",
    "Digest",
    "MaskReading",
    "SegmentationResult",
    "blend",
    "colorize",
    "labels_of",
    "resize_labels",
    "with_background",
]
