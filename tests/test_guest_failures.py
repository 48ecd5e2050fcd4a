"""A guest that fails: the exception, the run and the command line say why without being asked."""

from __future__ import annotations

import json

import pytest
from commands import shell
from hosting import command, run_guest

from wasinn_nb.abi import PARAMETERS
from wasinn_nb.errors import GuestExitError, GuestTrap

pytestmark = pytest.mark.usefixtures("isolation")


def imported(name):
    types = " ".join(["i32"] * PARAMETERS[name])
    return f'(import "wasi_ephemeral_nn" "{name}" (func ${name} (param {types}) (result i32)))'


def loading(then, encoding=3):
    """Assemble a guest that loads four bytes as a model, and then does what the text says."""
    return command(
        f"(drop (call $load (i32.const 64) (i32.const 1) (i32.const {encoding}) (i32.const 0)"
        f" (i32.const 96))) {then}",
        imported("load") + imported("compute"),
        r'(data (i32.const 64) "\20\00\00\00\04\00\00\00") (data (i32.const 32) "PK\03\04")',
    )


PYTORCH = loading("unreachable")
LAST = "the last failed WASI-NN calls:\n    #0 load: "
OLD = (
    "errno 6 (unsupported_operation) is newer than some guests: those of the Rust crate wasi-nn up "
    "to 0.6, for one, know errnos up to 5 and call this one unknown"
)


def test_a_trap_ends_with_the_last_failed_calls():
    with pytest.raises(GuestTrap) as caught:
        run_guest(PYTORCH, stream=False)
    message = str(caught.value)
    assert message.startswith("guest.wasm trapped: unreachable executed")
    assert LAST + caught.value.run.trace[0].note in message
    assert message.endswith(OLD)
    assert message.endswith(caught.value.run.reasons)
    assert caught.value.problem == message


def test_a_checked_exit_code_ends_with_them():
    with pytest.raises(GuestExitError) as caught:
        run_guest(loading("(call $exit (i32.const 1))"), stream=False, check=True)
    assert caught.value.exit_code == 1
    assert LAST in str(caught.value)


def test_an_errno_that_every_guest_knows_is_not_explained():
    run = run_guest(loading("(call $exit (i32.const 1))", encoding=1), stream=False)
    assert run.reasons.startswith(LAST)
    assert "newer than some guests" not in run.reasons


def test_the_last_three_are_listed_by_their_numbers():
    calls = "".join(f"(drop (call $compute (i32.const {n})))" for n in range(5))
    run = run_guest(loading(calls + "(call $exit (i32.const 2))", encoding=1), stream=False)
    lines = run.reasons.splitlines()[1:]
    assert [line.split(":")[0].strip() for line in lines] == [f"#{n} compute" for n in (3, 4, 5)]
    assert lines[-1].endswith("no context 4; there is no context yet")


def test_a_success_and_a_failure_without_calls_have_none():
    assert run_guest(loading(""), stream=False).reasons == ""
    with pytest.raises(GuestTrap) as caught:
        run_guest(command("unreachable"), stream=False)
    assert "WASI-NN" not in str(caught.value)


@pytest.mark.full
@pytest.mark.parametrize("isolation", ["process"], indirect=True)
def test_the_command_line_says_it(tmp_path):
    for name, then in (("exits", "(call $exit (i32.const 4))"), ("traps", "unreachable")):
        (tmp_path / f"{name}.wasm").write_bytes(loading(then))
    done = shell("run", tmp_path / "exits.wasm")
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.startswith(LAST)
    assert done.stderr.rstrip().endswith(OLD)
    done = shell("run", tmp_path / "traps.wasm")
    assert done.returncode == 125
    assert done.stderr.count("#0 load") == 1
    done = shell("run", tmp_path / "exits.wasm", "--json")
    assert done.stderr == ""
    assert json.loads(done.stdout)["reasons"][-1].strip() == OLD
