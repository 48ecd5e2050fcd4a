"""Whether two programs did the same, and where they first diverged."""

from wasinn_nb.comparison.comparing import compare
from wasinn_nb.comparison.ranking import ClassRank
from wasinn_nb.comparison.verdict import Change, Comparison, Step, Verdict

__all__ = ["Change", "ClassRank", "Comparison", "Step", "Verdict", "compare"]
