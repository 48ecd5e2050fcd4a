"""A page that is loaded while another thread shows a result gets the result."""

from __future__ import annotations

import asyncio
import threading

import numpy as np
import pytest
import traitlets

import wasinn_nb as wn
from wasinn_nb.origin import Origin
from wasinn_nb.widgets.access import PageWidget
from wasinn_nb.widgets.explorer import Explorer
from wasinn_nb.widgets.explorer.panel import Panel
from wasinn_nb.widgets.pages import page
from wasinn_nb.widgets.viewer.bars import Bars


class Toy(PageWidget):
    _from_threads = frozenset({"value"})
    _page_module, _css = page("panel")

    value = traitlets.List().tag(sync=True)
    other = traitlets.Int().tag(sync=True)


@pytest.fixture
def sent(monkeypatch):
    """Return what widgets send from now on: names and values."""
    messages = []

    def record(self, key=None):
        names = [key] if isinstance(key, str) else list(key)
        messages.append({name: getattr(self, name) for name in names})

    monkeypatch.setattr(Toy, "send_state", record)
    return messages


def set_in_a_thread(toy, value):
    thread = threading.Thread(target=lambda: setattr(toy, "value", value))
    thread.start()
    thread.join()


def test_what_changes_while_all_states_are_gathered_is_sent_again(sent):
    async def loaded():
        toy = Toy()
        await asyncio.sleep(0)
        sent.clear()
        state = toy.get_state()
        set_in_a_thread(toy, [1])
        assert sent == [{"value": [1]}]  # before the page has the states
        await asyncio.sleep(0)
        return state

    assert asyncio.run(loaded())["value"] == []
    assert sent == [{"value": [1]}] * 2


def test_what_changes_while_it_is_sent_again_is_sent_once_more(sent, monkeypatch):
    record = Toy.send_state
    later: list[list[int]] = []

    def slow(self, key=None):
        record(self, key)
        if later and len(sent) == 2:
            value = later.pop()
            set_in_a_thread(self, value)

    monkeypatch.setattr(Toy, "send_state", slow)

    async def loaded():
        toy = Toy()
        await asyncio.sleep(0)
        sent.clear()
        later.append([2])
        toy.get_state()
        set_in_a_thread(toy, [1])
        await asyncio.sleep(0)

    asyncio.run(loaded())
    assert [one["value"] for one in sent] == [[1], [1], [2], [2]]


def test_nothing_is_sent_twice_where_nothing_changed(sent):
    async def loaded():
        toy = Toy()
        await asyncio.sleep(0)
        sent.clear()
        toy.get_state()
        toy.get_state("value")
        toy.other = 3
        toy.close()
        await asyncio.sleep(0)

    asyncio.run(loaded())
    assert [list(one) for one in sent] == [["other"]]


def test_without_a_loop_states_are_returned_alone(sent):
    toy = Toy()
    sent.clear()
    assert toy.get_state()["other"] == 0
    assert sent == []


def masks():
    card = wn.ModelCard("toy", classes=("background", "road"))
    image = np.zeros((4, 6, 3), np.uint8)
    one, other = (
        wn.SegmentationResult(np.full((4, 6), label, np.uint8), card, image=image)
        for label in (0, 1)
    )
    viewer = wn.MaskViewer(one, other, mode="difference")
    viewer.stale = True
    one_class = wn.SegmentationResult(np.ones((4, 6), np.uint8), card, image=image + 1)
    return viewer, lambda: viewer.show_masks(one_class)


def bars():
    card = wn.ModelCard("toy", "classification", classes=("a", "b"))
    image = np.zeros((4, 6, 3), np.uint8)
    result = wn.ClassificationResult(np.float32([0.25, 0.75]), card, Origin("toy"), image=image)
    made = Bars()
    made.stale = True
    return made, lambda: made.show([result], ["A"], [])


@pytest.mark.parametrize("make", [masks, bars])
def test_all_that_a_result_changes_is_sent_again(make):
    widget, show = make()
    names = widget.trait_names(sync=True)
    before = {name: getattr(widget, name) for name in names}
    show()
    changed = {name for name in names if getattr(widget, name) is not before[name]}
    assert {"stale", "_sent_image"} <= changed <= widget._from_threads <= {*names}


@pytest.mark.parametrize("kind", [Explorer, Panel])
def test_what_is_sent_again_are_traits_of_the_page(kind):
    assert kind._from_threads
    assert kind._from_threads <= {*kind.class_trait_names(sync=True)}
