"""What Tab offers on the command line: names of models, images, guests, targets and classes.

Each function is called by the shell's completion with what is typed so far.  Whatever fails offers
nothing: the shell then completes the names of files.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, get_args

import typer

import wasinn_nb as wn
from wasinn_nb.abi import TensorType
from wasinn_nb.catalog import guests
from wasinn_nb.imaging import Resize
from wasinn_nb.prediction import is_store
from wasinn_nb.runtimes import PRECISIONS, runtimes
from wasinn_nb.tasks import tasks

__all__ = [
    "classes",
    "filters",
    "guest_names",
    "images",
    "mapped_classes",
    "models",
    "precisions",
    "runtime_names",
    "targets",
    "task_names",
    "types",
]

_INSTRUCTION = "_WASINN_NB_COMPLETE"
"""The environment variable by which a shell asks for completions."""


def models(incomplete: str) -> list[tuple[str, str]]:
    """Offer models by name, and the files beside them."""
    return _with_files({one.name: one.reason or one.task for one in wn.models()}, incomplete)


def images(incomplete: str) -> list[tuple[str, str]]:
    """Offer shipped images by name, and files."""
    return _with_files(dict.fromkeys(wn.images(), "shipped"), incomplete)


def guest_names(incomplete: str) -> list[tuple[str, str]]:
    """Offer shipped guests by name, and files."""
    return _with_files(dict.fromkeys(guests(), "shipped"), incomplete)


def targets(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Offer the execution targets of the runtime that is named."""
    runtime = ctx.params.get("runtime")
    with suppress(Exception):
        table = wn.devices(runtime if isinstance(runtime, str) else None)
        return _matching({one.name: one.reason or one.full_name for one in table}, incomplete)
    return []


def precisions(incomplete: str) -> list[tuple[str, str]]:
    """Offer what a graph can be computed in."""
    return _matching(dict.fromkeys(PRECISIONS, ""), incomplete)


def filters(incomplete: str) -> list[tuple[str, str]]:
    """Offer the filters that images are resized with."""
    return _matching(dict.fromkeys(get_args(Resize), ""), incomplete)


def runtime_names(incomplete: str) -> list[tuple[str, str]]:
    """Offer the registered runtimes."""
    return _matching(dict.fromkeys(runtimes(), ""), incomplete)


def task_names(incomplete: str) -> list[tuple[str, str]]:
    """Offer the registered tasks."""
    return _matching(dict.fromkeys(tasks(), ""), incomplete)


def types(incomplete: str) -> list[tuple[str, str]]:
    """Offer the types of a tensor's numbers."""
    return _matching({one.suffix: "" for one in TensorType}, incomplete)


def classes(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Offer the classes of the model that is named, or that a store is of."""
    return _matching(dict.fromkeys(_classes(ctx.params), ""), incomplete)


def mapped_classes(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Offer the classes of the model after ``DATA=``."""
    data, equals, own = incomplete.partition("=")
    if not equals:
        return classes(ctx, incomplete)
    *before, last = own.split(",")
    start = "".join(f"{name}," for name in before)
    found = _matching(dict.fromkeys(_classes(ctx.params), ""), last, quoted=False)
    return [(_quoted(f"{data}={start}{name}"), text) for name, text in found]


def _classes(given: Mapping[str, Any]) -> tuple[str, ...]:
    with suppress(Exception):
        if given.get("card") is not None:
            return wn.ModelCard.read(given["card"]).classes
        store = given.get("store") or given.get("images")
        if given.get("model") is None and store is not None and is_store(store):
            return wn.read_predictions(store).card.classes
        return wn.model(given.get("model"), download=False).card.classes
    return ()


def _matching(
    offered: Mapping[str, str], incomplete: str, *, quoted: bool = True
) -> list[tuple[str, str]]:
    return [
        (_quoted(name) if quoted else name, text)
        for name, text in offered.items()
        if name.startswith(incomplete)
    ]


def _with_files(offered: Mapping[str, str], incomplete: str) -> list[tuple[str, str]]:
    """Return the names that fit, and the files; nothing where only files do: the shell has them."""
    found = _matching(offered, incomplete)
    return found + [(_quoted(name), "") for name in _files(incomplete)] if found else []


def _files(incomplete: str) -> Iterable[str]:
    with suppress(OSError):
        for path in sorted(Path().iterdir()):
            hidden = path.name.startswith(".") and not incomplete.startswith(".")
            if path.name.startswith(incomplete) and not hidden:
                yield f"{path.name}{os.sep if path.is_dir() else ''}"


def _quoted(name: str) -> str:
    """Return a name as the shell needs it: of those that complete, Bash alone does not quote."""
    if not os.environ.get(_INSTRUCTION, "").endswith("bash"):
        return name
    return re.sub(r"[^\w@%+=:,./-]", r"\\\g<0>", name)  # it still begins with what is typed
