"""Rules about Wasmtime beyond the measured table, held against the program itself."""

from __future__ import annotations

import struct

import numpy as np
import pytest
import toy_files
from hosting import GUESTS, doubling
from sequences import GIVEN, PANIC, TRAP, Script, parts_of
from test_runtime_table import outcome

import wasinn_nb as wn
from wasinn_nb import host
from wasinn_nb.errors import GuestLinkError, GuestTrap


def context_of(script, folder, **options):
    return script.ready(parts_of(doubling(folder, **options)))


def tensorflow(script, folder):
    script.load([b"x"], encoding=2)


def tensorflow_lite(script, folder):
    script.load([toy_files.tflite_relu()], encoding=4)


def three_builders(script, folder):
    script.load([b"a", b"b", b"c"])


def record_outside(script, folder):
    script.call("set_input", context_of(script, folder), 0, 0x7FFFFFF0)


def data_outside(script, folder):
    context = context_of(script, folder)
    shape = script.put(struct.pack("<II", 1, 4))
    record = struct.pack("<IIBxxxII", shape, 2, 1, 0x7FFFFF00, 16)
    script.call("set_input", context, 0, script.put(record))


def buffer_outside(script, folder):
    context = context_of(script, folder)
    script.set_input(context, GIVEN)
    script.compute(context)
    script.call("get_output", context, 0, 0x7FFFFF00, 16, script.put(bytes(4)))


def legacy_i32(script, folder):
    context = context_of(script, folder, kind=np.int32)
    script.set_input(context, GIVEN.astype(np.int32), code=3)


def type_without_a_name(script, folder):
    script.set_input(context_of(script, folder), GIVEN, code=9)


def more_elements(script, folder):
    context = context_of(script, folder)
    script.set_input(context, np.ones((1, 8), np.float32))
    script.compute(context)


def output_of_no_context(script, folder):
    script.get_output(77, size=4)


@pytest.mark.parametrize(
    ("build", "printed", "outcomes"),
    [
        (tensorflow, "6", ["fails"]),
        (tensorflow_lite, "6", ["fails"]),
        (three_builders, "5", ["differs"]),
        (record_outside, f"00{TRAP}", ["crashes"]),
        (data_outside, f"00{PANIC}", ["crashes"]),
        (buffer_outside, f"0000{PANIC}", ["crashes"]),
        (legacy_i32, f"00{PANIC}", ["crashes"]),
        (type_without_a_name, f"00{TRAP}", ["traps"]),
        (more_elements, "0050", ["undefined", "undefined"]),
        (output_of_no_context, "6[00000000]", ["differs"]),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_wasmtime_does_what_the_rule_says(build, printed, outcomes, wasmtime_program, tmp_path):
    script = Script()
    build(script, tmp_path)
    guest = script.wasm()
    assert outcome(guest, on="wasmtime") == printed
    run = host.run_guest(guest, isolation="thread", stream=False)
    assert run.stdout != printed
    found = wn.portability(run)["wasmtime"].findings
    assert [finding.outcome for finding in found] == outcomes


def test_wasmtime_lacks_the_functions_of_wasmedge(wasmtime_program):
    script = Script()
    script.call("unload", 0)
    with pytest.raises(GuestLinkError, match="unknown import: `wasi_ephemeral_nn::unload`"):
        host.run_guest(script.wasm(), on="wasmtime", stream=False)


def test_wasmtime_refuses_high_exit_codes(wasmtime_program):
    guest = GUESTS / "misbehave.wasm"
    with pytest.raises(GuestTrap, match="invalid exit status"):
        host.run_guest(guest, ["exit200"], on="wasmtime", stream=False)
    run = host.run_guest(guest, ["exit200"], isolation="thread", stream=False)
    assert [f.name for f in wn.portability(run)["wasmtime"].findings] == ["exit"]
