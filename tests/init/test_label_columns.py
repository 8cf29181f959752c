"""Which columns hold the labels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from rarelabels.init.columns import TableColumns
from usual_columns import USUAL


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


def test_labels_as_python_writes_lists_are_refused(refused: Callable[..., str]) -> None:
    lists = [str(cell.split("|")) for cell in USUAL["tags"]]
    assert "lists as Python writes them" in refused({"plot": USUAL["plot"], "tags": lists}, labels="tags")
