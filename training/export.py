"""Write trained weights as the shipped model: ``python -m training.export``."""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path
from xml.etree import ElementTree as ET

import openvino as ov
import torch

from training.card import FOLDER, HEIGHT, NAME, WIDTH, write_card
from training.network import Probabilities, RoadNet


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
