"""A widget's layout is a widget of its own: it is closed and opened with it."""

import ipywidgets
import pytest

import wasinn_nb as wn


def test_a_closed_widget_leaves_nothing_open_and_comes_back_whole():
    count = len(ipywidgets.widgets.widget._instances)
    viewer = wn.MaskViewer()
    layout = viewer.layout
    viewer.close()
    viewer.close()
    assert layout.comm is None
    assert len(ipywidgets.widgets.widget._instances) == count
    viewer.open()
    assert viewer.layout is layout
    assert layout.comm is not None
    viewer.close()


@pytest.mark.full  # it runs a model
def test_an_explorer_leaves_nothing_open():
    count = len(ipywidgets.widgets.widget._instances)
    explorer = wn.Explorer()
    explorer.wait()
    explorer.close()
    assert len(ipywidgets.widgets.widget._instances) == count


def test_a_layout_that_another_widget_has_too_stays_open():
    layout = ipywidgets.Layout(width="50%")
    first, second = wn.MaskViewer(layout=layout), wn.MaskViewer(layout=layout)
    first.close()
    assert layout.comm is not None
    second.close()
    assert layout.comm is None
