"""OpenVINO IR: what its xml says, read without OpenVINO."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final, TypeAlias
from xml.etree import ElementTree as ET

from wasinn_nb.cards.formats import xml_text
from wasinn_nb.cards.operations import operation_behind, standard_name
from wasinn_nb.cards.ports import Port, Signature, port_of
from wasinn_nb.errors import RuntimeFailure
from wasinn_nb.imaging import INTEGER_LIMITS

__all__ = [
    "ir_metadata",
    "ir_quantized",
    "ir_signature",
    "needed_weights",
    "parsed_ir",
    "quantized_key",
]

_VERSIONS: Final = {"10", "11"}
_MAX_DEPTH: Final = 64
_NAMES: Final = re.compile(r"(?:[^,\\]|\\.)+")  # separated by commas; a comma inside is "\,"

_QUANTIZED: Final = re.compile(
    r"([0-9]{1,9}(?:\.[0-9]{1,32})?(?:e[+-]?[0-9]{1,3})?) (-?[0-9]{1,3})"
)

_Layers: TypeAlias = Mapping[str, ET.Element]
_Place: TypeAlias = tuple[str, str]
"""A layer and one of its ports, by their numbers."""


class _NoEntities:
    """A part of what a parser builds: no document type, hence no entities to expand."""

    def doctype(self, name: str, _public: str | None, _system: str | None) -> None:
        raise RuntimeFailure(
            f"the xml declares a document type ({name:.40}), which OpenVINO IR never has: "
            f"fetch or convert the model again"
        )


class _Tree(_NoEntities, ET.TreeBuilder):
    """Builds the tree of a document."""


class _Weights(_NoEntities):
    """Counts the bytes of weights, without a tree: its objects take longer than the parser."""

    def __init__(self) -> None:
        self._needed, self._in_root, self._in_constant = 0, False, False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if not self._in_root:
            _check_root(tag, attributes)
            self._in_root = True
        elif tag == "layer":
            self._in_constant = attributes.get("type") == "Const"
        elif tag == "data" and self._in_constant:
            self._in_constant = False
            if "offset" in attributes:
                end = _whole(attributes, "offset") + _whole(attributes, "size")
                self._needed = max(self._needed, end)

    def close(self) -> int:
        return self._needed


def parsed_ir(content: bytes) -> ET.Element:
    """Return the root of an IR's xml.

    Parameters
    ----------
    content : bytes
        UTF-8 or, with a byte order mark, UTF-16; other encodings where the xml declares them.

    Raises
    ------
    RuntimeFailure
        If it is not well-formed XML, not IR, or IR of a version that OpenVINO does not read.

    Examples
    --------
    >>> parsed_ir(b'<net name="toy" version="11"><layers/></net>').get("name")
    'toy'
    >>> parsed_ir(b'<net name="old" version="7"/>')
    Traceback (most recent call last):
    ...
    wasinn_nb.errors.RuntimeFailure: IR version 7; OpenVINO reads 10 and 11: convert the original
    model again
    """
    root: ET.Element = _parsed(content, _Tree())
    _check_root(root.tag, root.attrib)
    return root


def needed_weights(content: bytes) -> int:
    """Return how many bytes of weights an IR takes: the largest offset + size of its constants.

    Constants in the bodies of loops and conditions count too.  OpenVINO's writer pads nothing.

    Parameters
    ----------
    content : bytes
        The xml, as of `parsed_ir`.

    Raises
    ------
    RuntimeFailure
        As `parsed_ir`, or if an offset or size is not a whole number.

    Examples
    --------
    >>> constant = '<layer type="Const"><data offset="4" size="8"/></layer>'
    >>> needed_weights(f'<net version="11">{constant}</net>'.encode())
    12
    """
    needed: int = _parsed(content, _Weights())
    return needed


def _parsed(content: bytes, target: _NoEntities) -> Any:
    """Return what *target* builds of xml."""
    parser = ET.XMLParser(target=target)  # noqa: S314 - it refuses what could declare entities
    try:
        parser.feed(xml_text(content))
        return parser.close()
    except (ET.ParseError, ValueError, LookupError) as error:
        raise RuntimeFailure(
            f"the xml is not well-formed ({error}): it is cut off or damaged; "
            f"fetch or convert the model again"
        ) from error


def _check_root(tag: str, attributes: Mapping[str, str]) -> None:
    if tag != "net":
        raise RuntimeFailure(
            f"expected an OpenVINO IR, whose xml has the root <net>, got the root <{tag:.80}>"
        )
    version = attributes.get("version", "none")
    if version not in _VERSIONS:
        older = version.isdecimal() and int(version[:9]) < 10
        remedy = "convert the original model again" if older else "save it as version 11"
        raise RuntimeFailure(f"IR version {version:.20}; OpenVINO reads 10 and 11: {remedy}")


def ir_quantized(root: ET.Element) -> bool:
    """Return whether values are quantized between the layers of an IR.

    Examples
    --------
    >>> ir_quantized(parsed_ir(b'<net version="11"><layer type="FakeQuantize"/></net>'))
    True
    """
    return any(layer.get("type") == "FakeQuantize" for layer in root.iter("layer"))


def ir_signature(root: ET.Element) -> Signature | None:
    """Return inputs and outputs in the order of the file, named as OpenVINO names them.

    Returns
    -------
    Signature or None
        None where the number of dimensions of an input is open: the xml writes an output of an
        open number of dimensions as it writes a scalar.

    Raises
    ------
    RuntimeFailure
        If the graph lacks what every IR has.
    """
    layers = {layer.get("id", ""): layer for layer in root.iterfind("layers/layer")}
    sources = {
        (edge.get("to-layer", ""), edge.get("to-port", "")): (
            edge.get("from-layer", ""),
            edge.get("from-port", ""),
        )
        for edge in root.iterfind("edges/edge")
    }
    with_layer_names = root.get("version") == "10"
    inputs: list[Port] = []
    outputs: list[Port] = []
    for identity, layer in layers.items():
        if layer.get("type") == "Parameter":
            data, port = layer.find("data"), layer.find("output/port")
            if data is None or port is None:
                raise _damaged(layer)
            if "..." in data.get("shape", ""):
                return None
            name = _name(_port_names(layer, port, with_layer_names))
            sizes = data.get("shape", "").split(",") if data.get("shape") else []
            type_name = data.get("element_type", "")
            inputs.append(port_of(name, map(_size, sizes), type_name, layout=_layout(port)))
        elif layer.get("type") == "Result":
            port = layer.find("input/port")
            source = sources.get((identity, "" if port is None else port.get("id", "")))
            producer = layers.get(source[0]) if source else None
            if port is None or source is None or producer is None:
                raise _damaged(layer)
            produced = next(
                (p for p in producer.iterfind("output/port") if p.get("id") == source[1]), port
            )
            names = _names(layer.get("output_names", ""))
            outputs.append(
                port_of(
                    _name(names or _port_names(producer, produced, with_layer_names)),
                    [_size(dim.text or "") for dim in port.iterfind("dim")],
                    _type_name(port.get("precision", produced.get("precision", ""))),
                    layout=_layout(port) or _layout(produced),
                    operation=operation_behind(source[0], partial(_producer, layers, sources)),
                )
            )
    section = root.find("rt_info")
    values = {} if section is None else dict(_leaves(section, 0))
    return Signature(_quantized(inputs, "input", values), _quantized(outputs, "output", values))


def _quantized(ports: list[Port], kind: str, values: Mapping[str, str]) -> tuple[Port, ...]:
    """Return ports with the quantization that ``rt_info`` states."""
    texts = (values.get(quantized_key(kind, index)) for index in range(len(ports)))
    pairs = zip(ports, texts, strict=True)
    return tuple(replace(port, quantization=_quantization(port, text)) for port, text in pairs)


def quantized_key(kind: str, index: int) -> str:
    """Return where, in ``rt_info``, an IR states how integers of an input or output are quantized.

    OpenVINO has no place for it.  The value is the scale and the zero point, with a space between.

    Examples
    --------
    >>> quantized_key("output", 0)
    'wasinn_nb/quantization/output_0'
    """
    return f"wasinn_nb/quantization/{kind}_{index}"


def _quantization(port: Port, text: str | None) -> tuple[float, int] | None:
    """Return scale and zero point; None where they are not stated, or cannot be those of a port."""
    found = _QUANTIZED.fullmatch(text or "")
    limits = INTEGER_LIMITS.get(port.type) if port.type is not None else None
    if found is None or limits is None:
        return None
    scale, zero_point = float(found[1]), int(found[2])
    fits = 0 < scale < math.inf and limits[0] <= zero_point <= limits[1]
    return (scale, zero_point) if fits else None


def ir_metadata(root: ET.Element) -> tuple[dict[str, str], dict[str, str]]:
    """Return ``rt_info/model_info`` by name, and all other metadata by path."""
    model_info: dict[str, str] = {}
    others: dict[str, str] = {}
    for place in ("rt_info", "meta_data"):  # the second: IR version 10
        section = root.find(place)
        for path, value in () if section is None else _leaves(section, 0):
            first, _, rest = path.partition("/")
            if first == "model_info" and rest:
                model_info[rest] = value
            else:
                others[path] = value
    return model_info, others


def _leaves(element: ET.Element, depth: int) -> Iterator[tuple[str, str]]:
    """Yield path and value of everything below *element* that has a value."""
    for child in element:
        name = child.get("name", child.tag) if child.tag == "info" else child.tag
        if (value := child.get("value")) is not None:
            yield name, value
        if depth < _MAX_DEPTH:
            for path, value in _leaves(child, depth + 1):
                yield f"{name}/{path}", value


def _producer(
    layers: _Layers, sources: Mapping[_Place, _Place], identity: str
) -> tuple[str, list[str]] | None:
    """Return what a layer does and the layers that it takes values of; None of an input."""
    layer = layers[identity]
    kind = layer.get("type", "")
    if kind == "Parameter":
        return None
    places = (sources.get((identity, p.get("id", ""))) for p in layer.iterfind("input/port"))
    inputs = [place[0] for place in places if place is not None and place[0] in layers]
    return standard_name(kind), inputs


def _port_names(layer: ET.Element, port: ET.Element, with_layer_name: bool) -> list[str]:
    """Return the names of an output port; in IR version 10 its layer's name is one, too."""
    names = _names(port.get("names", ""))
    if with_layer_name:
        ports = [p.get("id") for p in layer.iterfind("output/port")]
        index = f".{ports.index(port.get('id'))}" if len(ports) > 1 else ""
        names.append(layer.get("name", "") + index)
    return names


