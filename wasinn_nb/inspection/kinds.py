"""What files and folders are that are not read here: other models, programs, raw numbers."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Final

from wasinn_nb.cards import is_model_file
from wasinn_nb.imaging import IMAGE_SUFFIXES
from wasinn_nb.wording import counted, listed

__all__ = ["foreign_kind", "kinds_in"]

_EXPORT: Final = "export the model as ONNX, and inspect the .onnx file"
_TORCH: Final = (
    f"a PyTorch file; {_EXPORT}: torch.onnx.export(model, torch.zeros(1, 3, 224, 224), 'm.onnx')"
)
_SAFE: Final = f"weights alone (safetensors), without the network; {_EXPORT}"
_KERAS: Final = f"a Keras model (HDF5); {_EXPORT}"
_GGUF: Final = "a GGUF file, a language model of llama.cpp; the engines here do not run these"
_ZIP: Final = "a zip archive; unpack it, and inspect what is inside"
_GZIP: Final = "gzip data; unpack it, and inspect what is inside"
_TORCH_SUFFIXES: Final = {".pt", ".pth", ".ckpt"}
_BY_MARK: Final = ((b"GGUF", _GGUF), (b"\x89HDF\r\n", _KERAS), (b"\x1f\x8b", _GZIP))
_BY_SUFFIX: Final = {
    **dict.fromkeys(_TORCH_SUFFIXES, _TORCH),
    ".safetensors": _SAFE,
    ".gguf": _GGUF,
    ".h5": _KERAS,
    ".keras": _KERAS,
}


def foreign_kind(path: Path) -> str:
    """Return what a file is that is not read here, and what to do; empty where that is not known.

    The content counts, then the suffix.

    Parameters
    ----------
    path : Path
        A file that is there.
    """
    with path.open("rb") as file:
        start = file.read(64)
    if start.startswith(b"\0asm"):
        return f"a WebAssembly module; run it: wasinn-nb run {path}"
    if start.startswith(b"PK\3\4"):
        return _TORCH if path.suffix.lower() in {*_TORCH_SUFFIXES, ".bin"} else _ZIP
    if start[8:10] == b'{"':
        return _SAFE
    return next((text for mark, text in _BY_MARK if start.startswith(mark)), "") or _BY_SUFFIX.get(
        path.suffix.lower(), ""
    )


def kinds_in(folder: Path) -> str:
    """Return in words what a folder without a model of its name holds, and what to do."""
    files = sorted(path for path in folder.iterdir() if path.is_file())
    models = [path.name for path in files if is_model_file(path)]
    kinds = Counter(map(_kind, files))
    texts = [counted(number, kind) for kind, number in kinds.items()]
    what = f"a folder with {', '.join(texts)}" if texts else "a folder without files"
    if models:
        return f"{what}; inspect a model in it: {listed(models, 5)}"
    return f"{what}; inspect takes a model's folder, or files: {folder / '*'}"


def _kind(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix in IMAGE_SUFFIXES:
        return "image"
    if suffix in {".tensor", ".npy"}:
        return "tensor"
    return "file of a model" if is_model_file(path) else "other file"
