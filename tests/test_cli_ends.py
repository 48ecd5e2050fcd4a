"""How the command line ends: its exit codes, the version, and `run` as JSON."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from commands import run, shell

import wasinn_nb as wn
from wasinn_nb.cli import ExitCode


@pytest.mark.full
@pytest.mark.parametrize(
    "arguments",
    [["nowhere.wasm"], [], ["misbehave", "--no-such-option"], ["misbehave", "--isolation", "none"]],
)
def test_an_error_of_run_is_not_an_exit_code_that_guests_use(arguments):
    assert shell("run", *arguments).returncode == ExitCode.GUEST == 125


@pytest.mark.full
@pytest.mark.parametrize(
    ("mode", "code", "exit_code", "ended"),
    [("exit3", 3, 3, "exit code 3"), ("unreachable", 125, None, "trapped")],
)
def test_run_as_json(mode, code, exit_code, ended):
    done = shell("run", "misbehave", "--json", "--", mode)
    values = json.loads(done.stdout)
    assert done.returncode == code
    assert (values["exit_code"], values["ended"]) == (exit_code, ended)
    assert (values["arguments"], values["calls"], values["files"]) == ([mode], [], [])
    assert done.stderr.startswith("error: ") is (exit_code is None)


@pytest.mark.full
def test_what_a_guest_prints_and_calls_is_in_the_json():
    panicked = json.loads(shell("run", "misbehave", "--json", "--", "panic").stdout)
    assert "panicked at 'misbehaving'" in panicked["stderr"]
    early = json.loads(shell("run", "misbehave", "--json", "--", "nn-early", "road").stdout)
    assert "success" not in [call["errno"] for call in early["calls"]][-1:]
    assert {"name", "arguments", "errno", "note", "seconds"} <= early["calls"][-1].keys()


@pytest.mark.full
@pytest.mark.parametrize("module", ["wasinn_nb", "wasinn_nb.cli"])
def test_the_version(module):
    done = subprocess.run(
        [sys.executable, "-m", module, "--version"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, f"wasinn-nb {wn.__version__}\n")


def test_exit_codes_are_in_the_help():
    printed = " ".join(run("--help").split())
    assert "Exit codes: 0: done. 1: compare found a difference" in printed
    assert "Exit code 125" in " ".join(run("run", "--help").split())


@pytest.mark.full
def test_a_fault_of_ours_is_not_a_verdict():
    program = (
        "import sys, wasinn_nb as wn\n"
        "from wasinn_nb.cli import main\n"
        "sys.argv = ['wasinn-nb', 'compare', 'a', 'b']\n"
        "wn.compare = None\n"
        "main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == ExitCode.ERROR
    assert "TypeError" in done.stderr
