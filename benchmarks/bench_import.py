"""Starting: the import against NumPy's, the help, and the first mask of a new process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import wasinn_nb as wn
from benchmarks.paired import Row, measure, ratio

ROUNDS = 15
COLD_ROUNDS = 7
HELP_SECONDS = 0.4

# What a person writes with OpenVINO alone: import, read, compile, decode, resize, infer.
MINIMAL = """
import sys
import numpy as np
import openvino as ov
from PIL import Image
model, image = sys.argv[1:]
compiled = ov.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
height, width = compiled.input(0).shape[2:]
pixels = Image.open(image).convert("RGB").resize((width, height), Image.Resampling.BILINEAR)
tensor = np.asarray(pixels)[None, :, :, ::-1].transpose(0, 3, 1, 2).astype(np.float32)
compiled(tensor)[0].argmax(1)
"""
OURS = """
import sys
import wasinn_nb as wn
model, image = sys.argv[1:]
wn.segment(image, model)
"""


def rows() -> list[Row]:
    """Measure and return the ratios; the interpreter's own start is in both sides."""
    # As for a person who starts it the second time: the bytecode of both sides is there.
    environ = {name: one for name, one in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}

    def program(*words: str) -> Callable[[], object]:
        command = [sys.executable, *words]
        return lambda: subprocess.run(command, stdout=subprocess.DEVNULL, check=True, env=environ)

    seconds = measure(
        {name: program("-c", f"import {name}") for name in ("wasinn_nb", "numpy")}
        | {"help": program("-m", "wasinn_nb.cli", "--help")},
        ROUNDS,
    )
    words = str(wn.model().path), str(wn.image())
    cold = measure(
        {"ours": program("-c", OURS, *words), "minimal": program("-c", MINIMAL, *words)},
        COLD_ROUNDS,
    )
    limit = [HELP_SECONDS] * ROUNDS
    return [
        ratio("import wasinn_nb", "import numpy", seconds["wasinn_nb"], seconds["numpy"], "<= 0.3"),
        ratio("wasinn-nb --help", f"{HELP_SECONDS} s", seconds["help"], limit, "<= 1"),
        ratio(
            "first mask, new process", "OpenVINO alone", cold["ours"], cold["minimal"], "<= 1.15"
        ),
    ]
