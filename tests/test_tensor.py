"""Tensors: what one is, and that nothing changes it."""

import copy
import io
import itertools
import math
import os
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from wasinn_nb.abi import TensorType
from wasinn_nb.errors import TensorError, TensorFileError
from wasinn_nb.tensor import Tensor, read_tensor

ABC = Tensor((1, 3), "u8", b"abc")
RAMP = Tensor.from_array(np.arange(6, dtype=np.float32).reshape(2, 3))


# -- what a tensor is ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dims", "type_", "nbytes"),
    [
        ((1, 3), "u8", 3),
        ((2, 3), "f16", 12),
        ((2, 3), "f32", 24),
        ((2, 3), "i32", 24),
        ((2, 3), "f64", 48),
        ((2, 3), "i64", 48),
        ((), "f32", 4),
        ((0, 3), "f32", 0),
    ],
)
def test_dimensions_times_size_must_be_the_bytes(dims, type_, nbytes):
    tensor = Tensor(dims, type_, bytes(nbytes))
    assert (tensor.nbytes, tensor.dimensions) == (nbytes, dims)
    signature = "x".join([*map(str, dims), type_])
    for wrong in {max(0, nbytes - 1), nbytes + 1} - {nbytes}:
        with pytest.raises(TensorError) as caught:
            Tensor(dims, type_, bytes(wrong))
        assert str(caught.value) == f"a {signature} tensor takes {nbytes} bytes, got {wrong}"


@pytest.mark.parametrize(
    ("dims", "message"),
    [
        ((-1, -3), "expected whole dimensions of 0 or more, got -1 in (-1, -3)"),
        ((True, 3), "expected whole dimensions of 0 or more, got True in (True, 3)"),
        ((1.0, 3), "expected whole dimensions of 0 or more, got 1.0 in (1.0, 3)"),
        ("13", "expected whole dimensions of 0 or more, got '1' in ('1', '3')"),
        (3, "expected dimensions such as (1, 3, 512, 896), got 3"),
        (None, "expected dimensions such as (1, 3, 512, 896), got None"),
        ((2**62, 2**62), f"a {2**62}x{2**62}xu8 tensor takes {2**124} bytes, got 3"),
        ((3, *[1] * 64), "NumPy cannot shape a 3x1x1x1x"),
    ],
)
def test_wrong_dimensions(dims, message):
    with pytest.raises(TensorError) as caught:
        Tensor(dims, "u8", b"abc")
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("huge", [2**63 - 1, 2**70])
def test_nothing_times_something_huge_is_refused_and_not_left_for_later(huge):
    with pytest.raises(TensorError, match=f"NumPy cannot shape a 0x{huge}xf32 tensor"):
        Tensor((0, huge), "f32", b"")


def test_numpy_integers_are_whole_numbers():
    dims = Tensor(np.array([1, 3]), "u8", b"abc").dimensions
    assert dims == (1, 3)
    assert {type(dim) for dim in dims} == {int}


@pytest.mark.parametrize(
    ("type_", "data", "message"),
    [
        (
            None,
            b"abc",
            "None is not a tensor type; expected one of f16, f32, f64, u8, i32, i64, i8",
        ),
        ("i2", b"abc", "WASI-NN has no tensor type for dtype int16; convert to one of float16, "),
        ("u8", "abc", "expected bytes as data, got str: memoryview: a bytes-like object is "),
        ("u8", [1, 2, 3], "expected bytes as data, got list: memoryview: a bytes-like object is "),
        ("u8", None, "expected bytes as data, got NoneType: "),
        ("u8", memoryview(b"a-b-c-")[::2], "expected bytes as data, got memoryview: "),
        (
            "u8",
            np.zeros((3, 2), np.uint8)[:, 0],
            "expected a C-contiguous array as data; use Tensor.from_array",
        ),
        (
            "u8",
            np.array([None] * 3),
            (
                "expected data of dtype uint8 or bytes, got an array of object; convert it, or use "
                "Tensor.from_array"
            ),
        ),
    ],
)
def test_wrong_types_and_data(type_, data, message):
    for make in (Tensor, Tensor.adopt):
        with pytest.raises(TensorError) as caught:
            make((1, 3), type_, data)
        assert str(caught.value).startswith(message)


@pytest.mark.parametrize("dtype", [">f4", "<i4", "<u4"])
def test_an_array_of_another_dtype_is_not_read_as_if_it_were_this_one(dtype):
    with pytest.raises(TensorError, match="expected data of dtype float32 or bytes"):
        Tensor((2,), "f32", np.array([1, 2], dtype))
    assert Tensor((2,), "f32", np.array([1, 2], "<f4")).to_array().tolist() == [1, 2]
    raw = np.frombuffer(np.array([1, 2], "<f4").tobytes(), np.uint8)
    assert Tensor((2,), "f32", raw).to_array().tolist() == [1, 2]


