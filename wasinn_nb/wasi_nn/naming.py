"""The models that `WasiNnCtx.load_by_name` knows: those that were registered, and the catalog's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from wasinn_nb.cards import is_model_file
from wasinn_nb.errors import NotFoundError
from wasinn_nb.wasi_nn.arguments import ModelFiles

__all__ = ["model_named"]

_PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*")


def model_named(name: str, models: Mapping[str, ModelFiles]) -> ModelFiles:
    """Return the model of a name.

    Parameters
    ----------
    name : str
        Not a path.
    models : mapping
        Those that are registered.

    Raises
    ------
    NotFoundError
        If no model of that name is here.
    """
    if name in models:
        return models[name]
    registered = ", ".join(sorted(models)) or "none"
    # The catalog takes paths too; a guest must not reach the host's files by them.
    if not _PLAIN_NAME.fullmatch(name) or is_model_file(Path(name)):
        raise NotFoundError(
            f"{name!r} is not the name of a model (names registered here: {registered})"
        )
    from wasinn_nb import catalog

    try:
        return catalog.model(name, download=False).files
    except NotFoundError as error:
        raise NotFoundError(f"{error} (names registered here: {registered})") from error
