"""The functions of wasi_ephemeral_nn, called by hand: good calls, and every bad argument."""

import struct

import pytest
import wasmtime
from guest_memory import (
    ABSENT,
    BAD,
    BUFFER,
    BUILDERS,
    DATA,
    DIMS,
    END,
    OK,
    OUT,
    RECORD,
    RUNTIME,
    UNSUPPORTED,
    made_models,
    made_ready,
    put_model,
    put_record,
)
from hosting import PAGE, HandGuest, wasm

from wasinn_nb import WasiNnCtx
from wasinn_nb.abi import PARAMETERS
from wasinn_nb.host.linker import add_to_linker

# Pointers to 4 bytes that do not all lie in two pages, the last as wasmtime hands it over.
OUTSIDE = [END - 3, END, END + 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFC, 0xFFFFFFFF, -1, -4]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    return made_models(tmp_path_factory)


@pytest.fixture
def guest(models):
    return HandGuest(models=models)


@pytest.fixture
def ready(guest):
    """A guest with a graph and a context over the doubling model, and a good tensor record."""
    return made_ready(guest)


# -- what works --------------------------------------------------------------------------------


def test_the_five_calls(guest, models):
    put_model(guest, models["doubling"])
    assert guest.call("load", BUILDERS, 2, 0, 0, OUT) == OK
    assert guest.call("init_execution_context", guest.u32(OUT), OUT + 4) == OK
    guest.put(DIMS, 1, 4)
    guest.put(DATA, struct.pack("<4f", 1, 2, 3, 4))
    put_record(guest)
    assert guest.call("set_input", 0, 0, RECORD) == OK
    guest.put(DATA, struct.pack("<4f", 9, 9, 9, 9))  # the host has its own copy
    assert guest.call("compute", 0) == OK
    assert guest.call("get_output", 0, 0, BUFFER, 64, OUT) == OK
    assert guest.u32(OUT) == 16
    assert struct.unpack("<4f", guest.get(BUFFER, 16)) == (2, 4, 6, 8)
    names = [call.name for call in guest.ctx.trace]
    assert names == ["load", "init_execution_context", "set_input", "compute", "get_output"]
    assert guest.ctx.trace[0].arguments.endswith("openvino, cpu")
    assert all(call.errno == OK and not call.note for call in guest.ctx.trace)
    assert guest.ctx.trace.tensors("set_input")[0].to_array().tolist() == [[1, 2, 3, 4]]


def test_handles_count_from_zero(ready):
    ready.put(OUT, b"doubling")
    assert ready.call("load_by_name", OUT, 8, OUT) == OK
    assert ready.u32(OUT) == 1
    assert ready.call("init_execution_context", 1, OUT) == OK
    assert ready.u32(OUT) == 1


def test_results_and_data_at_the_very_end(ready):
    assert ready.call("init_execution_context", 0, END - 4) == OK
    assert ready.u32(END - 4) == 1
    ready.put(END - 16, struct.pack("<4f", 1, 2, 3, 4))
    put_record(ready, data=END - 16)
    assert ready.call("set_input", 0, 0, RECORD) == OK
    ready.put(END - 20, ready.get(RECORD, 20))
    assert ready.call("set_input", 0, 0, END - 20) in {OK, BAD}  # over its own data
    assert ready.call("set_input", 0, 0, RECORD) == OK
    assert ready.call("compute", 0) == OK
    assert ready.call("get_output", 0, 0, END - 16, 16, OUT) == OK


@pytest.mark.parametrize(
    ("code", "dialect"), [(2, "legacy"), (3, "current")], ids=["legacy", "current"]
)
def test_both_dialects_of_u8(guest, code, dialect):
    guest.put(OUT, b"bytes")
    assert guest.call("load_by_name", OUT, 5, OUT) == OK
    assert guest.call("init_execution_context", 0, OUT) == OK
    guest.put(DIMS, 1, 8)
    guest.put(DATA, bytes(range(8)))
    put_record(guest, kind=code, nbytes=8)
    assert guest.call("set_input", 0, 0, RECORD) == OK
    assert guest.note == f"type {code} is u8: the guest uses the {dialect} dialect"
    assert guest.ctx.trace[-1].got == "1x8xu8"


