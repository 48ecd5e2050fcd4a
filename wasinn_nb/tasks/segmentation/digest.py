r"""A mask as a few lines of stable text, to print, commit and compare with a tolerance.

How much two masks of one image differ was measured with road-segmentation-adas-0001 on 47 images
(a street, 20 cuts of it, 26 frames of CamVid; 42 of them show a road), with OpenVINO
2026.4 on a processor with AVX512-BF16:

============================  =======================  ====================  ================
Compared with f32             largest area difference  cells that differ     judged to agree
============================  =======================  ====================  ================
bfloat16, the street          0.04 points              0 of 288              yes
bfloat16, every road          at most 0.11 points      at most 1             42 of 42
RGB for BGR, the street       1.16 points              3                     no
RGB for BGR, every road       0.05 to 2.24 points      0 to 5                7 of 42
the mask mirrored             0                        10 to 76              0 of 42
============================  =======================  ====================  ================

Areas find wrong values and colors, whose masks are in about the right place but too large or too
small.  Cells find masks that are in the wrong place: mirrored, shifted, cut.  Hence two tolerances,
each between rounding and mistakes.  A digest is coarse: a mistake that changes less than bfloat16
does is seen in the tensors only.
"""

from __future__ import annotations

import json
import re
import string
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.imaging import MAX_SIDE
from wasinn_nb.render import checked_labels
from wasinn_nb.tasks.segmentation.grid import cell_counts, grid_size
from wasinn_nb.wording import inert

__all__ = ["Digest", "class_letters"]

# Beyond this many classes a digest lists only those that have a pixel.
MANY_CLASSES: Final = 20
_MAX_TEXT: Final = 1 << 16

_ASSUMED: Final = "assumed: "
_HEAD = re.compile(
    r"(?P<model>\S{1,128}), (?P<height>\d{1,5})x(?P<width>\d{1,5}), (?P<precision>\S{1,32})"
)
_CLASS = re.compile(r"(?P<letter>\S) +(?P<name>\S.*?) +(?P<percent>\d{1,3}\.\d\d) %")
_PRECISION = re.compile(r"[A-Za-z0-9_.-]{1,32}")
# Symbols for classes whose own letters are in use: 62 of ASCII, then accented ones, 256 in all.
_SPARE: Final = string.ascii_letters + string.digits + "".join(map(chr, range(0x100, 0x100 + 200)))


