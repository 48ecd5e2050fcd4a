"""Classification: classes of a whole image, the most probable first."""

from wasinn_nb.tasks.classification.result import (
    CLASSIFICATION_FORMAT,
    ClassificationResult,
    SavedScores,
)
from wasinn_nb.tasks.classification.task import ScoresReading

__all__ = ["CLASSIFICATION_FORMAT", "ClassificationResult", "SavedScores", "ScoresReading"]
