"""Recordings of a guest's calls: saved, replayed without a model, and refused once edited."""

from __future__ import annotations

import json

import numpy as np
import pytest
from commands import shell
from hosting import command, mostly_in_thread, run_guest
from sequences import GIVEN, LATER, ROWS, Script, doubling, guest_of, parts_of

import wasinn_nb as wn
from wasinn_nb import host
from wasinn_nb.abi import Errno
from wasinn_nb.errors import InvalidArgumentError, MissingFileError, ReplayError, UnwritableError

pytestmark = [pytest.mark.full, pytest.mark.usefixtures("isolation")]


def whole(folder, values=GIVEN, *, size=16, index=0, computes=1, model=None):
    """Assemble a guest that makes the five calls."""
    script = Script()
    context = script.ready(model or parts_of(doubling(folder)))
    script.set_input(context, values)
    for _ in range(computes):
        script.compute(context)
    script.get_output(context, size=size, index=index)
    return script.wasm()


@pytest.fixture
def recorded(tmp_path):
    """A run that was saved, and its folder."""
    run = host.run_guest(whole(tmp_path), isolation="thread", stream=False)
    run.save(tmp_path / "saved")
    return run, tmp_path / "saved"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.number}-{row.name}")
@mostly_in_thread
def test_every_sequence_is_answered_as_it_was(row, tmp_path):
    guest = guest_of(row.number, tmp_path)
    run = host.run_guest(guest, isolation="thread", stream=False)
    run.save(tmp_path / "saved")
    again = run_guest(guest, stream=False, replay=tmp_path / "saved")
    assert again.stdout == run.stdout
    assert [call.errno for call in again.trace] == [call.errno for call in run.trace]
    assert [call.facts for call in again.trace] == [call.facts for call in run.trace]
    assert again.notes == ("its WASI-NN calls were answered from a recording",)
    assert repr(wn.portability(again)) == repr(wn.portability(run))


def test_no_model_and_no_engine_are_needed(recorded, tmp_path, monkeypatch):
    run, folder = recorded
    monkeypatch.setenv("WASINN_NB_RUNTIME", "no-such-engine")
    guest = whole(tmp_path, model=[b"no", b"model"])
    again = run_guest(guest, stream=False, replay=folder)
    assert again.stdout == run.stdout
    assert np.array_equal(again.outputs[0].to_array(), run.outputs[0].to_array())
    assert repr(again).splitlines()[1:3] == repr(run).splitlines()[1:3]


def test_a_replay_can_be_saved_again(recorded, tmp_path):
    _, folder = recorded
    again = run_guest(whole(tmp_path), stream=False, replay=folder)
    again.save(tmp_path / "again")
    first = json.loads((folder / "run.json").read_text())
    second = json.loads((tmp_path / "again" / "run.json").read_text())
    assert first["sha256"] == second["sha256"]


def test_names_are_those_that_were_recorded(tmp_path):
    guests = {}
    for name in ("one", "two"):
        script = Script()
        script.load_by_name(name)
        guests[name] = script.wasm()
    path = doubling(tmp_path)
    run = host.run_guest(guests["one"], models={"one": path}, isolation="thread", stream=False)
    run.save(tmp_path / "saved")
    assert run_guest(guests["one"], stream=False, replay=tmp_path / "saved").stdout == "0"
    with pytest.raises(ReplayError, match="gives the name two, recorded is one"):
        run_guest(guests["two"], stream=False, replay=tmp_path / "saved")


