"""Expressions over columns: for which rows they hold."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.wording import no_such

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["quoted_column", "rows_that_hold", "rows_that_plainly_hold"]

_MOST_CHARACTERS: Final = 10_000
_TOKEN: Final = re.compile(
    r"""(?P<text>'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")|`(?P<quoted>[^`\n]*)`"""
    r"""|(?P<name>[^\W\d]\w*)|\d[\w.]*|.""",
    re.DOTALL,
)
_ROW_TESTS: Final = frozenset({"isna", "isnull", "notna", "notnull"})
_PLAIN: Final = (
    *(ast.Expression, ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.Invert, ast.USub),
    *(ast.UAdd, ast.Compare, ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In),
    *(ast.NotIn, ast.BinOp, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod),
    *(ast.BitAnd, ast.BitOr, ast.Name, ast.Load, ast.Constant, ast.List, ast.Tuple),
    *(ast.Call, ast.Attribute),
)


def quoted_column(name: str) -> str:
    """Return the name of a column as an expression has it: in backticks unless it is a plain word.

    Examples
    --------
    >>> quoted_column("road"), quoted_column("grass land")
    ('road', '`grass land`')
    """
    plain = name.isidentifier() and name not in {"and", "or", "not", "in", "True", "False", "None"}
    try:
        ast.parse(name, mode="eval")
    except SyntaxError:
        plain = False
    return name if plain else f"`{name}`"


def rows_that_hold(
    expression: str,
    columns: Sequence[str],
    table: Callable[[list[str]], pd.DataFrame],
    **scope: Any,
) -> NDArray[np.bool_]:
    """Return for which rows an expression holds; see :meth:`Predictions.query`.

    Parameters
    ----------
    expression : str
    columns : sequence of str
        The names that it may use.
    table : callable
        Gives some of the columns.
    **scope
        What `pandas.DataFrame.eval` takes to find the variables of the caller.

    Raises
    ------
    InvalidArgumentError
        If it cannot be computed, or does not give true or false for each row.
    """
    import pandas as pd

    text, names = _with_placeholders(expression, columns)
    # Some column gives the number of rows, where none is named.
    frame = table([*names.values()] or [columns[0]])
    if names:
        frame = frame[[*names.values()]].set_axis([*names], axis=1)
    if "level" in scope:
        scope["level"] += 1
    try:
        holds = frame.eval(text, **scope)
    except pd.errors.UndefinedVariableError as error:
        name = re.search(r"name '(.*)' is not defined", str(error))
        raise InvalidArgumentError(
            no_such("column", name[1] if name else expression, columns)
        ) from error
    except Exception as error:  # what pandas and Python raise for any text
        raise InvalidArgumentError(
            f"the expression {expression!r:.200} cannot be computed: {error!s:.300}; names "
            f"that are not plain words stand between backticks"
        ) from error
    values = np.asarray(holds)
    if values.shape != (len(frame),) or values.dtype.kind not in "bO":
        raise InvalidArgumentError(
            f"expected an expression that is true or false for each row, such as "
            f"\"status == 'done'\", got {expression!r:.200}"
        )
    return np.array([one is True or one == 1 for one in values], bool)


def rows_that_plainly_hold(
    expression: str, columns: Sequence[str], table: Callable[[list[str]], pd.DataFrame]
) -> NDArray[np.bool_]:
    """Return the same for an expression that comes from a page, which reaches nothing but columns.

    It has comparisons, ``in``, ``and``, ``or``, ``not`` and arithmetic over columns, numbers and
    texts, and of methods ``isna()`` and ``notna()``.

    Parameters
    ----------
    expression, columns, table
        As of :func:`rows_that_hold`.

    Raises
    ------
    InvalidArgumentError
        As of :func:`rows_that_hold`, and if it has anything else.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"road": [0.1, 0.6], "grass land": [0.0, 0.2]})
    >>> rows_that_plainly_hold("road > 0.2 and `grass land` > 0", list(frame), frame.get)
    array([False,  True])
    >>> rows_that_plainly_hold("road.map(print)", list(frame), frame.get)
    Traceback (most recent call last):
    ...
    wasinn_nb.errors.InvalidArgumentError: expected comparisons of columns such as "road < 0.05 and
    curb > 0", got 'road.map(print)'
    """
    text, names = _with_placeholders(expression, columns)
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else str(error)
        raise InvalidArgumentError(
            f"the expression {expression!r:.200} cannot be read: {reason:.200}; names that are "
            f"not plain words stand between backticks"
        ) from error
    if not all(isinstance(node, _PLAIN) and _is_plain(node) for node in ast.walk(tree)):
        raise InvalidArgumentError(
            f'expected comparisons of columns such as "road < 0.05 and curb > 0", '
            f"got {expression!r:.200}"
        )
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and id(node) not in called:
            raise InvalidArgumentError(f"expected {node.attr}() with parentheses, as a call")
        if isinstance(node, ast.Name) and node.id not in names:
            raise InvalidArgumentError(no_such("column", node.id, columns))
    return rows_that_hold(expression, columns, table, local_dict={}, global_dict={})


def _is_plain(node: ast.AST) -> bool:
    if isinstance(node, ast.BinOp):
        texts = (side for side in (node.left, node.right) if isinstance(side, ast.Constant))
        return all(isinstance(side.value, bool | int | float) for side in texts)
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Attribute) and not node.args and not node.keywords
    if isinstance(node, ast.Attribute):
        return node.attr in _ROW_TESTS and isinstance(node.value, ast.Name)
    return not isinstance(node, ast.Constant) or isinstance(node.value, bool | int | float | str)


def _with_placeholders(expression: str, columns: Sequence[str]) -> tuple[str, dict[str, str]]:
    """Return an expression without backticks, and name in it → column for those that it uses."""
    if not isinstance(expression, str) or not expression.strip():
        raise InvalidArgumentError(f"expected an expression as text, got {expression!r:.80}")
    if len(expression) > _MOST_CHARACTERS:
        raise InvalidArgumentError(
            f"expected an expression of at most {_MOST_CHARACTERS} characters, "
            f"got {len(expression)}"
        )
    known = {*columns}
    prefix = "_column_"
    while prefix in expression or any(name.startswith(prefix) for name in known):
        prefix += "_"
    names: dict[str, str] = {}
    parts = []
    for token in _TOKEN.finditer(expression):
        part, quoted = token[0], token["quoted"]
        if quoted is not None:
            if quoted not in known:
                raise InvalidArgumentError(no_such("column", quoted, columns))
            part = next((name for name, column in names.items() if column == quoted), "")
            part = part or f"{prefix}{len(names)}"
            names[part] = quoted
        elif token["name"] in known:
            names[part] = part
        parts.append(part)
    return "".join(parts), names
