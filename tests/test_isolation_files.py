"""What isolated guests can reach: files and the rest of the machine."""

from __future__ import annotations

import json
import os
import struct
import sys
import time
from pathlib import Path

import pytest
from hosting import command, doubling, escaped
from isolated import (
    MIB,
    MISBEHAVE,
    PROMISE,
    probe,
    still_works,
)

from wasinn_nb.abi import Errno
from wasinn_nb.errors import GuestCrash
from wasinn_nb.host import run_guest

pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(sys.platform != "linux", reason="what holds elsewhere is less"),
]


# -- files -----------------------------------------------------------------------------------------

OPEN = """(import "wasi_snapshot_preview1" "path_open" (func $open
  (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))"""
OPENED = """(call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 1)
  (i32.const 1) (i64.const 4194370) (i64.const 0) (i32.const 0) (i32.const 16))"""
NAME = '(data (i32.const 0) "f")'


def test_descriptors_are_limited_and_those_of_this_process_are_its_own(tmp_path):
    before = len([*Path("/proc/self/fd").iterdir()])
    module = command(
        f"""(local $n i32) (block $full (loop $l (br_if $full {OPENED})
            (local.set $n (i32.add (local.get $n) (i32.const 1))) (br $l)))
            (call $exit (local.get $n))""",
        OPEN,
        NAME,
    )
    run = run_guest(module, dirs={".": tmp_path}, writable=True, time_limit=60)
    assert 100 < run.exit_code < 512
    still_works()
    give_up = time.monotonic() + 5 * PROMISE
    # While the helper in advance is started, there are both ends of its pipes.
    while len([*Path("/proc/self/fd").iterdir()]) > before + 8:
        assert time.monotonic() < give_up
        time.sleep(0.02)


def writing(body, imports=""):
    return command(
        f"(local $errno i32) (drop {OPENED}) {body} (call $exit (local.get $errno))",
        f"{OPEN} {imports}",
        f'{NAME} (data (i32.const 32) "{escaped(struct.pack("<II", 0, 65536))}")',
    )


def test_a_sparse_file_is_limited(tmp_path):
    module = writing(
        "(local.set $errno (call $size (i32.load (i32.const 16)) (i64.const 8796093022208)))",
        """(import "wasi_snapshot_preview1" "fd_filestat_set_size"
          (func $size (param i32 i64) (result i32)))""",
    )
    run = run_guest(module, dirs={".": tmp_path}, writable=True)
    assert run.exit_code == 22  # fbig
    assert (tmp_path / "f").stat().st_size == 0


def test_what_a_guest_writes_in_all_is_limited(tmp_path):
    """It writes over one place for ever."""
    module = writing(
        """(loop $l
          (drop (call $pwrite (i32.load (i32.const 16)) (i32.const 32) (i32.const 1)
            (i64.const 0) (i32.const 24)))
          (br $l))""",
        """(import "wasi_snapshot_preview1" "fd_pwrite"
          (func $pwrite (param i32 i32 i32 i64 i32) (result i32)))""",
    )
    with pytest.raises(GuestCrash, match="wrote more than 50000000 bytes to files") as caught:
        run_guest(
            module, dirs={".": tmp_path}, writable=True, time_limit=60, write_limit=50_000_000
        )
    assert caught.value.limit == "write_limit"
    assert caught.value.run.files == (tmp_path / "f",)


def test_one_file_is_no_longer_than_the_limit(tmp_path):
    module = writing(
        """(block $end (loop $l
          (br_if $end (local.tee $errno (call $fd_write (i32.load (i32.const 16)) (i32.const 32)
            (i32.const 1) (i32.const 24))))
          (br $l)))"""
    )
    run = run_guest(module, dirs={".": tmp_path}, writable=True, write_limit=MIB)
    assert run.exit_code == 22
    assert (tmp_path / "f").stat().st_size == MIB


def test_links_that_lead_out_are_reported(tmp_path, isolation):
    names = b"secretinside../../secretf"
    module = command(
        """(drop (call $link (i32.const 12) (i32.const 12) (i32.const 3) (i32.const 0)
             (i32.const 6)))
           (call $exit (call $link (i32.const 24) (i32.const 1) (i32.const 3) (i32.const 6)
             (i32.const 6)))""",
        """(import "wasi_snapshot_preview1" "path_symlink"
          (func $link (param i32 i32 i32 i32 i32) (result i32)))""",
        f'(data (i32.const 0) "{escaped(names)}")',
    )
    folder = tmp_path / "given"
    folder.mkdir()
    run = run_guest(module, dirs={".": folder}, writable=True, isolation=isolation)
    assert run.exit_code == 0
    assert (folder / "secret").is_symlink()
    assert run.notes[0] == (
        "links that it made lead out of its directories: 'secret' to '../../secret'; "
        "do not follow them"
    )


# -- the rest of the machine -----------------------------------------------------------------------


def test_what_an_engine_can_reach(tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    with secret.open("rb") as held:
        os.set_inheritable(held.fileno(), bool(held))
        run = probe("reach", str(secret), os.getpid())
    reached = json.loads(run.trace[0].note)
    assert "AWS_SECRET_ACCESS_KEY" not in reached["environment"]
    assert "ONEDNN_MAX_CPU_ISA" in reached["environment"]
    assert not any("secret" in target for target in reached["descriptors"].values())
    assert reached["session"]
    facts = run.isolation
    assert facts[0] == "process"
    assert facts[1] == "limits on core, descriptors, file size, data"
    status = dict(line.split(":\t", 1) for line in reached["status"].splitlines() if ":\t" in line)
    assert ("no_new_privs" in facts) == (status["NoNewPrivs"] == "1")
    assert ("seccomp" in facts) == (status["Seccomp"] == "2")
    if "seccomp" in facts:
        assert reached["signal of a descriptor"] == "PermissionError"
        for name in ("socket", "socketpair", "program", "fork", "signal"):
            assert reached[name] == "PermissionError", name
    if "landlock" in facts:
        for name in ("read", "write", "environment of the parent"):
            assert reached[name] == "PermissionError", name
    assert secret.read_bytes() == b"secret"


def test_this_system_has_what_the_kernel_offers():
    """Of the kernel that the tests run on, nothing is left out without a reason."""
    version = int(os.uname().release.split(".")[0])
    facts = run_guest(MISBEHAVE, ["exit3"]).isolation
    if version >= 6 and os.uname().machine == "x86_64":
        assert {"no_new_privs", "seccomp"} <= set(facts)
    timed = run_guest(MISBEHAVE, ["exit3"], time_limit=60).isolation
    assert timed[1] == f"{facts[1]}, processor time"
    assert run_guest(MISBEHAVE, ["exit3"], isolation="thread").isolation == ("thread",)


def test_a_device_is_given_by_name_only(tmp_path):
    model = doubling(tmp_path, "m")
    gpu = """(import "wasi_ephemeral_nn" "load"
      (func $load (param i32 i32 i32 i32 i32) (result i32)))"""
    module = command(
        """(call $exit (call $load (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1)
          (i32.const 16)))""",
        gpu,
    )
    run = run_guest(module, models={"m": model})
    assert run.exit_code == Errno.INVALID_ARGUMENT
    assert run.trace[0].note == (
        "the guest was not given the device GPU; a run with GPU as its target gives it, and runs "
        "every graph there"
    )
