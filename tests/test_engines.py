"""ONNX Runtime and LiteRT beside OpenVINO: the models that they take, and their errors."""

from __future__ import annotations

import numpy as np
import pytest
import toy_files
import toys
from conformance import models
from conformance.engines import OWN, tensor, values
from conformance.tflite_writer import TfliteWriter
from conformance.values import Value

import wasinn_nb as wn
from wasinn_nb import errors
from wasinn_nb.abi import GraphEncoding
from wasinn_nb.errors import InvalidArgumentError, RuntimeFailure
from wasinn_nb.runtimes.registry import runtime
from wasinn_nb.tensor import Tensor

F32 = np.float32
ONNX, TFLITE, AUTODETECT = (
    GraphEncoding.ONNX,
    GraphEncoding.TENSORFLOWLITE,
    GraphEncoding.AUTODETECT,
)


@pytest.fixture(params=OWN, ids=str)
def engine(request):
    return request.param


def refusal(engine, builders, encoding=AUTODETECT, error=RuntimeFailure):
    """Return the message with which a runtime refuses to load a model."""
    with pytest.raises(error) as caught:
        engine.load(builders, encoding, "CPU", "f32")
    assert type(caught.value) is error
    return str(caught.value)


# -- encodings -------------------------------------------------------------------------------------

UNTOLD = "does not show its encoding; use runtime='openvino'"
OTHERS = {
    "onnxruntime": [
        (toys.relu(), AUTODETECT, "is openvino; use runtime='openvino'"),
        (toys.relu(), GraphEncoding.OPENVINO, "is openvino; use runtime='openvino'"),
        ([toy_files.tflite_relu()], AUTODETECT, "is tensorflowlite; use runtime='openvino'"),
        ([toy_files.tensorflow_relu()], AUTODETECT, UNTOLD),
        ([b"PK"], GraphEncoding.PYTORCH, "is pytorch; convert it to ONNX"),
    ],
    "litert": [
        ([toys.onnx_relu()], AUTODETECT, "is onnx; use runtime='openvino'"),
        ([toys.onnx_relu()], ONNX, "is onnx; use runtime='openvino'"),
        ([toy_files.paddle_relu()], AUTODETECT, UNTOLD),
    ],
}


@pytest.mark.parametrize(
    ("name", "builders", "encoding", "end"),
    [(name, *case) for name, cases in OTHERS.items() for case in cases],
)
def test_other_encodings_are_refused_with_the_engine_that_reads_them(name, builders, encoding, end):
    reads = {"onnxruntime": "onnx", "litert": "tensorflowlite"}[name]
    error = errors.UnsupportedOperationError
    assert refusal(runtime(name), builders, encoding, error) == (
        f"{name} reads models of encoding {reads}, this one {end}"
    )


@pytest.mark.parametrize(
    ("name", "builders", "declared", "found"),
    [
        ("onnxruntime", [toy_files.tflite_relu()], ONNX, "tensorflowlite"),
        ("litert", [toys.onnx_relu()], TFLITE, "onnx"),
    ],
)
def test_bytes_of_another_encoding_than_declared(name, builders, declared, found):
    assert refusal(runtime(name), builders, declared) == (
        f"declared as {declared.name.lower()}, but the bytes are those of encoding {found}"
    )


@pytest.mark.parametrize("suffix", [".onnx", ".ort", ".tflite", ""])
def test_files_of_any_name_are_read_by_their_content(ort, litert, tmp_path, suffix):
    path = tmp_path / f"model{suffix}"
    for engine, content in ((ort, toys.onnx_relu()), (litert, toy_files.tflite_relu())):
        path.write_bytes(content)
        context = engine.load([path], AUTODETECT, "CPU").execution_context()
        context.set_input(0, tensor(-1, 2))
        context.compute()
        assert values(context) == [[0, 2]]


def with_external_weights():
    """Return a model that adds what lies in a file called w.bin."""
    from onnx import TensorProto, helper

    model = toys.onnx_graph(
        [("Add", ["x", "w"], ["y"])],
        {"x": (TensorProto.FLOAT, [1, 2])},
        {"y": (TensorProto.FLOAT, [1, 2])},
    )
    weights = helper.make_tensor("w", TensorProto.FLOAT, [2], bytes(8), raw=True)
    weights.ClearField("raw_data")
    weights.data_location = TensorProto.EXTERNAL
    weights.external_data.add(key="location", value="w.bin")
    model.graph.initializer.append(weights)
    return model.SerializeToString()


