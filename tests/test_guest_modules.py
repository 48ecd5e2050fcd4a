"""Modules that are refused, limited, or compiled once; exit codes and errors."""

import threading

import pytest
import wasmtime
from guest_models import MISBEHAVE, says
from hosting import (
    PAGE,
    command,
    forwarding,
    in_thread,
    mostly_in_thread,
    run_guest,
    wasm,
)

from wasinn_nb import WasiNnCtx
from wasinn_nb.errors import (
    GuestExitError,
    GuestLinkError,
    GuestModuleError,
    GuestTimeout,
    GuestTrap,
    MissingFileError,
)
from wasinn_nb.host import modules

pytestmark = pytest.mark.usefixtures("isolation")


# -- modules -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (b"", "begins with b''"),
        (b"\x7fELF\2\1\1\0", "machine code, .* that wasmedge compile or wasmtime compile"),
        (b"text", "not a WebAssembly module"),
        (b"(module)", "assemble WebAssembly text first"),
        (b"\0asm\x0d\0\1\0", "is a WebAssembly component; run_guest takes core modules"),
        (b"\0asm\2\0\0\0", "WebAssembly version 2"),
        (b"\0asm", "is the file whole .4 bytes"),
        (MISBEHAVE.read_bytes()[:-7], "is the file whole"),
        (MISBEHAVE.read_bytes()[:100], "is the file whole"),
        (
            wasm("(module)"),
            "exports no _start and has no start section, so it is not a command but a library",
        ),
        (
            forwarding(),
            r"library \(it exports compute, compute_single, .* and \d+ more\).*; invoke= runs one",
        ),
        (wasm('(module (func (export "_start") (param i32)))'), "without parameters"),
        (wasm('(module (memory (export "_start") 1))'), "_start is not a function"),
    ],
)
@mostly_in_thread
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
@mostly_in_thread
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
@mostly_in_thread
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


@pytest.mark.slow
def test_guests_in_several_threads_do_not_mix(guest_models):
    ends = {}

    def go(number):
        mode = ["exit3", "panic", "nn-early", "divide"][number % 4]
        for _ in range(10):
            try:
                run = run_guest(MISBEHAVE, [mode, "road"], models=guest_models, stream=False)
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
