"""Images that come from the page."""

from __future__ import annotations

import struct
import zlib
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from picked import CUT, NOISE, PNG, encoded, looked_at, option_of, small

import wasinn_nb as wn
from wasinn_nb.errors import ImageError, InvalidArgumentError
from wasinn_nb.widgets.pickers.images import ImagePicker
from wasinn_nb.widgets.pickers.uploads import CHUNK_BYTES, MOST_BYTES, Uploads


def announcing(width, height):
    """Return a PNG of one pixel whose header says another size."""
    raw = bytearray(encoded(np.zeros((1, 1, 3), np.uint8)))
    raw[16:24] = struct.pack(">II", width, height)
    raw[29:33] = struct.pack(">I", zlib.crc32(raw[12:29]))
    return bytes(raw)


GOOD = {
    "1x1": encoded(np.zeros((1, 1, 3), np.uint8)),
    "1x5000": encoded(np.zeros((5000, 1), np.uint8)),
    "transparent": encoded(np.zeros((4, 4, 4), np.uint8)),
    "gray": encoded(np.zeros((4, 4), np.uint8)),
    "16 bit": encoded(np.full((4, 4), 40_000, np.uint16)),
    "jpeg": encoded(NOISE, "JPEG"),
    "webp": encoded(NOISE, "WEBP"),
}
BAD = {
    "empty": (b"", "x.png: empty; expected an encoded image such as JPEG or PNG"),
    "text": (
        b"hello",
        "x.png: not an image that Pillow can read; the first bytes are ",
    ),
    "cut": (CUT, "x.png: begins like a PNG, cannot be read to its end: "),
    "bomb": (announcing(60_000, 60_000), "x.png: cannot be opened as an image: "),
    "long": (announcing(70_000, 1), "x.png: 70000x1 pixels; expected sides of 1 to 65535"),
    "float": (
        encoded(np.zeros((2, 2), np.float32), "TIFF"),
        "x.png: a floating-point image does not state its range",
    ),
}


@pytest.fixture
def messages(monkeypatch):
    """Collect what is sent to the page."""
    sent = []
    monkeypatch.setattr(ImagePicker, "send", lambda self, content: sent.append(content))
    return sent


# --------------------------------------------------------------------------------------- uploads


@pytest.mark.parametrize("kind", GOOD)
def test_add(kind):
    picker = ImagePicker()
    picker._message = "old"
    picker.add(GOOD[kind], "mine.png")
    assert (picker.value, picker.image, picker.title) == ("upload:mine.png", GOOD[kind], "mine.png")
    assert picker._options[0] == option_of(picker)
    assert small(looked_at(picker)[0])
    assert picker._message == ""


@pytest.mark.parametrize("kind", BAD)
def test_add_what_is_no_image(kind):
    content, words = BAD[kind]
    picker = ImagePicker()
    picker.add(PNG, "mine.png")
    with pytest.raises(ImageError) as caught:
        picker.add(content, "x.png")
    assert str(caught.value).startswith(words)
    assert picker._message == str(caught.value)
    assert (picker.value, picker.image) == ("upload:mine.png", PNG)


@pytest.mark.parametrize("content", ["x.png", Path("x.png"), None, NOISE])
def test_add_takes_bytes_alone(content):
    with pytest.raises(ImageError, match="expected the bytes of an image, got "):
        ImagePicker().add(content, "x.png")


def test_same_name_again():
    picker = ImagePicker()
    for _ in range(3):
        picker.add(PNG, "a.b.png")
    picker.add(PNG, "none")
    picker.add(PNG, "none")
    assert [option["title"] for option in picker._options[:5]] == [
        "none (2)", "none", "a.b (3).png", "a.b (2).png", "a.b.png",
    ]  # fmt: skip
    assert picker.value == "upload:none (2)"


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\images\\road.png", "road.png"),
        ("", "image"),
        ("..", "image"),
        ("/", "image"),
        (" . ", "image"),
        (".png", "png"),
        ("a\0b\n\x1b[31m.png", "ab[31m.png"),
        ("gnp\u202e.exe", "gnp.exe"),
        ("\udcff.png", "png"),
        ("x" * 10_000 + ".png", "x" * 96 + ".png"),
        ("x." + "y" * 10_000, "x." + "y" * 9),
        ("<img src=x onerror=alert(1)>.png", "<img src=x onerror=alert(1)>.png"),
        ("städtisch 道路.jpg", "städtisch 道路.jpg"),
    ],
)
def test_hostile_names(name, title):
    picker = ImagePicker()
    picker.add(PNG, name)
    assert (picker.title, picker.value) == (title, f"upload:{title}")
    with pytest.raises(ImageError) as caught:
        picker.add(b"", name)
    assert str(caught.value).startswith(f"{title}: empty")


