"""`run_guest`: what it captures, what it contains, and how guests end."""

import io
import os
import signal
import struct
import subprocess
import sys
import textwrap
import threading
import time
import types
from pathlib import Path

import numpy as np
import pytest
import wasmtime
from deadlines import STOPPED, ends_within
from hosting import (
    GUESTS,
    PAGE,
    command,
    doubling,
    escaped,
    forwarding,
    in_thread,
    roadlike,
    run_guest,
    wasm,
)
from PIL import Image

from wasinn_nb import WasiNnCtx, image_to_bytes, read_tensor
from wasinn_nb.errors import (
    GuestError,
    GuestExitError,
    GuestLinkError,
    GuestModuleError,
    GuestTimeout,
    GuestTrap,
    InvalidArgumentError,
    MissingFileError,
    NotFoundError,
    WasiNnError,
)
from wasinn_nb.host import modules
from wasinn_nb.host.commands import Invocation
from wasinn_nb.host.run import GuestRun
from wasinn_nb.host.wasi import Directory
from wasinn_nb.wasi_nn.trace import Trace

pytestmark = pytest.mark.usefixtures("isolation")

MISBEHAVE = GUESTS / "misbehave.wasm"
DUMP = "wasinn-openvino-inference-output-1x4x512x896xf32.tensor"


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    return {
        "road": roadlike(folder, "road"),
        "slow": roadlike(folder, "slow", work=60),
        "bytes": doubling(folder, "bytes", (1, 8), np.uint8),
    }


@pytest.fixture
def misbehave(models, tmp_path):
    inside = tmp_path / "inside"
    inside.mkdir()

    def run(*args, **options):
        return run_guest(MISBEHAVE, args, {".": inside}, models=models, stream=False, **options)

    return run


def says(text, end="(call $exit (i32.const 0))", stream=1):
    """Assemble a guest that prints a text and then ends in some way."""
    raw = text.encode()
    where = struct.pack("<II", 16, len(raw))
    return command(
        f"(drop (call $fd_write (i32.const {stream}) (i32.const 0) (i32.const 1) (i32.const 8)))"
        + end,
        rest=f'(data (i32.const 16) "{escaped(raw)}") (data (i32.const 0) "{escaped(where)}")',
    )


# -- the misbehaving guest ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "code"),
    [
        ("stdin", 0), ("exit3", 3), ("exit200", 200), ("not-utf8", 0), ("environment", 0),
        ("write", 63), ("escape", 63), ("escape-root", 63), ("escape-link", 63),
        ("nn-junk-model", 5), ("nn-pointer", 1), ("nn-overflow", 1), ("nn-claim", 1),
        ("nn-name", 1), ("nn-graph", 1), ("nn-context", 1), ("nn-unknown", 8), ("nn-result", 1),
        ("nn-early", 5), ("nn-tensor", 1), ("nn-dimensions", 1), ("nn-type", 1),
        ("nn-small-buffer", 7), ("no-such-mode", 2),
    ],
)  # fmt: skip
def test_modes_that_end(misbehave, mode, code):
    run = misbehave(mode, "road")
    assert run.exit_code == code
    assert run.ended == f"exit code {code}"
    assert run.files == ()
    if mode.startswith("nn-"):
        assert run.trace[-1].errno == code
        assert run.trace[-1].note


@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        ("unreachable", "unreachable executed"),
        ("panic", "unreachable executed"),
        ("divide", "integer division by zero"),
        ("trap-load", "out of bounds memory access"),
        ("null-call", "call through an empty place"),
        ("recurse", "call stack exhausted"),
        ("grow", "unreachable executed"),
    ],
)
def test_modes_that_trap(misbehave, mode, reason):
    with pytest.raises(GuestTrap, match=rf"misbehave\.wasm trapped: {reason}") as caught:
        misbehave(mode, memory_limit=1 << 24)
    error = caught.value
    assert isinstance(error, GuestError | WasiNnError | RuntimeError)
    assert error.backtrace[0].startswith(mode.replace("-", "_"))
    assert "wasm backtrace:\n    0: " in str(error)
    assert error.run.ended == "trapped"
    assert error.run.exit_code is None
    if mode == "panic":
        assert "thread 'main' panicked at 'misbehaving', src/main.rs:1:1" in str(error)
    if mode == "grow":
        assert error.run.stderr == "memory exhausted\n"


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["loop", "grow-forever", "flood", "sleep", "infer-forever"])
def test_modes_without_end(misbehave, mode):
    with (
        ends_within(STOPPED, after=0.3),
        pytest.raises(GuestTimeout, match=r"did not end within 0\.3 s") as caught,
    ):
        misbehave(mode, "road", time_limit=0.3, keep="last", memory_limit=1 << 24)
    assert isinstance(caught.value, TimeoutError)
    run = caught.value.run
    assert run.ended == "stopped after 0.3 s"
    if mode == "infer-forever":
        assert [call.name for call in run.trace[:2]] == ["load_by_name", "init_execution_context"]
        assert len(run.inputs) == 1
    assert_no_guest_runs()


