"""Guests on other runtimes, which are programs of their own: Wasmtime and WasmEdge."""

from wasinn_nb.host.external.guest import ExternalGuest
from wasinn_nb.host.external.programs import Program, find_program

__all__ = ["ExternalGuest", "Program", "find_program"]
