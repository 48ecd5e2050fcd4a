"""What the catalog returns: a model with its files, and the table of models."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeAlias, overload

from wasinn_nb import render
from wasinn_nb.abi import GraphEncoding
from wasinn_nb.cards import (
    ModelCard,
    Stated,
    encoding_by_suffix,
    is_saved_model,
    saved_model_files,
    stated,
)
from wasinn_nb.catalog.hashes import sha384
from wasinn_nb.errors import RuntimeFailure
from wasinn_nb.files import change_stamp, existing_file

__all__ = ["Model", "ModelEntry", "ModelTable", "matching_precision"]

NOT_HERE: Final = "not here"
_HEADINGS: Final = ("name", "task", "precisions", "where", "reason")


def matching_precision(card: ModelCard, files: Sequence[Path]) -> str | None:
    """Return the precision of *card* whose files these are, byte for byte, or None.

    Sizes are compared first, so that a large file of another build is not read.
    """
    matching = (known for known in card.precisions if _are_those(card, known, files))
    return next(matching, None)


def _are_those(card: ModelCard, precision: str, files: Sequence[Path]) -> bool:
    described = {file.name: file for file in card.precisions.get(precision, ())}
    return (
        bool(described)
        and described.keys() == {path.name for path in files}
        and all(path.stat().st_size == described[path.name].bytes for path in files)
        and all(sha384(path) == described[path.name].sha384 for path in files)
    )


Stamp: TypeAlias = tuple[Path, int, int, int, int]
"""A file's path, inode, times of its last writing and change in ns, and size in bytes."""


def _stamp(path: Path) -> Stamp:
    return path, *change_stamp(existing_file(path, "model"))


def _name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name


@functools.lru_cache(maxsize=64)
def _stated(files: tuple[Path, ...], _stamps: object) -> Stated:
    """Return what *files* state about the model; read once per change."""
    try:
        return stated(files)
    except RuntimeFailure:  # damaged: loading it reports how
        return Stated(GraphEncoding.AUTODETECT)


