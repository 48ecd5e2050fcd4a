"""Where models lie: places, layouts, cards, and the two halves of an OpenVINO model.

The catalog asks here; nothing is downloaded, and a file is hashed only if its size is right.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

from wasinn_nb import settings
from wasinn_nb.abi import GraphEncoding
from wasinn_nb.cards import ModelCard
from wasinn_nb.catalog import shipped
from wasinn_nb.catalog.downloads import are_whole
from wasinn_nb.catalog.entries import Model, matching_precision
from wasinn_nb.errors import (
    HashMismatchError,
    InvalidArgumentError,
    MissingFileError,
    RecipeError,
)
from wasinn_nb.files import existing_file

__all__ = ["Copy", "Place", "at_path", "best", "cache_folder", "copies", "is_model_file"]
__all__ += ["known_card", "names_in", "places", "places_in_words", "rank", "shown"]

_ENCODINGS: Final = {
    ".xml": GraphEncoding.OPENVINO,
    ".onnx": GraphEncoding.ONNX,
    ".tflite": GraphEncoding.TENSORFLOWLITE,
    ".pb": GraphEncoding.TENSORFLOW,
    ".pdmodel": GraphEncoding.AUTODETECT,
}
_WEIGHTS: Final = {".xml": ".bin", ".pdmodel": ".pdiparams"}
_PRECISION = re.compile(r"(?:FP|BF|NF|INT)\d{1,2}(?:-(?:FP|BF|NF|INT)\d{1,2})*")
# Half the bytes of FP32 for the same mask; quantized weights only where nothing else is, or asked.
_PREFERRED: Final = ("FP16", "FP32", None)


@dataclass(frozen=True, slots=True)
class Place:
    """A folder of models: ``label`` as the user sees it, ``kind`` for the trust in it."""

    label: str
    folder: Path
    kind: Literal["shipped", "own", "cache"] = "own"


@dataclass(frozen=True, slots=True)
class Copy:
    """A model's files somewhere; of an xml and bin pair, one may be missing."""

    card: ModelCard
    precision: str | None
    path: Path
    place: Place

    @property
    def files(self) -> tuple[Path, ...]:
        """The file that OpenVINO reads, and its weights, whether they are there or not."""
        weights = self.path.with_suffix(_WEIGHTS.get(self.path.suffix, self.path.suffix))
        return tuple(dict.fromkeys((self.path.absolute(), weights.absolute())))

    @property
    def missing(self) -> Path | None:
        """The half that is not there."""
        return next((half for half in self.files if not half.is_file()), None)

    def taken(self) -> Model:
        """Return the model, or complain of what is missing or damaged."""
        if (missing := self.missing) is not None:
            there = next(half for half in self.files if half != missing)
            raise MissingFileError(
                f"{missing.name} is missing beside {there}; the model is the pair of both files: "
                f"copy it there too"
            )
        model = Model(self.card, self.precision, self.files, self.place.label)
        if self.place.kind == "shipped" and not model.verified:
            raise HashMismatchError(
                f"the shipped {self.path} is not the file that its card describes; install "
                f"wasinn-nb again"
            )
        return model


# ------------------------------------------------------------------------------------- places


def places() -> Iterator[Place]:
    """Yield where models are looked up, in this order."""
    yield Place("shipped", shipped.data_dir() / "models", "shipped")
    for folder in settings.search_path():
        yield Place(shown(folder), folder)
    yield Place("cache", settings.cache_dir() / "models", "cache")


def places_in_words() -> str:
    """Return the places for an error, with their paths."""
    first, *own, cache = places()
    said = [f"the shipped data ({first.folder})"]
    for place in own:
        gone = "" if place.folder.is_dir() else ": no such folder"
        said.append(f"{place.folder} (WASINN_NB_PATH{gone})")
    return f"{', '.join(said)} and the cache ({cache.folder})"


