"""The words of ``run`` that say what a guest gets: its directories and its models by name."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import typer

from wasinn_nb.abi import FOREIGN_ENCODINGS, GraphEncoding
from wasinn_nb.cards import encoding_of
from wasinn_nb.cli.console import add_once, pairs
from wasinn_nb.files import expanded, is_file

__all__ = ["parsed_directories", "parsed_preloads"]

_PRELOAD: Final = "--nn-preload"
_HERE: Final = {"cpu", "auto"}
_ELSEWHERE: Final = {"gpu", "tpu"}
_KNOWN: Final = {member.name.lower(): member for member in GraphEncoding}
_FOREIGN: Final = {name.lower(): (name, why) for name, why in FOREIGN_ENCODINGS.values()}


def parsed_directories(texts: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    """Return guest path → host path, and the writable ones.

    Parameters
    ----------
    texts : iterable of str
        ``GUEST:HOST`` or ``GUEST:HOST:readonly``.

    Raises
    ------
    typer.BadParameter
        If two name the same guest path.

    Examples
    --------
    >>> parsed_directories([".:data:readonly", "out"])
    ({'.': 'data', 'out': 'out'}, ['out'])
    """
    dirs: dict[str, str] = {}
    writable = []
    for text in texts:
        path = text.removesuffix(":readonly")
        guest, colon, host = path.partition(":")
        add_once(dirs, guest, host if colon else guest, "--dir")
        if path == text:
            writable.append(guest)
    return dirs, writable


def parsed_preloads(texts: list[str] | None) -> dict[str, str | list[str]]:
    """Return name → model.

    Parameters
    ----------
    texts : list of str
        ``NAME:PATH``, or as WasmEdge takes them, ``NAME:ENCODING:TARGET:PATH[:PATH]``.

    Raises
    ------
    typer.BadParameter
        If a text is neither, two have the same name, an encoding is not that of the file or cannot
        be run, or the target is not the CPU.

    Examples
    --------
    >>> parsed_preloads(["birds:b.tflite", "road:OpenVINO:CPU:r.xml:r.bin"])
    {'birds': 'b.tflite', 'road': ['r.xml', 'r.bin']}
    """
    models: dict[str, str | list[str]] = {}
    path: str | list[str]
    for text in texts or []:
        name, _, rest = text.partition(":")
        words = rest.split(":")
        if len(words) >= 3 and _is_encoding(words[0]) and words[1].lower() in _HERE | _ELSEWHERE:
            path = _as_wasmedge(text, *words)
        else:
            path = pairs([text], ":", _PRELOAD)[name]
        add_once(models, name, path, _PRELOAD)
    return models


def _is_encoding(word: str) -> bool:
    return word.lower() in _KNOWN or word.lower() in _FOREIGN


def _as_wasmedge(text: str, encoding: str, target: str, *paths: str) -> str | list[str]:
    if encoding.lower() in _FOREIGN:
        name, why = _FOREIGN[encoding.lower()]
        raise _bad(f"{text}: {name} is for {why}; no engine here runs it")
    if target.lower() in _ELSEWHERE:
        raise _bad(
            f"{text}: a model by name runs on the CPU; --target {target.upper()} runs every graph "
            f"there"
        )
    if len(paths) > 2:
        raise _bad(f"{text}: expected one path, or xml and bin, got {len(paths)}")
    declared, path = _KNOWN[encoding.lower()], expanded(paths[0])
    if declared is not GraphEncoding.AUTODETECT and is_file(path):
        found = encoding_of(Path(path))
        if found not in {None, declared}:
            raise _bad(
                f"{text}: {path.name} is of encoding {found.name.lower() if found else ''}, not "
                f"{declared.name.lower()}"
            )
    return [*paths] if len(paths) == 2 else paths[0]


def _bad(message: str) -> typer.BadParameter:
    return typer.BadParameter(message, param_hint=_PRELOAD)
