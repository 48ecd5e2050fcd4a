"""A file where a folder is to be written into, and a folder where a file is: both are named."""

from __future__ import annotations

import numpy as np
import pytest

import wasinn_nb as wn
from wasinn_nb.errors import UnwritableError
from wasinn_nb.folders import staged
from wasinn_nb.transaction import atomic, write_files


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("text")
    return path


def write(path):
    with atomic(path) as temporary:
        temporary.write_text("new")


def stage(path):
    with staged(path, "last"):
        pass


@pytest.mark.parametrize("below", ["", "a", "a/b"])
@pytest.mark.parametrize(
    "write",
    [
        lambda folder: write(folder / "result.json"),
        lambda folder: write_files(folder, "a.json", b"{}", {"a-1.txt": b"text"}),
        stage,
    ],
)
def test_a_file_is_not_a_folder(file, below, write):
    message = f"^expected a folder to write into, got the file {file}; name another folder$"
    with pytest.raises(UnwritableError, match=message):
        write(file / below)
    assert file.read_text() == "text"


def test_a_folder_is_not_a_file(tmp_path):
    message = f"^expected a file to write, got the folder {tmp_path}; name a file in it$"
    with pytest.raises(UnwritableError, match=message):
        write(tmp_path)


def test_a_result_says_so(file):
    card = wn.ModelCard("toy", "segmentation", classes=("a", "b"))
    result = wn.SegmentationResult(np.zeros((2, 2), np.uint8), card)
    with pytest.raises(UnwritableError, match="expected a folder to write into, got the file"):
        result.save(file)
