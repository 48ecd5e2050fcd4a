"""Model files that cannot be right are refused, from paths and as bytes, before anything runs."""

from __future__ import annotations

import gzip
import io
import re
import zipfile

import numpy as np
import pytest
import toy_files
import toys
from refusals import AUTODETECT, F32, LFS, ONNX, OPENVINO, refusal
from tables import all_slow_but

from wasinn_nb.abi import GraphEncoding
from wasinn_nb.cards.integrity import checked_encoding, checked_files
from wasinn_nb.cards.metadata import stated
from wasinn_nb.errors import InvalidArgumentError, RuntimeFailure
from wasinn_nb.runtimes.openvino.models import read_model
from wasinn_nb.wasi_nn.arguments import parsed_builders

HTML = b"\n<!DOCTYPE html>\n<html><head><title>404</title></head></html>"


def zipped():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("model.onnx", toys.onnx_relu())
    return buffer.getvalue()


AGAIN = "fetch the file again and look at the server's answer"
FOREIGN = {
    "an HTML page": (HTML, f"an HTML page: {AGAIN}"),
    "an XHTML page": (
        b'<?xml version="1.0"?>\n<html xmlns="http://www.w3.org/1999/xhtml"/>',
        f"an HTML page: {AGAIN}",
    ),
    "an HTML page in UTF-16": (HTML.decode().encode("utf-16"), f"an HTML page: {AGAIN}"),
    "a Git LFS pointer": (LFS, "a Git LFS pointer, not the file itself: run 'git lfs pull'"),
    "a JSON answer": (b'{"error": "not found"}', f"JSON, such as the error of a server: {AGAIN}"),
    "a text answer": (b"Not Found", f"plain text, such as the error of a server: {AGAIN}"),
    "text that begins like protobuf": (
        "Bucket: não existe".encode(),
        f"plain text, such as the error of a server: {AGAIN}",
    ),
    "an XML answer": (
        b"<Error><Code>NoSuchKey</Code></Error>",
        f"XML or HTML, such as the error of a server, not OpenVINO IR: {AGAIN}",
    ),
    "nothing": (b"", "an empty file: fetch or copy it again"),
    "gzip": (gzip.compress(toys.onnx_relu()), "gzip data: unpack it and load the model inside"),
    "zip": (
        zipped(),
        (
            "a zip archive, as PyTorch's .pt files are too: unpack it and load the model inside, "
            "or convert the model to OpenVINO IR or ONNX"
        ),
    ),
    "HDF5": (
        b"\x89HDF\r\n\x1a\n" + bytes(64),
        "an HDF5 file, as Keras writes them: convert the model to OpenVINO IR or ONNX",
    ),
}


KINDS = {
    AUTODETECT: "a model",
    ONNX: "an ONNX model",
    GraphEncoding.TENSORFLOWLITE: "a TensorFlow Lite model",
}


@pytest.mark.parametrize("case", FOREIGN)
@pytest.mark.parametrize("encoding", [AUTODETECT, ONNX, GraphEncoding.TENSORFLOWLITE])
def test_what_stands_in_place_of_a_model(tmp_path, capfd, case, encoding):
    content, what = FOREIGN[case]
    path = tmp_path / "toy.onnx"
    path.write_bytes(content)
    assert refusal([content], encoding) == (
        f"the bytes are not a model of encoding {encoding.name.lower()}; they start with "
        f"{content[:16]!r}: {what}"
    )
    assert refusal([path], encoding) == f"{path}: expected {KINDS[encoding]}, got {what}"
    for builder, named in ((content, ""), (path, f"{path}: ")):
        with pytest.raises(RuntimeFailure) as caught:
            stated([builder])
        assert str(caught.value) == f"{named}expected a model, got {what}"
    assert capfd.readouterr() == ("", "")


