"""WebAssembly guests with WASI-NN: nothing else of the package imports wasmtime.

`run_guest` runs a command module, in a process of its own or in a thread of this one.  To embed a
guest yourself, define the functions in a linker of your own with `add_to_linker`.
"""

try:
    import wasmtime as _wasmtime  # noqa: F401 - for the message below
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "running WebAssembly guests needs wasmtime: pip install 'wasinn-nb[wasm]'"
    ) from error

from wasinn_nb.host.commands import Invocation
from wasinn_nb.host.guest import run_guest
from wasinn_nb.host.linker import add_to_linker
from wasinn_nb.host.memory import GuestMemory
from wasinn_nb.host.run import GuestRun
from wasinn_nb.host.wasi import Directory

__all__ = ["Directory", "GuestMemory", "GuestRun", "Invocation", "add_to_linker", "run_guest"]
