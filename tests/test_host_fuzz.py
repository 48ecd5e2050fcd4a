"""Random arguments for the functions: an errno comes back, and nothing else is written."""

import struct

import numpy as np
import pytest
from hosting import PAGE, HandGuest, doubling
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from wasinn_nb.abi import PARAMETERS, Errno

pytestmark = pytest.mark.slow

END = 2 * PAGE
KNOWN = {int(errno) for errno in Errno}
QUIET = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]

# Handles and small numbers, places in memory, and numbers at which something overflows.
NUMBERS = st.one_of(
    st.integers(0, 8),
    st.integers(0, END + 8),
    st.sampled_from([END - d for d in range(24)]),
    st.sampled_from([0x7FFFFFFF, 0x80000000, 0x20000000, 0x40000001, 0xFFFFFFFF, 0xFFFFFFF8]),
    st.integers(0, 2**32 - 1),
)
MEMORY = st.lists(st.tuples(st.integers(0, END - 64), st.lists(NUMBERS, max_size=16)), max_size=8)


def outputs(name, arguments, guest):
    """Return the ranges that a call may write to, of arguments that may be anything."""
    last = (arguments[-1], 4)
    if name in {"load", "load_by_name", "load_by_name_with_config", "init_execution_context"}:
        return [last]
    if name == "get_output":
        return [last, (arguments[2], min(arguments[3], guest.largest))]
    return []


def differing(before, after, ranges):
    """Return where two memories differ outside of some ranges."""
    changed = np.frombuffer(before, np.uint8) != np.frombuffer(after, np.uint8)
    for start, length in ranges:
        changed[start : start + length] = False
    return np.flatnonzero(changed)


def checked_call(guest, name, arguments):
    before, rows = guest.get(0, END), len(guest.ctx.trace) + guest.ctx.trace.dropped
    errno = guest.call(name, *arguments)
    assert errno in KNOWN
    call = guest.ctx.trace[-1]
    assert len(guest.ctx.trace) + guest.ctx.trace.dropped == rows + 1
    assert (call.name, call.errno) == (name, errno)
    assert bool(call.note) or errno == 0
    ranges = outputs(name, arguments, guest)
    if errno not in {Errno.SUCCESS, Errno.TOO_LARGE}:
        ranges = []
    elif errno == Errno.TOO_LARGE:
        ranges = ranges[:1]
    assert differing(before, guest.get(0, END), ranges).size == 0
    return errno


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    return {"m": doubling(folder, "m"), "u": doubling(folder, "u", (1, 8), np.uint8)}


def new_guest(models):
    guest = HandGuest(models=models)
    guest.largest = 16
    guest.put(64, b"m")
    for name in (b"m", b"u"):
        guest.put(64, name)
        assert guest.call("load_by_name", 64, 1, 0) == 0
        assert guest.call("init_execution_context", guest.u32(0), 0) == 0
    return guest


@pytest.fixture(scope="module")
def guest(models):
    return new_guest(models)


@settings(max_examples=1000, deadline=None, suppress_health_check=QUIET)
@given(
    name=st.sampled_from([n for n in PARAMETERS if n not in {"unload", "load"}]),
    arguments=st.lists(NUMBERS, min_size=5, max_size=5),
    contents=MEMORY,
)
def test_any_arguments(guest, name, arguments, contents):
    if name == "finalize_execution_context":
        arguments = [arguments[0] | 4] * 5  # keep the two that are there
    for at, numbers in contents:
        if numbers:
            guest.put(at, *numbers)
    checked_call(guest, name, arguments[: PARAMETERS[name]])


@settings(max_examples=200, deadline=None, suppress_health_check=QUIET)
@given(
    builders=st.lists(st.tuples(NUMBERS, NUMBERS), max_size=3),
    count=st.one_of(st.integers(0, 3), NUMBERS),
    encoding=st.one_of(st.sampled_from([0, 0, 0, 3, 6]), st.integers(6, 2**32 - 1)),
    target=st.integers(0, 5),
    at=st.sampled_from([128, END - 16, END - 8, END - 24]),
    result=NUMBERS,
)
def test_any_builders(guest, builders, count, encoding, target, at, result):
    raw = b"".join(struct.pack("<II", *builder) for builder in builders)
    room = raw[: END - at]
    if room:
        guest.put(at, room)
    checked_call(guest, "load", [at, count, encoding, target, result])


@settings(max_examples=400, deadline=None, suppress_health_check=QUIET)
@given(
    context=st.sampled_from([0, 1]),
    dims=st.lists(st.sampled_from([0, 1, 2, 4, 8, 1 << 16, 1 << 31, 2**32 - 1]), max_size=4),
    kind=st.integers(0, 9),
    nbytes=st.sampled_from([0, 1, 4, 8, 16, 32, 64, 2**31, 2**32 - 1]),
    data=st.sampled_from([256, END - 16, END - 8, END, 2**32 - 8]),
)
def test_any_tensors(guest, context, dims, kind, nbytes, data):
    if dims:
        guest.put(128, *dims)
    guest.put(64, struct.pack("<IIB3xII", 128, len(dims), kind, data, nbytes))
    checked_call(guest, "set_input", [context, 0, 64])


def test_any_order_of_calls(models):
    class Calls(RuleBasedStateMachine):
        """Good and bad calls in any order, over handles that come and go."""

        @initialize()
        def begin(self):
            self.guest = new_guest(models)
            self.guest.put(512, 1, 4, 1, 8)
            self.guest.put(640, struct.pack("<IIB3xII", 512, 2, 1, 1024, 16))
            self.guest.put(704, struct.pack("<IIB3xII", 520, 2, 2, 1024, 8))

        @rule(name=st.sampled_from([b"m", b"u", b"x"]), result=NUMBERS)
        def load(self, name, result):
            self.guest.put(64, name)
            checked_call(self.guest, "load_by_name", [64, 1, result])

        @rule(name=st.sampled_from(["unload", "finalize_execution_context", "compute"]),
              handle=st.integers(0, 5))  # fmt: skip
        def one_handle(self, name, handle):
            checked_call(self.guest, name, [handle])

        @rule(graph=st.integers(0, 4), result=NUMBERS)
        def init(self, graph, result):
            checked_call(self.guest, "init_execution_context", [graph, result])

        @rule(context=st.integers(0, 4), record=st.sampled_from([640, 704]))
        def set_input(self, context, record):
            checked_call(self.guest, "set_input", [context, 0, record])

        @rule(context=st.integers(0, 4), size=st.sampled_from([0, 7, 8, 16, 64]),
              buffer=st.sampled_from([2048, END - 16, END - 7]))  # fmt: skip
        def get_output(self, context, size, buffer):
            checked_call(self.guest, "get_output", [context, 0, buffer, size, 8])

        def teardown(self):
            self.guest.ctx.close()

    run_state_machine_as_test(
        Calls, settings=settings(max_examples=25, stateful_step_count=25, deadline=None)
    )