@pytest.mark.parametrize(
    "source",
    [
        np.asfortranarray([[1, 2], [3, 4]]).astype(np.float32, order="F"),
        np.array([[1, 2], [3, 4]], ">f4"),
        np.array([[1, 9, 2, 9], [3, 9, 4, 9]], np.float32)[:, ::2],
        np.array([[4, 3], [2, 1]], np.float32)[::-1, ::-1],
    ],
    ids=["Fortran", "big-endian", "strided", "reversed"],
)
def test_from_array_takes_any_layout(source):
    tensor = Tensor.from_array(source)
    assert tensor.signature == "2x2xf32"
    assert bytes(tensor.data).hex() == "0000803f000000400000404000008040"
    assert tensor.to_array().tolist() == [[1, 2], [3, 4]]


def test_from_array_keeps_scalars_and_refuses_what_is_not_an_array():
    assert Tensor.from_array(np.float32(3)).dimensions == ()
    assert Tensor.from_array(np.float32(3)).to_array() == 3
    with pytest.raises(TensorError, match="no tensor type for dtype complex128"):
        Tensor.from_array([1j])
    with pytest.raises(TensorError, match="expected an array: setting an array element"):
        Tensor.from_array([[1], [2, 3]])


@pytest.mark.full
@given(
    hnp.arrays(
        st.sampled_from([t.dtype for t in TensorType]),
        hnp.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=4),
    )
)
def test_arrays_come_back_as_they_were(array):
    tensor = Tensor.from_array(array)
    back = tensor.to_array()
    assert (back.dtype, back.shape) == (array.dtype, array.shape)
    assert back.tobytes() == array.tobytes() == bytes(tensor.data)
    assert tensor == Tensor(array.shape, array.dtype, array.tobytes())
    assert tensor.nbytes == math.prod(array.shape) * array.dtype.itemsize


# -- immutable in every way ------------------------------------------------------------------------


def _every_tensor():
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    return {
        "bytes": Tensor((2, 3), "f32", array.tobytes()),
        "bytearray": Tensor((2, 3), "f32", bytearray(array.tobytes())),
        "memoryview": Tensor((2, 3), "f32", memoryview(array)),
        "array": Tensor((2, 3), "f32", array),
        "from_array": Tensor.from_array(array),
        "adopted": Tensor.adopt((2, 3), "f32", array.copy()),
    }


@pytest.mark.parametrize("made_of", _every_tensor())
def test_nothing_that_a_tensor_hands_out_can_be_written_to(made_of):
    tensor = _every_tensor()[made_of]
    attempts = [
        lambda: tensor.to_array().__setitem__(0, 9),
        lambda: setattr(tensor.to_array().flags, "writeable", True),
        lambda: setattr(tensor.to_array().base.flags, "writeable", True),
        lambda: tensor.to_array().base.__setitem__(0, 9),
        lambda: tensor.to_array().sort(),
        lambda: tensor.data.__setitem__(0, 9),
        lambda: setattr(tensor.data.obj.flags, "writeable", True),
        lambda: np.add(tensor.to_array(), 1, out=tensor.to_array()),
    ]
    for attempt in attempts:
        with pytest.raises((ValueError, TypeError)):
            attempt()
    assert tensor == RAMP
    assert not tensor.to_array().flags.writeable
    assert tensor.data.readonly


@pytest.mark.parametrize("name", ["dimensions", "type", "data", "_bytes", "signature", "new"])
def test_attributes_cannot_be_set_or_deleted(name):
    with pytest.raises(AttributeError, match=f"a Tensor is immutable; make a new one .*{name!r}"):
        setattr(ABC, name, 1)
    with pytest.raises(AttributeError, match=f"a Tensor is immutable; {name!r} cannot be deleted"):
        delattr(ABC, name)
    assert repr(ABC) == "Tensor(1x3xu8, 3 bytes)"


@pytest.mark.parametrize("kind", [bytearray, np.array, memoryview])
def test_what_could_still_change_is_copied(kind):
    raw = bytearray(b"abc")
    source = {bytearray: lambda: raw, memoryview: lambda: memoryview(raw)}.get(
        kind, lambda: np.frombuffer(raw, np.uint8)
    )()
    tensor = Tensor((3,), "u8", source)
    raw[0] = 0
    assert bytes(tensor.data) == b"abc"


def test_bytes_and_adopted_arrays_are_not_copied():
    raw = bytes(1000)
    shared = np.frombuffer(raw, np.uint8)
    assert np.shares_memory(Tensor((1000,), "u8", raw).to_array(), shared)
    array = np.zeros((2, 2), np.float32)
    assert np.shares_memory(Tensor.adopt((2, 2), "f32", array).to_array(), array)
    assert array.flags.writeable  # the caller's array stays the caller's
    assert not np.shares_memory(Tensor.from_array(array).to_array(), array)