def assert_no_guest_runs():
    give_up = time.perf_counter() + 20
    while any(thread.name == "wasinn-nb guest" for thread in threading.enumerate()):
        assert time.perf_counter() < give_up, "a guest's thread goes on"
        time.sleep(0.02)


def test_writing_only_where_it_is_asked_for(misbehave, tmp_path):
    assert misbehave("write").exit_code == 63
    assert "writable=" in misbehave("write").notes[-1]
    run = misbehave("write", writable=".")
    assert run.exit_code == 0
    assert run.files == (tmp_path / "inside" / "misbehaved.txt",)
    assert "wrote misbehaved.txt" in repr(run)
    assert run.notes == ()
    for mode in ("escape", "escape-root", "escape-link"):
        run = misbehave(mode, writable=True)
        assert run.exit_code != 0
    assert [path.name for path in tmp_path.iterdir()] == ["inside"]
    assert not Path("/tmp/misbehaved.txt").exists()


def test_changed_files_are_listed_and_others_not(misbehave, tmp_path):
    folder = tmp_path / "inside"
    (folder / "other.txt").write_text("left alone")
    (folder / "deep").mkdir()
    assert misbehave("write", writable=True).files == (folder / "misbehaved.txt",)
    assert misbehave("exit3", writable=True).files == ()


# -- stopping ----------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_guest_is_killed_while_it_infers(models, misbehave):
    with ends_within(STOPPED, after=1.0), pytest.raises(GuestTimeout) as caught:
        misbehave("infer-forever", "slow", time_limit=1.0, keep=None)
    assert caught.value.run.inputs == []
    assert_no_guest_runs()


@in_thread
@pytest.mark.slow
def test_a_call_that_cannot_be_interrupted_is_left_behind(misbehave, monkeypatch):
    go_on = threading.Event()
    monkeypatch.setattr(WasiNnCtx, "compute", lambda self, context: go_on.wait(60))
    with ends_within(STOPPED, after=0.3), pytest.raises(GuestTimeout) as caught:
        misbehave("infer-forever", "road", time_limit=0.3)
    assert "cannot be interrupted" in caught.value.run.notes[-1]
    go_on.set()
    assert_no_guest_runs()


INTERRUPTED = """
import signal, sys
from wasinn_nb.host import run_guest
signal.signal(signal.SIGINT, signal.default_int_handler)  # shells ignore it in the background
guest, model, isolation = sys.argv[1:]
for mode in ("loop", "flood", "sleep", "grow-forever", "infer-forever"):
    print("running", mode, flush=True)
    try:
        run_guest(guest, [mode, "m"], models={"m": model}, stream=mode == "flood", keep="last",
                  isolation=isolation)
    except KeyboardInterrupt as error:
        print("\\nstopped", error.run.ended, flush=True)
print(run_guest(guest, ["exit3"], isolation=isolation).exit_code, flush=True)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals are others there")
def test_ctrl_c_stops_any_guest_within_a_second(models, isolation):
    child = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, MISBEHAVE, models["slow"], isolation],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    modes = []
    try:
        while (line := child.stdout.readline()).startswith("running"):
            modes.append(line.split()[1])
            time.sleep(3.0 if modes[-1] == "infer-forever" else 1.0)
            with ends_within(STOPPED):
                child.send_signal(signal.SIGINT)
                while not (line := child.stdout.readline()).startswith("stopped"):
                    assert line, child.stderr.read()
            assert line == "stopped interrupted\n"
        assert line == "3\n"  # the process goes on and runs guests
        assert child.wait(10) == 0
    finally:
        child.kill()
        child.communicate()
    assert len(modes) == 5


# -- output ------------------------------------------------------------------------------------


def test_output_is_shown_and_kept(capfd):
    run = run_guest(says("to out\n"))
    assert (run.stdout, run.stderr) == ("to out\n", "")
    run = run_guest(says("to err\n", stream=2))
    assert (run.stdout, run.stderr) == ("", "to err\n")
    assert capfd.readouterr() == ("to out\n", "to err\n")
    run_guest(says("quiet\n"), stream=False)
    assert capfd.readouterr() == ("", "")


def test_bytes_that_are_no_text(misbehave, capfdbinary, monkeypatch):
    run = run_guest(MISBEHAVE, ["not-utf8"])
    assert run.stdout == "ok \ufffd\0\n\ufffd"
    assert capfdbinary.readouterr().out == b"ok \xff\0\n\xe2\x82"  # a pipe gets them as they are
    cell = io.StringIO()
    monkeypatch.setattr(sys, "stdout", cell)
    run_guest(MISBEHAVE, ["not-utf8"])
    assert cell.getvalue() == "ok \ufffd\0\n\ufffd"


class Cell(io.StringIO):
    """Takes text as a notebook's cell does, and remembers when, and from which thread."""

    def __init__(self):
        super().__init__()
        self.writes = []

    def write(self, text):
        self.writes.append((time.perf_counter(), text, threading.current_thread()))
        return super().write(text)


