"""The general guest, run in this process on a WASI-NN that only keeps what it is given."""

import functools
import json
from pathlib import Path

import wasmtime

from wasinn_nb import guest
from wasinn_nb.abi import TensorType
from wasinn_nb.tensor import Tensor

_I32 = wasmtime.ValType.i32()
_ARGUMENTS = {"load": 5, "init_execution_context": 2, "set_input": 3, "compute": 1, "get_output": 5}


@functools.cache
def _module(path):
    engine = wasmtime.Engine()
    return engine, wasmtime.Module.from_file(engine, str(path))


class _Recorder:
    """The five calls: every one succeeds."""

    def __init__(self, output):
        self.output, self.input, self.calls = output, None, []

    def call(self, name, caller, *arguments):
        self.calls.append(name)
        memory = caller["memory"]
        if name == "set_input":
            record = memory.read(caller, arguments[2], arguments[2] + 20)
            dims, count, type_, data, size = (
                int.from_bytes(record[at : at + 4], "little") for at in range(0, 20, 4)
            )
            raw = memory.read(caller, dims, dims + 4 * count)
            dimensions = [
                int.from_bytes(raw[at : at + 4], "little") for at in range(0, len(raw), 4)
            ]
            content = bytes(memory.read(caller, data, data + size))
            self.input = Tensor(dimensions, TensorType(type_ & 0xFF), content)
        elif name == "get_output":
            content = self.output[: arguments[3]]
            memory.write(caller, content, arguments[2])
            memory.write(caller, len(content).to_bytes(4, "little"), arguments[4])
        return 0


def run_bare(folder, arguments=(), output=b"\0\0", wasm=None):
    """Run the guest in a folder; return exit code, input tensor, what it printed and its calls."""
    engine, module = _module(guest("guest") if wasm is None else wasm)
    store = wasmtime.Store(engine)
    wasi = wasmtime.WasiConfig()
    wasi.argv = ["guest.wasm", *map(str, arguments)]
    wasi.preopen_dir(str(folder), ".")
    wasi.stdout_file = folder / ".stdout"
    wasi.stderr_file = folder / ".stderr"
    store.set_wasi(wasi)
    recorder = _Recorder(output)
    linker = wasmtime.Linker(engine)
    linker.define_wasi()
    for name, count in _ARGUMENTS.items():
        kind = wasmtime.FuncType([_I32] * count, [_I32])
        linker.define_func(
            "wasi_ephemeral_nn",
            name,
            kind,
            functools.partial(recorder.call, name),
            access_caller=True,
        )
    code = 0
    try:
        linker.instantiate(store, module).exports(store)["_start"](store)
    except wasmtime.ExitTrap as end:
        code = end.code
    store.close()
    printed = "".join((folder / name).read_text("utf-8") for name in (".stdout", ".stderr"))
    return code, recorder.input, printed, recorder.calls


def bare_bundle(folder, recipe, *, output=None, classes=("one", "two"), image="image.png"):
    """Write the three JSON files that the guest reads, for a model that is not there."""
    (folder / "out").mkdir(exist_ok=True)
    (folder / "model.onnx").write_bytes(b"")
    facts = {
        "encoding": "onnx",
        "model": ["model.onnx"],
        "card": "model.card.json",
        "image": image,
        "output": {
            "index": 0,
            "dimensions": [1, 2],
            "type": "u8",
            "values": "probabilities",
            "planes": [2, 1, 1],
            "channels_last": False,
        }
        | (output or {}),
    }
    card = {"name": "toy", "classes": list(classes)}
    for name, values in (
        ("bundle.json", facts),
        ("recipe.json", recipe.to_dict()),
        ("model.card.json", card),
    ):
        Path(folder, name).write_text(json.dumps(values), encoding="utf-8")
