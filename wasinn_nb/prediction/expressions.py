"""Expressions over columns as text: read before they are computed, so that errors say where."""

from __future__ import annotations

import ast
import bisect
import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.prediction.schema import results_first
from wasinn_nb.wording import closest

__all__ = ["Expression", "name_list", "no_column", "quoted_column", "read_expression"]

_MOST_CHARACTERS: Final = 10_000
_MOST_NAMES: Final = 10
_MOST_REST: Final = 60
_TOKEN: Final = re.compile(
    r"""(?P<text>'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")|`(?P<quoted>[^`\n]*)`"""
    r"""|(?P<variable>@[^\W\d]\w*)|(?P<name>[^\W\d]\w*)|\d[\w.]*|.""",
    re.DOTALL,
)
_KEYWORDS: Final = frozenset({"and", "or", "not", "in", "True", "False", "None"})
_INSTEAD: Final = {
    "=": "compare with '=='",
    "&&": "join comparisons with 'and'",
    "||": "join comparisons with 'or'",
    "<>": "compare with '!='",
    "!": "write 'not'",
    ";": "join comparisons with 'and'",
    "=>": "compare with '>='",
    "=<": "compare with '<='",
}
_OPERATORS: Final = "the operators are ==, !=, <, <=, >, >=, in, and, or, not, +, -, *, /, // and %"
_IN_OTHER_LANGUAGES: Final = {
    **dict.fromkeys(("like", "ilike", "contains"), "a part of a text: {}.str.contains('part')"),
    "startswith": "the start of a text: {}.str.startswith('start')",
    "endswith": "the end of a text: {}.str.endswith('end')",
    "is": "what is missing: {0}.isna(), or {0}.notna()",
    "between": "a range: 0.1 <= {} <= 0.5",
}
_MISSING: Final = frozenset({"null", "nan", "none", "na"})
_NEAR: Final = 0.7
"""How alike a word and the column are that it is taken for."""
_LINE: Final = re.compile(r" \(detected at line \d+\)")
_COMPUTED: Final = (
    *(ast.Expression, ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.Invert, ast.USub),
    *(ast.UAdd, ast.Compare, ast.cmpop, ast.BinOp, ast.Add, ast.Sub, ast.Mult, ast.Div),
    *(ast.FloorDiv, ast.Mod, ast.Pow, ast.BitAnd, ast.BitOr, ast.Name, ast.Load, ast.Constant),
    *(ast.List, ast.Tuple, ast.Call, ast.keyword, ast.Attribute, ast.Subscript, ast.Slice),
)


class Expression(NamedTuple):
    """An expression that can be read.

    Attributes
    ----------
    text : str
        Without backticks: other names stand in their place.
    names : dict
        Name in the text → column, for those that it uses.
    tree : ast.Expression
        Of the text; variables of the caller, ``@name``, are names in it.
    variables : tuple of str
        ``@name``, for those that it uses.
    """

    text: str
    names: dict[str, str]
    tree: ast.Expression
    variables: tuple[str, ...] = ()


def quoted_column(name: str) -> str:
    """Return the name of a column as an expression has it: in backticks unless it is a plain word.

    Examples
    --------
    >>> quoted_column("road"), quoted_column("grass land")
    ('road', '`grass land`')
    """
    plain = name.isidentifier() and name not in _KEYWORDS
    try:
        ast.parse(name, mode="eval")
    except SyntaxError:
        plain = False
    return name if plain else f"`{name}`"


def name_list(columns: Sequence[str]) -> str:
    """Return the names of columns as expressions have them, those of the results first.

    Examples
    --------
    >>> name_list(["source", "name", "grass land", "road"])
    'the columns are `grass land`, road, name, source'
    """
    ordered = results_first(columns)
    names = ", ".join(quoted_column(name) for name in ordered[:_MOST_NAMES])
    left = len(ordered) - _MOST_NAMES
    return f"the columns are {names}" + (f" and {left} more" if left > 0 else "")


