"""The call sequences whose outcome on three runtimes is measured, as guests from text.

Rows are numbered as in the table of measurements.  A guest prints the errno of each call, in one
digit, and bytes that it reads of its memory in brackets.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import openvino as ov
from hosting import PAGE, doubling, escaped, wasm
from openvino import opset13 as op

from wasinn_nb.abi import PARAMETERS

PANIC, TRAP = "panic", "trap"
ANY = None
"""Bytes that nothing defines."""
GIVEN = np.array([[1, 2, 3, 4]], np.float32)
LATER = np.array([[5, 6, 7, 8]], np.float32)
BYTES = np.array([[1, 2, 3, 4]], np.uint8)

_HEX = """
  (func $show (param $at i32) (param $count i32)
    (call $put (i32.const 91))
    (block $end (loop $next
      (br_if $end (i32.eqz (local.get $count)))
      (call $digit (i32.shr_u (i32.load8_u (local.get $at)) (i32.const 4)))
      (call $digit (i32.and (i32.load8_u (local.get $at)) (i32.const 15)))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (local.set $count (i32.sub (local.get $count) (i32.const 1)))
      (br $next)))
    (call $put (i32.const 93)))
  (func $digit (param $value i32)
    (call $put (i32.load8_u (i32.add (i32.const 32) (local.get $value)))))
  (func $put (param $character i32)
    (i32.store8 (i32.const 16) (local.get $character))
    (i32.store (i32.const 0) (i32.const 16))
    (i32.store (i32.const 4) (i32.const 1))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
  (data (i32.const 32) "0123456789abcdef")
"""


class Script:
    """A guest's calls, one after the other."""

    def __init__(self):
        self._at = 1024
        self._data, self._body, self._names = [], [], {}

    def put(self, raw):
        """Lay bytes into the guest's memory, and return where."""
        at, self._at = self._at, (self._at + len(raw) + 31) // 16 * 16
        self._data.append((at, raw))
        return at

    def call(self, name, *arguments):
        """Make a call, and print its errno."""
        self._names.setdefault(name)
        words = [a if isinstance(a, str) else f"(i32.const {a})" for a in arguments]
        self._body.append(f"(call $digit (call ${name} {' '.join(words)}))")

    def load(self, parts, encoding=0, target=0, lengths=None):
        """Load a model, and return its handle."""
        lengths = lengths or [len(part) for part in parts]
        pairs = [(self.put(part), size) for part, size in zip(parts, lengths, strict=True)]
        builders = self.put(b"".join(struct.pack("<II", *pair) for pair in pairs))
        result = self.put(bytes(4))
        self.call("load", builders, len(parts), encoding, target, result)
        return f"(i32.load (i32.const {result}))"

    def load_by_name(self, name):
        """Load a model by its name, and return its handle."""
        raw, result = name.encode(), self.put(bytes(4))
        self.call("load_by_name", self.put(raw), len(raw), result)
        return f"(i32.load (i32.const {result}))"

    def init(self, graph):
        """Make an execution context, and return its handle."""
        result = self.put(bytes(4))
        self.call("init_execution_context", graph, result)
        return f"(i32.load (i32.const {result}))"

    def ready(self, parts, **options):
        """Load a model and make a context over it."""
        return self.init(self.load(parts, **options))

    def set_input(self, context, values, *, index=0, dims=None, code=1, size=None):
        """Set an input, and return where its values lie."""
        raw, dims = values.tobytes(), dims or values.shape
        data, shape = self.put(raw), self.put(struct.pack(f"<{len(dims)}I", *dims))
        size = len(raw) if size is None else size
        record = self.put(struct.pack("<IIBxxxII", shape, len(dims), code, data, size))
        self.call("set_input", context, index, record)
        return data

    def compute(self, context):
        """Compute."""
        self.call("compute", context)

    def get_output(self, context, *, index=0, size=16, show=True):
        """Get an output, and print its bytes."""
        buffer, written = self.put(bytes(size)), self.put(bytes(4))
        self.call("get_output", context, index, buffer, size, written)
        self.show(*((buffer, size) if show else (written, 4)))

    def show(self, at, count):
        """Print bytes of the memory."""
        self._body.append(f"(call $show (i32.const {at}) (i32.const {count}))")

    def overwrite(self, at, values):
        """Write other values there."""
        raw = values.tobytes()
        source = self.put(raw)
        words = " ".join(f"(i32.const {number})" for number in (at, source, len(raw)))
        self._body.append(f"(memory.copy {words})")

    def wasm(self):
        """Assemble the guest."""
        imports = "".join(
            f'(import "wasi_ephemeral_nn" "{name}" (func ${name} (param '
            f"{' '.join(['i32'] * PARAMETERS[name])}) (result i32)))"
            for name in self._names
        )
        data = "".join(f'(data (i32.const {at}) "{escaped(raw)}")' for at, raw in self._data if raw)
        return wasm(f"""(module {imports}
          (import "wasi_snapshot_preview1" "fd_write"
            (func $fd_write (param i32 i32 i32 i32) (result i32)))
          (memory (export "memory") {1 + self._at // PAGE})
          {_HEX} {data}
          (func (export "_start") {" ".join(self._body)}))""")


def adding(folder):
    """Save the model that adds ten times its second input to its first."""
    x, y = (op.parameter([1, 4], np.float32, name=name) for name in "xy")
    path = Path(folder) / "adding.xml"
    model = ov.Model([op.add(x, op.multiply(y, np.float32(10)))], [x, y], "adding")
    ov.save_model(model, path, compress_to_fp16=False)
    return path


def parts_of(path):
    """Return a model's xml and bin."""
    return [path.read_bytes(), path.with_suffix(".bin").read_bytes()]


def f32(*values):
    """Return what a guest prints of these values."""
    return f"[{np.array(values, np.float32).tobytes().hex()}]"


@dataclass(frozen=True)
class Row:
    """One row of the table.

    The outcomes are what the guest prints, and `PANIC` or `TRAP` for how it ends; bytes that are
    not defined are ``[?]``.
    """

    number: int
    name: str
    here: str
    wasmtime: str
    wasmedge: str


_DOUBLED, _ZERO = f32(2, 4, 6, 8), f32(0, 0, 0, 0)
_AGAIN, _BOTH = f32(10, 12, 14, 16), f32(51, 62, 73, 84)

ROWS = (
    Row(1, "five calls", f"00000{_DOUBLED}", f"00000{_DOUBLED}", f"00000{_DOUBLED}"),
    Row(3, "GPU", "1", "5", "0"),
    Row(4, "TPU", "1", PANIC, "0"),
    Row(5, "target 3", "0", TRAP, "1"),
    Row(6, "target 9", "1", TRAP, "1"),
    Row(7, "autodetect", "0", "6", "2"),
    Row(8, "IR as ONNX", "1", "6", "1"),
    Row(9, "PyTorch", "6", "6", "1"),
    Row(10, "encoding 77", "2", TRAP, "2"),
    Row(11, "one builder", "1", "5", "1"),
    Row(12, "builders outside", "1", PANIC, "1"),
    Row(13, "unknown graph", "1", "6", "1"),
    Row(14, "unknown context", "11", "66", "11"),
    Row(15, "input index", "001", "005", "001"),
    Row(16, "compute first", "005", "000", "005"),
    Row(17, "output first", f"005{_ZERO}", "000[?]", "000[?]"),
    Row(18, "legacy u8", "00000[02040608]", f"00{PANIC}", "001"),
    Row(19, "current u8", "00000[02040608]", "00000[02040608]", "001"),
    Row(20, "f32 fed u8", "0015", "0050", "0015"),
    Row(21, "short data", "001", f"00{PANIC}", "000"),
    Row(22, "permuted", f"00000{_DOUBLED}", "00500[?]", "00500[?]"),
    Row(23, "overwritten", f"00000{_DOUBLED}", f"00000{_DOUBLED}", f"00000{_AGAIN}"),
    Row(24, "set twice", f"000000{_AGAIN}", f"000000{_AGAIN}", f"000000{_AGAIN}"),
    Row(25, "no new compute", f"000000{_DOUBLED}", f"000000{_DOUBLED}", "000000[?]"),
    Row(26, "small buffer", "00007[10000000]", "00007[00000000]", "00007[10000000]"),
    Row(27, "output index", f"00001{_ZERO}", f"00005{_ZERO}", f"00001{_ZERO}"),
    Row(
        28,
        "two inputs",
        f"000000{f32(51, 62, 73, 84)}",
        f"000000{f32(51, 62, 73, 84)}",
        "000000[?]",
    ),
    Row(29, "one of two inputs", "0005", "0000", "0000"),
    Row(30, "unknown name", "8", "6", "8"),
    Row(31, "two graphs", f"0000000{_DOUBLED}", f"0000000{_DOUBLED}", f"0000000{_DOUBLED}"),
)


def guest_of(number, folder):
    """Assemble the guest of a row, with models that are made in *folder*."""
    script = Script()
    model = parts_of(doubling(folder))
    if number in {3, 4, 5, 6}:
        script.load(model, target={3: 1, 4: 2, 5: 3, 6: 9}[number])
    elif number in {7, 8, 10}:
        script.load(model, encoding={7: 5, 8: 1, 10: 77}[number])
    elif number == 9:
        script.load([b"PK\3\4"], encoding=3)
    elif number == 11:
        script.load(model[:1])
    elif number == 12:
        script.load(model, lengths=[0x7FFFFFFF, 0x7FFFFFFF])
    elif number == 13:
        script.init(77)
    elif number == 14:
        script.set_input(77, GIVEN)
        script.compute(77)
    elif number in {18, 19}:
        context = script.ready(parts_of(doubling(folder, "u8", kind=np.uint8)))
        script.set_input(context, BYTES, code=number - 16)
        script.compute(context)
        script.get_output(context, size=4)
    elif number in {28, 29}:
        context = script.ready(parts_of(adding(folder)))
        script.set_input(context, GIVEN)
        if number == 28:
            script.set_input(context, LATER, index=1)
        script.compute(context)
        if number == 28:
            script.get_output(context)
    elif number == 30:
        script.load_by_name("no-such-model")
    elif number == 31:
        first = script.load(model)
        script.load(parts_of(doubling(folder, "other", dims=(1, 2))))
        context = script.init(first)
        script.init(first)
        script.set_input(context, GIVEN)
        script.compute(context)
        script.get_output(context)
    else:
        _one_model(script, script.ready(model), number)
    return script.wasm()


def _one_model(script, context, number):
    if number == 15:
        script.set_input(context, GIVEN, index=1)
        return
    if number == 21:
        script.set_input(context, GIVEN, size=12)
        return
    if number == 20:
        script.set_input(context, BYTES, code=3)
    elif number not in {16, 17}:
        dims = (4, 1) if number == 22 else None
        data = script.set_input(context, GIVEN, dims=dims)
        if number == 23:
            script.overwrite(data, LATER)
        elif number == 24:
            script.set_input(context, LATER)
    if number != 17:
        script.compute(context)
    if number == 25:
        script.set_input(context, LATER)
    if number == 26:
        script.get_output(context, size=4, show=False)
    elif number not in {16, 20}:
        script.get_output(context, index=int(number == 27))
