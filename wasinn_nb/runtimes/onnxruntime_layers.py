"""The layers of ONNX models in ONNX Runtime: further outputs, and graphs that are cut."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from wasinn_nb.cards import OnnxLayers, given_name
from wasinn_nb.runtimes.layers import INPUT, Layer

__all__ = ["OnnxLayeredModel"]


class OnnxLayeredModel:
    """A model whose layers can be read; see `wasinn_nb.runtimes.LayeredModel`.

    Parameters
    ----------
    graph : OnnxLayers
    session : callable
        Makes a session of a model's bytes.
    run : callable
        Runs a session for all of its outputs.
    """

    precision: Final = "f32"

    def __init__(
        self,
        graph: OnnxLayers,
        session: Callable[[bytes], ort.InferenceSession],
        run: Callable[..., Mapping[int, NDArray[Any]]],
    ) -> None:
        self._graph, self._session, self._run_session = graph, session, run
        self._names = [value.name for value in graph.values]
        self._numbers = {name: number for number, name in enumerate(self._names)}
        self.outputs = tuple(map(self._numbers.get, graph.outputs))
        self.weights = graph.weights
        self.layers: tuple[Layer, ...] = tuple(
            Layer(
                value.name,
                value.operation,
                value.dimensions,
                value.itemsize,
                frozenset({value.name}),
                value.has_weights,
            )
            for value in graph.values
        )

    def reads(self, layer: int, known: frozenset[int]) -> frozenset[int]:
        """Return which of the *known* layers a layer is computed from, or `INPUT`."""
        names = frozenset(self._names[number] for number in known)
        found = self._graph.reads(self._names[layer], names)
        return frozenset(self._numbers.get(name, INPUT) for name in found)

    def values(self, chosen: Sequence[int], image: NDArray[Any]) -> list[NDArray[Any]]:
        """Return the values of layers, for an image of the model's dimensions."""
        names = [self._names[layer] for layer in chosen]
        return self._run(self._graph.with_outputs(names), names, {self._graph.image: image})

    def values_from(
        self, chosen: Sequence[int], known: Mapping[int, NDArray[Any]]
    ) -> list[NDArray[Any]]:
        """Return the values of layers, each computed from the *known* ones before it."""
        names = [self._names[layer] for layer in chosen]
        given = {
            self._graph.image if number == INPUT else self._names[number]: array
            for number, array in known.items()
        }
        feeds = {given_name(name): array for name, array in given.items()}
        return self._run(self._graph.cut(names, given), names, feeds)

    def _run(
        self, model: bytes, names: Sequence[str], feeds: Mapping[str, NDArray[Any]]
    ) -> list[NDArray[Any]]:
        session = self._session(model)
        inputs = {value.name for value in session.get_inputs()}
        used = {name: np.ascontiguousarray(feeds[name]) for name in inputs}
        made = self._run_session(session, dict(enumerate(names)), used)
        return [made[index] for index in range(len(names))]