def test_output_appears_while_the_guest_runs(monkeypatch):
    sleeping = command(
        """(call $say) (drop (call $poll (i32.const 64) (i32.const 128) (i32.const 1)
           (i32.const 0))) (call $say)""",
        imports="""(import "wasi_snapshot_preview1" "poll_oneoff"
                     (func $poll (param i32 i32 i32 i32) (result i32)))""",
        rest="""(data (i32.const 16) "h\\c3\\a4\\0a") (data (i32.const 32) "\\10\\00\\00\\00\\04")
                (data (i32.const 80) "\\01") (data (i32.const 88) "\\00\\84\\d7\\17")
                (func $say (drop (call $fd_write (i32.const 1) (i32.const 32) (i32.const 1)
                  (i32.const 8))))""",
    )
    cell = Cell()
    monkeypatch.setattr(sys, "stdout", cell)
    run = run_guest(sleeping)
    assert run.exit_code == 0
    assert cell.getvalue() == "hä\nhä\n"
    (first, _, thread), (second, _, _) = cell.writes
    assert second - first > 0.35, "the first text came with the second, not 0.4 s before it"
    assert thread is threading.current_thread()


def test_what_is_printed_without_end_is_bounded(misbehave, capfd):
    with pytest.raises(GuestTimeout) as caught:
        run_guest(MISBEHAVE, ["flood"], time_limit=0.3, output_limit=100)
    run = caught.value.run
    assert len(run.stdout) == 100
    cut = "stdout goes on after 100 bytes; output_limit= shows and keeps more"
    assert run.notes == (cut,)
    printed = capfd.readouterr()
    assert len(printed.out) == 100
    assert printed.err == f"\n[{cut}]\n"


def test_no_limit_shows_everything_and_keeps_the_first(monkeypatch, capfd):
    monkeypatch.setattr("wasinn_nb.host.output.KEPT", 3)
    run = run_guest(says("abcdef"), output_limit=None)
    assert run.stdout == "abc"
    assert run.notes == ("stdout goes on after 3 bytes; output_limit= shows and keeps more",)
    assert capfd.readouterr().out == "abcdef"


def test_an_output_that_fits_exactly(capfd):
    run = run_guest(says("abc"), output_limit=3)
    assert (run.stdout, run.notes) == ("abc", ())
    assert capfd.readouterr() == ("abc", "")


def test_a_screen_that_fails_stops_the_guest(monkeypatch):
    class Closed(io.StringIO):
        def write(self, text):
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stdout", Closed())
    with pytest.raises(BrokenPipeError):
        run_guest(MISBEHAVE, ["flood"])
    monkeypatch.undo()
    assert_no_guest_runs()


# -- input -------------------------------------------------------------------------------------

ECHO = """(func $echo (param $stream i32)
  (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
  (i32.store (i32.const 4) (i32.load (i32.const 8)))
  (drop (call $fd_write (local.get $stream) (i32.const 0) (i32.const 1) (i32.const 8))))
  (data (i32.const 0) "\\10\\00\\00\\00\\00\\10")"""
READ = """(import "wasi_snapshot_preview1" "fd_read"
  (func $fd_read (param i32 i32 i32 i32) (result i32)))"""


@pytest.mark.parametrize("stdin", [b"given", "given"])
def test_standard_input(stdin):
    echo = command("(call $echo (i32.const 1))", READ, ECHO)
    assert run_guest(echo, stdin=stdin, stream=False).stdout == "given"
    assert run_guest(echo, stream=False).stdout == ""


GET = """(import "wasi_snapshot_preview1" "{0}_sizes_get"
    (func $sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "{0}_get" (func $get (param i32 i32) (result i32)))"""
LIST = """(drop (call $sizes (i32.const 0) (i32.const 4)))
  (drop (call $get (i32.const 1024) (i32.const 2048)))
  (i32.store (i32.const 0) (i32.const 2048))
  (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))"""


