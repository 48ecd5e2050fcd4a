"""Engines that are not installed: what to install, and that nothing else is harmed."""

from __future__ import annotations

import subprocess
import sys

import pytest
import toys
from PIL import Image

import wasinn_nb as wn
from wasinn_nb import registry
from wasinn_nb.errors import InvalidArgumentError, UnsupportedOperationError
from wasinn_nb.runtimes.engine_table import engines
from wasinn_nb.runtimes.registry import by_name, runtime, runtimes

# A process in which packages cannot be found, as if they were not installed.
pytestmark = pytest.mark.full

HIDING = """
import sys
hidden = set(sys.argv[1].split())
class Hiding:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in hidden:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Hiding())
import wasinn_nb as wn
def reported(call, *arguments, **options):
    try:
        return call(*arguments, **options)
    except wn.WasiNnError as error:
        print(f"{type(error).__name__}: {error}")
"""


def without(packages, code, *arguments):
    """Run *code* where *packages* are hidden, and return the lines that it prints."""
    ran = subprocess.run(
        [sys.executable, "-c", HIDING + code, packages, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stderr == ""
    return ran.stdout.splitlines()


CASES = {
    "litert": ("ai_edge_litert", "'wasinn-nb[litert]'"),
    "onnxruntime": ("onnxruntime", "'wasinn-nb[onnxruntime]'"),
    "openvino": ("openvino", "openvino"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_missing_engine_is_an_error_with_the_pip_line(name):
    package, install = CASES[name]
    code = f"""
reported(wn.segment, runtime={name!r})
reported(wn.Pipeline, runtime={name!r})
reported(wn.classify, runtime={name!r})
reported(wn.devices, {name!r})
reported(wn.run_guest, b"\\0asm\\1\\0\\0\\0", runtime={name!r})
with wn.WasiNnCtx({name!r}) as ctx:
    reported(ctx.load, b"bytes", "onnx")
    print(ctx.trace[0].errno.name)
"""
    line = (
        f"UnsupportedOperationError: {name} is not installed; "
        f"install it with: pip install {install}"
    )
    assert without(package, code) == [line] * 6 + ["UNSUPPORTED_OPERATION"]


def test_the_other_engines_go_on(tmp_path):
    path = tmp_path / "toy.onnx"
    path.write_bytes(toys.onnx_chain(["Sigmoid"], (1, 1, 4, 6)).SerializeToString())
    Image.new("L", (6, 4), 200).save(tmp_path / "image.png")
    code = """
result = wn.segment(sys.argv[2], sys.argv[3], recipe={"color": "GRAY"}, runtime="onnxruntime")
print(result.labels.shape, result.runtime)
print(sorted(engine.name for engine in wn.engines() if engine.available))
"""
    lines = without("openvino ai_edge_litert", code, tmp_path / "image.png", path)
    assert lines == ["(4, 6) onnxruntime", "['onnxruntime']"]


def test_importing_takes_no_engine():
    code = """
print(sorted({"openvino", "onnxruntime", "ai_edge_litert", "onnx", "flatbuffers", "numpy"}
    & set(sys.modules)))
print(callable(wn.segment), callable(wn.engines))
print(sorted({"openvino", "onnxruntime", "ai_edge_litert"} & set(sys.modules)))
"""
    packages = " ".join(package for package, _ in CASES.values())
    assert without(packages, code) == ["[]", "True True", "[]"]


def test_an_unknown_engine_lists_the_known_ones():
    with pytest.raises(InvalidArgumentError) as caught:
        wn.segment(runtime="tensorrt")
    assert str(caught.value) == (
        "unknown runtime 'tensorrt'; known are litert, onnxruntime, openvino"
    )


def test_engines_says_what_is_here_and_what_it_reads():
    code = "print(wn.engines())"
    found = without("ai_edge_litert onnxruntime", code)
    assert [line.split()[:2] for line in found[:4]] == [
        ["engine", "here"],
        ["litert", "no"],
        ["onnxruntime", "no"],
        ["openvino", "yes"],
    ]
    assert found[4:] == [  # whole, so that they can be pasted
        f"- {name} is not installed; install it with: pip install 'wasinn-nb[{name}]'"
        for name in ("litert", "onnxruntime")
    ]
    assert "openvino, onnx, tensorflow, tensorflowlite  openvino 20" in found[3]
    table = engines()
    assert {engine.name: engine.available for engine in table} == dict.fromkeys(CASES, True)
    assert {engine.name: engine.reads for engine in table} == {
        "litert": ("tensorflowlite",),
        "onnxruntime": ("onnx",),
        "openvino": ("openvino", "onnx", "tensorflow", "tensorflowlite"),
    }
    assert all(engine.versions == runtime(engine.name).versions for engine in table)
    html = table._repr_html_()
    assert all(name in html for name in CASES)


def register(folder, point, monkeypatch):
    """Install a package that registers a runtime."""
    info = folder / "broken-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[wasinn_nb.runtimes]\n{point}\n")
    monkeypatch.syspath_prepend(folder)


def test_no_other_package_takes_the_name_of_a_runtime_of_this_one(tmp_path, monkeypatch):
    register(tmp_path, "onnxruntime = elsewhere:Taken", monkeypatch)
    for cached in (registry._points, registry._instance):
        cached.cache_clear()
    try:
        assert type(runtime("onnxruntime")).__module__ == "wasinn_nb.runtimes.onnxruntime"
        assert registry._points("wasinn_nb.runtimes")["onnxruntime"].module.startswith("wasinn_nb.")
        assert "onnxruntime" in runtimes()
    finally:
        registry._points.cache_clear()


def test_a_runtime_is_called_by_its_name_where_that_means_it():
    engine = runtime("onnxruntime")
    assert by_name(engine) == "onnxruntime"
    other = type(engine)()
    assert by_name(other) is other


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("import no_such_package_at_all", "install it with: pip install no_such_package_at_all"),
        ("import json; json.no_such_name", "broken cannot be used here: module 'json' has no"),
        (
            "raise OSError('libfoo.so is damaged')",
            "broken cannot be used here: libfoo.so is damaged",
        ),
    ],
)
def test_a_runtime_of_another_package_that_cannot_be_imported(tmp_path, monkeypatch, body, message):
    register(tmp_path, "broken = broken_engine:Broken", monkeypatch)
    (tmp_path / "broken_engine.py").write_text(body)
    monkeypatch.delitem(sys.modules, "broken_engine", raising=False)
    registry._points.cache_clear()
    try:
        with pytest.raises(UnsupportedOperationError) as caught:
            runtime("broken")
        (row,) = (engine for engine in engines() if engine.name == "broken")
    finally:
        registry._points.cache_clear()
    assert message in str(caught.value)
    assert row.reason == str(caught.value)
    assert not row.available