def shown(folder: Path) -> str:
    """Return the folder as it was given, with ``~`` for the home directory."""
    with suppress(ValueError, RuntimeError):
        return str(Path("~") / folder.relative_to(Path.home()))
    return str(folder)


def cache_folder(name: str, precision: str) -> Path:
    """Return where the downloaded files of a model lie."""
    return settings.cache_dir() / "models" / name / precision


def known_card(name: str) -> ModelCard | None:
    """Return the card of that name: the shipped one, else one of ``WASINN_NB_PATH``."""
    if _as_name(name) != name:
        return None
    for root in (shipped.data_dir() / "models", *settings.search_path()):
        for home in _homes(root, name):
            if (card := _card_in(home, name)) is not None:
                return card
    return None


def names_in(root: Path) -> Iterator[str]:
    """Yield the names of the models in a directory, in any of the layouts."""
    if (root / "card.json").is_file():
        try:
            yield ModelCard.read(root / "card.json").name
        except RecipeError:
            yield root.name  # its row says what is wrong
    for path in sorted(root.iterdir()):
        if path.is_dir():
            if path.name in {"intel", "public"}:
                yield from names_in(path)
            elif (path / "card.json").is_file() or any(_main_files(path, path.name)):
                yield path.name
        elif _as_name(path.stem) == path.stem and _looks_like_model(path):
            yield path.stem


# ------------------------------------------------------------------------------------- copies


def copies(place: Place, name: str) -> list[Copy]:
    """Return what *place* has of a model, precision by precision.

    Raises
    ------
    MissingFileError
        If the place cannot be read.
    RecipeError
        If the model's card is malformed.
    """
    if _as_name(name) != name:
        return []
    try:
        return _copies(place, name)
    except PermissionError as error:
        raise MissingFileError(
            f"{error.filename} cannot be read: {error.strerror}; change its permissions, or take "
            f"{place.folder} out of WASINN_NB_PATH"
        ) from error


def _copies(place: Place, name: str) -> list[Copy]:
    if place.kind == "cache":
        card = known_card(name)
        return [
            Copy(card, precision, folder / files[0].name, place)
            for precision, files in (card.precisions.items() if card else ())
            if card and files and are_whole(files, folder := cache_folder(name, precision))
        ]
    for home in _homes(place.folder, name):
        if found := list(_main_files(home, name)):
            card = _card_in(home, name) or known_card(name) or ModelCard(name)
            return [_copy(card, precision, path, place) for precision, path in found]
    return []


def best(candidates: list[Copy], precision: str | None) -> Copy | None:
    """Return the copy to take: of *precision*, or the preferred one."""
    fitting = [copy for copy in candidates if precision in {None, copy.precision}]
    return min(fitting, key=lambda copy: rank(copy.precision), default=None)


def rank(precision: str | None) -> tuple[int, str]:
    """Return a key that sorts precisions by preference."""
    known = _PREFERRED.index(precision) if precision in _PREFERRED else len(_PREFERRED)
    return known, precision or ""


def _homes(root: Path, name: str) -> tuple[Path, ...]:
    return (root / name, root, root / "intel" / name, root / "public" / name)


def _main_files(home: Path, name: str) -> Iterator[tuple[str | None, Path]]:
    if (path := _main_file(home, name)) is not None:
        yield None, path
    for folder in sorted(home.iterdir()) if home.is_dir() else ():
        precision = _precision_of(folder)
        if precision is not None and (path := _main_file(folder, name)) is not None:
            yield precision, path


def _precision_of(folder: Path) -> str | None:
    return folder.name.upper() if _PRECISION.fullmatch(folder.name.upper()) else None


def _main_file(folder: Path, name: str) -> Path | None:
    paths = [folder / f"{name}{suffix}" for suffix in _ENCODINGS]
    for path in paths:
        if path.is_file():
            return path
    # Weights alone are half of a pair, to be complained of.
    return paths[0] if (folder / f"{name}.bin").is_file() else None


