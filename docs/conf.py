"""The documentation's build: ``make docs``.  It needs no network and runs no notebook."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from sphinx.application import Sphinx

from wasinn_nb import __version__

HERE: Final = Path(__file__).parent
sys.path.insert(0, str(HERE))

project = "wasinn_nb"
author = "The wasinn_nb developers"
project_copyright = author
version = release = __version__

extensions = [
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_copybutton",
]
exclude_patterns = ["_build", "questions.md", "explanation/runtimes-table.md"]
# Tutorials are committed with their outputs, which nbval compares with a run.
nb_execution_mode = "off"
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
suppress_warnings = ["mystnb.unknown_mime_type"]  # widgets' state, which a saved page shows as HTML
autosummary_generate = True
autodoc_typehints = "none"  # numpydoc's sections state them
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

html_theme = "pydata_sphinx_theme"
html_title = f"wasinn_nb {version}"
html_static_path = ["_static"]
templates_path = ["_templates"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_theme_options = {
    "show_prev_next": True,
    "navigation_with_keys": False,
    "header_links_before_dropdown": 6,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "navbar_align": "left",
}
html_sidebars = {"index": []}


def write_sources(_: Sphinx) -> None:
    """Write the pages that are made from other files and from the package."""
    import architecture
    import cli_page
    import live_viewers
    import runtimes_page

    for notebook in (HERE.parent / "notebooks").glob("*.ipynb"):
        # Links to pages hold from the folder of the notebooks.
        text = notebook.read_text("utf-8").replace("](../docs/", "](../")
        (HERE / "tutorials" / notebook.name).write_text(text, "utf-8")
    cli_page.write()
    architecture.write(HERE / "explanation" / "architecture.svg")
    live_viewers.write()
    runtimes_page.write()


def widget_signature(
    _: Sphinx, what: str, __: str, value: Any, *others: Any
) -> tuple[str, str] | None:
    """Return the parameters of a widget: its metaclass would hide them."""
    if what != "class" or not hasattr(value, "class_traits"):
        return None
    parameters = list(inspect.signature(value.__init__).parameters.values())[1:]
    plain = [one.replace(annotation=inspect.Parameter.empty) for one in parameters]
    return str(inspect.Signature(plain)), others[-1]


def setup(app: Sphinx) -> None:
    """Connect what happens before the build, and while it reads signatures."""
    app.connect("builder-inited", write_sources)
    app.connect("autodoc-process-signature", widget_signature)