def test_arguments_and_environment(monkeypatch):
    monkeypatch.setenv("SECRET", "of the host's")
    run = run_guest(command(LIST, GET.format("args")), ["a b", 7, Path("x.png")], stream=False)
    assert run.stdout == "guest.wasm\0a b\0007\0x.png\0"
    environ = command(LIST, GET.format("environ"))
    assert run_guest(environ, stream=False).stdout == ""
    run = run_guest(environ, env={"LEVEL": 3, "NAME": "ä=b"}, stream=False)
    assert run.stdout == "LEVEL=3\0NAME=ä=b\0"


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"args": "a b"}, InvalidArgumentError, "expected a list of arguments"),
        ({"args": ["a\0b"]}, InvalidArgumentError, "UTF-8 text without NUL"),
        ({"args": ["\udc80"]}, InvalidArgumentError, "UTF-8 text without NUL"),
        ({"env": {"A=B": ""}}, InvalidArgumentError, "not the name of an environment variable"),
        ({"env": {"A": "\0"}}, InvalidArgumentError, "without NUL"),
        ({"dirs": "."}, InvalidArgumentError, "expected dirs as {guest path: path here}"),
        ({"dirs": {".": "/no/such"}}, MissingFileError, "no directory /no/such"),
        ({"dirs": {".": __file__}}, MissingFileError, "to give to the guest as '.'"),
        ({"dirs": {".": "."}, "writable": "out"}, InvalidArgumentError, "writable names 'out'"),
        ({"writable": ["."]}, InvalidArgumentError, "directories are none"),
        ({"memory_limit": 0}, InvalidArgumentError, "memory_limit in bytes"),
        ({"time_limit": 0}, InvalidArgumentError, "time_limit in seconds"),
        ({"time_limit": float("nan")}, InvalidArgumentError, "time_limit in seconds"),
        ({"output_limit": -1}, InvalidArgumentError, "output_limit in bytes"),
        ({"target": 9}, InvalidArgumentError, "unknown execution target 9"),
    ],
)
def test_arguments_that_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        run_guest(MISBEHAVE, **{"args": ["exit3"], **options})


# -- modules -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (b"", "begins with b''"),
        (b"\x7fELF\2\1\1\0", "not a WebAssembly module"),
        (b"(module)", "assemble WebAssembly text first"),
        (b"\0asm\x0d\0\1\0", "is a WebAssembly component; run_guest takes core modules"),
        (b"\0asm\2\0\0\0", "WebAssembly version 2"),
        (b"\0asm", "is the file whole .4 bytes"),
        (MISBEHAVE.read_bytes()[:-7], "is the file whole"),
        (MISBEHAVE.read_bytes()[:100], "is the file whole"),
        (
            wasm("(module)"),
            "exports no _start, so it is not a command but a library .it",
        ),
        (forwarding(), r"library \(it exports compute, compute_single, .* and \d+ more\)"),
        (wasm('(module (func (export "_start") (param i32)))'), "without parameters"),
        (wasm('(module (memory (export "_start") 1))'), "_start is not a function"),
    ],
)
def test_modules_that_are_refused(module, message, tmp_path):
    with pytest.raises(GuestModuleError, match=message) as caught:
        run_guest(module)
    assert isinstance(caught.value, ValueError)
    path = tmp_path / "guest.wasm"
    path.write_bytes(module)
    with pytest.raises(GuestModuleError):
        run_guest(path)


def test_a_component_as_its_tools_make_it():
    with pytest.raises(GuestModuleError, match="build it for wasm32-wasip1"):
        run_guest(bytes(wasmtime.wat2wasm("(component)")))


def test_a_module_that_is_not_there():
    with pytest.raises(MissingFileError, match="no WebAssembly module at"):
        run_guest("no-such.wasm")


@pytest.mark.parametrize(
    ("imports", "message"),
    [
        ('"env" "puts" (func (param i32))', "env.puts, which are not provided here; .*not linked"),
        ('"wasi_ephemeral_nn" "train" (func)', "wasi_ephemeral_nn.train.*: load, load_by_name"),
        ('"wasi_unstable" "fd_write" (func)', "the WASI of 2019"),
        ('"env" "memory" (memory 1)', "env.memory"),
        ('"wasi_ephemeral_nn" "compute" (func (param i64))', "incompatible import type"),
        ('"wasi_snapshot_preview1" "proc_exit" (func)', "incompatible import type"),
    ],
)
def test_imports_that_are_not_provided(imports, message):
    module = wasm(f'(module (import {imports}) (func (export "_start")))')
    with pytest.raises(GuestLinkError, match=message) as caught:
        run_guest(module)
    assert isinstance(caught.value, LookupError)
    assert caught.value.run.ended == "not started"


def test_many_unknown_imports_are_listed_in_short():
    lines = "".join(f'(import "x" "f{i}" (func))' for i in range(9))
    with pytest.raises(GuestLinkError, match=r"x.f0, x.f1, x.f2, x.f3, x.f4 and 4 more"):
        run_guest(wasm(f'(module {lines} (func (export "_start")))'))


