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
    assert labels.model_dump(exclude_none=True, exclude={"min_rows"}) == form


def test_a_column_whose_name_has_a_comma_or_a_star_is_that_column(find: Callable[..., TableColumns]) -> None:
    for name in ("a,b", "tags*"):
        assert find({"plot": USUAL["plot"], name: USUAL["tags"]}, labels=name).spec.labels.column == name


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


def test_labels_in_brackets_beside_others_are_refused(
    refused: Callable[..., str], find: Callable[..., TableColumns]
) -> None:
    """Otherwise a list would be the name of a label."""
    given = {"plot": USUAL["plot"], "tags": ["red", *(str(cell.split("|")) for cell in USUAL["tags"][1:])]}
    assert "holds lists in brackets beside other texts, as 'red'" in refused(given, labels="tags")
    assert find(given, labels="tags:none").spec.labels.separator == "none"