SIZE = len(PNG)


def chunk(offset=0, size=SIZE, id_="a", name="x.png"):
    return {"type": "upload", "id": id_, "name": name, "size": size, "offset": offset}


def test_upload_in_chunks(messages):
    picker = ImagePicker()
    picker._handle_custom_msg(chunk(), [memoryview(PNG[:40])])
    assert messages == [{"type": "upload", "id": "a", "received": 40}]
    assert picker.value == "city-crosswalk"
    picker._handle_custom_msg(chunk(40), [memoryview(PNG[40:])])
    assert messages[1:] == [{"type": "upload", "id": "a", "received": len(PNG)}]
    assert (picker.image, picker.title, picker._message) == (PNG, "x.png", "")


@pytest.mark.parametrize(
    ("header", "buffers", "words"),
    [
        (chunk(size=0), [b""], "x.png: empty; expected an encoded image"),
        (chunk(size=5), [b"hello"], "x.png: not an image that Pillow can read"),
        (chunk(offset=3), [b"abc"], "expected the bytes from 0 on, got those from 3 on"),
        (chunk(offset=-1), [b"abc"], "expected the bytes from 0 on, got those from -1 on"),
        (chunk(offset="0"), [b"abc"], "expected the bytes from 0 on, got those from '0' on"),
        (chunk(size=-1), [b"abc"], "expected a number of bytes as its size, got -1"),
        (chunk(size=True), [b"a"], "expected a number of bytes as its size, got True"),
        (chunk(size=1e3), [b"a"], "expected a number of bytes as its size, got 1000.0"),
        (chunk(size=MOST_BYTES + 1), [b"a"], "x.png has 67.1 MB; at most 64 MiB can be uploaded"),
        (chunk(size=3), [b"abcd"], "expected one chunk of 1 to 3 bytes, got [4]"),
        (chunk(), [b""], "expected one chunk of 1 to "),
        (chunk(), [], "got []"),
        (chunk(), [b"a", b"b"], "got [1, 1]"),
        (chunk(size=9 << 20), [bytes(CHUNK_BYTES + 1)], "one chunk of 1 to 1048576 bytes"),
        (chunk(name=None), [b"a"], "expected an upload with an id and a name as text"),
        (chunk(id_=7), [b"a"], "expected an upload with an id and a name as text"),
        (chunk(name="x" * 99_999, size=-1), [b"a"], "x" * 59 + "…" + "x" * 59 + ": expected"),
    ],
)
def test_bad_uploads(header, buffers, words, messages):
    picker = ImagePicker("city-arrow")
    options = picker._options
    picker._handle_custom_msg(header, buffers)
    assert words in picker._message
    assert messages == [{"type": "upload", "id": header["id"], "failed": True}]
    assert (picker.value, picker._options) == ("city-arrow", options)
    picker._handle_custom_msg(chunk(), [PNG])
    assert picker.image == PNG, "it goes on working"


def test_remarks_on_several_files_stand_together(messages):
    picker = ImagePicker()
    picker._handle_custom_msg(chunk(size=5, name="a.png"), [b"hello"])
    picker._handle_custom_msg(chunk(name="b.png"), [PNG])
    picker._handle_custom_msg(chunk(size=0, name="c.png"), [b""])
    first, second = picker._message.split("\n")
    assert first.startswith("a.png: ")
    assert second.startswith("c.png: ")
    for _ in range(100):
        picker._handle_custom_msg(chunk(size=0, name="c.png"), [b""])
    assert len(picker._message) <= 2000


