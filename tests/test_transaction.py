"""Files that change together: killed at any step, they are all old or all new."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from wasinn_nb import transaction
from wasinn_nb.errors import MissingFileError, UnwritableError
from wasinn_nb.transaction import atomic, read_member, write_files

OLD = {"head-a.txt": b"old a", "head-b.txt": b"old b"}
NEW = {"head-a.txt": b"new a", "head.c.txt": b"new c"}

KILLED = """
import os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from test_transaction import NEW, OLD, save
from wasinn_nb.transaction import write_files

root = Path(sys.argv[2])
left = [0]

def count(event, arguments):
    changes = event in {"open", "os.rename", "os.remove", "os.mkdir"}
    if changes and str(arguments[0]).startswith(str(root)):
        left[0] -= 1
        if left[0] == 0:
            os._exit(9)  # as kill -9 does: nothing is cleaned up

sys.addaudithook(count)
step = 0
while True:
    step += 1
    folder = root / str(step)
    save(folder, OLD)
    child = os.fork()
    if child == 0:
        left[0] = step
        save(folder, NEW)
        os._exit(0)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0:
        break
print(step)
"""


def save(folder, members):
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in members.items()}
    write_files(folder, "head.json", json.dumps({"sha256": hashes}).encode(), members)


def load(folder):
    hashes = json.loads((folder / "head.json").read_bytes())["sha256"]
    return {name: read_member(folder, name, one) for name, one in hashes.items()}


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_set_is_written_and_read(tmp_path):
    save(tmp_path / "new" / "folder", OLD)
    assert load(tmp_path / "new" / "folder") == OLD
    assert names(tmp_path / "new" / "folder") == ["head-a.txt", "head-b.txt", "head.json"]


@pytest.mark.full
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_killed_at_any_step_a_set_is_old_or_new(tmp_path):
    tests = str(Path(__file__).parent)
    run = subprocess.run(
        [sys.executable, "-c", KILLED, tests, str(tmp_path)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    steps = int(run.stdout)
    assert steps > 10
    found = [load(tmp_path / str(step)) for step in range(1, steps + 1)]
    assert all(one in (OLD, NEW) for one in found)
    assert found[0] == OLD
    assert found[-1] == NEW
    assert found == sorted(found, key=lambda one: one == NEW)  # once new, always new
    for step in range(1, steps + 1):
        save(tmp_path / str(step), OLD)  # the next save clears up
        assert load(tmp_path / str(step)) == OLD
        assert [name for name in names(tmp_path / str(step)) if name.endswith(".new")] == []


def test_an_interrupted_save_is_finished_before_the_next_begins(tmp_path, monkeypatch):
    save(tmp_path, OLD)
    (tmp_path / "head-a.txt").rename(
        tmp_path / f".head-a.txt.{hashlib.sha256(b'old a').hexdigest()[:8]}.new"
    )
    (tmp_path / "head-a.txt").write_bytes(b"older a")
    monkeypatch.setattr("wasinn_nb.transaction._write_new", _full)
    with pytest.raises(UnwritableError, match="No space left"):
        save(tmp_path, NEW)
    assert load(tmp_path) == OLD
    assert names(tmp_path) == ["head-a.txt", "head-b.txt", "head.json"]


def _full(path, data):
    raise OSError(28, "No space left on device")


def test_what_a_killed_process_left_is_removed(tmp_path):
    stale, fresh, other = (
        tmp_path / name for name in (f".{'ab' * 8}.new", f".{'cd' * 8}.new", ".mine.new")
    )
    for path in (stale, fresh, other):
        path.write_bytes(b"")
    for path in (stale, other):
        os.utime(path, (0, 0))
    with atomic(tmp_path / "a.npy") as temporary:
        temporary.write_bytes(b"whole")
    assert {path.name for path in tmp_path.iterdir()} == {"a.npy", fresh.name, other.name}


def test_one_sweep_removes_what_single_files_and_sets_left(tmp_path):
    save(tmp_path, OLD)
    transaction._swept.clear()
    waiting = tmp_path / f".head-a.txt.{hashlib.sha256(b'old a').hexdigest()[:8]}.new"
    (tmp_path / "head-a.txt").rename(waiting)
    (tmp_path / ".head-b.txt.00000000.new").write_bytes(b"ol")  # killed in the middle
    with atomic(tmp_path / "single.txt") as temporary:
        temporary.write_bytes(b"whole")
    assert names(tmp_path) == ["head-a.txt", "head-b.txt", "head.json", "single.txt"]
    assert load(tmp_path) == OLD


def test_links_are_replaced_and_their_targets_stay(tmp_path):
    outside = tmp_path / "outside.txt"
    outside.write_bytes(b"mine")
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in (
        "head-a.txt",
        "head.json",
        f".head-a.txt.{hashlib.sha256(b'old a').hexdigest()[:8]}.new",
    ):
        (folder / name).symlink_to(outside)
    save(folder, OLD)
    assert outside.read_bytes() == b"mine"
    assert load(folder) == OLD
    assert not any(path.is_symlink() for path in folder.iterdir())


def test_a_changed_and_a_missing_member(tmp_path):
    save(tmp_path, OLD)
    (tmp_path / "head-a.txt").write_bytes(b"changed")
    with_hash = json.loads((tmp_path / "head.json").read_bytes())["sha256"]
    assert read_member(tmp_path, "head-a.txt", with_hash["head-a.txt"]) is None
    (tmp_path / "head-b.txt").unlink()
    with pytest.raises(MissingFileError, match=r"no head-b.txt in .*; copy all files"):
        read_member(tmp_path, "head-b.txt", with_hash["head-b.txt"])
    os.mkfifo(tmp_path / "head-b.txt")  # nobody writes to it: reading it would wait for ever
    with pytest.raises(MissingFileError):
        read_member(tmp_path, "head-b.txt", with_hash["head-b.txt"])


def test_a_folder_that_is_a_file(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UnwritableError, match=r"got the file \S+/file; name another folder"):
        save(tmp_path / "file", OLD)


SAVERS = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from test_transaction import load, save
for turn in range(60):
    text = f"{sys.argv[3]} {turn}".encode()
    save(Path(sys.argv[2]), {"head-a.txt": text, "head-b.txt": text})
"""


@pytest.mark.full
def test_several_savers_never_mix_their_files(tmp_path):
    tests = str(Path(__file__).parent)
    save(tmp_path, {"head-a.txt": b"", "head-b.txt": b""})
    savers = [
        subprocess.Popen([sys.executable, "-c", SAVERS, tests, str(tmp_path), str(number)])
        for number in range(3)
    ]
    seen = set()
    while any(one.poll() is None for one in savers):
        found = load(tmp_path)
        # While savers are at work, a set that was read may have been replaced meanwhile.
        if None not in found.values():
            assert found["head-a.txt"] == found["head-b.txt"]
            seen.add(found["head-a.txt"])
    assert [one.wait() for one in savers] == [0, 0, 0]
    found = load(tmp_path)
    assert found["head-a.txt"] == found["head-b.txt"]
    assert found["head-a.txt"].endswith(b" 59")
    assert len(seen) > 1
    assert names(tmp_path) == ["head-a.txt", "head-b.txt", "head.json"]
