"""Which images calibrate a model, and which judge it: never the same pixels."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.errors import ImageError, InvalidArgumentError, Remedy, WasiNnError
from wasinn_nb.evaluation import short_names
from wasinn_nb.imaging import (
    IMAGE_SUFFIXES,
    EncodedImage,
    ImageSource,
    PreprocessRecipe,
    image_to_tensor,
    open_image,
)
from wasinn_nb.prediction import Item, Predictions, listing, read_item
from wasinn_nb.progress import Progress, progress_bar
from wasinn_nb.quantization.stages import Stages
from wasinn_nb.wording import counted, listed

__all__ = ["UNREADABLE", "Sample", "Split", "Tensors", "Unreadable", "reasons", "split"]

_JUDGED_OF: Final = 4  # where one folder is for both, one image of so many judges
_NAMED: Final = 3
_SAME_AS_RGB: Final = {"1", "L", "LA", "P", "RGBA"}  # modes in which a format may hold RGB

_Read = TypeVar("_Read")

UNREADABLE: Final = (ImageError, OSError)
"""What is raised where an image cannot be read."""


Unreadable: TypeAlias = tuple[str, str]
"""The name of an image that cannot be read, and the reason."""


class Sample(NamedTuple):
    """An image by its content."""

    name: str
    item: Item
    sha256: str
    """Empty where the file cannot be read: it may have a mask all the same."""

    def image(self) -> ImageSource:
        """Return the image: the path of a file, else its content."""
        if not self.item.in_memory and self.item.place is None:
            return Path(self.item.source)
        found = read_item(self.item).image
        return found.content if isinstance(found, EncodedImage) else found


class Split(NamedTuple):
    """Which images are for what."""

    calibration: tuple[Sample, ...]
    judged: tuple[Sample, ...]
    masked: tuple[Sample, ...]
    """Those to which masks belong, in the order in which they were given."""
    unreadable: tuple[Unreadable, ...] = ()
    """Those that were passed over; the images that judge are not decoded yet."""


def split(images: Any, test_images: Any, subset: int, progress: Progress = False) -> Split:
    """Return which images calibrate and which judge.

    Parameters
    ----------
    images : as for `quantize`
    test_images : as for `quantize`, or None
        Where there are none, one of four images judges, chosen by content, so that copies of one
        file are on one side; what has the pixels of one that judges does not calibrate.
    subset : int
        How many images calibrate at most, evenly chosen.
    progress : bool or callable
        While images are read.

    Raises
    ------
    InvalidArgumentError
        If there are too few, or an image is on both sides.
    """
    masked, unreadable = _samples(images, progress)
    own = [sample for sample in masked if sample.sha256]
    if test_images is None:
        ordered = sorted(own, key=lambda sample: sample.sha256)
        judged = {sample.sha256 for sample in ordered[::_JUDGED_OF]}
        calibration = [sample for sample in own if sample.sha256 not in judged]
        tested = [sample for sample in own if sample.sha256 in judged]
    else:
        masked, more = _samples(test_images, progress)
        tested = [sample for sample in masked if sample.sha256]
        calibration, unreadable = own, [*unreadable, *more]
        by_content = {sample.sha256 for sample in calibration}
        _refuse_both([sample.name for sample in tested if sample.sha256 in by_content])
    if not calibration or not tested:
        first = [*calibration, *tested][:_NAMED]
        broken = [(one.item.name, problem) for one in first if (problem := _decoded(one).problem)]
        names = {name for name, _ in broken}
        calibrating, judging = (
            sum(sample.item.name not in names for sample in side) for side in (calibration, tested)
        )
        raise _too_few(calibrating, judging, [*unreadable, *broken])
    pixels = {
        digest
        for sample in _reading(tested, len(tested), progress)
        if (digest := _decoded(sample).pixels)
    }
    kept, broken, copies = _calibrating(calibration, subset, pixels)
    if test_images is not None:
        _refuse_both(copies)
    unreadable += broken
    if not kept:
        raise _too_few(0, len(tested), unreadable)
    return Split(tuple(kept), tuple(tested), tuple(masked), tuple(unreadable))


def reasons(unreadable: Sequence[Unreadable]) -> list[str]:
    """Return the reasons of some images with their names, and how many more there are.

    Parameters
    ----------
    unreadable : sequence of (str, str)

    Examples
    --------
    >>> reasons([("a.png", "a.png: empty"), ("b.png", "gone")])
    ['a.png: empty', 'b.png: gone']
    """
    texts = [
        reason if name in reason else f"{name}: {reason}" for name, reason in unreadable[:_NAMED]
    ]
    more = len(unreadable) - len(texts)
    return [*texts, f"{counted(more, 'image')} more cannot be read"] if more else texts


def _too_few(
    calibrating: int, judging: int, unreadable: Sequence[Unreadable]
) -> InvalidArgumentError:
    problem = "expected images to calibrate the model and others to judge it, got"
    return InvalidArgumentError(
        "; ".join([f"{problem} {calibrating} and {judging}", *reasons(unreadable)])
    )


def _refuse_both(names: Sequence[str]) -> None:
    """Raise an error where images would calibrate and judge."""
    if names:
        raise InvalidArgumentError(
            f"{counted(len(names), 'image')} would calibrate the model and judge it, too: "
            f"{listed(names, _NAMED)}",
            remedy=Remedy(
                "take them out of images or of test_images; without test_images, one image of "
                "four is kept for judging",
                command="take them out of one of the folders; without --test, one image of "
                "four is kept for judging",
            ),
        )


def _calibrating(
    samples: Sequence[Sample], subset: int, judging: Collection[str]
) -> tuple[list[Sample], list[Unreadable], list[str]]:
    """Return the images that calibrate, evenly chosen.

    Beside them, what cannot be decoded, and the names of those whose pixels are *judging*.
    """
    left, known = [*range(len(samples))], dict[int, _Decoded]()
    while True:
        places = np.linspace(0, len(left) - 1, min(subset, len(left))).round()
        chosen = [left[int(place)] for place in places]
        known |= {n: _decoded(samples[n]) for n in chosen if n not in known}
        unfit = {n for n, one in known.items() if one.problem or one.pixels in judging}
        if unfit.isdisjoint(chosen):
            broken = [(samples[n].item.name, one.problem) for n, one in known.items()]
            copies = [samples[n].name for n, one in known.items() if one.pixels in judging]
            return (
                [samples[number] for number in chosen],
                [(name, problem) for name, problem in broken if problem],
                copies,
            )
        left = [number for number in left if number not in unfit]


class _Decoded(NamedTuple):
    """What decoding an image tells."""

    pixels: str = ""
    """What is the same for files of the same pixels, whatever their format."""
    problem: str = ""
    """Why it cannot be decoded; empty where it can."""


def _decoded(sample: Sample) -> _Decoded:
    try:
        image = open_image(sample.image())
    except UNREADABLE as error:
        return _Decoded(problem=str(error))
    if image.mode in _SAME_AS_RGB:
        image = image.convert("RGB")
    digest = hashlib.blake2b(f"{image.mode} {image.size} ".encode(), digest_size=32)
    digest.update(image.tobytes())
    return _Decoded(digest.hexdigest())


def _samples(images: Any, progress: Progress) -> tuple[list[Sample], list[Unreadable]]:
    """Return images, and what could not be read; that has no SHA-256."""
    if isinstance(images, Predictions):
        rows = images.rows(("source", "source_bytes", "name"))
        images = [(row["name"], _source(row)) for row in rows]
    samples: list[Sample] = []
    unreadable: list[Unreadable] = []
    found = listing(images)
    for item in _reading(found, found.count, progress):
        try:
            sha256 = read_item(item).sha256
        except (WasiNnError, OSError) as error:
            sha256 = ""
            unreadable.append((item.name, str(error)))
        samples.append(Sample(item.name, item, sha256))
    names = short_names([Path(sample.name) for sample in samples], IMAGE_SUFFIXES)
    named = [one._replace(name=name) for one, name in zip(samples, names, strict=True)]
    return named, unreadable


def _reading(things: Iterable[_Read], total: int | None, progress: Progress) -> Iterator[_Read]:
    """Show a bar while images are read."""
    yield from progress_bar(
        things,
        progress=progress,
        total=total,
        desc="quantize, reading images",
        unit="image",
        leave=False,
    )


def _source(row: dict[str, Any]) -> str:
    raw = row["source_bytes"]
    return str(row["source"]) if raw is None else raw.decode("utf-8", "surrogateescape")


class Tensors:
    """What images are as a model takes them; made anew each time that they are gone through.

    Parameters
    ----------
    samples : sequence of Sample
    recipe : PreprocessRecipe
    stages : Stages
        Told of each of them.
    """

    def __init__(self, samples: Sequence[Sample], recipe: PreprocessRecipe, stages: Stages) -> None:
        self._samples, self._recipe, self._stages = samples, recipe, stages

    def __iter__(self) -> Iterator[NDArray[Any]]:
        self._stages.begin("calibrating")
        try:
            for sample in self._samples:
                try:
                    yield image_to_tensor(sample.image(), self._recipe).to_array()
                finally:  # the last one is taken without asking for another
                    self._stages.step()
        finally:
            self._stages.begin("rounding the weights")

    def __len__(self) -> int:
        return len(self._samples)
