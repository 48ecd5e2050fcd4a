"""Which value of a mask is which class."""

from __future__ import annotations

import operator
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.cards import unnamed_classes
from wasinn_nb.errors import ImageError, InvalidArgumentError, Remedy, TensorError
from wasinn_nb.imaging import ImageSource, StoredMask, rgb_image, stored_mask
from wasinn_nb.render import RGB
from wasinn_nb.wording import counted, no_such

__all__ = ["IGNORED", "Classes", "LabelSet", "known_class", "label_set"]

Classes: TypeAlias = int | Sequence[str] | Mapping[str, int | RGB]
"""The data's classes: how many, their names in the order of their labels, or name → value."""

IGNORED: Final = 255
"""The index of a pixel that does not count."""

_UNKNOWN: Final = 254
_MOST: Final = 250  # classes: below the two indices above, with room for "other"
_LISTED_VALUES: Final = 8
_MANY_VALUES: Final = 16  # more are seldom a slip in naming classes
_WHITE_LABEL: Final = 255  # of the class in masks that are black and white images


@dataclass(frozen=True)
class LabelSet:
    """The values that a mask may hold, and the classes that they stand for.

    Parameters
    ----------
    names : tuple of str
        The classes.
    values : tuple of int, or of (red, green, blue)
        The value of each class: its label in an index mask, or its color in an RGB mask.
    ignored : tuple of int, or of (red, green, blue)
        Values whose pixels do not count; they may be those of classes.

    Examples
    --------
    >>> colors = LabelSet(("void", "road"), ((0, 0, 0), (128, 64, 128)))
    >>> colors.indices(np.array([[[0, 0, 0], [128, 64, 128]]], np.uint8), "the mask")
    array([[0, 1]], dtype=uint8)
    >>> LabelSet(("a", "b"), (0, 1), (255,)).indices(np.array([[1, 255, 7]]), "the mask")
    Traceback (most recent call last):
    ...
    wasinn_nb.errors.TensorError: the mask: expected the labels 0 (a), 1 (b), 255 (ignored), got 7
    (1 pixel); name it in classes, or leave it out with ignore
    """

    names: tuple[str, ...]
    values: tuple[Any, ...]
    ignored: tuple[Any, ...] = field(default=())

    @property
    def colored(self) -> bool:
        """Whether the masks are RGB images."""
        return isinstance((*self.values, *self.ignored)[0], tuple)

    def indices(
        self, source: ImageSource | StoredMask, name: str, *, predicted: bool = False
    ) -> NDArray[np.uint8]:
        """Return the class of each pixel of a mask: an index of `names`, or `IGNORED`.

        Parameters
        ----------
        source : path, bytes, binary file, PIL.Image, integer array or StoredMask
        name : str
            What the mask is called in errors.
        predicted : bool
            Whether it is a prediction, whose values cannot be ignored.

        Raises
        ------
        TensorError
            If it holds values that are not classes.
        ImageError
            If it is not a mask of this kind, or comes from a lossy format.
        MissingFileError
            If a path leads nowhere.
        """
        mask = source if isinstance(source, StoredMask) else stored_mask(source, name)
        values = self._values(mask, name)
        dimensions, expected = (
            (3, "an (H, W, 3) uint8") if self.colored else (2, "an (H, W) integer")
        )
        fits = values.dtype == np.uint8 if self.colored else values.dtype.kind in "biu"
        if values.ndim == 2 and values.dtype.kind == "f" and not self.colored:
            wrong = values[~np.isfinite(values) | (values != np.rint(values))]
            got = (
                f"got {wrong[0]:g} among {values.dtype}" if wrong.size else f"got {values.max():g}"
            )
            raise ImageError(f"{name}: expected whole numbers as labels, {got}")
        if values.ndim != dimensions or not fits or (self.colored and values.shape[2] != 3):
            raise ImageError(
                f"{name}: expected {expected} array, got {values.shape} {values.dtype}"
            )
        if not values.size:
            raise ImageError(f"{name}: the mask has no pixels: its shape is {values.shape}")
        codes = _codes(values) if self.colored else values
        found = self._looked_up(codes)
        if mask.lossy or (found == _UNKNOWN).any():
            known = codes[found != _UNKNOWN]
            wrong = codes[found == _UNKNOWN]
            if mask.loaded and not self.colored:
                raise TensorError(
                    f"{name}: its labels are {mask.loaded}: a PIL.Image that is loaded has lost "
                    f"how many bits they had",
                    remedy=Remedy("pass the path of the file, or an array of labels"),
                )
            self._refuse(wrong, known, name, mask.lossy, predicted=predicted)
        return found

    def _values(self, mask: StoredMask, name: str) -> NDArray[Any]:
        """Return the labels, or the colors, that a mask holds."""
        image = mask.source
        values = mask.colors if self.colored else mask.samples
        if values is not None:
            return values
        if isinstance(image, np.ndarray):
            return image
        if mask.cut:
            raise ImageError(
                f"{name}: expected an index or palette mask, got an image of mode {image.mode} "
                f"with 16 bits in each channel, of which 8 are read; export it again with one "
                f"channel, or state the colors of the classes"
            )
        colors = rgb_image(image).getcolors(1 << 24) or []
        most = ", ".join(str(color) for _, color in sorted(colors, reverse=True)[:4])
        raise ImageError(
            f"{name}: expected an index or palette mask, got an image of mode {image.mode} with "
            f"{len(colors)} color{'' if len(colors) == 1 else 's'}, most of it {most}",
            remedy=Remedy(
                'say which color is which class: classes={"NAME": (red, green, blue), …}',
                command="say which color is which class: --color NAME=RRGGBB, again for more",
            ),
        )

    @cached_property
    def _table(self) -> NDArray[np.uint8]:
        """The index of each value that a byte, two bytes or a color can have."""
        table = np.full(1 << 24 if self.colored else 1 << 16, _UNKNOWN, np.uint8)
        for index, value in enumerate(self.values):
            table[_code(value)] = index
        for value in self.ignored:
            if 0 <= _code(value) < table.size:
                table[_code(value)] = IGNORED
        return table

    def _looked_up(self, codes: NDArray[Any]) -> NDArray[np.uint8]:
        if codes.dtype.kind == "b":
            codes = np.where(codes, np.uint8(1), np.uint8(0))  # Pillow's are 0 and 255
        if self.colored or codes.dtype in {np.dtype(np.uint8), np.dtype(np.uint16)}:
            return self._table.take(codes)
        inside = (codes >= 0) & (codes < self._table.size)
        found = np.where(inside, self._table[np.where(inside, codes, 0)], np.uint8(_UNKNOWN))
        for value in self.ignored:  # -1 is a common one
            found[codes == value] = IGNORED
        return found

    def _refuse(
        self,
        wrong: NDArray[Any],
        others: NDArray[Any],
        name: str,
        lossy: str,
        *,
        predicted: bool,
    ) -> None:
        values, counts = np.unique(wrong, return_counts=True)
        order = np.argsort(-counts, kind="stable")
        listed = ", ".join(
            f"{self._value_text(values[i])} ({counted(counts[i], 'pixel', grouped=True)})"
            for i in order[:_LISTED_VALUES].tolist()
        )
        more = len(values) - _LISTED_VALUES
        if more > 0:
            rest = int(counts[order[_LISTED_VALUES:]].sum())
            listed += f" and {counted(more, 'more value')} ({counted(rest, 'pixel', grouped=True)})"
        if lossy:
            verb = "is" if wrong.size == 1 else "are"
            found = (
                f"; {counted(wrong.size, 'pixel', grouped=True)} {verb} not a class: {listed}"
                if wrong.size
                else ""
            )
            raise ImageError(
                f"{name}: a mask in a lossy format ({lossy}), which changes labels{found}; "
                f"export it again as PNG"
            )
        what = "colors" if self.colored else "labels"
        expected = [
            *(f"{v} ({n})" for n, v in zip(self.names, self.values, strict=True)),
            *(f"{v} (ignored)" for v in self.ignored if v not in self.values),
        ]
        known = ", ".join(expected[:16]) + (" …" if len(expected) > 16 else "")
        black_and_white = values.tolist() == [_WHITE_LABEL] and not others.any()
        remedy = self._remedy(
            values, black_and_white=black_and_white and not self.colored, predicted=predicted
        )
        if len(values) > _MANY_VALUES:
            cause = (
                "; so many are classes that nothing names, or come from lossy compression or from "
                "resizing a colored mask"
            )
            remedy = Remedy(remedy.python + cause, command=remedy.command + cause)
        raise TensorError(f"{name}: expected the {what} {known}, got {listed}", remedy=remedy)

    def _remedy(self, wrong: NDArray[Any], *, black_and_white: bool, predicted: bool) -> Remedy:
        """Return what to do about values that are not classes."""
        option = "--color NAME=RRGGBB" if self.colored else "--classes NAME=LABEL,…"
        if predicted:
            text = "a prediction has only the labels of its classes, and nothing in it is ignored"
            if black_and_white and 1 in self.values:
                text = f"where 255 is {self._named(1)}, divide the prediction by 255"
            return Remedy(text, command=text)
        if not black_and_white or 0 not in self.values:
            if len(wrong) > 1:  # classes of the data that nobody named: none is to be left out
                rest = "is for values that are no class"
                return Remedy(
                    f"name every class of the data in classes; ignore {rest}",
                    command=f"name every class of the data with {option}; --ignore {rest}",
                )
            value = f"{int(wrong[0]):06X}" if self.colored else f"{int(wrong[0])}"
            return Remedy(
                "name it in classes, or leave it out with ignore",
                command=f"name it with {option}, or leave it out with --ignore {value}",
            )
        low, high = self.names if self.values == (0, 1) else ("background", "object")
        stated = shlex.quote(f"{low}=0,{high}=255")
        python = f"where 255 is {high}, say so: classes={{{low!r}: 0, {high!r}: 255}}"
        command = f"where 255 is {high}, add --classes {stated}"
        if len(self.values) > 2:  # an image of these may hold only its background and a border
            python += "; where it does not count: ignore=255"
            command += "; where it does not count: --ignore 255"
        return Remedy(python, command=command)

    def _named(self, value: int) -> str:
        return self.names[self.values.index(value)]

    def _value_text(self, code: Any) -> str:
        value = int(code)
        if not self.colored:
            return str(value)
        return str((value >> 16, value >> 8 & 255, value & 255))


