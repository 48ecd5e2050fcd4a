"""The result of a segmentation as files, and read back from them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict, TypeVar

from wasinn_nb.cards import ModelCard, named_background, restored_assumptions
from wasinn_nb.errors import InvalidArgumentError, WasiNnError
from wasinn_nb.imaging import WHOLE, Coverage, PreprocessRecipe
from wasinn_nb.json_files import checked_json
from wasinn_nb.tasks.saving import SavedFiles, read_result, write_result
from wasinn_nb.tasks.segmentation.digest import Digest
from wasinn_nb.tensor import Tensor

if TYPE_CHECKING:
    from wasinn_nb.tasks.segmentation.result import SegmentationResult

    ResultT = TypeVar("ResultT", bound=SegmentationResult)

__all__ = ["load_result", "save_result"]


class _Checked(TypedDict):
    """Fields of the JSON file that nothing else checks."""

    timings: dict[str, float]
    versions: dict[str, str]
    assumed: NotRequired[tuple[str, ...]]
    remarks: NotRequired[tuple[str, ...]]


def save_result(
    result: SegmentationResult, directory: str | os.PathLike[str], stem: str | None
) -> SavedFiles:
    """Write a result; see :meth:`SegmentationResult.save`."""
    if result.scores is None:
        tensor = Tensor.adopt(result.labels.shape, "u8", result.labels)
    else:
        tensor = Tensor.adopt((1, *result.scores.shape), "f32", result.scores)
    return write_result(
        directory,
        result.card.name if stem is None else stem,
        mask=result.mask_image(),
        overlay=None if result.image is None else result.overlay(),
        tensor=tensor,
        origin=_saved_origin(result),
        facts={
            "areas": result.areas(),
            "digest": str(result.digest()).splitlines(),
            "timings": dict(result.timings),
        },
    )


def load_result(kind: type[ResultT], path: str | os.PathLike[str]) -> ResultT:
    """Read a result back; see :meth:`SegmentationResult.load`."""
    facts, labels, tensor = read_result(Path(path))
    scores = tensor.to_array()
    checked = checked_json(facts, _Checked, Path(path).name, InvalidArgumentError)
    try:
        model, recipe = dict(facts["model"]), facts["recipe"]
        sha384, files = model.pop("sha384"), model.pop("files", {})
        made_of = None if recipe is None else PreprocessRecipe.from_dict(recipe)
        assumed = restored_assumptions(checked.get("assumed", ()), made_of, len(model["classes"]))
        result = kind(
            labels,
            ModelCard.from_dict(model | {"task": "segmentation"}),
            scores[0] if scores.ndim == 4 else None,
            None,
            made_of,
            facts["target"],
            facts["precision"],
            checked["timings"],
            sha384,
            checked["versions"],
            files,
            facts.get("runtime", "openvino"),
            facts.get("threshold"),
            assumed,
            Coverage.of_values(facts.get("covers", WHOLE)),
            remarks=checked.get("remarks", ()),
        )
        digest = Digest.parse("\n".join(facts["digest"]))
    except (KeyError, TypeError, ValueError, AttributeError, WasiNnError) as error:
        raise InvalidArgumentError(f"{path}: not what `save` writes: {error}") from error
    if digest != (own := result.digest()):
        differences = digest.differences(own, tolerance=0, cells=0)
        precisions = f"precision {digest.precision} here, {own.precision} there"
        raise InvalidArgumentError(
            f"{path}: its digest (here) is not that of the mask (there); one of them was "
            f"changed after saving: {'; '.join(differences) or precisions}"
        )
    return result


def _saved_origin(result: SegmentationResult) -> dict[str, Any]:
    """Return the origin as files hold it: what the mask means stands beside the model."""
    origin = result.origin.to_dict()
    model = {
        "name": origin.pop("model"),
        "sha384": result.origin.sha384,
        "files": origin.pop("files"),
        "classes": result.card.classes,
        "palette": result.card.palette,
    }
    if result.card.background != named_background(result.card.classes):
        model["background"] = result.card.background
    covers = None if result.covers == WHOLE else list(result.covers)
    about = {
        "threshold": result.threshold,
        "assumed": list(result.assumed),
        "remarks": list(result.remarks),
        "covers": covers,
    }
    return {"model": model, **origin} | {name: value for name, value in about.items() if value}
