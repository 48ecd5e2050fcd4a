"""The processes that guests run in: their start, their end, spares."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from isolated import (
    MISBEHAVE,
    MODEL,
    PROMISE,
    helpers,
    loading,
)
from probing_engine import ProbingEngine

import wasinn_nb as wn
from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.host import run_guest

pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(sys.platform != "linux", reason="what holds elsewhere is less"),
]


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
    """What Python does at its end may take a while: the guest runs until then."""
    done = script(
        """
        import atexit, sys, threading, time
        from wasinn_nb.host import run_guest
        atexit.register(time.sleep, 1)
        guest = threading.Thread(
            target=run_guest, args=(sys.argv[1], ["loop"]), daemon=True
        )
        guest.start()
        while "wasinn-nb guest" not in [one.name for one in threading.enumerate()]:
            time.sleep(0.01)
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
