"""Inference runtimes: what the toolkit needs of one, the head behind a model, and the registry."""

from wasinn_nb.runtimes.base import BaseRuntime, GraphSpec
from wasinn_nb.runtimes.concurrency import Concurrency, processors
from wasinn_nb.runtimes.confidence import (
    MOSTLY_SATURATED,
    STEPS,
    confidence_maps,
    row_saturates,
    saturated_part,
)
from wasinn_nb.runtimes.device_table import (
    Device,
    DeviceTable,
    check_device,
    device_name,
    missing_devices,
)
from wasinn_nb.runtimes.engine_table import Engine, EngineTable, engines
from wasinn_nb.runtimes.forking import ProcessGuard
from wasinn_nb.runtimes.head import NOT_A_NUMBER, Head
from wasinn_nb.runtimes.labels import (
    argmax_labels,
    nan_error,
    refuse_nan,
    score_planes,
    write_argmax,
)
from wasinn_nb.runtimes.layers import (
    INPUT,
    FusableModel,
    Layer,
    LayeredModel,
    LayeredRuntime,
    QuantizedModel,
    is_numbered,
    open_layers,
)
from wasinn_nb.runtimes.precisions import (
    PRECISIONS,
    Precision,
    check_precision,
    precision_remark,
    warn_of_precision,
)
from wasinn_nb.runtimes.protocols import Builder, ExecutionContext, Graph, HeadOf, InputOf, Runtime
from wasinn_nb.runtimes.quantizing import QuantizedLayers, QuantizingRuntime
from wasinn_nb.runtimes.registry import by_name, device_precisions, devices, runtime, runtimes
from wasinn_nb.runtimes.telemetry import without_telemetry
from wasinn_nb.runtimes.threaded import ThreadedContext, UnfusedGraph

__all__ = [
    "INPUT",
    "MOSTLY_SATURATED",
    "NOT_A_NUMBER",
    "PRECISIONS",
    "STEPS",
    "BaseRuntime",
    "Builder",
    "Concurrency",
    "Device",
    "DeviceTable",
    "Engine",
    "EngineTable",
    "ExecutionContext",
    "FusableModel",
    "Graph",
    "GraphSpec",
    "Head",
    "HeadOf",
    "InputOf",
    "Layer",
    "LayeredModel",
    "LayeredRuntime",
    "Precision",
    "ProcessGuard",
    "QuantizedLayers",
    "QuantizedModel",
    "QuantizingRuntime",
    "Runtime",
    "ThreadedContext",
    "UnfusedGraph",
    "argmax_labels",
    "by_name",
    "check_device",
    "check_precision",
    "confidence_maps",
    "device_name",
    "device_precisions",
    "devices",
    "engines",
    "is_numbered",
    "missing_devices",
    "nan_error",
    "open_layers",
    "precision_remark",
    "processors",
    "refuse_nan",
    "row_saturates",
    "runtime",
    "runtimes",
    "saturated_part",
    "score_planes",
    "warn_of_precision",
    "without_telemetry",
    "write_argmax",
]