def test_no_memory():
    module = wasm("""(module
      (import "wasi_ephemeral_nn" "load_by_name" (func $load (param i32 i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
      (func (export "_start") (call $exit
        (call $load (i32.const 0) (i32.const 0) (i32.const 0)))))""")
    run = run_guest(module)
    assert run.exit_code == 3  # missing_memory
    assert run.trace[0].note == "the guest exports no memory of the name 'memory'"


def test_memory_is_limited():
    module = command("(call $exit (memory.grow (i32.const 15)))")
    assert run_guest(module, memory_limit=16 * PAGE).exit_code == 1  # the pages before
    assert run_guest(module, memory_limit=16 * PAGE - 1).exit_code == 2**32 - 1
    both = wasm("""(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
      (memory $a (export "memory") 1) (memory $b 1 100)
      (func (export "_start") (call $exit (i32.add
        (memory.grow $a (i32.const 3)) (memory.grow $b (i32.const 3))))))""")
    assert run_guest(both, memory_limit=8 * PAGE).exit_code == 2
    assert run_guest(both, memory_limit=7 * PAGE).exit_code == 2**32 - 2
    with pytest.raises(GuestModuleError, match="begins with 131072 bytes of memory, and may have"):
        run_guest(both, memory_limit=2 * PAGE - 1)


def test_memory_of_garbage_collected_objects_is_limited():
    module = wasm("""(module (type $a (array (mut i8))) (func (export "_start")
      (local $x (ref null $a))
      (loop $l (local.set $x (array.new_default $a (i32.const 100000000))) (br $l))))""")
    with pytest.raises(GuestTrap):
        run_guest(module, memory_limit=1 << 26, time_limit=20)


def test_tables_are_limited():
    module = wasm("""(module
      (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
      (table $t 1 funcref)
      (func (export "_start") (call $exit
        (table.grow $t (ref.null func) (i32.const 2000000)))))""")
    assert run_guest(module).exit_code == 2**32 - 1


def test_a_start_function_that_traps_or_exits():
    trap = wasm('(module (func $f unreachable) (start $f) (func (export "_start")))')
    with pytest.raises(GuestTrap, match="unreachable"):
        run_guest(trap)
    leave = wasm("""(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
      (func $f (call $exit (i32.const 9))) (start $f) (func (export "_start")))""")
    assert run_guest(leave).exit_code == 9


@in_thread
def test_a_module_is_compiled_once(monkeypatch):
    module = command("(call $exit (i32.const 41))")
    assert run_guest(module).exit_code == 41

    def refuse(*args):
        raise AssertionError("compiled again")

    monkeypatch.setattr(wasmtime.Module, "__init__", refuse)
    assert run_guest(module).exit_code == 41


@in_thread
def test_the_cache_of_compiled_modules_is_bounded(monkeypatch):
    monkeypatch.setattr(modules, "_CACHED", 2)
    for code in range(4):
        assert run_guest(command(f"(call $exit (i32.const {code}))")).exit_code == code
    assert len(modules._cache) == 2


# -- exit codes and errors ---------------------------------------------------------------------


def test_check_makes_an_error_of_an_exit_code():
    assert run_guest(MISBEHAVE, ["stdin"], check=True).exit_code == 0
    with pytest.raises(GuestExitError, match=r"misbehave.wasm ended with exit code 3$") as caught:
        run_guest(MISBEHAVE, ["exit3"], check=True)
    assert caught.value.exit_code == caught.value.run.exit_code == 3
    failing = says("first\nbad luck\n", "(call $exit (i32.const 1))", stream=2)
    with pytest.raises(GuestExitError, match="exit code 1: bad luck"):
        run_guest(failing, check=True, stream=False)


@pytest.mark.parametrize("code", [0, 1, 125, 126, 255, 256, 2**31, 2**32 - 1])
def test_every_exit_code_is_handed_on(code):
    assert run_guest(command(f"(call $exit (i32.const {code}))")).exit_code == code


@in_thread
def test_a_bug_of_ours_comes_out_as_itself(misbehave, monkeypatch):
    def broken(self, context):
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(WasiNnCtx, "compute", broken)
    with pytest.raises(ZeroDivisionError, match="a bug") as caught:
        misbehave("nn-early", "road")
    run = caught.value.run
    assert run.ended == "failed"
    assert run.trace[-1].note == "ZeroDivisionError('a bug')"
    monkeypatch.undo()
    assert misbehave("nn-early", "road").exit_code == 5


@in_thread
def test_a_guest_that_fails_gives_its_memory_back_though_its_error_is_kept(monkeypatch):
    freed = []
    monkeypatch.setattr(wasmtime.Store, "_delete", lambda self, ptr: freed.append(ptr))
    with pytest.raises(GuestTrap) as trap:
        run_guest(MISBEHAVE, ["unreachable"])
    with pytest.raises(GuestTimeout) as late:
        run_guest(MISBEHAVE, ["loop"], time_limit=0.1)
    assert len(freed) == 2
    assert trap.value.__traceback__
    assert late.value.__traceback__


