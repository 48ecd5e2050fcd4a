"""Conformance vectors: an image, its input tensor, and its expected output."""

from __future__ import annotations

import hashlib
import io
from typing import Final

import numpy as np
from PIL import Image

from wasinn_nb import catalog
from wasinn_nb.deployment.facts import VECTORS
from wasinn_nb.deployment.planning import DeploymentPlan
from wasinn_nb.errors import RuntimeFailure
from wasinn_nb.host import GuestRun
from wasinn_nb.imaging import (
    EncodedImage,
    ImageSource,
    PreprocessRecipe,
    image_to_tensor,
    open_for,
    read_encoded,
    rgb_image,
    rgb_pixels,
    rgba_image,
)
from wasinn_nb.tasks.segmentation import MaskReading
from wasinn_nb.tensor import Tensor, tensor_files
from wasinn_nb.transaction import Contents

__all__ = ["IMAGE", "expected_files", "vector_image"]

IMAGE: Final = f"{VECTORS}/image.png"
_PNG_START: Final = b"\x89PNG\r\n\x1a\n"
_WITH_ALPHA: Final = frozenset({"LA", "RGBA"})
_PNG_MODES: Final = _WITH_ALPHA | {"1", "L", "RGB"}
# Of deflate's levels: half the time of the default for a few percent more bytes.
_COMPRESSION: Final = 3
_MOST_BYTES: Final = 1 << 24
"""Of an expected output that is kept whole."""


def vector_image(image: ImageSource | None, recipe: PreprocessRecipe) -> bytes:
    """Return an image as PNG, whose pixels every decoder gives alike.

    A PNG file stays as it is.

    Parameters
    ----------
    image : path, name of a shipped image, bytes, binary file, PIL.Image or array, optional
    recipe : PreprocessRecipe
        Says whether the EXIF orientation is applied, which a file that is made here does not have.

    Raises
    ------
    ImageError, MissingFileError
        If it cannot be read.
    """
    if image is None or isinstance(image, str):
        image = catalog.image(image)
    source: ImageSource | EncodedImage = image
    if not isinstance(image, Image.Image | np.ndarray):
        source = encoded = read_encoded(image)
        if encoded.content.startswith(_PNG_START):
            open_for(encoded, recipe)  # a damaged one is refused here
            return encoded.content
    file = io.BytesIO()
    _plain(open_for(source, recipe).image).save(file, "PNG", compress_level=_COMPRESSION)
    return file.getvalue()


def _plain(image: Image.Image) -> Image.Image:
    """Return an image in a mode of PNG, without what files have besides: EXIF data, profiles."""
    if image.mode.startswith("I"):
        return Image.fromarray(np.ascontiguousarray(rgb_pixels(image)[:, :, 0]))
    if image.has_transparency_data and image.mode not in _WITH_ALPHA:
        image = rgba_image(image)
    elif image.mode not in _PNG_MODES:
        image = rgb_image(image)
    return Image.fromarray(np.asarray(image))


def expected_files(
    plan: DeploymentPlan, run: GuestRun, image: bytes, tolerance: float
) -> tuple[dict[str, object], dict[str, Contents]]:
    """Return the facts of a vector, and its files by their paths in the bundle.

    Parameters
    ----------
    plan : DeploymentPlan
    run : GuestRun
        The guest's on *image*.
    image : bytes
    tolerance : float

    Raises
    ------
    RuntimeFailure
        If the guest's input is not that of `image_to_tensor`.
    """
    tensor = image_to_tensor(image, plan.recipe)
    if not run.inputs or run.inputs[-1] != tensor or not run.outputs:
        raise RuntimeFailure(
            "the guest's input tensor is not the one that image_to_tensor makes; the bundle is not "
            "written. Please report the image and the recipe"
        )
    output = run.outputs[-1]
    files: dict[str, Contents] = {}
    names: dict[str, str | None] = {"tensor": None, "labels": None}
    if output.nbytes <= _MOST_BYTES:
        names["tensor"] = name = f"expected-{output.signature}.tensor"
        files |= tensor_files(name, output, {"model": {"name": plan.card.name}})
    elif isinstance(plan.reading, MaskReading):
        names["labels"] = name = "expected-labels.png"
        files[name] = _labels(plan.reading, output)
    facts: dict[str, object] = {
        "image_sha256": hashlib.sha256(image).hexdigest(),
        "input_sha256": tensor.sha256(),
        "output_sha256": output.sha256(),
        **{kind: name and f"{VECTORS}/{name}" for kind, name in names.items()},
        "tolerance": tolerance,
        "runtime": run.runtime,
        "precision": "f32",
    }
    return facts, {f"{VECTORS}/{name}": data for name, data in files.items()}


def _labels(reading: MaskReading, output: Tensor) -> bytes:
    """Return the label of each pixel of the model's mask, as an index mask."""
    head = reading.head
    if head.reduce == "none":
        head = type(head)(head.output, head.planes, head.channels_last, "threshold")
    labels = head.apply(output)[0].to_array()[0]
    file = io.BytesIO()
    Image.fromarray(labels).save(file, "PNG")
    return file.getvalue()