def _copy(card: ModelCard, precision: str | None, path: Path, place: Place) -> Copy:
    encoding = _ENCODINGS[path.suffix]
    if card.encoding is not encoding:
        card = replace(card, encoding=encoding)
    copy = Copy(card, precision, path, place)
    if precision is None and copy.missing is None:
        return replace(copy, precision=matching_precision(card, copy.files))
    return copy


def _looks_like_model(path: Path) -> bool:
    """Return whether *path* is a model's main file: many an ``.xml`` is something else."""
    if path.suffix != ".xml" or path.with_suffix(".bin").is_file():
        return path.suffix in _ENCODINGS
    with path.open("rb") as opened:
        return b"<net " in opened.read(4096)


def _card_in(folder: Path, name: str) -> ModelCard | None:
    path = folder / "card.json"
    card = ModelCard.read(path) if path.is_file() else None
    if card is not None and card.name != name:
        if folder.name == name:
            raise RecipeError(f"{path}: expected the card of {name}, got that of {card.name}")
        return None
    for precision in card.precisions if card else ():
        if not _PRECISION.fullmatch(precision):  # it becomes a folder
            raise RecipeError(
                f"{path}: expected precisions such as FP16 or FP16-INT8, got {precision!r:.80}"
            )
    return card


def _as_name(text: str) -> str:
    """Return *text* as a model name: what a name cannot hold becomes ``-``."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", text).lstrip("._-")[:128] or "model"


# -------------------------------------------------------------------------------------- paths


def is_model_file(path: Path) -> bool:
    """Return whether the suffix is one of a model's."""
    return path.suffix in _ENCODINGS or path.suffix in _WEIGHTS.values()


def at_path(path: Path, precision: str | None) -> Model:
    """Return the model whose file, or whose folder, *path* is."""
    if path.is_dir():
        return _in_folder(path, precision)
    mains = {weights: main for main, weights in _WEIGHTS.items()}
    if path.suffix not in _ENCODINGS and path.suffix not in mains:
        raise InvalidArgumentError(
            f"expected the name of a model, a file that ends in {', '.join(_ENCODINGS)}, "
            f"or a folder, got {path}"
        )
    existing_file(path, "model")
    path = path.with_suffix(mains.get(path.suffix, path.suffix))
    by_folder = _precision_of(path.parent)
    place = Place(shown(path.parent), path.parent)
    copy = _copy(_card_for(path, by_folder), by_folder, path, place)
    if precision is not None and copy.precision is None:
        copy = replace(copy, precision=precision)
    if precision not in {None, copy.precision}:
        raise InvalidArgumentError(
            f"expected precision {precision}, but {path} is {copy.precision}; leave precision "
            f"out, or name the other file"
        )
    return copy.taken()


def _in_folder(folder: Path, precision: str | None) -> Model:
    described = folder / "card.json"
    name = ModelCard.read(described).name if described.is_file() else folder.absolute().name
    card = _card_in(folder, name) or known_card(name) or ModelCard(_as_name(name))
    place = Place(shown(folder), folder)
    found = [_copy(card, said, path, place) for said, path in _main_files(folder, name)]
    if (copy := best(found, precision)) is None:
        of = f" of precision {precision}" if precision else ""
        raise MissingFileError(
            f"expected {name}.xml and {name}.bin{of} in the folder {folder} or in its folder FP16 "
            f"or FP32; name the model's file itself if it is called otherwise"
        )
    return copy.taken()


def _card_for(path: Path, by_folder: str | None) -> ModelCard:
    """Return the card beside the file, else the one known by its name, else a bare one."""
    for folder in (path.parent, path.parent.parent)[: 2 if by_folder else 1]:
        if (folder / "card.json").is_file():
            card = ModelCard.read(folder / "card.json")
            named = {file.name for files in card.precisions.values() for file in files}
            if card.name == path.stem or path.name in named:
                return card
    return known_card(path.stem) or ModelCard(_as_name(path.stem))
