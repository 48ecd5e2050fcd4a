"""What was judged, kept in few bytes, so that it can be looked at later."""

from __future__ import annotations

import hashlib
import os
import zlib
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Final, NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from wasinn_nb import catalog
from wasinn_nb.errors import MissingFileError
from wasinn_nb.files import expanded
from wasinn_nb.imaging import WHOLE, encoded_bytes
from wasinn_nb.prediction import Original
from wasinn_nb.tasks.segmentation import SegmentationResult

__all__ = ["Failed", "Given", "Held", "lasting"]

_PIXEL: Final = np.zeros((1, 1), np.uint8)


class Held(NamedTuple):
    """What a model gave for an image.

    Of 896 x 512 pixels the labels take about 4 kB, and 1 ms.
    """

    result: Any
    """Without its image; that of a mask with a single pixel."""
    labels: bytes
    """Deflated; empty where it is no mask."""
    shape: tuple[int, ...]
    image: Any
    """What the model was given: an absolute path, or the image as it was passed."""
    sha256: str
    """Of the file."""

    @classmethod
    def of(cls, found: Any, given: Any, at_truth: NDArray[np.uint8] | None) -> Held:
        """Return a result without the pixels of its image.

        Parameters
        ----------
        found : SegmentationResult or ClassificationResult
        given : image
            What the model was given.
        at_truth : (H, W) uint8 array, optional
            The labels at the truth's size: where they come from scores, which are not kept.
        """
        image = lasting(catalog.image(given) if isinstance(given, str) else given)
        is_file = isinstance(image, Path) and isinstance(found.image, bytes)
        sha256 = hashlib.sha256(found.image).hexdigest() if is_file else ""
        if not isinstance(found, SegmentationResult):
            return cls(replace(found, image=None), b"", (), image, sha256)
        labels = found.labels
        if found.scores is not None and found.covers == WHOLE and at_truth is not None:
            labels = at_truth
        result = replace(found, labels=_PIXEL, scores=None, image=None)
        return cls(result, _deflated(labels), labels.shape, image, sha256)

    def load(self) -> Any:
        """Return the result without its image."""
        if not self.labels:
            return self.result
        labels = np.frombuffer(zlib.decompress(self.labels), np.uint8).reshape(self.shape)
        return replace(self.result, labels=labels)

    def with_image(self) -> Any:
        """Return the result with its image, where that is not a file."""
        return self.load() if self.original else replace(self.load(), image=self.image)

    @property
    def original(self) -> Original | None:
        """The file that the model was given; None where it was none."""
        return Original(str(self.image), self.sha256) if self.sha256 else None


@dataclass(frozen=True, slots=True)
class Given:
    """A result or a mask as it was passed."""

    item: Any

    def with_image(self) -> Any:
        """Return it."""
        return self.item

    load = with_image
    original: ClassVar[None] = None


@dataclass(frozen=True, slots=True)
class Failed:
    """An image that could not be read."""

    kind: type[Exception]
    message: str

    def with_image(self) -> NoReturn:
        """Raise the error."""
        raise self.kind(self.message)

    load = with_image
    original: ClassVar[None] = None


def lasting(item: Any) -> Any:
    """Return what leads to the same image later: an absolute path; of an open file its bytes."""
    if isinstance(item, str | os.PathLike):
        with suppress(MissingFileError):  # what leads nowhere was named as such already
            item = expanded(item)
        return Path(item).absolute()
    return encoded_bytes(item) if hasattr(item, "read") else item


def _deflated(labels: NDArray[np.uint8]) -> bytes:
    # Masks are runs of one class: with this strategy half the bytes of the usual one, in its time.
    packer = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS, 9, zlib.Z_RLE)
    return packer.compress(labels.tobytes()) + packer.flush()
