"""An example of each verb, and the verbs of what Python calls otherwise."""

from __future__ import annotations

from typing import Final

__all__ = ["EXAMPLES", "OTHER_NAMES"]

EXAMPLES: Final = {
    "segment": "wasinn-nb segment image.jpg --output out",
    "classify": "wasinn-nb classify image.jpg --model pets.onnx",
    "run": "wasinn-nb run guest.wasm --dir .:. -- model.xml image.jpg",
    "predict": "wasinn-nb predict images --store runs/a",
    "predictions": "wasinn-nb predictions runs/a --worst 10",
    "gallery": "wasinn-nb gallery runs/a --html all.html",
    "compare": "wasinn-nb compare here.tensor there.tensor",
    "diagnose": "wasinn-nb diagnose fed.tensor --image image.jpg",
    "evaluate": "wasinn-nb evaluate images masks --html report.html",
    "quantize": "wasinn-nb quantize mine.onnx images --output int8",
    "bundle": "wasinn-nb bundle mine.xml folder",
    "inspect": "wasinn-nb inspect mine.onnx",
    "card": "wasinn-nb card mine.onnx --classes road,sky --color RGB",
    "bench": "wasinn-nb bench image.jpg --target CPU --target GPU",
}
"""Verb → a command line, short enough for a box of 80 columns."""

OTHER_NAMES: Final = {
    "describe": "inspect",
    "fetch": "inspect",
    "engines": "devices",
    "read_predictions": "predictions",
    "run_guest": "run",
}
"""Function of the package → the verb that does the same."""
