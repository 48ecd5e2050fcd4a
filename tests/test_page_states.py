"""A page that is loaded while another thread shows a result gets the result."""

from __future__ import annotations

import asyncio
import threading

import pytest
import traitlets

from wasinn_nb.widgets.access import PageWidget
from wasinn_nb.widgets.pages import page


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
