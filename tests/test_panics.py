"""What is shown of a guest's panic: its message, its own frames, and none of the libraries'."""

import traceback
from pathlib import Path

import numpy as np
import pytest
import wasmtime

import wasinn_nb as wn
from wasinn_nb.errors import GuestLinkError, GuestTrap, WasiNnError
from wasinn_nb.host.traps import _in_short

MISBEHAVE = Path(__file__).parents[1] / "data/guests/misbehave.wasm"
# As Rust 1.63 leaves them, names demangled.
PANIC = [
    "__rust_start_panic at 0x1f00",
    "rust_panic at 0x1e00",
    "std::panicking::rust_panic_with_hook at 0x1d00",
    "std::panicking::begin_panic_handler::{{closure}} at 0x1c00",
    "std::sys_common::backtrace::__rust_end_short_backtrace at 0x1b00",
    "rust_begin_unwind at 0x1a00",
    "core::panicking::panic_fmt at 0x1900",
    "core::result::unwrap_failed at 0x1800",
    "detector::load_model at 0x700",
    "<detector::Model as core::default::Default>::default at 0x600",
    "detector::main at 0x500",
    "std::sys_common::backtrace::__rust_begin_short_backtrace at 0x400",
    "std::rt::lang_start::{{closure}} at 0x300",
    "std::rt::lang_start_internal at 0x200",
    "__main_void at 0x180",
    "_start at 0x100",
]


def test_library_frames_are_one_line():
    assert _in_short(PANIC) == [
        "0-7: 8 frames of the standard library",
        "8: detector::load_model at 0x700",
        "9: <detector::Model as core::default::Default>::default at 0x600",
        "10: detector::main at 0x500",
        "11-13: 3 frames of the standard library",
        "14: __main_void at 0x180",
        "15: _start at 0x100",
    ]


def test_where_all_are_library_frames_they_are_shown():
    assert _in_short(PANIC[:3]) == [f"{n}: {place}" for n, place in enumerate(PANIC[:3])]
    assert _in_short([]) == []


def test_endless_recursion_is_one_line():
    lines = _in_short(["f at 0x9"] * 30 + ["main at 0x1"])
    assert lines == ["0-29: f at 0x9, 30 times", "30: main at 0x1"]
    assert _in_short(["f at 0x9"] * 2) == ["0: f at 0x9", "1: f at 0x9"]


def test_long_backtraces_end_early():
    lines = _in_short([f"f{n} at 0x{n:x}" for n in range(40)])
    assert len(lines) == 13
    assert lines[-1] == "and 28 more lines; error.backtrace has every frame"


@pytest.mark.full
@pytest.mark.parametrize("isolation", ["process", "thread"])
@pytest.mark.parametrize("mode", ["panic", "divide"])
def test_the_traceback_has_only_the_call(isolation, mode):
    with pytest.raises(GuestTrap) as caught:
        wn.run_guest(MISBEHAVE, [mode], isolation=isolation)
    lines = traceback.format_exception(caught.value)
    assert "wasmtime" not in "".join(lines).replace("wasm backtrace", "")
    frames = traceback.extract_tb(caught.value.__traceback__)
    assert [frame.name for frame in frames][1:] == ["run_guest"]
    assert caught.value.run.ended
    assert "".join(lines).count("\n") < 16


SHARED_MEMORY = {
    "own": '(module (memory (export "memory") 1 1 shared) (func (export "_start")))',
    "imported": '(module (import "env" "memory" (memory 1 1 shared)) (func (export "_start")))',
}


@pytest.mark.full
@pytest.mark.parametrize("kind", SHARED_MEMORY)
@pytest.mark.parametrize("isolation", ["process", "thread"])
def test_memory_of_threads_is_named_in_words(kind, isolation):
    with pytest.raises(GuestLinkError) as caught:
        wn.run_guest(wasmtime.wat2wasm(SHARED_MEMORY[kind]), isolation=isolation)
    message = str(caught.value)
    assert "its memory is shared by threads, which do not run here; build it for wasm32" in message
    assert "Config::" not in message


@pytest.mark.full
@pytest.mark.parametrize("part", [10, 1000, 0.5, -1])
@pytest.mark.parametrize("name", ["SINet.onnx", "tf_saved_model/saved_model.pb"])
def test_models_that_end_too_early_print_nothing(shared, tmp_path, capfd, name, part):
    """TensorFlow's reader printed lines that begin with E0000 for a cut ONNX file."""
    source = shared / "models/third-party" / name
    content = source.read_bytes()
    end = int(part * len(content)) if isinstance(part, float) else part
    path = tmp_path / source.name
    path.write_bytes(content[:end])
    model = path if path.suffix == ".onnx" else path.parent
    for call in (wn.describe, lambda one: wn.segment(np.zeros((8, 8, 3), np.uint8), one)):
        with pytest.raises(WasiNnError):
            call(model)
    assert capfd.readouterr() == ("", "")
