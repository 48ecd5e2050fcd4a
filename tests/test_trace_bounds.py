"""The trace of a guest that calls without end: nested calls, rows and tensors that are let go."""

import threading

import pytest

from wasinn_nb import Errno, Tensor
from wasinn_nb.errors import InvalidArgumentError, TooLargeError
from wasinn_nb.wasi_nn import trace
from wasinn_nb.wasi_nn.trace import Trace


def tensor(number, nbytes=8):
    return Tensor((nbytes,), "u8", bytes([number]) * nbytes)


def call(calls, number, name="set_input", arguments="context 0, input 0", nbytes=8):
    with calls.call(name, arguments) as row:
        row.tensor = tensor(number, nbytes)


def firsts(calls):
    return [kept.data[0] for kept in calls.tensors("set_input")]


def test_a_call_inside_of_another_is_the_same_row():
    calls = Trace()
    with calls.call("set_input") as outer:
        with calls.call("set_input", "context 0, input 0") as inner:
            inner.got = "1xu8"
        outer.note = "noted outside"
    assert outer is inner
    (row,) = calls
    assert (row.arguments, row.got, row.note) == ("context 0, input 0", "1xu8", "noted outside")


def test_an_error_inside_is_recorded_once():
    calls = Trace()
    with pytest.raises(TooLargeError), calls.call("get_output"), calls.call("get_output", "inner"):
        raise TooLargeError("too small", needed=9)
    (row,) = calls
    assert (row.errno, row.note, row.arguments) == (Errno.TOO_LARGE, "too small", "inner")
    with pytest.raises(InvalidArgumentError), calls.call("compute"):
        raise InvalidArgumentError("next")
    assert len(calls) == 2


def test_calls_of_other_threads_are_rows_of_their_own():
    calls = Trace()
    with calls.call("compute", "outer"):
        thread = threading.Thread(target=lambda: call(calls, 1))
        thread.start()
        thread.join()
    assert [row.name for row in calls] == ["set_input", "compute"]


def test_keep_last_keeps_one_per_port():
    calls = Trace(keep="last")
    for number in range(5):
        call(calls, number)
        call(calls, number + 100, arguments="context 0, input 1")
    assert firsts(calls) == [4, 104]
    assert calls.tensors_dropped == 0


def test_keep_none_keeps_nothing():
    calls = Trace(keep=None)
    call(calls, 1)
    assert firsts(calls) == []


@pytest.mark.parametrize(
    ("room", "kept"), [(0, []), (7, []), (8, [4]), (20, [3, 4]), (40, [*range(5)])]
)
def test_keep_bytes_lets_the_oldest_go(room, kept):
    calls = Trace(keep="all", keep_bytes=room)
    for number in range(5):
        call(calls, number)
    assert firsts(calls) == kept
    assert calls.tensors_dropped == 5 - len(kept)


def test_calls_in_the_middle_are_left_out(monkeypatch):
    monkeypatch.setattr(trace, "_MAX_CALLS", 10)
    monkeypatch.setattr(trace, "_FIRST_CALLS", 3)
    monkeypatch.setattr(trace, "_FIRST_ROWS", 2)
    monkeypatch.setattr(trace, "_LAST_ROWS", 2)
    calls = Trace(keep="all")
    for number in range(25):
        call(calls, number, arguments=f"n{number}")
    assert len(calls) + calls.dropped == 25
    assert len(calls) <= 10
    assert [row.arguments for row in calls[:3]] == ["n0", "n1", "n2"]
    assert calls[-1].arguments == "n24"
    assert len(firsts(calls)) == len(calls)
    lines = repr(calls).splitlines()
    assert [line.split()[0] for line in lines[1:6]] == ["0", "1", "…", "23", "24"]
    assert "n12" not in calls._repr_html_()


def test_seconds_count_calls_that_were_left_out(monkeypatch):
    monkeypatch.setattr(trace, "_MAX_CALLS", 4)
    monkeypatch.setattr(trace, "_FIRST_CALLS", 1)
    calls = Trace()
    for number in range(9):
        call(calls, number)
    assert calls.seconds("set_input") > sum(row.seconds for row in calls)
    assert calls.seconds("compute") == 0
