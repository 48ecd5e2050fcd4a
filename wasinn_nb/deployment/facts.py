"""What ``bundle.json`` states, as plain values with checked types."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Literal, TypedDict

from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.files import existing_file
from wasinn_nb.json_files import checked_json, read_json

__all__ = [
    "BUNDLE_FORMAT",
    "CARD",
    "FACTS",
    "GUEST",
    "RECIPE",
    "VECTORS",
    "BundleFacts",
    "OutputFacts",
    "Values",
    "VectorFacts",
    "is_bundle",
    "read_facts",
]

BUNDLE_FORMAT: Final = "wasinn_nb.bundle/1"
FACTS: Final = "bundle.json"
RECIPE: Final = "recipe.json"
CARD: Final = "model.card.json"
GUEST: Final = "guest.wasm"
VECTORS: Final = "vectors"
_MOST_BYTES: Final = 1 << 20

Values = Literal[
    "class scores",
    "labels",
    "one class",
    "one class, by the values",
    "probabilities",
    "logits",
    "by the values",
]
"""What the values of the output are; the guest knows these words."""


class OutputFacts(TypedDict):
    """The output that the guest reads."""

    index: int
    dimensions: list[int]
    type: str
    values: Values
    planes: list[int]
    channels_last: bool
    threshold: float | None
    quantization: tuple[float, int] | None


class VectorFacts(TypedDict):
    """What the bundle's own image gives, where it was made."""

    image_sha256: str
    input_sha256: str
    output_sha256: str
    tensor: str | None
    """The file with the expected output; None where it is so large that only the labels are kept"""
    labels: str | None
    tolerance: float
    runtime: str
    precision: str
    versions: dict[str, str]


class BundleFacts(TypedDict):
    """All of ``bundle.json``."""

    format: str
    encoding: str
    model: list[str]
    card: str
    task: str
    image: str
    output: OutputFacts
    vector: VectorFacts
    runtimes: dict[str, str | None]
    """Runtime → why the bundle does not run there; None where it does"""
    notes: list[str]
    assumed: list[str]
    sha256: dict[str, str]


def is_bundle(folder: Path) -> bool:
    """Return whether a folder holds what :func:`wasinn_nb.bundle` writes, by its ``bundle.json``.

    Examples
    --------
    >>> is_bundle(Path("no such folder"))
    False
    """
    try:
        return (folder / FACTS).is_file()
    except OSError:  # a name too long, a folder not to enter
        return False


def read_facts(folder: Path) -> BundleFacts:
    """Read and check the ``bundle.json`` of a folder.

    Parameters
    ----------
    folder : Path

    Raises
    ------
    MissingFileError
        If there is none.
    InvalidArgumentError
        If it is not what `bundle` writes, or names a file outside of the bundle.
    """
    path = existing_file(folder / FACTS, FACTS)
    values: Any = read_json(path, FACTS, most_bytes=_MOST_BYTES, error=InvalidArgumentError)
    if values.get("format") != BUNDLE_FORMAT:
        raise InvalidArgumentError(
            f'{FACTS}: expected a JSON object with "format": "{BUNDLE_FORMAT}"; bundle the model '
            f"again with this version"
        )
    facts = checked_json(values, BundleFacts, FACTS, InvalidArgumentError)
    vector = facts["vector"]
    named = [*facts["model"], facts["card"], facts["image"], *facts["sha256"]]
    for name in (*named, *filter(None, (vector["tensor"], vector["labels"]))):
        if Path(name).is_absolute() or ".." in Path(name).parts or "\0" in name or not name:
            raise InvalidArgumentError(
                f"{FACTS}: expected the names of files in the bundle, got {name!r:.80}; bundle the "
                f"model again"
            )
    return facts