def test_text_may_be_a_model_where_its_name_says_so(tmp_path):
    path = tmp_path / "model.json"
    path.write_bytes(b'{"program": {}}')
    assert checked_encoding([path], AUTODETECT) is AUTODETECT
    path.write_bytes(HTML)
    assert refusal([path]).endswith(f"an HTML page: {AGAIN}")


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (b'<?xml version="1.0"?><net/>', OPENVINO),
        (b"\xef\xbb\xbf<net/>", OPENVINO),
        ("<!--a--> <?b c?>\n<net/>".encode("utf-16"), OPENVINO),
        (toys.onnx_relu(), ONNX),
        (toys.onnx_relu()[:12], ONNX),  # cut off
        (toy_files.tflite_relu(), GraphEncoding.TENSORFLOWLITE),
        (toy_files.tensorflow_relu(), None),
        (toy_files.paddle_relu(), None),
        (b"\x08\x01\x12\x02\x08\x01", None),  # TensorFlow's saved_model.pb
        (b"\x3a\x02\x08\x01", None),  # a graph, but of no version
    ],
)
def test_encodings_are_recognized_by_content(content, encoding):
    from wasinn_nb.cards.formats import encoding_of

    assert encoding_of(content) is encoding


def test_declared_and_found_encodings_and_numbers_of_builders():
    assert checked_encoding(toys.relu(), OPENVINO) is OPENVINO
    assert checked_encoding([toys.onnx_relu()], AUTODETECT) is ONNX
    tensorflow = GraphEncoding.TENSORFLOW
    assert checked_encoding([toy_files.tensorflow_relu()], tensorflow) is tensorflow
    with pytest.raises(RuntimeFailure) as caught:
        checked_encoding([toys.onnx_relu()], tensorflow)
    assert str(caught.value) == ("declared as tensorflow, but the bytes are those of encoding onnx")
    with pytest.raises(InvalidArgumentError) as caught:
        checked_encoding([toys.onnx_relu(), b""], AUTODETECT)
    assert str(caught.value) == "encoding onnx takes 1 builder, got 2"


# -- OpenVINO IR -----------------------------------------------------------------------------------

