"""What a guest's process holds back: crashes, memory, time, files, and the rest of the machine."""

from __future__ import annotations

import json
import os
import signal
import struct
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import openvino as ov
import pytest
from hosting import GUESTS, command, doubling, escaped, roadlike, wasm
from openvino import opset13 as op
from probing_engine import ProbingEngine

import wasinn_nb as wn
from wasinn_nb.abi import Errno
from wasinn_nb.errors import GuestCrash, GuestTimeout, InvalidArgumentError
from wasinn_nb.host import run_guest

pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(sys.platform != "linux", reason="what holds elsewhere is less"),
]

MISBEHAVE = GUESTS / "misbehave.wasm"
PROMISE = 1.0
MIB = 1 << 20
LOADING = """(drop (call $load (i32.const 0) (i32.const 1) (i32.const 16)))"""
LOAD = '(import "wasi_ephemeral_nn" "load_by_name" (func $load (param i32 i32 i32) (result i32)))'
INIT = """(import "wasi_ephemeral_nn" "init_execution_context"
  (func $init (param i32 i32) (result i32)))"""
COMPUTE = '(import "wasi_ephemeral_nn" "compute" (func $compute (param i32) (result i32)))'
MODEL = {"m": [b"model"]}


def loading(body=LOADING, imports=""):
    return command(body, f"{LOAD} {imports}", '(data (i32.const 0) "m")')


def probe(act, *arguments, **options):
    """Run a guest whose engine does something, and return the run."""
    engine = ProbingEngine(act, *arguments)
    return run_guest(loading(), models=MODEL, runtime=engine, stream=False, **options)


def helpers():
    """Return the numbers of the helper processes that this process has."""
    found = []
    for entry in Path("/proc/self/task").iterdir():
        try:
            found += (entry / "children").read_text().split()
        except OSError:
            continue
    mine = []
    for number in found:
        try:
            if b"wasinn_nb.host.child" in Path(f"/proc/{number}/cmdline").read_bytes():
                mine.append(int(number))
        except OSError:
            continue
    return mine


def still_works():
    """Check that this process goes on, with at most the one helper that is started in advance."""
    assert run_guest(MISBEHAVE, ["exit3"]).exit_code == 3
    give_up = time.monotonic() + 5 * PROMISE
    while len(helpers()) > 1:
        assert time.monotonic() < give_up, helpers()
        time.sleep(0.02)


# -- crashes -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["SIGSEGV", "SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGKILL"])
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


@pytest.mark.parametrize(
    "content",
    [
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
    ],
)
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
from test_isolation import MODEL, loading

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


# -- files -----------------------------------------------------------------------------------------

OPEN = """(import "wasi_snapshot_preview1" "path_open" (func $open
  (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))"""
OPENED = """(call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 1)
  (i32.const 1) (i64.const 4194370) (i64.const 0) (i32.const 0) (i32.const 16))"""
NAME = '(data (i32.const 0) "f")'


def test_descriptors_are_limited_and_those_of_this_process_are_its_own(tmp_path):
    before = len([*Path("/proc/self/fd").iterdir()])
    module = command(
        f"""(local $n i32) (block $full (loop $l (br_if $full {OPENED})
            (local.set $n (i32.add (local.get $n) (i32.const 1))) (br $l)))
            (call $exit (local.get $n))""",
        OPEN,
        NAME,
    )
    run = run_guest(module, dirs={".": tmp_path}, writable=True, time_limit=60)
    assert 100 < run.exit_code < 512
    assert len([*Path("/proc/self/fd").iterdir()]) <= before + 8  # the helper in advance
    still_works()


def writing(body, imports=""):
    return command(
        f"(local $errno i32) (drop {OPENED}) {body} (call $exit (local.get $errno))",
        f"{OPEN} {imports}",
        f'{NAME} (data (i32.const 32) "{escaped(struct.pack("<II", 0, 65536))}")',
    )


