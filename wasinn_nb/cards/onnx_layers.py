"""The nodes of ONNX graphs, and graphs that give what lies between them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from numpy.typing import NDArray

from wasinn_nb.cards.onnx_file import parsed_onnx
from wasinn_nb.errors import RuntimeFailure

if TYPE_CHECKING:
    import onnx

__all__ = ["OnnxLayers", "OnnxValue", "given_name"]


class OnnxValue(NamedTuple):
    """What a node gives.

    Attributes
    ----------
    name : str
    operation : str
    dimensions : tuple of int
    itemsize : int
    has_weights : bool
        Whether the node reads weights.
    """

    name: str
    operation: str
    dimensions: tuple[int, ...]
    itemsize: int
    has_weights: bool


class OnnxLayers:
    """An ONNX model whose values between the nodes can be made outputs.

    Parameters
    ----------
    content : bytes
        The whole model, weights inside.
    dimensions : tuple of int
        Of its one image.

    Raises
    ------
    RuntimeFailure
        If the bytes are damaged, or the model does not take one input.
    """

    def __init__(self, content: bytes, dimensions: tuple[int, ...]) -> None:
        self._model = model = parsed_onnx(content)
        self._weights = {tensor.name for tensor in model.graph.initializer}
        images = [value for value in model.graph.input if value.name not in self._weights]
        if len(images) != 1:
            raise RuntimeFailure(
                f"layers are read of models with one input, this one has {len(images)}"
            )
        self.image: str = images[0].name
        self.outputs: tuple[str, ...] = tuple(value.name for value in model.graph.output)
        sizes = images[0].type.tensor_type.shape.dim
        for size, known in zip(sizes, dimensions, strict=True):
            size.dim_value = known
        del model.graph.value_info[:]
        self._producer = {name: node for node in model.graph.node for name in node.output if name}
        self.values: tuple[OnnxValue, ...] = tuple(self._values())

    def _values(self) -> Iterator[OnnxValue]:
        from onnx import TensorProto, helper, shape_inference

        inferred = shape_inference.infer_shapes(self._model)
        types = {v.name: v.type for v in (*inferred.graph.value_info, *inferred.graph.output)}
        moving = {self.image}
        for node in self._model.graph.node:
            if node.op_type == "Shape" or not moving.intersection(_reads(node)):
                continue
            moving.update(node.output)
            for name in filter(None, node.output):
                tensor = types[name].tensor_type if name in types else None
                if tensor is None or not tensor.HasField("shape"):
                    continue
                if not all(size.HasField("dim_value") for size in tensor.shape.dim):
                    continue
                if tensor.elem_type in {TensorProto.STRING, TensorProto.BOOL}:
                    continue
                yield OnnxValue(
                    name,
                    node.op_type,
                    tuple(size.dim_value for size in tensor.shape.dim),
                    helper.tensor_dtype_to_np_dtype(tensor.elem_type).itemsize,
                    node.op_type in {"Conv", "ConvTranspose", "Gemm", "MatMul"},
                )

    @property
    def weights(self) -> str:
        """What most of the weights are stored in; ``i8`` of a quantized model."""
        from onnx import TensorProto

        kinds = {node.op_type for node in self._model.graph.node}
        if any("Quantize" in kind or kind.startswith("QLinear") for kind in kinds):
            return "i8"
        names = {TensorProto.FLOAT16: "f16", TensorProto.BFLOAT16: "bf16"}
        sizes: dict[str, int] = {}
        for tensor in self._model.graph.initializer:
            kind = names.get(tensor.data_type, "f32")
            sizes[kind] = sizes.get(kind, 0) + tensor.ByteSize()
        return max(sizes, key=sizes.__getitem__, default="f32")

    def reads(self, value: str, known: frozenset[str]) -> frozenset[str]:
        """Return which of the *known* values, or the image, a value is computed from."""
        return frozenset(self._before([value], known)[1])

    def _before(self, chosen: Sequence[str], known: frozenset[str]) -> tuple[set[str], set[str]]:
        """Return the values that have to be computed for others, and the known ones they read."""
        computed: set[str] = set()
        read: set[str] = set()
        left = list(chosen)
        while left:
            name = left.pop()
            node = self._producer.get(name)
            if name in computed or node is None:
                continue
            computed.update(filter(None, node.output))
            for source in _reads(node):
                if source in known or source == self.image:
                    read.add(source)
                else:
                    left.append(source)
        return computed, read

    def with_outputs(self, chosen: Sequence[str]) -> bytes:
        """Return the model with values as its outputs."""
        return self._part(chosen, {}, frozenset({self.image}))

    def cut(self, chosen: Sequence[str], known: Mapping[str, NDArray[Any]]) -> bytes:
        """Return a model that computes values from *known* ones, which are its inputs.

        The input of a known value has the name that :func:`given_name` returns.
        """
        return self._part(chosen, known, frozenset(known))

    def _part(
        self,
        chosen: Sequence[str],
        known: Mapping[str, NDArray[Any]],
        stops: frozenset[str],
    ) -> bytes:
        import onnx
        from onnx import helper

        made = onnx.ModelProto()
        made.CopyFrom(self._model)
        graph = made.graph
        computed, read = self._before(chosen, stops)
        kept = [node for node in graph.node if computed.intersection(node.output)]
        for node in kept:
            _rename(node, {name: given_name(name) for name in known})
        names = {name for node in kept for name in _reads(node)}
        weights = [tensor for tensor in graph.initializer if tensor.name in names]
        inputs = [value for value in graph.input if value.name in names - self._weights]
        inputs += [
            helper.make_tensor_value_info(
                given_name(name), helper.np_dtype_to_tensor_dtype(array.dtype), array.shape
            )
            for name, array in known.items()
            if name in read
        ]
        outputs = [onnx.ValueInfoProto(name=name) for name in chosen]
        for field, values in (
            (graph.node, kept),
            (graph.initializer, weights),
            (graph.input, inputs),
            (graph.output, outputs),
        ):
            copies = [_copy(value) for value in values]
            del field[:]
            field.extend(copies)
        content: bytes = made.SerializeToString()
        return content


def given_name(name: str) -> str:
    """Return what a known value is called where it is an input."""
    return f"{name} (known)"


def _copy(message: Any) -> Any:
    copied = type(message)()
    copied.CopyFrom(message)
    return copied


def _reads(node: onnx.NodeProto) -> list[str]:
    """Return the names of the values that a node reads, those of its bodies included."""
    names = [name for name in node.input if name]
    for body in _bodies(node):
        own = {name for inner in body.node for name in inner.output}
        names += [name for inner in body.node for name in _reads(inner) if name not in own]
        names += [value.name for value in body.output if value.name not in own]
    return names


def _rename(node: onnx.NodeProto, names: Mapping[str, str]) -> None:
    """Let a node, and its bodies, read values under other names."""
    for index, name in enumerate(node.input):
        node.input[index] = names.get(name, name)
    for body in _bodies(node):
        for inner in body.node:
            _rename(inner, names)


def _bodies(node: onnx.NodeProto) -> Iterator[onnx.GraphProto]:
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs
