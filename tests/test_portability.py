"""What other runtimes would do with a guest's calls: rules, the report, and where it is shown."""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import numpy as np
import pytest
from commands import shell
from hosting import GUESTS, command, doubling
from PIL import Image
from sequences import GIVEN, LATER, ROWS, Script, guest_of, parts_of

import wasinn_nb as wn
from wasinn_nb import behavior, host
from wasinn_nb.abi import MODULE, PARAMETERS
from wasinn_nb.behavior.rules import runtime_rules
from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.wasi_nn import Call, Trace


def judged(guest, **options):
    run = host.run_guest(guest, isolation="thread", stream=False, **options)
    return wn.portability(run)


def rows_of(report):
    return {finding.row for finding in report.findings}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.number}-{row.name}")
def test_each_cell_of_the_table_that_differs_is_named_and_no_other(row, tmp_path):
    report = judged(guest_of(row.number, tmp_path))
    for runtime, there in (("wasmtime", row.wasmtime), ("wasmedge", row.wasmedge)):
        expected = set() if there == row.here else {row.number}
        found = report[runtime]
        assert rows_of(found) - {None} == expected, found
        assert found.same == (not expected)
        assert {finding.evidence for finding in found.findings} <= {"measured"}


@pytest.mark.full
def test_the_road_guest_would_run_the_same(tmp_path):
    for path in wn.model().files:
        (tmp_path / path.name).write_bytes(path.read_bytes())
    Image.open(wn.image()).save(tmp_path / "road.png")
    names = [path.name for path in wn.model().files]
    given = [*names, "road.png"], {".": tmp_path}
    run = host.run_guest(wn.guest("roadseg"), *given, writable=True, stream=False)
    report = wn.portability(run)
    assert report
    assert repr(report) == (
        "Portability of roadseg.wasm\n"
        "Wasmtime 49: would run the same\n"
        "WasmEdge 0.17: would run the same"
    )


class TestRules:
    """Rules beyond the table."""

    @pytest.fixture
    def script(self):
        return Script()

    def outcomes(self, script, **options):
        report = judged(script.wasm(), **options)
        return [
            {f.where: f.outcome for f in report[name].findings} for name in ("wasmtime", "wasmedge")
        ]

    def test_a_model_by_name_needs_an_option(self, script, tmp_path):
        script.load_by_name("m")
        report = judged(script.wasm(), models={"m": doubling(tmp_path)})
        assert report  # nothing speaks against it
        assert report["wasmtime"].verdict == (
            "Wasmtime 49: would run the same, once it has what it needs (1)"
        )
        assert "-S nn-graph=openvino::FOLDER" in report["wasmtime"].findings[0].change
        assert "--nn-preload" in report["wasmedge"].findings[0].change

    def test_functions_of_wasmedge(self, script):
        script.call("unload", 3)
        report = judged(script.wasm())
        assert report["wasmedge"].same
        (finding,) = report["wasmtime"].findings
        assert (finding.where, finding.outcome) == ("import of wasi_ephemeral_nn.unload", "fails")

    def test_pointers_outside(self, script, tmp_path):
        context = script.ready(parts_of(doubling(tmp_path)))
        script.call("set_input", context, 0, 0x7FFFFFF0)
        script.set_input(context, GIVEN)
        script.compute(context)
        script.call("get_output", context, 0, 0x7FFFFF00, 16, 0)
        found = self.outcomes(script)
        assert found == [{"#2 set_input": "crashes", "#5 get_output": "crashes"}, {}]

    @pytest.mark.parametrize(
        ("kind", "code", "wasmtime", "wasmedge"),
        [
            (np.int32, 3, {"#2 set_input": "crashes"}, {"#2 set_input": "fails"}),
            (np.int32, 4, {}, {"#2 set_input": "fails"}),
            (np.float16, 0, {}, {"#2 set_input": "fails"}),
            (np.float32, 1, {}, {}),
        ],
    )
    def test_types(self, script, tmp_path, kind, code, wasmtime, wasmedge):
        context = script.ready(parts_of(doubling(tmp_path, kind=kind)))
        script.set_input(context, GIVEN.astype(kind), code=code)
        assert self.outcomes(script) == [wasmtime, wasmedge]

    def test_types_of_tensorflow_lite(self):
        """The plug-in for TensorFlow Lite takes what the one for OpenVINO does not."""
        trace = Trace()
        trace.add(Call("load", facts={"encoding": 0, "target": 0, "builders": 2}))
        trace.add(Call("load", facts={"encoding": 4, "target": 0, "builders": 1}))
        for context, graph in enumerate((1, 0)):
            facts = {"graph": graph, "context": context}
            trace.add(Call("init_execution_context", facts=facts))
        for context, code in ((0, 3), (1, 3), (0, 5)):
            facts = {"context": context, "index": 0, "code": code, "type": code, "legacy": 0}
            trace.add(Call("set_input", facts=facts))
        findings = wn.portability(trace)["wasmedge"].findings
        found = [(one.calls, one.evidence) for one in findings if one.name == "set_input"]
        assert found == [((5,), "measured"), ((6,), "read in source")]

    def test_a_type_without_a_name(self, script, tmp_path):
        context = script.ready(parts_of(doubling(tmp_path)))
        script.set_input(context, GIVEN, code=9)
        assert self.outcomes(script) == [{"#2 set_input": "traps"}, {}]

    def test_another_number_of_elements(self, script, tmp_path):
        context = script.ready(parts_of(doubling(tmp_path)))
        script.set_input(context, np.ones((1, 8), np.float32))
        script.compute(context)
        wasmtime = {"#2 set_input": "undefined", "#3 compute": "undefined"}
        assert self.outcomes(script)[0] == wasmtime

    def test_an_input_that_is_set_right_at_last_is_right(self, script, tmp_path):
        context = script.ready(parts_of(doubling(tmp_path)))
        script.set_input(context, GIVEN, dims=(4, 1))
        script.set_input(context, GIVEN)
        script.compute(context)
        found = self.outcomes(script)
        assert found == [{"#2 set_input": "undefined"}] * 2

    def test_a_buffer_that_is_overwritten_after_compute_is_no_matter(self, script, tmp_path):
        context = script.ready(parts_of(doubling(tmp_path)))
        data = script.set_input(context, GIVEN)
        script.compute(context)
        script.overwrite(data, LATER)
        script.get_output(context)
        assert self.outcomes(script) == [{}, {}]

    def test_calls_of_one_kind_are_one_finding(self, script):
        for handle in range(3):
            script.compute(handle)
        assert list(self.outcomes(script)[0]) == ["#0, #1, #2 compute"]

    @pytest.mark.parametrize(("code", "same"), [(125, True), (126, False), (0xFFFFFFFF, False)])
    def test_exit_codes(self, code, same):
        report = judged(command(f"(call $exit (i32.const {code}))"))
        assert report["wasmtime"].same is same
        assert report["wasmedge"].same

    @pytest.mark.parametrize("encoding", [2, 4])
    def test_encodings_without_a_row(self, script, encoding):
        script.load([b"x"], encoding=encoding)
        assert self.outcomes(script)[0] == {"#0 load": "fails"}