def test_weights_beside_the_model_are_found_by_the_path_only(ort, tmp_path):
    content = with_external_weights()
    path = tmp_path / "toy.onnx"
    path.write_bytes(content)
    assert "'w.bin', which is missing" in refusal(ort, [path], error=errors.MissingFileError)
    (tmp_path / "w.bin").write_bytes(np.array([10, 20], F32).tobytes())
    context = ort.load([path], ONNX, "CPU").execution_context()
    context.set_input(0, tensor(1, 2))
    context.compute()
    assert values(context) == [[11, 22]]
    assert "got bytes with weights in 'w.bin'" in refusal(ort, [content])


# -- what models can be ----------------------------------------------------------------------------


def test_outputs_of_types_that_wasi_nn_lacks_leave_the_others_readable(ort):
    from onnx import TensorProto, helper

    model = toys.onnx_graph(
        [
            ("Greater", ["x", "x"], ["b"]),
            ("Cast", ["x"], ["h"], {"to": TensorProto.BFLOAT16}),
            ("Cast", ["x"], ["w"], {"to": TensorProto.UINT16}),
            ("SequenceConstruct", ["x"], ["s"]),
            ("Relu", ["x"], ["y"]),
        ],
        {"x": (TensorProto.FLOAT, [1, 2])},
        {
            "b": (TensorProto.BOOL, [1, 2]),
            "h": (TensorProto.BFLOAT16, [1, 2]),
            "w": (TensorProto.UINT16, [1, 2]),
            "y": (TensorProto.FLOAT, [1, 2]),
        },
    )
    sequence = helper.make_tensor_sequence_value_info("s", TensorProto.FLOAT, [1, 2])
    model.graph.output.append(sequence)
    graph = ort.load([model.SerializeToString()], ONNX, "CPU")
    names = ["boolean", "bf16", "u16", "f32", "seq(tensor(float))"]
    assert [port.type_name for port in graph.outputs] == names
    context = graph.execution_context()
    context.set_input(0, tensor(-1, 2))
    context.compute()
    assert values(context, 3) == [[0, 2]]
    for index, name in enumerate(names):
        if index != 3:
            with pytest.raises(errors.UnsupportedOperationError) as caught:
                context.output(index)
            assert str(caught.value) == (
                f"output {index} is of type {name}, which WASI-NN does not have"
            )


def boolean_model(name):
    from onnx import TensorProto

    if name == "litert":
        return toy_files.tflite([toy_files.tflite_tensor(end, (1, 2), 6) for end in "xy"], [87])
    ends = [{end: (TensorProto.BOOL, [1, 2])} for end in "xy"]
    return toys.onnx_graph([("Not", ["x"], ["y"])], *ends).SerializeToString()


@pytest.mark.parametrize("name", ["onnxruntime", "litert"])
def test_inputs_of_types_that_wasi_nn_lacks(name):
    with wn.WasiNnCtx(name) as ctx:
        context = ctx.init_execution_context(ctx.load(boolean_model(name)))
        with pytest.raises(InvalidArgumentError) as caught:
            ctx.set_input(context, 0, tensor(1, 2))
    assert str(caught.value) == (
        "the model takes 1x2xboolean, a type that WASI-NN does not have; got 1x2xf32"
    )


def test_scalars_stay_scalars(ort):
    from onnx import TensorProto

    ends = [{name: (TensorProto.FLOAT, [])} for name in "xy"]
    content = toys.onnx_graph([("Neg", ["x"], ["y"])], *ends).SerializeToString()
    for engine in (ort, runtime("openvino")):
        graph = engine.load([content], ONNX, "CPU")
        assert [port.dimensions for port in (*graph.inputs, *graph.outputs)] == [(), ()]
        context = graph.execution_context()
        context.set_input(0, Tensor.from_array(np.array(3, F32)))
        context.compute()
        assert values(context) == -3


