"""The README of a bundle: what is in it, how to run it, how to check what it gives."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Final

from wasinn_nb.deployment.facts import CARD, FACTS, GUEST, RECIPE, VECTORS
from wasinn_nb.deployment.planning import DeploymentPlan
from wasinn_nb.deployment.scripts import RUNTIMES, script_name
from wasinn_nb.wording import inert

__all__ = ["readme"]

_NEEDS: Final = {
    "wasmedge": (
        "WasmEdge with its WASI-NN plug-in for {engine} "
        "(https://wasmedge.org/docs/start/install). The plug-in's libraries have to be found: "
        "for OpenVINO, run its setupvars.sh first."
    ),
    "wasmtime": (
        "Wasmtime with wasi-nn, as its releases are built "
        "(https://github.com/bytecodealliance/wasmtime/releases), and OpenVINO, whose libraries "
        "have to be on LD_LIBRARY_PATH (run OpenVINO's setupvars.sh first)."
    ),
}
_ENGINES: Final = {"openvino": "OpenVINO", "tensorflowlite": "TensorFlow Lite"}
_WIDTH: Final = 96


def readme(
    plan: DeploymentPlan,
    refused: Mapping[str, str | None],
    tolerance: float,
    *,
    with_source: bool,
) -> str:
    """Return the README of a bundle, in Markdown.

    Parameters
    ----------
    plan : DeploymentPlan
    refused : mapping
        Runtime → why the bundle does not run there; None where it does.
    tolerance : float
        Of the comparison.
    with_source : bool
        Whether the guest's source is in the bundle, too.
    """
    card = plan.card
    runs = [runtime for runtime, reason in refused.items() if reason is None]
    lines = [
        f"# {card.name}",
        "",
        *_paragraph(
            f"A {plan.reading.task} model ({plan.encoding}) with the program that runs it through "
            f"WASI-NN, made by wasinn-nb. Copy the whole folder to the device."
        ),
        "## Run it",
        "",
    ]
    for runtime in runs:
        script = script_name(runtime)
        engine = _ENGINES.get(plan.encoding, plan.encoding)
        lines += [
            f"With {RUNTIMES[runtime]}:",
            "",
            "```sh",
            f"./{script}                      # the image in {VECTORS}/, to check the device",
            f"./{script} IMAGE [OUTPUT]       # a JPEG or PNG image",
            "```",
            "",
            *_paragraph(f"Needs {_NEEDS[runtime].format(engine=engine)}"),
        ]
    if not runs:
        lines += _paragraph("**No script is here**: no runtime that was asked for runs the model.")
    for runtime, reason in refused.items():
        if reason is not None:
            lines += _paragraph(f"**Not with {RUNTIMES[runtime]}**: {reason}.")
    lines += _paragraph(
        'The tensors go to the folder OUTPUT (default: "out" beside the script), each with a JSON '
        "file that states its sizes, type and SHA-256. The result is printed."
    )
    lines += [
        "## Check it",
        "",
        *_paragraph(
            "Run a script without arguments, copy the folder out back to a computer with wasinn-nb "
            "and this folder, and compare:"
        ),
        "```sh",
        "wasinn-nb compare BUNDLE OUT",
        "```",
        "",
        *_paragraph(
            f"The input tensor has to be identical: the image is a PNG, which every decoder reads "
            f"alike. The output is identical where the same version of the same engine computes "
            f"in f32, and the same within {tolerance:g} of its largest value where the device "
            f"computes in another precision, such as bfloat16. Of a JPEG, two decoders give values "
            f"that differ: mostly by 3 of 255 at most, seldom by 5 or more."
        ),
    ]
    if plan.output["type"] == "u8" or plan.output["quantization"] is not None:
        lines += _paragraph(
            "This model is quantized. Two engines may round its values differently, by more than "
            "that: then evaluate both on images with true labels."
        )
    lines += ["## Files", "", "| File | What it is |", "|---|---|"]
    files = {
        ", ".join(plan.files): "the model, as it was",
        CARD: "its card: task, classes, preprocessing, license",
        RECIPE: "how an image becomes the input tensor; the program reads it",
        GUEST: "the program: WebAssembly for WASI preview 1, with WASI-NN",
        FACTS: "what the program and the comparison need to know, with the SHA-256 of the files",
        f"{VECTORS}/": "an image and its expected output",
    }
    if with_source:
        files["source/"] = "the program in Rust, with this model's constants, to start from"
    lines += [f"| {name} | {what} |" for name, what in files.items()]
    lines += ["", "## The model", ""]
    about = {
        "input": repr(plan.recipe).removeprefix("PreprocessRecipe(").removesuffix(")"),
        "output": f"number {plan.output['index']}, {_sizes(plan)}: {plan.output['values']}",
        "license": card.license,
        "source": card.source,
    }
    lines += [f"- {name}: {_inline(text)}" for name, text in about.items() if text]
    lines += [f"- assumed: {_inline(text)}" for text in plan.assumed]
    lines += [f"- note: {_inline(text)}" for text in plan.notes]
    return "\n".join(lines) + "\n"


def _sizes(plan: DeploymentPlan) -> str:
    return "x".join([*map(str, plan.output["dimensions"]), plan.output["type"]])


def _paragraph(text: str) -> list[str]:
    # The commands and addresses in it are never cut.
    return [*textwrap.wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False), ""]


def _inline(text: str) -> str:
    """Return text from a card as text that Markdown shows as it is."""
    plain = inert(text, 400)
    return "".join(f"\\{c}" if c in "\\`*_{}[]<>|#" else c for c in plain)
