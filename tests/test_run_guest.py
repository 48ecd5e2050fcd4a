"""`run_guest`: what it captures, what it contains, and how guests end."""

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from deadlines import STOPPED, ends_within
from guest_models import MISBEHAVE, assert_no_guest_runs
from hosting import (
    in_thread,
    mostly_in_thread,
)

from wasinn_nb import WasiNnCtx
from wasinn_nb.errors import (
    GuestError,
    GuestTimeout,
    GuestTrap,
    WasiNnError,
)

pytestmark = pytest.mark.usefixtures("isolation")


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
@mostly_in_thread
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
def test_a_guest_is_killed_while_it_infers(guest_models, misbehave):
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
def test_ctrl_c_stops_any_guest_within_a_second(guest_models, isolation):
    child = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, MISBEHAVE, guest_models["slow"], isolation],
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
