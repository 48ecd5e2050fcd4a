import copy
import hashlib
import io
import itertools
import json
import math
import os
import pickle
import resource
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from wasinn_nb.abi import TensorType
from wasinn_nb.errors import MissingFileError, TensorError, TensorFileError, WasiNnError
from wasinn_nb.tensor import Tensor, read_sidecar, read_tensor, sidecar_path
from wasinn_nb.transaction import atomic

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


# -- .tensor files ---------------------------------------------------------------------------------


@given(
    array=hnp.arrays(
        st.sampled_from([t.dtype for t in TensorType]),
        hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3),
    ),
    suffix=st.sampled_from([".tensor", ".npy", ".bin"]),
)
def test_files_come_back_as_they_were(tmp_path_factory, array, suffix):
    tensor = Tensor.from_array(array)
    path = tmp_path_factory.getbasetemp() / f"round{suffix}"
    assert tensor.write(path) == path
    assert read_tensor(path) == tensor
    assert read_tensor(path, tensor.dimensions, tensor.type) == tensor


def test_the_sidecar_says_what_the_bytes_are(tmp_path):
    path = RAMP.write(tmp_path / "out-2x3xf32.tensor", metadata={"model": "toy", "n": [1, 2.5]})
    assert path.read_bytes() == bytes(RAMP.data)
    assert json.loads((tmp_path / "out-2x3xf32.tensor.json").read_text()) == {
        "format": "wasinn_nb.tensor/1",
        "dimensions": [2, 3],
        "type": "f32",
        "bytes": 24,
        "sha256": hashlib.sha256(bytes(RAMP.data)).hexdigest(),
        "model": "toy",
        "n": [1, 2.5],
    }
    values = read_sidecar(path)
    assert (values["dimensions"], values["type"], values["model"]) == (
        (2, 3),
        TensorType.F32,
        "toy",
    )


@pytest.mark.parametrize(
    ("name", "signature"),
    [
        ("out-1x2x3xu8.tensor", "1x2x3xu8"),
        ("6xu8.tensor", "6xu8"),
        ("6xi8.tensor", "6xi8"),
        ("a.b_6xu8.tensor", "6xu8"),
        ("image.jpg.image-0.24.3.bgr-1x2x3xu8.tensor", "1x2x3xu8"),
        ("ü ñ %20#?-2x3xu8.tensor", "2x3xu8"),
        ("-6xu8.tensor", "6xu8"),
        ("9x9xu8-6xu8.tensor", "6xu8"),  # the last one counts
        ("out-0006xu8", "6xu8"),
    ],
)
def test_the_name_tells_the_shape(tmp_path, name, signature):
    (tmp_path / name).write_bytes(b"abcdef")
    assert read_tensor(tmp_path / name).signature == signature


@pytest.mark.parametrize(
    "name",
    [
        "out.tensor",
        "model6xu8.tensor",
        "out-6xu7.tensor",
        "out-6u8.tensor",
        "out-xu8.tensor",
        "out-6xu8.txt",
        "out-6xu8 (1).tensor",
        "out-99999999999999999999xu8.tensor",
    ],
)  # fmt: skip
def test_names_that_tell_nothing(tmp_path, name):
    (tmp_path / name).write_bytes(b"abcdef")
    with pytest.raises(TensorFileError) as caught:
        read_tensor(tmp_path / name)
    assert str(caught.value) == (
        f"{name}: nothing says its dimensions; name it like output-1x4x512x896xf32.tensor, keep "
        f"its sidecar beside it, or pass dimensions and type"
    )
    assert read_tensor(tmp_path / name, [2, 3], "u8").signature == "2x3xu8"
    with pytest.raises(TensorFileError, match="nothing says its type"):
        read_tensor(tmp_path / name, [6])


# Each pair of sources that can disagree, in dimensions and in type; both numbers are named.
@pytest.mark.parametrize(
    ("name", "sidecar", "arguments", "message"),
    [
        ("-2x3xu8", None, ([3, 2], None), "dimensions 2x3 in the name, but 3x2 in the arguments"),
        ("-2x3xu8", None, ([6], "u8"), "dimensions 2x3 in the name, but 6 in the arguments"),
        ("-2x3xu8", None, ([], None), "dimensions 2x3 in the name, but () in the arguments"),
        ("-2x3xu8", None, (None, "i32"), "type u8 in the name, but i32 in the arguments"),
        ("-2x3xu8", ([3, 2], "u8"), (), "dimensions 2x3 in the name, but 3x2 in the sidecar"),
        ("-2x3xf16", ([2, 3], "u8"), (), "type f16 in the name, but u8 in the sidecar"),
        ("", ([6], "u8"), ([3, 2], None), "dimensions 6 in the sidecar, but 3x2 in the arguments"),
        ("", ([2, 3], "u8"), (None, "f16"), "type u8 in the sidecar, but f16 in the arguments"),
        ("", ([], "u8"), ([1], None), "dimensions () in the sidecar, but 1 in the arguments"),
    ],
)  # fmt: skip
def test_sources_that_disagree(tmp_path, name, sidecar, arguments, message):
    path = tmp_path / f"out{name}.tensor"
    path.write_bytes(b"abcdef")
    if sidecar is not None:
        _write_sidecar(path, dimensions=sidecar[0], type=sidecar[1])
    with pytest.raises(TensorFileError) as caught:
        read_tensor(path, *arguments)
    assert str(caught.value) == f"{path.name}: {message}; correct one of them"


