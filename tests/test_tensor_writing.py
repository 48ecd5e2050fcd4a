"""Tensors in files: whole or not there, huge, changed while they are read."""

import os
import pickle
import resource
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from wasinn_nb.errors import MissingFileError, TensorFileError, WasiNnError
from wasinn_nb.tensor import Tensor, read_tensor, sidecar_path
from wasinn_nb.transaction import atomic

ABC = Tensor((1, 3), "u8", b"abc")
RAMP = Tensor.from_array(np.arange(6, dtype=np.float32).reshape(2, 3))


# -- whole or not there ----------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".tensor", ".npy"])
def test_a_failure_in_the_middle_leaves_the_old_files_and_no_others(tmp_path, suffix):
    path = ABC.write(tmp_path / f"out{suffix}")
    before = {entry.name: entry.read_bytes() for entry in tmp_path.iterdir()}
    assert len(before) == (2 if suffix == ".tensor" else 1)
    # As if the disk were full after 4096 bytes.
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    big = Tensor.from_array(np.ones(100_000, np.float32))
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limit[1]))
        with pytest.raises(OSError, match=r"requested and .* written|too large|write"):
            big.write(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, ignored)
    assert {entry.name: entry.read_bytes() for entry in tmp_path.iterdir()} == before
    assert read_tensor(path) == ABC


def test_an_interrupt_in_the_middle_leaves_nothing(tmp_path):
    target = tmp_path / "deep" / "er" / "file.txt"
    with pytest.raises(KeyboardInterrupt), atomic(target) as temporary:  # noqa: PT012
        temporary.write_text("half")
        assert temporary.parent == target.parent
        raise KeyboardInterrupt
    assert list(target.parent.iterdir()) == []


def test_new_files_get_ordinary_permissions(tmp_path):
    before = os.umask(0o027)
    try:
        ABC.write(tmp_path / "out.tensor")
    finally:
        os.umask(before)
    assert {entry.stat().st_mode & 0o777 for entry in tmp_path.iterdir()} == {0o640}


@pytest.mark.parametrize("name", ["latest.npy", "latest.tensor", "latest.tensor.json"])
def test_a_link_is_replaced_and_its_target_stays(tmp_path, name):
    target = tmp_path / "target"
    target.write_bytes(b"mine")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / name).symlink_to(target)
    written = ABC.write(tmp_path / "data" / name.removesuffix(".json"))
    assert not (tmp_path / "data" / name).is_symlink()
    assert target.read_bytes() == b"mine"
    assert read_tensor(written) == ABC


@pytest.mark.parametrize("suffix", [".tensor", ".npy"])
def test_where_no_file_can_be(tmp_path, suffix):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError):
        ABC.write(tmp_path / "file" / f"out{suffix}")
    (tmp_path / f"folder{suffix}").mkdir()
    with pytest.raises(OSError, match=r"(?i)is a (directory|folder)|got the folder .*"):
        ABC.write(tmp_path / f"folder{suffix}")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["file", f"folder{suffix}"]


def test_a_tilde_is_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert ABC.write("~/out.tensor") == tmp_path / "out.tensor"
    assert read_tensor("~/out.tensor") == ABC
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["out.tensor", "out.tensor.json"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gone.tensor", r"no tensor at .*gone.tensor \(looked from .*\); check the path"),
        ("file/gone.tensor", r"no tensor at .*file/gone.tensor \(looked from "),
        ("x" * 300, r"no tensor at .* \(File name too long\)"),
        ("a\0b", r"no tensor at .* \(embedded null byte\)"),
        ("loop", r"no tensor at .*loop \(Too many levels of symbolic links\)"),
        (".", "expected the path of a file for the tensor, got the folder "),
        ("pipe", "expected a regular file for the tensor, got a device or pipe at "),
    ],
)
def test_paths_that_lead_to_no_file(tmp_path, name, message):
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(MissingFileError, match=message):
        read_tensor(tmp_path / name, [1], "u8")


# -- huge files, and files that change -------------------------------------------------------------


@pytest.mark.full
@pytest.mark.parametrize("suffix", [".tensor", ".npy"])
def test_a_file_of_4_gb_is_mapped_and_not_read(tmp_path, suffix):
    count = 1 << 30
    path = tmp_path / f"huge-{count}xf32{suffix}"
    with path.open("wb") as file:
        if suffix == ".npy":
            header = {"descr": "<f4", "fortran_order": False, "shape": (count,)}
            np.lib.format.write_array_header_1_0(file, header)
        file.truncate(file.tell() + 4 * count - 4)  # sparse: takes no disk
        file.seek(0, 2)
        file.write(np.float32(7).tobytes())
    script = f"""
import resource
from wasinn_nb.tensor import read_tensor
before = resource.getrusage(resource.RUSAGE_SELF)
tensor = read_tensor({str(path)!r})
array = tensor.to_array()
assert tensor.nbytes == 4 << 30 and array[-1] == 7 and array[0] == 0
after = resource.getrusage(resource.RUSAGE_SELF)
print(after.ru_maxrss - before.ru_maxrss)
"""
    out = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    grown_kb = int(out.stdout)
    assert grown_kb < 64 * 1024


def test_a_file_that_is_cut_or_changed_later_does_not_reach_the_tensor(tmp_path):
    path = RAMP.write(tmp_path / "out.tensor")
    npy = RAMP.write(tmp_path / "out.npy")
    tensors = [read_tensor(path), read_tensor(npy)]
    for file in (path, npy):
        os.truncate(file, 3)
    assert tensors == [RAMP, RAMP]


def test_a_mapped_tensor_can_be_written_over_its_own_file(tmp_path, monkeypatch):
    monkeypatch.setattr("wasinn_nb.tensor.reading._MAP_FROM_BYTES", 1)
    path = RAMP.write(tmp_path / "out.tensor")
    mapped = read_tensor(path)
    mapped.write(path, metadata={"again": True})
    assert read_tensor(path) == mapped == RAMP
    assert pickle.loads(pickle.dumps(mapped)) == RAMP
    with pytest.raises(ValueError, match=r"read-only|WRITEABLE"):
        mapped.to_array().flags.writeable = True


def test_every_error_of_files_is_ours_and_a_value_error():
    assert issubclass(TensorFileError, WasiNnError)
    assert issubclass(TensorFileError, ValueError)
    assert issubclass(MissingFileError, FileNotFoundError)
    assert sidecar_path("a/b.tensor") == Path("a/b.tensor.json")


def test_a_small_npy_file_is_not_mapped(tmp_path, monkeypatch):
    # A mapped file that another process truncates ends this process with SIGBUS.
    monkeypatch.setattr(np.lib.format, "open_memmap", None)
    np.save(tmp_path / "a.npy", np.arange(6, dtype=np.float32))
    read = read_tensor(tmp_path / "a.npy")
    (tmp_path / "a.npy").write_bytes(b"")
    assert read.to_array().tolist() == [0, 1, 2, 3, 4, 5]
