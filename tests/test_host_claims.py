"""Guests that claim wrongly: handles, buffers, memories; and mistakes of the host."""

import struct

import numpy as np
import openvino as ov
import pytest
from guest_memory import (
    ABSENT,
    BAD,
    BUFFER,
    BUILDERS,
    DIMS,
    ENCODING,
    END,
    LARGE,
    MISSING,
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
from hosting import HandGuest
from openvino import opset13 as op

from wasinn_nb import Errno
from wasinn_nb.abi import PARAMETERS
from wasinn_nb.errors import NotFoundError


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
        (6, 0, UNSUPPORTED, "GGML"),
        (15, 0, ENCODING, "unknown encoding 15"),
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
