"""What a guest's process holds back: crashes, memory, time, files, and the rest of the machine."""

from __future__ import annotations

import json
import os
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import openvino as ov
import pytest
from hosting import command, escaped, roadlike, wasm
from isolated import (
    LOAD,
    LOADING,
    MIB,
    PROMISE,
    probe,
    still_works,
)
from openvino import opset13 as op
from tables import all_slow_but

import wasinn_nb as wn
from wasinn_nb.abi import Errno
from wasinn_nb.errors import GuestCrash, GuestTimeout
from wasinn_nb.host import run_guest

pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(sys.platform != "linux", reason="what holds elsewhere is less"),
]
INIT = """(import "wasi_ephemeral_nn" "init_execution_context"
  (func $init (param i32 i32) (result i32)))"""
COMPUTE = '(import "wasi_ephemeral_nn" "compute" (func $compute (param i32) (result i32)))'


# -- crashes -------------------------------------------------------------------------------------


SIGNALS = ["SIGSEGV", "SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGKILL"]


@pytest.mark.parametrize("name", all_slow_but(SIGNALS, "SIGSEGV", "SIGKILL"))
def test_a_crash_of_an_engine_is_an_error(name):
    with pytest.raises(GuestCrash, match=f"ended by {name} .* during load_by_name") as caught:
        probe("crash", name)
    error = caught.value
    assert error.signal == getattr(signal, name)
    assert error.call == "load_by_name"
    assert error.limit is None
    assert isinstance(error, RuntimeError)
    run = error.run
    assert run.ended == "crashed during load_by_name"
    assert run.exit_code is None
    (call,) = run.trace
    assert (call.name, call.errno) == ("load_by_name", Errno.RUNTIME_ERROR)
    assert "it was running" in call.note
    still_works()


def test_an_access_to_no_memory_is_a_crash():
    with pytest.raises(GuestCrash) as caught:
        probe("read_nothing")
    assert caught.value.signal == signal.SIGSEGV


def test_an_engine_that_leaves_is_a_crash():
    with pytest.raises(GuestCrash, match="ended with exit code 7 during load_by_name") as caught:
        probe("leave", 7)
    assert "the engine's own words" in str(caught.value)
    assert caught.value.signal is None


def test_a_crash_keeps_the_calls_and_what_was_printed(tmp_path, capfd):
    """The calls, tensors and prints of before the crash are in error.run."""
    model = roadlike(tmp_path, "big")
    body = f"""(drop (call $fd_write (i32.const 1) (i32.const 32) (i32.const 1) (i32.const 40)))
      {LOADING} (drop (call $init (i32.const 0) (i32.const 16)))
      (drop (call $set (i32.const 0) (i32.const 0) (i32.const 64)))
      (loop $l (br $l))"""
    set_input = """(import "wasi_ephemeral_nn" "set_input"
      (func $set (param i32 i32 i32) (result i32)))"""
    nbytes = 3 * 512 * 896 * 4
    record = struct.pack("<IIBxxxII", 128, 4, 1, 65536, nbytes)
    content = {
        0: b"m",
        32: struct.pack("<II", 48, 6),
        48: b"begun\n",
        64: record,
        128: struct.pack("<4I", 1, 3, 512, 896),
        65536: b"\1\2\3\4",
    }
    data = "".join(f'(data (i32.const {at}) "{escaped(raw)}")' for at, raw in content.items())
    module = wasm(
        f"""(module
          (import "wasi_snapshot_preview1" "fd_write"
            (func $fd_write (param i32 i32 i32 i32) (result i32)))
          {LOAD} {INIT} {set_input}
          (memory (export "memory") 100) {data}
          (func (export "_start") {body}))"""
    )
    with pytest.raises(GuestTimeout) as caught:
        run_guest(module, models={"m": model}, time_limit=5)
    run = caught.value.run
    assert [call.name for call in run.trace] == [
        *("load_by_name", "init_execution_context", "set_input"),
    ]
    (tensor,) = run.inputs
    assert tensor.nbytes == nbytes
    assert bytes(tensor.data[:5]) == b"\1\2\3\4\0"
    assert not tensor.to_array().flags.writeable
    assert run.stdout == "begun\n"
    assert capfd.readouterr().out == "begun\n"


