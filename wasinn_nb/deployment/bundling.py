"""`bundle`: one folder that runs a model on a device, and proves that it does the same there."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from wasinn_nb import catalog
from wasinn_nb.cards import ModelCard, PartialRecipe
from wasinn_nb.comparison import TOLERANCE
from wasinn_nb.deployment.conformance import Bundle
from wasinn_nb.deployment.facts import BUNDLE_FORMAT, CARD, FACTS, GUEST, RECIPE, VECTORS
from wasinn_nb.deployment.planning import DeploymentPlan, planned
from wasinn_nb.deployment.readme import readme
from wasinn_nb.deployment.refusals import refusals
from wasinn_nb.deployment.scripts import RUNTIMES, run_script, script_name
from wasinn_nb.deployment.source import write_source
from wasinn_nb.deployment.vectors import IMAGE, expected_files, vector_image
from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.files import expanded
from wasinn_nb.folders import check_new, staged
from wasinn_nb.host import GuestRun, run_guest
from wasinn_nb.imaging import ImageSource
from wasinn_nb.json_files import json_text
from wasinn_nb.runtimes import Runtime
from wasinn_nb.wording import listed

__all__ = ["bundle"]

_SOURCE: Final = "source"
_README: Final = "README.md"


def bundle(
    model: str | os.PathLike[str] | catalog.Model | None,
    folder: str | os.PathLike[str],
    image: ImageSource | None = None,
    recipe: PartialRecipe | None = None,
    runtimes: Iterable[str] = tuple(RUNTIMES),
    *,
    card: ModelCard | str | os.PathLike[str] | None = None,
    source: bool = False,
    runtime: str | Runtime | None = None,
) -> Bundle:
    """Write a folder that runs a model through WASI-NN on a device, and that can be checked there.

    In it are the model, its card and recipe, a program for WebAssembly that runs any such model
    (``guest.wasm``), a script for each runtime, a README, and an image with the output that has to
    come of it.  The program is run here before anything counts as written: its input tensor is that
    of `image_to_tensor`, byte for byte, and its output is what devices are compared with.

    Parameters
    ----------
    model : str, path, Model or None
        As for :func:`wasinn_nb.model`: a model with one image input, for segmentation or
        classification, in OpenVINO IR or in one file.
    folder : path-like
        A new folder, or one that is empty.
    image : path, name of a shipped image, bytes, file, PIL.Image or array, optional
        For the check on the device; it is kept as PNG.  Default: ``WASINN_NB_IMAGE``, else a
        shipped one.
    recipe : PreprocessRecipe or mapping, optional
        As for `Pipeline`.  The program resizes with the filter ``triangle``; another one is
        replaced, and a note says so.
    runtimes : iterable of {"wasmedge", "wasmtime"}
        Those to write scripts for.  One that is known not to run the model gets none, and the
        README says why.
    card : ModelCard or path, optional
        In place of the model's own.
    source : bool
        Whether to write the program's source, too, as :func:`guest_source` does, to the folder
        ``source`` in the bundle.
    runtime : str or Runtime, optional
        The engine that runs the program here.  Default: ``WASINN_NB_RUNTIME``, else OpenVINO.

    Returns
    -------
    Bundle

    Raises
    ------
    InvalidArgumentError
        If the folder is not empty, there is no such runtime, or no task reads the model.
    UnsupportedOperationError
        If no guest can load the model or make its input.
    GuestError
        If the program does not run here.
    UnwritableError
        If the folder cannot be written.  Then nothing is left of the bundle.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import wasinn_nb as wn
    >>> made = wn.bundle(None, Path(tempfile.mkdtemp(), "road"), "city-crosswalk")
    >>> sorted(path.name for path in made.folder.iterdir() if path.suffix == ".sh")
    ['run-wasmedge.sh', 'run-wasmtime.sh']
    >>> made.compare(made.expected).verdict.value
    'identical'
    """
    names = _checked_runtimes(runtimes)
    target = Path(os.path.realpath(expanded(folder, "a folder")))
    check_new(target)
    plan = planned(model, card=card, recipe=recipe, runtime=runtime)
    encoded = vector_image(image, plan.recipe)
    with staged(target, FACTS) as stage:
        _write_program(stage, plan, encoded)
        run = _run(stage, runtime)
        refused = refusals(run, names)
        vector, files = expected_files(plan, run, encoded, TOLERANCE)
        for name, data in files.items():
            (stage / name).write_bytes(data)
        for name in (name for name, reason in refused.items() if reason is None):
            (stage / script_name(name)).write_text(run_script(name), encoding="utf-8")
            (stage / script_name(name)).chmod(0o755)
        if source:
            write_source(plan, stage / _SOURCE)
        text = readme(plan, refused, TOLERANCE, with_source=source)
        (stage / _README).write_text(text, encoding="utf-8")
        _write_facts(stage, plan, vector=vector | {"versions": _versions(run)}, runtimes=refused)
    return Bundle.read(target)


def _checked_runtimes(runtimes: Iterable[str]) -> tuple[str, ...]:
    names = (runtimes,) if isinstance(runtimes, str) else tuple(runtimes)
    unknown = [name for name in names if name not in RUNTIMES]
    if unknown or not names:
        raise InvalidArgumentError(
            f"expected runtimes of {', '.join(RUNTIMES)}, got {listed(list(map(repr, unknown)))}"
            if unknown
            else f"expected at least one runtime of {', '.join(RUNTIMES)}"
        )
    return tuple(dict.fromkeys(names))


# -- the program ----------------------------------------------------------------------------------


def _write_program(stage: Path, plan: DeploymentPlan, image: bytes) -> None:
    """Write what the guest reads."""
    (stage / VECTORS).mkdir()
    (stage / IMAGE).write_bytes(image)
    for name, path in plan.files.items():
        shutil.copyfile(path, stage / name)
    shutil.copyfile(catalog.guest("guest"), stage / GUEST)
    text = json_text(plan.recipe.to_dict(), RECIPE, InvalidArgumentError)
    (stage / RECIPE).write_text(text, encoding="utf-8")
    plan.card.write(stage / next(iter(plan.files)))
    _write_facts(stage, plan)


def _write_facts(stage: Path, plan: DeploymentPlan, **more: Any) -> None:
    values: dict[str, Any] = {
        "format": BUNDLE_FORMAT,
        "encoding": plan.encoding,
        "model": list(plan.files),
        "card": CARD,
        "task": plan.reading.task,
        "image": IMAGE,
        "output": plan.output,
        "notes": plan.notes,
        "assumed": plan.assumed,
        **more,
        "sha256": {name: _sha256(stage / name) for name in _names(stage)},
    }
    text = json_text(values, FACTS, InvalidArgumentError)
    (stage / FACTS).write_text(text, encoding="utf-8")


def _names(stage: Path) -> list[str]:
    paths = (path for path in stage.rglob("*") if path.is_file() and path.name != FACTS)
    return sorted(path.relative_to(stage).as_posix() for path in paths)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# -- the run here ----------------------------------------------------------------------------------


def _run(stage: Path, runtime: str | Runtime | None) -> GuestRun:
    """Run the bundle as its scripts do, and return what it did."""
    with tempfile.TemporaryDirectory(prefix="wasinn-bundle-") as out:
        return run_guest(
            stage / GUEST,
            dirs={".": stage, "out": out},
            writable="out",
            runtime=runtime,
            target="CPU",
            precision="f32",
            stream=False,
            check=True,
        )


def _versions(run: GuestRun) -> dict[str, str]:
    from wasinn_nb.pipeline import versions
    from wasinn_nb.runtimes import runtime as runtime_of

    return {**versions(), **runtime_of(run.runtime).versions}
