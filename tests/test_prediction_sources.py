"""Where many images come from: listed lazily, with names of every kind."""

from __future__ import annotations

import itertools
import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from wasinn_nb.errors import ImageError, InvalidArgumentError, MissingFileError
from wasinn_nb.prediction.items import Stamp, read_item, stamp_of
from wasinn_nb.prediction.sources import listing


@pytest.fixture
def folder(tmp_path):
    """A folder of folders with images, and with what is none."""
    root = tmp_path / "images"
    for name in ("a.png", "one/a.png", "one/b.JPG", "two/deep/c.png"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"image")
    (root / "notes.txt").write_text("no image")
    (root / ".hidden.png").write_bytes(b"")
    (root / ".cache").mkdir()
    (root / ".cache/d.png").write_bytes(b"")
    return root


def names(images, column=None):
    return sorted(item.name for item in listing(images, column))


def test_a_folder_gives_its_images_and_those_of_its_folders(folder):
    assert names(folder) == ["a.png", "one/a.png", "one/b.JPG", "two/deep/c.png"]
    assert names(str(folder)) == names(folder)


def test_loops_of_links_end_and_linked_files_count(folder, tmp_path):
    (folder / "one/up").symlink_to(folder)
    (folder / "self").symlink_to(folder / "self")
    outside = tmp_path / "outside.png"
    outside.write_bytes(b"image")
    (folder / "link.png").symlink_to(outside)
    assert names(folder) == ["a.png", "link.png", "one/a.png", "one/b.JPG", "two/deep/c.png"]


def test_globs_and_lists_and_mappings(folder):
    assert names(str(folder / "*/*.png")) == ["one/a.png"]
    assert names(str(folder / "**/*.png")) == ["a.png", "one/a.png", "two/deep/c.png"]
    assert names([folder / "a.png", str(folder / "one/b.JPG")]) == ["a.png", "b.JPG"]
    pixels = np.zeros((2, 3, 3), np.uint8)
    found = list(listing({"first": folder / "a.png", "second": pixels}))
    assert [(item.name, item.in_memory) for item in found] == [("first", False), ("second", True)]
    assert names("city-arrow") == ["city-arrow.jpg"]
    with pytest.raises(MissingFileError, match="no file matches"):
        listing(str(folder / "*.bmp"))
    with pytest.raises(MissingFileError, match="and no shipped image of that name"):
        listing("no-such-image")
    with pytest.raises(MissingFileError):
        listing(folder / "missing")


def test_generators_are_not_exhausted_before_the_first_image_is_there():
    given = (f"/images/{n}.png" for n in itertools.count())
    first = list(itertools.islice(listing(given), 3))
    assert [item.source for item in first] == [f"/images/{n}.png" for n in range(3)]


def test_manifests(folder, tmp_path):
    csv = tmp_path / "list.csv"
    csv.write_text("split,path\ntrain,images/a.png\ntest,images/one/a.png\ntest,\n", "utf-8-sig")
    assert [item.source for item in listing(csv)] == [
        str(folder / "a.png"),
        str(folder / "one/a.png"),
    ]
    assert names(csv) == ["images/a.png", "images/one/a.png"]
    parquet = tmp_path / "list.parquet"
    pq.write_table(pa.table({"n": [1, 2], "where": ["images/a.png", None]}), parquet)
    assert names(parquet, "where") == ["images/a.png"]
    with pytest.raises(InvalidArgumentError, match="it has n, where; name the one with the paths"):
        list(listing(parquet))
    with pytest.raises(InvalidArgumentError, match="expected text in the column 'n', got 1"):
        list(listing(parquet, "n"))
    with pytest.raises(InvalidArgumentError, match="column='where' is for a manifest"):
        listing(["a.png"], "where")


@pytest.mark.parametrize(
    "name", [b"two\nlines.png", b"\xff\xfe.png", "ü\u202egnp.png".encode(), b"'\"`$(x).png"]
)
def test_names_of_every_kind_are_read(tmp_path, name):
    path = tmp_path / os.fsdecode(name)
    Image.new("RGB", (3, 2)).save(path)
    (item,) = listing(tmp_path)
    assert item.source == str(path)
    assert item.identity == os.fsencode(path)
    content = read_item(item)
    assert content.stamp == stamp_of(item) == Stamp(path.stat().st_size, *content.stamp[1:])


def test_a_pipe_and_an_empty_file_and_a_folder_named_like_an_image(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "empty.png").touch()
    (tmp_path / "folder.png").mkdir()
    found = {item.name: item for item in listing(tmp_path)}
    assert sorted(found) == ["empty.png", "pipe.png"]
    with pytest.raises(ImageError, match="not a regular file"):
        read_item(found["pipe.png"])
    assert read_item(found["empty.png"]).stamp.size == 0


def test_a_file_that_changes_while_it_is_read_is_read_again(tmp_path, monkeypatch):
    path = tmp_path / "growing.png"
    path.write_bytes(b"one")
    (item,) = listing(path)
    real = os.fstat
    calls = itertools.count()

    def fstat(descriptor):
        if next(calls) == 1:
            path.write_bytes(b"three")
        return real(descriptor)

    monkeypatch.setattr(os, "fstat", fstat)
    content = read_item(item)
    assert (content.image.content, content.stamp.size) == (b"three", 5)


def test_images_in_memory_are_known_by_their_pixels():
    pixels = np.zeros((2, 3, 3), np.uint8)
    one, other, last = listing([pixels, pixels.copy(), pixels + 1])
    hashes = [read_item(item).sha256 for item in (one, other, last)]
    assert hashes[0] == hashes[1] != hashes[2]
    assert [item.source for item in (one, other, last)] == ["#0", "#1", "#2"]
    assert stamp_of(one) is None


def test_urls(tmp_path):
    import fsspec

    memory = fsspec.filesystem("memory")
    for name in ("/bucket/a.png", "/bucket/in/b.jpg", "/bucket/notes.txt"):
        memory.pipe(name, b"image of " + name.encode())
    assert names("memory://bucket") == ["a.png", "in/b.jpg"]
    assert names("memory://bucket/*.png") == ["a.png"]
    (item,) = listing(["memory://bucket/in/b.jpg"])
    assert (item.name, item.source) == ("b.jpg", "memory://bucket/in/b.jpg")
    assert read_item(item).image.content == b"image of /bucket/in/b.jpg"
    with pytest.raises(MissingFileError):
        list(listing("memory://nothing"))
    (missing,) = listing(["memory://bucket/no.png"])
    with pytest.raises(OSError, match=r"no\.png"):
        read_item(missing)
    with pytest.raises(InvalidArgumentError, match="not a kind of URL"):
        list(listing("nosuch://bucket/a.png"))
