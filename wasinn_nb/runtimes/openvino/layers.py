"""The layers of OpenVINO's graphs: further outputs, and graphs that are cut between layers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino import opset13 as op

from wasinn_nb.errors import RuntimeFailure
from wasinn_nb.runtimes.layers import INPUT, Layer
from wasinn_nb.runtimes.openvino.models import translated
from wasinn_nb.runtimes.openvino.normalizations import WEIGHTED, with_fused_normalizations
from wasinn_nb.runtimes.openvino.rounding import give_weights

__all__ = ["OpenVinoLayers"]

_ENDS: Final = frozenset({"Parameter", "Constant", "Result"})
_SHAPES: Final = frozenset({"ShapeOf", "Assign", "ReadValue"})
_READABLE: Final = frozenset({"f32", "f16", "f64", "i8", "u8", "i32", "i64"})
_FLOATS: Final = {"f16": np.float16, "f32": np.float32, "f64": np.float64}
_QUANTIZE: Final = "FakeQuantize"

_Place: TypeAlias = tuple[int, int]
"""A node's place in the order of computation, and which of its outputs."""


class OpenVinoLayers:
    """A model whose layers can be read; see `wasinn_nb.runtimes.LayeredModel`.

    An output at every layer keeps OpenVINO from fusing the layers, so that values may differ from
    those inside of a whole run by rounding.

    Parameters
    ----------
    model : openvino.Model
        At the size of its image.
    compiled : callable
        Compiles a model as the pipeline's is compiled.
    """

    def __init__(self, model: ov.Model, compiled: Callable[[ov.Model], ov.CompiledModel]) -> None:
        self._model, self._compiled = model, compiled
        if len(model.inputs) != 1:
            raise RuntimeFailure(
                f"layers are read of models with one input, this one has {len(model.inputs)}"
            )
        nodes = list(model.get_ordered_ops())
        order = {_key(node): place for place, node in enumerate(nodes)}
        self._sources = [
            [(order[_key(value.get_node())], value.get_index()) for value in node.input_values()]
            for node in nodes
        ]
        self._image = next(
            place for place, node in enumerate(nodes) if node.get_type_name() == "Parameter"
        )
        self._moving = moving = _moving(nodes, self._sources)
        found = [
            ((place, output.get_index()), _layer(node, output))
            for place, node in enumerate(nodes)
            if place in moving and node.get_type_name() not in _ENDS
            for output in node.outputs()
            if _is_readable(output)
        ]
        self._places: list[_Place] = [place for place, _ in found]
        self.layers: tuple[Layer, ...] = tuple(layer for _, layer in found)
        numbers = {place: number for number, place in enumerate(self._places)}
        self.outputs: tuple[int | None, ...] = tuple(
            numbers.get(self._sources[order[_key(result)]][0]) for result in model.get_results()
        )
        self.weights = _weights(nodes)
        # The device says what it runs in only of a model that is compiled.
        hint = compiled(model.clone()).get_property("INFERENCE_PRECISION_HINT")
        self.precision: str = hint.get_type_name()

    def fused(self) -> OpenVinoLayers:
        """Return the model with normalizations that are part of the convolutions before them."""
        with translated("OpenVINO cannot fuse the layers"):
            model = with_fused_normalizations(self._model.clone())
        return OpenVinoLayers(model, self._compiled)

    def weights_of(self, layers: Sequence[int]) -> dict[int, NDArray[Any]]:
        """Return the weights that layers multiply by; nothing for those without weights."""
        places = {layer: at for layer in layers if (at := self._weights_at(layer)) is not None}
        with translated("OpenVINO cannot compute the weights"):
            nodes = self._model.clone().get_ordered_ops()
            values = [nodes[self._places[one][0]].input_value(at) for one, at in places.items()]
            return dict(zip(places, self._run(values, [], []), strict=True))

    def with_weights(self, weights: Mapping[int, NDArray[Any]]) -> OpenVinoLayers:
        """Return the model with other weights of some layers, rounded to 8 bits."""
        with translated("OpenVINO cannot round the weights"):
            model = self._model.clone()
            nodes = model.get_ordered_ops()
            for layer, values in weights.items():
                at = self._weights_at(layer)
                reader = None if at is None else nodes[self._places[layer][0]].input(at)
                if reader is not None and tuple(reader.get_shape()) == values.shape:
                    give_weights(reader, values)
        return OpenVinoLayers(model, self._compiled)

    def _weights_at(self, layer: int) -> int | None:
        """Return which input of a layer takes its weights."""
        if not self.layers[layer].has_weights:
            return None
        sources = self._sources[self._places[layer][0]]
        still = [at for at, (source, _) in enumerate(sources[:2]) if source not in self._moving]
        return still[0] if still else None

    def reads(self, layer: int, known: frozenset[int]) -> frozenset[int]:
        """Return which of the *known* layers a layer is computed from, or `INPUT`."""
        stops = {self._places[number]: number for number in known}
        found: set[int] = set()
        seen: set[_Place] = set()
        left = list(self._sources[self._places[layer][0]])
        while left:
            place = left.pop()
            if place in seen:
                continue
            seen.add(place)
            if place[0] == self._image:
                found.add(INPUT)
            elif place in stops:
                found.add(stops[place])
            else:
                left += self._sources[place[0]]
        return frozenset(found)

    def values(self, chosen: Sequence[int], image: NDArray[Any]) -> list[NDArray[Any]]:
        """Return the values of layers, for an image of the model's dimensions."""
        with translated("OpenVINO cannot show the layers"):
            model = self._model.clone()
            nodes = model.get_ordered_ops()
            outputs = [self._output(nodes, layer) for layer in chosen]
            return self._run(outputs, model.get_parameters(), [image])

    def values_from(
        self, chosen: Sequence[int], known: Mapping[int, NDArray[Any]]
    ) -> list[NDArray[Any]]:
        """Return the values of layers, each computed from the *known* ones before it."""
        with translated("OpenVINO cannot compute the layers one by one"):
            model = self._model.clone()
            nodes = model.get_ordered_ops()
            outputs = [self._output(nodes, layer) for layer in chosen]
            parameters, arrays = [], []
            for number, array in known.items():
                place = (self._image, 0) if number == INPUT else self._places[number]
                value = nodes[place[0]].output(place[1])
                parameter = op.parameter(list(array.shape), value.get_element_type())
                for reader in value.get_target_inputs():
                    reader.replace_source_output(parameter.output(0))
                parameters.append(parameter)
                arrays.append(array)
            return self._run(outputs, parameters, arrays)

    def _output(self, nodes: Sequence[ov.Node], layer: int) -> ov.Output:
        place, index = self._places[layer]
        return nodes[place].output(index)

    def _run(
        self,
        outputs: Sequence[ov.Output],
        parameters: Sequence[ov.Node],
        arrays: Sequence[NDArray[Any]],
    ) -> list[NDArray[Any]]:
        compiled = self._compiled(ov.Model([op.result(one) for one in outputs], list(parameters)))
        request = compiled.create_infer_request()
        for index, (parameter, array) in enumerate(zip(parameters, arrays, strict=True)):
            dtype = parameter.get_element_type().to_dtype()
            request.set_input_tensor(
                index, ov.Tensor(np.ascontiguousarray(array.astype(dtype, copy=False)))
            )
        request.infer()
        return [np.array(request.get_output_tensor(i).data) for i in range(len(outputs))]


