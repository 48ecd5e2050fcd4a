"""Importing the package against importing NumPy, each in a fresh interpreter."""

from __future__ import annotations

import subprocess
import sys

from benchmarks.paired import Row, measure, ratio

ROUNDS = 15


def rows() -> list[Row]:
    """Measure and return the ratio; the interpreter's own start is in both."""

    def importing(module: str) -> object:
        return lambda: subprocess.run([sys.executable, "-c", f"import {module}"], check=True)

    seconds = measure({name: importing(name) for name in ("wasinn_nb", "numpy")}, ROUNDS)
    return [
        ratio("import wasinn_nb", "import numpy", seconds["wasinn_nb"], seconds["numpy"], "<= 1.5")
    ]
