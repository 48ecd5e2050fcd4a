"""``--output`` and ``--stem``: the files of a result, and what they replace."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from wasinn_nb.cli.console import print_line, print_warning
from wasinn_nb.cli.stdin import STDIN
from wasinn_nb.errors import InvalidArgumentError, WasiNnError
from wasinn_nb.files import expanded
from wasinn_nb.json_files import read_json

__all__ = ["StemName", "check_stem", "print_files", "saved_files"]

StemName = Annotated[
    str | None,
    typer.Option("--stem", help="How the names of the files begin. (default: the model's name)"),
]
_MOST_BYTES: Final = 1 << 26


def check_stem(output: Path | None, stem: str | None) -> None:
    """Refuse a stem without a folder.

    Raises
    ------
    typer.BadParameter
    """
    if output is None and stem is not None:
        raise typer.BadParameter(
            "expected --output FOLDER with --stem, which names the files there", param_hint="--stem"
        )


def saved_files(
    result: Any, output: Path | None, stem: str | None, image: str | None
) -> dict[str, str]:
    """Save a result, and warn where it replaced one with other content.

    Parameters
    ----------
    result : SegmentationResult or ClassificationResult
    output : Path or None
        The folder; None writes nothing.
    stem : str or None
        How the files' names begin.
    image : str or None
        As it was named on the command line.

    Returns
    -------
    dict
        What a file holds → its path.
    """
    if output is None:
        return {}
    facts = expanded(output) / f"{result.card.name if stem is None else stem}.json"
    before = _hashes(facts)
    saved = result.save(output, stem)
    after = _hashes(saved.facts)
    if any(after.get(name, sha256) != sha256 for name, sha256 in before.items()):
        name = shlex.quote(Path(image).stem) if image and image != STDIN else "NAME"
        print_warning(
            f"{saved.facts} replaced a result of another image, or of other settings; to keep "
            f"several results in a folder, name each: --stem {name}"
        )
    return {name: str(path) for name, path in saved._asdict().items() if path is not None}


def print_files(files: Mapping[str, str]) -> None:
    """Print what was written where."""
    for what, path in files.items():
        print_line(f"{what:8} {path}")


def _hashes(facts: Path) -> dict[str, Any]:
    """Return file name → SHA-256 of a result that is there; empty where none can be read."""
    with suppress(WasiNnError, OSError):
        found = read_json(facts, "result", most_bytes=_MOST_BYTES, error=InvalidArgumentError)
        hashes = found.get("sha256")
        return hashes if isinstance(hashes, dict) else {}
    return {}