def _key(node: ov.Node) -> str:
    """Return what tells a node from the others of its model."""
    return str(node.get_name())


def _moving(nodes: Sequence[ov.Node], sources: Sequence[Sequence[_Place]]) -> set[int]:
    """Return the places of nodes whose values depend on the image's, and not on its shape alone."""
    moving: set[int] = set()
    for place, node in enumerate(nodes):
        kind = node.get_type_name()
        depends = any(source in moving for source, _ in sources[place])
        if kind == "Parameter" or (depends and kind not in _SHAPES):
            moving.add(place)
    return moving


def _is_readable(output: ov.Output) -> bool:
    shape = output.get_partial_shape()
    return shape.is_static and output.get_element_type().get_type_name() in _READABLE


def _layer(node: ov.Node, output: ov.Output) -> Layer:
    name, index = str(node.get_friendly_name()), output.get_index()
    kind = str(node.get_type_name())
    return Layer(
        f"{name}.{index}" if index else name,
        kind,
        tuple(output.get_shape()),
        output.get_element_type().size,
        frozenset(map(str, output.get_names())),
        kind in WEIGHTED,
    )


def _weights(nodes: Sequence[ov.Node]) -> str:
    """Return what most bytes of the weights are stored in; ``i8`` of a quantized model."""
    if any(node.get_type_name() == _QUANTIZE for node in nodes):
        return "i8"
    sizes: dict[str, int] = {}
    for node, kind in _constants(nodes):
        sizes[kind] = sizes.get(kind, 0) + math.prod(node.output(0).get_shape())
    return max(sizes, key=sizes.__getitem__, default="f32")


def _constants(nodes: Sequence[ov.Node]) -> Iterator[tuple[ov.Node, str]]:
    for node in nodes:
        kind = node.output(0).get_element_type().get_type_name() if node.outputs() else ""
        if node.get_type_name() == "Constant" and kind in _FLOATS:
            yield node, kind
