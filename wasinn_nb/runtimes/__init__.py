"""Inference runtimes: what the toolkit asks of one, and those that it knows."""

from wasinn_nb.runtimes.base import (
    Backend,
    Builder,
    Device,
    DeviceTable,
    ExecutionContext,
    Graph,
)

__all__ = ["Backend", "Builder", "Device", "DeviceTable", "ExecutionContext", "Graph"]
