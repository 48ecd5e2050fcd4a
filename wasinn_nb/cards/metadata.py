"""What a model's files state about the model, read without an inference engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from wasinn_nb.abi import GraphEncoding
from wasinn_nb.cards.conventions import Meaning, clean_text, from_entries, from_model_api
from wasinn_nb.cards.formats import content_of, encoding_of, foreign_content, is_folder, naming
from wasinn_nb.cards.ir import ir_metadata, ir_quantized, ir_signature, parsed_ir
from wasinn_nb.cards.modelpath import check_whole, model_files
from wasinn_nb.cards.onnx_file import (
    external_data,
    onnx_metadata,
    onnx_quantized,
    onnx_signature,
    onnx_version,
    parsed_onnx,
)
from wasinn_nb.cards.ports import Signature
from wasinn_nb.cards.tflite import read_tflite
from wasinn_nb.cards.unnamed import unnamed_class
from wasinn_nb.errors import RuntimeFailure
from wasinn_nb.files import is_file
from wasinn_nb.wording import counted, listed

__all__ = ["Stated", "check_with_weights", "stated"]

_MAX_FACTS: Final = 100
_MOST_LISTED: Final = 8
_MAX_FILES: Final = 10_000
_LAYOUTS: Final = frozenset({"NCHW", "NHWC", "CHW", "HWC"})


@dataclass(frozen=True, slots=True)
class Stated:
    """What a model's files state about the model, and nothing that is assumed.

    Parameters
    ----------
    encoding : GraphEncoding
        By content; ``AUTODETECT`` where the content does not show it.
    signature : Signature or None
        Inputs and outputs; None where the file does not state them, or leaves a number of
        dimensions open.  Types are named as OpenVINO names them (``"f32"``, ``"boolean"``).
        An output's `operation` is the kind of the operation that computes its values, by its name
        in ONNX, such as ``Sigmoid``, ``Softmax``, ``ArgMax`` or ``Conv``; one that ONNX does not
        have, by the format's own name.  Operations that only pass values on (reshape, transpose,
        resize, cast, quantize and the like) and the addition of a bias are looked through.
    task : str or None
        ``"segmentation"``, ``"classification"``, ``"detection"``, or another that the file names.
    classes : tuple of str
    recipe : mapping
        Those fields of a recipe that the file states, of `color`, `range`, `mean`, `scale`, `fit`,
        `pad_value` and `layout`.  `color` is the order of the tensor's channels, `mean` and
        `scale` are three numbers in that order, applied after `range`.
    facts : mapping
        All other metadata as text, for showing: printable, each at most 300 characters.
    producer : str
        The program that wrote the file.
    version : str
        The version of the format: ``"IR 11"``, ``"opset 13"``, ``"schema 3"``.
    weights : tuple of Path
        Every file beside the first that weights come from: the ``.bin`` of an IR, the external
        data of ONNX, the parameters of Paddle, the files in the folder of a SavedModel.
    quantized : bool
        Whether layers compute with 8 bits: the file quantizes their weights and their values.
    """

    encoding: GraphEncoding
    signature: Signature | None = None
    task: str | None = None
    classes: tuple[str, ...] = ()
    recipe: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)
    producer: str = ""
    version: str = ""
    weights: tuple[Path, ...] = ()
    quantized: bool = False


def stated(files: Sequence[Path | bytes]) -> Stated:
    """Read what a model's files state about the model.

    OpenVINO IR, ONNX and TensorFlow Lite are read; of other formats only the encoding and
    the files are returned.

    Parameters
    ----------
    files : sequence of Path or bytes
        The model's files as a runtime takes them, or the first of them: the ``.bin`` beside an
        ``.xml`` is found.  Formats are recognized by content, not by name.

    Raises
    ------
    MissingFileError
        If a file is not there, or cannot be read.
    RuntimeFailure
        If a file is not a model (but an HTML page, say), is damaged, is of a version that no
        runtime reads, or names weights outside the model's folder.

    Examples
    --------
    >>> xml = b'''<net version="11"><layers/><rt_info><model_info>
    ... <labels value="road sky"/><reverse_input_channels value="YES"/>
    ... </model_info></rt_info></net>'''
    >>> found = stated([xml])
    >>> found.classes, found.recipe, found.version
    (('road', 'sky'), {'color': 'RGB'}, 'IR 11')
    """
    first, rest = files[0], [part for part in files[1:] if isinstance(part, Path)]
    encoding = encoding_of(first)
    with naming(first):
        found = _found(first, encoding)
    if encoding is GraphEncoding.OPENVINO and not rest and isinstance(first, Path):
        rest = [path for path in model_files(first)[1:] if path.is_file()]
    return replace(found, weights=(*found.weights, *rest))


def _found(first: Path | bytes, encoding: GraphEncoding | None) -> Stated:
    """Return what the first file of a model states."""
    if is_folder(first):
        return Stated(GraphEncoding.TENSORFLOW, weights=_files_in(first))
    if foreign := foreign_content(first) if encoding in {None, GraphEncoding.OPENVINO} else "":
        raise RuntimeFailure(f"expected a model, got {foreign}")
    if encoding is GraphEncoding.OPENVINO:
        return _stated_ir(content_of(first))
    if encoding is GraphEncoding.ONNX:
        return _stated_onnx(first)
    if encoding is GraphEncoding.TENSORFLOWLITE:
        return _stated_tflite(content_of(first))
    return Stated(GraphEncoding.AUTODETECT)


def check_with_weights(files: Sequence[Path]) -> None:
    """Raise an error where a file of a model is missing.

    A main file that no runtime reads is reported first: other files would not help.

    Parameters
    ----------
    files : sequence of Path
        The main file, then its weights.

    Raises
    ------
    MissingFileError
        If one of *files* is missing.
    RuntimeFailure
        If the main file alone is there, and is damaged or of a version that no runtime reads.
    """
    if is_file(files[0]) and not all(map(is_file, files[1:])):
        stated(files[:1])
    check_whole(files)


def _stated_ir(content: bytes) -> Stated:
    root = parsed_ir(content)
    info, others = ir_metadata(root)
    meaning = from_model_api(info)
    unused = {f"model_info/{name}": text for name, text in info.items() if name not in meaning.used}
    writer = others.get("OpenVINO Runtime") or others.get("Runtime_version")
    converter = others.get("MO_version")
    return Stated(
        GraphEncoding.OPENVINO,
        **_common_fields(meaning, ir_signature(root), unused | others),
        producer=clean_text(
            f"OpenVINO {writer}" if writer else f"Model Optimizer {converter}" if converter else ""
        ),
        version=f"IR {root.get('version')}",
        quantized=ir_quantized(root),
    )


def _stated_onnx(first: Path | bytes) -> Stated:
    model = parsed_onnx(content_of(first))
    entries, others = onnx_metadata(model)
    meaning = from_entries(entries)
    producer = others.pop("producer")
    unused = {key: text for key, text in entries.items() if key not in meaning.used}
    locations = dict.fromkeys(part.location for part in external_data(model))
    folder = first.parent if isinstance(first, Path) else None
    return Stated(
        GraphEncoding.ONNX,
        **_common_fields(meaning, onnx_signature(model), unused | others),
        producer=clean_text(producer),
        version=onnx_version(model),
        weights=() if folder is None else tuple(folder / location for location in locations),
        quantized=onnx_quantized(model),
    )


def _stated_tflite(content: bytes) -> Stated:
    found = read_tflite(content)
    return Stated(
        GraphEncoding.TENSORFLOWLITE,
        **_common_fields(found.meaning, found.signature, found.facts),
        producer=found.producer,
        version=found.version,
        quantized=found.quantized,
    )


def _common_fields(
    meaning: Meaning, signature: Signature | None, facts: Mapping[str, str]
) -> dict[str, Any]:
    """Return the fields of `Stated` that all formats have, with layouts where they belong."""
    recipe = dict(meaning.recipe)
    if signature is not None:
        inputs = tuple(
            replace(port, layout=axes) if len(axes) == len(port.dimensions) else port
            for port in signature.inputs
            for axes in [meaning.layouts.get(port.name, meaning.layouts.get("", "")) or port.layout]
        )
        signature = Signature(inputs, signature.outputs)
        layouts = {port.layout for port in inputs} & _LAYOUTS
        if len(layouts) == 1:
            recipe["layout"] = layouts.pop()
    unnamed = [n for n, name in enumerate(meaning.classes) if name == unnamed_class(n)]
    if unnamed:
        label = f"{counted(len(unnamed), 'class')} without a name"
        facts = {**facts, label: listed([*map(str, unnamed)], _MOST_LISTED)}
    cleaned = {clean_text(key): clean_text(text) for key, text in facts.items()}
    facts_with_text = [(key, text) for key, text in cleaned.items() if text]
    return {
        "signature": signature,
        "task": meaning.task,
        "classes": meaning.classes,
        "recipe": recipe,
        "facts": dict(facts_with_text[:_MAX_FACTS]),
    }


def _files_in(folder: Path) -> tuple[Path, ...]:
    """Return the files in a folder and below it, in alphabetical order."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return tuple(sorted(path for _, path in zip(range(_MAX_FILES), found, strict=False)))
