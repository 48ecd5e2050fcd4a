"""Where models lie: places, layouts, cards, and the two halves of an OpenVINO model.

Nothing is downloaded, and a file is hashed only if its size is right.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

from wasinn_nb import settings
from wasinn_nb.cards import (
    ENCODINGS,
    FOLDER_CARD,
    ModelCard,
    as_name,
    check_with_weights,
    is_model_file,
    is_saved_model,
    main_path,
    model_files,
    model_stem,
)
from wasinn_nb.catalog import shipped
from wasinn_nb.catalog.cardfiles import (
    FoundCard,
    card_at,
    card_for,
    card_in,
    described_stems,
    own_card,
)
from wasinn_nb.catalog.entries import Model, matching_precision
from wasinn_nb.catalog.hashes import are_whole
from wasinn_nb.catalog.layouts import homes, main_files, precision_of
from wasinn_nb.errors import HashMismatchError, InvalidArgumentError, MissingFileError, WasiNnError
from wasinn_nb.files import close_paths, existing_file, is_file, is_folder

__all__ = ["Copy", "Place", "at_path", "best", "cache_folder", "cached_copy", "copies"]
__all__ += [
    "known_card",
    "model_files_here",
    "names_in",
    "places",
    "places_text",
    "rank",
    "short_path",
]

# Half the bytes of FP32 for the same mask; quantized weights only where nothing else is, or asked.
_PREFERRED: Final = ("FP16", "FP32", None)
_MOST_MODELS: Final = 3
_MOST_ENTRIES: Final = 2000


@dataclass(frozen=True, slots=True)
class Place:
    """A folder of models: ``label`` as the user sees it, ``kind`` for how far it is trusted."""

    label: str
    folder: Path
    kind: Literal["shipped", "own", "cache"] = "own"


@dataclass(frozen=True, slots=True)
class Copy:
    """A model's files somewhere; of an xml and bin pair, one may be missing."""

    card: ModelCard
    precision: str | None
    files: tuple[Path, ...]
    place: Place
    card_path: Path | None = None

    @property
    def missing(self) -> Path | None:
        """The half that is not there."""
        return next((f for f in self.files if not (f.is_file() or is_saved_model(f))), None)

    def checked_model(self) -> Model:
        """Return the model; raise an error where a file is missing or damaged."""
        main = self.files[0]
        check_with_weights(self.files)
        model = Model(self.card, self.precision, self.files, self.place.label, self.card_path)
        if self.place.kind == "shipped" and not self._shipped(model).verified:
            raise HashMismatchError(
                f"the shipped {main} is not the file that its card describes; install "
                f"wasinn-nb again"
            )
        return model

    def _shipped(self, model: Model) -> Model:
        """Return a shipped model with the card that was shipped, not with a user's own."""
        if model.card_path is None or model.card_path.name == FOLDER_CARD:
            return model
        return replace(model, card=known_card(model_stem(model.path)) or self.card)


# ------------------------------------------------------------------------------------- places


def places() -> Iterator[Place]:
    """Yield where models are looked up, in this order."""
    yield Place("shipped", shipped.data_dir() / "models", "shipped")
    for folder in settings.search_path():
        yield Place(short_path(folder), folder)
    yield Place("cache", settings.cache_dir() / "models", "cache")


def places_text() -> str:
    """Return the places for an error, with their paths."""
    first, *own, cache = places()
    texts = [f"the shipped data ({first.folder})"]
    for place in own:
        gone = "" if place.folder.is_dir() else ": no such folder"
        texts.append(f"{place.folder} (WASINN_NB_PATH{gone})")
    return f"{', '.join(texts)} and the cache ({cache.folder})"


def short_path(folder: Path) -> str:
    """Return the folder as it was given, with ``~`` for the home directory."""
    with suppress(ValueError, RuntimeError):
        return str(Path("~") / folder.relative_to(Path.home()))
    return str(folder)


def cache_folder(name: str, precision: str) -> Path:
    """Return where the downloaded files of a model lie."""
    return settings.cache_dir() / "models" / name / precision


def known_card(name: str) -> ModelCard | None:
    """Return the card of that name: the shipped one, else one of ``WASINN_NB_PATH``."""
    found = _known(name)
    return found.card if found else None


