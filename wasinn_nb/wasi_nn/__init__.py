"""The standard's calls: `WasiNnCtx`, its trace, and what a graph takes and gives."""

from wasinn_nb.wasi_nn.arguments import ModelFiles, parsed_builders
from wasinn_nb.wasi_nn.context import WasiNnCtx
from wasinn_nb.wasi_nn.description import port_bytes, rust_declaration
from wasinn_nb.wasi_nn.trace import Call, Keep, Trace

__all__ = [
    "Call",
    "Keep",
    "ModelFiles",
    "Trace",
    "WasiNnCtx",
    "parsed_builders",
    "port_bytes",
    "rust_declaration",
]