def label_set(classes: Classes, ignore: Any) -> LabelSet:
    """Return the values of the data's masks.

    Parameters
    ----------
    classes : int, sequence of str, or mapping
        How many labels there are; the names of the labels 0, 1, …; or name → label, or
        name → (red, green, blue) for masks that are RGB images.
    ignore : int, str, (red, green, blue), a sequence of them, or None
        Values, or names of classes, whose pixels do not count.

    Raises
    ------
    InvalidArgumentError
        If they are not that, or two classes share a name or a value.

    Examples
    --------
    >>> label_set({"road": 3, "car": 8}, 11)
    LabelSet(names=('road', 'car'), values=(3, 8), ignored=(11,))
    """
    names: tuple[Any, ...]
    values: tuple[Any, ...]
    if isinstance(classes, Mapping):
        names, values = tuple(classes), tuple(map(_value, classes.values()))
    elif isinstance(classes, int) and not isinstance(classes, bool):
        names = unnamed_classes(min(classes, _MOST + 1))
        values = tuple(range(len(names)))
    elif isinstance(classes, str) or not isinstance(classes, Iterable):
        raise InvalidArgumentError(
            f"expected classes as names, a number, or name → value, got {classes!r:.80}"
        )
    else:
        names = tuple(classes)
        values = tuple(range(len(names)))
    if not all(isinstance(name, str) and name for name in names):
        raise InvalidArgumentError(f"expected class names as text, got {names!r:.120}")
    if not 1 <= len(names) <= _MOST:
        count = classes if isinstance(classes, int) else len(names)
        raise InvalidArgumentError(f"expected 1 to {_MOST} classes, got {count!r:.40}")
    if len(set(names)) < len(names) or len(set(values)) < len(values):
        raise InvalidArgumentError(f"two classes share a name or a value: {classes!r:.120}")
    kinds = {isinstance(value, tuple) for value in values}
    if len(kinds) > 1:
        raise InvalidArgumentError(f"expected labels or colors, not both: {classes!r:.120}")
    colored = kinds.pop()
    if not colored and not all(0 <= value < 1 << 16 for value in values):
        raise InvalidArgumentError(f"expected labels from 0 to 65535, got {values!r:.120}")
    ignored = tuple(
        values[names.index(known_class(item, names, "data class"))]
        if isinstance(item, str)
        else _value(item)
        for item in _items(ignore, colored)
    )
    if any(isinstance(value, tuple) != colored for value in ignored):
        raise InvalidArgumentError(
            f"expected {'colors' if colored else 'labels'} to ignore, as in classes, "
            f"got {ignore!r:.80}"
        )
    return LabelSet(names, values, ignored)