class TestDivergence:
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"values": LATER}, r"call #2 set_input gives other values \(1x4xf32\), recorded"),
            (
                {"values": np.ones((1, 5), np.float32)},
                "call #2 set_input gives a tensor 1x5xf32, recorded is 1x4xf32",
            ),
            ({"computes": 2}, "call #4 is compute, recorded is get_output"),
            ({"computes": 0}, "call #3 is get_output, recorded is compute"),
            ({"index": 1}, "call #4 get_output gives index 1, recorded is 0"),
            ({"size": 32}, "call #4 get_output gives size 32, recorded is 16"),
            ({"size": 8}, "call #4 get_output .*8.*, recorded is 16"),
        ],
    )
    @mostly_in_thread
    def test_another_call_ends_the_guest(self, options, message, recorded, tmp_path):
        _, folder = recorded
        with pytest.raises(ReplayError, match=message) as caught:
            run_guest(whole(tmp_path, **options), stream=False, replay=folder)
        run = caught.value.run
        assert run.ended == "diverged from its recording"
        assert run.exit_code is None

    def test_other_arguments_of_load(self, recorded):
        _, folder = recorded
        script = Script()
        script.load([b"a", b"b"], encoding=1)
        with pytest.raises(ReplayError, match="call #0 load gives encoding 1, recorded is 0"):
            run_guest(script.wasm(), stream=False, replay=folder)

    def test_a_pointer_outside_of_the_memory(self, recorded):
        _, folder = recorded
        script = Script()
        script.load([b"a", b"b"], lengths=[0x7FFFFFFF, 1])
        with pytest.raises(
            ReplayError, match=r"load ends with invalid_argument \(builder 0.*recorded is success"
        ):
            run_guest(script.wasm(), stream=False, replay=folder)

    def test_more_calls_than_recorded(self, tmp_path):
        host.run_guest(command(""), isolation="thread", stream=False).save(tmp_path / "empty")
        with pytest.raises(ReplayError, match="call #0 load: the recording ends after 0 calls"):
            run_guest(whole(tmp_path), stream=False, replay=tmp_path / "empty")

    def test_fewer_calls_are_said(self, recorded):
        _, folder = recorded
        run = run_guest(command(""), stream=False, replay=folder)
        assert run.exit_code == 0
        assert run.notes[-1] == "the recording has 5 calls more"


class TestEdited:
    def edit(self, folder, change):
        path = folder / "run.json"
        values = json.loads(path.read_text())
        change(values)
        path.write_text(json.dumps(values))

    @pytest.mark.parametrize(
        "change",
        [
            lambda v: v["calls"][3].update(errno=5),
            lambda v: v["calls"].pop(),
            lambda v: v["calls"][4]["facts"].update(index=1),
            lambda v: v["calls"][2].update(file="../../etc/passwd"),
            lambda v: v["sha256"].clear(),
            lambda v: v.update(more=1),
            lambda v: v.update(seal="0" * 64),
        ],
    )
    def test_the_facts(self, change, recorded):
        _, folder = recorded
        self.edit(folder, change)
        with pytest.raises(InvalidArgumentError, match="was edited after it was saved; save the"):
            run_guest(command(""), stream=False, replay=folder)

    @pytest.mark.parametrize("change", [b"\0" * 16, b"short", b""])
    def test_a_tensor(self, change, recorded):
        _, folder = recorded
        (folder / "run-4-get_output-1x4xf32.tensor").write_bytes(change)
        with pytest.raises(InvalidArgumentError, match=r"1x4xf32\.tensor was edited after it was"):
            run_guest(command(""), stream=False, replay=folder)

    def test_a_tensor_that_is_gone(self, recorded):
        _, folder = recorded
        (folder / "run-2-set_input-1x4xf32.tensor").unlink()
        with pytest.raises(MissingFileError, match=r"no run-2-set_input-1x4xf32\.tensor"):
            run_guest(command(""), stream=False, replay=folder)

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", "not valid JSON"),
            ("[]", "expected a recording as a JSON object"),
            ("{}", "expected a recording, as GuestRun.save writes it"),
            ('{"format": "wasinn-nb-recording"}', "run.json"),
        ],
    )
    def test_another_file(self, text, message, tmp_path):
        (tmp_path / "run.json").write_text(text)
        with pytest.raises(InvalidArgumentError, match=message):
            run_guest(command(""), stream=False, replay=tmp_path)

    def test_a_forged_seal_does_not_help(self, recorded):
        from wasinn_nb.host.recording import _seal

        def forge(change):
            def edited(values):
                change(values)
                values["seal"] = _seal({k: v for k, v in values.items() if k != "seal"})

            return edited

        _, folder = recorded
        text = (folder / "run.json").read_text()
        for change in (
            lambda v: v["calls"][2].update(file="../x"),
            lambda v: v["calls"][2]["tensor"].update(bytes=3),
            lambda v: v["calls"][2]["tensor"].update(dimensions=[1 << 40]),
            lambda v: v["calls"][2].update(errno=77),
            lambda v: v["calls"][2].update(facts={str(n): n for n in range(100)}),
            lambda v: v["calls"][2].pop("name"),
        ):
            (folder / "run.json").write_text(text)
            self.edit(folder, forge(change))
            with pytest.raises(InvalidArgumentError, match="call #2"):
                run_guest(command(""), stream=False, replay=folder)

    def test_a_folder_that_is_not_there(self, tmp_path):
        with pytest.raises(MissingFileError, match="no recording at"):
            run_guest(command(""), stream=False, replay=tmp_path / "none")