def no_column(name: str, columns: Sequence[str], *, text: bool = False) -> InvalidArgumentError:
    """Return the error that there is no such column.

    Parameters
    ----------
    name : str
    columns : sequence of str
    text : bool
        Whether it may be meant as a text.
    """
    close = closest(name, columns, _NEAR)
    hints = [f"did you mean {' or '.join(map(quoted_column, close))}?"] if close else []
    if name.lower() in _MISSING:
        hints = ["what is missing: COLUMN.isna(), or COLUMN.notna()"]
    elif name.capitalize() in _KEYWORDS:
        hints = [f"write {name.capitalize()}"]
    elif text:
        hints.insert(0, f"a text stands in quotes: {name!r:.80}")
    return InvalidArgumentError(_sentences(f"no column {name!r:.140}", hints, columns))


def _sentences(problem: str, hints: Sequence[str], columns: Sequence[str]) -> str:
    """Return what is wrong, what to do, and which columns there are."""
    names = name_list(columns)
    if hints and hints[-1].endswith("?"):
        return f"{'; '.join([problem, *hints])} {names[0].upper()}{names[1:]}"
    return "; ".join([problem, *hints, names])


def read_expression(expression: str, columns: Sequence[str]) -> Expression:
    """Read an expression.

    Parameters
    ----------
    expression : str
    columns : sequence of str
        The names that it may use.

    Raises
    ------
    InvalidArgumentError
        If it cannot be read: with where in the text, what was expected, and the columns.

    Examples
    --------
    >>> read_expression("`grass land` < 1", ["grass land"]).names
    {'_column_0': 'grass land'}
    >>> read_expression("road <", ["road"])
    Traceback (most recent call last):
    ...
    wasinn_nb.errors.InvalidArgumentError: the expression ends after 'road <', where a column, a
    number or a text in quotes was expected; the columns are road
    """
    if not isinstance(expression, str):
        raise InvalidArgumentError(
            f"expected an expression as text, such as {_example(columns)}, got {expression!r:.80}"
        )
    if not expression.strip():
        raise InvalidArgumentError(
            f"expected an expression such as {_example(columns)}, got an empty one; "
            f"{name_list(columns)}"
        )
    if len(expression) > _MOST_CHARACTERS:
        raise InvalidArgumentError(
            f"expected an expression of at most {_MOST_CHARACTERS} characters, "
            f"got {len(expression)}"
        )
    tokens = [*_tokens(" ".join(expression.splitlines()), columns)]
    text = "".join(part for part, *_ in tokens)
    names = {part: column for part, column, _ in tokens if column}
    # "@" is an operator to Python; pandas takes it for a variable.
    plain = re.sub(r"@(?=[^\W\d])", "_", text)
    try:
        tree = ast.parse(plain.strip(), mode="eval")
    except SyntaxError as error:
        offset = len(plain) - len(plain.lstrip()) + (error.offset or 0)
        place = _original_place(tokens, offset - 1) if error.offset else len(expression.rstrip())
        raise InvalidArgumentError(_unreadable(expression, place, error.msg, columns)) from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise InvalidArgumentError(
            f"the expression {expression!r:.80} cannot be read: {error!s:.80}"
        ) from error
    _refuse_others(tree, expression, columns)
    variables = tuple(part for part, *_ in tokens if part[0] == "@" and len(part) > 1)
    return Expression(text.strip(), names, tree, variables)


def _tokens(expression: str, columns: Sequence[str]) -> Iterator[tuple[str, str, int]]:
    """Yield parts of an expression without backticks, the column of each, and where it stands."""
    known = {*columns}
    prefix = "_column_"
    while prefix in expression or any(name.startswith(prefix) for name in known):
        prefix += "_"
    placeholders: dict[str, str] = {}
    for token in _TOKEN.finditer(expression):
        part, quoted, column = token[0], token["quoted"], ""
        if quoted is not None:
            if quoted not in known:
                raise no_column(quoted, columns)
            column = quoted
            part = placeholders.setdefault(quoted, f"{prefix}{len(placeholders)}")
        elif token["name"] in known:
            column = part
        yield part, column, token.start()


def _original_place(tokens: Sequence[tuple[str, str, int]], place: int) -> int:
    """Return where in the expression a place in the text without backticks is."""
    starts = [0]
    for part, *_ in tokens:
        starts.append(starts[-1] + len(part))
    index = min(bisect.bisect_right(starts, place) - 1, len(tokens) - 1)
    return tokens[index][2] + place - starts[index]


