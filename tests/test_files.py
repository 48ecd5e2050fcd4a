"""Paths as users write them, wherever the package takes one."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import numpy as np
import pytest

import wasinn_nb as wn
from wasinn_nb.catalog.hashes import sha384
from wasinn_nb.errors import InvalidArgumentError, MissingFileError
from wasinn_nb.files import change_stamp, existing_file, expanded
from wasinn_nb.transaction import atomic

NOBODY = "~nobody-of-that-name/x"


def tensor() -> wn.Tensor:
    return wn.Tensor.from_array(np.zeros((1, 2), np.float32))


def write(path: str) -> None:
    with atomic(path):
        pass


@pytest.mark.full
@pytest.mark.parametrize(
    "use",
    [
        expanded,
        write,
        lambda path: existing_file(path, "image"),
        lambda path: tensor().write(f"{path}.npy"),
        wn.read_tensor,
        lambda path: wn.model(f"{path}.xml"),
        wn.image,
        wn.guest,
        lambda path: wn.model(wn.model(), card=path),
        lambda path: wn.Pipeline(f"{path}.xml"),
        lambda path: wn.ModelCard("toy").write(f"{path}.xml"),
        lambda path: wn.ModelCard.from_model(f"{path}.xml"),
        wn.ModelCard.read,
        wn.segment,
        lambda path: wn.WasiNnCtx().load(f"{path}.xml"),
        lambda path: wn.evaluate(path, path),
        lambda path: wn.run_guest(wn.guest("roadseg"), dirs={".": path}),
    ],
)
def test_home_of_a_user_who_is_not_here(use):
    with pytest.raises(MissingFileError, match=r"~nobody-of-that-name/x.*name after the ~"):
        use(NOBODY)


def test_home_of_a_user_who_is_not_here_in_the_search_path(monkeypatch):
    monkeypatch.setenv("WASINN_NB_PATH", NOBODY)
    with pytest.raises(MissingFileError, match="nobody-of-that-name"):
        wn.models()


@pytest.mark.parametrize("path", [None, 3, ["a"]])
def test_what_is_not_a_path(path):
    with pytest.raises(InvalidArgumentError, match="expected a path, got"):
        expanded(path)


def test_own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    with atomic("~/a/b.txt") as temporary:
        temporary.write_text("whole")
        assert not (tmp_path / "a/b.txt").exists()
    assert existing_file("~/a/b.txt", "text") == Path(tmp_path, "a/b.txt")
    assert Path(tmp_path, "a/b.txt").read_text() == "whole"


def test_a_change_shows_though_size_and_time_stay(tmp_path):
    path = tmp_path / "weights.bin"
    path.write_bytes(b"old")
    before, stat = change_stamp(path), path.stat()
    assert change_stamp(path) == before
    known = sha384(path)
    time.sleep(0.02)  # the clock of file times may tick as slowly as that
    with path.open("r+b") as file:
        file.write(b"new")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert path.stat().st_mtime_ns == stat.st_mtime_ns
    assert change_stamp(path) != before
    assert sha384(path) != known
    assert sha384(path) == hashlib.sha384(b"new").hexdigest()
