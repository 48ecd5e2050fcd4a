"""What the metadata of model files means: Model API, Ultralytics, and ONNX's own image metadata."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from wasinn_nb.cards.unnamed import unnamed_class
from wasinn_nb.wording import inert

__all__ = [
    "Meaning",
    "class_names",
    "clean_text",
    "from_entries",
    "from_model_api",
    "named_classes",
]

_MAX_TEXT: Final = 300
_MAX_NAME: Final = 200
_MAX_LITERAL: Final = 1 << 20
_MAX_CLASSES: Final = 100_000
_BYTES: Final = (0.0, 255.0)
_NO_NAMES: Final = frozenset({"", "None", "null", "nan", "NaN"})
"""What Python, JSON and NumPy write where a label is missing."""


@dataclass(slots=True)
class Meaning:
    """What metadata states about a model; `used` names the entries that it was read from."""

    task: str | None = None
    classes: tuple[str, ...] = ()
    recipe: dict[str, Any] = field(default_factory=dict)
    layouts: dict[str, str] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)


def clean_text(value: object, limit: int = _MAX_TEXT) -> str:
    r"""Return *value* as one line of at most *limit* characters, blanks counted once.

    Examples
    --------
    >>> clean_text("a\n b\x1b[31m")
    'a b\\x1b[31m'
    >>> clean_text("long text", 5)
    'long…'
    """
    return inert(" ".join(str(value)[: 4 * limit].split()), limit)


# -- Model API -------------------------------------------------------------------------------------

_MODEL_API_TASKS: Final = {
    "segmentation": "segmentation",
    "classification": "classification",
    "ssd": "detection",
    "detectionmodel": "detection",
    "maskrcnn": "instance segmentation",
    "detrinstseg": "instance segmentation",
    "yolo-seg": "instance segmentation",
    "anomalydetection": "anomaly detection",
}
_MODEL_API_FITS: Final = {
    "standard": "stretch",
    "fit_to_window_letterbox": "letterbox",
    "crop": "crop",
}


def from_model_api(info: Mapping[str, str]) -> Meaning:
    """Read ``model_info`` as OpenVINO's Model API 0.4 does.

    Parameters
    ----------
    info : mapping
        Name → text: what is below ``rt_info/model_info`` in an IR, or in ONNX metadata under
        keys that start with ``model_info``.

    Returns
    -------
    Meaning
        Only what is stated.  Model API reads images as BGR; ``reverse_input_channels`` turns them
        to RGB before ``mean_values`` and ``scale_values``, which are in units of 0 to 255
        (`adapters/openvino_adapter.py`, `embed_preprocessing`).  Labels are separated by white
        space; their writers put ``_`` where a name has a space, and it stays.
        ``fit_to_window`` (padded at right and bottom only) is not a `fit` of a recipe.

    Examples
    --------
    >>> info = {"reverse_input_channels": "YES", "scale_values": "255", "labels": "road sky"}
    >>> meaning = from_model_api(info)
    >>> meaning.recipe
    {'color': 'RGB', 'range': (0.0, 255.0), 'scale': (255.0, 255.0, 255.0)}
    >>> meaning.classes
    ('road', 'sky')
    """
    meaning = Meaning()
    stated = {name: text.strip() for name, text in info.items() if text.strip() != "None"}
    if kind := stated.get("model_type") or stated.get("task_type", ""):
        kind = clean_text(kind, _MAX_NAME).lower()
        is_yolo = kind.startswith("yolo") and not kind.endswith("seg")
        meaning.task = "detection" if is_yolo else _MODEL_API_TASKS.get(kind, kind)
        meaning.used |= {"model_type"} if stated.get("model_type") else {"task_type"}
    if stated.get("labels"):
        meaning.classes = class_names(stated["labels"].split())
        meaning.used.add("labels")
    if "layout" in stated:
        meaning.layouts = _model_api_layouts(stated["layout"])
        meaning.used.add("layout")
    if stated.get("embedded_processing") in {"YES", "True"}:
        # Its graph takes the image as it was read and does the rest itself.
        meaning.recipe |= {"color": "BGR", "range": _BYTES}
        return meaning
    if "reverse_input_channels" in stated:
        reverse = stated["reverse_input_channels"] in {"YES", "True"}
        meaning.recipe["color"] = "RGB" if reverse else "BGR"
        meaning.used.add("reverse_input_channels")
    meaning.recipe |= _model_api_values(stated, meaning.used)
    if (fit := _MODEL_API_FITS.get(stated.get("resize_type", ""))) is not None:
        meaning.recipe["fit"] = fit
        meaning.used.add("resize_type")
        if fit == "letterbox":
            pad = _numbers(stated.get("pad_value", "0"))
            if len(pad) == 1 and 0 <= pad[0] <= 255:
                meaning.recipe["pad_value"] = int(pad[0])
                meaning.used.add("pad_value")
    return meaning


def _model_api_values(stated: Mapping[str, str], used: set[str]) -> dict[str, Any]:
    """Return range, mean and scale; nothing where a recipe cannot hold what is stated."""
    values: dict[str, Any] = {}
    mode = stated.get("intensity_mode", "none")
    if mode == "scale_to_unit":
        highest = _numbers(stated.get("intensity_max_value", "255"))
        if highest != (255.0,) or stated.get("input_dtype", "u8") != "u8":
            return {}
        values["range"] = (0.0, 1.0)
        used.add("intensity_mode")
    elif mode != "none":
        return {}
    for name, entry in (("mean", "mean_values"), ("scale", "scale_values")):
        if not stated.get(entry):
            continue
        numbers = _three(_numbers(stated[entry]))
        if not numbers or (name == "scale" and 0.0 in numbers):
            return {}
        values = {"range": _BYTES} | values | {name: numbers}
        used.add(entry)
    return values


def _model_api_layouts(text: str) -> dict[str, str]:
    """Return input name → layout of ``NCHW``, ``[N,C,H,W]`` or ``a:NCHW,b:NC``; "" is any input."""
    layouts = {}
    for name, _, axes in re.findall(
        r"(?:([^,:\[\]]+)(:))?(\[[^\]]*\]|[A-Za-z]+)", text[:_MAX_TEXT]
    ):
        plain = re.sub(r"[\[\],\s]", "", axes).upper()
        if plain.isalpha():
            layouts[name.strip()] = plain
    return layouts


# -- ONNX ------------------------------------------------------------------------------------------

# onnx/docs/MetadataProps.md; keys and values are case insensitive.
_PIXEL_FORMATS: Final = {
    "gray8": "GRAY",
    "rgb8": "RGB",
    "bgr8": "BGR",
    "rgba8": "RGBA",
    "bgra8": "BGRA",
}
_PIXEL_RANGES: Final = {
    "nominalrange_0_255": _BYTES,
    "normalized_0_1": (0.0, 1.0),
    "normalized_1_1": (-1.0, 1.0),
}
_ULTRALYTICS_TASKS: Final = {
    "classify": "classification",
    "detect": "detection",
    "segment": "instance segmentation",
    "pose": "pose estimation",
    "obb": "oriented detection",
}
_ULTRALYTICS_ENTRIES: Final = frozenset({"names", "task", "imgsz", "stride"})


def from_entries(entries: Mapping[str, str]) -> Meaning:
    """Read entries of key and text: ONNX's ``metadata_props``, a TFLite file's ``metadata.json``.

    Parameters
    ----------
    entries : mapping
        Key → text.

    Returns
    -------
    Meaning
        Of Model API's entries (:func:`from_model_api`); of ONNX's ``Image.BitmapPixelFormat`` and
        ``Image.NominalPixelRange``; of Ultralytics' ``names``, ``task``, ``imgsz`` and ``stride``,
        which together mean RGB from 0 to 1, fitted with bars of value 114 (classifiers: cut to
        the middle); of ``names``, ``classes`` or ``labels`` alone, the classes.

    Examples
    --------
    >>> from_entries({"names": "{0: 'road', 1: 'sky'}"}).classes
    ('road', 'sky')
    >>> from_entries({"Image.BitmapPixelFormat": "Bgr8"}).recipe
    {'color': 'BGR'}
    """
    model_api = {
        key.removeprefix("model_info").strip(): key
        for key in entries
        if key.startswith("model_info ")
    }
    meaning = from_model_api({name: entries[key] for name, key in model_api.items()})
    meaning.used = {model_api[name] for name in meaning.used if name in model_api}
    for key, text in entries.items():
        value = text.strip().lower()
        if key.lower() == "image.bitmappixelformat" and value in _PIXEL_FORMATS:
            meaning.recipe["color"] = _PIXEL_FORMATS[value]
        elif key.lower() == "image.nominalpixelrange" and value in _PIXEL_RANGES:
            meaning.recipe["range"] = _PIXEL_RANGES[value]
        else:
            continue
        meaning.used.add(key)
    if entries.keys() >= _ULTRALYTICS_ENTRIES:
        _add_ultralytics(meaning, entries)
    for key in ("names", "classes", "labels"):
        if not meaning.classes and (classes := named_classes(entries.get(key, ""))):
            meaning.classes = classes
            meaning.used.add(key)
    return meaning


def _add_ultralytics(meaning: Meaning, entries: Mapping[str, str]) -> None:
    task = entries["task"].strip()
    meaning.task = _ULTRALYTICS_TASKS.get(task, clean_text(task, _MAX_NAME) or None)
    meaning.used.add("task")
    meaning.recipe |= {"color": "RGB", "range": (0.0, 1.0)}
    if entries.get("channels", "3").strip() == "1":
        meaning.recipe["color"] = "GRAY"
    if task == "classify":
        meaning.recipe["fit"] = "crop"
    else:
        meaning.recipe |= {"fit": "letterbox", "pad_value": 114}


def named_classes(text: str) -> tuple[str, ...]:
    """Return class names of a JSON or Python literal, or of text with commas or lines.

    Parameters
    ----------
    text : str
        A list of names, an object from index to name, or names separated by lines or commas.

    Returns
    -------
    tuple of str
        Empty where the text holds no such thing; numbers with a gap are not class indices.

    Examples
    --------
    >>> named_classes('{"1": "sky", "0": "road"}')
    ('road', 'sky')
    >>> named_classes("road, sky")
    ('road', 'sky')
    >>> named_classes("{0: 'road', 2: 'sky'}")
    ()
    """
    text = text.strip()
    if not text or len(text) > _MAX_LITERAL:
        return ()
    if text[0] in "{[(":
        return class_names(_literal_names(text))
    if "\n" in text:
        return class_names(text.splitlines())
    # In a line with commas, one too many is more likely than a class without a name.
    names = text.split(",")
    return class_names(names) if len(names) > 1 and all(map(str.strip, names)) else ()


def _literal_names(text: str) -> list[object]:
    try:
        # Python's literals hold JSON's strings, numbers, lists and objects.
        values = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return []
    if isinstance(values, Mapping):
        try:
            by_index = {int(key): name for key, name in values.items()}
        except (ValueError, TypeError, OverflowError):
            return []
        if sorted(by_index) != list(range(len(values))):
            return []
        return [by_index[index] for index in range(len(by_index))]
    return list(values) if isinstance(values, list | tuple) else []


def class_names(names: Iterable[object]) -> tuple[str, ...]:
    """Return class names, clean; none where one is not text, no one is a name, or too many.

    What programs write where a label is missing is not a name.

    Examples
    --------
    >>> class_names(["road", "", "None", None]), class_names(["road", 7])
    (('road', 'class 1', 'class 2', 'class 3'), ())
    """
    given = ["" if name is None else name for name in names]
    if len(given) > _MAX_CLASSES or not all(isinstance(name, str) for name in given):
        return ()
    cleaned = [clean_text(name, _MAX_NAME) for name in given]
    if all(name in _NO_NAMES for name in cleaned):
        return ()
    return tuple(
        unnamed_class(index) if name in _NO_NAMES else name for index, name in enumerate(cleaned)
    )


def _numbers(text: str) -> tuple[float, ...]:
    """Return finite numbers separated by white space or commas; none where one is not."""
    try:
        numbers = tuple(map(float, text.replace(",", " ").split()[:16]))
    except ValueError:
        return ()
    return numbers if all(map(math.isfinite, numbers)) else ()


def _three(numbers: tuple[float, ...]) -> tuple[float, ...]:
    """Return one number per channel; one number stands for all three."""
    return numbers * 3 if len(numbers) == 1 else numbers if len(numbers) == 3 else ()
