"""Model cards: what a model is for, its classes and colours, its recipe, its files."""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final, Self

from wasinn_nb.abi import GraphEncoding
from wasinn_nb.errors import RecipeError
from wasinn_nb.files import existing_file
from wasinn_nb.recipe import PreprocessRecipe

__all__ = ["RGB", "ModelCard", "ModelFile", "distinct_palette"]

RGB = tuple[int, int, int]
_MAX_CARD_BYTES: Final = 1 << 20
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_SHA384 = re.compile(r"[0-9a-f]{96}")

# Okabe and Ito's eight colours, distinct for colour-blind readers too, in an order that starts
# with black for a background (Okabe, Ito: Color Universal Design, 2008).
_OKABE_ITO: Final[tuple[RGB, ...]] = (
    (0, 0, 0),
    (0, 114, 178),
    (213, 94, 0),
    (240, 228, 66),
    (0, 158, 115),
    (204, 121, 167),
    (86, 180, 233),
    (230, 159, 0),
)


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a model.

    Parameters
    ----------
    name : str
        The file's name, without a folder.
    bytes : int
        Its size.
    sha384 : str
        Its SHA-384 in hexadecimal: the hash that the Open Model Zoo publishes.
    url : str or None
        Where it can be fetched.
    """

    name: str
    bytes: int
    sha384: str
    url: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            raise RecipeError(f"expected a plain file name, got {self.name!r:.80}")
        if type(self.bytes) is not int or self.bytes < 0:
            raise RecipeError(f"{self.name}: expected a size in bytes, got {self.bytes!r:.80}")
        if not isinstance(self.sha384, str) or not _SHA384.fullmatch(self.sha384):
            raise RecipeError(f"{self.name}: expected 96 hexadecimal digits of SHA-384")
        if self.url is not None and not str(self.url).startswith(("https://", "http://")):
            raise RecipeError(f"{self.name}: expected an http(s) address, got {self.url!r:.80}")


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What the toolkit knows of a model before it loads it.

    Parameters
    ----------
    name : str
        Letters, digits, ``.``, ``_`` and ``-``.
    task : str
        ``"segmentation"``, ``"classification"`` or ``"unknown"``.
    recipe : PreprocessRecipe or None
        What the model takes.
    classes : tuple of str
        Names in the order of the output's channels.
    palette : tuple of (red, green, blue)
        One colour per class, 0 to 255 each.  Default: :func:`distinct_palette`.
    encoding : GraphEncoding
        The format of its files.
    precisions : mapping
        Precision (``"FP16"``) → its files, for OpenVINO IR xml and bin in this order.
    description, license, source : str
        In words; `source` is an address or a place.
    figures : mapping
        Measured figures, name → number.

    Raises
    ------
    RecipeError
        If a field holds what it cannot.

    Examples
    --------
    >>> card = ModelCard("toy", "segmentation", classes=("background", "road"))
    >>> card.palette
    ((0, 0, 0), (0, 114, 178))
    """

    name: str
    task: str = "unknown"
    recipe: PreprocessRecipe | None = None
    classes: tuple[str, ...] = ()
    palette: tuple[RGB, ...] = ()
    encoding: GraphEncoding = GraphEncoding.OPENVINO
    precisions: Mapping[str, tuple[ModelFile, ...]] = field(default_factory=dict)
    description: str = ""
    license: str = ""
    source: str = ""
    figures: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            raise RecipeError(
                f"expected a model name of letters, digits, '.', '_' and '-', got {self.name!r:.80}"
            )
        for name in ("task", "description", "license", "source"):
            if not isinstance(getattr(self, name), str):
                raise RecipeError(
                    f"{self.name}: expected {name} as text, got {getattr(self, name)!r:.80}"
                )
        figures = self.figures if isinstance(self.figures, Mapping) else {"": None}
        if not all(type(number) in {int, float} for number in figures.values()):
            raise RecipeError(
                f"{self.name}: expected figures as name and number, got {self.figures!r:.120}"
            )
        given: Any = self.classes
        classes = tuple(given)
        # A string is a sequence of strings too: of its letters.
        if isinstance(given, str) or not all(isinstance(c, str) and c for c in classes):
            raise RecipeError(f"{self.name}: expected class names as text, got {given!r:.120}")
        if len(set(classes)) != len(classes):
            raise RecipeError(f"{self.name}: two classes have the same name: {classes!r:.120}")
        if len(classes) > 256:
            raise RecipeError(f"{self.name}: expected at most 256 classes, got {len(classes)}")
        object.__setattr__(self, "classes", classes)
        palette = self.palette or distinct_palette(len(classes))
        object.__setattr__(self, "palette", checked_palette(palette, len(classes)))

    @classmethod
    def from_dict(cls, values: Any) -> Self:
        """Make a card from the object in a ``card.json``.

        Raises
        ------
        RecipeError
            If it is not what such a file holds.
        """
        if not isinstance(values, Mapping):
            raise RecipeError(f"expected a model card as a JSON object, got {values!r:.80}")
        known = {f.name for f in fields(cls)}
        if unknown := sorted(set(map(str, values)) - known):
            raise RecipeError(
                f"a model card has no {', '.join(unknown)}; it has {', '.join(sorted(known))}"
            )
        if "name" not in values:
            raise RecipeError("the model card lacks a name")
        said = dict(values)
        name = said["name"]
        try:
            if said.get("recipe") is not None:
                said["recipe"] = PreprocessRecipe.from_dict(said["recipe"])
            if "encoding" in said:
                said["encoding"] = GraphEncoding[said["encoding"].upper()]
            if "palette" in said:
                said["palette"] = tuple(tuple(colour) for colour in said["palette"])
            if "precisions" in said:
                said["precisions"] = {
                    precision: tuple(ModelFile(**file) for file in files)
                    for precision, files in said["precisions"].items()
                }
            return cls(**said)
        except (TypeError, AttributeError, KeyError) as error:
            raise RecipeError(f"the card of {name!r:.80} is malformed: {error}") from error

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the ``card.json`` at *path*; errors as in :meth:`from_dict`."""
        found = existing_file(path, "model card")
        if found.stat().st_size > _MAX_CARD_BYTES:
            raise RecipeError(f"{found}: larger than {_MAX_CARD_BYTES} bytes; no model card")
        try:
            return cls.from_dict(json.loads(found.read_text(encoding="utf-8")))
        except RecipeError as error:
            raise RecipeError(f"{found}: {error}") from error
        except (ValueError, RecursionError) as error:
            raise RecipeError(f"{found}: no JSON: {error}") from error


def checked_palette(palette: Any, classes: int) -> tuple[RGB, ...]:
    """Return *palette* as tuples, one colour of three bytes per class.

    Raises
    ------
    RecipeError
        If there are fewer colours than classes, or a colour is not three numbers from 0 to 255.
    """
    checked: list[RGB] = []
    for index, colour in enumerate(palette):
        try:
            whole = [-1 if isinstance(v, bool) else operator.index(v) for v in colour]
        except TypeError:
            whole = []
        if len(whole) != 3 or not all(0 <= v <= 255 for v in whole):
            raise RecipeError(
                f"colour {index}: expected (red, green, blue) from 0 to 255, got {colour!r:.80}"
            )
        checked.append((whole[0], whole[1], whole[2]))
    if len(checked) < classes:
        raise RecipeError(f"expected a colour for each of {classes} classes, got {len(checked)}")
    return tuple(checked[:classes]) if classes else tuple(checked)


def distinct_palette(classes: int) -> tuple[RGB, ...]:
    """Return one colour per class: black first, then colours that colour-blind readers tell apart.

    Up to eight come from Okabe and Ito; further ones walk the hue circle in golden-angle steps
    with alternating lightness.

    Examples
    --------
    >>> distinct_palette(3)
    ((0, 0, 0), (0, 114, 178), (213, 94, 0))
    >>> len(set(distinct_palette(256)))
    256
    """
    import colorsys

    colours = list(_OKABE_ITO[:classes])
    for index in range(len(colours), classes):
        hue = index * 0.381966 % 1.0
        value = (0.95, 0.75, 0.55)[index % 3]
        saturation = (0.85, 0.55)[index // 3 % 2]
        red, green, blue = colorsys.hsv_to_rgb(hue, saturation, value)
        colours.append((round(red * 255), round(green * 255), round(blue * 255)))
    return tuple(colours)