def test_padding_after_the_type_is_not_read(ready):
    ready.put(RECORD, struct.pack("<IIB3sII", DIMS, 2, 1, b"\xff\xee\xdd", DATA, 16))
    assert ready.call("set_input", 0, 0, RECORD) == OK


def test_a_permutation_is_passed_and_flagged(ready):
    ready.put(DIMS, 4, 1)
    assert ready.call("set_input", 0, 0, RECORD) == OK
    assert "same bytes, other dimensions" in ready.note


def test_wasmedge_additions(guest):
    guest.put(BUILDERS, b'doubling{"ctx": 1}')
    assert guest.call("load_by_name_with_config", BUILDERS, 8, BUILDERS + 8, 10, OUT) == OK
    assert guest.call("load_by_name_with_config", BUILDERS, 8, 0, 0, OUT) == OK
    assert guest.ctx.trace[0].name == "load_by_name_with_config"
    assert guest.call("init_execution_context", 0, OUT) == OK
    assert guest.call("unload", 0) == OK
    assert guest.call("unload", 0) == BAD
    assert guest.call("finalize_execution_context", 0) == OK
    assert guest.call("finalize_execution_context", 0) == BAD
    assert guest.call("compute", 0) == BAD
    for name in ("compute_single", "get_output_single", "fini_single"):
        assert guest.call(name, *[0] * PARAMETERS[name]) == UNSUPPORTED
    assert "generative" in guest.note
    assert len(guest.ctx.trace) == 11


def test_target_overrides_the_guest(models):
    engine = wasmtime.Engine()
    store, linker = wasmtime.Store(engine), wasmtime.Linker(engine)
    ctx = WasiNnCtx(models=models)
    add_to_linker(linker, ctx, target="MOON")
    assert linker.get(store, "wasi_ephemeral_nn", "compute") is not None
    put = wasm("""(module
      (import "wasi_ephemeral_nn" "load_by_name" (func $load (param i32 i32 i32) (result i32)))
      (memory (export "memory") 1) (data (i32.const 0) "doubling")
      (func (export "go") (result i32) (call $load (i32.const 0) (i32.const 8) (i32.const 16))))""")
    exports = linker.instantiate(store, wasmtime.Module(engine, put)).exports(store)
    assert exports["go"](store) == BAD
    assert "unknown execution target 'MOON'" in ctx.trace[-1].note


# -- pointers and lengths ----------------------------------------------------------------------


def bad_pointer_calls():
    """Yield every call of which one pointer is to be bad, as a function of the pointer."""
    yield "load: builders", lambda g, p: g.call("load", p, 2, 0, 0, OUT)
    yield "load: result", lambda g, p: g.call("load", BUILDERS, 2, 0, 0, p)
    yield "load_by_name: name", lambda g, p: g.call("load_by_name", p, 4, OUT)
    yield "load_by_name: result", lambda g, p: g.call("load_by_name", BUILDERS, 8, p)
    yield "init: result", lambda g, p: g.call("init_execution_context", 0, p)
    yield "set_input: record", lambda g, p: g.call("set_input", 0, 0, p)
    yield "get_output: buffer", lambda g, p: g.call("get_output", 0, 0, p, 16, OUT)
    yield "get_output: written", lambda g, p: g.call("get_output", 0, 0, BUFFER, 16, p)
    name = "load_by_name_with_config"
    yield "with_config: name", lambda g, p: g.call(name, p, 4, 0, 0, OUT)
    yield "with_config: config", lambda g, p: g.call(name, BUILDERS, 8, p, 4, OUT)
    yield "with_config: result", lambda g, p: g.call(name, BUILDERS, 8, 0, 0, p)


CALLS = dict(bad_pointer_calls())


@pytest.mark.full
@pytest.mark.parametrize("pointer", OUTSIDE, ids=hex)
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_pointers_outside(ready, call, pointer):
    ready.put(BUILDERS, b"doubling")
    assert ready.call("set_input", 0, 0, RECORD) == OK
    assert ready.call("compute", 0) == OK
    before, rows = ready.get(0, END), len(ready.ctx.trace)
    assert call(ready, pointer) == BAD
    assert ready.get(0, END) == before
    assert len(ready.ctx.trace) == rows + 1
    assert f"at 0x{pointer % 2**32:08x} lie outside of the guest's memory of 131072" in ready.note


