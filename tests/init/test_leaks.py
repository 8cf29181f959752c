"""Inputs that give labels away, on tables made by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from rarelabels.data.tokens import Tokens
from rarelabels.data.unsplit import Table
from rarelabels.init import leaks

N = 400


def table(
    y: dict[str, list[int]],
    text: dict[str, list[list[str]]] | None = None,
    numbers: dict[str, list[float]] | None = None,
) -> Table:
    numbers = numbers or {}
    labels = np.array(list(y.values()), dtype=np.uint8).T
    return Table(
        ids=np.arange(len(labels)).astype(np.str_),
        labels=tuple(y),
        y=labels,
        strata=labels,
        groups=None,
        text={name: Tokens.from_lists(rows) for name, rows in (text or {}).items()},
        numeric=np.array(list(numbers.values())).T if numbers else np.empty((0, 0)),
        numeric_names=tuple(numbers),
    )


def every(k: int) -> list[int]:
    return [int(row % k == 0) for row in range(N)]


def words(label: list[int], name: str, with_label: int, without: int) -> list[list[str]]:
    """Of each ten rows with the label so many hold the name, and of those without it."""
    seen = {0: 0, 1: 0}
    rows = []
    for row, has in enumerate(label):
        holds = seen[has] % 10 < (with_label if has else without)
        seen[has] += 1
        rows.append([f"w{row}", *(name.split() if holds else []), "end"])
    return rows


def test_a_name_in_the_text_of_its_rows_is_a_leak_with_numbers() -> None:
    label = every(4)
    data = table({"Western": label, "Other": every(2)}, {"plot": words(label, "western", 6, 1)})
    (leak,) = leaks.find(data, [])
    assert (leak.label, leak.column, leak.what) == ("Western", "plot", "western")
    assert leak.with_label == pytest.approx(0.6)
    assert leak.without == pytest.approx(0.1)


@pytest.mark.parametrize(("with_label", "without"), [(1, 0), (6, 3), (10, 10), (0, 5)])
def test_a_name_that_is_rare_or_everywhere_is_none(with_label: int, without: int) -> None:
    label = every(4)
    assert not leaks.find(
        table({"Western": label, "Other": every(2)}, {"plot": words(label, "western", with_label, without)}), []
    )


def test_a_name_of_two_words_must_stand_in_that_order_and_in_one_row() -> None:
    label = every(4)
    y = {"Science Fiction": label, "Other": every(2)}
    (leak,) = leaks.find(table(y, {"plot": words(label, "science fiction", 5, 0)}), [])
    assert leak.what == "science fiction"
    assert not leaks.find(table(y, {"plot": words(label, "fiction science", 5, 0)}), [])
    across = [["fiction", "science"] for _ in range(N)]  # the end of one row and the beginning of the next
    assert not leaks.find(table(y, {"plot": across}), [])


def test_the_words_of_a_name() -> None:
    assert leaks.searched(("is_sci_fi", "is_War")) == {"is_sci_fi": ("sci", "fi"), "is_War": ("war",)}
    assert leaks.searched(("is_war", "drama")) == {"is_war": ("is", "war"), "drama": ("drama",)}
    assert leaks.searched(("???", "drama")) == {"drama": ("drama",)}


def test_an_entry_that_is_the_name_is_a_leak_in_any_case() -> None:
    label = every(4)
    tags = [["SCIENCE FICTION", "x"] if has else ["x"] for has in label]
    (leak,) = leaks.find(table({"Science Fiction": label, "Other": every(2)}, {"tags": tags}), ["tags"])
    assert (leak.what, leak.with_label, leak.without) == ("SCIENCE FICTION", 1.0, 0.0)


def test_any_token_that_goes_with_a_label_is_a_leak() -> None:
    label = every(4)
    tags = [["t17", "x"] if has else ["x", "y"] for has in label]
    (leak,) = leaks.find(table({"A": label, "B": every(2)}, {"tags": tags}), ["tags"])
    assert (leak.label, leak.what) == ("A", "t17")
    half = [["t17"] if has and row % 8 else ["x"] for row, has in enumerate(label)]
    assert not leaks.find(table({"A": label, "B": every(2)}, {"tags": half}), ["tags"])


@pytest.mark.parametrize("sign", [1, -1])
def test_a_number_that_orders_the_rows_by_a_label_is_a_leak(sign: int) -> None:
    label, noise = every(4), np.random.default_rng(0).normal(size=N)
    close = sign * (np.array(label) * 3.6 + noise)
    data = table({"A": label, "B": every(2)}, numbers={"close": close.tolist(), "noise": noise.tolist()})
    (leak,) = leaks.find(data, [])
    expected = roc_auc_score(label, sign * close)
    assert (leak.label, leak.column) == ("A", "close")
    assert leak.auc == pytest.approx(expected)
    assert expected > 0.99


def test_ties_count_half_as_in_a_roc_curve() -> None:
    label = every(4)
    flag = [1.0 if has or row == 1 else 0.0 for row, has in enumerate(label)]
    (leak,) = leaks.find(table({"A": label, "B": every(2)}, numbers={"flag": flag}), [])
    assert leak.auc == pytest.approx(roc_auc_score(label, flag))


def test_an_empty_field_is_no_leak() -> None:
    assert not leaks.find(table({"A": every(4), "B": every(2)}, {"plot": [[] for _ in range(N)]}), [])


def test_a_number_is_looked_at_where_it_is_there() -> None:
    label = np.arange(200) % 2
    year = np.where(np.arange(200) % 5 == 0, np.nan, label + 10.0)
    data = table({"a": label.tolist(), "b": (np.arange(200) // 100).tolist()}, numbers={"year": year.tolist()})
    (leak,) = leaks.find(data, ())
    assert (leak.label, leak.column, leak.auc) == ("a", "year", 1.0)
