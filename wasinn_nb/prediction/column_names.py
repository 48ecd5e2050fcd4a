"""Columns as expressions name them, and the errors of names and expressions that are wrong."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from wasinn_nb.errors import InvalidArgumentError, Remedy
from wasinn_nb.prediction.schema import results_first
from wasinn_nb.wording import closest, inert

__all__ = [
    "COMPUTED",
    "KEYWORDS",
    "NEAR",
    "TOKEN",
    "column_of",
    "in_quotes",
    "no_column",
    "quoted_column",
    "refusal",
    "repaired_choices",
]

TOKEN: Final = re.compile(
    r"""(?P<text>'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")|`(?P<quoted>(?:[^`]|``)*)`"""
    r"""|(?P<variable>@[^\W\d]\w*)|(?P<name>[^\W\d]\w*)|\d[\w.]*|.""",
    re.DOTALL,
)
KEYWORDS: Final = frozenset({"and", "or", "not", "in", "True", "False", "None"})
COMPUTED: Final = (
    *(ast.Expression, ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.Invert, ast.USub),
    *(ast.UAdd, ast.Compare, ast.cmpop, ast.BinOp, ast.Add, ast.Sub, ast.Mult, ast.Div),
    *(ast.FloorDiv, ast.Mod, ast.Pow, ast.BitAnd, ast.BitOr, ast.Name, ast.Load, ast.Constant),
    *(ast.List, ast.Tuple, ast.Call, ast.keyword, ast.Attribute, ast.Subscript, ast.Slice),
)
NEAR: Final = 0.7
"""How alike a word and the column are that it is taken for."""
_MISSING: Final = frozenset({"null", "nan", "none", "na"})
_MOST_NAMES: Final = 10


def quoted_column(name: str) -> str:
    """Return the name of a column as an expression has it: in backticks unless it is a plain word.

    A backtick in a name is doubled.

    Examples
    --------
    >>> quoted_column("road"), quoted_column("grass land"), quoted_column("`")
    ('road', '`grass land`', '````')
    """
    plain = name.isidentifier() and name not in KEYWORDS
    try:
        ast.parse(name, mode="eval")
    except SyntaxError:
        plain = False
    doubled = name.replace("`", "``")
    return name if plain else f"`{doubled}`"


def column_of(token: re.Match[str]) -> str | None:
    """Return the name that a token has between backticks; None where it has none.

    Examples
    --------
    >>> [column_of(token) for token in TOKEN.finditer("`a``b`+c")]
    ['a`b', None, None]
    """
    quoted: str | None = token["quoted"]
    return None if quoted is None else quoted.replace("``", "`")


def _name_list(columns: Sequence[str], *, expression: bool = True) -> str:
    """Return the names of columns, those of the results first.

    Parameters
    ----------
    columns : sequence of str
    expression : bool
        Whether they stand as in an expression.

    Examples
    --------
    >>> _name_list(["source", "name", "grass land", "road"])
    'the columns are `grass land`, road, name, source'
    """
    ordered = results_first(columns)[:_MOST_NAMES]
    names = ", ".join(map(quoted_column, ordered) if expression else ordered)
    left = len(columns) - len(ordered)
    return f"the columns are {names}" + (f" and {left} more" if left > 0 else "")


def no_column(
    name: str,
    columns: Sequence[str],
    *,
    argument: str = "",
    expression: str = "",
    text: bool = False,
) -> InvalidArgumentError:
    """Return the error that there is no such column.

    Parameters
    ----------
    name : str
    columns : sequence of str
    argument : str
        Which option of a command it was, where it is no part of an expression.
    expression : str
        What it is a part of; empty where it was named by itself.
    text : bool
        Whether it may be meant as a text.
    """
    close = closest(name, columns, NEAR)
    names = map(quoted_column, close) if expression else close
    hints = [f"did you mean {' or '.join(names)}?"] if close else []
    choices = [{argument: one} for one in close if argument]
    instead = [quoted_column(one) for one in close]
    if name.lower() in _MISSING:
        hints, instead = ["what is missing: COLUMN.isna(), or COLUMN.notna()"], []
    elif name.capitalize() in KEYWORDS:
        hints, instead = [f"write {name.capitalize()}"], [name.capitalize()]
    elif text:
        instead.insert(0, f'"{name}"')
        hints.insert(0, f"a text stands in quotes: {name!r:.80}")
    if expression:
        choices = repaired_choices([_renamed(expression, name, one) for one in instead], columns)
    return refusal(f"no column {name!r:.140}", columns, hints, choices, expression=bool(expression))


def refusal(
    problem: str,
    columns: Sequence[str],
    hints: Sequence[str] = (),
    choices: Sequence[Mapping[str, str]] = (),
    *,
    expression: bool = True,
) -> InvalidArgumentError:
    """Return the error of an expression, or of a column's name: what to do, and the columns.

    Parameters
    ----------
    problem : str
    columns : sequence of str
    hints : sequence of str
        What to do.
    choices : sequence of mappings
        See `Remedy`.
    expression : bool
        Whether names stand as in an expression.  In a shell, which runs what stands in backticks,
        expressions with them need single quotes.
    """
    names = _name_list(columns, expression=expression)
    if hints and hints[-1].endswith("?"):
        python = f"{'; '.join(hints)} {names[0].upper()}{names[1:]}"
    else:
        python = "; ".join([*hints, names])
    command = python
    quoted = [one for one in columns if quoted_column(one) != one]
    if expression and quoted and "`" in python:
        example = in_quotes(quoted[0], " > 0")
        command += f"; in a shell, backticks stand in single quotes, such as -q {example}"
    return InvalidArgumentError(problem, remedy=Remedy(inert(python), choices, inert(command)))


def _renamed(expression: str, name: str, other: str) -> str:
    """Return an expression with another name in the place of one."""
    return "".join(
        other if name in (token["name"], column_of(token)) else token[0]
        for token in TOKEN.finditer(expression)
    )


def repaired_choices(expressions: Sequence[str], columns: Sequence[str]) -> list[dict[str, str]]:
    """Return those of the expressions that can be read and use columns alone, as choices."""
    return [{"query": one} for one in dict.fromkeys(expressions) if _is_readable(one, {*columns})]


def _is_readable(expression: str, columns: AbstractSet[str]) -> bool:
    parts = [
        "_" if (column_of(token) or token["name"]) in columns else token[0]
        for token in TOKEN.finditer(expression)
    ]
    try:
        tree = ast.parse("".join(parts).strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return not isinstance(tree.body, ast.Name | ast.Tuple) and all(
        node.id == "_" if isinstance(node, ast.Name) else isinstance(node, COMPUTED)
        for node in ast.walk(tree)
    )


def in_quotes(column: str, test: str) -> str:
    """Return a test of a column in quotes that Python and a shell take.

    Examples
    --------
    >>> print(in_quotes("road", " > 0"), in_quotes("grass land", " > 0"))
    "road > 0" '`grass land` > 0'
    """
    name = quoted_column(column)
    return f'"{name}{test}"' if name == column else shlex.quote(f"{name}{test}")