FORGED = (
    struct.pack("<IQ", 2, 0) + b"[]",
    struct.pack("<IQ", 3, 0) + b"{,}",
    struct.pack("<IQ", 1 << 31, 0),
    struct.pack("<IQ", 2, 1 << 60),
    *(
        struct.pack("<IQ", len(text), 0) + text
        for text in (
            b'{"kind": "unknown"}',
            b'{"kind": "call", "dialects": [], "models": []}',
            b'{"kind": "begin", "name": 7}',
            b'{"kind": "output", "stream": "stdin"}',
            b'{"kind": "end", "dialects": 1, "models": []}',
            b'{"kind": "end", "dialects": [], "models": [], "exit_code": "x"}',
            b"[" * 100_000,
        )
    ),
)


@pytest.mark.parametrize("content", all_slow_but(FORGED, FORGED[1], FORGED[3], FORGED[5]))
def test_a_helper_that_was_taken_over_cannot_confuse_this_process(content):
    with pytest.raises(GuestCrash, match="sent what it should not"):
        probe("forge", content, time_limit=20)
    still_works()


# -- memory, time, processor -----------------------------------------------------------------------


def test_memory_beyond_the_limit_ends_the_process():
    with pytest.raises(GuestCrash, match=r"memory_limit= gives it more") as caught:
        probe("allocate", 4 << 30, memory_limit=64 * MIB)
    assert caught.value.limit == "memory_limit"
    assert caught.value.run.ended == "stopped at memory_limit"
    still_works()


MEASURED = """
import resource, sys
from probing_engine import ProbingEngine
from wasinn_nb.errors import GuestCrash
from wasinn_nb.host import run_guest
from isolated import MODEL, loading

def highest():
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss << 10

for act, arguments in (("say", ()), ("allocate", (4 << 30,))):
    engine = ProbingEngine(act, *arguments)
    try:
        run_guest(loading(), models=MODEL, runtime=engine, stream=False, memory_limit=64 << 20)
    except GuestCrash:
        pass
    print(highest())
"""


@pytest.mark.slow
def test_how_much_memory_a_process_takes_before_it_is_ended():
    folder = str(Path(__file__).parent)
    path = os.pathsep.join([folder, str(Path(wn.__file__).parents[1])])
    done = subprocess.run(
        [sys.executable, "-c", MEASURED],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": path},
    )
    before, most = map(int, done.stdout.split())
    promised = 64 * MIB * 6 // 5 + 64 * MIB
    assert promised * 0.5 < most - before < promised + 5 * 16 * MIB


def test_memory_within_the_limit_is_given():
    run = probe("allocate", 256 * MIB, memory_limit=512 * MIB)
    assert json.loads(run.trace[0].note) == "it could"


def huge_constants(folder):
    x = op.parameter([1], np.float32)
    big = op.broadcast(op.add(x, np.float32(1)), np.array([1 << 27]))
    return _saved(ov.Model([op.add(big, big)], [x], "huge"), folder / "huge.xml")


def endless_loop(folder):
    """Save a model with a Loop of 2**60 rounds."""
    x = op.parameter([1, 64], np.float32)
    inside = op.parameter([1, 64], np.float32)
    go_on = op.constant(np.array([True]))
    body = ov.Model([op.sin(inside).output(0), go_on.output(0)], [inside], "body")
    loop = op.loop(op.constant(np.int64(1 << 60)), op.constant(np.array([True])))
    loop.set_function(body)
    loop.set_special_body_ports([-1, 1])
    loop.set_merged_input(inside, x.output(0), body.results[0].input_value(0))
    return _saved(
        ov.Model([loop.get_iter_value(body.results[0].input_value(0), -1)], [x], "endless"),
        folder / "endless.xml",
    )


def _saved(model, path):
    ov.save_model(model, path, compress_to_fp16=False)
    return path


