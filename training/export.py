"""Write trained weights as the shipped model: ``python -m training.export``."""

from __future__ import annotations

import argparse
import hashlib
import json
import warnings
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import openvino as ov
import torch

from training.network import Probabilities, RoadNet
from training.scenes import CLASSES, PALETTE

NAME = "road-segmentation-synth-0001"
FOLDER = Path(__file__).resolve().parent.parent / "data" / "models" / NAME
HEIGHT, WIDTH = 512, 896

DESCRIPTION = "Road, curbs and marks from a car's camera; trained on drawn street scenes only."


def load_network(weights: Path) -> RoadNet:
    """Return the network with the weights of a file, ready for inference."""
    network = RoadNet()
    network.load_state_dict(torch.load(weights, weights_only=True))
    return network.eval()


def convert(network: RoadNet) -> ov.Model:
    """Return the OpenVINO model: input ``data``, output ``probabilities``, all shapes fixed."""
    shape = [1, 3, HEIGHT, WIDTH]
    example = torch.zeros(shape)
    with warnings.catch_warnings():
        # OpenVINO still traces modules with torch.jit, which PyTorch has deprecated.
        warnings.simplefilter("ignore", DeprecationWarning)
        wrapped = Probabilities(network).eval()
        model = ov.convert_model(wrapped, example_input=example, input=[shape])
    model.inputs[0].get_tensor().set_names({"data"})
    model.inputs[0].get_node().set_friendly_name("data")
    model.outputs[0].get_tensor().set_names({"probabilities"})
    model.outputs[0].get_node().set_friendly_name("probabilities")
    return model


def write(model: ov.Model, folder: Path) -> None:
    """Save xml and bin with fp16 weights, without the notes that the converter leaves."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{NAME}.xml"
    ov.save_model(model, path, compress_to_fp16=True)
    tree = ET.parse(path)
    root = tree.getroot()
    root.set("name", NAME)
    for notes in root.findall("rt_info"):
        root.remove(notes)
    tree.write(path, encoding="utf-8", xml_declaration=True)


def card(folder: Path, figures: dict[str, float]) -> dict[str, Any]:
    """Return the model card for the files of a folder."""
    files = []
    for suffix in ("xml", "bin"):
        content = (folder / f"{NAME}.{suffix}").read_bytes()
        digest = hashlib.sha384(content).hexdigest()
        files.append({"name": f"{NAME}.{suffix}", "bytes": len(content), "sha384": digest})
    return {
        "name": NAME,
        "task": "segmentation",
        "description": DESCRIPTION,
        "classes": list(CLASSES),
        "palette": [list(colour) for colour in PALETTE],
        "recipe": {
            "height": HEIGHT,
            "width": WIDTH,
            "layout": "NCHW",
            "color": "BGR",
            "type": "f32",
            "range": [0, 255],
            "mean": [0, 0, 0],
            "scale": [1, 1, 1],
            "resize": "bilinear",
            "exif": "ignore",
        },
        "encoding": "openvino",
        "precisions": {"FP16": files},
        "license": "Apache-2.0",
        "source": "training/ of this project",
        "figures": figures,
    }


def write_card(folder: Path, figures: dict[str, float]) -> None:
    """Write ``card.json`` beside the model."""
    text = json.dumps(card(folder, figures), indent=2) + "\n"
    (folder / "card.json").write_text(text, encoding="utf-8")


def main() -> None:
    """Convert the weights and write xml, bin, and a card whose figures are yet to be measured."""
    parser = argparse.ArgumentParser(prog="python -m training.export", description=__doc__)
    parser.add_argument("--weights", type=Path, default=Path("build/training/weights.pt"))
    parser.add_argument("--out", type=Path, default=FOLDER)
    options = parser.parse_args()
    write(convert(load_network(options.weights)), options.out)
    write_card(options.out, {})
    print(f"{options.out}: measure it with `python -m training.evaluate --write-card`")


if __name__ == "__main__":
    main()
