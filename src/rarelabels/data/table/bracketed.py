"""Lists that are written as text in brackets: ``['a', 'b']`` (Python, JSON), ``{a,b}`` (PostgreSQL), ``<a><b>``.

A declaration names them by their brackets in place of a separator: ``separator: "[]"``. Nothing of a cell is executed.
"""

from __future__ import annotations

import ast
import csv
import json
import re
from collections.abc import Iterable

BRACKETS = ("[]", "{}", "<>", "()")
MOST_WORDS = 4  # of a name on average: prose may be in brackets, too
NOTHING = ("", "None", "null", "NULL", "nan", "NaN")  # entries without quotes that are none
# One entry and what follows it: a comma, blanks as NumPy writes them, or the end. Python would read 'a' 'b' as 'ab'.
# No repetition gives back what it took, so that a long cell takes no longer than its length.
_ENTRY = re.compile(
    r"""\s*+(?:('(?:[^'\\]|\\.)*+'|"(?:[^"\\]|\\.)*+")(?:\s*+(?:,|$)|\s)|([^,'"\[\](){}]*+)(?:,|$))""", re.DOTALL
)
_OF_MORE = re.compile(r"""[\[({]\s*+(?:[\[({]|(?:"[^"]*+"|'[^']*+')\s*+:)""")  # a list in a list, or key: value
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_CLOSES = {"[": "]", "{": "}", "(": ")"}
_TAGS = re.compile(r"(?:<[^<>]*+>\s*+)*+")


def entries(text: str, brackets: str) -> list[str] | None:
    """Return the entries of a list, without the blanks around them; None if the text is no such list.

    An empty text has no entries.

    >>> entries("['a', 'b c']", "[]"), entries('{a,"b, c",NULL}', "{}"), entries("<a><b>", "<>"), entries("a", "[]")
    (['a', 'b c'], ['a', 'b, c'], ['a', 'b'], None)

    Args:
        text: the cell.
        brackets: one of ``BRACKETS``.
    """
    text = text.strip()
    if not text:
        return []
    if brackets == "<>":
        return _named(re.findall(r"<([^<>]*)>", text)) if _TAGS.fullmatch(text) else None
    if not (text[0] == brackets[0] and text[-1] == brackets[1] and len(text) > 1):
        return None
    if brackets == "{}" and "'" not in text[:3]:
        return _array(text)
    return _listed(text)


def recognised(texts: Iterable[str]) -> str | None:
    """Return the brackets in which every text is a list of short names; None if there are none, or no names."""
    filled = [text for text in texts if text.strip()]
    for brackets in BRACKETS:
        found = [entries(text, brackets) for text in filled[:1]]
        if not found or found[0] is None:
            continue
        found = [entries(text, brackets) for text in filled]
        names = [name for one in found if one is not None for name in one]
        is_short = sum(len(name.split()) for name in names) <= MOST_WORDS * len(names)
        is_short |= any(map(is_quoted_list, filled))
        if None not in found and names and is_short and not all(map(_is_fraction, names)):
            return brackets
    return None


def is_quoted_list(text: str) -> bool:
    """Return whether a text is surely meant as a list: its brackets hold quoted names."""
    bare = text.strip()
    return bare.startswith(("['", '["', "{'", '{"', "('")) and any(entries(bare, one) for one in BRACKETS)


def not_of_names(texts: Iterable[str]) -> str | None:
    """Return the first text that is a list of lists or objects, or an object, if all texts are in brackets; else None.

    >>> not_of_names(["[]", '[{"id": 7, "name": "a"}]']), not_of_names(["['a']"]), not_of_names(["[[a]] is prose", "b"])
    ('[{"id": 7, "name": "a"}]', None, None)
    """
    filled = [bare for text in texts if (bare := text.strip())]
    if all(_CLOSES.get(text[0]) == text[-1] for text in filled):
        return next((text for text in filled if _OF_MORE.match(text)), None)
    return None


def _named(names: Iterable[str]) -> list[str]:
    return [bare for name in names if (bare := name.strip())]


def _is_fraction(name: str) -> bool:
    """Whether a name is a number with decimals: a list of these is a vector."""
    return bool(re.fullmatch(r"[+-]?\d*\.\d*(?:e[+-]?\d+)?", name, re.IGNORECASE))


def _listed(text: str) -> list[str] | None:
    """Read a list of Python, JSON or NumPy."""
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        return _scanned(text[1:-1])
    plain = isinstance(read, list) and all(
        one is None or (isinstance(one, str | int | float) and not isinstance(one, bool)) for one in read
    )
    return _named(str(one) for one in read if one is not None) if plain else None


def _scanned(inside: str) -> list[str] | None:
    names, place = [], 0
    while place < len(inside):
        found = _ENTRY.match(inside, place)
        if found is None:
            return None
        quoted, bare = found.groups()
        names.append(_unquoted(quoted) if quoted else bare.strip())
        place = found.end()
    return _named(name for name in names if name not in NOTHING)


def _unquoted(written: str) -> str:
    try:
        return str(ast.literal_eval(written))
    except (SyntaxError, ValueError):  # an escape or a line break that Python does not know
        return written[1:-1]


def _array(text: str) -> list[str] | None:
    """Read an array of PostgreSQL; an object of JSON is none, and neither is an array of arrays."""
    if re.search("[{}]", _QUOTED.sub("", text[1:-1])):
        return None
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        pass
    else:
        return [] if text[1:-1].strip() == "" else None
    try:
        rows = list(csv.reader([text[1:-1]], escapechar="\\", skipinitialspace=True, strict=True))
    except csv.Error:
        return None
    return _named(name for name in (rows[0] if rows else []) if name not in NOTHING) if len(rows) < 2 else None
