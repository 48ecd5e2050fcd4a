"""`WasiNnCtx`: the WASI-NN calls over a runtime, with handle tables, checks and a trace."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import numpy as np

from wasinn_nb import settings
from wasinn_nb.abi import ExecutionTarget, GraphEncoding
from wasinn_nb.errors import (
    RuntimeFailure,
    TooLargeError,
    UnsupportedOperationError,
)
from wasinn_nb.pickling import NotPickled
from wasinn_nb.runtimes import Builder, Precision, Runtime, device_name
from wasinn_nb.runtimes import runtime as runtime_of
from wasinn_nb.tensor import Tensor
from wasinn_nb.wasi_nn.arguments import (
    ModelFiles,
    checked_input,
    checked_port,
    checked_tensor,
    compared_sizes,
    has_port,
    parsed_builders,
    parsed_encoding,
    short_builders,
    short_name,
    target_code,
    writable_bytes,
)
from wasinn_nb.wasi_nn.description import GraphDescription
from wasinn_nb.wasi_nn.handles import Execution, Handles, is_known
from wasinn_nb.wasi_nn.naming import model_named
from wasinn_nb.wasi_nn.trace import Call, Keep, Trace
from wasinn_nb.wording import counted

__all__ = ["WasiNnCtx"]


class WasiNnCtx(NotPickled):
    """WASI-NN in Python: the calls a guest makes, in the same order and with the same errors.

    Handles count from 0.  The object may be used from several threads; one execution context
    computes in one thread at a time.  Use it in a ``with`` block, or call :meth:`close`.

    Parameters
    ----------
    runtime : str or Runtime, optional
        The engine.  Default: ``WASINN_NB_RUNTIME``, else OpenVINO.
    precision : {"f32", "f16", "bf16", "device"}, optional
        What graphs compute in.  The default ``f32`` makes results comparable from machine to
        machine; ``device`` takes what the device prefers (bfloat16 on many processors).
    models : mapping, optional
        Name → model, for :meth:`load_by_name`.
    keep : {"all", "last", None}
        Which tensors the trace holds on to.
    backend : Runtime, optional
        The older name of *runtime*.

    Attributes
    ----------
    trace : Trace
        Every call, with its error number.

    Examples
    --------
    >>> import wasinn_nb as wn
    >>> with wn.WasiNnCtx() as ctx:
    ...     graph = ctx.load(wn.model().files, "openvino", "CPU")
    ...     context = ctx.init_execution_context(graph)
    ...     tensor = wn.image_to_tensor(wn.image(), wn.model().card.recipe)
    ...     ctx.set_input(context, 0, tensor)
    ...     ctx.compute(context)
    ...     ctx.get_output(context, 0)
    Tensor(1x4x512x896xf32, 7340032 bytes)
    """

    _instead = "make one where it is used; its trace can be pickled"

    def __init__(
        self,
        runtime: str | Runtime | None = None,
        *,
        precision: Precision | None = None,
        models: Mapping[str, ModelFiles] | None = None,
        keep: Keep = "last",
        backend: Runtime | None = None,
    ) -> None:
        self._runtime = backend if runtime is None else runtime
        self.precision = precision or settings.default("precision")
        self.trace = Trace(keep=keep)
        self._models = dict(models or {})
        self._handles = Handles()

    @property
    def runtime(self) -> Runtime:
        """The engine; it is imported on first use."""
        return runtime_of(self._runtime)

    @property
    def backend(self) -> Runtime:
        """The older name of :attr:`runtime`."""
        return self.runtime

    # -- the WASI-NN calls ---------------------------------------------------------------------

    def load(
        self,
        builders: ModelFiles,
        encoding: GraphEncoding | str | int = GraphEncoding.AUTODETECT,
        target: ExecutionTarget | str | int | None = None,
    ) -> int:
        """Load and compile a model.

        Parameters
        ----------
        builders : path, or sequence of paths or bytes
            The parts of the model: for OpenVINO IR xml and bin, for the others one.
        encoding : GraphEncoding, str or int
            ``"openvino"``, ``"onnx"``, ``"tensorflow"``, ``"tensorflowlite"``, ``"autodetect"``.
        target : ExecutionTarget, str or int, optional
            ``"CPU"``, ``"GPU"``, ``"TPU"`` (OpenVINO's NPU), or any device name of OpenVINO.

        Returns
        -------
        int
            The graph's handle.

        Raises
        ------
        InvalidEncodingError
            If WASI-NN has no such encoding.
        InvalidArgumentError
            If the number of builders is wrong, or the target is unknown or not on this machine.
        MissingFileError
            If a path leads nowhere.
        RuntimeFailure
            If the bytes are not a model.
        """
        with self.trace.call("load") as call:
            parts = parsed_builders(builders)
            where = "default" if target is None else short_name(target)
            call.arguments = ", ".join([short_builders(parts), short_name(encoding), where])
            encoding = parsed_encoding(encoding)
            call.state(builders=len(parts), encoding=encoding, target=target_code(target))
            graph = self._compiled(parts, encoding, device_name(target))
            call.got = f"graph {graph}"
            call.state(graph=graph)
            return graph

    def load_by_name(self, name: str, target: ExecutionTarget | str | int | None = None) -> int:
        """Load a model by a registered name or by its name in the catalog.

        Parameters
        ----------
        name : str
            Not a path: a guest reads only files of the directories that it is given.
        target : ExecutionTarget, str or int, optional
            As for :meth:`load`.

        Raises
        ------
        NotFoundError
            If no model of that name is here.
        """
        with self.trace.call("load_by_name", repr(name)) as call:
            call.model = name
            graph = self._compiled(
                parsed_builders(self.model_files(name)),
                GraphEncoding.AUTODETECT,
                device_name(target),
            )
            call.got = f"graph {graph}"
            call.state(graph=graph)
            return graph

    def init_execution_context(self, graph: int) -> int:
        """Make an execution context over a graph and return its handle.

        Raises
        ------
        InvalidArgumentError
            If there is no such graph.
        """
        with self.trace.call("init_execution_context", f"graph {graph}") as call:
            call.state(graph=graph, unknown=not is_known(graph, self._handles.graphs))
            context = self._handles.add_execution(graph)
            call.got = f"context {context}"
            call.state(context=context)
            return context

    def set_input(self, context: int, index: int, tensor: Tensor) -> None:
        """Set an input; the tensor's bytes are read in place, not copied.

        A tensor with the model's number of elements in another order of dimensions is passed as
        it is and flagged in the trace: this is what the runtimes do, and how masks go wrong
        without an error.

        Raises
        ------
        InvalidArgumentError
            If the handle or index is unknown, or type or number of elements are not the model's.
        BusyError
            If the context computes in another thread.
        """
        with self.trace.call("set_input", f"context {context}, input {index}") as call:
            call.got = checked_tensor(tensor).signature
            call.state(index=index, type=tensor.type)
            with self._execution(call, context) as execution:
                call.state(beyond=not has_port(execution.graph.inputs, index))
                port = checked_port(execution.graph.inputs, index, "input")
                call.index, call.port, call.expected = int(index), port, port.signature
                call.state(mismatch=tensor.type is not port.type, **compared_sizes(tensor, port))
                call.note = checked_input(tensor, port)
                execution.runner.set_input(int(index), tensor)
                execution.inputs_set.add(int(index))
                call.tensor = tensor

    def compute(self, context: int) -> None:
        """Run the model on the inputs that are set.

        Raises
        ------
        InvalidArgumentError
            If there is no such context.
        RuntimeFailure
            If an input is not set, or the device fails.
        BusyError
            If the context computes in another thread.
        """
        with (
            self.trace.call("compute", f"context {context}") as call,
            self._execution(call, context) as execution,
        ):
            count = len(execution.graph.inputs)
            call.state(inputs=count, set=len(execution.inputs_set))
            if missing := sorted(set(range(count)) - execution.inputs_set):
                raise RuntimeFailure(
                    f"compute before input {', '.join(map(str, missing))} is set: "
                    f"call set_input for each of {counted(count, 'input')} first"
                )
            execution.computed = False
            execution.runner.compute()
            execution.computed = True

    def get_output(self, context: int, index: int) -> Tensor:
        """Return an output of the last :meth:`compute`, without a copy.

        Parameters
        ----------
        context, index : int

        Raises
        ------
        InvalidArgumentError
            If the handle or index is unknown.
        RuntimeFailure
            If nothing has been computed.
        """
        return self._output(context, index, lambda _: None)

    def get_output_into(
        self, context: int, index: int, buffer: bytearray | memoryview | np.ndarray[Any, Any]
    ) -> int:
        """Write an output into a buffer, as a guest's ``get_output`` does.

        Parameters
        ----------
        context, index : int
        buffer : bytearray, memoryview or array

        Returns
        -------
        int
            The bytes written.

        Raises
        ------
        TooLargeError
            If the buffer is too small; ``needed`` is the number of bytes that it takes, and nothing
            is written.
        UnsupportedOperationError
            If the output is of type i8, which WASI-NN does not have; :meth:`get_output` returns it.
        InvalidArgumentError, RuntimeFailure
            As :meth:`get_output`.
        """

        def write(tensor: Tensor) -> None:
            if not tensor.type.in_wasi_nn:
                raise UnsupportedOperationError(
                    f"output {index} is of type {tensor.type.suffix}, which WASI-NN does not have; "
                    f"in Python, WasiNnCtx.get_output returns it"
                )
            room = writable_bytes(buffer)
            if tensor.nbytes > room.nbytes:
                raise TooLargeError(
                    f"the output takes {tensor.nbytes} bytes, the buffer has {room.nbytes}",
                    needed=tensor.nbytes,
                )
            room[: tensor.nbytes] = tensor.data

        return self._output(context, index, write).nbytes

    # -- beyond the specification ----------------------------------------------------------------

    def finalize_execution_context(self, context: int) -> None:
        """Forget an execution context; its handle is not used again."""
        with self.trace.call("finalize_execution_context", f"context {context}"):
            self._handles.remove_execution(context)

    def unload(self, graph: int) -> None:
        """Forget a graph; contexts over it go on working."""
        with self.trace.call("unload", f"graph {graph}"):
            self._handles.remove_graph(graph)

    def model_files(self, name: str) -> ModelFiles:
        """Return the model that :meth:`load_by_name` loads.

        Raises
        ------
        NotFoundError
            If no model of that name is here.
        """
        return model_named(name, self._models)

    def describe(self, graph: int) -> GraphDescription:
        """Return what a graph takes and gives, with the Rust lines that declare the buffers."""
        loaded = self._handles.graph(graph)
        return GraphDescription(loaded.inputs, loaded.outputs, loaded.device, loaded.precision)

    def cancel(self) -> None:
        """Make computations that run in other threads fail soon."""
        for execution in list(self._handles.executions.values()):
            execution.runner.cancel()

    def close(self) -> None:
        """Wait for running computations, then drop every graph and context."""
        self._handles.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        handles = self._handles
        state = "closed" if handles.closed else counted(len(handles.graphs), "graph")
        return f"WasiNnCtx({state}, precision {self.precision}, {counted(len(self.trace), 'call')})"

    # -- what the calls share --------------------------------------------------------------------

    def _compiled(self, parts: list[Builder], encoding: GraphEncoding, device: str) -> int:
        self._handles.check_open()
        return self._handles.add_graph(self.runtime.load(parts, encoding, device, self.precision))

    @contextmanager
    def _execution(self, call: Call, context: int) -> Iterator[Execution]:
        call.state(context=context, unknown=not is_known(context, self._handles.executions))
        with self._handles.execution(context) as execution:
            yield execution

    def _output(self, context: int, index: int, use: Callable[[Tensor], None]) -> Tensor:
        with (
            self.trace.call("get_output", f"context {context}, output {index}") as call,
            self._execution(call, context) as execution,
        ):
            call.state(index=index, beyond=not has_port(execution.graph.outputs, index))
            call.state(computed=execution.computed)
            port = checked_port(execution.graph.outputs, index, "output")
            call.index, call.port, call.expected = int(index), port, port.signature
            if not execution.computed:
                raise RuntimeFailure("get_output before compute: there is no output yet")
            tensor = execution.runner.output(int(index))
            call.got = tensor.signature
            use(tensor)
            call.tensor = tensor
            return tensor
