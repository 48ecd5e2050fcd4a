"""What the tests of the wasm host share: small models, guests from text, and a guest by hand."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import openvino as ov
import pytest
import wasmtime
from openvino import opset13 as op
from tables import all_slow_but

from wasinn_nb import TensorType, WasiNnCtx, host
from wasinn_nb.abi import PARAMETERS
from wasinn_nb.host.linker import add_to_linker

GUESTS = Path(__file__).resolve().parent.parent / "data" / "guests"
PAGE = 65536

in_thread = pytest.mark.parametrize("isolation", ["thread"], indirect=True)
"""For a test that reaches into this process: its guests run here."""
mostly_in_thread = pytest.mark.parametrize(
    "isolation", all_slow_but(["process", "thread"], "thread"), indirect=True
)
"""For a long table, which `make test-slow` also runs in processes."""
in_process = pytest.mark.parametrize("isolation", ["process"], indirect=True)
_mode = ["process"]


def set_isolation(mode):
    """Set how `run_guest` of this module runs guests."""
    _mode[0] = mode


def run_guest(*args, **options):
    """Run a guest as the fixture `isolation` says."""
    return host.run_guest(*args, **{"isolation": _mode[0], **options})


def doubling(folder, name="doubling", dims=(1, 4), kind=np.float32):
    """Save the model that doubles its input, and return the path of its xml."""
    x = op.parameter(list(dims), kind, name="x")
    path = Path(folder) / f"{name}.xml"
    ov.save_model(ov.Model([op.add(x, x)], [x], name), path, compress_to_fp16=False)
    return path


def roadlike(folder, name="roadlike", work=0):
    """Save a model with the road model's shapes; the more work, the longer it infers."""
    x = op.parameter([1, 3, 512, 896], np.float32, name="data")
    y = op.concat([x, op.reduce_mean(x, np.array([1]), keep_dims=True)], 1)
    rng = np.random.default_rng(0)
    for _ in range(work):
        weights = op.constant(rng.standard_normal((4, 4, 7, 7)).astype(np.float32) / 200)
        y = op.convolution(y, weights, [1, 1], [3, 3], [3, 3], [1, 1])
    path = Path(folder) / f"{name}.xml"
    ov.save_model(ov.Model([op.softmax(y, 1)], [x], name), path, compress_to_fp16=False)
    return path


def wasm(text):
    """Assemble WebAssembly text."""
    return bytes(wasmtime.wat2wasm(text))


def command(body, imports="", rest=""):
    """Assemble a command module around the instructions of its _start."""
    return wasm(f"""(module
      (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
      (import "wasi_snapshot_preview1" "fd_write"
        (func $fd_write (param i32 i32 i32 i32) (result i32)))
      {imports}
      (memory (export "memory") 1)
      {rest}
      (func (export "_start") {body}))""")


def escaped(raw):
    """Return bytes as a string of WebAssembly text."""
    return "".join(f"\\{byte:02x}" for byte in raw)


def inferring(model, encoding, dimensions, values, output):
    """Assemble a guest that makes the five calls once, on the CPU, and exits with the first errno.

    *model* is the bytes of a model of one builder, *values* an array for its input, of these
    *dimensions* and a type of the current dialect, *output* the size of its output in bytes.
    """
    builders, shape, record, graph, context, written = 16, 32, 64, 96, 100, 104
    tensor, buffer = 1024, PAGE // 2
    code = TensorType.from_dtype(values.dtype)
    content = {
        builders: struct.pack("<II", PAGE, len(model)),
        shape: struct.pack(f"<{len(dimensions)}I", *dimensions),
        record: struct.pack("<IIBxxxII", shape, len(dimensions), code, tensor, values.nbytes),
        tensor: values.tobytes(),
        PAGE: model,
    }
    loaded = {
        graph: f"(i32.load (i32.const {graph}))",
        context: f"(i32.load (i32.const {context}))",
    }
    calls = [
        ("load", builders, 1, int(encoding), 0, graph),
        ("init_execution_context", loaded[graph], context),
        ("set_input", loaded[context], 0, record),
        ("compute", loaded[context]),
        ("get_output", loaded[context], 0, buffer, output, written),
    ]
    imports, body = "", ""
    for name, *arguments in calls:
        types = "(param " + " ".join(["i32"] * PARAMETERS[name]) + ") (result i32)"
        imports += f'(import "wasi_ephemeral_nn" "{name}" (func ${name} {types}))'
        words = [a if isinstance(a, str) else f"(i32.const {a})" for a in arguments]
        body += f"(local.set $errno (call ${name} {' '.join(words)}))"
        body += "(if (local.get $errno) (then (call $exit (local.get $errno))))"
    data = "".join(f'(data (i32.const {at}) "{escaped(raw)}")' for at, raw in content.items())
    return wasm(f"""(module
      (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
      {imports}
      (memory (export "memory") {2 + len(model) // PAGE})
      {data}
      (func (export "_start") (local $errno i32) {body}))""")


def forwarding(memory='(memory (export "memory") 2)'):
    """Assemble a guest that exports every function of the host's as its own."""
    imports, exports = [], []
    for name, count in PARAMETERS.items():
        types = "(param " + " ".join(["i32"] * count) + ") (result i32)"
        values = " ".join(f"(local.get {i})" for i in range(count))
        imports.append(f'(import "wasi_ephemeral_nn" "{name}" (func ${name} {types}))')
        exports.append(f'(func (export "{name}") {types} (call ${name} {values}))')
    return wasm(f"(module {' '.join(imports)} {memory} {' '.join(exports)})")


class HandGuest:
    """A guest whose calls a test makes by hand."""

    def __init__(self, ctx=None, memory='(memory (export "memory") 2)', **options):
        self.ctx = ctx or WasiNnCtx(keep="all", **options)
        engine = wasmtime.Engine()
        self.store, linker = wasmtime.Store(engine), wasmtime.Linker(engine)
        add_to_linker(linker, self.ctx)
        module = wasmtime.Module(engine, forwarding(memory))
        self.exports = linker.instantiate(self.store, module).exports(self.store)
        self.memory = self.exports.get("memory")

    def call(self, name, *arguments):
        """Call a function with unsigned or signed numbers, and return its errno."""
        signed = [struct.unpack("<i", struct.pack("<I", a & 0xFFFFFFFF))[0] for a in arguments]
        return self.exports[name](self.store, *signed)

    def put(self, address, *data):
        """Write bytes, or u32 numbers, to the guest's memory."""
        raw = data[0] if isinstance(data[0], bytes) else struct.pack(f"<{len(data)}I", *data)
        self.memory.write(self.store, bytearray(raw), address)

    def get(self, address, length):
        """Read bytes of the guest's memory."""
        return bytes(self.memory.read(self.store, address, address + length))

    def u32(self, address):
        """Read a u32 of the guest's memory."""
        return struct.unpack("<I", self.get(address, 4))[0]

    @property
    def size(self):
        """The memory's bytes."""
        return self.memory.data_len(self.store)

    @property
    def note(self):
        """What the trace says of the last call."""
        return self.ctx.trace[-1].note