class TestReport:
    def test_it_takes_a_trace_of_python(self):
        with wn.WasiNnCtx() as ctx:
            for call in (lambda: ctx.compute(0), lambda: ctx.init_execution_context("x")):
                with pytest.raises(wn.WasiNnError):
                    call()
        report = wn.portability(ctx.trace)
        assert rows_of(report["wasmtime"]) == {13, 14}

    def test_calls_that_the_trace_leaves_out_are_said(self):
        trace = Trace()
        trace.add(Call("compute"))
        trace.dropped = 1000
        assert wn.portability(trace).notes == ("the trace leaves out 1000 calls: not judged",)

    @pytest.mark.parametrize("value", [None, "roadseg.wasm", 3])
    def test_other_things_are_refused(self, value):
        with pytest.raises(InvalidArgumentError, match="expected a GuestRun or a Trace, got"):
            wn.portability(value)

    def test_a_run_elsewhere_is_refused(self):
        run = host.run_guest(command(""), isolation="thread", stream=False)
        run.on = "wasmtime"
        with pytest.raises(InvalidArgumentError, match="keeps no trace; run it here"):
            wn.portability(run)

    def test_a_runtime_that_is_not_known(self):
        with pytest.raises(KeyError):
            wn.portability(Trace())["wamr"]

    def test_a_guest_that_makes_no_call(self):
        assert wn.portability(Trace()).notes == ("no WASI-NN call was made",)
        run = host.run_guest(command(""), isolation="thread", stream=False)
        (note,) = wn.portability(run).notes
        assert note.endswith(": only its imports and its exit code are judged")

    def test_names_from_a_guest_are_inert(self):
        run = host.run_guest(command(""), isolation="thread", stream=False)
        run.imports = ("wasi_nn.\x1b[31mload",)
        report = wn.portability(run)
        assert "\x1b" not in repr(report)
        assert "<script>" not in report._repr_html_()

    def test_its_json_and_its_page(self, tmp_path):
        report = judged(guest_of(26, tmp_path))
        values = json.loads(json.dumps(report.to_dict()))
        assert [runtime["same"] for runtime in values["runtimes"]] == [False, True]
        assert values["runtimes"][0]["findings"][0]["row"] == 26
        page = report.write_html(tmp_path / "page.html").read_text(encoding="utf-8")
        assert "Portability of guest.wasm" in page
        assert "measured, row 26" in page

    def test_a_notebook_shows_it_with_the_run(self, tmp_path):
        run = host.run_guest(guest_of(26, tmp_path), isolation="thread", stream=False)
        assert "on other runtimes" in run._repr_html_()
        assert "measured, row 26" in run._repr_html_()
        assert "Wasmtime" not in repr(run)


def test_the_facts_of_the_rules_are_those_that_calls_have():
    known = set(PARAMETERS) | {"exit"}
    sources = [
        Path(inspect.getfile(module)).parent.rglob("*.py")
        for module in (behavior, host, wn.WasiNnCtx)
    ]
    text = "".join(path.read_text(encoding="utf-8") for paths in sources for path in paths)
    for rules in runtime_rules():
        assert rules.rules
        for rule in rules.rules:
            assert rule.call in known
            for fact in rule.when:
                assert f"{fact}=" in text or f'"{fact}"' in text, fact
        for lack in rules.lacks:
            for name in lack.names:
                module, function = name.split(".") if "." in name else (name, "*")
                assert module != MODULE or function in PARAMETERS


def test_the_rows_of_the_table_that_differ_have_a_rule_each():
    for rules, column in zip(runtime_rules(), ("wasmtime", "wasmedge"), strict=True):
        expected = {row.number for row in ROWS if getattr(row, column) != row.here}
        assert {rule.row for rule in rules.rules} - {None} == expected


@pytest.mark.full
def test_on_the_command_line(tmp_path):
    (tmp_path / "a.wasm").write_bytes(guest_of(26, tmp_path))
    done = shell("run", tmp_path / "a.wasm", "--portability")
    assert "Portability of a.wasm\nWasmtime 49: would not run the same" in done.stderr
    assert "Portability" not in done.stdout
    done = shell("run", GUESTS / "misbehave.wasm", "--portability", "--json", "--", "exit3")
    assert json.loads(done.stdout)["portability"]["same"] is True
