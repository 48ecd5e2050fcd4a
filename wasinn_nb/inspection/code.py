"""The Python that runs a model, ready to be pasted: in one call, or by the five calls."""

from __future__ import annotations

import os
from collections.abc import Mapping

from wasinn_nb.abi import GraphEncoding, TensorType
from wasinn_nb.cards import (
    ModelCard,
    PartialRecipe,
    Port,
    Signature,
    is_model_file,
    is_saved_model,
    path_text,
    recipe_code,
)
from wasinn_nb.catalog import Model
from wasinn_nb.files import expanded, is_file
from wasinn_nb.imaging import PreprocessRecipe
from wasinn_nb.literals import called, literal
from wasinn_nb.runtimes import Runtime

__all__ = [
    "calls_code",
    "files_code",
    "given_card",
    "given_recipe",
    "model_code",
    "path_of",
    "task_code",
]


def task_code(call: str, model: str, arguments: Mapping[str, str], card: str = "") -> str:
    """Return the Python that runs a model for its task, on the image that is shipped.

    Parameters
    ----------
    call : str
        The task's function, such as ``"wasinn_nb.segment"``.
    model : str
        The code of the model; empty for the default one.
    arguments : mapping
        Name → code of what the call is given besides.
    card : str
        The code of a card to pass, or of its path.

    Examples
    --------
    >>> print(task_code("wasinn_nb.segment", '"m.onnx"', {"runtime": '"onnxruntime"'}))
    import wasinn_nb as wn
    <BLANKLINE>
    result = wn.segment(wn.image(), "m.onnx", runtime="onnxruntime")
    """
    lines = ["import wasinn_nb as wn", ""]
    given = dict(arguments)
    if card.startswith("wn."):
        lines.append(f"card = {card}")
        given["card"] = "card"
    elif card:
        given["card"] = card
    function = call.replace("wasinn_nb.", "wn.", 1)
    values = ["wn.image()", *([model] if model else [])]
    named = [f"{name}={code}" for name, code in given.items()]
    return "\n".join([*lines, called(f"result = {function}", [*values, *named])])


def calls_code(
    model: str,
    encoding: str,
    signature: Signature,
    recipe: PreprocessRecipe | None = None,
    runtime: str | Runtime | None = None,
) -> str:
    """Return the Python that runs a model by the five calls of WASI-NN.

    Parameters
    ----------
    model : str
        The code of the model's path or paths.
    encoding : str
        Its encoding's name.
    signature : Signature
        An open size of an input is 1.
    recipe : PreprocessRecipe, optional
        Of the one input, where it takes an image; other inputs are zeros.
    runtime : str or Runtime, optional

    Returns
    -------
    str
        Empty where an input has a type that no tensor has.

    Examples
    --------
    >>> from wasinn_nb.cards import port_of
    >>> ports = (port_of("a", (1, 2), "f32"),)
    >>> print(calls_code('"m.onnx"', "onnx", Signature(ports, ports)))
    import numpy as np
    import wasinn_nb as wn
    <BLANKLINE>
    with wn.WasiNnCtx() as ctx:
        graph = ctx.load("m.onnx", "onnx")
        context = ctx.init_execution_context(graph)
        ctx.set_input(context, 0, wn.Tensor.from_array(np.zeros((1, 2), "float32")))
        ctx.compute(context)
        outputs = [ctx.get_output(context, index) for index in [0]]
    """
    tensors = [_tensor(port) for port in signature.inputs]
    imports, before = ["import numpy as np"] if tensors else [], []
    if recipe is not None:
        tensors, imports = ["wn.image_to_tensor(wn.image(), recipe)"], []
        before = [f"recipe = {recipe_code(recipe)}"]
    if "" in tensors:
        return ""
    readable = [index for index, port in enumerate(signature.outputs) if port.type is not None]
    name = runtime if isinstance(runtime, str | None) else runtime.name
    lines = [
        *imports,
        "import wasinn_nb as wn",
        "",
        *before,
        f"with wn.WasiNnCtx({'' if name is None else literal(name)}) as ctx:",
        f"    graph = ctx.load({model}, {literal(encoding)})",
        "    context = ctx.init_execution_context(graph)",
        *(f"    ctx.set_input(context, {i}, {tensor})" for i, tensor in enumerate(tensors)),
        "    ctx.compute(context)",
        f"    outputs = [ctx.get_output(context, index) for index in {readable}]",
    ]
    return "\n".join(lines)


def _tensor(port: Port) -> str:
    """Return the code of a tensor of zeros; empty where there is no such type."""
    if port.type is None:
        return ""
    sizes = tuple(1 if size is None else size for size in port.dimensions)
    zeros = f"np.zeros({literal(sizes)}, {literal(port.type.dtype.name)})"
    return f"wn.Tensor.from_array({zeros})"


def given_recipe(recipe: PartialRecipe) -> str:
    """Return the code of a recipe that a caller gave: whole, or some of its fields."""
    if isinstance(recipe, PreprocessRecipe):
        return recipe_code(recipe)
    types = {name: v.suffix for name, v in recipe.items() if isinstance(v, TensorType)}
    return literal({**recipe, **types})


def given_card(card: ModelCard | str | os.PathLike[str] | None) -> tuple[str, str]:
    """Return the code of a card that a caller gave: the card itself, and what to pass.

    Examples
    --------
    >>> given_card("c.json")
    ('wn.ModelCard.read("c.json")', '"c.json"')
    """
    if card is None:
        return "", ""
    if isinstance(card, ModelCard):
        code = f"wn.ModelCard.from_dict({literal(card.to_dict())})"
        return code, code
    path = literal(os.fspath(card))
    return f"wn.ModelCard.read({path})", path


def path_of(model: str | os.PathLike[str] | Model | None, found: Model) -> str:
    """Return the path of a model's main file, as it was given where it was."""
    if model is None or isinstance(model, Model):
        return str(found.path)
    given = expanded(model, "a name or a path")
    is_path = is_saved_model(given) or (is_model_file(given) and is_file(given))
    return path_text(model) if is_path else str(found.path)


def model_code(model: str | os.PathLike[str] | Model | None, found: Model) -> str:
    """Return the code that names a model: its name or path as given; empty for the default one."""
    if model is None:
        return ""
    return literal(str(found.path) if isinstance(model, Model) else path_text(model))


def files_code(path: str, found: Model) -> str:
    """Return the code of a model's files, for the call ``load``."""
    if len(found.files) == 1 or found.encoding is GraphEncoding.OPENVINO:
        return literal(path)
    return literal([path, *map(str, found.files[1:])])
