"""In what a way to make a tensor differs from the model's recipe."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Final, NamedTuple

from wasinn_nb.abi import TensorType
from wasinn_nb.diagnosis.candidates import FLIPS, Making
from wasinn_nb.diagnosis.filters import FILTERS
from wasinn_nb.diagnosis.remedies import Mistake, guest_line, python_line, rust_line
from wasinn_nb.diagnosis.resampling import ALPHAS, FITS, GRAYS, Explained
from wasinn_nb.diagnosis.scalings import whole_levels
from wasinn_nb.diagnosis.spaces import SPACES
from wasinn_nb.imaging import Color, Exif, PreprocessRecipe

__all__ = ["mistakes_of"]

_COLORS: Final[dict[Color, str]] = {"GRAY": "one channel of gray"}
_EXIFS: Final[dict[Exif, str]] = {
    "apply": "EXIF orientation applied",
    "ignore": "EXIF orientation ignored",
}


class _Difference(NamedTuple):
    axis: str
    found: str
    expected: str = ""
    brief: str = ""


def mistakes_of(making: Making, recipe: PreprocessRecipe) -> tuple[Mistake, ...]:
    """Return in what *making* differs from *recipe*, the most telling first.

    Parameters
    ----------
    making : Making
    recipe : PreprocessRecipe
        What the model takes.

    Examples
    --------
    >>> from dataclasses import replace
    >>> recipe = PreprocessRecipe(512, 896)
    >>> [str(one) for one in mistakes_of(replace(Making.of(recipe), color="RGB"), recipe)]
    ['RGB channels, where the model takes BGR']
    """
    right = Making.of(recipe)
    found = itertools.chain(
        _of_layout(making, right, recipe),
        _of_size(making, right),
        _of_color(making, right),
        _of_values(making, right),
        _of_resizing(making, right),
        _of_damage(making, right),
    )
    return tuple(
        Mistake(
            one.axis,
            one.found,
            one.expected,
            rust_line(one.axis, recipe),
            python_line(one.axis, recipe),
            one.brief,
            guest_line(one.axis, recipe),
        )
        for one in found
    )


def _explained(axis: str, found: Explained, expected: str) -> _Difference:
    return _Difference(axis, str(found), expected, found.short)


def _of_layout(making: Making, right: Making, recipe: PreprocessRecipe) -> Iterator[_Difference]:
    expected = "x".join(map(str, recipe.dimensions))
    if making.order in {"CWH", "WHC"}:
        swapped = Explained("height and width swapped in memory", "transposed, columns before rows")
        yield _explained("layout", swapped, f"{right.order} in memory")
    elif making.order != right.order and making.channels > 1:
        given = "x".join(map(str, making.dimensions or recipe.dimensions))
        declared = f" declared {recipe.layout}" if making.dimensions is None else ""
        found = Explained(f"{making.order} bytes{declared}", given)
        yield _explained("layout", found, f"{right.order} in memory ({expected})")
    elif (
        making.dimensions is not None
        and making.declared is None
        and (making.valid, making.pitch, making.step) == (None, None, None)
        and (making.height, making.width) == (right.height, right.width)
        and making.channels == right.channels
    ):
        given = "x".join(map(str, making.dimensions))
        yield _Difference("dimensions", f"the right bytes declared as {given}", expected)


def _of_size(making: Making, right: Making) -> Iterator[_Difference]:
    found, expected = (f"{one.height} rows of {one.width} columns" for one in (making, right))
    if found == expected:
        return
    swapped = (making.height, making.width) == (right.width, right.height)
    how = "height and width swapped when resizing: " if swapped else "resized to "
    yield _Difference("size", how + found, expected)


def _of_color(making: Making, right: Making) -> Iterator[_Difference]:
    if making.space:
        yield _Difference("color", SPACES[making.space], right.color, f"{making.space} channels")
    elif making.color != right.color:
        found = _COLORS.get(making.color, f"{making.color} channels")
        yield _Difference("color", found, _COLORS.get(right.color, right.color))
    elif making.color == "GRAY" and making.gray != right.gray:
        yield _explained("color", GRAYS[making.gray], str(GRAYS[right.gray]))


def _of_values(making: Making, right: Making) -> Iterator[_Difference]:
    """Yield differences of range, element type and byte order."""
    type_, scaling = making.type.suffix, making.scaling
    if _other_sign(making, right):
        found = f"{type_} elements, {scaling.name}"
        if making.declared is not None:
            found = f"{type_} bytes, {scaling.name}, read as {right.type.suffix}"
        yield _Difference("type", found, f"{right.type.suffix} elements, {right.scaling.name}")
    else:
        if not scaling.close_to(right.scaling, 1e-4):
            quantized = "values " if right.scaling.limits else ""
            yield _Difference("range", f"values {scaling.name}", quantized + right.scaling.name)
        if making.type is not right.type:
            yield _Difference("type", f"{type_} elements", right.type.suffix)
        if making.declared is not None:
            yield _Difference("declared type", f"{type_} bytes declared {making.declared.suffix}")
    if making.wrapped:
        found = "bytes read as signed, so that 128 to 255 became -128 to -1"
        yield _Difference("range", found, "levels from 0 to 255")
    if making.big_endian:
        yield _Difference("endianness", "big-endian bytes", "little-endian")


def _other_sign(making: Making, right: Making) -> bool:
    """Whether 0 to 255 as u8 stands where ``value - 128`` as i8 belongs, or the reverse."""
    return {making.type, right.type} == {TensorType.U8, TensorType.I8} and all(
        one.scaling.close_to(whole_levels(one.type, one.color), 1e-4) for one in (making, right)
    )


def _of_resizing(making: Making, right: Making) -> Iterator[_Difference]:
    """Yield differences of fit, border, filter, EXIF and alpha."""
    if making.fit != right.fit:
        yield _Difference("fit", FITS[making.fit], FITS[right.fit])
    elif making.pad is not None and _levels(making.pad) != _levels(right.pad or ()):
        found = f"border filled with {_levels(making.pad)}"
        yield _Difference("pad", found, _levels(right.pad or ()))
    if making.filter != right.filter:
        found = f"filter {making.filter} ({FILTERS[making.filter]})"
        yield _Difference("resize", found, right.filter, making.filter)
    if making.exif != right.exif:
        yield _Difference("exif", _EXIFS[making.exif], _EXIFS[right.exif])
    if making.alpha != right.alpha and making.channels == right.channels:
        yield _explained("alpha", ALPHAS[making.alpha], str(ALPHAS[right.alpha]))


def _of_damage(making: Making, right: Making) -> Iterator[_Difference]:
    """Yield flips, shifts, and buffers that end early."""
    if making.flip:
        yield _Difference("flip", f"the image {FLIPS[making.flip]}")
    if any(making.shift):
        yield _Difference("shift", _shifted(*making.shift))
    if making.pitch is not None:
        length = right.width * (right.channels if making.order == "HWC" else 1)
        found = f"rows that begin every {making.pitch} values"
        yield _Difference("stride", found, f"every {length}")
    elif making.step is not None:
        found = f"pixels that begin every {making.step} values, as with a fourth channel"
        yield _Difference("stride", found, f"every {right.channels}")
    elif making.valid == 0:
        yield _Difference("buffer", "the input was never written: every value is 0")
    elif making.valid is not None:
        rest = "then the same again" if making.repeated else "then nothing of the image"
        found = f"only the first {making.valid} of {right.elements} values, {rest}"
        yield _Difference("buffer", found)


def _levels(pad: tuple[int, ...]) -> str:
    """Return the levels of a border: one where all channels have the same."""
    return ", ".join(map(str, pad[:1] if len(set(pad)) == 1 else pad))


def _shifted(rows: int, columns: int) -> str:
    parts = []
    for count, what in ((rows, "row"), (columns, "column")):
        if count:
            way = "late" if count < 0 else "early"
            parts.append(f"{abs(count)} {what}{'s' if abs(count) > 1 else ''} too {way}")
    return "the image begins " + " and ".join(parts)
