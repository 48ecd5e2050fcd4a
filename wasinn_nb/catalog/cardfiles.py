"""The card of a model: beside its file or in its folder; and cards there that describe nothing."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from wasinn_nb.cards import (
    CARD_SUFFIX,
    ENCODINGS,
    FOLDER_CARD,
    ModelCard,
    as_name,
    card_path,
    is_saved_model,
    model_stem,
)
from wasinn_nb.catalog.layouts import PRECISION, homes, main_files, precision_folders, precision_of
from wasinn_nb.errors import RecipeError, WasiNnError
from wasinn_nb.wording import listed

__all__ = [
    "FoundCard",
    "card_at",
    "card_for",
    "card_in",
    "described_stems",
    "own_card",
    "useless_cards",
]

_MOST_NAMED: Final = 5


class FoundCard(NamedTuple):
    """A card, and the file that it was read from."""

    card: ModelCard
    path: Path


def card_at(path: Path) -> FoundCard | None:
    """Read the card at *path*; None where nothing lies there.

    Raises
    ------
    RecipeError
        If it is malformed.
    MissingFileError
        If it cannot be read, or is a folder.
    """
    if not os.path.lexists(path):
        return None
    card = ModelCard.read(path)
    for precision in card.precisions:
        if not PRECISION.fullmatch(precision):  # it becomes a folder
            raise RecipeError(
                f"{path}: expected precisions such as FP16 or FP16-INT8, got {precision!r:.80}"
            )
    return FoundCard(card, path.absolute())


def own_card(main: Path) -> FoundCard | None:
    """Return the card of this model alone: ``STEM.card.json``, or ``card.json`` in its folder."""
    return card_at(card_path(main))


def card_for(main: Path) -> FoundCard | None:
    """Return the card that describes a model's main file.

    ``STEM.card.json`` beside the file comes first, then the folder's ``card.json`` where its name
    or its files name the model; for a file in a folder of its precision then the same one folder
    above.  The card of a model that is a folder lies in it, or names it from the folder around it.

    Raises
    ------
    RecipeError, MissingFileError
        As of `card_at`.
    """
    own = card_path(main)
    around = [folder / name for folder in _folders(main) for name in (own.name, FOLDER_CARD)]
    for path in dict.fromkeys((own, *around)):
        found = card_at(path)
        if found and (path == own or path.name != FOLDER_CARD or _describes(found.card, main)):
            return found
    return None


def card_in(folder: Path, name: str) -> FoundCard | None:
    """Return the card of that name in a folder.

    Raises
    ------
    RecipeError
        If the folder is called *name*, and the card in it describes another model.
    """
    found = card_at(folder / FOLDER_CARD)
    if found is None or found.card.name == name:
        return found
    of_another = name not in described_stems(found.card) and not is_saved_model(folder)
    if folder.name == name and of_another:
        raise RecipeError(
            f"{found.path}: expected the card of {name}, got that of {found.card.name}"
        )
    return None


def _folders(main: Path) -> tuple[Path, ...]:
    """Return where cards of a main file may lie, the nearest folder first."""
    by_precision = precision_of(main.parent) is not None
    return (main.parent, main.parent.parent)[: 2 if by_precision else 1]


def described_stems(card: ModelCard) -> tuple[str, ...]:
    """Return what the model of a card may be called on disk: the card's name, its files' stems."""
    stems = (Path(file).stem for file in _described_files(card))
    return tuple(dict.fromkeys((card.name, *stems)))


def _describes(card: ModelCard, main: Path) -> bool:
    stem = model_stem(main)
    return card.name in {stem, as_name(stem)} or main.name in _described_files(card)


def _described_files(card: ModelCard) -> list[str]:
    return [file.name for files in card.precisions.values() for file in files]


# ------------------------------------------------------------------------------- useless cards


def useless_cards(main: Path, used: Path | None) -> Iterator[str]:
    """Yield a remark on each card around a model that describes no model there.

    Parameters
    ----------
    main : Path
        The model's main file, absolute.
    used : Path or None
        The card that was read for it.
    """
    inside = (main, main.parent) if is_saved_model(main) else _folders(main)
    for folder in inside:
        with suppress(OSError):  # a folder that is not to be listed: the model needs not be
            names = os.listdir(folder)  # noqa: PTH208 - often long, and read on every call
            for name in sorted(filter(_is_card, names)):
                path = folder / name
                if path == used:
                    continue
                if name == FOLDER_CARD:
                    yield from _useless_folder_card(path, main, names)
                else:
                    yield from _useless_own_card(path, main, names)


def _is_card(name: str) -> bool:
    return name == FOLDER_CARD or (name.endswith(CARD_SUFFIX) and not name.startswith("."))


def _useless_own_card(path: Path, main: Path, names: Iterable[str]) -> Iterator[str]:
    stem = path.name.removesuffix(CARD_SUFFIX)
    if is_saved_model(path.parent / stem):
        yield (
            f"the model card {path} is not used: the card of a model that is a folder lies in it; "
            f"move it to {path.parent / stem / FOLDER_CARD}"
        )
    elif not any(main_files(path.parent, stem)):
        remedy = f"rename it to {card_path(main).name}"
        yield _useless(path, stem, main, names, remedy)


def _useless_folder_card(path: Path, main: Path, names: Iterable[str]) -> Iterator[str]:
    try:
        found = card_at(path)
    except WasiNnError as error:
        yield f"the model card {path} is not used: {error}"
        return
    if found is None or _describes(found.card, main):
        return
    name = found.card.name
    if any(any(main_files(home, name)) for home in homes(path.parent, name)):
        return
    folders = (path.parent, *precision_folders(path.parent))
    files = _described_files(found.card)
    if not any((folder / file).is_file() for folder in folders for file in files):
        remedy = f"change its name to {as_name(model_stem(main))}"
        yield _useless(path, name, main, names, remedy)


def _useless(path: Path, name: str, main: Path, names: Iterable[str], remedy: str) -> str:
    """Return the remark that the card at *path* names a model that is not among the files there."""
    there = sorted(name for name in names if Path(name).suffix.lower() in ENCODINGS)
    there = there or [main.relative_to(path.parent).as_posix()]
    return (
        f"the model card {path} is not used: it names {name}, but the models there are "
        f"{listed(there, _MOST_NAMED)}; {remedy} if it is the card of {main.name}, or "
        f"remove it"
    )
