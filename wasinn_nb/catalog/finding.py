"""Finding models and images by name: shipped ones, your own, and those that can be fetched.

A model is looked up in the shipped data, then in the directories of ``WASINN_NB_PATH`` in their
order, then in the download cache.  In a directory it may lie flat (``NAME.xml``, ``NAME.bin``), in
a folder of its own (``NAME/NAME.xml``), by precision as the Open Model Zoo has it
(``NAME/FP16/NAME.xml``, also below ``intel/`` and ``public/``).  Its card is ``NAME.card.json``
beside the file, or the folder's ``card.json``.  A TensorFlow SavedModel is a folder, with its card
inside.  What lies in a user's directory is used, whatever its hash.  Shipped and
downloaded files are what their cards describe, or they are not used.
"""

from __future__ import annotations

import hashlib
import os
import warnings
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from wasinn_nb import settings
from wasinn_nb.cards import ModelCard, is_model_file, is_saved_model
from wasinn_nb.catalog import shipped
from wasinn_nb.catalog.cardfiles import useless_cards
from wasinn_nb.catalog.downloads import TIMEOUT, fetch_files
from wasinn_nb.catalog.entries import NOT_HERE, Model, ModelEntry, ModelTable
from wasinn_nb.catalog.lookup import (
    Copy,
    at_path,
    best,
    cache_folder,
    cached_copy,
    copies,
    known_card,
    model_files_here,
    names_in,
    places,
    places_text,
    rank,
    short_path,
    unnamed_models,
)
from wasinn_nb.catalog.shipped import PathLike
from wasinn_nb.errors import (
    DownloadError,
    InvalidArgumentError,
    NotFoundError,
    WasiNnError,
    WasiNnWarning,
)
from wasinn_nb.files import expanded, has_folder
from wasinn_nb.progress import Progress
from wasinn_nb.wording import bytes_text, closest, listed, no_such

__all__ = ["fetch", "model", "models"]

_MOST_UNNAMED: Final = 3

# ------------------------------------------------------------------------------------- models


def models() -> ModelTable:
    """List every model known here, with where it is or why it is not here.

    Nothing is downloaded or loaded.

    Returns
    -------
    ModelTable
        One row per name: shipped ones first, then those in ``WASINN_NB_PATH``.

    Examples
    --------
    >>> import wasinn_nb as wn
    >>> "road-segmentation-adas-0001" in wn.models().names
    True
    """
    own = settings.search_path()
    names: dict[str, None] = {}
    for root in (shipped.data_dir() / "models", *own):
        with suppress(OSError):  # a directory that is not there, or not readable
            names |= dict.fromkeys(names_in(root))
    remarks = [
        f"WASINN_NB_PATH: there is no folder {short_path(root)}"
        for root in own
        if not root.is_dir()
    ]
    if unnamed := unnamed_models():
        listing = listed([short_path(path) for path in unnamed], _MOST_UNNAMED)
        remarks.append(f"WASINN_NB_PATH: {_by_path_alone(listing)}")
    return ModelTable(map(_entry, names), remarks)


def model(
    name_or_path: PathLike | Model | None = None,
    precision: str | None = None,
    *,
    download: bool = True,
    card: ModelCard | PathLike | None = None,
) -> Model:
    """Find a model, and fetch it if it is only known.

    Parameters
    ----------
    name_or_path : str, path-like, Model or None
        A name of :func:`models`; or the path of an ``.xml``, ``.onnx``, ``.tflite``, ``.pb`` or
        ``.pdmodel`` file, of a TensorFlow SavedModel, or of a folder with a model in it: text with
        a ``/`` or such a suffix is a path.  A `Model` is returned as it is.  Default:
        ``WASINN_NB_MODEL``, else the shipped one.
    precision : str, optional
        Of the weights, such as ``"FP32"``.  Default: in the first place that has the model, FP16,
        else FP32, else what is there.  (What OpenVINO computes in is chosen elsewhere:
        ``WASINN_NB_PRECISION``.)
    download : bool
        Whether a model that is not here may be fetched; ``WASINN_NB_OFFLINE=1`` forbids it too.
    card : ModelCard, str or path-like, optional
        A card, or the path of a card's JSON file, in the place of the one that is found.

    Returns
    -------
    Model

    Warns
    -----
    WasiNnWarning
        If a card beside the model names no model there, unless *card* is given.

    Raises
    ------
    NotFoundError
        If no such model, or precision of it, is known.
    MissingFileError
        If a path leads nowhere, or half of an xml and bin pair is missing.
    RecipeError
        If its card is malformed.
    RuntimeFailure
        If half of a pair is missing, and the other half is of a version that no runtime reads.
    DownloadError
        If it cannot be fetched.

    Examples
    --------
    >>> import wasinn_nb as wn
    >>> wn.model("road-segmentation-adas-001")
    Traceback (most recent call last):
    ...
    wasinn_nb.errors.NotFoundError: no model 'road-segmentation-adas-001' in ...; did you mean
    road-segmentation-adas-0001...?
    """
    if name_or_path is None:
        name_or_path = settings.default("model")
    if isinstance(name_or_path, Model):
        return name_or_path if card is None else _with_card(name_or_path, card)
    found = _resolved(name_or_path, precision, download=download)
    if card is not None:
        return _with_card(found, card)
    for remark in useless_cards(found.path, found.card_path):
        warnings.warn(remark, WasiNnWarning, stacklevel=2)
    return found


