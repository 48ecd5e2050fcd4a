import threading

import pytest

from wasinn_nb.abi import Errno
from wasinn_nb.errors import BusyError, TensorFileError, TooLargeError
from wasinn_nb.tensor import Tensor
from wasinn_nb.wasi_nn.trace import Trace


def note(trace, name, arguments="", **changes):
    with trace.call(name, arguments) as call:
        for key, value in changes.items():
            setattr(call, key, value)


def example():
    trace = Trace()
    note(trace, "load", "toy.xml", got="graph 0")
    with pytest.raises(TooLargeError):
        _fail(trace)
    return trace


def _fail(trace):
    with trace.call("get_output", "context 0, output 0") as call:
        call.expected = "1x2xf32"
        raise TooLargeError("the output takes 8 bytes, the buffer has <7>", needed=8)


def test_text_is_a_table_with_notes_below():
    assert repr(example()) == (
        "#  call        arguments            expected  got      errno\n"
        "0  load        toy.xml                        graph 0  success\n"
        "1  get_output  context 0, output 0  1x2xf32            too_large\n"
        "#1 get_output: the output takes 8 bytes, the buffer has <7>"
    )


def test_html_is_escaped_marks_failures_and_shows_times():
    trace = example()
    trace[0].seconds, trace[1].seconds = 0.0125, 1
    html = trace._repr_html_()
    assert "the buffer has &lt;7&gt;" in html
    assert "<7>" not in html
    assert ">12.5 ms<" in html
    assert ">1000.0 ms<" in html
    good, bad = html.split("<tbody>")[1].split("</tr>")[:2]
    assert "font-weight:600" in bad
    assert "font-weight:600" not in good


@pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", "a&b", '"><img src=x>'])
def test_nothing_hostile_reaches_the_html(hostile):
    trace = Trace()
    note(trace, hostile, hostile, expected=hostile, got=hostile, note=hostile)
    assert hostile not in trace._repr_html_()


@pytest.mark.parametrize(
    ("error", "errno", "note_text"),
    [
        (BusyError("busy"), Errno.BUSY, "busy"),
        (TooLargeError("large", needed=1), Errno.TOO_LARGE, "large"),
        (TensorFileError("no errno of its own"), Errno.RUNTIME_ERROR, "no errno of its own"),
        (ZeroDivisionError("ours"), Errno.RUNTIME_ERROR, "ZeroDivisionError('ours')"),
        (KeyboardInterrupt(), Errno.RUNTIME_ERROR, "KeyboardInterrupt()"),
    ],
)
def test_every_error_is_recorded_and_goes_on(error, errno, note_text):
    trace = Trace()
    with pytest.raises(type(error)) as caught, trace.call("compute"):
        raise error
    assert caught.value is error
    assert (trace[0].errno, trace[0].note) == (errno, note_text)


def test_an_empty_trace():
    assert repr(Trace()) == "#  call  arguments  expected  got  errno"
    assert list(Trace()) == []
    assert "<tbody></tbody>" in Trace()._repr_html_()


def test_it_is_a_sequence():
    trace = example()
    assert len(trace) == 2
    assert [call.name for call in trace] == ["load", "get_output"]
    assert trace[-1] is trace[1]
    assert [call.name for call in trace[:1]] == ["load"]
    with pytest.raises(IndexError):
        trace[2]


def test_seconds_are_added_up_by_name():
    trace = Trace()
    for _ in range(3):
        note(trace, "compute")
    note(trace, "load")
    assert trace.seconds("compute") == pytest.approx(sum(call.seconds for call in trace[:3]))
    assert trace.seconds("set_input") == 0


def tensor(number):
    return Tensor((1,), "u8", bytes([number]))


@pytest.mark.parametrize(
    ("keep", "kept"),
    [("all", [0, 1, 2, 3, 4]), ("last", [2, 3, 4]), (None, [])],
)
def test_keep(keep, kept):
    trace = Trace(keep=keep)
    # Input 0 twice, input 1 of two contexts, and input 0 once more.
    places = ["context 0, input 0"] * 2
    places += ["context 0, input 1", "context 1, input 1", "context 0, input 0"]
    for number, place in enumerate(places):
        note(trace, "set_input", place, tensor=tensor(number))
    assert [t.to_array()[0] for t in trace.tensors("set_input")] == kept
    assert trace.tensors("get_output") == []


def test_a_failed_call_does_not_push_the_last_tensor_out():
    trace = Trace(keep="last")
    note(trace, "set_input", "context 0, input 0", tensor=tensor(1))
    with pytest.raises(BusyError), trace.call("set_input", "context 0, input 0"):
        raise BusyError("busy")
    assert trace.tensors("set_input") == [tensor(1)]


def test_threads_lose_no_calls_and_can_be_watched():
    trace = Trace()

    def work(n):
        for _ in range(100):
            note(trace, "compute", f"context {n}")

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        repr(trace)
        trace._repr_html_()
    assert len(trace) == 400
    for n in range(4):
        assert sum(call.arguments == f"context {n}" for call in trace) == 100
