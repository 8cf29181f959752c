"""Which columns hold the labels."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from rarelabels.data.table import parsing
from rarelabels.init.columns import TableColumns
from usual_columns import USUAL, cells


def test_labels_that_nobody_named_are_all_0_1_columns_and_said_to_be_a_guess(find: Callable[..., TableColumns]) -> None:
    found = find(USUAL)
    assert found.spec.labels.prefix == "is_"
    assert found.guessed_labels
    other = find({"plot": USUAL["plot"], "a": USUAL["is_a"], "b": USUAL["is_b"]})
    assert other.spec.labels.columns == ("a", "b")
    assert other.guessed_labels


def test_a_shared_beginning_is_a_prefix_only_up_to_a_sign(find: Callable[..., TableColumns]) -> None:
    found = find({"plot": USUAL["plot"], "comedy": USUAL["is_a"], "cosy": USUAL["is_b"]})
    assert found.spec.labels.columns == ("comedy", "cosy")


@pytest.mark.parametrize(
    ("asked", "form"),
    [
        ("is_*", {"prefix": "is_"}),
        ("is_b,is_a", {"columns": ("is_b", "is_a")}),
        ('is_a, "is_b"', {"columns": ("is_a", "is_b")}),
        ("tags", {"column": "tags", "separator": "|"}),
    ],
)
def test_labels_as_asked(find: Callable[..., TableColumns], asked: str, form: dict[str, Any]) -> None:
    labels = find(USUAL, labels=asked).spec.labels
    assert labels.model_dump(exclude_defaults=True) == form


def test_a_column_whose_name_has_a_comma_or_a_star_is_that_column(find: Callable[..., TableColumns]) -> None:
    for name in ("a,b", "tags*"):
        assert find({"plot": USUAL["plot"], name: USUAL["tags"]}, labels=name).spec.labels.column == name


def test_blanks_around_the_names_of_columns_are_not_asked_for(find: Callable[..., TableColumns]) -> None:
    given = {"plot": USUAL["plot"], " is_a": USUAL["is_a"], "is_b ": USUAL["is_b"]}
    assert find(given, labels="is_a, is_b").spec.labels.columns == (" is_a", "is_b ")


def test_without_a_guess_the_columns_are_listed(refused: Callable[..., str]) -> None:
    said = refused({"plot": USUAL["plot"], "tags": USUAL["tags"], "is_a": USUAL["is_a"]})
    assert "--labels" in said
    assert "'is_a' is the only 0/1 column" in said
    assert said.endswith("the columns are 'plot', 'tags', 'is_a'")


@pytest.mark.parametrize(
    ("sign", "write"),
    [
        ("[]", str),
        ("[]", json.dumps),
        ("[]", lambda names: "[" + " ".join(map(repr, names)) + "]"),  # NumPy
        ("{}", lambda names: "{" + ",".join(names) + "}"),
        ("<>", lambda names: "".join(f"<{name}>" for name in names)),
        ("()", lambda names: str(tuple(names))),
    ],
)
def test_labels_in_brackets(find: Callable[..., TableColumns], sign: str, write: Callable[[list[str]], str]) -> None:
    plain = parsing.parse(find({"plot": USUAL["plot"], "tags": USUAL["tags"]}, labels="tags").spec)
    lists = [write(cell.split("|")) for cell in USUAL["tags"]]
    spec = find({"plot": USUAL["plot"], "tags": lists}, labels="tags").spec
    assert spec.labels.separator == sign
    assert parsing.parse(spec).labels == plain.labels
    assert (parsing.parse(spec).y == plain.y).all()


def test_the_separator_of_labels_is_given(find: Callable[..., TableColumns]) -> None:
    assert find(USUAL, labels="tags:none").spec.labels.separator == "none"


def test_words_of_yes_and_no_are_labels_and_it_is_said_which_is_one(find: Callable[..., TableColumns]) -> None:
    words = {name: [("No", "Yes")[cell] for cell in USUAL[name]] for name in ("is_a", "is_b")}
    found = find({"plot": USUAL["plot"]} | words)
    assert (found.spec.labels.prefix, found.word_of_one) == ("is_", "Yes")
    assert (parsing.parse(found.spec).y[:, 0] == USUAL["is_a"]).all()
    assert find(USUAL).word_of_one == ""


def test_of_numbers_and_words_the_numbers_are_the_labels(find: Callable[..., TableColumns]) -> None:
    found = find(USUAL | {"sold": cells(lambda i: ("n", "y")[i % 2])})
    assert (found.spec.labels.prefix, found.spec.categories) == ("is_", ("sold",))


def partly(i: int) -> str:
    return str(i % 2) if i % 5 else ""


PARTLY: dict[str, list[Any]] = {
    "plot": USUAL["plot"],
    "a": cells(partly),
    "b": cells(lambda i: "-1" if i % 7 == 3 else str(i % 3 // 2)),
    "c": USUAL["is_b"],
}


def test_cells_that_say_that_nobody_looked_are_recognised_in_named_columns(find: Callable[..., TableColumns]) -> None:
    assert find(PARTLY, labels="a,b,c").spec.labels.unknown == ("", "-1")
    assert find(PARTLY, labels="b,c").spec.labels.unknown == ("-1",)
    for word in ("U", "NA", "?", " n/a", "unknown"):
        odd = {**PARTLY, "a": cells(lambda i, word=word: str(i % 2) if i % 5 else word)}  # type: ignore[misc]
        assert find(odd, labels="a,c").spec.labels.unknown == (word.strip().lower(),)
    nulls = {**PARTLY, "a": cells(lambda i: i % 2 if i % 5 else None)}
    assert find(nulls, suffix=".parquet", labels="a,c").spec.labels.unknown == ("",)


def test_a_table_whose_columns_are_all_filled_declares_nothing(find: Callable[..., TableColumns]) -> None:
    assert find(USUAL, labels="is_*").spec.labels.unknown == ()


def test_partly_known_columns_are_guessed_only_where_no_others_could_be_labels(
    find: Callable[..., TableColumns],
) -> None:
    assert find(PARTLY).spec.labels.columns == ("a", "b", "c")
    assert find({**PARTLY, "d": USUAL["is_a"]}).spec.labels.columns == ("c", "d")


def test_ones_and_empty_cells_alone_do_not_say_what_empty_means(refused: Callable[..., str]) -> None:
    said = refused({**PARTLY, "a": cells(lambda i: "1" if i % 3 else "")}, labels="a,c")
    assert "column 'a' has empty cells and otherwise '1' alone" in said


def test_labels_in_brackets_beside_others_are_refused(
    refused: Callable[..., str], find: Callable[..., TableColumns]
) -> None:
    """Otherwise a list would be the name of a label."""
    given = {"plot": USUAL["plot"], "tags": ["red", *(str(cell.split("|")) for cell in USUAL["tags"][1:])]}
    assert "holds lists in brackets beside other texts, as 'red'" in refused(given, labels="tags")
    assert find(given, labels="tags:none").spec.labels.separator == "none"


@pytest.mark.parametrize(
    "write", [lambda names: json.dumps([{"id": 7, "name": name} for name in names]), lambda names: str([names])]
)
def test_lists_of_objects_are_no_labels(
    refused: Callable[..., str], find: Callable[..., TableColumns], write: Callable[[list[str]], str]
) -> None:
    """Otherwise parts of the JSON would be the labels."""
    tags = {"plot": USUAL["plot"], "tags": [write(cell.split("|")) for cell in USUAL["tags"]]}
    assert "holds lists of lists, or objects, and no lists of names, as " in refused(tags, labels="tags")
    found = find(USUAL | {"more": tags["tags"]}, labels="tags")
    assert found.unused["more"].startswith("holds lists of lists, or objects, and no lists of names: ")
