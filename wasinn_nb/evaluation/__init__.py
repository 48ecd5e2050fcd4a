"""Judging predictions by ground truth: masks pixel by pixel, classifications image by image."""

from wasinn_nb.evaluation.class_maps import ClassMap
from wasinn_nb.evaluation.judging import evaluate
from wasinn_nb.evaluation.labels import LabelSet
from wasinn_nb.evaluation.ranking import ClassificationEvaluation
from wasinn_nb.evaluation.result import Evaluation

__all__ = ["ClassMap", "ClassificationEvaluation", "Evaluation", "LabelSet", "evaluate"]