class TestSaving:
    def test_the_tensors_are_files_of_their_own(self, recorded):
        _, folder = recorded
        names = sorted(path.name for path in folder.iterdir())
        tensors = ["run-2-set_input-1x4xf32.tensor", "run-4-get_output-1x4xf32.tensor"]
        assert names == [*tensors, "run.json"]

    @pytest.mark.parametrize("keep", ["last", None])
    def test_tensors_that_the_trace_dropped(self, keep, tmp_path):
        script = Script()
        context = script.ready(parts_of(doubling(tmp_path)))
        for values in (GIVEN, LATER):
            script.set_input(context, values)
        run = run_guest(script.wasm(), stream=False, keep=keep)
        with pytest.raises(InvalidArgumentError, match="tensor of call #2 set_input: run it with"):
            run.save(tmp_path / "saved")
        assert not (tmp_path / "saved").exists()

    def test_calls_that_the_trace_leaves_out(self, recorded, tmp_path):
        run, _ = recorded
        run.trace.dropped = 1
        with pytest.raises(InvalidArgumentError, match="leaves out 1 call in the middle"):
            run.save(tmp_path / "other")

    def test_a_run_elsewhere(self, recorded, tmp_path):
        run, _ = recorded
        run.on = "wasmtime"
        with pytest.raises(InvalidArgumentError, match="which keeps no trace"):
            run.save(tmp_path / "other")

    def test_a_folder_that_cannot_be_written(self, recorded, tmp_path):
        run, _ = recorded
        (tmp_path / "file").write_text("x")
        with pytest.raises(UnwritableError):
            run.save(tmp_path / "file" / "saved")

    @pytest.mark.parametrize("name", ["a b", "it's", "$(touch x)", "line\nbreak", "\u202eabc"])
    @mostly_in_thread
    def test_folders_of_any_name(self, name, recorded, tmp_path):
        run, _ = recorded
        run.save(tmp_path / name)
        again = run_guest(whole(tmp_path), stream=False, replay=tmp_path / name)
        assert again.stdout == run.stdout

    def test_a_failed_call_keeps_its_reason(self, tmp_path):
        script = Script()
        script.load([b"junk", b"junk"])
        run = host.run_guest(script.wasm(), isolation="thread", stream=False)
        run.save(tmp_path / "saved")
        again = run_guest(script.wasm(), stream=False, replay=tmp_path / "saved")
        assert again.trace[0].note == run.trace[0].note != ""
        assert again.trace[0].errno is Errno.RUNTIME_ERROR


@pytest.mark.parametrize(
    "options", [{"runtime": "openvino"}, {"on": "wasmtime"}], ids=["runtime", "on"]
)
def test_what_does_not_go_with_a_recording(options, recorded):
    _, folder = recorded
    with pytest.raises(InvalidArgumentError, match="cannot be given with"):
        host.run_guest(command(""), replay=folder, stream=False, **options)


@pytest.mark.full
@pytest.mark.parametrize("isolation", ["process"], indirect=True)
def test_on_the_command_line(tmp_path):
    (tmp_path / "a.wasm").write_bytes(whole(tmp_path))
    (tmp_path / "b.wasm").write_bytes(whole(tmp_path, LATER))
    first = shell("run", tmp_path / "a.wasm", "--save", tmp_path / "saved")
    again = shell("run", tmp_path / "a.wasm", "--replay", tmp_path / "saved")
    assert (again.returncode, again.stdout) == (first.returncode, first.stdout) == (0, first.stdout)
    other = shell("run", tmp_path / "b.wasm", "--replay", tmp_path / "saved")
    assert other.returncode == 125
    assert "call #2 set_input gives other values" in other.stderr
