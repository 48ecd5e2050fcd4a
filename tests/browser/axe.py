"""What axe-core finds in a page: violations of the rules for accessible pages."""

from __future__ import annotations

from pathlib import Path

SCRIPT = Path(__file__).parents[1] / "javascript/node_modules/axe-core/axe.min.js"
FOUND = """async (root) => {
    const { violations } = await axe.run(root, { resultTypes: ["violations"] });
    return violations.filter(({ impact }) => impact === "serious" || impact === "critical")
        .map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) =>
            `${html.slice(0, 160)} ${failureSummary}`).join(" | ")}`);
}"""


def violations(root) -> list[str]:
    """Return the serious and critical violations in an element."""
    root.page.evaluate(f"() => {{ {SCRIPT.read_text()} }}")
    return root.evaluate(FOUND)
