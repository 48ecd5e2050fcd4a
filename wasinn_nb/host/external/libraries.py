"""A folder from which a runtime loads the OpenVINO that is installed for Python."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Final

from wasinn_nb.errors import InvalidArgumentError

__all__ = ["PRECISIONS", "openvino_libraries", "prepare_libraries"]

PRECISIONS: Final = ("f32", "f16", "bf16")
"""What a runtime can be told to compute in."""
_PLAIN: Final = re.compile(r"(libopenvino(?:_c)?\.so)\.[\d.]+")
# OpenVINO reads it where it lies beside its library.
_PLUGINS: Final = """\
<ie><plugins><plugin name="CPU" location="libopenvino_intel_cpu_plugin.so"><properties>
<property key="INFERENCE_PRECISION_HINT" value="{}"/>
</properties></plugin></plugins></ie>
"""


def openvino_libraries() -> Path | None:
    """Return the folder of the libraries of the Python package ``openvino``; None without it."""
    spec = importlib.util.find_spec("openvino")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).with_name("libs")
    return folder.resolve() if folder.is_dir() else None


def prepare_libraries(folder: Path, precision: str | None) -> Path | None:
    """Link OpenVINO's libraries into a new folder, by the names that a runtime looks for.

    Parameters
    ----------
    folder : Path
        It is made.
    precision : {"f32", "f16", "bf16", "device"}, optional
        What the CPU computes in; otherwise what OpenVINO chooses, which is bf16 on processors that
        have it.

    Returns
    -------
    Path or None
        Where the libraries are; None where ``openvino`` is not installed.

    Raises
    ------
    InvalidArgumentError
        If it is another precision.
    """
    if precision not in {None, "device", *PRECISIONS}:
        raise InvalidArgumentError(
            f"expected precision={', '.join(map(repr, PRECISIONS))} or 'device', got "
            f"{precision!r:.80}"
        )
    libraries = openvino_libraries()
    if libraries is None:
        return None
    folder.mkdir()
    for path in libraries.iterdir():
        folder.joinpath(path.name).symlink_to(path)
        if (plain := _PLAIN.fullmatch(path.name)) and not (libraries / plain[1]).exists():
            folder.joinpath(plain[1]).symlink_to(path)
    if precision in PRECISIONS:
        plugins = folder / "plugins.xml"
        plugins.unlink(missing_ok=True)
        plugins.write_text(_PLUGINS.format(precision), encoding="ascii")
    return libraries