@pytest.mark.full
@pytest.mark.parametrize("pointer", [*OUTSIDE, END - 15])
@pytest.mark.parametrize("field", ["dims", "data"])
def test_pointers_outside_in_the_tensor_record(ready, field, pointer):
    put_record(ready, **{field: pointer % 2**32, **({"rank": 4} if field == "dims" else {})})
    assert ready.call("set_input", 0, 0, RECORD) == BAD
    assert f"the tensor's {'4 dimensions' if field == 'dims' else 'data'}: 16 bytes" in ready.note


@pytest.mark.parametrize("pointer", [*OUTSIDE])
@pytest.mark.parametrize("which", [0, 1])
def test_pointers_outside_in_the_builders(guest, which, pointer):
    words = [[0, 4], [0, 4]]
    words[which][0] = pointer % 2**32
    guest.put(BUILDERS, *words[0], *words[1])
    assert guest.call("load", BUILDERS, 2, 0, 0, OUT) == BAD
    assert f"builder {which}: 4 bytes at" in guest.note


@pytest.mark.parametrize("length", [END + 1, 0x20000001, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, -1])
def test_lengths_outside(ready, length):
    assert ready.call("load", BUILDERS, length, 0, 0, OUT) == BAD
    assert f"the array of {length % 2**32} builders: {8 * (length % 2**32)} bytes" in ready.note
    ready.put(BUILDERS, 0, length % 2**32, 0, 4)
    assert ready.call("load", BUILDERS, 2, 0, 0, OUT) == BAD
    assert ready.call("load_by_name", 0, length, OUT) == BAD
    assert ready.call("load_by_name_with_config", 0, 4, 0, length, OUT) == BAD
    assert ready.call("set_input", 0, 0, RECORD) == OK
    assert ready.call("compute", 0) == OK
    assert ready.call("get_output", 0, 0, BUFFER, length, OUT) == BAD
    put_record(ready, rank=length % 2**32)
    assert ready.call("set_input", 0, 0, RECORD) == BAD
    put_record(ready, nbytes=length % 2**32)
    assert ready.call("set_input", 0, 0, RECORD) == BAD


def test_long_lengths_inside(ready):
    assert ready.call("load", 0, 3, 0, 0, OUT) == BAD
    assert "takes 1 or 2 builders, got 3" in ready.note
    assert ready.call("load_by_name", 0, 1025, OUT) == BAD
    assert "at most 1024" in ready.note
    assert ready.call("load_by_name_with_config", 0, 4, 0, PAGE + 1, OUT) == BAD
    put_record(ready, rank=33)
    assert ready.call("set_input", 0, 0, RECORD) == BAD
    assert "at most 32 dimensions, got 33" in ready.note


def test_zero_lengths(ready):
    assert ready.call("load", END, 0, 0, 0, OUT) == BAD
    assert "takes 2 builders, got 0" in ready.note
    ready.put(BUILDERS, END, 0, END, 0)
    assert ready.call("load", BUILDERS, 2, 0, 0, OUT) == RUNTIME
    assert ready.call("load_by_name", END, 0, OUT) == ABSENT
    put_record(ready, dims=END, rank=0, data=END, nbytes=0)
    assert ready.call("set_input", 0, 0, RECORD) == BAD
    put_record(ready, rank=0, nbytes=4)  # a scalar
    assert ready.call("set_input", 0, 0, RECORD) == BAD
    assert "another number of elements" in ready.note
    put_record(ready, nbytes=0)
    assert ready.call("set_input", 0, 0, RECORD) == BAD
    assert "elements take 16 bytes, got 0" in ready.note


def test_null_pointers_are_places_like_others(guest):
    assert guest.call("load", 0, 0, 0, 0, 0) == BAD
    assert guest.call("init_execution_context", 0, 0) == BAD
    assert guest.call("set_input", 0, 0, 0) == BAD
    assert guest.call("get_output", 0, 0, 0, 0, 0) == BAD
