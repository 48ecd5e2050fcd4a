"""Whether two programs did the same, and where they first diverged."""

from wasinn_nb.comparison.agreement import TOLERANCE
from wasinn_nb.comparison.chain import Chain
from wasinn_nb.comparison.changes import Change, change_colors
from wasinn_nb.comparison.comparing import compare
from wasinn_nb.comparison.difference import Difference
from wasinn_nb.comparison.layers import LayerComparison, LayerDifference
from wasinn_nb.comparison.models import compare_layers
from wasinn_nb.comparison.ranking import ClassRank
from wasinn_nb.comparison.result import Comparison, Step, Verdict

__all__ = [
    "TOLERANCE",
    "Chain",
    "Change",
    "ClassRank",
    "Comparison",
    "Difference",
    "LayerComparison",
    "LayerDifference",
    "Step",
    "Verdict",
    "change_colors",
    "compare",
    "compare_layers",
]
