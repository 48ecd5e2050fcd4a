"""What every runtime refuses, and how: errors of this package, each with the remedy."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from conformance import models
from wasinn_nb import errors
from wasinn_nb.abi import GraphEncoding


@pytest.fixture
def builders(engine):
    return models.add_one(engine.writer())


@pytest.fixture
def refused(engine, runner):
    """Return the error with which both `describe` and `load` refuse a model."""

    def refused(builders, encoding=engine.encoding):
        found = []
        for call, arguments in [(runner.describe, ()), (runner.load, ("CPU", "f32"))]:
            with pytest.raises(errors.WasiNnError) as caught:
                call(builders, encoding, *arguments)
            found.append((type(caught.value), str(caught.value)))
        assert found[0] == found[1]
        return caught.value

    return refused


@pytest.mark.parametrize("count", [0, 3])
def test_number_of_builders(engine, refused, builders, count):
    error = refused((builders * 3)[:count])
    assert isinstance(error, errors.InvalidArgumentError)
    assert f"got {count}" in str(error)


def test_encoding_that_is_not_read(engine, refused, builders):
    error = refused(builders[:1] * (engine.unread.builders or 1), engine.unread)
    assert isinstance(error, errors.UnsupportedOperationError)
    assert engine.unread.name.lower() in str(error).lower()


def test_device(engine, runner, builders):
    with pytest.raises(errors.InvalidArgumentError, match=r"unknown .*'XPU'.* here are .*CPU"):
        runner.load(builders, engine.encoding, "XPU", "f32")
    missing = [row for row in runner.devices() if not row.available]
    for row in missing:
        with pytest.raises(errors.InvalidArgumentError, match=r"on this machine: .*here are .*CPU"):
            runner.load(builders, engine.encoding, row.name, "f32")


@pytest.mark.parametrize("precision", ["f8", "", "F32", "int8"])
def test_precision(engine, runner, builders, precision):
    with pytest.raises(errors.InvalidArgumentError, match="a precision of f32, f16, bf16, device"):
        runner.load(builders, engine.encoding, "CPU", precision)


def test_missing_file(engine, refused, builders, tmp_path):
    model = engine.model(builders, tmp_path)
    for path in model.files:
        path.unlink()
        assert isinstance(refused(model.files), errors.MissingFileError)


@pytest.mark.parametrize(
    "content",
    [b"", b"\0", b"garbage", b"\xff" * 64, b"<!DOCTYPE html><html>", bytes(1000)],
    ids=["empty", "zero", "text", "bytes", "html", "zeros"],
)
@pytest.mark.parametrize("in_file", [False, True])
def test_garbage(engine, refused, builders, tmp_path, content, in_file):
    parts = [content, *builders[1:]]
    if in_file:
        parts = engine.model(parts, tmp_path).files
    assert isinstance(refused(parts), errors.RuntimeFailure)


def test_the_error_names_what_was_given(engine, refused, builders):
    assert "<!DOCTYPE" in str(refused([b"<!DOCTYPE html><html>", *builders[1:]])) or (
        engine.runtime == "toy"
    )


def test_detected_encoding(engine, runner, builders):
    if GraphEncoding.AUTODETECT in runner.encodings:
        found = runner.describe(builders, GraphEncoding.AUTODETECT)
        assert [port.name for port in (*found.inputs, *found.outputs)] == ["data", "sum"]


# A crash of an engine shall be a failure of the test: another process tries them.
TRUNCATED = """
import json, sys
from pathlib import Path
from conformance.toy_engine import ToyEngine
from wasinn_nb.abi import GraphEncoding
from wasinn_nb.errors import WasiNnError
from wasinn_nb.runtimes import runtime

name, encoding, *files = sys.argv[1:]
engine = ToyEngine() if name == "toy" else runtime(name)
parts = [Path(file).read_bytes() for file in files]
found = {}
for part, content in enumerate(parts):
    for step in range(200):
        cut = len(content) * step // 200
        builders = [*parts[:part], content[:cut], *parts[part + 1:]]
        try:
            engine.load(builders, GraphEncoding[encoding], "CPU", "f32")
            outcome = "loaded"
        except WasiNnError:
            outcome = "refused"
        except BaseException as error:
            outcome = f"{type(error).__name__}: {error}"
        found.setdefault(outcome, []).append([part, cut])
print(json.dumps(found))
"""


@pytest.mark.full
def test_model_that_is_cut_off(engine, tmp_path):
    model = engine.model(models.doubled(engine.writer(), (1, 3, 4, 6), "u8"), tmp_path)
    tests = str(Path(__file__).resolve().parent.parent)
    done = subprocess.run(
        [sys.executable, "-c", TRUNCATED, engine.runtime, engine.encoding.name, *model.files],
        capture_output=True,
        text=True,
        env=None,
        cwd=tests,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    outcomes = json.loads(done.stdout)
    assert set(outcomes) <= {"refused", "loaded"}
    # A protocol buffer that is cut between two fields of its end is whole.
    assert len(outcomes.get("loaded", [])) <= 10
