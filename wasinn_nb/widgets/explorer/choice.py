"""`Choice`: a list of titles, of which one is picked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import traitlets

from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.widgets.access import PageWidget
from wasinn_nb.widgets.pages import page

__all__ = ["Choice"]


class Choice(PageWidget):
    """A list of titles, each with a value, of which one is picked.

    Parameters
    ----------
    label : str
        What the list is called.
    options : sequence of tuple of str
        Title and value of each.
    value : str
        The value that is picked.

    Raises
    ------
    InvalidArgumentError
        If the value is not one of the options; also where it is set later.

    Examples
    --------
    >>> choice = Choice("Channels", [("as the recipe says", ""), ("BGR", "BGR")])
    >>> choice.value = "RGB"
    Traceback (most recent call last):
    ...
    wasinn_nb.errors.InvalidArgumentError: expected Channels as one of '', 'BGR', got 'RGB'
    """

    _from_page = frozenset({"value"})

    _page_module, _css = page("choice")

    label = traitlets.Unicode().tag(sync=True)
    value = traitlets.Unicode().tag(sync=True)
    _options = traitlets.List(traitlets.List(traitlets.Unicode())).tag(sync=True)

    def __init__(self, label: str, options: Sequence[tuple[str, str]], value: str = "") -> None:
        listed = [list(option) for option in options]
        super().__init__(label=label, _options=listed, value=value)

    @traitlets.validate("value")
    def _check_value(self, proposal: Any) -> Any:
        known = [value for _, value in self._options]
        if proposal["value"] not in known:
            raise InvalidArgumentError(
                f"expected {self.label} as one of {', '.join(map(repr, known))}, "
                f"got {proposal['value']!r:.80}"
            )
        return proposal["value"]