@pytest.mark.parametrize("size", [0, 23, 25, 48])
@pytest.mark.parametrize("source", ["name", "sidecar", "arguments"])
def test_a_byte_more_or_less_is_an_error_with_both_numbers(tmp_path, size, source):
    path = tmp_path / ("out-2x3xf32.tensor" if source == "name" else "out.tensor")
    path.write_bytes(bytes(size))
    if source == "sidecar":
        _write_sidecar(path, dimensions=[2, 3], type="f32")
    with pytest.raises(TensorFileError) as caught:
        read_tensor(path, *(([2, 3], "f32") if source == "arguments" else ()))
    assert str(caught.value) == f"{path.name}: 2x3xf32 takes 24 bytes, the file has {size}"


def _write_sidecar(path, **changes):
    values = {
        "format": "wasinn_nb.tensor/1",
        "dimensions": [6],
        "type": "u8",
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }
    values |= changes
    text = json.dumps({key: value for key, value in values.items() if value is not ...})
    sidecar_path(path).write_text(text)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": "other"}, 'expected a JSON object with "format": "wasinn_nb.tensor/1"'),
        ({"format": ...}, 'expected a JSON object with "format": "wasinn_nb.tensor/1"'),
        ({"sha256": None}, "expected `str`, got `null` at `$.sha256`"),
        ({"sha256": ...}, "object missing required field `sha256`"),
        ({"dimensions": "6"}, "expected `array`, got `str` at `$.dimensions`"),
        ({"dimensions": [6.0]}, "expected `int`, got `float` at `$.dimensions[0]`"),
        ({"dimensions": [-6]}, "expected whole dimensions of 0 or more, got -6 in (-6,)"),
        ({"dimensions": [True]}, "expected `int`, got `bool` at `$.dimensions[0]`"),
        ({"dimensions": 6}, "expected `array`, got `int` at `$.dimensions`"),
        ({"dimensions": ...}, "object missing required field `dimensions`"),
        ({"type": "i8x"}, "'i8x' is not a tensor type; expected one of f16, f32, f64, u8, i32, "),
        ({"type": None}, "expected `str`, got `null` at `$.type`"),
        ({"type": ...}, "object missing required field `type`"),
        ({"type": 3}, "expected `str`, got `int` at `$.type`"),
        ({"bytes": 7}, "6xu8 takes 6 bytes, it states 7"),
        ({"bytes": "6"}, "expected `int`, got `str` at `$.bytes`"),
    ],
)
def test_a_sidecar_with_wrong_fields(tmp_path, changes, message):
    path = tmp_path / "out.tensor"
    path.write_bytes(b"abcdef")
    _write_sidecar(path)
    assert read_tensor(path).signature == "6xu8"
    _write_sidecar(path, **changes)
    with pytest.raises(TensorFileError) as caught:
        read_tensor(path)
    assert str(caught.value).startswith(f"out.tensor.json: {message}")
    remedy = "; write the tensor again, or delete the file and pass dimensions and type"
    assert str(caught.value).endswith(remedy)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", " is not valid JSON: it is empty"),
        (b"not json", " is not valid JSON: line 1, column 5: invalid character"),
        (b"\xff\xfe\x00", " is not valid JSON: expected UTF-8, got another encoding"),
        (b"[" * 100_000, " is not valid JSON: nested more than 100 levels deep"),
        (b"[1]", ": expected a sidecar as a JSON object, got an array"),
        (b'{"dimensions": [' + b"9" * 5000 + b"]}", " is not valid JSON: integer value out of "),
        (b" " * (1 << 20) + b"{}", ": larger than 1048576 bytes, which no sidecar is"),
    ],
)
def test_a_file_that_is_not_a_sidecar(tmp_path, content, message):
    path = tmp_path / "out-6xu8.tensor"
    path.write_bytes(b"abcdef")
    sidecar_path(path).write_bytes(content)
    with pytest.raises(TensorFileError) as caught:
        read_tensor(path)
    assert str(caught.value).startswith(f"out-6xu8.tensor.json{message}")


def test_changed_data_do_not_match_the_sidecar(tmp_path):
    path = Tensor((6,), "u8", b"abcdef").write(tmp_path / "out.tensor")
    path.write_bytes(b"abcdeF")
    with pytest.raises(TensorFileError) as caught:
        read_tensor(path)
    assert str(caught.value) == (
        "out.tensor: the data have SHA-256 8db859d771428749…, the sidecar says bef57ec7f53a6d40…; "
        "the file was changed after its sidecar was written (delete out.tensor.json if that was "
        "intended)"
    )
    assert bytes(read_tensor(path, verify=False).data) == b"abcdeF"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "out-3x1xu8.tensor",
            (
                "the name out-3x1xu8.tensor states 3x1xu8, the tensor is 1x3xu8; rename the file, "
                "or leave the dimensions out of its name"
            ),
        ),
        ("out-1x3xi32.tensor", "the name out-1x3xi32.tensor states 1x3xi32, the tensor is 1x3xu8"),
    ],
)
def test_a_name_that_lies_is_not_written(tmp_path, name, message):
    with pytest.raises(TensorFileError) as caught:
        ABC.write(tmp_path / name)
    assert str(caught.value).startswith(message)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"x": {1, 2}}, "the metadata for out.tensor cannot be written as JSON: "),
        ({"x": float("nan")}, "the metadata for out.tensor cannot be written as JSON: "),
        ({"x": b""}, "the metadata for out.tensor cannot be written as JSON: "),
        (
            {"type": "f32", "sha256": ""},
            "the sidecar of out.tensor has sha256, type of its own; give the metadata other",
        ),
    ],
)
def test_metadata_that_is_not_json_is_not_written(tmp_path, metadata, message):
    with pytest.raises(TensorFileError) as caught:
        ABC.write(tmp_path / "out.tensor", metadata=metadata)
    assert str(caught.value).startswith(message)
    assert list(tmp_path.iterdir()) == []


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
    with pytest.raises(OSError, match=r"(?i)is a (directory|folder)"):
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
