""".tensor files: names, sidecars, what is refused."""

import hashlib
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from wasinn_nb.abi import TensorType
from wasinn_nb.errors import TensorFileError
from wasinn_nb.tensor import Tensor, read_sidecar, read_tensor, sidecar_path

ABC = Tensor((1, 3), "u8", b"abc")
RAMP = Tensor.from_array(np.arange(6, dtype=np.float32).reshape(2, 3))


# -- .tensor files ---------------------------------------------------------------------------------


@pytest.mark.full
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