@dataclass(frozen=True)
class Digest:
    r"""What a mask is, in short: areas in percent and a coarse grid of letters.

    ``str(digest)`` is stable: it holds no times, addresses or devices.  A run in bfloat16 may
    change an area in it by a tenth of a point.  Its last line is what was assumed, if anything was.

    Parameters
    ----------
    model : str
        The model's name.
    height, width : int
        The mask's size in pixels.
    precision : str
        In which the model ran: ``"f32"``, ``"bf16"``, ``"f16"``.
    classes : tuple of str
        Names; all of the model's up to 20, beyond that those that have a pixel.
    letters : str
        A letter for each of them; ``.`` is class 0.
    percent : tuple of float
        Each class's part of the pixels, in percent, rounded to hundredths.
    grid : tuple of str
        Rows of equal length, each letter the most frequent class of its cell.
    assumed : str
        What nothing states, and was assumed; it is shown, and plays no part in comparisons.

    Raises
    ------
    InvalidArgumentError
        If the fields do not fit each other.

    Examples
    --------
    >>> labels = np.zeros((4, 8), np.uint8)
    >>> labels[2:, 1:] = 1
    >>> digest = wn.Digest.of(labels, ("background", "road"), "toy", "f32")
    >>> print(digest)
    toy, 4x8, f32
    .  background  56.25 %
    r  road        43.75 %
    ........
    ........
    .rrrrrrr
    .rrrrrrr
    >>> wn.Digest.parse(str(digest)) == digest
    True
    >>> mirrored = wn.Digest.of(labels[:, ::-1], ("background", "road"), "toy", "f32")
    >>> digest.differences(mirrored)
    ['grid: 4 of 32 cells show another class, the first in row 3, column 1 (background here, road
    there); at most 0 may']
    """

    model: str
    height: int
    width: int
    precision: str
    classes: tuple[str, ...]
    letters: str
    percent: tuple[float, ...]
    grid: tuple[str, ...]
    assumed: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        for name in ("classes", "percent", "grid"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if not self.model or re.search(r"[\s,]", self.model):
            raise InvalidArgumentError(
                f"expected a model name without spaces and commas, got {self.model!r:.80}"
            )
        if not (1 <= self.height <= MAX_SIDE and 1 <= self.width <= MAX_SIDE):
            raise InvalidArgumentError(
                f"expected sides from 1 to {MAX_SIDE} pixels, got {self.height}x{self.width}"
            )
        if not _PRECISION.fullmatch(self.precision):
            raise InvalidArgumentError(
                f"expected a precision such as f32 or bf16, got {self.precision!r:.80}"
            )
        if not len(self.classes) == len(self.letters) == len(self.percent) > 0:
            raise InvalidArgumentError(
                f"expected a letter and a percentage for each class, got {len(self.classes)} "
                f"classes, {len(self.letters)} letters, {len(self.percent)} percentages"
            )
        for what, values in (("classes", self.classes), ("letters", self.letters)):
            if len(set(values)) != len(values):
                raise InvalidArgumentError(f"two {what} of the digest are the same: {values!r:.80}")
        # Each percentage may be rounded by half a hundredth.
        if not abs(sum(self.percent) - 100) <= 0.005 * len(self.percent) + 0.0001:
            raise InvalidArgumentError(
                f"expected percentages that add up to 100, got {sum(self.percent):.2f}"
            )
        if not self.grid or {len(row) for row in self.grid} != {len(self.grid[0])}:
            raise InvalidArgumentError("expected a grid with rows of equal length")
        if unknown := sorted(set("".join(self.grid)) - set(self.letters)):
            raise InvalidArgumentError(
                f"the grid has {unknown[0]!r}, which is none of the letters {self.letters!r:.80}"
            )

    @classmethod
    def of(
        cls,
        labels: NDArray[np.uint8],
        classes: Sequence[str],
        model: str,
        precision: str,
        assumed: Sequence[str] = (),
    ) -> Self:
        """Make the digest of a mask.

        Parameters
        ----------
        labels : (H, W) uint8 array
        classes : sequence of str
            The names of all classes.
        model, precision : str
            As in the constructor.
        assumed : sequence of str
            As on a result.

        Raises
        ------
        TensorError
            If *labels* is not a mask of these classes.
        """
        checked_labels(labels, len(classes))
        height, width = labels.shape
        counts = cell_counts(labels, len(classes), *grid_size(height, width))
        areas = counts.sum(axis=(0, 1)).tolist()
        letters = class_letters(classes)
        listed = [k for k, area in enumerate(areas) if area or len(classes) <= MANY_CLASSES]
        return cls(
            model,
            height,
            width,
            precision,
            tuple(classes[k] for k in listed),
            "".join(letters[k] for k in listed),
            tuple(round(100 * areas[k] / labels.size, 2) for k in listed),
            tuple("".join(letters[k] for k in row) for row in counts.argmax(axis=2).tolist()),
            inert("; ".join(assumed)),
        )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what ``str(digest)`` returned; indentation and empty lines do not matter.

        Raises
        ------
        InvalidArgumentError
            If *text* is not a digest.
        """
        if len(text) > _MAX_TEXT:
            raise InvalidArgumentError(f"not a digest: longer than {_MAX_TEXT} characters")
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        stated = bool(lines) and lines[-1].startswith(_ASSUMED)
        assumed = lines.pop().removeprefix(_ASSUMED) if stated else ""
        head = _HEAD.fullmatch(lines[0]) if lines else None
        if head is None:
            raise InvalidArgumentError(
                f"not a digest: expected a first line such as 'model, 512x896, f32', "
                f"got {lines[0] if lines else ''!r:.80}"
            )
        # A row of the grid has no spaces, a class has some.
        rows = [line for line in lines[1:] if " " not in line]
        matches = [_CLASS.fullmatch(line) for line in lines[1:] if " " in line]
        found = [match for match in matches if match is not None]
        if len(found) < len(matches) or lines[1 + len(matches) :] != rows:
            raise InvalidArgumentError(
                "not a digest: expected lines such as 'r  road  19.19 %', then the rows of the grid"
            )
        return cls(
            head["model"],
            int(head["height"]),
            int(head["width"]),
            head["precision"],
            tuple(_plain(match["name"]) for match in found),
            "".join(match["letter"] for match in found),
            tuple(float(match["percent"]) for match in found),
            tuple(rows),
            assumed,
        )

    def differences(
        self, other: Digest, *, tolerance: float = 0.2, cells: float = 2.0
    ) -> list[str]:
        """Say what differs by more than a change of precision explains.

        Parameters
        ----------
        other : Digest
            Its precision may be another.
        tolerance : float
            How many points of percent a class's area may differ.  Classes below 3.4 % of the
            pixels get less, down to 0.15 times as much, so that a small class cannot vanish:
            ``tolerance * min(1, 0.15 + 0.25 * percent)``.  The default allows nearly twice what
            bfloat16 changed at most, and a sixth of what RGB for BGR changes.
        cells : float
            How many percent of the grid's letters may differ, because a cell may be close to a tie:
            5 of 288 by default.

        Returns
        -------
        list of str
            A sentence for each difference; "here" is this digest.  Empty where both agree.
        """
        found = [
            f"{what}: {here} here, {there} there"
            for what, here, there in (
                ("model", self.model, other.model),
                ("size", f"{self.height}x{self.width}", f"{other.height}x{other.width}"),
            )
            if here != there
        ]
        ours = dict(zip(self.classes, self.percent, strict=True))
        theirs = dict(zip(other.classes, other.percent, strict=True))
        for name in dict.fromkeys(self.classes + other.classes):
            here, there = ours.get(name, 0.0), theirs.get(name, 0.0)
            allowed = tolerance * min(1.0, 0.15 + 0.25 * max(here, there))
            # Both are whole hundredths, which floating point misses by less than 1e-9.
            if abs(here - there) > allowed + 1e-9:
                found.append(
                    f"{name}: {here:.2f} % of the pixels here, {there:.2f} % there; "
                    f"at most {allowed:.2f} points may differ"
                )
        if sentence := self._flipped(other, cells):
            found.append(sentence)
        return found

    def agrees(self, other: Digest, *, tolerance: float = 0.2, cells: float = 2.0) -> bool:
        """Return whether :meth:`differences` finds none.

        Parameters
        ----------
        other, tolerance, cells
            As for it.
        """
        return not self.differences(other, tolerance=tolerance, cells=cells)

    def _flipped(self, other: Digest, cells: float) -> str | None:
        shape, other_shape = ((len(digest.grid), len(digest.grid[0])) for digest in (self, other))
        if shape != other_shape:
            return f"grid: {shape[0]}x{shape[1]} here, {other_shape[0]}x{other_shape[1]} there"
        names = dict(zip(self.letters, self.classes, strict=True))
        other_names = dict(zip(other.letters, other.classes, strict=True))
        pairs = zip("".join(self.grid), "".join(other.grid), strict=True)
        wrong = [i for i, (a, b) in enumerate(pairs) if names[a] != other_names[b]]
        total = shape[0] * shape[1]
        if 100 * len(wrong) <= cells * total:
            return None
        row, column = divmod(wrong[0], shape[1])
        return (
            f"grid: {len(wrong)} of {total} cells show another class, the first in row {row + 1}, "
            f"column {column + 1} ({names[self.grid[row][column]]} here, "
            f"{other_names[other.grid[row][column]]} there); at most "
            f"{int(cells * total / 100)} may"
        )

    def __str__(self) -> str:
        names = [_quoted(name) for name in self.classes]
        wide = max(map(len, names))
        listed = (
            f"{letter}  {name:<{wide}} {percent:6.2f} %"
            for letter, name, percent in zip(self.letters, names, self.percent, strict=True)
        )
        head = f"{self.model}, {self.height}x{self.width}, {self.precision}"
        assumed = [f"{_ASSUMED}{self.assumed}"] if self.assumed else []
        return "\n".join([head, *listed, *self.grid, *assumed])

    __repr__ = __str__


def class_letters(classes: Sequence[str]) -> str:
    """Return a letter for each class, in order: ``.`` for class 0, otherwise one of its name's.

    The first of the name's letters that is free, small before capital; where none is, the next free
    one of the alphabet.

    Examples
    --------
    >>> class_letters(["background", "road", "curb", "mark", "car", "rock"])
    '.rcmCR'
    """
    letters = ["."]
    for name in classes[1:]:
        own = [c for c in name if c.isascii() and c.isalnum()]
        candidates = [case for c in own for case in (c.lower(), c.upper())]
        used = set(letters)
        letters.append(next(c for c in [*candidates, *_SPARE] if c not in used))
    return "".join(letters)


def _quoted(name: str) -> str:
    """Return *name* as it is where it reads back unchanged, otherwise as a JSON string."""
    plain = name.isprintable() and name == name.strip() and not name.startswith('"')
    return name if plain else json.dumps(name)


def _plain(name: str) -> str:
    if not name.startswith('"'):
        return name
    try:
        read = json.loads(name)
    except ValueError as error:
        raise InvalidArgumentError(f"not a digest: the class name {name:.80} is cut off") from error
    return str(read)
