"""Guests of other kinds: without _start, of AssemblyScript, for other hosts, of other encodings."""

from __future__ import annotations

from pathlib import Path

import pytest
from hosting import command, mostly_in_thread, run_guest, wasm
from sequences import Script, doubling

from wasinn_nb.abi import FOREIGN_ENCODINGS, Errno
from wasinn_nb.errors import (
    GuestLinkError,
    GuestModuleError,
    GuestTrap,
    MissingFileError,
)
from wasinn_nb.host.modules import read_module

pytestmark = [pytest.mark.usefixtures("isolation"), mostly_in_thread]

ASSEMBLYSCRIPT = Path(__file__).parent / "fixtures" / "assemblyscript" / "guest.wasm"
EXIT = '(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))'


class TestEntries:
    def test_a_start_section_is_enough(self):
        guest = wasm(f"(module {EXIT} (func $main (call $exit (i32.const 7))) (start $main))")
        assert run_guest(guest, stream=False).exit_code == 7
        quiet = wasm("(module (func $main) (start $main))")
        assert run_guest(quiet, stream=False).exit_code == 0

    def test_a_trap_in_the_start_section(self):
        with pytest.raises(GuestTrap, match="unreachable"):
            run_guest(wasm("(module (func $main unreachable) (start $main))"), stream=False)

    def test_a_start_section_calls_wasi_nn(self):
        guest = wasm("""(module
          (import "wasi_ephemeral_nn" "compute" (func $compute (param i32) (result i32)))
          (memory (export "memory") 1)
          (func $main (drop (call $compute (i32.const 3)))) (start $main))""")
        (call,) = run_guest(guest, stream=False).trace
        assert call.errno is Errno.INVALID_ARGUMENT

    def test_a_named_function(self):
        guest = wasm("""(module
          (func (export "add") (param i32 f64) (result f64)
            (f64.add (f64.convert_i32_s (local.get 0)) (local.get 1)))
          (func (export "both") (result i32 i64) (i32.const -1) (i64.const 2))
          (func (export "none")))""")
        assert run_guest(guest, ["-1", "0.5"], invoke="add", stream=False).stdout == "-0.5\n"
        assert run_guest(guest, ["0xffffffff", "0"], invoke="add", stream=False).stdout == "-1.0\n"
        assert run_guest(guest, invoke="both", stream=False).stdout == "-1\n2\n"
        assert run_guest(guest, ["any"], invoke="none", stream=False).stdout == ""

    def test_a_library_is_initialized_first(self):
        guest = wasm("""(module (global $ready (mut i32) (i32.const 0))
          (func (export "_initialize") (global.set $ready (i32.const 1)))
          (func (export "ready") (result i32) (global.get $ready)))""")
        assert run_guest(guest, invoke="ready", stream=False).stdout == "1\n"

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ((), r"f takes \(i32, i32\), got 0 arguments"),
            (("1", "2", "3"), r"got 3 arguments"),
            (("1", "x"), "f takes a number of type i32, got 'x'"),
            (("1", "4294967296"), "got '4294967296'"),
        ],
    )
    def test_wrong_arguments(self, arguments, message):
        guest = wasm('(module (func (export "f") (param i32 i32)))')
        with pytest.raises(GuestModuleError, match=message):
            run_guest(guest, arguments, invoke="f", stream=False)

    @pytest.mark.parametrize("kind", ["externref", "funcref", "anyref", "v128", "(ref $t)"])
    @pytest.mark.parametrize("place", ["param", "result"])
    def test_types_at_which_wasmtime_ends_the_process(self, kind, place):
        body = "unreachable" if place == "result" else ""
        guest = wasm(f'(module (type $t (func)) (func (export "f") ({place} {kind}) {body}))')
        with pytest.raises(GuestModuleError, match="something else than numbers"):
            run_guest(guest, ["1"], invoke="f", stream=False)

    def test_types_among_those_of_collected_objects(self):
        guest = wasm("""(module
          (type $array (array (mut i8)))
          (rec (type $s (sub (struct (field i32) (field (mut (ref null $array))))))
               (type $part (sub $s (struct (field i32) (field (mut (ref null $array)))))))
          (type $f (func (param i32) (result i32)))
          (import "wasi_snapshot_preview1" "proc_exit" (func (param i32)))
          (func (export "f") (type $f) (local.get 0)))""")
        assert run_guest(guest, ["5"], invoke="f", stream=False).stdout == "5\n"

    def test_a_function_that_is_not_there(self):
        with pytest.raises(GuestModuleError, match="no function 'g'; it exports f"):
            run_guest(wasm('(module (func (export "f")))'), invoke="g", stream=False)
        with pytest.raises(GuestModuleError, match="no function 'm'; it exports none"):
            run_guest(wasm('(module (memory (export "m") 1))'), invoke="m", stream=False)

    def test_the_remedy_names_the_argument_and_the_option(self):
        with pytest.raises(GuestModuleError) as caught:
            run_guest(wasm('(module (func (export "f")))'), stream=False)
        assert str(caught.value).endswith("; invoke= runs one of its functions")
        assert caught.value.remedy.command == "--invoke NAME runs one of its functions"

    def test_the_commands_for_other_runtimes_have_it(self):
        guest = wasm('(module (func (export "f") (param i32)))')
        run = run_guest(guest, ["3"], invoke="f", stream=False)
        assert run.wasmtime_command() == "wasmtime run -S nn --invoke f guest.wasm 3"
        assert run.wasmedge_command() == "wasmedge --reactor guest.wasm f 3"


