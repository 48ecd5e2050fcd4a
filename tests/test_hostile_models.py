"""Damaged model files on every engine that reads them: errors of this package, and no crash.

Each file is loaded and run in another process, where a crash of an engine ends the test with the
number of the variant that caused it.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from conformance import models
from conformance.engines import OnnxWriter
from conformance.tflite_writer import TfliteWriter

pytestmark = pytest.mark.slow

CUTS, CHANGES = 200, 300

VARIANTS = """
import json, math, random, sys
from collections import Counter
from pathlib import Path

import numpy as np

from wasinn_nb.abi import GraphEncoding
from wasinn_nb.errors import WasiNnError
from wasinn_nb.runtimes import runtime
from wasinn_nb.tensor import Tensor

EXTREMES = bytes(4), b"\\xff\\xff\\xff\\xff", b"\\xff\\xff\\xff\\x7f"
engine, encoding, cuts, changes, *files = sys.argv[1:]
runner = runtime(engine)


def variants(content):
    for step in range(int(cuts)):
        yield content[: len(content) * step // int(cuts)]
    numbers = random.Random(13)
    for _ in range(int(changes)):
        changed = bytearray(content)
        for _ in range(numbers.choice([1, 1, 1, 2])):
            at = numbers.randrange(len(changed) - 4)
            changed[at] = numbers.choice(
                [changed[at] ^ 1 << numbers.randrange(8), numbers.randrange(256), 0, 0x7F, 0xFF]
            )
            if numbers.random() < 0.2:
                changed[at : at + 4] = numbers.choice(EXTREMES)
        yield bytes(changed)


def run(content):
    graph = runner.load([content], GraphEncoding[encoding], "CPU", "f32")
    context = graph.execution_context()
    for index, port in enumerate(graph.inputs):
        sizes = [size or 1 for size in port.dimensions]
        if port.type is None or math.prod(sizes) > 1_000_000:
            return
        context.set_input(index, Tensor.from_array(np.zeros(sizes, port.type.dtype)))
    context.compute()
    for index, port in enumerate(graph.outputs):
        if port.type is not None:
            context.output(index)


outcomes = Counter()
for file in files:
    for number, content in enumerate(variants(Path(file).read_bytes())):
        print(file, number, file=sys.stderr)
        try:
            run(content)
            outcomes["ran"] += 1
        except WasiNnError as error:
            outcomes["refused"] += 1
            outcomes["without words"] += len(str(error).split()) < 5
        except BaseException as error:
            outcomes[f"{file}, variant {number}: {error!r}"] += 1
print(json.dumps(outcomes))
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    written = {}
    for writer, suffix in ((OnnxWriter, ".onnx"), (TfliteWriter, ".tflite")):
        for name, builders in (
            ("plane", models.plane(writer(), (1, 4, 6, 1))),
            ("open", models.doubled(writer(), (1, None, None, 3), "u8")),
        ):
            path = folder / f"{name}{suffix}"
            path.write_bytes(builders[0])
            written.setdefault(suffix, []).append(str(path))
    return written


@pytest.mark.parametrize(
    ("engine", "suffix", "encoding"),
    [
        ("openvino", ".onnx", "ONNX"),
        ("onnxruntime", ".onnx", "ONNX"),
        ("openvino", ".tflite", "TENSORFLOWLITE"),
        ("litert", ".tflite", "TENSORFLOWLITE"),
    ],
)
def test_damaged_files(files, engine, suffix, encoding):
    ran = subprocess.run(
        [sys.executable, "-c", VARIANTS, engine, encoding, str(CUTS), str(CHANGES), *files[suffix]],
        capture_output=True,
        text=True,
        check=False,
    )
    written = ran.stderr.splitlines()
    assert ran.returncode == 0, f"the process ended at {written[-3:]}"
    outcomes = json.loads(ran.stdout)
    assert outcomes.pop("without words") == 0
    assert outcomes.keys() == {"ran", "refused"}
    assert sum(outcomes.values()) == 2 * (CUTS + CHANGES)
    assert outcomes["ran"] > 20  # some changes leave a model, and get as far as the run
    assert len(written) == 2 * (CUTS + CHANGES), [line for line in written if suffix not in line]
