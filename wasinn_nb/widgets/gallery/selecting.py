"""What is selected, as text: an expression, and the Python that makes the same selection."""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.prediction import quoted_column
from wasinn_nb.widgets.gallery.table import GalleryTable

__all__ = ["checked_filter", "filter_text", "joined_query", "selection_code"]

_MOST_VALUES: Final = 200
# What no code can name, since only the caller has it.
_GIVEN: Final = {
    "predictions": "the rows that the gallery was made of",
    "results": "the results that the gallery was made of",
    "evaluation": "the evaluation that the gallery was given",
    "truths": "the truths that the gallery was given",
    "other": "the other run that the gallery was given",
}


def checked_filter(given: Mapping[str, Any], table: GalleryTable) -> dict[str, Any]:
    """Return a filter as the page sends it, or raise.

    Parameters
    ----------
    given : mapping
        ``column``; and ``texts``, a list, or ``low`` (which belongs to it) and ``high`` (which does
        not), each a number or None.
    table : GalleryTable

    Raises
    ------
    InvalidArgumentError
        If it is anything else.
    """
    column = given.get("column")
    if not isinstance(column, str) or column not in table.names:
        raise InvalidArgumentError(f"expected the name of a column, got {column!r:.80}")
    if "texts" in given:
        texts = given["texts"]
        if (
            not isinstance(texts, list | tuple)
            or not 0 < len(texts) <= _MOST_VALUES
            or not all(isinstance(one, str) for one in texts)
        ):
            raise InvalidArgumentError(f"expected the texts of {column!r}, got {texts!r:.80}")
        return {"column": column, "texts": list(texts)}
    bounds = {name: _number(given.get(name)) for name in ("low", "high")}
    if bounds == {"low": None, "high": None}:
        raise InvalidArgumentError(f"expected low, high or texts of {column!r}")
    return {"column": column, **bounds}


def _number(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InvalidArgumentError(f"expected a number as bound, got {value!r:.80}")
    return float(value)


def filter_text(one: Mapping[str, Any]) -> str:
    """Return a filter as an expression.

    Examples
    --------
    >>> filter_text({"column": "grass land", "low": 0.05, "high": 0.1})
    '`grass land` >= 0.05 and `grass land` < 0.1'
    >>> filter_text({"column": "status", "texts": ["error"]})
    "status == 'error'"
    """
    name = quoted_column(one["column"])
    if "texts" in one:
        texts = [repr(text) for text in one["texts"]]
        return f"{name} == {texts[0]}" if len(texts) == 1 else f"{name} in [{', '.join(texts)}]"
    bounds = [
        f"{name} {sign} {one[bound]:.12g}"
        for bound, sign in (("low", ">="), ("high", "<"))
        if one.get(bound) is not None
    ]
    return " and ".join(bounds)


def joined_query(text: str, filters: Sequence[Mapping[str, Any]]) -> str:
    """Return what a text and filters ask together; empty where nothing is asked.

    Examples
    --------
    >>> joined_query("road > 0 or curb > 0", [{"column": "sky", "low": 0.5, "high": None}])
    '(road > 0 or curb > 0) and sky >= 0.5'
    """
    parts = [text.strip()] if text.strip() else []
    parts += [filter_text(one) for one in filters]
    if len(parts) > 1 and text.strip():
        parts[0] = f"({parts[0]})"
    return " and ".join(parts)


def selection_code(
    table: GalleryTable,
    query: str,
    sort_by: str,
    *,
    descending: bool,
    arguments: str = "",
    opening: str = "",
    evaluation: str = "",
) -> str:
    """Return Python that makes a selection.

    Parameters
    ----------
    table : GalleryTable
    query : str
        Empty: all rows.
    sort_by : str
    descending : bool
    arguments : str
        Of the gallery beside the predictions, as code: `, truths='masks'`.
    opening : str
        The expression that makes the predictions; empty where there is none.
    evaluation : str
        That which makes the evaluation of which the other two speak.
    """
    lines = ["import wasinn_nb as wn", ""]
    added = sort_by in table.added or any(quoted_column(name) in query for name in table.added)
    unknown = _names(opening or "predictions")
    if added:
        unknown |= _names(f"wn.Gallery(predictions{arguments})") - {"predictions"}
    if evaluation and "evaluation" in unknown:
        unknown -= {"evaluation"}
        lines.append(f"evaluation = {evaluation}")
    lines += [f"# {name}: {what}" for name, what in _GIVEN.items() if name in unknown]
    if opening:
        lines.append(f"predictions = {opening}")
    if added:
        lines.append(f"gallery = wn.Gallery(predictions{arguments})")
        if query:
            lines.append(f"gallery.query = {query!r}")
        lines.append(f"gallery.sort_by, gallery.descending = {sort_by!r}, {descending}")
        lines.append("selection = gallery.selection")
    else:
        found = f"predictions.query({query!r})" if query else "predictions"
        lines.append(f"selection = {found}.table()")
        ascending = "" if not descending else ", ascending=False"
        lines.append(f"selection = selection.sort_values({sort_by!r}{ascending}, kind='stable')")
    return "\n".join(lines) + "\n"


def _names(code: str) -> set[str]:
    """Return the names in an expression."""
    return {node.id for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)}
