"""Which columns are inputs, and what parts the names in a cell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from rarelabels.init.columns import TableColumns
from rarelabels.init.input_columns import separator
from usual_columns import USUAL, N, cells, prose


@pytest.mark.parametrize(
    ("reason", "make"),
    [
        ("is empty", lambda i: ""),
        ("is 5 in every row", lambda i: 5),
        ("is 'x' in every row", lambda i: "x"),
        ("counts the rows", lambda i: i),
        ("is 5 in every row that is not empty", lambda i: "" if i == 7 else 5),
        ("holds numbers, but only 9 in 60 rows", lambda i: i * i if i < 9 else ""),
        ("holds numbers, but 2 cells are no number, first row 8: '?'", lambda i: "?" if i in (7, 9) else i * i),
        ("holds another text in nearly every row, but no prose: 'x0'", lambda i: f"x{i}"),
        ("holds lists in brackets that are no names, '[0.5]'", lambda i: f"[{i}.5{', 1.5' * (i % 2)}]"),
        ("holds lists in brackets that are no names, '[[0]]'", lambda i: f"[[{i}]]"),
        ("holds numbers, but 1 cell is beyond 1e+150, first row 8: '1e300'", lambda i: "1e300" if i == 7 else i * i),
    ],
)
def test_why_a_column_is_not_used(find: Callable[..., TableColumns], reason: str, make: Callable[[int], Any]) -> None:
    assert find(USUAL | {"x": cells(make)}, labels="tags").unused == {"x": reason}


def test_cells_that_are_no_text_numbers_or_lists_are_not_used(find: Callable[..., TableColumns]) -> None:
    odd = {"when": [{"a": 1}] * N, "mixed": cells(lambda i: i if i % 2 else "x"), "deep": [[["a"]]] * N}
    found = find(USUAL | odd, ".jsonl", labels="tags")
    assert set(found.unused) == set(odd)
    assert found.unused["mixed"] == "holds number and text"


def test_numbers_that_are_mostly_infinite_are_told(find: Callable[..., TableColumns]) -> None:
    found = find(USUAL | {"x": cells(lambda i: float("inf") if i % 3 else float(i))}, ".parquet", labels="tags")
    assert found.unused == {"x": "holds numbers, but 40 cells are no number, first row 2: inf"}


@pytest.mark.parametrize(
    ("sign", "texts"),
    [
        ("|", ["a|b", "b", "a", "b|c"]),
        (",", ["1, 4, 7", "2", "1", "4, 2", "7", "2, 1"]),
        (";", ["Carol Reed; Ann Lee", "Bob Roy; Cy Young", "Di Ho; Ed Wu"]),  # none comes back, but no prose has it
        (",", ["Rome, Italy", "Oslo, Norway", "Milan, Italy", "Turin, Italy", "Bergen, Norway", "Pisa, Italy"]),
        (None, ["Rome", "Oslo", "Rome"]),
        (None, ["The end, again, and over", "No, I am not", "Well, a house by the river"]),
        (None, ["Good, the Bad, The", "Alien", "Godfather, The", "Heat", "Up"]),  # titles
        (None, []),
    ],
)
def test_separator(sign: str | None, texts: list[str]) -> None:
    assert separator(texts) == sign


def test_a_separator_that_parts_nothing_is_said_to_be_none(find: Callable[..., TableColumns]) -> None:
    """Else the reader of tables would take the names apart, or refuse them."""
    cities = cells(lambda i: ("Washington, D.C.", "Rome", "Oslo", "Bern")[i % 4])
    (city,) = find(USUAL | {"city": cities}, labels="tags", lists=("city",)).spec.lists
    assert (city.column, city.separator) == ("city", "none")


def test_without_an_input_it_says_why(refused: Callable[..., str]) -> None:
    said = refused({"is_a": USUAL["is_a"], "is_b": USUAL["is_b"]})
    assert "all 0/1 columns are taken for labels" in said
    said = refused({"tags": USUAL["tags"], "n": cells(lambda i: i)}, labels="tags")
    assert "column 'n' counts the rows" in said


@pytest.mark.parametrize(
    ("kind", "make"),
    [
        ("categories", lambda i: f"v{i % 12}"),  # 60 rows: each value 5 times
        ("lists", lambda i: f"v{i % 13}"),
        ("categories", lambda i: ("", "New York", "Rome")[i % 3]),
        ("lists", lambda i: ("a|b", "b", "a", "b|c")[i % 4]),
        ("text", lambda i: f"{('one', 'another')[i % 2]} long sentence of many words"),
    ],
)
def test_few_values_that_come_back_are_a_category(
    find: Callable[..., TableColumns], kind: str, make: Callable[[int], Any]
) -> None:
    found = find(USUAL | {"x": cells(make)}, labels="tags").spec
    columns = {"categories": found.categories, "lists": tuple(one.column for one in found.lists), "text": found.text}
    assert [name for name, of in columns.items() if "x" in of] == [kind]


def test_a_category_is_overruled_and_asked_for(find: Callable[..., TableColumns]) -> None:
    given = USUAL | {"x": cells(lambda i: f"v{i % 3}"), "size": cells(lambda i: i % 4)}
    assert find(given, labels="tags", lists=("x",)).spec.categories == ()
    found = find(given, labels="tags", categories=("size",))
    assert (found.spec.categories, "size" in found.spec.numeric) == (("size", "x"), False)
    assert find(given, labels="tags", ignore=("x",)).unused == {"x": "as --ignore says"}


def test_of_few_rows_nothing_is_a_category(find: Callable[..., TableColumns]) -> None:
    given = {name: column[:19] for name, column in (USUAL | {"x": cells(lambda i: f"v{i % 3}")}).items()}
    assert find(given, labels="tags").spec.categories == ()


def test_flags_with_gaps_are_no_input_where_labels_are_guessed(find: Callable[..., TableColumns]) -> None:
    """They are more likely a label that some rows were not looked at for."""
    given = {name: USUAL[name] for name in ("plot", "is_a", "is_b")} | {"c": cells(lambda i: "" if i == 7 else i % 2)}
    assert find(given).unused == {"c": "is 0/1, but 1 cell is empty: a label or an input? give --labels"}
    assert find(given, labels="is_*").spec.numeric == ("c",)


def test_nan_in_words_is_a_missing_number(find: Callable[..., TableColumns]) -> None:
    found = find(USUAL | {"x": cells(lambda i: ("NaN", "", i * i)[i % 3])}, labels="tags")
    assert (found.spec.numeric, found.empty) == (("is_a", "is_b", "x"), {"x": 40})


@pytest.mark.parametrize(
    ("make", "unit"),
    [
        (lambda i: f"$1,{100 + i}.50", "$"),
        (lambda i: f"{i} %", "%"),
        (lambda i: f"{i},50 €", "€"),
        (lambda i: f"-£ {i}", "£"),
    ],
)
def test_numbers_with_a_unit_are_no_lists(
    find: Callable[..., TableColumns], make: Callable[[int], str], unit: str
) -> None:
    found = find(USUAL | {"x": cells(make)}, labels="tags")
    assert found.unused["x"].startswith(f"holds numbers with {unit!r}, which is no part of a number: {make(0)!r}")


def test_lists_in_brackets_are_inputs_and_mixed_ones_are_told(find: Callable[..., TableColumns]) -> None:
    lists = cells(lambda i: str(["a", "b c"][: i % 2 + 1]))
    found = find(USUAL | {"x": lists, "y": ["a", *lists[1:]], "z": cells(lambda i: f"[{prose(i)}]")}, labels="tags")
    assert [(one.column, one.separator) for one in found.spec.lists] == [("x", "[]")]
    assert found.unused == {"y": "holds lists in brackets beside other texts, as 'a'; write all cells in one way"}
    assert found.spec.text == ("plot", "z")  # prose in brackets