def _with_card(found: Model, card: ModelCard | PathLike) -> Model:
    """Return the model with the card that the user gave in the place of the one beside it."""
    if isinstance(card, ModelCard):
        return replace(found, card=card, card_path=None)
    path = expanded(card, "a model card or the path of one").absolute()
    return replace(found, card=ModelCard.read(path), card_path=path)


def _resolved(name_or_path: PathLike, precision: str | None, *, download: bool) -> Model:
    """Return the model of that name or at that path, with the card that is found there."""
    precision = _checked(precision)
    path = expanded(name_or_path, "a name or a path")
    if not isinstance(name_or_path, str) or has_folder(name_or_path):
        return at_path(path, precision)
    if is_model_file(path) or is_saved_model(path):
        return at_path(path, precision)
    name = name_or_path
    others: list[Copy] = []
    for place in places():
        found = copies(place, name)
        if (copy := best(found, precision)) is not None:
            return copy.checked_model()
        others += found
    card = known_card(name)
    if others and not (download and _fetchable(card, precision)):
        elsewhere = ", ".join(
            f"{copy.precision or 'an unknown precision'} in {copy.place.label}" for copy in others
        )
        raise NotFoundError(
            f"{name} is not here in precision {precision}, but in {elsewhere}; "
            f"leave precision out to use what is here"
        )
    if card is None:
        raise _unknown(name)
    chosen = _chosen(card, precision)
    if download and _fetchable(card, chosen):
        return fetch(name, chosen)
    reason = _reason(card, chosen)
    raise NotFoundError(f"{name} is not here: {reason}; looked in {places_text()}")


def fetch(
    name: str,
    precision: str | None = None,
    *,
    progress: Progress = True,
    timeout: float = TIMEOUT,
) -> Model:
    """Fetch a model into the download cache; nothing is fetched that is there already.

    Parameters
    ----------
    name : str
        Of :func:`models`.
    precision : str, optional
        Default: FP16, else FP32, else the first on the card.
    progress : bool or callable
        Show a bar in a terminal or notebook; or call ``progress(so_far, in_all)`` with bytes.
    timeout : float
        Seconds without data after which the server counts as stalled.

    Returns
    -------
    Model
        With ``origin="cache"`` and its hashes checked.

    Raises
    ------
    NotFoundError
        If no such model or precision is known, or its card has no address.
    MissingFileError
        If it is a URL: only models that a card describes are fetched.
    DownloadError
        If the server or the disk fails, or ``WASINN_NB_OFFLINE`` is set.  Call again to go on
        where the connection ended.
    HashMismatchError
        If what arrived is not what the card describes; it is removed.

    Examples
    --------
    >>> import wasinn_nb as wn
    >>> wn.fetch("road-segmentation-adas-0001", "FP8")
    Traceback (most recent call last):
    ...
    wasinn_nb.errors.NotFoundError: road-segmentation-adas-0001 has no precision FP8; it has FP32,
    FP16, FP16-INT8
    """
    precision = _checked(precision)
    expanded(name, "a name")  # a URL is named as one
    card = known_card(name)
    if card is None:
        raise _unknown(name)
    chosen = _chosen(card, precision)
    if chosen is None or not _fetchable(card, chosen):
        raise NotFoundError(f"{name} cannot be fetched: {_reason(card, chosen)}")
    files = card.precisions[chosen]
    tag = hashlib.sha384("".join(file.sha384 for file in files).encode()).hexdigest()[:12]
    fetch_files(
        files,
        cache_folder(name, chosen),
        settings.cache_dir() / "partial" / f"{name}-{chosen}-{tag}",
        progress=progress,
        timeout=timeout,
    )
    copy = cached_copy(name, chosen)
    if copy is None:  # removed meanwhile
        raise DownloadError(f"{name} was fetched and is gone again from the cache; call again")
    return copy.checked_model()


