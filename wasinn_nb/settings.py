"""Start values that environment variables override, in one place.

========================  ====================================================  =========
Variable                  Meaning                                               Default
========================  ====================================================  =========
``WASINN_NB_MODEL``       catalog name, or path of a model                      shipped
``WASINN_NB_IMAGE``       name of a shipped image, or path of an image          shipped
``WASINN_NB_TARGET``      execution target: ``CPU``, ``GPU``, ``AUTO``, …       ``CPU``
``WASINN_NB_PRECISION``   ``f32``, ``f16``, ``bf16`` or ``device``              ``f32``
``WASINN_NB_RUNTIME``     the engine that runs models: ``openvino``, …          ``openvino``
``WASINN_NB_PATH``        directories with models of your own, ``:`` between    none
``WASINN_NB_CACHE``       where downloads are kept                              per user
``WASINN_NB_MODEL_CACHE`` a folder where OpenVINO keeps compiled models          none
``WASINN_NB_OFFLINE``     ``1``: never download                                 ``0``
``WASINN_NB_RAISE``       ``1``: widgets run at once and raise their errors     ``0``
``WASINN_NB_TELEMETRY``   ``1``: OpenVINO may send usage data to its makers     ``0``
``WASINN_NB_WASMTIME``    the program ``wasmtime`` for ``run_guest(on=)``       found
``WASINN_NB_WASMEDGE``    the program ``wasmedge`` for ``run_guest(on=)``       found
========================  ====================================================  =========

Notebooks run elsewhere, and in CI, without an edit.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from wasinn_nb.files import expanded

__all__ = [
    "DEFAULTS",
    "cache_dir",
    "default",
    "model_cache",
    "offline",
    "program",
    "raising",
    "search_path",
    "telemetry",
]

DEFAULTS: Final = {
    "model": "road-segmentation-synth-0001",
    "image": "city-crosswalk",
    "target": "CPU",
    "precision": "f32",
    "runtime": "openvino",
}
"""Start values where no environment variable overrides them."""


def default(name: str) -> str:
    """Return the start value of ``model``, ``image``, ``target``, ``precision`` or ``runtime``.

    Examples
    --------
    >>> import os
    >>> os.environ.pop("WASINN_NB_TARGET", None) and None
    >>> default("target")
    'CPU'
    """
    return os.environ.get(f"WASINN_NB_{name.upper()}") or DEFAULTS[name]


def search_path() -> list[Path]:
    """Return the directories of ``WASINN_NB_PATH`` that hold models of the user's own."""
    entries = os.environ.get("WASINN_NB_PATH", "").split(os.pathsep)
    return [expanded(entry) for entry in entries if entry]


def cache_dir() -> Path:
    """Return where downloads are kept (it need not exist yet)."""
    from platformdirs import user_cache_dir

    return Path(os.environ.get("WASINN_NB_CACHE") or user_cache_dir("wasinn-nb"))


def model_cache() -> Path | None:
    """Return the folder where OpenVINO keeps compiled models; None where it compiles each time.

    Who can write there decides what models compute: it is nothing to share with strangers.
    """
    path = os.environ.get("WASINN_NB_MODEL_CACHE")
    return expanded(path) if path else None


def program(name: str) -> Path | None:
    """Return the program that ``WASINN_NB_<NAME>`` names; None where it names none.

    Parameters
    ----------
    name : str
        Such as ``wasmtime``.
    """
    path = os.environ.get(f"WASINN_NB_{name.upper()}")
    return expanded(path) if path else None


def offline() -> bool:
    """Return whether downloads are forbidden."""
    return _switched_on("WASINN_NB_OFFLINE")


def raising() -> bool:
    """Return whether widgets run in the caller's thread and raise errors instead of showing them.

    The mode for tests: a notebook whose image cannot be made fails.
    """
    return _switched_on("WASINN_NB_RAISE")


def telemetry() -> bool:
    """Return whether OpenVINO and NNCF may send usage data, which they do by default."""
    return _switched_on("WASINN_NB_TELEMETRY")


def _switched_on(variable: str) -> bool:
    return os.environ.get(variable, "").lower() not in {"", "0", "false", "no"}
