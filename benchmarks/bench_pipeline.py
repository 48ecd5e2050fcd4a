"""File to mask, one 1920x1080 JPEG: `Pipeline` against the paths that people write.

All of them decode the same file and run the same model on the CPU at f32 with the same hint.
The limit is what nobody can go below: decoding plus bare inference on a tensor made before.
"""

from __future__ import annotations

import logging
import os
import tempfile
from pathlib import Path

import cv2
import numpy as np
import openvino as ov
from PIL import Image

import wasinn_nb as wn
from benchmarks.paired import Row, measure, ratio

CONFIG = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
ROUNDS = 40
OTHER_PIXELS = 0.0005  # of a mask, at most, that the default filter may give another class


def full_hd(folder: Path) -> Path:
    """Return a 1920x1080 JPEG: the reference image, or a shipped image enlarged."""
    shared = Path(os.environ.get("WASINN_NB_SHARED", "../shared")) / "images"
    found = shared / "empty_road_mapillary.jpg"
    source = found if found.is_file() else wn.image()
    path = folder / "full-hd.jpg"
    image = Image.open(source).convert("RGB").resize((1920, 1080), Image.Resampling.LANCZOS)
    image.save(path, quality=92)
    return path


def model_file() -> str:
    """Return the path of the real road model where it is, else of the shipped one."""
    shared = Path(os.environ.get("WASINN_NB_SHARED", "../shared")) / "models"
    found = shared / "road-segmentation-adas-0001.xml"
    return str(found if found.is_file() else wn.model().path)


def rows() -> list[Row]:
    """Measure and return the ratios."""
    with tempfile.TemporaryDirectory() as folder:
        path, model = str(full_hd(Path(folder))), model_file()
        core = ov.Core()
        compiled = core.compile_model(model, "CPU", CONFIG)
        height, width = compiled.input(0).shape[2:]
        output = compiled.output(0)

        exact = wn.Pipeline(model, "CPU", precision="f32", resize="bilinear")
        draft = wn.Pipeline(model, "CPU", precision="f32", resize="bilinear-draft")
        guest = wn.Pipeline(model, "CPU", precision="f32", resize="triangle")

        def article() -> np.ndarray:
            image = Image.open(path).convert("RGB").resize((width, height))
            pixels = np.array(image)[:, :, ::-1]
            tensor = np.expand_dims(np.transpose(pixels, (2, 0, 1)), 0).astype(np.float32)
            return np.argmax(compiled([tensor])[output][0], axis=0)

        def hello_segmentation() -> np.ndarray:
            image = cv2.imread(path)
            cv2.cvtColor(image, cv2.COLOR_BGR2RGB)  # the notebook shows it beside the mask
            resized = cv2.resize(image, (width, height))
            tensor = np.expand_dims(resized.transpose(2, 0, 1), 0)
            return np.argmax(compiled([tensor])[output], axis=1)

        model_api = _model_api(core, model)

        request = compiled.create_infer_request()
        fixed = ov.Tensor(np.zeros((1, 3, height, width), np.float32))
        request.set_input_tensor(0, fixed)

        def limit() -> None:
            Image.open(path).load()
            request.start_async()
            request.wait()

        seconds = measure(
            {
                "bilinear": lambda: exact(Path(path)),
                "draft": lambda: draft(Path(path)),
                "article": article,
                "hello": hello_segmentation,
                "model_api": lambda: model_api(cv2.imread(path)),
                "limit": limit,
            },
            ROUNDS,
        )
        reference = guest(Path(path)).labels
        image = cv2.imread(path)[:, :, ::-1]
        masks = {
            "bilinear": exact(Path(path)).labels,
            "bilinear-draft": draft(Path(path)).labels,
            "cv2.resize": guest(np.ascontiguousarray(cv2.resize(image, (width, height)))).labels,
        }
    same = {name: float((mask == reference).mean()) for name, mask in masks.items()}
    for name, part in same.items():
        print(f"mask by {name}: {part:.2%} of that of a Rust guest")
    others = [(1 - same["bilinear"]) / OTHER_PIXELS] * 2
    table = [ratio("pixels unlike a Rust guest's", "0.05 %", others, [1.0, 1.0], "<= 1.0")]
    for filter_, ours in (("bilinear-draft", seconds["draft"]), ("bilinear", seconds["bilinear"])):
        what = f"file to mask, {filter_}"
        table += [
            ratio(what, "limit: decode + bare inference", ours, seconds["limit"], "<= 1.10"),
            ratio(what, "Pillow and NumPy, as the article", ours, seconds["article"], "< 1"),
            ratio(what, "cv2 and NumPy, as hello-segmentation", ours, seconds["hello"], "< 1"),
            ratio(what, "OpenVINO Model API", ours, seconds["model_api"], "< 1"),
        ]
    return table


def _model_api(core: ov.Core, model: str) -> object:
    from model_api.adapters import OpenvinoAdapter
    from model_api.models import SegmentationModel

    logging.getLogger().setLevel(logging.ERROR)
    adapter = OpenvinoAdapter(core, model, device="CPU", plugin_config=CONFIG)
    configuration = {"soft_threshold": 0.0, "blur_strength": -1, "return_soft_prediction": False}
    return SegmentationModel(adapter, configuration, preload=True)