# ------------------------------------------------------------------------------------- reasons


def _entry(name: str) -> ModelEntry:
    label = NOT_HERE
    try:
        for place in places():
            label = place.label
            if found := copies(place, name):
                return _entry_here(name, found)
        label = NOT_HERE
        card = known_card(name)
        chosen = None if card is None else _chosen(card, None)
        task = "unknown" if card is None else card.task
        precisions = () if card is None else tuple(card.precisions)
        size = None if settings.offline() else _download_bytes(card, chosen)
        reason = _reason(card, chosen)
        return ModelEntry(name, task, precisions, label, reason, download_bytes=size)
    except (WasiNnError, OSError) as error:
        return ModelEntry(name, "unknown", (), label, str(error).splitlines()[0], broken=True)


def _entry_here(name: str, found: list[Copy]) -> ModelEntry:
    copy = best(found, None) or found[0]
    usable = tuple(c.precision for c in found if c.precision and c.missing is None)
    reason = ""
    if copy.missing is not None:
        reason = f"{copy.missing.name} is missing"
    elif copy.card.precisions:
        if not copy.checked_model().verified:
            reason = "another build than its card describes; used as it is"
    elif copy.card.task == "unknown":
        reason = "no card: its classes and recipe are not known"
    broken = copy.missing is not None
    return ModelEntry(name, copy.card.task, usable, copy.place.label, reason, broken)


def _reason(card: ModelCard | None, precision: str | None) -> str:
    """Return why no file of a model is here."""
    size = _download_bytes(card, precision)
    if card is None or size is None:
        return "card only, without an address; put its files into a directory of WASINN_NB_PATH"
    text = bytes_text(size)
    if settings.offline():
        return f"not downloaded ({text}), and WASINN_NB_OFFLINE is set"
    return f"not downloaded ({text})"


def _fetchable(card: ModelCard | None, precision: str | None) -> bool:
    return _download_bytes(card, precision) is not None


def _download_bytes(card: ModelCard | None, precision: str | None) -> int | None:
    """Return the size of the files that can be fetched; None if they have no address."""
    files = card.precisions.get(precision or "", ()) if card else ()
    fetchable = bool(files) and all(file.url for file in files)
    return sum(file.bytes for file in files) if fetchable else None


def _chosen(card: ModelCard, precision: str | None) -> str | None:
    """Return the precision that is meant; None if the card has none."""
    if precision is None:
        return min(card.precisions, key=rank, default=None)
    if precision in card.precisions:
        return precision
    has = ", ".join(card.precisions) or "none"
    raise NotFoundError(f"{card.name} has no precision {precision}; it has {has}")


def _by_path_alone(models: str) -> str:
    return f"{models} can be given as a path alone: names have a to z, A to Z, 0 to 9, ., _ and -"


def _unknown(name: str) -> NotFoundError:
    where = f" in {places_text()}"
    if os.path.lexists(name):
        return NotFoundError(
            f"no model {name!r:.140}{where}; for what lies here under that name, write ./{name}"
        )
    for path in unnamed_models():
        if name in {path.name, path.stem}:
            return NotFoundError(f"no model {name!r:.140}{where}; {_by_path_alone(str(path))}")
    names = models().names
    meant = {Path(file).stem: file for file in model_files_here()} | {one: one for one in names}
    close = [meant[one] for one in closest(name, meant)]
    if close:
        return NotFoundError(f"no model {name!r:.140}{where}; did you mean {' or '.join(close)}?")
    return NotFoundError(no_such("model", name, names, where))


def _checked(precision: str | None) -> str | None:
    if precision is not None and not isinstance(precision, str):
        raise InvalidArgumentError(f"expected a precision such as 'FP16', got {precision!r:.80}")
    return precision and precision.upper()