def inferring(model, nbytes, contexts=1, **options):
    """Run a guest that sets an input of zeros, and computes, in so many contexts."""
    set_input = """(import "wasi_ephemeral_nn" "set_input"
      (func $set (param i32 i32 i32) (result i32)))"""
    shape = [1, nbytes // 4] if nbytes > 4 else [1]
    record = struct.pack("<IIBxxxII", 128, len(shape), 1, 1024, nbytes)
    body = f"""(local $n i32) {LOADING}
      (loop $l
        (drop (call $init (i32.const 0) (i32.const 16)))
        (drop (call $set (local.get $n) (i32.const 0) (i32.const 64)))
        (drop (call $compute (local.get $n)))
        (local.set $n (i32.add (local.get $n) (i32.const 1)))
        (br_if $l (i32.lt_u (local.get $n) (i32.const {contexts}))))"""
    rest = f"""(data (i32.const 0) "m") (data (i32.const 64) "{escaped(record)}")
      (data (i32.const 128) "{escaped(struct.pack(f"<{len(shape)}I", *shape))}")"""
    module = command(body, f"{LOAD} {INIT} {set_input} {COMPUTE}", rest)
    return run_guest(module, models={"m": model}, stream=False, **options)


@pytest.mark.slow
def test_a_model_of_huge_tensors_keeps_to_the_memory_limit(tmp_path):
    model = huge_constants(tmp_path)
    limit = "memory_limit"
    try:
        run = inferring(model, 4, memory_limit=64 * MIB, time_limit=60)
    except GuestCrash as error:
        limit = error.limit
    else:  # the limit on data was met first: the allocation failed, and the guest was told
        assert run.trace[-1].name == "compute"
        assert run.trace[-1].errno is wn.Errno.RUNTIME_ERROR
        assert "Unable to allocate 512. MiB" in run.trace[-1].note
    assert limit == "memory_limit"
    still_works()


@pytest.mark.slow
def test_many_contexts_with_large_outputs_end_their_process(tmp_path):
    x = op.parameter([1], np.float32)
    big = op.broadcast(op.add(x, np.float32(1)), np.array([10 * MIB]))
    model = _saved(ov.Model([op.add(big, big)], [x], "large"), tmp_path / "large.xml")
    with pytest.raises(GuestCrash) as caught:
        inferring(model, 4, contexts=40, memory_limit=256 * MIB, time_limit=120)
    assert caught.value.limit == "memory_limit"
    assert len(caught.value.run.trace) > 3


def test_an_endless_operator_ends_in_time(tmp_path):
    model = endless_loop(tmp_path)
    start = time.perf_counter()
    with pytest.raises(GuestTimeout) as caught:
        inferring(model, 256, time_limit=3)
    assert time.perf_counter() - start < 3 + 5 * PROMISE + 5  # a process is started, too
    assert caught.value.run.trace[-1].name in {"load_by_name", "compute"}
    still_works()


def test_an_engine_that_never_returns_ends_in_time():
    start = time.perf_counter()
    with pytest.raises(GuestTimeout):
        probe("burn", time_limit=1)
    assert time.perf_counter() - start < 1 + 5 * PROMISE + 5
    still_works()


def leb(value):
    raw = bytearray()
    while value > 0x7F:
        raw.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*raw, value])


def huge_function(branches):
    """Assemble a module whose one function, of many branches, takes a compiler long."""
    # local.get 0, if, local.get 1, local.get 0, i32.add, local.set 1, end
    code = (
        b"\x01\x02\x7f" + b"\x20\x00\x04\x40\x20\x01\x20\x00\x6a\x21\x01\x0b" * branches + b"\x0b"
    )
    body = b"\x01" + leb(len(code)) + code
    return (
        b"\0asm\1\0\0\0"
        b"\x01\x04\x01\x60\x00\x00\x03\x02\x01\x00\x07\x0a\x01\x06_start\x00\x00\x0a"
        + leb(len(body))
        + body
    )


def test_the_time_limit_holds_for_the_compiler():
    module = huge_function(200_000)
    start = time.perf_counter()
    with pytest.raises(GuestTimeout) as caught:
        run_guest(module, time_limit=0.5)
    assert time.perf_counter() - start < 0.5 + 5 * PROMISE + 5
    assert caught.value.run.ended == "stopped after 0.5 s"
    still_works()
