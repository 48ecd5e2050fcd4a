"""The functions of wasi_ephemeral_nn, called by hand: good calls, and every bad argument."""

import struct

import numpy as np
import openvino as ov
import pytest
import wasmtime
from hosting import PAGE, HandGuest, doubling, wasm
from openvino import opset13 as op

from wasinn_nb import Errno, TensorType, WasiNnCtx
from wasinn_nb.abi import PARAMETERS
from wasinn_nb.errors import NotFoundError
from wasinn_nb.host.linker import add_to_linker

END = 2 * PAGE
OUT, RECORD, DIMS, DATA, BUILDERS, BUFFER = 0, 64, 128, 256, 512, 1024
OK, BAD, ENCODING, MISSING, RUNTIME, UNSUPPORTED, LARGE, ABSENT = map(int, [
    Errno.SUCCESS,
    Errno.INVALID_ARGUMENT,
    Errno.INVALID_ENCODING,
    Errno.MISSING_MEMORY,
    Errno.RUNTIME_ERROR,
    Errno.UNSUPPORTED_OPERATION,
    Errno.TOO_LARGE,
    Errno.NOT_FOUND,
])  # fmt: skip
# Pointers to 4 bytes that do not all lie in two pages, the last as wasmtime hands it over.
OUTSIDE = [END - 3, END, END + 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFC, 0xFFFFFFFF, -1, -4]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    return {
        "doubling": doubling(folder),
        "bytes": doubling(folder, "bytes", (1, 8), np.uint8),
    }


@pytest.fixture
def guest(models):
    return HandGuest(models=models)


@pytest.fixture
def ready(guest):
    """A guest with a graph and a context over the doubling model, and a good tensor record."""
    guest.put(OUT, b"doubling")
    assert guest.call("load_by_name", OUT, 8, OUT) == OK
    assert guest.call("init_execution_context", 0, OUT) == OK
    guest.put(DIMS, 1, 4)
    guest.put(DATA, struct.pack("<4f", 1, 2, 3, 4))
    put_record(guest)
    return guest


def put_record(guest, dims=DIMS, rank=2, kind=TensorType.F32, data=DATA, nbytes=16):
    guest.put(RECORD, struct.pack("<IIIII", dims, rank, kind, data, nbytes))


def put_model(guest, path):
    """Put a model's parts into the guest's memory, and their builders to BUILDERS."""
    at, words = PAGE, []
    for part in (path.read_bytes(), path.with_suffix(".bin").read_bytes()):
        guest.put(at, part or b"\0")
        words += [at, len(part)]
        at += len(part)
    guest.put(BUILDERS, *words)


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


# -- claims ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dims", "nbytes", "message"),
    [
        ([1, 1 << 28], 1 << 30, "1073741824 bytes at"),  # 1 GB that is not there
        ([1 << 16, 1 << 16], 0, "17179869184 bytes, got 0"),  # in 32 bits: 0 elements
        ([1 << 31, 2, 1 << 31, 2], 16, "elements take"),
        ([1, 5], 16, "5 elements take 20 bytes, got 16"),
        ([2, 4], 32, "another number of elements"),
        ([0, 4], 0, "another number of elements"),
    ],
)
def test_claims_of_dimensions(ready, dims, nbytes, message):
    ready.put(DIMS, *dims)
    put_record(ready, rank=len(dims), nbytes=nbytes)
    assert ready.call("set_input", 0, 0, RECORD) == BAD
    assert message in ready.note


def test_a_type_that_fits_both_dialects_or_neither(ready):
    ready.put(DIMS, 0, 4)
    put_record(ready, kind=2, nbytes=0)
    assert ready.call("set_input", 0, 0, RECORD) == BAD
    assert "ambiguous" in ready.note
    ready.put(DIMS, 1, 4)
    put_record(ready, kind=2)
    assert ready.call("set_input", 0, 0, RECORD) == BAD
    assert "u8 (legacy dialect) or f64 (current dialect)" in ready.note


@pytest.mark.parametrize("kind", [6, 9, 255])
def test_unknown_types(ready, kind):
    put_record(ready, kind=kind)
    assert ready.call("set_input", 0, 0, RECORD) == BAD
    assert f"tensor type {kind} is unknown" in ready.note


def test_a_type_that_the_model_does_not_take(ready):
    put_record(ready, kind=4)
    assert ready.call("set_input", 0, 0, RECORD) == BAD
    assert "the model takes 1x4xf32, got 1x4xi32" in ready.note


