"""What a helper process gets of this one's environment."""

from __future__ import annotations

import os
import site
from collections.abc import Mapping
from pathlib import Path
from typing import Final

__all__ = ["helper_environment", "own_settings", "with_imports"]

_ALLOWED: Final = frozenset(
    {
        *("HOME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TEMP", "TMP", "XDG_CACHE_HOME"),
        *("LOCALAPPDATA", "SYSTEMROOT", "USERPROFILE", "WINDIR"),
        *("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "GLIBC_TUNABLES"),
        *("CUDA_VISIBLE_DEVICES", "NEOReadDebugKeys"),
    }
)
_ALLOWED_STARTS: Final = (
    *("LC_", "ONEDNN_", "DNNL_", "OPENVINO_", "OV_", "TBB_", "OMP_", "KMP_", "GOMP_"),
    *("ORT_", "ONNXRUNTIME_", "TFLITE_", "LITERT_", "MALLOC_", "OCL_", "ZE_"),
)
_SETTINGS: Final = "WASINN_NB_"


def helper_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that a helper starts with: those that libraries and engines read.

    The package's own settings are not among them; each run gets those of its moment.

    Examples
    --------
    >>> helper_environment({"ONEDNN_MAX_CPU_ISA": "AVX2", "AWS_SECRET_ACCESS_KEY": "x"})
    {'ONEDNN_MAX_CPU_ISA': 'AVX2', 'OPENBLAS_NUM_THREADS': '1'}
    """
    allowed = {
        name: value
        for name, value in environ.items()
        if name in _ALLOWED or name.startswith(_ALLOWED_STARTS)
    }
    # NumPy's threads would begin before the sandbox, which holds for later threads only.
    return allowed | {"OPENBLAS_NUM_THREADS": "1"}


def own_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the package's own settings among the variables.

    Examples
    --------
    >>> own_settings({"WASINN_NB_TARGET": "CPU", "HOME": "/root"})
    {'WASINN_NB_TARGET': 'CPU'}
    """
    return {name: value for name, value in environ.items() if name.startswith(_SETTINGS)}


def with_imports(variables: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return *variables* with ``PYTHONPATH``: this package's folder, and what the person put there.

    The current folder and a script's folder are left out: a guest may write there, and a file of
    a module's name must not be imported in its place.

    Parameters
    ----------
    variables : mapping
        Of a helper.
    environ : mapping
        Of this process.
    """
    root = str(Path(__file__).resolve().parents[2])
    installed = {*site.getsitepackages(), site.getusersitepackages()}
    given = environ.get("PYTHONPATH", "").split(os.pathsep)
    folders = [] if root in installed else [root]
    folders += [entry for entry in given if Path(entry).is_absolute()]
    made = {name: value for name, value in variables.items() if name != "PYTHONPATH"}
    return made | ({"PYTHONPATH": os.pathsep.join(dict.fromkeys(folders))} if folders else {})
