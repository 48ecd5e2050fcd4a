"""Checked guest memory: every boundary, growth, and copies that are copies."""

import struct

import numpy as np
import pytest
import wasmtime
from hypothesis import given
from hypothesis import strategies as st

from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.host.memory import GuestMemory, unsigned

PAGE = 65536


def make(pages=1):
    store = wasmtime.Store()
    raw = wasmtime.Memory(store, wasmtime.MemoryType(wasmtime.Limits(pages, None)))
    return raw, store, GuestMemory(raw, store)


@pytest.mark.parametrize(
    ("pointer", "length", "ok"),
    [
        (0, 0, True),
        (0, PAGE, True),
        (0, PAGE + 1, False),
        (PAGE - 1, 1, True),
        (PAGE - 1, 2, False),
        (PAGE, 0, True),
        (PAGE, 1, False),
        (PAGE + 1, 0, False),
        (-1, 1, False),
        (-1, 0, False),
        (-PAGE, PAGE, False),
        (0, -1, False),
        (1, 0xFFFFFFFF, False),
        (0xFFFFFFFF, 1, False),
        (0, 1 << 32, False),
        (8, 8 * 0x20000001, False),
        (0, 4 * (1 << 31), False),
    ],
)
def test_ranges(pointer, length, ok):
    _, _, memory = make()
    accesses = [
        lambda: memory.check(pointer, length, "it"),
        lambda: memory.read(pointer, length, "it"),
        lambda: memory.read_bytes(pointer, length, "it"),
        lambda: memory.view(pointer, length, "it"),
    ]
    for access in accesses:
        if ok:
            access()
        else:
            with pytest.raises(InvalidArgumentError, match=r"it: \d+ bytes at 0x[0-9a-f]{8} lie"):
                access()


def test_reads_and_writes_at_both_ends():
    raw, store, memory = make()
    memory.write(0, b"first", "it")
    memory.write(PAGE - 4, np.array([0x04030201], "<u4"), "it")
    assert bytes(raw.read(store, 0, 5)) == b"first"
    assert memory.read_bytes(PAGE - 4, 4, "it") == b"\1\2\3\4"
    assert memory.read_u32(PAGE - 4, 1, "it") == (0x04030201,)
    assert memory.read_u32(PAGE, 0, "it") == ()
    memory.write_u32(8, 0xFFFFFFFE, "it")
    assert memory.read(8, 4, "it").tolist() == [0xFE, 0xFF, 0xFF, 0xFF]


def test_a_write_that_does_not_fit_writes_nothing():
    _, _, memory = make()
    with pytest.raises(InvalidArgumentError):
        memory.write(PAGE - 2, b"abc", "it")
    assert memory.read_bytes(PAGE - 2, 2, "it") == b"\0\0"


def test_a_copy_does_not_change_with_the_memory_and_cannot_be_written_to():
    _, _, memory = make()
    memory.write(16, b"abcd", "it")
    copy = memory.read(16, 4, "it")
    memory.write(16, b"wxyz", "it")
    assert bytes(copy) == b"abcd"
    assert not copy.flags.writeable


def test_a_view_is_the_memory():
    _, _, memory = make()
    memory.view(16, 4, "it")[:] = np.frombuffer(b"abcd", np.uint8)
    assert memory.read_bytes(16, 4, "it") == b"abcd"
    assert memory.view(PAGE, 0, "it").size == 0


def test_growth_is_seen_though_the_memory_may_move():
    raw, store, memory = make()
    memory.write(PAGE - 1, b"x", "it")
    with pytest.raises(InvalidArgumentError, match="65536 bytes"):
        memory.read_bytes(PAGE - 1, 2, "it")
    raw.grow(store, 300)
    assert memory.size == 301 * PAGE
    assert memory.read_bytes(PAGE - 1, 2, "it") == b"x\0"
    memory.write(301 * PAGE - 1, b"y", "it")


def test_memory_of_no_bytes():
    _, _, memory = make(0)
    assert memory.read(0, 0, "it").size == 0
    memory.write(0, b"", "it")
    with pytest.raises(InvalidArgumentError, match="memory of 0 bytes"):
        memory.read(0, 1, "it")


def test_unsigned():
    assert [unsigned(v) for v in (0, 1, -1, -(2**31), 2**31 - 1, 2**40)] == [
        *(0, 1, 2**32 - 1, 2**31, 2**31 - 1, 2**40)
    ]


@given(st.integers(-(2**31), 2**32 - 1), st.integers(-(2**31), 2**34))
def test_exactly_the_ranges_inside_are_read(pointer, length):
    _, _, memory = SHARED
    start, count = pointer % 2**32, length if length >= 0 else length % 2**32
    if start + count <= PAGE:
        assert memory.read_bytes(pointer, length, "it") == PATTERN[start : start + count]
        assert bytes(memory.read(pointer, length, "it")) == PATTERN[start : start + count]
    else:
        with pytest.raises(InvalidArgumentError):
            memory.read(pointer, length, "it")


@given(st.integers(0, PAGE), st.binary(max_size=64))
def test_a_write_changes_its_range_and_nothing_else(pointer, data):
    raw, store, memory = SHARED
    before = bytes(raw.read(store, 0, PAGE))
    if pointer + len(data) <= PAGE:
        memory.write(pointer, data, "it")
        expected = before[:pointer] + data + before[pointer + len(data) :]
    else:
        with pytest.raises(InvalidArgumentError):
            memory.write(pointer, data, "it")
        expected = before
    assert bytes(raw.read(store, 0, PAGE)) == expected
    memory.write(0, PATTERN, "it")


SHARED = make()
PATTERN = struct.pack(f"<{PAGE // 4}I", *range(PAGE // 4))
SHARED[2].write(0, PATTERN, "it")
