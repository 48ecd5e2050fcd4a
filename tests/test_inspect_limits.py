"""``inspect`` of hostile files: each is an error in time and memory, and the others are read."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest
import toys
from commands import shell
from deadlines import ends_within
from tables import all_slow_but

from wasinn_nb.cli import ExitCode

pytestmark = [pytest.mark.full, pytest.mark.skipif(sys.platform != "linux", reason="/proc")]

MIB = 1 << 20
TIME_LIMIT = 2.0


def sparse_model(folder, nbytes):
    """Save an IR whose weights take no room on disk, and so much in memory."""
    import numpy as np

    xml, weights = toys.ir(toys.graph(lambda x: x + np.ones(256, np.float32), (1,)))
    assert len(weights) == 1024
    path = folder / "sparse.xml"
    path.write_bytes(
        xml.replace(b'shape="256"', f'shape="{nbytes // 4}"'.encode())
        .replace(b'size="1024"', f'size="{nbytes}"'.encode())
        .replace(b"<dim>256</dim>", f"<dim>{nbytes // 4}</dim>".encode())
    )
    with path.with_suffix(".bin").open("wb") as file:
        file.truncate(nbytes)
    return path


def sparse_tensor(folder, mebibytes):
    path = folder / "large.bin"
    with path.open("wb") as file:
        file.truncate(mebibytes * MIB)
    return path


@pytest.fixture
def sound(tmp_path):
    path = tmp_path / "sound.onnx"
    path.write_bytes(toys.onnx_relu())
    return path


def test_a_model_that_takes_more_memory_than_it_may(tmp_path):
    path = sparse_model(tmp_path, 512 * MIB)
    done = shell("inspect", path, "--memory-limit", "64")
    assert (done.returncode, done.stdout) == (ExitCode.ERROR, "")
    assert done.stderr == (
        f"error: {path}: reading it took more than 64 MiB, and was stopped; "
        f"--memory-limit MIB gives it more\n"
    )
    done = shell("inspect", path, "--memory-limit", "1024")
    assert done.returncode == ExitCode.DONE
    assert "134217728xf32, 536870912 bytes" in done.stdout


def test_a_file_that_takes_longer_than_it_may(tmp_path):
    path = sparse_tensor(tmp_path, 4096 << 10)
    options = ("--shape", "4096x1024x1024x1024", "--type", "u8")
    with ends_within(1.0, after=TIME_LIMIT + 25):  # two programs are started, too
        done = shell("inspect", path, *options, "--time-limit", TIME_LIMIT)
    assert (done.returncode, done.stdout) == (ExitCode.ERROR, "")
    assert done.stderr == (
        f"error: {path}: reading it took longer than 2 s, and was stopped; "
        f"--time-limit SECONDS gives it more\n"
    )


def test_a_tensor_that_is_mapped_takes_no_memory(tmp_path):
    path = sparse_tensor(tmp_path, 320)
    options = ("--shape", f"320x{MIB}", "--type", "u8", "--memory-limit", "32")
    done = shell("inspect", path, *options)
    assert (done.returncode, done.stderr) == (ExitCode.DONE, "")


def test_files_after_one_that_is_stopped_are_read(tmp_path, sound):
    """Also as JSON: what one process has read is kept when a file ends it."""
    hostile = sparse_model(tmp_path, 512 * MIB)
    done = shell("inspect", sound, hostile, sound, "--memory-limit", "64", "--json")
    assert done.returncode == ExitCode.ERROR
    first, second, third = json.loads(done.stdout)
    assert first == third
    assert first["encoding"] == "onnx"
    assert second["path"] == str(hostile)
    assert "reading it took more than 64 MiB" in second["error"]


def test_the_text_of_several_files(tmp_path, sound):
    done = shell("inspect", sound, tmp_path / "missing.onnx", sound)
    assert done.returncode == ExitCode.ERROR
    assert done.stdout.count("format   onnx, opset 13") == 2
    assert done.stderr.startswith(f"error: no model at {tmp_path / 'missing.onnx'} ")


CRASHING = """
import os, sys
from pathlib import Path
from wasinn_nb.cli import inspector
real = inspector.inspected
def forge(content):
    for entry in os.listdir("/proc/self/fd"):
        if int(entry) > 2:
            try:
                os.write(int(entry), content)
            except OSError:
                pass
def inspected(request, text, words):
    if text.endswith("hostile.onnx"):
        ACT
    else:
        os.write(2, b"of another file\\n")
    return real(request, text, words)
inspector.inspected = inspected
inspector.main()
"""
ACTS = {
    "os.kill(os.getpid(), 11)": "was ended by SIGSEGV",
    "os._exit(7)": "ended with exit code 7",
    "forge(b'garbage' * 100)": "sent what it should not (a frame of ",
    "forge(b'\\2' + b'\\0' * 11 + b'{}')": "sent what it should not (an answer to another ",
    "raise MemoryError('9 EiB')": "there is not enough memory to read it (9 EiB)",
    "1 / 0": "ZeroDivisionError: division by zero",
    "os.write(2, b'engine\\x1b[31m\\xff'); os._exit(7)": "last words on stderr:\n    engine",
}


@pytest.mark.parametrize("act", all_slow_but(ACTS, *list(ACTS)[::3]))
def test_whatever_the_process_does_the_next_file_is_read(tmp_path, sound, monkeypatch, act):
    from wasinn_nb.cli.apart import read_apart
    from wasinn_nb.cli.inspected import Request
    from wasinn_nb.errors import RuntimeFailure

    (tmp_path / "acting.py").write_text(CRASHING.replace("ACT", act))
    path = [str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path))
    monkeypatch.setattr("wasinn_nb.cli.apart._MODULE", "acting")
    hostile = tmp_path / "hostile.onnx"
    hostile.write_bytes(b"never read")
    request = Request(None, None, None, None, None, None, 100)
    with read_apart(request, memory_limit=1 << 30, time_limit=60.0) as read:
        before = read(str(sound), ["inspect", str(sound)])
        with pytest.raises(RuntimeFailure, match=r"hostile\.onnx: ") as caught:
            read(str(hostile), [])
        assert ACTS[act] in str(caught.value)
        assert "of another file" not in str(caught.value)
        assert read(str(sound), ["inspect", str(sound)]) == before
    assert before.facts["encoding"] == "onnx"


def test_ctrl_c_ends_both_processes(tmp_path):
    path = sparse_tensor(tmp_path, 4096 << 10)
    line = [sys.executable, "-m", "wasinn_nb", "inspect", path, "--shape", "4096x1073741824"]
    program = subprocess.Popen(
        [*line, "--type", "u8"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    )
    children = f"/proc/{program.pid}/task/{program.pid}/children"
    helper = ""
    while not helper:
        time.sleep(0.05)
        with open(children) as file:  # noqa: PTH123
            helper = file.read().strip()
    time.sleep(2)
    program.send_signal(signal.SIGINT)
    with ends_within(1.0):
        assert program.wait() != 0
    program.communicate()
    time.sleep(0.2)
    assert not os.path.exists(f"/proc/{helper}/cmdline")  # noqa: PTH110