def test_a_sparse_file_is_limited(tmp_path):
    module = writing(
        "(local.set $errno (call $size (i32.load (i32.const 16)) (i64.const 8796093022208)))",
        """(import "wasi_snapshot_preview1" "fd_filestat_set_size"
          (func $size (param i32 i64) (result i32)))""",
    )
    run = run_guest(module, dirs={".": tmp_path}, writable=True)
    assert run.exit_code == 22  # fbig
    assert (tmp_path / "f").stat().st_size == 0


def test_what_a_guest_writes_in_all_is_limited(tmp_path):
    """It writes over one place for ever."""
    module = writing(
        """(loop $l
          (drop (call $pwrite (i32.load (i32.const 16)) (i32.const 32) (i32.const 1)
            (i64.const 0) (i32.const 24)))
          (br $l))""",
        """(import "wasi_snapshot_preview1" "fd_pwrite"
          (func $pwrite (param i32 i32 i32 i64 i32) (result i32)))""",
    )
    with pytest.raises(GuestCrash, match="wrote more than 50000000 bytes to files") as caught:
        run_guest(
            module, dirs={".": tmp_path}, writable=True, time_limit=60, write_limit=50_000_000
        )
    assert caught.value.limit == "write_limit"
    assert caught.value.run.files == (tmp_path / "f",)


def test_one_file_is_no_longer_than_the_limit(tmp_path):
    module = writing(
        """(block $end (loop $l
          (br_if $end (local.tee $errno (call $fd_write (i32.load (i32.const 16)) (i32.const 32)
            (i32.const 1) (i32.const 24))))
          (br $l)))"""
    )
    run = run_guest(module, dirs={".": tmp_path}, writable=True, write_limit=MIB)
    assert run.exit_code == 22
    assert (tmp_path / "f").stat().st_size == MIB


def test_links_that_lead_out_are_reported(tmp_path, isolation):
    names = b"secretinside../../secretf"
    module = command(
        """(drop (call $link (i32.const 12) (i32.const 12) (i32.const 3) (i32.const 0)
             (i32.const 6)))
           (call $exit (call $link (i32.const 24) (i32.const 1) (i32.const 3) (i32.const 6)
             (i32.const 6)))""",
        """(import "wasi_snapshot_preview1" "path_symlink"
          (func $link (param i32 i32 i32 i32 i32) (result i32)))""",
        f'(data (i32.const 0) "{escaped(names)}")',
    )
    folder = tmp_path / "given"
    folder.mkdir()
    run = run_guest(module, dirs={".": folder}, writable=True, isolation=isolation)
    assert run.exit_code == 0
    assert (folder / "secret").is_symlink()
    assert run.notes[0] == (
        "links that it made lead out of its directories: 'secret' to '../../secret'; "
        "do not follow them"
    )


# -- the rest of the machine -----------------------------------------------------------------------