@pytest.mark.parametrize("name", ["onnxruntime", "openvino"])
def test_an_open_number_of_dimensions_is_refused(name):
    from onnx import TensorProto

    ends = [{end: (TensorProto.FLOAT, None)} for end in "xy"]
    content = toys.onnx_graph([("Relu", ["x"], ["y"])], *ends).SerializeToString()
    assert refusal(runtime(name), [content]) == (
        "the model leaves the number of dimensions open; fix its shape first"
    )


@pytest.mark.parametrize("name", ["onnxruntime", "openvino"])
@pytest.mark.parametrize("count", ["0 inputs and 1 output", "1 input and 0 outputs"])
def test_onnx_models_without_inputs_or_outputs(name, count):
    from onnx import TensorProto, helper

    value = helper.make_tensor("c", TensorProto.FLOAT, [2], [1, 2])
    end = (TensorProto.FLOAT, [1, 2])
    constant = toys.onnx_graph([("Constant", [], ["y"], {"value": value})], {}, {"y": end})
    model = (
        constant if count[0] == "0" else toys.onnx_graph([("Relu", ["x"], ["y"])], {"x": end}, {})
    )
    assert refusal(runtime(name), [model.SerializeToString()]) == (
        f"expected a model with inputs and outputs, got {count}: the file is not a model of "
        f"encoding onnx, or is not one to run; convert the original model again"
    )


def test_tflite_models_without_inputs(litert):
    writer = TfliteWriter()
    value = Value(writer._constant(np.array([[1, 2]], F32), "f32"), (1, 2), "f32")
    assert "got 0 inputs and 1 output" in refusal(litert, writer.finish({"y": value}))


def test_inputs_of_more_than_two_gigabytes_are_refused(engine):
    builders = models.add_one(engine.writer(), (1, 20_000, 30_000))
    assert refusal(runtime(engine.runtime), builders, engine.encoding) == (
        "expected inputs and outputs of at most 2147483648 bytes, input 0 (1x20000x30000xf32) "
        "takes 2400000000: the file is damaged, or has to be converted again with smaller sizes"
    )


# -- open sizes in the five calls ------------------------------------------------------------------


def added(engine, ctx):
    """Load a model of open width that adds (1, 2), and return a function that runs it."""
    writer = engine.writer()
    data = writer.input("data", (1, None), "f32")
    builders = writer.finish({"sum": writer.apply("add", data, np.array([1, 2], F32))})
    context = ctx.init_execution_context(ctx.load(builders, engine.encoding))

    def run(*numbers):
        ctx.set_input(context, 0, tensor(*numbers))
        ctx.compute(context)
        return ctx.get_output(context, 0).to_array().tolist()

    return run


def test_a_size_that_the_model_cannot_take_leaves_the_context_usable(engine):
    with wn.WasiNnCtx(engine.runtime) as ctx:
        run = added(engine, ctx)
        assert run(10, 20) == [[11, 22]]
        for _ in range(2):
            with pytest.raises(RuntimeFailure, match=r"failed to compute: [A-Z[]"):
                run(1, 2, 3)
            assert "allocate" not in ctx.trace[-1].note
        assert run(10, 20) == [[11, 22]]
        assert run(10) == [[11, 12]]


@pytest.mark.parametrize("sizes", [(0, 0), (0, 2), (2, 0)])
def test_images_without_pixels(engine, sizes):
    with wn.WasiNnCtx(engine.runtime) as ctx:
        builders = models.doubled(engine.writer(), (1, None, None, 3))
        context = ctx.init_execution_context(ctx.load(builders, engine.encoding))
        for height, width in (sizes, (1, 2)):
            pixels = np.ones((1, height, width, 3), F32)
            ctx.set_input(context, 0, Tensor.from_array(pixels))
            ctx.compute(context)
            assert ctx.get_output(context, 0) == Tensor.from_array(2 * pixels)


def test_tensors_that_do_not_fit(engine):
    graph = runtime(engine.runtime).load(
        models.add_one(engine.writer()), engine.encoding, "CPU", "f32"
    )
    context = graph.execution_context()
    for wrong in (tensor(1, 2, 3), Tensor.from_array(np.array([[1, 2]], np.int32))):
        with pytest.raises(InvalidArgumentError) as caught:
            context.set_input(0, wrong)
        assert str(caught.value) == f"input 0 is 1x2xf32, got {wrong.signature}"