@dataclass(frozen=True)
class Model:
    """A model that is here: its card and its files.

    Parameters
    ----------
    card : ModelCard
        A bare one, with task ``"unknown"``, where nothing describes the model.  Its encoding
        becomes that of the files.
    precision : str or None
        Of the weights in the files, such as ``"FP16"``; None where nothing states it.
    files : tuple of Path
        Absolute; for OpenVINO IR xml and bin in this order.
        A TensorFlow SavedModel is its folder.
    origin : str
        ``"shipped"``, ``"cache"``, or the folder as it was given.
    card_path : Path or None
        The file that the card was read from; None for a card that no file holds.

    Examples
    --------
    >>> from pathlib import Path
    >>> toy = wn.Model(wn.ModelCard("toy"), "FP32", (Path("toy.onnx"),), "models")
    >>> toy
    Model(toy FP32, unknown, from models)
    >>> toy.path.name
    'toy.onnx'
    """

    card: ModelCard
    precision: str | None
    files: tuple[Path, ...]
    origin: str
    card_path: Path | None = None

    def __post_init__(self) -> None:
        encoding = encoding_by_suffix(self.path)
        if encoding not in {None, self.card.encoding}:
            object.__setattr__(self, "card", self.card.replace(encoding=encoding))

    @property
    def name(self) -> str:
        """The name on the card."""
        return self.card.name

    @property
    def path(self) -> Path:
        """The file that the runtime reads; it finds the weights beside it."""
        return self.files[0]

    @property
    def encoding(self) -> GraphEncoding:
        """The format of the files, by their suffix."""
        return self.card.encoding

    @property
    def weights(self) -> tuple[Path, ...]:
        """Every file that weights come from, the main file first.

        That is the xml and the bin of OpenVINO IR, an ONNX file and its external data, and every
        file of a SavedModel but its card.

        Raises
        ------
        MissingFileError
            If one of them is missing.
        """
        if is_saved_model(self.path):
            return saved_model_files(self.path)
        if self.encoding is not GraphEncoding.ONNX:
            return self.files
        return tuple(dict.fromkeys((*self.files, *self.stated.weights)))

    @property
    def stated(self) -> Stated:
        """What the files state about the model; nothing where they are damaged.

        Raises
        ------
        MissingFileError
            If one of them is missing.
        """
        parts = saved_model_files(self.path) if is_saved_model(self.path) else self.files
        return _stated(self.files, tuple(map(_stamp, parts)))

    @property
    def stamps(self) -> tuple[Stamp, ...]:
        """Path, inode, times in ns and size in bytes of the weights and of the card's file, now.

        Equal stamps mean that nothing was written anew.

        Raises
        ------
        MissingFileError
            If one of the files is missing.
        """
        cards = () if self.card_path is None else (self.card_path,)
        return tuple(map(_stamp, (*self.weights, *cards)))

    @property
    def sha384(self) -> Mapping[str, str]:
        """SHA-384 of each of :attr:`weights`, of its actual bytes: name → hexadecimal digits.

        The name is the path below the model's folder, or the folder that it is.  Computed when
        it is first asked for, about a second per GB, and again when a file was written anew.
        """
        folder = self.path if is_saved_model(self.path) else self.path.parent
        return MappingProxyType(
            {_name(path, folder): sha384(existing_file(path, "model")) for path in self.weights}
        )

    @property
    def verified(self) -> bool:
        """Whether the files are, byte for byte, those that the card describes."""
        if self.precision is None or self.precision not in self.card.precisions:
            return matching_precision(self.card, self.files) is not None
        return _are_those(self.card, self.precision, self.files)

    def __repr__(self) -> str:
        precision = f" {self.precision}" if self.precision else ""
        return f"Model({self.name}{precision}, {self.card.task}, from {self.origin})"


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One row of :func:`wasinn_nb.catalog.models`.

    Parameters
    ----------
    name, task : str
        As on the card.
    precisions : tuple of str
        Those that are here; those that the card describes where none is here.
    where : str
        ``"shipped"``, ``"cache"``, the folder as ``WASINN_NB_PATH`` has it, or ``"not here"``.
    reason : str
        Why it is not here and what to do about that, or what is uncommon about what is here.
    broken : bool
        Whether what is there cannot be loaded; *reason* says why.
    download_bytes : int or None
        How much :func:`fetch` would fetch; None where nothing is to be fetched, or nothing may be.
    """

    name: str
    task: str
    precisions: tuple[str, ...]
    where: str
    reason: str = ""
    broken: bool = False
    download_bytes: int | None = None

    @property
    def here(self) -> bool:
        """Whether the model can be loaded as it is, without a download."""
        return self.where != NOT_HERE and not self.broken

    def to_dict(self) -> dict[str, Any]:
        """Return the entry as plain JSON values."""
        return {
            "name": self.name,
            "task": self.task,
            "precisions": list(self.precisions),
            "where": self.where,
            "here": self.here,
            "broken": self.broken,
            "reason": self.reason,
            "download_bytes": self.download_bytes,
        }


class ModelTable(render.Showing, Sequence[ModelEntry]):
    """The models known here, as an immutable sequence that prints as a table.

    Parameters
    ----------
    entries : iterable of ModelEntry
    remarks : iterable of str
        Lines below the table.

    Examples
    --------
    >>> table = ModelTable([ModelEntry("toy", "segmentation", ("FP16", "FP32"), "shipped")])
    >>> table
    name  task          precisions  where    reason
    toy   segmentation  FP16, FP32  shipped
    >>> table[0].here
    True
    """

    __slots__ = ("_entries", "_remarks")

    def __init__(self, entries: Iterable[ModelEntry], remarks: Iterable[str] = ()) -> None:
        self._entries = tuple(entries)
        self._remarks = tuple(remarks)

    @property
    def names(self) -> tuple[str, ...]:
        """The names in the order of the rows."""
        return tuple(entry.name for entry in self._entries)

    @overload
    def __getitem__(self, index: int) -> ModelEntry: ...
    @overload
    def __getitem__(self, index: slice) -> ModelTable: ...
    def __getitem__(self, index: int | slice) -> ModelEntry | ModelTable:
        if isinstance(index, slice):
            return ModelTable(self._entries[index], self._remarks)
        return self._entries[index]

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[ModelEntry]:
        return iter(self._entries)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ModelTable):
            return NotImplemented
        return self._entries == other._entries and self._remarks == other._remarks

    def __hash__(self) -> int:
        return hash((self._entries, self._remarks))

    def document(self, fetching: str = "wn.model('{name}') fetches it") -> render.Document:
        """Return what there is to see: a row for each model, and the remarks.

        Parameters
        ----------
        fetching : str
            How a model that is not here can be fetched; ``{name}`` is its name.  Stated below the
            table, where it is never wrapped.
        """
        rows = [[one.name, one.task, one.precisions, one.where, one.reason] for one in self]
        missing = [one.name for one in self if not one.here and one.download_bytes is not None]
        fetched = render.Items([fetching.format(name=name) for name in missing])
        remarks = [render.Paragraph(remark) for remark in self._remarks]
        return render.Document(
            "Models", [render.Table(_HEADINGS, rows), fetched, *remarks], show_title=False
        )