def test_remarks_on_other_files_go_when_the_next_begin(messages):
    picker = ImagePicker()
    picker._handle_custom_msg(chunk(size=5, name="a.png"), [b"hello"])
    picker._handle_custom_msg({"type": "uploads"}, [])
    assert picker._message == ""
    about = {"type": "unreadable upload", "name": "folder", "reason": "it is a folder"}
    picker._handle_custom_msg(about, [])
    picker._handle_custom_msg(chunk(size=MOST_BYTES + 1, name="large.png"), [b""])
    place = "at most 64 MiB can be uploaded: put it into a folder, and open that"
    assert picker._message.split("\n") == [
        "folder cannot be read: it is a folder",
        f"large.png has 67.1 MB; {place}",
    ]
    assert messages[-1]["failed"]


def test_what_is_asked_comes_after_what_was_picked_before(tmp_path):
    # The page holds a pick back while another is on its way, but never a message.
    picker = ImagePicker()
    pick = {"value": "city-arrow"}
    missing = {"type": "folder", "path": str(tmp_path / "missing"), "traits": pick}
    picker._handle_custom_msg(missing, [])
    assert picker.value == "city-arrow"
    message = picker._message
    assert "missing" in message
    picker.set_state(pick)  # the pick that was held back
    assert picker._message == message
    picker.set_state({"value": "country-road"})
    assert picker._message == ""


@given(data=st.binary(min_size=1, max_size=300), cuts=st.lists(st.integers(1, 299)))
def test_any_split_gives_the_same_bytes(data, cuts):
    uploads = Uploads()
    edges = [0, *sorted({cut for cut in cuts if cut < len(data)}), len(data)]
    for start, end in pairwise(edges):
        upload = uploads.take(chunk(start, len(data)), [memoryview(data)[start:end]])
        assert upload.complete == (end == len(data))
    assert bytes(upload.content) == data


@given(
    first=st.binary(min_size=1, max_size=40),
    second=st.binary(min_size=1, max_size=40),
    turns=st.lists(st.sampled_from("ab")),
)
def test_interleaved_uploads_do_not_mix(first, second, turns):
    uploads, expected, sent, whole = Uploads(), {"a": first, "b": second}, {"a": 0, "b": 0}, {}
    for id_ in [*turns, *"ab" * 40]:
        start = sent[id_]
        if start < len(expected[id_]):
            sent[id_] += 1
            header = chunk(start, len(expected[id_]), id_)
            whole[id_] = uploads.take(header, [expected[id_][start : start + 1]]).content
    assert whole == expected


def test_abandoned_uploads():
    uploads = Uploads()
    uploads.take(chunk(0, 4), [b"ab"])
    uploads.take(chunk(0, 4), [b"cd"])  # begun anew
    assert uploads.take(chunk(2, 4), [b"ef"]).content == b"cdef"
    uploads.take(chunk(0, 4), [b"ab"])
    with pytest.raises(InvalidArgumentError, match="from 2 on, got those from 3 on"):
        uploads.take(chunk(3, 4), [b"x"])
    with pytest.raises(InvalidArgumentError, match="from 0 on, got those from 2 on"):
        uploads.take(chunk(2, 4), [b"cd"])
    for id_ in "vwxyz":
        uploads.take(chunk(0, 4, id_), [b"ab"])
    assert uploads.take(chunk(2, 4, "z"), [b"cd"]).complete
    with pytest.raises(InvalidArgumentError):
        uploads.take(chunk(2, 4, "v"), [b"cd"])  # only so many are kept


def test_upload_is_dropped():
    picker = ImagePicker()
    picker._handle_custom_msg(chunk(), [PNG[:10]])
    picker._handle_custom_msg({"type": "drop upload", "id": "a"}, [])
    picker._handle_custom_msg({"type": "drop upload", "id": ["never"]}, [])
    picker._handle_custom_msg(chunk(10), [PNG[10:]])
    assert "expected the bytes from 0 on, got those from 10 on" in picker._message


@pytest.mark.full
def test_segments_what_is_picked():
    picker = ImagePicker()
    picker.add(wn.image("city-arrow").read_bytes(), "road.jpg")
    same = wn.segment(wn.image("city-arrow")).digest()
    assert wn.segment(picker.image).digest() == same
