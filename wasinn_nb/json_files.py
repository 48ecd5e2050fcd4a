"""The package's own JSON files: read within limits, and checked against the types of their fields.

Nothing in them is trusted until then.  The meaning of the values is checked by the caller.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final, NoReturn, TypeVar

from wasinn_nb.errors import WasiNnError
from wasinn_nb.files import existing_file, first_bytes

__all__ = ["checked_json", "decoded_json", "json_text", "read_json"]

_MOST_LEVELS: Final = 100
_SURROGATE: Final = re.compile(r"\\u[dD][89abAB]")
_HALF: Final = re.compile("[\ud800-\udfff]")
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_UTF_16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
_LONE_SURROGATE: Final = re.compile(rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u)")
# msgspec states the position of an error in its message only.
_POSITION: Final = re.compile(r"(?:JSON is malformed: )?(.*) \(byte (\d+)\)")

Shape = TypeVar("Shape")


def read_json(
    path: Path, what: str, *, most_bytes: int, error: type[WasiNnError], name: str | None = None
) -> dict[str, Any]:
    """Return the JSON object in a file.

    Parameters
    ----------
    path : Path
    what : str
        What the file is to the user, for errors: ``"model card"``.
    most_bytes : int
        The largest file that is read.
    error : type
        What is raised where the content is wrong.
    name : str, optional
        How errors call the file.  Default: its path.

    Returns
    -------
    dict
        Of a key that occurs twice, the last value.

    Raises
    ------
    MissingFileError
        If there is no such file, or it cannot be read.
    WasiNnError
        Of type *error*: if the file is too large or does not hold one JSON object in UTF-8.

    Examples
    --------
    >>> import tempfile
    >>> from wasinn_nb.errors import RecipeError
    >>> path = Path(tempfile.mkdtemp(), "a.json")
    >>> _ = path.write_text('{"range": [0, NaN]}')
    >>> read_json(path, "recipe", most_bytes=100, error=RecipeError, name="a.json")
    Traceback (most recent call last):
    ...
    wasinn_nb.errors.RecipeError: a.json is not valid JSON: line 1, column 15: NaN and Infinity are
    not JSON numbers; correct it
    """
    found = existing_file(path, what)
    content = first_bytes(found, what, most_bytes + 1)
    name = str(found) if name is None else name
    if len(content) > most_bytes:
        raise error(f"{name}: larger than {most_bytes} bytes, which no {what} is")
    values = decoded_json(content, name, error)
    if not isinstance(values, dict):
        raise error(f"{name}: expected a {what} as a JSON object, got {_kind(values)}")
    return values


def decoded_json(text: str | bytes, name: str, error: type[WasiNnError]) -> Any:
    """Return the value that a JSON text holds.

    Parameters
    ----------
    text : str or bytes
        Bytes are UTF-8, with or without a byte order mark.
    name : str
        How errors call the text.
    error : type
        What is raised.

    Raises
    ------
    WasiNnError
        Of type *error*: if the text is not JSON, or nested more than 100 levels deep.

    Examples
    --------
    >>> from wasinn_nb.errors import RecipeError
    >>> decoded_json('{"height": 2}', "the recipe", RecipeError)
    {'height': 2}
    """
    import msgspec

    if not isinstance(text, str | bytes):  # for callers without types
        raise error(f"{name}: expected JSON as text, got {text!r:.80}")
    try:
        content = text.encode() if isinstance(text, str) else text
        # Some editors put a byte order mark first.
        content = content.removeprefix(_BYTE_ORDER_MARK)
        values = msgspec.json.decode(content)
    except UnicodeError as wrong:
        _refuse(name, f"expected UTF-8, got something else ({wrong})", error, wrong)
    except msgspec.DecodeError as wrong:
        _refuse(name, _reason(content, str(wrong)), error, wrong)
    except RecursionError as wrong:
        _refuse(name, f"nested more than {_MOST_LEVELS} levels deep", error, wrong)
    if _is_deep(values):
        _refuse(name, f"nested more than {_MOST_LEVELS} levels deep", error, None)
    return values


def checked_json(values: Any, shape: type[Shape], name: str, error: type[WasiNnError]) -> Shape:
    """Return decoded JSON as *shape*, where all fields have the types of *shape*.

    Parameters
    ----------
    values : object
        As of :func:`decoded_json`.
    shape : type
        A ``TypedDict``, a dataclass or a plain type.  Keys that a ``TypedDict`` does not have are
        left out.
    name : str
        How errors call the values.
    error : type
        What is raised.

    Raises
    ------
    WasiNnError
        Of type *error*: if a field is missing or of another type; it names the field.

    Examples
    --------
    >>> from wasinn_nb.errors import RecipeError
    >>> checked_json({"classes": "road"}, dict[str, list[str]], "the card", RecipeError)
    Traceback (most recent call last):
    ...
    wasinn_nb.errors.RecipeError: the card: expected `array`, got `str` at `$[...]`
    """
    import msgspec

    try:
        return msgspec.convert(values, shape)
    except msgspec.ValidationError as wrong:
        raise error(f"{name}: {_plain(str(wrong))}") from wrong


def json_text(values: object, name: str, error: type[WasiNnError]) -> str:
    r"""Return values as JSON of two spaces per level, with a line feed at the end.

    The halves of surrogate pairs, which stand for bytes of file names that are not UTF-8, are not
    characters: they become text such as ``\udcff``.

    Parameters
    ----------
    values : object
        Mappings, sequences, text, finite numbers, booleans and None.
    name : str
        How errors call the values.
    error : type
        What is raised.

    Raises
    ------
    WasiNnError
        Of type *error*: if they are something else, such as NaN.

    Examples
    --------
    >>> from wasinn_nb.errors import TensorFileError
    >>> json_text({"scale": float("nan")}, "the metadata", TensorFileError)
    Traceback (most recent call last):
    ...
    wasinn_nb.errors.TensorFileError: the metadata cannot be written as JSON: Out of range float
    values are not JSON compliant...
    """
    try:
        text = json.dumps(values, indent=2, allow_nan=False)
        if _SURROGATE.search(text):
            # Of text outside of ASCII, such as emoji, or of names of files that are not UTF-8.
            plain = json.dumps(values, allow_nan=False, ensure_ascii=False)
            plain = _HALF.sub(lambda found: f"\\\\u{ord(found[0]):04x}", plain)
            text = json.dumps(json.loads(plain), indent=2)
        return text + "\n"
    except (TypeError, ValueError, RecursionError) as wrong:
        raise error(
            f"{name} cannot be written as JSON: {wrong}; use text, finite numbers, lists and "
            f"mappings"
        ) from wrong


def _refuse(name: str, reason: str, error: type[WasiNnError], cause: Exception | None) -> NoReturn:
    raise error(f"{name} is not valid JSON: {reason}; correct it") from cause


def _reason(content: bytes, message: str) -> str:
    """Return why *content* is not JSON, and where."""
    if not content.strip():
        return "it is empty"
    if content.startswith(_UTF_16_MARKS) or b"\0" in content[:4]:
        return "expected UTF-8, got another encoding, such as UTF-16"
    found = _POSITION.fullmatch(message)
    if found is None and _LONE_SURROGATE.search(content):
        return "half of a surrogate pair, which is not a character"
    if found is None:
        return _plain(message)
    position = int(found[2])
    before = content[:position]
    line, column = before.count(b"\n") + 1, position - before.rfind(b"\n")
    reason = found[1]
    if content.startswith((b"NaN", b"Infinity"), position):
        reason = "NaN and Infinity are not JSON numbers"
    return f"line {line}, column {column}: {reason}"


def _plain(message: str) -> str:
    return (message[:1].lower() + message[1:]).replace(" - at ", " at ")


def _is_deep(values: Any) -> bool:
    level = [values]
    for _ in range(_MOST_LEVELS + 1):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return False
    return True


def _kind(value: Any) -> str:
    names = {list: "an array", str: "text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")
