"""The folder where OpenVINO keeps compiled models."""

from __future__ import annotations

from pathlib import Path

import openvino as ov

from wasinn_nb import settings
from wasinn_nb.abi import GraphEncoding
from wasinn_nb.errors import UnwritableError
from wasinn_nb.runtimes.layers import is_numbered
from wasinn_nb.wording import inert

__all__ = ["cache_folder", "with_lasting_names"]


def cache_folder() -> Path | None:
    """Return the folder that ``WASINN_NB_MODEL_CACHE`` names, made where it is missing.

    Raises
    ------
    UnwritableError
        If it cannot be made.
    """
    folder = settings.model_cache()
    if folder is None:
        return None
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnwritableError(
            f"WASINN_NB_MODEL_CACHE: expected a folder for compiled models, {inert(str(folder))} "
            f"cannot be made: {error.strerror or error}; set it to another folder, or not at all"
        ) from error
    return folder


def with_lasting_names(model: ov.Model, encoding: GraphEncoding | None = None) -> ov.Model:
    """Return a model whose nodes are called the same each time it is made.

    Nodes without a name are numbered through a whole process, and OpenVINO tells models apart by
    their names, too: the second model of a process would never be found again.

    Parameters
    ----------
    model : openvino.Model
        Its nodes are renamed.
    encoding : GraphEncoding, optional
        What it was read from.  Of TensorFlow Lite all names that end in a number are generated,
        also those that OpenVINO passes on from nodes that it has removed.
    """
    numbered = encoding is GraphEncoding.TENSORFLOWLITE
    for index, node in enumerate(model.get_ordered_ops()):
        name = node.get_friendly_name()
        if name == node.get_name() or (numbered and is_numbered(name)):
            node.set_friendly_name(f"{node.get_type_name()}-{index}")
    for index, output in enumerate(model.outputs):
        if output.get_names() == {output.get_node().get_name()}:
            output.get_tensor().set_names({f"output-{index}"})
    return model
