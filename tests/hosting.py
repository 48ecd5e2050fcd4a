"""What the tests of the wasm host share: small models, guests from text, and a guest by hand."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import openvino as ov
import wasmtime
from openvino import opset13 as op

from wasinn_nb import WasiNnCtx
from wasinn_nb.host import add_to_linker
from wasinn_nb.host.linker import PARAMETERS

GUESTS = Path(__file__).resolve().parent.parent / "data" / "guests"
PAGE = 65536


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
