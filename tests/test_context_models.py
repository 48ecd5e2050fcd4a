"""What a context loads: encodings, types, sizes, precision."""

import numpy as np
import pytest
import toy_files
import toys
from contexts import TWO, _fresh, _set, run, values

from wasinn_nb.abi import Errno, GraphEncoding
from wasinn_nb.errors import (
    InvalidArgumentError,
    RuntimeFailure,
    UnsupportedOperationError,
)
from wasinn_nb.tensor import Tensor
from wasinn_nb.wasi_nn.context import WasiNnCtx

# -- encodings -------------------------------------------------------------------------------------


ONE_FILE = {
    "onnx": toys.onnx_relu,
    "tensorflow": toy_files.tensorflow_relu,
    "autodetect": toy_files.paddle_relu,
}


@pytest.mark.full
@pytest.mark.parametrize("encoding", ["openvino", "autodetect", GraphEncoding.OPENVINO, 0])
def test_ir_from_paths_bytes_both_and_one_path(ctx, relu, tmp_path, encoding):
    folder = tmp_path / "ü ñ %20#"
    folder.mkdir()
    xml, weights = folder / "toy.xml", folder / "toy.bin"
    for path, part in zip((xml, weights), relu, strict=True):
        path.write_bytes(part)
    ways = [relu, [xml, weights], [str(xml), str(weights)], xml, str(xml)]
    ways += [[relu[0], weights], [xml, bytearray(relu[1])], [memoryview(relu[0]), relu[1]]]
    for way in ways:
        assert values(run(ctx, way, TWO, encoding=encoding)[0]) == [[0, 2]]


def test_ir_with_a_byte_order_mark_and_without_a_declaration(ctx):
    xml, weights = toys.plus(3)
    body = xml.split(b"?>", 1)[1]
    for text in (b"\xef\xbb\xbf" + xml, b"\n  " + body):
        assert values(run(ctx, [text, weights], TWO)[0]) == [[2, 5]]


@pytest.mark.full
@pytest.mark.parametrize("encoding", ONE_FILE)
@pytest.mark.parametrize("declared", [True, False])
def test_one_file_encodings_from_paths_and_bytes(ctx, tmp_path, encoding, declared):
    content = ONE_FILE[encoding]()
    suffix = {"onnx": ".onnx", "tensorflow": ".pb", "autodetect": ".pdmodel"}[encoding]
    path = tmp_path / f"toy{suffix}"
    path.write_bytes(content)
    stated = encoding if declared else "autodetect"
    for model in (content, [content], path, [str(path)]):
        assert values(run(ctx, model, TWO, encoding=stated)[0]) == [[0, 2]]


def test_paddle_takes_a_program_and_its_weights(ctx):
    assert values(run(ctx, [toy_files.paddle_relu(), b""], TWO)[0]) == [[0, 2]]


def test_a_saved_onnx_with_other_names_is_read_by_its_content(ctx, tmp_path):
    (tmp_path / "model").write_bytes(toys.onnx_relu())
    assert values(run(ctx, tmp_path / "model", TWO, encoding="onnx")[0]) == [[0, 2]]


def test_tflite(ctx, shared, tmp_path):
    path = shared / "models" / "lite-model_aiy_vision_classifier_birds_V1_3.tflite"
    tensor = Tensor((1, 224, 224, 3), "u8", bytes(224 * 224 * 3))
    outputs = {
        run(ctx, model, tensor, encoding=encoding)[0]
        for model in (path, path.read_bytes())
        for encoding in ("tensorflowlite", "autodetect")
    }
    assert len(outputs) == 1
    assert outputs.pop().signature == "1x965xu8"
    assert ctx.describe(0).inputs[0].signature == "1x224x224x3xu8"
    broken = bytearray(path.read_bytes()[:100_000])
    with pytest.raises(RuntimeFailure, match="corrupted or malformed"):
        ctx.load(bytes(broken), "tensorflowlite")


@pytest.mark.parametrize("declared", ["onnx", "tensorflow", "tensorflowlite"])
def test_bytes_of_another_encoding(ctx, relu, shared, declared):
    tflite = shared / "models" / "lite-model_aiy_vision_classifier_birds_V1_3.tflite"
    for found, start in (("openvino", relu[0]), ("tensorflowlite", tflite)):
        if found != declared:
            with pytest.raises(RuntimeFailure) as caught:
                ctx.load([start], declared)
            named = f"{tflite}: " if start is tflite else ""
            assert str(caught.value) == (
                f"{named}declared as {declared}, but the bytes are those of encoding {found}"
            )