def test_what_an_engine_can_reach(tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    with secret.open("rb") as held:
        os.set_inheritable(held.fileno(), bool(held))
        run = probe("reach", str(secret), os.getpid())
    reached = json.loads(run.trace[0].note)
    assert "AWS_SECRET_ACCESS_KEY" not in reached["environment"]
    assert "ONEDNN_MAX_CPU_ISA" in reached["environment"]
    assert not any("secret" in target for target in reached["descriptors"].values())
    assert reached["session"]
    facts = run.isolation
    assert facts[0] == "process"
    assert facts[1] == "limits on core, descriptors, file size, data"
    status = dict(line.split(":\t", 1) for line in reached["status"].splitlines() if ":\t" in line)
    assert ("no_new_privs" in facts) == (status["NoNewPrivs"] == "1")
    assert ("seccomp" in facts) == (status["Seccomp"] == "2")
    if "seccomp" in facts:
        for name in ("socket", "socketpair", "program", "fork", "signal"):
            assert reached[name] == "PermissionError", name
    if "landlock" in facts:
        for name in ("read", "write", "environment of the parent"):
            assert reached[name] == "PermissionError", name
    assert secret.read_bytes() == b"secret"


def test_this_system_has_what_the_kernel_offers():
    """Of the kernel that the tests run on, nothing is left out without a reason."""
    version = int(os.uname().release.split(".")[0])
    facts = run_guest(MISBEHAVE, ["exit3"]).isolation
    if version >= 6 and os.uname().machine == "x86_64":
        assert {"no_new_privs", "seccomp"} <= set(facts)
    assert run_guest(MISBEHAVE, ["exit3"], isolation="thread").isolation == ("thread",)


def test_a_device_is_given_by_name_only(tmp_path):
    model = doubling(tmp_path, "m")
    gpu = """(import "wasi_ephemeral_nn" "load"
      (func $load (param i32 i32 i32 i32 i32) (result i32)))"""
    module = command(
        """(call $exit (call $load (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1)
          (i32.const 16)))""",
        gpu,
    )
    run = run_guest(module, models={"m": model})
    assert run.exit_code == Errno.INVALID_ARGUMENT
    assert run.trace[0].note == (
        "the guest was not given the device GPU; target='GPU' gives it, and runs every graph there"
    )


# -- helpers ---------------------------------------------------------------------------------------


def test_a_runtime_that_cannot_be_handed_over():
    engine = ProbingEngine(lambda: None)
    with pytest.raises(InvalidArgumentError, match="isolation='thread' runs it in this one"):
        run_guest(loading(), models=MODEL, runtime=engine)


def test_an_unknown_isolation():
    with pytest.raises(InvalidArgumentError, match="expected isolation='process' or"):
        run_guest(MISBEHAVE, isolation="jail")


def script(text, *arguments):
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(text), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_a_script_without_a_main_guard(tmp_path):
    path = tmp_path / "script.py"
    path.write_text(
        "import sys, wasinn_nb as wn\nprint(wn.run_guest(sys.argv[1], ['exit3']).exit_code)\n"
    )
    (tmp_path / "json.py").write_text("raise SystemExit('a guest wrote this')")
    root = str(Path(wn.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-P", path, MISBEHAVE],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
        env=os.environ | {"PYTHONPATH": root},
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "3\n", "")


@pytest.mark.slow
def test_a_main_thread_that_ends_under_a_running_guest():
    for _ in range(3):
        done = script(
            """
            import sys, threading, time
            from wasinn_nb.host import run_guest
            guest = threading.Thread(
                target=run_guest, args=(sys.argv[1], ["loop"]), daemon=True
            )
            guest.start()
            time.sleep(2)
            """,
            MISBEHAVE,
        )
        assert (done.returncode, done.stderr) == (0, "")


def _runs(number):
    try:
        return "State:\tZ" not in Path(f"/proc/{number}/status").read_text()
    except OSError:
        return False


LOOPING = """
import sys
from wasinn_nb.host import run_guest
run_guest(sys.argv[1], ["exit3"])
print("ready", flush=True)
run_guest(sys.argv[1], ["loop"])
"""


def test_helpers_die_with_their_process():
    child = subprocess.Popen(
        [
            sys.executable,
            "-c",
            LOOPING,
            MISBEHAVE,
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert child.stdout.readline() == "ready\n"
        time.sleep(3)
        mine = []
        for entry in Path(f"/proc/{child.pid}/task").iterdir():
            mine += map(int, (entry / "children").read_text().split())
        assert mine
    finally:
        child.kill()
        child.communicate()
    give_up = time.monotonic() + 5 * PROMISE
    while any(map(_runs, mine)):
        assert time.monotonic() < give_up
        time.sleep(0.02)


def test_a_helper_ends_when_it_idles():
    text = (
        "import sys\nfrom wasinn_nb.host import child\nchild.IDLE_SECONDS = 0.2\n"
        "sys.argv[1:] = [sys.argv[1], '-1', '']\nchild.main()"
    )
    helper = subprocess.Popen(
        [sys.executable, "-c", text, str(os.getpid())],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with helper:
        assert helper.wait(60) == 0


def test_a_spare_that_has_ended_is_replaced():
    assert run_guest(MISBEHAVE, ["exit3"]).exit_code == 3
    time.sleep(3)
    for number in helpers():
        os.kill(number, signal.SIGKILL)
    assert run_guest(MISBEHAVE, ["exit3"]).exit_code == 3