WEIGHTS = {
    "one byte less": (lambda whole: whole[:-1], ": use the .bin that was written with this xml"),
    "one byte more": (lambda whole: whole + b"\0", ": use the .bin that was written with this xml"),
    "half of the precision": (
        lambda whole: whole[: len(whole) // 2],
        ": use the .bin that was written with this xml",
    ),
    "nothing": (lambda _: b"", ", an empty file: fetch or copy it again"),
    "an HTML page": (lambda _: HTML, f", an HTML page: {AGAIN}"),
    "a Git LFS pointer": (
        lambda _: LFS,
        ", a Git LFS pointer, not the file itself: run 'git lfs pull'",
    ),
}


@pytest.mark.parametrize("case", WEIGHTS)
def test_weights_of_another_size(tmp_path, case):
    change, remedy = WEIGHTS[case]
    xml, whole = toys.ir(toys.graph(lambda x: x + np.ones((1, 50), F32), (1, 50)))
    weights = change(whole)
    files = [tmp_path / "toy.xml", tmp_path / "toy.bin"]
    for path, content in zip(files, (xml, weights), strict=True):
        path.write_bytes(content)
    for builders in ([xml, weights], files, [xml, files[1]]):
        named = "" if builders[1] is weights else f"{files[1]}: "
        assert refusal(builders, OPENVINO) == (
            f"{named}expected 200 bytes of weights, as the xml says, got {len(weights)}{remedy}"
        )


def test_pages_and_pointers_of_the_right_size():
    for content, what in ((HTML, "an HTML page"), (LFS, "a Git LFS pointer")):
        size = len(content)
        xml, _ = toys.ir(toys.graph(lambda x: x + np.ones(size, np.uint8), (1,), "u8"))  # noqa: B023
        assert refusal([xml, content]).startswith(f"expected the model's weights, got {what}")


def test_weights_may_be_any_bytes_also_text():
    xml, weights = toys.ir(toys.graph(lambda x: x + np.full(99, 65, np.uint8), (1,), "u8"))
    assert weights == b"A" * 99
    assert len(read_model([xml, weights], OPENVINO).inputs) == 1


@pytest.mark.parametrize("kind", ["i4", "u1", "i8", "bf16", "f64"])
def test_openvinos_writer_pads_nothing(tmp_path, kind):
    import openvino as ov
    from openvino import opset13 as op

    constant = op.constant(ov.Tensor(getattr(ov.Type, kind), [3]))
    constant.output(0).set_names({"c"})
    data = op.parameter([1], ov.Type.f32, name="data")
    model = ov.Model([op.result(data), op.result(constant)], [data], "toy")
    for write in (ov.save_model, ov.serialize):
        write(model, tmp_path / "toy.xml")
        checked_files([tmp_path / "toy.xml", tmp_path / "toy.bin"], OPENVINO)


def test_constants_in_bodies_of_loops_and_conditions_count():
    xml, weights = toys.conditional()
    assert len(weights) == 16
    assert len(read_model([xml, weights], OPENVINO).inputs) == 2
    assert refusal([xml, weights[:8]]).startswith("expected 16 bytes of weights")


def test_weights_of_real_models_fit(shared):
    from wasinn_nb import catalog

    road = shared / "models/road-segmentation-adas-0001.xml"
    shipped = catalog.model().files[0]
    for xml in (road, shipped):
        checked_files([xml, xml.with_suffix(".bin")], OPENVINO)


@pytest.mark.parametrize("suffix", all_slow_but([".onnx", ".tflite"], ".tflite"))
def test_weights_of_converted_third_party_models_fit(shared, tmp_path, suffix):
    import openvino as ov

    for path in sorted((shared / "models/third-party").glob(f"*{suffix}")):
        if path.name == "segm_lite_v681.tflite":
            continue
        for compressed in (False, True):
            xml = tmp_path / "toy.xml"
            ov.save_model(ov.Core().read_model(path), xml, compress_to_fp16=compressed)
            checked_files([xml, xml.with_suffix(".bin")], OPENVINO)


@pytest.mark.parametrize(
    ("offset", "message"),
    [
        ("-1", "expected the offset of a constant in the xml as a whole number, got '-1': the xml"),
        ("9" * 30, "expected the offset of a constant in the xml as a whole number, got '9999"),
        ("٣", "expected the offset of a constant in the xml as a whole number, got '٣'"),
        (str(1 << 60), f"expected {(1 << 60) + 4} bytes of weights, as the xml says, got 4: use"),
    ],
)
def test_offsets_that_no_file_has(offset, message):
    xml, weights = toys.plus(1)
    changed = re.sub(rb'offset="0"', f'offset="{offset}"'.encode(), xml)
    assert changed != xml
    assert refusal([changed, weights]).startswith(message)


@pytest.mark.parametrize("version", ["4", "7", "9"])
def test_versions_that_openvino_no_longer_reads(version):
    xml, weights = toys.plus(1)
    old = xml.replace(b'version="11"', f'version="{version}"'.encode(), 1)
    assert refusal([old, weights]) == (
        f"IR version {version}; OpenVINO reads 10 and 11: convert the original model again"
    )


def test_a_real_model_of_version_4(shared):
    path = shared / "models/third-party/pinto_deeplab_fp16.xml"
    assert refusal([path, b""]) == (
        f"{path}: IR version 4; OpenVINO reads 10 and 11: convert the original model again"
    )


SPELLINGS = {
    "UTF-8 with a mark": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "UTF-16": lambda text: text.encode("utf-16"),
    "UTF-16, big end first": lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
    "UTF-16, declared": lambda text: text.replace("?>", ' encoding="UTF-16"?>', 1).encode("utf-16"),
    "white space first": lambda text: b" \r\n\t" + text.encode(),
    "a comment first": lambda text: b"<!-- a net -->\n" + text.split("?>", 1)[1].encode(),
}


@pytest.mark.full
@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("names", [("toy.xml", "toy.bin"), ("M.XML", "M.BIN"), ("M.XML", "M.bin")])
@pytest.mark.parametrize("encoding", [OPENVINO, AUTODETECT])
def test_spellings_of_ir_that_are_read(tmp_path, spelling, names, encoding):
    xml, weights = toys.plus(1)
    content = SPELLINGS[spelling](xml.decode())
    xml_path, weights_path = (tmp_path / name for name in names)
    xml_path.write_bytes(content)
    weights_path.write_bytes(weights)
    assert parsed_builders(xml_path) == [xml_path, weights_path]
    for builders in ([xml_path, weights_path], [content, weights], [content, weights_path]):
        model = read_model(builders, encoding)
        assert model.input(0).get_any_name() == "data"
