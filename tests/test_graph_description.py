import pytest

from wasinn_nb.abi import TensorType
from wasinn_nb.cards import Port
from wasinn_nb.runtimes import Device, DeviceTable
from wasinn_nb.wasi_nn.description import GraphDescription, rust_declaration

OPEN = Port("data", (None, 2), TensorType.F32, "f32")
BOOL = Port("mask", (1, 2), None, "boolean")
SCALAR = Port("", (), TensorType.I64, "i64")


@pytest.mark.parametrize(
    ("port", "kind", "line"),
    [
        (
            Port("x", (1, 3, 2, 2), TensorType.F32, "f32"),
            "input",
            "let mut input = vec![0f32; 1 * 3 * 2 * 2];",
        ),
        (Port("x", (5,), TensorType.F16, "f16"), "input", "let mut input = vec![0u16; 5];"),
        (Port("x", (5,), TensorType.F64, "f64"), "output", "let mut output = vec![0f64; 5];"),
        (Port("x", (5,), TensorType.U8, "u8"), "output", "let mut output = vec![0u8; 5];"),
        (Port("x", (5,), TensorType.I32, "i32"), "output", "let mut output = vec![0i32; 5];"),
        (Port("x", (5,), TensorType.I8, "i8"), "output", "let mut output = vec![0i8; 5];"),
        (SCALAR, "output", "let mut output = vec![0i64; 1];"),
        (OPEN, "input", ""),
        (BOOL, "output", ""),
    ],
)
def test_the_rust_line(port, kind, line):
    assert rust_declaration(port, kind) == line


def test_text_shows_open_sizes_and_missing_types():
    assert repr(GraphDescription((OPEN, SCALAR), (BOOL,), "CPU", "f32")) == (
        "port      name  dimensions and type         bytes\n"
        "input 0   data  ?x2xf32                      open\n"
        "input 1         i64                             8\n"
        "output 0  mask  1x2xboolean          no such type\n"
        "# in Rust\n"
        "let mut input = vec![0i64; 1];  // input 1"
    )


def test_html_is_escaped():
    hostile = "<img src=x onerror=alert(1)>"
    port = Port(hostile, (1,), TensorType.U8, "u8")
    html = GraphDescription((port,), (), "<CPU>", "f32")._repr_html_()
    assert hostile not in html
    assert "on &lt;CPU&gt;, computed in f32" in html
    table = DeviceTable([Device("GPU", reason=hostile)])
    assert hostile not in table._repr_html_()
    assert repr(table).splitlines()[1] == f"GPU     no    {hostile}"
