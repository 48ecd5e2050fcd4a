import pytest

from browser.pages import expect


@pytest.fixture
def notebook(open_notebook):
    with open_notebook(
        "slider",
        "import ipywidgets\nslider = ipywidgets.IntSlider(3, description='Rounds')\nslider",
    ) as made:
        yield made


def test_slider(notebook, browser):
    if True:
        notebook.run_all()
        handle = notebook.page.locator(".noUi-handle")
        expect(handle).to_be_visible()
        notebook.kernel.run("slider.value = 7")
        expect(handle).to_have_attribute("aria-valuenow", "7.0")
        assert notebook.kernel.ask("slider.value") == 7
        notebook.sent.clear()
        handle.press("ArrowRight")
        notebook.until(lambda: notebook.kernel.ask("slider.value") == 8, "the kernel knows")
        assert notebook.sent
        saved = notebook.save()
        assert saved["cells"][0]["outputs"]
        notebook.reload()
        expect(handle).to_have_attribute("aria-valuenow", "8.0")
        notebook.restart_and_run_all()
        expect(handle).to_have_attribute("aria-valuenow", "3.0")
        assert notebook.errors == []
