"""What ``inspect`` says of one file, wherever the file is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import wasinn_nb as wn
from wasinn_nb.cards import card_path, is_model_file
from wasinn_nb.cli.dumps import dimensions_of, stated_by_model
from wasinn_nb.cli.remedies import remedy_commands
from wasinn_nb.cli.statements import Given, read_recipe
from wasinn_nb.errors import MissingFileError, NotFoundError
from wasinn_nb.files import has_folder, is_file, is_folder, nothing_at
from wasinn_nb.inspection import describe_file, kinds_in
from wasinn_nb.render import document_text

__all__ = ["Inspected", "Request", "fetch", "inspected"]


class Inspected(NamedTuple):
    """What is known of a file."""

    text: str
    facts: dict[str, Any]
    """The same as JSON values."""


@dataclass(frozen=True, slots=True)
class Request:
    """How files are to be read: the options of ``inspect``, as they were typed.

    Attributes
    ----------
    card, recipe, runtime, shape, type_, model : str or None
    width : int
        Characters in a line of text.
    """

    card: str | None
    recipe: str | None
    runtime: str | None
    shape: str | None
    type_: str | None
    model: str | None
    width: int

    @property
    def dumped(self) -> bool:
        """Whether files are raw dumps."""
        return self.shape is not None or self.type_ is not None


def fetch(request: Request, text: str) -> None:
    """Download models that are named and not here, so that reading it takes as long as others do.

    Parameters
    ----------
    request : Request
    text : str
        The path of a file, or a model's name.

    Raises
    ------
    WasiNnError
        If there is no such file or model, or it cannot be fetched.
    """
    path = Path(text)
    if request.model is not None:
        wn.model(request.model)
    if not path.exists() and not request.dumped and _is_model(path):
        _check_name(text)
        wn.model(text, card=request.card)


def inspected(request: Request, text: str, words: Sequence[str]) -> Inspected:
    """Return what is known of a file.

    Parameters
    ----------
    request : Request
    text : str
        Its path, or a model's name.
    words : sequence of str
        The words of a command line that inspects this file alone.

    Raises
    ------
    WasiNnError
        If it is not there, is damaged, or is nothing that can be read.
    """
    path = Path(text)
    if request.dumped or not _is_model(path):
        stated: tuple[Any, Any] = dimensions_of(request.shape), request.type_
        if request.model is not None and stated == (None, None):
            stated = stated_by_model(path, request.model) or stated
        file = describe_file(_shipped(path), *stated)
        return Inspected(document_text(file.document(), request.width), file.to_dict())
    if not path.exists():
        _check_name(text)
    model = path if is_folder(path) else text  # text alone may be a name
    try:
        described = wn.describe(
            model,
            card=request.card,
            recipe=read_recipe(request.recipe),
            runtime=request.runtime,
        )
    except MissingFileError as error:
        if not is_folder(path) or request.card is not None:
            raise
        raise MissingFileError(f"{path}: {kinds_in(path)}") from error
    of_model = Given(model, request.card, request.recipe)
    parts = [
        document_text(described.document(), request.width),
        *_commands(described, of_model, words),
    ]
    return Inspected("\n\n".join(parts), described.to_dict() | _file_facts(of_model.found))


def _check_name(text: str) -> None:
    """Refuse a plain name that nothing has, neither a file nor what is shipped."""
    path, names = Path(text), wn.models().names
    if not (has_folder(text) or is_model_file(path) or text in names):
        known = [*names, *wn.images()]
        raise NotFoundError(nothing_at(path, "file or folder", known, "model or shipped image"))


def _shipped(path: Path) -> Path:
    """Return the path of a shipped image where its name is given."""
    return wn.image(str(path)) if not path.exists() and str(path) in wn.images() else path


def _is_model(path: Path) -> bool:
    if path.suffix in {".tensor", ".npy"}:
        return False
    if path.suffix == ".bin" and is_file(path) and not is_file(path.with_suffix(".xml")):
        return False
    if is_folder(path) or is_model_file(path):
        return True
    if path.exists() or str(path) in wn.images():
        return False
    return not path.suffix or str(path) in wn.models().names


def _file_facts(found: wn.Model) -> dict[str, Any]:
    return {
        "files": [str(path) for path in found.files],
        "sha384": dict(found.sha384),
        "verified": found.verified,
    }


def _commands(described: wn.ModelDescription, given: Given, words: Sequence[str]) -> list[str]:
    """Return what can be typed next, each under a heading."""
    found, parts = given.found, []
    if described.error is not None and described.error.remedy is not None:
        parts += [
            f"# what would read it\n{command}"
            for command in remedy_commands(described.error.remedy, words)
        ]
    if fields := described.assumed_fields:
        force = is_file(card_path(found.path))
        command = given.command(fields, described.path, force=force)
        parts.append(f"# the same on the command line\n{command}")
    if found.card.precisions:
        verified = (
            "yes, by SHA-384"
            if found.verified
            else "no: another build, which is used as it is; its figures and what the card says "
            "of classes and recipe may not hold for it"
        )
        parts.append(f"# the files are those of the card: {verified}")
    return parts
