"""Options that say how two models of one command are run."""

from __future__ import annotations

from typing import Annotated, Any

import typer

import wasinn_nb as wn
from wasinn_nb.cli import completing

__all__ = ["EachPrecision", "EachRuntime", "EachTarget", "two_pipelines"]

_TWICE = "Twice for A and for B, in this order."

EachPrecision = Annotated[
    list[str] | None,
    typer.Option("--precision", "-p", help=f"With --layers: f32, f16, bf16 or device. {_TWICE}"),
]
EachRuntime = Annotated[
    list[str] | None,
    typer.Option(
        "--runtime",
        help=f"With --layers: openvino or onnxruntime. {_TWICE}",
        autocompletion=completing.runtime_names,
    ),
]
EachTarget = Annotated[
    list[str] | None,
    typer.Option(
        "--target",
        "-t",
        help=f"With --layers: CPU, GPU, NPU, AUTO. {_TWICE}",
        autocompletion=completing.targets,
    ),
]


def two_pipelines(
    models: tuple[str, str], **options: list[Any] | None
) -> tuple[wn.Pipeline, wn.Pipeline]:
    """Return the pipelines of two models.

    Parameters
    ----------
    models : (str, str)
        Names or paths.
    **options
        Parameters of `Pipeline`: one value for both, or one for each.

    Raises
    ------
    typer.BadParameter
        If there are more than two values.
    """
    made = []
    for place, model in enumerate(models):
        own = {name: _of(values, place, name) for name, values in options.items()}
        made.append(wn.Pipeline(model, **own))
    return made[0], made[1]


def _of(values: list[Any] | None, place: int, name: str) -> Any:
    if not values:
        return None
    if len(values) > 2:
        raise typer.BadParameter(
            f"expected it once for both models, or twice, got it {len(values)} times",
            param_hint=f"--{name}",
        )
    return values[place if len(values) > 1 else 0]