def _known(name: str) -> FoundCard | None:
    if as_name(name) != name:
        return None
    for root in (shipped.data_dir() / "models", *settings.search_path()):
        for home in homes(root, name):
            if (found := card_in(home, name)) is not None:
                return found
    return None


def names_in(root: Path) -> Iterator[str]:
    """Yield the names of the models in a directory, in any of the layouts."""
    if is_saved_model(root):
        yield model_stem(root)
    elif (root / FOLDER_CARD).is_file():
        try:
            yield ModelCard.read(root / FOLDER_CARD).name
        except WasiNnError:
            yield root.name  # its row says what is wrong
    for path in sorted(root.iterdir()):
        if path.is_dir():
            if path.name in {"intel", "public"}:
                yield from names_in(path)
            elif (path / FOLDER_CARD).is_file() or _holds_model(path):
                yield path.name
        elif as_name(path.stem) == path.stem and _looks_like_model(path):
            yield path.stem


def unnamed_models() -> list[Path]:
    """Return the models of ``WASINN_NB_PATH`` whose files are called as no model can be.

    Only their paths lead to them.
    """
    found: list[Path] = []
    for root in settings.search_path():
        with suppress(OSError):
            found += [path for path in sorted(root.iterdir()) if _is_unnamed(path)]
    return found


def _is_unnamed(path: Path) -> bool:
    if path.is_dir():
        name, listed = path.name, (path / FOLDER_CARD).is_file()
        return as_name(name) != name and not listed and any(main_files(path, name))
    return as_name(path.stem) != path.stem and _looks_like_model(path)


def model_files_here() -> list[str]:
    """Return the names of the models' files in the working directory, which paths lead to."""
    with suppress(OSError), os.scandir() as entries:
        names = [entry.name for entry in itertools.islice(entries, _MOST_ENTRIES)]
        return sorted(name for name in names if _looks_like_model(Path(name)))
    return []


def _holds_model(folder: Path) -> bool:
    name = folder.name
    return as_name(name) == name and any(main_files(folder, name))


def _looks_like_model(path: Path) -> bool:
    """Return whether *path* is a model's main file: many an ``.xml`` is something else."""
    suffix = path.suffix.lower()
    if suffix not in ENCODINGS or main_path(path) != path or not path.is_file():
        return False
    if suffix != ".xml" or model_files(path)[-1].is_file():
        return True
    with path.open("rb") as opened:
        return b"<net " in opened.read(4096)


# ------------------------------------------------------------------------------------- copies


def copies(place: Place, name: str) -> list[Copy]:
    """Return what *place* has of a model, precision by precision.

    Raises
    ------
    MissingFileError
        If the place, or a card in it, cannot be read.
    RecipeError
        If the model's card is malformed.
    """
    if as_name(name) != name:
        return []
    with _readable(f", or take {place.folder} out of WASINN_NB_PATH"):
        if place.kind == "cache":
            cached = (cached_copy(name, precision) for precision in _known_precisions(name))
            return [copy for copy in cached if copy is not None]
        for home in homes(place.folder, name):
            if found := list(main_files(home, name)):
                return [_copy(precision, path, place, home) for precision, path in found]
    return []


def cached_copy(name: str, precision: str) -> Copy | None:
    """Return what was downloaded of a model of :func:`known_card`, if it is whole."""
    found, folder = _known(name), cache_folder(name, precision)
    files = found.card.precisions.get(precision, ()) if found else ()
    if not found or not files or not are_whole(files, folder):
        return None
    path = folder / files[0].name
    found = own_card(path) or found
    place = Place("cache", settings.cache_dir() / "models", "cache")
    return Copy(found.card, precision, model_files(path.absolute()), place, found.path)


def _known_precisions(name: str) -> tuple[str, ...]:
    card = known_card(name)
    return tuple(card.precisions) if card else ()


@contextmanager
def _readable(remedy: str = "") -> Iterator[None]:
    """Translate the error of a folder or file that is there, but not to be read."""
    try:
        yield
    except PermissionError as error:
        raise MissingFileError(
            f"{error.filename} cannot be read: {error.strerror}; change its permissions{remedy}"
        ) from error


