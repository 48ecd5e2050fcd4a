import numpy as np
import pytest

from wasinn_nb.abi import Dialect, Errno, ExecutionTarget, GraphEncoding, TensorType

OLD, NEW, BOTH = Dialect.LEGACY, Dialect.CURRENT, None


@pytest.mark.parametrize(
    ("enumeration", "numbers"),
    [
        (
            Errno,
            (
                "success invalid_argument invalid_encoding missing_memory busy runtime_error "
                "unsupported_operation too_large not_found"
            ),
        ),
        (GraphEncoding, "openvino onnx tensorflow pytorch tensorflowlite autodetect"),
        (ExecutionTarget, "cpu gpu tpu auto"),
        ([type_ for type_ in TensorType if type_.in_wasi_nn], "f16 f32 f64 u8 i32 i64"),
    ],
)
def test_numbers_are_those_of_the_witx_file(enumeration, numbers):
    assert [member.name.lower() for member in enumeration] == numbers.split()
    assert [member.value for member in enumeration] == list(range(len(enumeration)))


def test_i8_exists_in_python_only():
    assert [type_ for type_ in TensorType if not type_.in_wasi_nn] == [TensorType.I8]
    assert (TensorType.I8, TensorType.I8.itemsize, TensorType.I8.dtype) == (6, 1, np.int8)
    with pytest.raises(ValueError, match="tensor type 6 is unknown in either dialect"):
        TensorType.from_wire(6, 1, 1)


# Rows of ../shared/wasi-nn-abi.md: code, elements, bytes → type and the dialect that it shows.
@pytest.mark.parametrize(
    ("code", "elements", "nbytes", "type_", "dialect"),
    [
        (0, 12, 24, TensorType.F16, BOTH),
        (1, 12, 48, TensorType.F32, BOTH),
        (2, 12, 12, TensorType.U8, OLD),
        (2, 12, 96, TensorType.F64, NEW),
        (3, 12, 48, TensorType.I32, OLD),
        (3, 12, 12, TensorType.U8, NEW),
        (4, 12, 48, TensorType.I32, NEW),
        (5, 12, 96, TensorType.I64, NEW),
        (1, 0, 0, TensorType.F32, BOTH),  # nothing to tell by, and nothing to tell apart
        (4, 0, 0, TensorType.I32, NEW),
        (1, 2**62, 2**64, TensorType.F32, BOTH),
    ],
)
def test_from_wire_tells_the_dialect_by_the_bytes(code, elements, nbytes, type_, dialect):
    assert TensorType.from_wire(code, elements, nbytes) == (type_, dialect)


@pytest.mark.parametrize(
    ("code", "elements", "nbytes", "message"),
    [
        (
            2,
            12,
            48,
            (
                "tensor type 2 means u8 (legacy dialect) or f64 (current dialect): "
                "12 elements take 12 or 96 bytes, got 48"
            ),
        ),
        (
            3,
            12,
            13,
            (
                "tensor type 3 means i32 (legacy dialect) or u8 (current dialect): "
                "12 elements take 48 or 12 bytes, got 13"
            ),
        ),
        (
            1,
            12,
            47,
            (
                "tensor type 1 means f32 (legacy dialect) or f32 (current dialect): "
                "12 elements take 48 bytes, got 47"
            ),
        ),
        (
            1,
            12,
            49,
            (
                "tensor type 1 means f32 (legacy dialect) or f32 (current dialect): "
                "12 elements take 48 bytes, got 49"
            ),
        ),
        (
            5,
            1,
            4,
            "tensor type 5 means i64 (current dialect): 1 elements take 8 bytes, got 4",
        ),
        (
            2,
            0,
            0,
            (
                "tensor type 2 is ambiguous: u8 (legacy dialect) or f64 (current dialect) both fit "
                "0 elements in 0 bytes"
            ),
        ),
        (
            3,
            0,
            0,
            (
                "tensor type 3 is ambiguous: i32 (legacy dialect) or u8 (current dialect) both fit "
                "0 elements in 0 bytes"
            ),
        ),
        (6, 1, 1, "tensor type 6 is unknown in either dialect; expected 0 to 5"),
        (255, 1, 1, "tensor type 255 is unknown in either dialect; expected 0 to 5"),
        (-1, 1, 1, "tensor type -1 is unknown in either dialect; expected 0 to 5"),
    ],
)
def test_from_wire_says_what_neither_dialect_fits(code, elements, nbytes, message):
    with pytest.raises(ValueError) as caught:
        TensorType.from_wire(code, elements, nbytes)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("name", "type_"),
    [
        ("f32", TensorType.F32),
        ("F32", TensorType.F32),
        ("u8", TensorType.U8),  # WASI-NN's 8 bits, not NumPy's 8 bytes
        ("i8", TensorType.I8),  # 8 bits too
        ("int8", TensorType.I8),
        (np.dtype("i8"), TensorType.I64),
        ("float64", TensorType.F64),
        (np.uint8, TensorType.U8),
        (np.dtype(">i4"), TensorType.I32),
        (np.dtype("<f2"), TensorType.F16),
        (TensorType.I64, TensorType.I64),
    ],
)
def test_parse(name, type_):
    assert TensorType.parse(name) is type_


@pytest.mark.parametrize(
    "name",
    [
        None,
        1,
        True,
        1.5,
        "",
        "f32 ",
        "x",
        ",",
        "(1",
        "é",
        "\x00",
        "int16",
        "f4,f4",
        [],
        {},
        ["a"],
        {"a": 1},
        b"\xff",
        np.complex64,
        np.bool_,
        object,
        "M8[s]",
        "f" * 5000,
    ],
)
def test_parse_refuses_what_is_not_a_type(name):
    with pytest.raises(ValueError, match="tensor type") as caught:
        TensorType.parse(name)
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize("type_", TensorType)
def test_sizes_names_and_dtypes_belong_together(type_):
    assert type_.suffix == type_.name.lower()
    assert type_.itemsize * 8 == int(type_.suffix[1:])
    assert type_.dtype.kind == type_.suffix[0]
    assert type_.dtype == type_.dtype.newbyteorder("<")
    assert TensorType.parse(type_.suffix) is TensorType.from_dtype(type_.dtype) is type_


@pytest.mark.parametrize(
    ("encoding", "builders"),
    list(zip(GraphEncoding, [2, 1, 1, 1, 1, None], strict=True)),
)
def test_builders(encoding, builders):
    assert encoding.builders == builders


def test_targets_are_openvino_devices():
    assert [target.device for target in ExecutionTarget] == ["CPU", "GPU", "NPU", "AUTO"]