@pytest.mark.parametrize(
    "garbage", [b"garbage", b"\0" * 99, b"\xff" * 99, b"PK\3\4", b"# text\n", bytes(range(1, 200))]
)
@pytest.mark.parametrize("encoding", ["onnx", "tensorflow", "tensorflowlite", "autodetect"])
def test_garbage_is_refused_without_a_word_on_standard_error(ctx, capfd, garbage, encoding):
    with pytest.raises(
        RuntimeFailure, match=f"the bytes are not a model of encoding {encoding}; they"
    ):
        ctx.load(garbage, encoding)
    assert capfd.readouterr() == ("", "")


def test_nothing_is_left_in_the_temporary_folder(ctx, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    run(ctx, toy_files.tensorflow_relu(), TWO)
    with pytest.raises(RuntimeFailure):
        ctx.load(b"\x0a\x03abc", "tensorflow")
    assert list(tmp_path.iterdir()) == []


# -- what models can be ----------------------------------------------------------------------------


def test_several_inputs_and_outputs(ctx):
    import openvino as ov
    from openvino import opset13 as op

    a = op.parameter([2], ov.Type.f32, name="a")
    b = op.parameter([2], ov.Type.i32, name="b")
    c = op.parameter([1], ov.Type.u8, name="c")
    total = op.add(a, op.convert(b, ov.Type.f32))
    doubled = op.multiply(b, op.constant(np.int32(2)))
    model = toys.ir(
        ov.Model([op.result(total), op.result(doubled), op.result(c)], [a, b, c], "three")
    )
    tensors = [
        Tensor.from_array(np.float32([1, 2])),
        Tensor.from_array(np.int32([10, 20])),
        Tensor.from_array(np.uint8([7])),
    ]
    context = ctx.init_execution_context(ctx.load(model))
    ctx.set_input(context, 1, tensors[1])
    with pytest.raises(RuntimeFailure) as caught:
        ctx.compute(context)
    assert str(caught.value) == (
        "compute before input 0, 2 is set: call set_input for each of 3 inputs first"
    )
    ctx.set_input(context, 0, tensors[0])
    ctx.set_input(context, 2, tensors[2])
    for _ in range(2):
        ctx.compute(context)
        outputs = [ctx.get_output(context, index) for index in (2, 0, 1)]
        assert [values(tensor) for tensor in outputs] == [[7], [11, 22], [20, 40]]
        assert [tensor.type.suffix for tensor in outputs] == ["u8", "f32", "i32"]


@pytest.mark.parametrize("type_", ["f16", "f32", "f64", "u8", "i32", "i64"])
def test_every_tensor_type_goes_in_and_out(ctx, type_):
    model = toys.relu((1, 3), type_) if type_ != "u8" else _maximum(type_)
    array = np.array([[1, 2, 3]], Tensor((0,), type_, b"").type.dtype)
    output = run(ctx, model, Tensor.from_array(array))[0]
    assert output.type.suffix == type_
    assert values(output) == [[1, 2, 3]]


def _maximum(type_):
    from openvino import opset13 as op

    return toys.ir(toys.graph(lambda x: op.maximum(x, np.uint8([1])), (1, 3), type_))


@pytest.mark.parametrize(("type_", "name"), [("boolean", "boolean"), ("bf16", "bf16")])
def test_outputs_of_types_that_wasi_nn_lacks(ctx, type_, name):
    import openvino as ov
    from openvino import opset13 as op

    model = toys.ir(toys.graph(lambda x: [op.convert(x, getattr(ov.Type, type_)), op.relu(x)]))
    context = ctx.init_execution_context(ctx.load(model))
    ctx.set_input(context, 0, TWO)
    ctx.compute(context)
    with pytest.raises(UnsupportedOperationError) as caught:
        ctx.get_output(context, 0)
    assert str(caught.value) == f"output 0 is of type {name}, which WASI-NN does not have"
    assert values(ctx.get_output(context, 1)) == [[0, 2]]  # the other one is there
    assert "no such type" in repr(ctx.describe(0))


@pytest.mark.parametrize("type_", ["boolean", "bf16"])
def test_inputs_of_types_that_wasi_nn_lacks(ctx, type_):
    from openvino import opset13 as op

    model = toys.ir(toys.graph(lambda x: op.convert(x, "f32"), (1, 2), type_))
    with pytest.raises(InvalidArgumentError) as caught:
        _set(ctx, model, TWO)
    assert str(caught.value) == (
        f"the model takes 1x2x{type_}, a type that WASI-NN does not have; got 1x2xf32"
    )


def test_i8_goes_in_and_out_in_python_but_not_to_guests(ctx):
    context = _fresh(ctx, toys.relu((1, 3), "i8"))
    ctx.set_input(context, 0, Tensor((1, 3), "i8", b"\xff\x00\x7f"))
    ctx.compute(context)
    output = ctx.get_output(context, 0)
    assert output.signature == "1x3xi8"
    assert values(output) == [[0, 0, 127]]
    with pytest.raises(UnsupportedOperationError) as refused:
        ctx.get_output_into(context, 0, bytearray(3))  # what a guest's get_output does
    assert str(refused.value) == (
        "output 0 is of type i8, which WASI-NN does not have; "
        "in Python, WasiNnCtx.get_output returns it"
    )
    with pytest.raises(InvalidArgumentError) as caught:
        ctx.set_input(context, 0, Tensor((1, 3), "u8", b"abc"))
    assert str(caught.value) == (
        "the model takes 1x3xi8, got 1x3xu8: convert the values to i8 in Python "
        "(WASI-NN does not have this type)"
    )


def test_open_sizes_take_what_fits(ctx):
    from openvino import opset13 as op

    model = toys.ir(toys.graph(op.relu, (-1, 2)))
    context = ctx.init_execution_context(ctx.load(model))
    assert ctx.describe(0).inputs[0].signature == "?x2xf32"
    kept = []
    for rows in (1, 3, 0, 2):
        tensor = Tensor.from_array(np.full((rows, 2), rows, np.float32))
        ctx.set_input(context, 0, tensor)
        ctx.compute(context)
        kept.append(ctx.get_output(context, 0))
        assert kept[-1] == tensor
    assert [tensor.dimensions for tensor in kept] == [(1, 2), (3, 2), (0, 2), (2, 2)]
    assert values(kept[1]) == [[3, 3]] * 3
    for dims in ((2, 3), (2,), (1, 1, 2)):
        wrong = Tensor.from_array(np.zeros(dims, np.float32))
        with pytest.raises(InvalidArgumentError) as caught:
            ctx.set_input(context, 0, wrong)
        assert str(caught.value) == f"the model takes ?x2xf32, got {wrong.signature}"


def test_an_open_number_of_dimensions_is_refused(ctx):
    import openvino as ov
    from openvino import opset13 as op

    data = op.parameter(ov.PartialShape.dynamic(), ov.Type.f32, name="data")
    model = toys.ir(ov.Model([op.result(op.relu(data))], [data], "open"))
    with pytest.raises(RuntimeFailure, match=r"number of dimensions open|dynamic rank"):
        ctx.load(model)


def test_scalars_and_nothing(ctx):
    assert values(run(ctx, toys.relu(()), Tensor.from_array(np.float32(3)))[0]) == 3
    nothing = Tensor((0, 2), "f32", b"")
    assert run(ctx, toys.relu((0, 2)), nothing)[0] == nothing


def test_a_permutation_of_the_sizes_is_passed_as_it_is_and_flagged(ctx):
    context = ctx.init_execution_context(ctx.load(toys.relu((1, 3, 2))))
    ctx.set_input(context, 0, Tensor((1, 2, 3), "f32", np.arange(6, dtype=np.float32)))
    assert ctx.trace[-1].note == (
        "same bytes, other dimensions: read as the model's; check the layout (NCHW or NHWC)"
    )
    assert ctx.trace[-1].errno is Errno.SUCCESS
    ctx.compute(context)
    assert values(ctx.get_output(context, 0)) == [[[0, 1], [2, 3], [4, 5]]]
    ctx.set_input(context, 0, Tensor((1, 3, 2), "f32", bytes(24)))
    assert ctx.trace[-1].note == ""


# -- precision -------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:precision bf16 was asked for")  # a processor without it says so
def test_f32_is_pinned_and_what_runs_is_reported(ctx, monkeypatch):
    def precise(precision):
        with WasiNnCtx(precision=precision) as made:
            output = run(made, toys.slow(2, 8), tensor)[0]
            return made.describe(0).precision, output.to_array()

    noise = np.random.default_rng(0).normal(size=(1, 16, 8, 8)).astype(np.float32)
    tensor = Tensor.from_array(noise)
    assert WasiNnCtx().precision == "f32"
    name, expected = precise("f32")
    assert name == "f32"
    ran, own = precise("device")
    assert ran in {"f32", "f16", "bf16"}
    if ran == "f32":
        assert np.array_equal(own, expected)
    else:  # this processor prefers fewer bits: the same, but not quite
        assert not np.array_equal(own, expected)
    assert np.abs(own - expected).max() < 0.1
    asked, _ = precise("bf16")
    assert asked in {"f32", "bf16"}  # the latter where the processor has it
    monkeypatch.setenv("WASINN_NB_PRECISION", "device")
    assert WasiNnCtx().precision == "device"