def best(candidates: list[Copy], precision: str | None) -> Copy | None:
    """Return the copy to take: of *precision*, or the preferred one."""
    fitting = [copy for copy in candidates if precision in {None, copy.precision}]
    return min(fitting, key=lambda copy: rank(copy.precision), default=None)


def rank(precision: str | None) -> tuple[int, str]:
    """Return a key that sorts precisions by preference."""
    known = _PREFERRED.index(precision) if precision in _PREFERRED else len(_PREFERRED)
    return known, precision or ""


def _copy(precision: str | None, path: Path, place: Place, home: Path | None = None) -> Copy:
    """Return the copy at *path*, with the card that describes it.

    A folder *home* that is called as the model must not hold the card of another one.
    """
    stem = model_stem(path)
    found = card_for(path) or (card_in(home, stem) if home else None) or _known(stem)
    card = found.card if found else ModelCard(as_name(stem))
    files = model_files(path.absolute())
    copy = Copy(card, precision, files, place, found.path if found else None)
    if precision not in card.precisions and copy.missing is None:
        # A folder may be called int9 or fp16 for other reasons: the bytes say more.
        return replace(copy, precision=matching_precision(card, files) or precision)
    return copy


# -------------------------------------------------------------------------------------- paths


def at_path(path: Path, precision: str | None) -> Model:
    """Return the model whose file, or whose folder, *path* is."""
    with _readable():
        if is_folder(path) and not is_saved_model(path):
            return _in_folder(path, precision)
        if not is_saved_model(path):
            if not is_model_file(path):
                close = [] if is_file(path) else filter(is_model_file, close_paths(path))
                meant = " or ".join(map(str, close))
                raise InvalidArgumentError(
                    f"expected the name of a model, a file that ends in {', '.join(ENCODINGS)}, "
                    f"or a folder, got {path}{f'; did you mean {meant}?' if meant else ''}"
                )
            path = main_path(existing_file(path, "model"))
        place = Place(short_path(path.parent), path.parent)
        main = path.absolute()
        copy = _copy(precision_of(main.parent), main, place)
    if precision is not None and copy.precision is None:
        copy = replace(copy, precision=precision)
    if precision not in {None, copy.precision}:
        raise InvalidArgumentError(
            f"expected precision {precision}, but {path} is {copy.precision}; leave precision "
            f"out, or name the other file"
        )
    return copy.checked_model()


def _in_folder(folder: Path, precision: str | None) -> Model:
    described = card_at(folder / FOLDER_CARD)
    names = [*(described_stems(described.card) if described else ()), folder.absolute().name]
    place = Place(short_path(folder), folder)
    found = next(filter(None, (list(main_files(folder, name)) for name in names)), [])
    if not found and not is_model_file(folder):  # called otherwise, but the only one
        mains = _mains_in(folder)
        found = [(precision_of(folder.absolute()), mains[0])] if len(mains) == 1 else []
    copies_here = [_copy(known, path, place) for known, path in found]
    if (copy := best(copies_here, precision)) is None:
        raise MissingFileError(_no_model_in(folder, names[0], precision))
    return copy.checked_model()


def _mains_in(folder: Path) -> list[Path]:
    """Return the main files of the models in a folder."""
    inside = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    return [path for path in inside if _looks_like_model(path)]


def _no_model_in(folder: Path, name: str, precision: str | None) -> str:
    """Say that a folder has no model that is called as it should be, and which ones it has."""
    inside = any(not path.name.startswith(".") for path in folder.iterdir())
    models = [*map(str, _mains_in(folder))]
    of = f" of precision {precision}" if precision else ""
    if is_model_file(folder):  # a file was meant
        holds = "without a model" if inside else "which is empty"
        problem = f"expected the file of a model, got the folder {folder}"
        problem += "" if models else f", {holds}"
    else:
        problem = (
            f"expected {name}.xml and {name}.bin{of} in the folder {folder} or in its folder FP16 "
            f"or FP32"
        )
    if models and precision is None:
        return f"{problem}; did you mean {' or '.join(models[:_MOST_MODELS])}?"
    return f"{problem}; name the model's file itself if it is called otherwise"