def test_names_that_inputs_and_outputs_share(shared):
    """The outputs of this model are its inputs in another order, under the same names."""
    path = shared / "models/third-party/mp3in.tflite"
    given = dict(zip(("third", "first", "second"), (3.0, 1.0, 2.0), strict=True))
    for name in ("openvino", "litert"):
        with wn.WasiNnCtx(name) as ctx:
            graph = ctx.load(path)
            context = ctx.init_execution_context(graph)
            for index, value in enumerate(given.values()):
                ctx.set_input(context, index, tensor(value))
            ctx.compute(context)
            found = [ctx.get_output(context, index).to_array().item() for index in range(3)]
            names = [port.name for port in ctx.describe(graph).outputs]
        assert names == [f"model_{word}_input:0" for word in ("second", "first", "third")]
        assert found == [2.0, 1.0, 3.0]


# -- errors ----------------------------------------------------------------------------------------


def newer(**options):
    from onnx import TensorProto

    ends = [{name: (TensorProto.FLOAT, [1, 2])} for name in "xy"]
    return toys.onnx_graph([("Relu", ["x"], ["y"])], *ends, **options).SerializeToString()


DEFINES = "export the model again with operations of ONNX itself, or run it with the runtime that "
UPDATE = "install a newer ONNX Runtime: pip install --upgrade onnxruntime"
FAILURES = {
    "an unknown operation": (
        toys.onnx_chain(["Foo"]).SerializeToString,
        f"No Op registered for Foo with domain_version of 13; {DEFINES}defines these",
    ),
    "an operation of another domain": (
        toys.onnx_chain(["Foo"], domain="acme").SerializeToString,
        f"acme:Foo(-1) is not a registered function/op; {DEFINES}defines these",
    ),
    "a newer format": (lambda: newer(ir_version=99), UPDATE),
    "newer operations": (lambda: newer(opset=99), UPDATE),
}


@pytest.mark.parametrize("what", FAILURES)
def test_what_onnx_runtime_cannot_read(ort, what, capfd):
    content, end = FAILURES[what]
    message = refusal(ort, [content()])
    assert message.startswith("ONNX Runtime cannot read the model: ")
    assert message.endswith(end)
    assert "onnxruntime_src" not in message
    assert "ONNXRuntimeError" not in message
    assert capfd.readouterr() == ("", "")


def test_what_litert_cannot_read(litert, capfd):
    tensors = [toy_files.tflite_tensor(name, (1, 2)) for name in "xyz"]
    message = refusal(litert, [toy_files.tflite(tensors, [19, "MyOperation"])])
    assert message.startswith("LiteRT cannot prepare the model: ")
    assert "unresolved custom op: MyOperation" in message
    assert message.endswith(
        "; convert the original model without this operation, or run the file with the runtime "
        "that defines it"
    )
    message = refusal(litert, [toy_files.tflite(tensors, [19, 2000])])
    assert message.startswith("LiteRT cannot read the model: ")
    assert capfd.readouterr().out == ""


def test_weights_that_litert_does_not_take(litert, shared):
    path = shared / "models/third-party/mnv3_seg_quant.tflite"
    assert refusal(litert, [path]).endswith(
        "; LiteRT takes 8-bit weights with zero point 0 only: quantize the original model again, "
        "or use runtime='openvino'"
    )


def test_operations_of_mediapipe_run_on_litert(shared):
    """OpenVINO's refusal of this file names LiteRT."""
    path = shared / "models/third-party/segm_lite_v681.tflite"
    recipe = wn.PreprocessRecipe(96, 160, "NHWC", "RGB", range=(0, 1), resize="bilinear")
    image = shared / "images/grace_hopper.jpg"
    result = wn.segment(image, path, recipe=recipe, runtime="litert")
    assert result.labels.shape == (96, 160)
    assert result.assumed == ()


def test_failing_runs_write_nothing_to_the_standard_error(engine, capfd):
    with wn.WasiNnCtx(engine.runtime) as ctx:
        run = added(engine, ctx)
        with pytest.raises(RuntimeFailure):
            run(1, 2, 3)
    assert capfd.readouterr() == ("", "")
