"""Expressions over columns as text: read before they are computed, so that errors say where."""

from __future__ import annotations

import ast
import bisect
import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.prediction.column_names import (
    COMPUTED,
    KEYWORDS,
    NEAR,
    TOKEN,
    column_of,
    in_quotes,
    no_column,
    quoted_column,
    refusal,
    repaired_choices,
)
from wasinn_nb.wording import closest

__all__ = ["Expression", "read_expression"]

_MOST_CHARACTERS: Final = 10_000
_MOST_REST: Final = 60
_INSTEAD: Final = {
    "=": "==",
    "&&": "and",
    "||": "or",
    "<>": "!=",
    "!": "not",
    ";": "and",
    "=>": ">=",
    "=<": "<=",
}
_USES: Final = {**dict.fromkeys(("and", "or"), "join comparisons with"), "not": "write"}
_OPERATORS: Final = "the operators are ==, !=, <, <=, >, >=, in, and, or, not, +, -, *, /, // and %"
_IN_OTHER_LANGUAGES: Final = {
    **dict.fromkeys(("like", "ilike", "contains"), "a part of a text: {}.str.contains('part')"),
    "startswith": "the start of a text: {}.str.startswith('start')",
    "endswith": "the end of a text: {}.str.endswith('end')",
    "is": "what is missing: {0}.isna(), or {0}.notna()",
    "between": "a range: 0.1 <= {} <= 0.5",
}
_LINE: Final = re.compile(r" \(detected at line \d+\)")


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
        raise refusal(
            f"expected an expression such as {_example(columns)}, got an empty one", columns
        )
    if len(expression) > _MOST_CHARACTERS:
        raise InvalidArgumentError(
            f"expected an expression of at most {_MOST_CHARACTERS} characters, "
            f"got {len(expression)}"
        )
    tokens = [*_tokens(expression, columns)]
    text = "".join(part for part, *_ in tokens)
    names = {part: column for part, column, _ in tokens if column}
    # "@" is an operator to Python; pandas takes it for a variable.
    plain = re.sub(r"@(?=[^\W\d])", "_", text)
    try:
        tree = ast.parse(plain.strip(), mode="eval")
    except SyntaxError as error:
        offset = len(plain) - len(plain.lstrip()) + (error.offset or 0)
        place = _original_place(tokens, offset - 1) if error.offset else len(expression.rstrip())
        raise _unreadable(expression, place, error.msg, columns) from error
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
    for token in TOKEN.finditer(expression):
        part, quoted, column = token[0], column_of(token), ""
        if part.isspace():
            part = " "  # a line may end anywhere
        elif quoted is not None:
            if quoted not in known:
                raise no_column(quoted, columns, expression=expression)
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


def _unreadable(
    expression: str, place: int, reason: str, columns: Sequence[str]
) -> InvalidArgumentError:
    """Return the error of an expression that ends, or goes on, as none can be read."""
    # Python stops at the second of "&&", and at the first of "<>".
    near = (expression[place - 1 : place + 1] if place else "", expression[place : place + 2])
    wrong = next((one for one in near if one in _INSTEAD or one in {"==", "!="}), "")
    if wrong and wrong == near[0]:
        place -= 1
    wrong = wrong or expression[place : place + 1]
    before, rest = expression[:place].rstrip(), expression[place:].strip()
    hints, repaired = [], []
    if instead := _INSTEAD.get(wrong):
        use = _USES.get(instead, "compare with")
        hints.append(f"{use} {instead!r}")
        end = place + len(wrong)
        repaired.append(f"{before} {instead} {expression[end:].strip()}")
    if before.endswith("%"):
        hints.append("parts are of 1: 0.05 for 5 %")
    operator = "" if hints else _operator_hint(before, rest, columns)
    if operator:
        hints.append(operator)
    words, name = _meant(expression, before, rest, columns)
    if name and operator in {"", _OPERATORS}:
        hints = [hint for hint in hints if hint != _OPERATORS]
        hints.append(f"did you mean {quoted_column(name)}?")
        repaired.append(expression.replace(words, quoted_column(name)))
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
    return refusal(problem, columns, hints, repaired_choices(repaired, columns))


def _operator_hint(before: str, rest: str, columns: Sequence[str]) -> str:
    """Return what to write for a word that stands where an operator has to; else ""."""
    last, first = re.search(r"`(?:[^`]|``)*`$|\w+$", before), re.match(r"\w+", rest)
    words = [match[0] for match in (first, last) if match]
    if any(word not in KEYWORDS and word.lower() in KEYWORDS for word in words):
        return "write 'and', 'or', 'not' and 'in' in lower case"
    if first is None or last is None or first[0] in KEYWORDS:
        return ""
    if first[0] in columns:
        return "join comparisons with 'and' or 'or'"
    known = last[0] in map(quoted_column, columns) or last[0] in columns
    hint = _IN_OTHER_LANGUAGES.get(first[0].lower(), _OPERATORS)
    return hint.format(last[0]) if known else _OPERATORS


def _meant(expression: str, before: str, rest: str, columns: Sequence[str]) -> tuple[str, str]:
    """Return words of an expression that are not a column's name, and the column; else ""."""
    for name in sorted(columns, key=len, reverse=True):  # a name that needs backticks
        quoted = quoted_column(name)
        if quoted != name and name in expression and quoted not in expression:
            return name, name
    last, first = re.search(r"\w+$", before), re.match(r"\w+", rest)
    if last and first and (close := closest(words := f"{last[0]} {first[0]}", columns, NEAR)):
        return words, close[0]
    every = (token["name"] for token in TOKEN.finditer(expression) if token["name"])
    unknown = (word for word in every if word not in columns and word.lower() not in KEYWORDS)
    near = ((word, close[0]) for word in unknown if (close := closest(word, columns, NEAR)))
    return next(near, ("", ""))


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
    if not all(isinstance(node, COMPUTED) for node in ast.walk(tree)):
        raise InvalidArgumentError(
            f"expected comparisons of columns such as {_example(columns)}, joined with 'and', "
            f"'or' or 'not', got {_short(expression)}"
        )


def _example(columns: Sequence[str]) -> str:
    return "\"status == 'done'\"" if "status" in columns else in_quotes(columns[0], " > 0")
