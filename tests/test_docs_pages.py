"""The pages that are made from other files."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"


@pytest.fixture
def docs(monkeypatch):
    monkeypatch.syspath_prepend(str(DOCS))


def test_the_tables_of_other_runtimes_have_every_rule(docs):
    import runtimes_page

    text = runtimes_page.text(runtimes_page.runtime_rules())
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    known = json.loads((ROOT / "wasinn_nb" / "behavior" / "runtimes.json").read_text("utf-8"))
    for runtime in known["runtimes"]:
        assert f"## {runtime['title']} {runtime['version']}\n" in text
        for rule in runtime["rules"]:
            start = f"| `{rule['call']}` | {rule['why']} | {rule['outcome']} | {rule['change']} |"
            assert any(row.startswith(start) for row in rows), start
        for lack in runtime["lacks"]:
            assert all(f"`{name}`" in text for name in lack["names"])
    assert len(rows) > 40
    for part in text.split("## ")[1:]:
        once = [line for line in part.splitlines() if line.startswith("| `")]
        assert len(once) == len(set(once))


def test_the_summaries_of_verbs_are_whole(docs):
    import cli_page

    text = "* `run`: Run...\n* `--json`: Print...\n\n## `wasinn-nb run`\n\nRun a guest.\n"
    assert cli_page.with_whole_summaries(text).startswith(
        "* `run`: Run a guest.\n* `--json`: Print"
    )


def test_the_reference_of_bundles_has_every_field():
    from wasinn_nb.deployment.facts import BundleFacts, OutputFacts, VectorFacts

    page = (DOCS / "reference" / "bundle.md").read_text("utf-8")
    for kind in (BundleFacts, OutputFacts, VectorFacts):
        assert [name for name in kind.__annotations__ if f"`{name}`" not in page] == []


def test_limits_are_those_of_the_code():
    from wasinn_nb.cards import checks
    from wasinn_nb.evaluation import labels
    from wasinn_nb.imaging import recipe

    page = (DOCS / "explanation" / "limits.md").read_text("utf-8")
    for limit in (checks.MOST_MASK_CLASSES, labels._MOST, recipe.MAX_SIDE, checks._MOST_CLASSES):
        assert f"{limit:,}" in page


def test_the_links_of_the_project_s_own_pages_lead_somewhere():
    broken = []
    for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"):
        text = (ROOT / name).read_text("utf-8")
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            path, _, anchor = target.partition("#")
            if path.startswith(("http://", "https://")):
                continue
            file = ROOT / (path or name)
            if not file.exists() or (anchor and anchor not in anchors(file)):
                broken.append(f"{name}: {target}")
    assert broken == []


def anchors(page):
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}
