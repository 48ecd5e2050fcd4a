"""The image that a row was made of, as long as it is still what it was."""

from __future__ import annotations

import warnings
from typing import Any

from wasinn_nb.errors import WasiNnError, WasiNnWarning
from wasinn_nb.imaging import EncodedImage, ImageSource
from wasinn_nb.prediction.items import Item, read_item
from wasinn_nb.prediction.remote import is_url, remote_items

__all__ = ["image_of"]


def image_of(values: dict[str, Any]) -> ImageSource | None:
    """Return the image of a row, if it is still there and still the same."""
    raw = values["source_bytes"]
    source = values["source"] if raw is None else raw.decode("utf-8", "surrogateescape")
    if source.startswith("#") or not values["sha256"]:
        return None
    try:
        item = next(remote_items(source)) if is_url(source) else Item(source, values["name"])
        content = read_item(item)
    except (WasiNnError, OSError, ValueError) as error:
        problem = f"it cannot be read: {error}"
    else:
        if content.sha256 == values["sha256"]:
            assert isinstance(content.image, EncodedImage)  # noqa: S101 - it has a path
            return content.image.content
        problem = "it was changed since"
    warnings.warn(
        f"{values['name']}: the result comes without its image, because {problem}",
        WasiNnWarning,
        stacklevel=4,
    )
    return None
