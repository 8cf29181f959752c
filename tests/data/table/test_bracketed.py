"""Lists that are written as text in brackets, as Python, JSON, NumPy and PostgreSQL write them."""

from __future__ import annotations

import json
import random

import pytest

from rarelabels.data.table.bracketed import entries, is_quoted_list, not_of_names, recognised


@pytest.mark.parametrize(
    ("text", "brackets", "names"),
    [
        ("['river', 'old market']", "[]", ["river", "old market"]),
        ("['market, old', \"it's\"]", "[]", ["market, old", "it's"]),
        ('["r\\u00e9", null, 7]', "[]", ["ré", "7"]),
        ("['a' 'b'\n 'c']", "[]", ["a", "b", "c"]),  # NumPy; Python would read 'abc'
        ("[river, old market]", "[]", ["river", "old market"]),
        ("['a', None, nan]", "[]", ["a"]),
        ("[ ' a ', '' ]", "[]", ["a"]),
        ("[]", "[]", []),
        ("", "[]", []),
        ("{a,b c}", "{}", ["a", "b c"]),
        ('{a,"b, c","d\\"e",NULL}', "{}", ["a", "b, c", 'd"e']),
        ("{'a', 'b'}", "{}", ["a", "b"]),  # a set of Python
        ("{}", "{}", []),
        ("('a', 'b')", "()", ["a", "b"]),
        ("('a',)", "()", ["a"]),
        ("<a><b-c>", "<>", ["a", "b-c"]),
        ("a", "[]", None),
        ("['a'", "[]", None),
        ("['a'b]", "[]", None),
        ("[['a']]", "[]", None),
        ("[__import__('os')]", "[]", None),
        ("[{'a': 1}]", "[]", None),
        ('{"a": 1}', "{}", None),
        ("<p>prose</p>", "<>", None),
        ("{{a,b},{c,d}}", "{}", None),
        ('{"a{b",c}', "{}", ["a{b", "c"]),
    ],
)
def test_a_list_by_hand(text: str, brackets: str, names: list[str] | None) -> None:
    assert entries(text, brackets) == names


def test_what_python_and_json_write_is_read_back() -> None:
    draw = random.Random(0)
    for _ in range(300):
        names = ["".join(draw.choices("ab,'\"\\[]{}é日\n", k=draw.randint(1, 6))) for _ in range(draw.randint(0, 4))]
        expected = [name.strip() for name in names if name.strip()]
        assert entries(json.dumps(names), "[]") == expected
        assert entries(repr(names), "[]") == expected


@pytest.mark.parametrize(
    ("texts", "brackets"),
    [
        (["['a']", "", "[]"], "[]"),
        (["{a}", "{b,c}"], "{}"),
        (["<a>", "<b><c>"], "<>"),
        (["['a']", "b"], None),
        (["[]", "[]"], None),
        (["[0.1, 0.2]"], None),
        ([], None),
    ],
)
def test_brackets_are_recognised_if_every_cell_has_them(texts: list[str], brackets: str | None) -> None:
    assert recognised(texts) == brackets


@pytest.mark.parametrize(
    "inside", [" " * 60_000 + "(", "'" * 60_001, "a " * 30_000 + "'", "< " * 30_000, "\\'" * 30_000]
)
def test_a_long_cell_takes_no_longer_than_its_length(inside: str) -> None:
    for brackets in ("[]", "{}", "<>"):
        entries(f"{brackets[0]}{inside}{brackets[1]}", brackets)


def test_prose_in_brackets_is_no_list_and_long_quoted_names_are() -> None:
    prose = "an old house by the river"
    assert recognised([f"[{prose}]", f"[{prose}]"]) is None
    assert recognised([f"['{prose}']", "[]"]) == "[]"


@pytest.mark.parametrize(
    ("text", "is_list"),
    [("['a']", True), ('{"a","b"}', True), ("('a',)", True), ("[a]", False), ("[]", False), ('{"a": 1}', False)],
)
def test_what_is_surely_a_list(text: str, is_list: bool) -> None:
    assert is_quoted_list(text) is is_list


@pytest.mark.parametrize(
    ("texts", "first"),
    [
        (["[]", '[{"id": 7, "name": "a, b"}]'], 1),
        (["{'a': 1, 'b': 0}"], 0),
        (["{{a,b},{c}}", "{a}"], 0),
        (["[['a'], ['b']]", ""], 0),
        (["( (a), (b) )"], 0),
        (["['a']", "{a,b}", "{'a', 'b'}", '["a: b"]', "<a>"], None),
        (["[(2R)-butanol]", "ethanol"], None),
        ([], None),
    ],
)
def test_lists_of_lists_and_objects_are_no_lists_of_names(texts: list[str], first: int | None) -> None:
    assert not_of_names(texts) == (None if first is None else texts[first])


@pytest.mark.parametrize("inside", ['"' * 60_001, "[" + " " * 60_000, "'a' " * 20_000])
def test_a_long_object_takes_no_longer_than_its_length(inside: str) -> None:
    not_of_names([f"{{{inside}}}"])
