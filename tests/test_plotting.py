import io
import itertools
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from PIL import Image

from wasinn_nb.cards.card import ModelCard
from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.render.palette import LegendEntry
from wasinn_nb.render.plotting import Panel, draw_panels
from wasinn_nb.tasks.segmentation.masks import colorize
from wasinn_nb.tasks.segmentation.result import SegmentationResult

CARD = ModelCard("toy", "segmentation", classes=("background", "road", "curb"))
LABELS = np.array([[0, 0, 1], [0, 1, 1]], np.uint8)


def png(figure):
    return np.asarray(Image.open(io.BytesIO(figure._repr_png_())).convert("RGB"))


@pytest.mark.full
def test_three_panels_with_a_legend():
    image = np.full((20, 30, 3), 90, np.uint8)
    result = SegmentationResult(LABELS, CARD, image=image)
    figure = result.plot(opacity=1)
    assert [axes.get_title() for axes in figure.axes] == [
        "Image",
        "Mask: toy",
        "Image and mask",
    ]
    drawn = [np.asarray(axes.images[0].get_array()) for axes in figure.axes]
    labels = result.resize(20, 30).labels
    assert np.array_equal(drawn[0], image)
    assert np.array_equal(drawn[1], colorize(labels, CARD.palette))
    assert np.array_equal(drawn[2], np.asarray(result.overlay(opacity=1)))
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [
        "background  50.00 %",
        "road  50.00 %",
        "curb  0.00 %",
    ]
    colors = [patch.get_facecolor()[:3] for patch in legend.get_patches()]
    assert np.allclose(np.array(colors) * 255, CARD.palette)


def test_the_mask_alone_without_an_image():
    figure = SegmentationResult(LABELS, CARD).plot()
    assert [axes.get_title() for axes in figure.axes] == ["Mask: toy"]


def test_long_titles_stand_in_lines_that_fit():
    pixels = np.zeros((30, 60, 3), np.uint8)
    short, long = (
        "Image",
        "Mask of a: a-model-with-a-long-name-0001, and where it ran: " + "f32 " * 40,
    )
    whole = "abcdefghijkl" * 8
    figure = draw_panels([Panel(title, pixels) for title in (short, long, whole)], [])
    titles = [axes.title for axes in figure.axes]
    assert titles[0].get_text() == short
    assert titles[1].get_text().startswith("Mask of a: a-model-with-a-long-name-0001,")
    assert titles[1].get_text().endswith("f32 …")
    assert titles[2].get_text().replace("\n", "") == whole
    figure.draw_without_rendering()
    boxes = [title.get_window_extent() for title in titles]
    width, height = figure.bbox.size
    assert all(box.y1 <= height and box.x1 <= width and box.x0 >= 0 for box in boxes)
    assert all(one.x1 <= other.x0 for one, other in itertools.pairwise(boxes))


def test_another_image():
    image = np.full((4, 6, 3), 9, np.uint8)
    figure = SegmentationResult(LABELS, CARD).plot(image, opacity=0)
    assert np.array_equal(figure.axes[2].images[0].get_array(), image)
    with pytest.raises(InvalidArgumentError, match="opacity"):
        SegmentationResult(LABELS, CARD).plot(image, opacity=7)


@pytest.mark.full
def test_masks_keep_their_colors_on_the_screen():
    labels = np.random.default_rng(0).integers(0, 3, (700, 1100), np.uint8)
    pixels = colorize(labels, [(0, 0, 0), (0, 114, 178), (213, 94, 0)])
    drawn = png(draw_panels([Panel("", pixels, smooth=False)], []))
    inside = drawn[100:-100, 100:-100].reshape(-1, 3)
    assert set(map(tuple, np.unique(inside, axis=0).tolist())) == {
        (0, 0, 0),
        (0, 114, 178),
        (213, 94, 0),
    }


def test_names_are_no_markup():
    entries = [
        LegendEntry(name, (0, 0, 0), "1.00 %") for name in ("$x$", "_hidden", "a$b", r"\frac")
    ]
    figure = draw_panels([Panel("", np.zeros((2, 2, 3), np.uint8))], entries)
    png(figure)
    assert len(figure.legends[0].get_texts()) == 4


@pytest.mark.full
@pytest.mark.parametrize("entries", [1, 4, 12, 150])
@pytest.mark.parametrize("shape", [(2, 3), (900, 10), (10, 900)])
def test_nothing_is_cut_off(entries, shape):
    legend = [LegendEntry(f"class number {i}", (0, 0, 255), "100.00 %") for i in range(entries)]
    panel = Panel("Title", np.full((*shape, 3), 127, np.uint8))
    figure = draw_panels([panel, panel, panel], legend)
    figure.draw_without_rendering()
    edges = figure.bbox
    boxes = [figure.legends[0].get_window_extent()]
    boxes += [axes.title.get_window_extent() for axes in figure.axes]
    for box in boxes:
        assert edges.x0 <= box.x0 <= box.x1 <= edges.x1
        assert edges.y0 <= box.y0 <= box.y1 <= edges.y1
    assert boxes[0].y1 <= min(axes.get_window_extent().y0 for axes in figure.axes)


@pytest.mark.parametrize(
    ("panels", "message"),
    [
        ([], "at least one image"),
        ([Panel("Mask", np.zeros((2, 2), np.uint8))], r"Mask: expected a \(H, W, 3\) uint8"),
        ([Panel("Mask", np.zeros((2, 2, 3)))], "float64"),
    ],
)
def test_what_is_not_an_image(panels, message):
    with pytest.raises(InvalidArgumentError, match=message):
        draw_panels(panels, [])


@pytest.mark.full
def test_only_plot_imports_matplotlib_and_nothing_imports_pyplot():
    code = """
        import sys, numpy as np
        from wasinn_nb.cards import ModelCard
        from wasinn_nb.tasks.segmentation import SegmentationResult
        assert "matplotlib" not in sys.modules
        card = ModelCard("toy", classes=("a",))
        SegmentationResult(np.zeros((2, 2), np.uint8), card).plot()._repr_png_()
        assert "matplotlib.pyplot" not in sys.modules
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True)


PLOT = """\
import numpy as np
from wasinn_nb.cards import ModelCard
from wasinn_nb.tasks.segmentation import SegmentationResult
result = SegmentationResult(np.zeros((2, 2), np.uint8), ModelCard("toy", classes=("a",)))
result.plot()"""


@pytest.mark.full
@pytest.mark.filterwarnings("default")  # the kernel client's own
def test_a_notebook_shows_the_figure_once(tmp_path):
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    sources = [
        PLOT,
        "import matplotlib.pyplot as plt\nresult.plot()",
        "%matplotlib inline\nresult.plot()",
        "figure = result.plot()",
        "result",
    ]
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    notebook = nbformat.v4.new_notebook(cells=cells)
    nbclient.NotebookClient(
        notebook, timeout=60, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    figures = [[o for o in cell.outputs if "image/png" in o.get("data", {})] for cell in cells]
    assert [len(found) for found in figures] == [1, 1, 1, 0, 1]
    assert [len(cell.outputs) for cell in cells] == [1, 1, 1, 0, 1]
    assert "text/html" in cells[4].outputs[0].data