@pytest.mark.full
def test_guests_in_several_threads_do_not_mix(models):
    ends = {}

    def go(number):
        mode = ["exit3", "panic", "nn-early", "divide"][number % 4]
        for _ in range(10):
            try:
                run = run_guest(MISBEHAVE, [mode, "road"], models=models, stream=False)
                ends.setdefault(mode, set()).add((run.exit_code, len(run.trace)))
            except GuestTrap as error:
                ends.setdefault(mode, set()).add((error.run.stderr[:6], error.reason[:11]))

    threads = [threading.Thread(target=go, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    traps = {"divide": {("", "integer div")}, "panic": {("thread", "unreachable")}}
    assert ends == {"exit3": {(3, 0)}, "nn-early": {(5, 3)}, **traps}


# -- polling -----------------------------------------------------------------------------------

POLL = """(import "wasi_snapshot_preview1" "poll_oneoff"
  (func $poll (param i32 i32 i32 i32) (result i32)))"""


def poll(*subscriptions, count=None, at=64, events=1024, result=0):
    raw = b"".join(
        struct.pack("<QB7xI4xQQH6x", user, kind, clock, timeout, 0, flags)
        for user, kind, clock, timeout, flags in subscriptions
    )
    count = len(subscriptions) if count is None else count
    body = f"""(local $e i32) (local.set $e (call $poll (i32.const {at}) (i32.const {events})
      (i32.const {count}) (i32.const {result})))
      (i32.store (i32.const 16) (i32.const 0)) (i32.store (i32.const 20) (i32.const 2048))
      (drop (call $fd_write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 24)))
      (call $exit (local.get $e))"""
    run = run_guest(command(body, POLL, f'(data (i32.const 64) "{escaped(raw)}")'), stream=False)
    memory = run.stdout.encode("utf-8", "replace")
    return run.exit_code, struct.unpack("<I", memory[:4])[0], memory


@pytest.mark.parametrize(
    ("subscriptions", "errno", "events"),
    [
        ([(1, 0, 1, 1000, 0)], 0, 1),  # a microsecond
        ([(1, 0, 0, 1000, 1)], 0, 1),  # the real time of 1970 has come
        ([(1, 0, 1, 10**12, 0), (2, 1, 0, 0, 0)], 0, 1),  # a file is ready before
        ([(1, 1, 0, 0, 0), (2, 2, 1, 0, 0)], 0, 2),
        ([(1, 0, 7, 0, 0)], 0, 1),  # no such clock: the event says so
        ([(1, 9, 0, 0, 0)], 28, 0),
        ([], 28, 0),
    ],
)
def test_poll(subscriptions, errno, events):
    assert poll(*subscriptions)[:2] == (errno, events)


@pytest.mark.parametrize("options", [{"at": -8}, {"events": PAGE - 31}, {"result": PAGE - 3}])
def test_poll_outside_of_memory(options):
    assert poll((1, 0, 1, 0, 0), **options)[0] == 21


def test_poll_of_very_many():
    assert poll(count=5000, at=0, events=0)[0] == 21
    assert poll(count=0x05555556, at=0)[0] == 21


# -- whole guests ------------------------------------------------------------------------------


def image_file(path, size=(63, 41)):
    rng = np.random.default_rng(1)
    Image.fromarray(rng.integers(0, 256, (*size[::-1], 3), dtype=np.uint8)).save(path)
    return path


@pytest.mark.full
def test_road_guest_on_a_small_model(models, tmp_path, capfd):
    image_file(tmp_path / "road.png")
    model = models["road"]
    run = run_guest(
        GUESTS / "roadseg.wasm",
        ["/model/road.xml", "/model/road.bin", "road.png", "out"],
        {".": tmp_path, "/model": model.parent, "out": _made(tmp_path / "out")},
        writable=["out"],
    )
    assert run.exit_code == 0, run.stderr
    (given,), (output,) = run.inputs, run.outputs
    assert given.signature == "1x3x512x896xf32"
    raw = image_to_bytes(
        tmp_path / "road.png", 512, 896, "float32", layout="CHW", color="BGR", resize="triangle"
    )
    assert bytes(given.data) == bytes(raw)
    assert run.files == (tmp_path / "out" / DUMP,)
    assert read_tensor(run.files[0]) == output
    with WasiNnCtx() as ctx:
        graph = ctx.load(model)
        context = ctx.init_execution_context(graph)
        ctx.set_input(context, 0, given)
        ctx.compute(context)
        assert ctx.get_output(context, 0) == output
    counts = np.bincount(output.to_array()[0].argmax(0).ravel(), minlength=4)
    assert [int(line.split()[1]) for line in run.stdout.splitlines()[-4:]] == counts.tolist()
    assert capfd.readouterr().out == run.stdout
    assert list(run.seconds) == [
        *("compile", "guest code", "load", "init_execution_context"),
        *("set_input", "compute", "get_output", "total"),
    ]
    assert all(value > 0 for value in run.seconds.values())
    assert sum(list(run.seconds.values())[:-1]) <= run.seconds["total"] * 1.05


def _made(folder):
    folder.mkdir()
    return folder


@pytest.mark.full
def test_road_guest_says_how_to_let_it_write(models, tmp_path):
    image_file(tmp_path / "road.png")
    dirs = {".": tmp_path, "m": models["road"].parent}
    args = ["m/road.xml", "m/road.bin", "road.png"]
    run = run_guest(GUESTS / "roadseg.wasm", args, dirs, stream=False)
    assert run.exit_code == 1
    assert "cannot write ./wasinn" in run.stderr
    assert run.notes == ("read-only for the guest: '.', 'm'; writable= lets it write there",)
    assert len(run.outputs) == 1
    assert run_guest(GUESTS / "roadseg.wasm", args, dirs, writable=".", stream=False).exit_code == 0


def test_legacy_guest(models, tmp_path):
    (tmp_path / "in.bin").write_bytes(bytes(range(8)))
    run = run_guest(
        GUESTS / "classify-legacy.wasm",
        ["bytes", "1x8", "in.bin", "out.bin"],
        {".": tmp_path},
        writable=True,
        models=models,
        stream=False,
    )
    assert run.exit_code == 0, run.stderr
    assert (tmp_path / "out.bin").read_bytes() == bytes(range(0, 16, 2))
    assert run.dialect.value == "legacy"
    assert run.trace[2].note == "type 2 is u8: the guest uses the legacy dialect"
    xml = models["bytes"]
    assert f"--nn-preload bytes:OpenVINO:CPU:{xml}:{xml.with_suffix('.bin')}" in (
        run.wasmedge_command()
    )
    assert run.wasmtime_command().startswith(f"mkdir -p bytes && cp {xml} bytes/model.xml && cp ")
    assert "nn-graph=openvino::bytes --dir" in run.wasmtime_command()


@in_thread
def test_names_of_the_catalog(monkeypatch, models):
    def model(name, *, download):
        assert not download
        if name != "nobody-registered-me":
            raise NotFoundError(name)
        return types.SimpleNamespace(files=models["road"])

    monkeypatch.setattr("wasinn_nb.catalog.model", model)
    run = run_guest(MISBEHAVE, ["nn-early", "nobody-registered-me"])
    assert run.exit_code == 5
    assert "nobody-registered-me:OpenVINO:CPU:" in run.wasmedge_command()


@pytest.mark.parametrize(("keep", "kept"), [("all", 1), ("last", 1), (None, 0)])
def test_keep(misbehave, keep, kept):
    run = misbehave("nn-small-buffer", "road", keep=keep)
    assert len(run.inputs) == kept
    assert run.outputs == []  # a refused get_output hands nothing over


@pytest.mark.slow
def test_tensors_beyond_the_memory_limit_are_let_go(models):
    body = """(loop $l
      (drop (call $set (i32.const 0) (i32.const 0) (i32.const 64)))
      (global.set $n (i32.add (global.get $n) (i32.const 1)))
      (br_if $l (i32.lt_u (global.get $n) (i32.const 12000))))"""
    imports = """
      (import "wasi_ephemeral_nn" "load_by_name" (func $load (param i32 i32 i32) (result i32)))
      (import "wasi_ephemeral_nn" "init_execution_context"
        (func $init (param i32 i32) (result i32)))
      (import "wasi_ephemeral_nn" "set_input" (func $set (param i32 i32 i32) (result i32)))"""
    record = struct.pack("<IIBxxxII", 128, 2, 3, 256, 8) + bytes(44) + struct.pack("<II", 1, 8)
    module = command(
        """(drop (call $load (i32.const 0) (i32.const 5) (i32.const 16)))
           (drop (call $init (i32.const 0) (i32.const 16)))"""
        + body,
        imports,
        f'(global $n (mut i32) (i32.const 0)) (data (i32.const 0) "bytes") '
        f'(data (i32.const 64) "{escaped(record)}")',
    )
    run = run_guest(module, models=models, memory_limit=PAGE)
    assert run.exit_code == 0
    assert len(run.trace) + run.trace.dropped == 12002
    assert len(run.trace) <= 10_000
    assert sum(tensor.nbytes for tensor in run.inputs) <= PAGE
    assert run.trace.tensors_dropped > 1_000
    assert len(repr(run).splitlines()) < 100
    assert "in the middle" in run.notes[0]
    assert "tensors, the oldest" in run.notes[1]


# -- showing -----------------------------------------------------------------------------------


def test_repr(misbehave):
    assert repr(misbehave("nn-graph")) == textwrap.dedent("""\
        GuestRun(misbehave.wasm: exit code 1, 1 WASI-NN call)
        #  call                    arguments         expected  got  errno
        0  init_execution_context  graph 4294967295                 invalid_argument
        #0 init_execution_context: no graph 4294967295; there is no graph yet
        note: read-only for the guest: '.'; writable= lets it write there""")
    assert repr(run_guest(MISBEHAVE, ["stdin"])) == (
        "GuestRun(misbehave.wasm: exit code 0, 0 WASI-NN calls)"
    )


def test_html(misbehave):
    run = run_guest(says("<b>bold</b>"), stream=False)
    html = run._repr_html_()
    assert "&lt;b&gt;bold&lt;/b&gt;" in html
    assert "<details><summary>stdout</summary>" in html
    assert "guest code" in html
    html = misbehave("nn-small-buffer", "road")._repr_html_()
    for name in ("load_by_name", "set_input", "compute", "get_output", "too_large", "1x3x512x896"):
        assert name in html


def test_commands_are_quoted():
    dirs = (
        Directory("/data", "my files", writable=False),
        Directory("out", "/srv/out", writable=True),
    )
    invocation = Invocation("my guest.wasm", ("$HOME", "a'b", "--x"), dirs, {"K": "v w"})
    named = {
        "a": "/srv/a/model.xml",
        "b": ["/m/b.xml", b"weights"],
        "c": "/m/c.onnx",
        "d": [b"x", b"y"],
    }
    run = GuestRun(invocation, Trace(), models=named)
    tail = """'my guest.wasm' '$HOME' 'a'"'"'b' --x"""
    assert run.wasmedge_command() == (
        "wasmedge --dir '/data:my files:readonly' --dir out:/srv/out --env 'K=v w' "
        "--nn-preload a:OpenVINO:CPU:/srv/a/model.xml:/srv/a/model.bin "
        "--nn-preload b:OpenVINO:CPU:/m/b.xml:b.bin --nn-preload c:ONNX:CPU:/m/c.onnx "
        f"--nn-preload d:OpenVINO:CPU:d.xml:d.bin {tail}"
    )
    assert run.wasmtime_command() == (
        "mkdir -p b && cp /m/b.xml b/model.xml && cp b.bin b/model.bin && "
        "mkdir -p c && cp /m/c.onnx c/model.onnx && "
        "mkdir -p d && cp d.xml d/model.xml && cp d.bin d/model.bin && "
        "wasmtime run -S nn,nn-graph=openvino::/srv/a,nn-graph=openvino::b,nn-graph=onnx::c,"
        "nn-graph=openvino::d "
        f"--dir 'my files::/data' --dir /srv/out::out --env 'K=v w' {tail}"
    )


@pytest.mark.full
def test_importing_the_package_does_not_import_wasmtime():
    script = "import sys, wasinn_nb; assert 'wasmtime' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True, env={**os.environ})


# -- the real model and image -------------------------------------------------------------


@pytest.mark.parametrize("name", ["rgb.png", "gray.png", "palette.png", "rgba.png", "tiny.png",
                                  "roadcrop.png", "empty_road_mapillary.jpg"])  # fmt: skip
def test_the_road_guest_gives_the_reference(shared, tmp_path, name):
    real = "road-segmentation-adas-0001"
    run = run_guest(
        GUESTS / "roadseg.wasm",
        [f"models/{real}.xml", f"models/{real}.bin", f"images/{name}", "out"],
        {"models": shared / "models", "images": shared / "images", "out": tmp_path},
        writable="out",
        stream=False,
    )
    assert run.exit_code == 0, run.stderr
    (given,), (output,) = run.inputs, run.outputs
    if name.endswith(".png"):
        raw = image_to_bytes(
            shared / "images" / name, 512, 896, "float32", layout="CHW", resize="triangle"
        )
        assert bytes(given.data) == bytes(raw)
    with WasiNnCtx(precision="f32") as ctx:
        context = ctx.init_execution_context(ctx.load(shared / "models" / f"{real}.xml"))
        ctx.set_input(context, 0, given)
        ctx.compute(context)
        native = ctx.get_output(context, 0).to_array()[0].argmax(0)
    labels = output.to_array()[0].argmax(0)
    assert np.count_nonzero(labels != native) == 0
    counts = np.bincount(labels.ravel(), minlength=4)
    assert read_tensor(tmp_path / DUMP) == output
    if name.endswith(".jpg"):
        # What the two JPEG decoders differ by: at most 2 of 255.
        assert np.abs(counts - [356456, 88026, 9992, 4278]).max() <= 20
    assert [int(line.split()[1]) for line in run.stdout.splitlines()[-4:]] == counts.tolist()