@pytest.mark.parametrize(
    "clone", [copy.copy, copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t))]
)
@pytest.mark.parametrize(
    "tensor", [ABC, RAMP, Tensor((), "f64", bytes(8)), Tensor((0,), "u8", b"")]
)
def test_copies_are_equal_and_hash_alike(clone, tensor):
    other = clone(tensor)
    assert other == tensor
    assert hash(other) == hash(tensor)
    assert not other.to_array().flags.writeable


@pytest.mark.parametrize(
    "other",
    [
        Tensor((3, 1), "u8", b"abc"),
        Tensor((1, 3), "u8", b"abd"),
        Tensor((3,), "u8", b"abc"),
        Tensor((1, 3), "f32", bytes(12)),
        b"abc",
        None,
    ],
)
def test_another_shape_type_or_byte_is_another_tensor(other):
    assert other != ABC
    assert other != ABC


def test_nan_equals_itself_byte_by_byte():
    assert Tensor.from_array(np.float32([np.nan])) == Tensor.from_array(np.float32([np.nan]))
    assert Tensor.from_array(np.float32([0.0])) != Tensor.from_array(np.float32([-0.0]))


# -- .npy ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "array",
    [
        np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3)),
        np.arange(6, dtype=">f4").reshape(2, 3),
        np.arange(6, dtype="<f4").reshape(2, 3),
    ],
    ids=["Fortran", "big-endian", "plain"],
)
def test_npy_files_of_others_are_read(tmp_path, array):
    np.save(tmp_path / "a.npy", array)
    assert read_tensor(tmp_path / "a.npy") == RAMP
    assert read_tensor(tmp_path / "a.npy", [2, 3], "f32") == RAMP
    with pytest.raises(TensorFileError) as caught:
        read_tensor(tmp_path / "a.npy", [3, 2])
    assert (
        str(caught.value)
        == "a.npy: dimensions 2x3 in the file, but 3x2 in the arguments; correct one of them"
    )
    with pytest.raises(TensorFileError, match="type f32 in the file, but i32 in the arguments"):
        read_tensor(tmp_path / "a.npy", None, "i32")


def test_npy_without_metadata_only(tmp_path):
    with pytest.raises(TensorFileError, match=r"a.npy: .npy keeps no metadata"):
        ABC.write(tmp_path / "a.npy", metadata={"model": "toy"})
    ABC.write(tmp_path / "a.npy")
    assert np.load(tmp_path / "a.npy").tolist() == [[97, 98, 99]]


def _npy(array, **options):
    out = io.BytesIO()
    np.save(out, array, **options)
    return out.getvalue()


def _npz():
    out = io.BytesIO()
    np.savez(out, a=np.zeros(3), b=np.zeros(3))
    return out.getvalue()


class _Trap:
    def __reduce__(self):
        return os._exit, (66,)


PLAIN = _npy(np.arange(6, dtype=np.float32))


@pytest.mark.parametrize(
    "content",
    [
        _npy(np.array([_Trap()], dtype=object), allow_pickle=True),
        pickle.dumps(_Trap()),
        _npz(),
        _npz()[:100],
        b"",
        b"\x93NUMPY",
        b"\x93NUMPY\x01\x00\xff\xff{",
        b"text",
        PLAIN[:-1],
        PLAIN[:60],
        PLAIN + b"\0",
        PLAIN.replace(b"(6,)", b"(7,)"),
        PLAIN.replace(b"(6,), }     ", b"(2**60,), } "),
        PLAIN.replace(b"(6,), }           ", b"(99999999999,), } "),
        PLAIN.replace(b"(6,), }                  ", b"(999999999999999999,), } "),
        PLAIN.replace(b"(6,), }                           ", b"(999999999999999999999999999,), } "),
        PLAIN.replace(b"(6,)", b"(-6)"),
        PLAIN.replace(b"<f4", b"<c8"),
        PLAIN.replace(b"<f4", b"|b1"),
        PLAIN.replace(b"<f4", b"|zz"),
    ],
    ids=itertools.count(),
)  # fmt: skip
def test_npy_files_that_are_refused(tmp_path, content):
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(TensorFileError) as caught:
        read_tensor(tmp_path / "a.npy")
    assert str(caught.value).startswith("a.npy: ")


def test_npy_a_byte_too_long_names_both_numbers(tmp_path):
    (tmp_path / "a.npy").write_bytes(PLAIN + b"\0")
    with pytest.raises(TensorFileError) as caught:
        read_tensor(tmp_path / "a.npy")
    assert str(caught.value) == "a.npy: 6xf32 and its header take 152 bytes, the file has 153"