class TestAssemblyScript:
    def test_its_start_section_runs(self):
        run = run_guest(ASSEMBLYSCRIPT, stream=False)
        assert (run.exit_code, run.stdout) == (0, "started\n")

    def test_its_functions_and_its_texts(self):
        run = run_guest(ASSEMBLYSCRIPT, ["21"], invoke="twice", stream=False)
        assert run.stdout == "started\n42\n"
        run = run_guest(ASSEMBLYSCRIPT, invoke="logs", stream=False)
        assert run.stdout == "started\nhello\n1\n"
        assert run.stderr == "on stderr\ntrace: traced 1.5, 2.0\n"
        assert len(run.trace) == 1

    def test_abort_says_why_and_ends_with_255(self):
        run = run_guest(ASSEMBLYSCRIPT, invoke="fails", stream=False)
        assert run.exit_code == 255
        assert run.stderr == "abort: no models here: é in guest.ts(10:3)\n"

    @pytest.mark.parametrize("pointer", [0, 2, 0x7FFFFFF0, 0xFFFFFFFF])
    def test_a_text_outside_of_the_memory(self, pointer):
        guest = command(
            f"(call $log (i32.const {pointer}))",
            '(import "env" "console.log" (func $log (param i32)))',
        )
        expected = "null\n" if pointer == 0 else "(a text outside of the memory)\n"
        assert run_guest(guest, stream=False).stdout == expected

    def test_what_is_not_provided_has_its_own_remedy(self):
        guest = command("", '(import "env" "process.exit" (func (param i32)))')
        with pytest.raises(GuestLinkError, match=r"npm install @assemblyscript/wasi-shim"):
            run_guest(guest, stream=False)

    @pytest.mark.parametrize("types", ["", "(param i32)", "(param i32 i32 i32 v128)"])
    def test_abort_of_other_compilers_is_not_taken_for_its_own(self, types):
        guest = command("", f'(import "env" "abort" (func {types}))')
        with pytest.raises(GuestLinkError, match="not linked completely, or was built for Emscr"):
            run_guest(guest, stream=False)


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ("wasi_nn", "include wasi_ephemeral_nn.h in place of wasi_nn.h"),
        ("wasmedge_image", "decode images in the guest"),
        ("wasmedge_tensorflow", "load the model through wasi_ephemeral_nn"),
        ("wasmedge_tensorflowlite", "load the model through wasi_ephemeral_nn"),
    ],
)
def test_modules_of_other_hosts_are_refused_with_what_to_change(space, message):
    with pytest.raises(GuestLinkError, match=message):
        run_guest(command("", f'(import "{space}" "load" (func))'), stream=False)


@pytest.mark.parametrize("start", [b"\x7fELF\2\1", b"MZ\x90\0", b"\xcf\xfa\xed\xfe"])
def test_modules_that_were_compiled_ahead_of_time(start):
    with pytest.raises(GuestModuleError, match=r"give the \.wasm file that it was made from"):
        read_module(start + bytes(64))


class TestEncodings:
    @pytest.mark.parametrize("number", sorted(FOREIGN_ENCODINGS))
    def test_those_of_wasmedge_are_named(self, number):
        script = Script()
        script.load([b"x"], encoding=number)
        (call,) = run_guest(script.wasm(), stream=False).trace
        assert call.errno is Errno.UNSUPPORTED_OPERATION
        assert call.note.startswith(
            f"encoding {number} is WasmEdge's {FOREIGN_ENCODINGS[number][0]}"
        )

    @pytest.mark.parametrize("number", [8, 15, 77])
    def test_others_do_not_exist(self, number):
        script = Script()
        script.load([b"x"], encoding=number)
        (call,) = run_guest(script.wasm(), stream=False).trace
        assert call.errno is Errno.INVALID_ENCODING

    @pytest.mark.parametrize(
        ("start", "encoding", "kind"),
        [
            (b"GGUF\3\0\0\0", 5, "a GGUF file, a language model"),
            (b"GGUF\3\0\0\0", 1, "a GGUF file, a language model"),
            (b"PK\3\4archive/data.pkl", 5, "PyTorch"),
            (b"PK\3\4archive/data.pkl", 3, "PyTorch"),
        ],
    )
    def test_foreign_bytes_are_named(self, start, encoding, kind):
        script = Script()
        script.load([start], encoding=encoding)
        run = run_guest(script.wasm(), stream=False)
        assert run.trace[0].errno is not Errno.SUCCESS
        assert kind in run.trace[0].note


@pytest.mark.parametrize("names", [["none.xml"], ["none.xml", "there.bin"]])
def test_a_missing_model_is_an_error_before_the_start(names, tmp_path):
    (tmp_path / "there.bin").write_bytes(b"")
    parts = [tmp_path / name for name in names]
    model = parts if len(parts) == 2 else parts[0]
    with pytest.raises(MissingFileError, match=r"no model 'm' at .*none\.xml"):
        run_guest(command(""), models={"m": model}, stream=False)


def test_a_model_that_is_there_is_taken(tmp_path):
    run_guest(command(""), models={"m": doubling(tmp_path)}, stream=False)
