"""How many images are run at once: every choice is measured, and the fastest is taken."""

from __future__ import annotations

import platform

import pytest

from wasinn_nb.prediction import tuning as module
from wasinn_nb.prediction.session import Session
from wasinn_nb.prediction.tuning import Choice, Tuning, candidates
from wasinn_nb.runtimes import processors


@pytest.fixture
def clock(monkeypatch):
    """A clock that goes on as it is told."""

    class Clock:
        now = 0.0

        def monotonic(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


def run(tuning, clock, speeds):
    """Finish images at the speed of the present choice until nothing is to be tried any more."""
    tried = [tuning.choice.concurrency.streams]
    for _ in range(10_000):
        clock.now += 1 / speeds[tuning.choice.concurrency.streams]
        if tuning.count():
            tried.append(tuning.choice.concurrency.streams)
            tuning.start()
    return tried


def test_the_fastest_is_taken(clock):
    tuning = Tuning(candidates(8))
    assert run(tuning, clock, {8: 10, 4: 30, 1: 20}) == [8, 4, 1, 4]
    assert [one["images_per_second"] for one in tuning.facts()] == pytest.approx([10, 30, 20], 0.05)
    assert tuning.choice == candidates(8)[1]


def test_nothing_is_changed_where_the_last_one_is_the_fastest(clock):
    tuning = Tuning(candidates(8))
    assert run(tuning, clock, {8: 10, 4: 20, 1: 30}) == [8, 4, 1]


def test_one_choice_is_not_measured(clock):
    tuning = Tuning(candidates(8)[:1])
    assert run(tuning, clock, {8: 10}) == [8]
    assert tuning.facts() == []


def test_an_earlier_session_on_this_machine_counts():
    choice = candidates(8)[1]
    here = {"host": platform.node(), "processors": processors(), "choice": choice.to_dict()}
    measured = here | {"measured": [{"streams": 4}]}
    assert Session.chosen([measured, here | {"measured": []}]) == choice
    assert Session.chosen([measured | {"host": "another"}]) is None
    assert Session.chosen([]) is None
    for values in (None, {}, {"streams": 1 << 40, "threads": 1, "requests": 1}, {"streams": "x"}):
        assert Session.chosen([measured | {"choice": values}]) is None


def test_choices_are_json():
    for choice in candidates(6):
        assert Choice.from_dict(choice.to_dict()) == choice