def known_class(item: Any, known: Sequence[str], what: str) -> str:
    """Return the name of a class that is given by its name or index.

    Parameters
    ----------
    item : str or int
    known : sequence of str
        The names of all classes.
    what : str
        What they are, for the error: ``"data class"``.

    Raises
    ------
    InvalidArgumentError
        If there is no such class.
    """
    if isinstance(item, str):
        if item not in known:
            raise InvalidArgumentError(no_such(what, item, known))
        return item
    try:
        index = -1 if isinstance(item, bool) else operator.index(item)
    except TypeError:
        index = -1
    if not 0 <= index < len(known):
        raise InvalidArgumentError(
            f"expected a {what} by its name or an index from 0 to {len(known) - 1}, "
            f"got {item!r:.80}"
        )
    return known[index]


def _items(ignore: Any, colored: bool) -> list[Any]:
    if ignore is None:
        return []
    if isinstance(ignore, str) or not isinstance(ignore, Iterable):
        return [ignore]
    items = list(ignore)
    # Three numbers are one color where values are colors, and three labels elsewhere.
    one = colored and len(items) == 3 and not any(isinstance(i, Iterable) for i in items)
    return [tuple(items)] if one else items


def _value(given: Any) -> int | RGB:
    try:
        if isinstance(given, Iterable) and not isinstance(given, str):
            red, green, blue = (operator.index(channel) for channel in given)
            if all(0 <= channel <= 255 for channel in (red, green, blue)):
                return red, green, blue
        elif not isinstance(given, bool):
            return operator.index(given)
    except (TypeError, ValueError):
        pass
    raise InvalidArgumentError(
        f"expected a label, or a color (red, green, blue) from 0 to 255, got {given!r:.80}"
    )


def _code(value: Any) -> int:
    if isinstance(value, tuple):
        red, green, blue = value
        return int(red << 16 | green << 8 | blue)
    return int(value)


def _codes(colors: NDArray[Any]) -> NDArray[np.int32]:
    wide = colors.astype(np.int32)
    return wide[..., 0] << 16 | wide[..., 1] << 8 | wide[..., 2]