@pytest.mark.parametrize(
    ("encoding", "target", "errno", "message"),
    [
        (0, 0, OK, ""),
        (0, 3, OK, ""),
        (6, 0, ENCODING, "unknown encoding 6"),
        (0xFFFFFFFF, 0, ENCODING, "unknown encoding 4294967295"),
        (3, 0, UNSUPPORTED, "PyTorch"),
        (1, 0, BAD, "takes 1 builder, got 2"),
        (0, 4, BAD, "unknown execution target 4"),
        (0, 0x80000000, BAD, "unknown execution target 2147483648"),
        (0, 2, BAD, "no NPU on this machine"),
    ],
)
def test_encodings_and_targets(guest, models, encoding, target, errno, message):
    if target == 2 and any(name.startswith("NPU") for name in ov.Core().available_devices):
        pytest.skip("this machine has an NPU")
    put_model(guest, models["doubling"])
    assert guest.call("load", BUILDERS, 2, encoding, target, OUT) == errno
    assert message in guest.note


def test_bytes_that_are_no_model(guest):
    guest.put(0, b"junkjunk")
    guest.put(BUILDERS, 0, 4, 4, 4)
    assert guest.call("load", BUILDERS, 2, 0, 0, OUT) == RUNTIME
    guest.put(BUILDERS, 0, 8)
    assert guest.call("load", BUILDERS, 1, 1, 0, OUT) == RUNTIME
    assert guest.call("load", BUILDERS, 1, 0, 0, OUT) == BAD


def test_names(guest, monkeypatch, models):
    asked = []

    def model(name, *, download):
        asked.append((name, download))
        raise NotFoundError(f"no model {name!r}")

    monkeypatch.setattr("wasinn_nb.catalog.model", model)
    guest.put(0, b"unheard-of")
    assert guest.call("load_by_name", 0, 10, OUT) == ABSENT
    assert "names registered here: bytes, doubling" in guest.note
    guest.put(0, b"\xff\xfe")
    assert guest.call("load_by_name", 0, 2, OUT) == BAD
    assert "not UTF-8" in guest.note
    # The catalog takes paths; a guest reads only the directories that it is given.
    for path in [str(models["doubling"]), "doubling.xml", "..", "~", "a\\b", "C:x", "a\0b"]:
        guest.put(BUILDERS, path.encode())
        assert guest.call("load_by_name", BUILDERS, len(path), OUT) == ABSENT
        assert "is not the name of a model" in guest.note
    assert asked == [("unheard-of", False)]


# -- handles and order -------------------------------------------------------------------------