def _names(text: str) -> list[str]:
    return [name.replace("\\,", ",") for name in _NAMES.findall(text)]


def _name(names: list[str]) -> str:
    """Return the one of several names that OpenVINO takes: the first in alphabetical order."""
    return min(names, default="")


def _size(text: str) -> int | None:
    """Return a size; None for ``?``, ``-1`` and a range such as ``2..9``."""
    return int(text) if text.strip().isdecimal() and len(text) < 20 else None


def _type_name(precision: str) -> str:
    """Return the name of a type as OpenVINO has it today, of ``FP32``, ``U8``, ``BOOL``."""
    name = precision.lower()
    return "boolean" if name == "bool" else name.replace("fp", "f", 1)


def _layout(port: ET.Element) -> str:
    """Return a port's layout, such as ``NCHW``; empty where it is open or not stated."""
    for attribute in port.iterfind("rt_info/attribute[@name='layout']"):
        axes = re.sub(r"[\[\],\s]", "", attribute.get("layout", ""))
        if axes.isalpha() and axes.isascii():
            return axes
    return ""


def _whole(data: Mapping[str, str], name: str) -> int:
    text = data.get(name, "")
    if not (text.isdecimal() and text.isascii() and len(text) < 20):
        raise RuntimeFailure(
            f"expected the {name} of a constant in the xml as a whole number, got {text!r:.40}: "
            f"the xml is damaged; convert the model again"
        )
    return int(text)


def _damaged(layer: ET.Element) -> RuntimeFailure:
    return RuntimeFailure(
        f"the xml lacks a part of {layer.get('type')} {layer.get('name', '')!r:.80}: it is "
        f"damaged; convert the model again"
    )