def _unreadable(expression: str, place: int, reason: str, columns: Sequence[str]) -> str:
    """Say where an expression cannot be read, what was expected, and which columns there are."""
    # Python stops at the second of "&&", and at the first of "<>".
    near = (expression[place - 1 : place + 1] if place else "", expression[place : place + 2])
    wrong = next((one for one in near if one in _INSTEAD or one in {"==", "!="}), "")
    if wrong and wrong == near[0]:
        place -= 1
    wrong = wrong or expression[place : place + 1]
    before, rest = expression[:place].rstrip(), expression[place:].strip()
    hints = [_INSTEAD[wrong]] if wrong in _INSTEAD else []
    if before.endswith("%"):
        hints.append("parts are of 1: 0.05 for 5 %")
    operator = "" if hints else _operator_hint(before, rest, columns)
    if operator:
        hints.append(operator)
    if (operator in {"", _OPERATORS}) and (name := _meant(expression, before, rest, columns)):
        hints = [hint for hint in hints if hint != _OPERATORS]
        hints.append(f"did you mean {quoted_column(name)}?")
    if expression.count("`") % 2:
        problem = f"the expression {_short(expression)} cannot be read: a backtick was never closed"
    elif "invalid syntax" not in reason:
        reason = _LINE.sub("", reason).replace("string literal", "text in quotes")
        problem = f"the expression {_short(expression)} cannot be read: {reason:.80}"
    elif not rest:
        problem = (
            f"the expression ends after {_short(before, end=True)}, where a column, a number or a "
            f"text in quotes was expected"
        )
    elif not before:
        problem = f"the expression cannot be read from its start on: {_short(rest)}"
    else:
        problem = (
            f"the expression cannot be read from {_short(rest)} on, after "
            f"{_short(before, end=True)}"
        )
    return _sentences(problem, hints, columns)


def _operator_hint(before: str, rest: str, columns: Sequence[str]) -> str:
    """Return what to write for a word that stands where an operator has to; else ""."""
    last, first = re.search(r"`[^`]*`$|\w+$", before), re.match(r"\w+", rest)
    words = [match[0] for match in (first, last) if match]
    if any(word not in _KEYWORDS and word.lower() in _KEYWORDS for word in words):
        return "write 'and', 'or', 'not' and 'in' in lower case"
    if first is None or last is None or first[0] in _KEYWORDS:
        return ""
    if first[0] in columns:
        return "join comparisons with 'and' or 'or'"
    known = last[0].strip("`") in columns
    hint = _IN_OTHER_LANGUAGES.get(first[0].lower(), _OPERATORS)
    return hint.format(last[0]) if known else _OPERATORS


def _meant(expression: str, before: str, rest: str, columns: Sequence[str]) -> str:
    """Return the column that an expression means by words that are not its name; else ""."""
    for name in sorted(columns, key=len, reverse=True):  # a name that needs backticks
        if quoted_column(name) != name and name in expression and f"`{name}`" not in expression:
            return name
    last, first = re.search(r"\w+$", before), re.match(r"\w+", rest)
    if last and first and (close := closest(f"{last[0]} {first[0]}", columns, _NEAR)):
        return close[0]
    words = (token["name"] for token in _TOKEN.finditer(expression) if token["name"])
    unknown = (word for word in words if word not in columns and word.lower() not in _KEYWORDS)
    return next((close[0] for word in unknown if (close := closest(word, columns, _NEAR))), "")


def _short(text: str, *, end: bool = False) -> str:
    """Return a part of an expression in quotes, its end or its start where it is long."""
    if len(text) > _MOST_REST:
        text = f"…{text[-_MOST_REST:]}" if end else f"{text[:_MOST_REST]}…"
    return repr(text)


def _refuse_others(tree: ast.Expression, expression: str, columns: Sequence[str]) -> None:
    """Refuse what is Python, but not a comparison of columns."""
    if isinstance(tree.body, ast.Tuple):
        raise InvalidArgumentError(
            f"expected one expression, got {len(tree.body.elts)} with commas between them in "
            f"{_short(expression)}; write numbers with a point, 0.5, and join comparisons with "
            f"'and' or 'or'"
        )
    if not all(isinstance(node, _COMPUTED) for node in ast.walk(tree)):
        raise InvalidArgumentError(
            f"expected comparisons of columns such as {_example(columns)}, joined with 'and', "
            f"'or' or 'not', got {_short(expression)}"
        )


def _example(columns: Sequence[str]) -> str:
    return "\"status == 'done'\"" if "status" in columns else f'"{quoted_column(columns[0])} > 0"'
