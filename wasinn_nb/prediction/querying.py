"""Expressions over columns: for which rows they hold."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.prediction.column_names import in_quotes, no_column, quoted_column, refusal
from wasinn_nb.prediction.expressions import Expression, read_expression

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["rows_that_hold", "rows_that_plainly_hold"]

_ROW_TESTS: Final = frozenset({"isna", "isnull", "notna", "notnull"})
_PLAIN: Final = (
    *(ast.Expression, ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.Invert, ast.USub),
    *(ast.UAdd, ast.Compare, ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In),
    *(ast.NotIn, ast.BinOp, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod),
    *(ast.BitAnd, ast.BitOr, ast.Name, ast.Load, ast.Constant, ast.List, ast.Tuple),
    *(ast.Call, ast.Attribute),
)


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

    read = read_expression(expression, columns)
    # Some column gives the number of rows, where none is named.
    frame = table([*read.names.values()] or [columns[0]])
    if read.names:
        frame = frame[[*read.names.values()]].set_axis([*read.names], axis=1)
    if "level" in scope:
        scope["level"] += 1
    try:
        holds = np.asarray(frame.eval(read.text, **scope))
    except pd.errors.UndefinedVariableError as error:
        raise _undefined(str(error), expression, read, columns) from error
    except Exception as error:  # what pandas and Python raise for any text
        reason = _mismatch(read, frame) or f"{error!s:.200}"
        raise refusal(
            f"the expression {expression!r:.80} cannot be computed: {reason}", columns
        ) from error
    if holds.shape != (len(frame),) or not _are_answers(holds):
        raise refusal(
            f"expected an expression that is true or false for each row, such as "
            f"{_example(read, frame)}, got {expression!r:.80}",
            columns,
        )
    return np.array([one is True or one == 1 for one in holds], bool)


def _are_answers(values: NDArray[Any]) -> bool:
    """Return whether values are true, false or missing."""
    if values.dtype.kind != "O":
        return values.dtype.kind == "b"
    import pandas as pd

    return all(isinstance(one, bool | np.bool_) or pd.isna(one) is True for one in values)


def _undefined(
    reason: str, expression: str, read: Expression, columns: Sequence[str]
) -> InvalidArgumentError:
    """Return the error of a name that is neither a column nor a variable."""
    found = re.search(r"(local variable|name) '(.*)' is not defined", reason)
    name = found[2] if found else expression
    if found and found[1] == "local variable":
        problem = f"no variable {name!r:.80} where the expression is used"
        return refusal(problem, columns, ["columns stand without @"])
    return no_column(name, columns, expression=expression, text=_is_compared(read.tree, name))


def _is_compared(tree: ast.Expression, name: str) -> bool:
    """Return whether a name stands where a text may be meant: beside ``==``, ``!=`` or ``in``."""
    return any(
        isinstance(one, ast.Name) and one.id == name
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare)
        and all(isinstance(how, ast.Eq | ast.NotEq | ast.In | ast.NotIn) for how in node.ops)
        for side in node.comparators
        for one in ast.walk(side)
    )


def _mismatch(read: Expression, frame: pd.DataFrame) -> str:
    """Say which column is compared with a value of another kind; empty where none is."""
    for node in ast.walk(read.tree):
        sides = [node.left, *node.comparators] if isinstance(node, ast.Compare) else []
        names = [one.id for one in sides if isinstance(one, ast.Name) and one.id in read.names]
        values = [one.value for one in sides if isinstance(one, ast.Constant)]
        for name, value in itertools.product(names, values):
            column = quoted_column(read.names[name])
            if isinstance(value, str) and _is_number(frame[name]):
                return f"{column} holds numbers, {value!r:.40} is a text"
            if not isinstance(value, str) and not _is_number(frame[name]):
                return f"{column} holds no numbers, and {value!r:.40} is one"
    return ""


def _is_number(values: pd.Series[Any]) -> bool:
    return getattr(values.dtype, "kind", "O") in "biuf"


def _example(read: Expression, frame: pd.DataFrame) -> str:
    """Return an expression like the one that is only a column."""
    body = read.tree.body
    if not (isinstance(body, ast.Name) and body.id in read.names):
        return "\"status == 'done'\""
    return in_quotes(read.names[body.id], " > 0" if _is_number(frame[body.id]) else ".notna()")


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
    read = read_expression(expression, columns)
    if read.variables:
        raise InvalidArgumentError(
            f"expected columns, numbers and texts alone, got the variable {read.variables[0]!r:.80}"
        )
    nodes = [*ast.walk(read.tree)]
    if not all(isinstance(node, _PLAIN) and _is_plain(node) for node in nodes):
        raise InvalidArgumentError(
            f'expected comparisons of columns such as "road < 0.05 and curb > 0", '
            f"got {expression!r:.200}"
        )
    called = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
    for node in nodes:
        if isinstance(node, ast.Attribute) and id(node) not in called:
            raise InvalidArgumentError(f"expected {node.attr}() with parentheses, as a call")
        if isinstance(node, ast.Name) and node.id not in read.names:
            text = _is_compared(read.tree, node.id)
            raise no_column(node.id, columns, expression=expression, text=text)
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
