"""Inference runtimes: what the toolkit asks of one, the head behind a model, and the registry."""

from wasinn_nb.runtimes.base import (
    PRECISIONS,
    Builder,
    Device,
    DeviceTable,
    ExecutionContext,
    Graph,
    HeadOf,
    InputOf,
    Runtime,
    device_name,
    precision_remark,
)
from wasinn_nb.runtimes.engine_table import Engine, EngineTable, engines
from wasinn_nb.runtimes.head import NOT_A_NUMBER, Head
from wasinn_nb.runtimes.labels import (
    argmax_labels,
    fold_maximum,
    nan_error,
    refuse_nan,
    score_planes,
)
from wasinn_nb.runtimes.registry import devices, runtime, runtimes

__all__ = [
    "NOT_A_NUMBER",
    "PRECISIONS",
    "Builder",
    "Device",
    "DeviceTable",
    "Engine",
    "EngineTable",
    "ExecutionContext",
    "Graph",
    "Head",
    "HeadOf",
    "InputOf",
    "Runtime",
    "argmax_labels",
    "device_name",
    "devices",
    "engines",
    "fold_maximum",
    "nan_error",
    "precision_remark",
    "refuse_nan",
    "runtime",
    "runtimes",
    "score_planes",
]
