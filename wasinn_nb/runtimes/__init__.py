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
    precision_remark,
)
from wasinn_nb.runtimes.engine_table import Engine, EngineTable, engines
from wasinn_nb.runtimes.head import NOT_A_NUMBER, Head
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
    "devices",
    "engines",
    "precision_remark",
    "runtime",
    "runtimes",
]
