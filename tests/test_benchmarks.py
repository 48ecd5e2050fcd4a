"""Runs of the benchmarks as files, and two of them side by side."""

from __future__ import annotations

import json

import pytest

from benchmarks import compare, records
from benchmarks.paired import Row

FAST = Row("file to mask", "limit", 1.05, 1.03, 1.07, "<= 1.10")
SLOW = Row("file to mask", "limit", 1.28, 1.26, 1.30, "<= 1.10")
OTHER = Row("import", "numpy", 0.2, 0.1, 0.3, "<= 0.3")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "FOLDER", tmp_path)
    return tmp_path


def written(folder, name, *rows, **changes):
    about = records.circumstances()
    about["versions"] |= changes
    return records.write_run([("pipeline", row, about) for row in rows], folder / name)


def test_a_run_is_a_line_for_each_row(folder):
    path = records.write_run([("pipeline", FAST, records.circumstances())])
    (line,) = path.read_text().splitlines()
    values = json.loads(line)
    assert (values["benchmark"], values["ratio"], values["met"]) == ("pipeline", 1.05, True)
    assert values["machine"]["processors"] >= 1
    assert values["versions"]["numpy"].count(".") == 2
    assert records.last_runs() == [path]


def test_two_runs_side_by_side(folder, capsys):
    a = written(folder, "1.jsonl", SLOW, OTHER, pillow="12.0")
    b = written(folder, "2.jsonl", FAST, pillow="13.0")
    assert compare.main([]) == 0
    printed = capsys.readouterr().out
    assert "A: 1.jsonl" in printed
    assert "pillow 12.0 in A, 13.0 in B" in printed
    assert "only in A: import" in printed
    assert "only in B" not in printed
    (cells,) = compare.table(records.read_run(a), records.read_run(b)).cells
    assert cells == ("file to mask", "limit", "1.28", "1.05", "0.82", "yes", "<= 1.10", "yes")


def test_runs_that_share_nothing(folder, capsys):
    a, b = written(folder, "1.jsonl", SLOW), written(folder, "2.jsonl", OTHER)
    assert compare.main([str(a), str(b)]) == 0
    printed = capsys.readouterr().out
    assert "no row is in both\nonly in A: file to mask\nonly in B: import\n" in printed


@pytest.mark.parametrize("content", ["not JSON", '{"what": 1}', "[1]", "\x00"])
def test_what_is_not_a_run_is_named(folder, capsys, content):
    a, b = written(folder, "1.jsonl", SLOW), folder / "2.jsonl"
    b.write_text(content)
    assert compare.main([str(a), str(b)]) == 2
    assert "cannot be read" in capsys.readouterr().out


def test_two_runs_are_needed(folder, capsys):
    written(folder, "1.jsonl", SLOW)
    assert compare.main([]) == 2
    assert compare.main(["nowhere", "nowhere"]) == 2
    assert "expected two runs" in capsys.readouterr().out
