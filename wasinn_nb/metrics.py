"""How well labels agree with the truth: confusion matrix, IoU, Dice, accuracy, boundary IoU."""

from wasinn_nb.tasks.segmentation.boundary import DILATION_RATIO, boundary_counts, boundary_iou
from wasinn_nb.tasks.segmentation.metrics import (
    accuracy,
    confusion_matrix,
    dice,
    iou,
    mean_over_classes,
    pixel_accuracy,
    ratio,
)

__all__ = [
    "DILATION_RATIO",
    "accuracy",
    "boundary_counts",
    "boundary_iou",
    "confusion_matrix",
    "dice",
    "iou",
    "mean_over_classes",
    "pixel_accuracy",
    "ratio",
]