@pytest.mark.parametrize("handle", [1, 7, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
def test_unknown_handles_and_indices(ready, handle):
    number = f"{handle % 2**32}"
    assert ready.call("init_execution_context", handle, OUT) == BAD
    assert f"no graph {number}; known graphs: 0" in ready.note
    assert ready.call("unload", handle) == BAD
    for name, rest in [
        ("set_input", (0, RECORD)),
        ("compute", ()),
        ("get_output", (0, BUFFER, 16, OUT)),
        ("finalize_execution_context", ()),
    ]:
        assert ready.call(name, handle, *rest) == BAD
        assert f"no context {number}; known contexts: 0" in ready.note
    assert ready.call("set_input", 0, handle, RECORD) == BAD
    assert f"no input {number}" in ready.note
    assert ready.call("get_output", 0, handle, BUFFER, 16, OUT) == BAD
    assert f"no output {number}" in ready.note


def test_out_of_order(ready):
    assert ready.call("get_output", 0, 0, BUFFER, 16, OUT) == RUNTIME
    assert "get_output before compute" in ready.note
    assert ready.call("compute", 0) == RUNTIME
    assert "compute before input 0 is set" in ready.note
    assert ready.call("set_input", 0, 0, RECORD) == OK
    assert ready.call("get_output", 0, 0, BUFFER, 16, OUT) == RUNTIME
    assert ready.call("compute", 0) == OK
    assert ready.call("get_output", 0, 0, BUFFER, 16, OUT) == OK


def test_a_failed_set_input_leaves_the_earlier_one(ready):
    assert ready.call("set_input", 0, 0, RECORD) == OK
    put_record(ready, kind=9)
    assert ready.call("set_input", 0, 0, RECORD) == BAD
    assert ready.call("compute", 0) == OK
    assert ready.call("get_output", 0, 0, BUFFER, 16, OUT) == OK
    assert struct.unpack("<4f", ready.get(BUFFER, 16)) == (2, 4, 6, 8)


def test_handles_are_not_without_end(ready, monkeypatch):
    monkeypatch.setattr("wasinn_nb.host.linker._MAX_GRAPHS", 4)
    monkeypatch.setattr("wasinn_nb.host.linker._MAX_CONTEXTS", 8)
    ready.put(BUILDERS, b"doubling")
    errnos = [ready.call("load_by_name", BUILDERS, 8, OUT) for _ in range(5)]
    assert errnos == [OK] * 3 + [int(Errno.BUSY)] * 2
    assert "the guest holds 4 graphs" in ready.note
    assert ready.call("unload", 1) == OK
    assert ready.call("load_by_name", BUILDERS, 8, OUT) == OK
    errnos = [ready.call("init_execution_context", 0, OUT) for _ in range(9)]
    assert errnos == [OK] * 7 + [int(Errno.BUSY)] * 2
    assert "the guest holds 8 execution contexts" in ready.note


# -- the output buffer -------------------------------------------------------------------------


@pytest.mark.parametrize("room", [0, 1, 4, 15])
def test_buffers_too_small_are_not_written_to(ready, room):
    assert ready.call("set_input", 0, 0, RECORD) == OK
    assert ready.call("compute", 0) == OK
    ready.put(BUFFER, b"\xa5" * 64)
    assert ready.call("get_output", 0, 0, BUFFER, room, OUT) == LARGE
    assert ready.u32(OUT) == 16
    assert ready.get(BUFFER, 64) == b"\xa5" * 64
    assert ready.note == f"the output takes 16 bytes, the buffer has {room}"


@pytest.mark.parametrize("room", [16, 17, 64])
def test_buffers_large_enough_get_the_output_only(ready, room):
    assert ready.call("set_input", 0, 0, RECORD) == OK
    assert ready.call("compute", 0) == OK
    ready.put(BUFFER, b"\xa5" * 64)
    assert ready.call("get_output", 0, 0, BUFFER, room, OUT) == OK
    assert ready.get(BUFFER + 16, 48) == b"\xa5" * 48
    assert ready.u32(OUT) == 16


def test_an_output_of_no_bytes(tmp_path):
    x = op.parameter([0, 4], np.float32)
    ov.save_model(ov.Model([op.add(x, x)], [x]), tmp_path / "empty.xml")
    guest = HandGuest(models={"empty": tmp_path / "empty.xml"})
    guest.put(BUILDERS, b"empty")
    assert guest.call("load_by_name", BUILDERS, 5, OUT) == OK
    assert guest.call("init_execution_context", 0, OUT) == OK
    guest.put(DIMS, 0, 4)
    put_record(guest, data=END, nbytes=0)
    assert guest.call("set_input", 0, 0, RECORD) == OK
    assert guest.call("compute", 0) == OK
    guest.put(OUT, b"\xff" * 4)
    assert guest.call("get_output", 0, 0, END, 0, OUT) == OK
    assert guest.u32(OUT) == 0


# -- memories ----------------------------------------------------------------------------------


@pytest.mark.parametrize("memory", ["", "(memory 1)", '(memory (export "other") 1)',
                                    '(func (export "memory"))'])  # fmt: skip
def test_no_memory(models, memory):
    guest = HandGuest(models=models, memory=memory)
    for name, count in PARAMETERS.items():
        errno = guest.call(name, *[0] * count)
        if name.endswith("single"):
            assert errno == UNSUPPORTED
        elif count == 1:
            assert errno == BAD  # needs no memory
        else:
            assert errno == MISSING
            assert guest.note == "the guest exports no memory of the name 'memory'"
    assert len(guest.ctx.trace) == len(PARAMETERS)


def test_the_memory_called_memory_is_used():
    memory = '(memory $a (export "first") 1) (memory $b (export "memory") 2)'
    guest = HandGuest(memory=memory)
    assert guest.size == END
    assert guest.call("load_by_name", END - 4, 5, OUT) == BAD
    assert "memory of 131072 bytes" in guest.note


# -- our own mistakes --------------------------------------------------------------------------


def test_a_bug_of_ours_comes_out_as_itself(ready, monkeypatch):
    def broken(context):
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(ready.ctx, "compute", broken)
    with pytest.raises(ZeroDivisionError, match="a bug"):
        ready.call("compute", 0)
    assert ready.ctx.trace[-1].note == "ZeroDivisionError('a bug')"
    monkeypatch.undo()
    assert ready.call("compute", 0) == RUNTIME  # the guest goes on
