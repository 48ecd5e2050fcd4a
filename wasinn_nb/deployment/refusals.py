"""Which runtimes are known not to run a bundle, and why."""

from __future__ import annotations

from collections.abc import Iterable

from wasinn_nb.deployment.planning import DeploymentPlan
from wasinn_nb.host import GuestRun

__all__ = ["refusals"]


def refusals(run: GuestRun, plan: DeploymentPlan, runtimes: Iterable[str]) -> dict[str, str | None]:
    """Return runtime → why it is known not to run the bundle; None where it does.

    Parameters
    ----------
    run : GuestRun
        The bundle's own guest, here.
    plan : DeploymentPlan
    runtimes : iterable of str
    """
    del run
    found: dict[str, str | None] = dict.fromkeys(runtimes)
    if plan.encoding != "openvino" and "wasmtime" in found:
        found["wasmtime"] = "its releases load OpenVINO IR alone; convert the model with ovc"
    if "wasmedge" in found and plan.encoding == "openvino" and plan.recipe.type.suffix != "f32":
        found["wasmedge"] = "its OpenVINO plug-in takes f32 inputs alone"
    return found
