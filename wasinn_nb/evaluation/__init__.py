"""Judging predictions by ground truth: masks pixel by pixel, classifications image by image."""

from wasinn_nb.evaluation.class_maps import ClassMap
from wasinn_nb.evaluation.counts import ImageCounts
from wasinn_nb.evaluation.judged_rows import JudgedRows
from wasinn_nb.evaluation.judging import evaluate
from wasinn_nb.evaluation.labels import LabelSet
from wasinn_nb.evaluation.names import short_names
from wasinn_nb.evaluation.pairs import named, paired
from wasinn_nb.evaluation.ranking import ClassificationEvaluation
from wasinn_nb.evaluation.ranks import Rank
from wasinn_nb.evaluation.result import Evaluation
from wasinn_nb.evaluation.samples import WRONG
from wasinn_nb.evaluation.suffixes import Suffixes
from wasinn_nb.evaluation.true_masks import TrueMasks, row_names

__all__ = [
    "WRONG",
    "ClassMap",
    "ClassificationEvaluation",
    "Evaluation",
    "ImageCounts",
    "JudgedRows",
    "LabelSet",
    "Rank",
    "Suffixes",
    "TrueMasks",
    "evaluate",
    "named",
    "paired",
    "row_names",
    "short_names",
]
