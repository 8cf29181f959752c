"""Label sets and their numbers, against Python's own binary numbers, matrix products and counting by hand."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from pydantic import TypeAdapter
from scipy.special import log_softmax, softmax

from rarelabels.compare.comparison import Comparison, Row, compared_by_rule
from rarelabels.declare.study import TestMetric
from rarelabels.learn import powerset
from rarelabels.learn.powerset import AllSets, SeenSets
from rarelabels.show.tables.of_study import training_table

ROWS = np.array([[1, 0, 0, 1], [0, 0, 0, 0], [1, 0, 1, 0], [1, 0, 0, 1]], np.uint8)


def by_python(row) -> int:
    return int("".join(str(int(bit)) for bit in row), 2)


def random_rows(n: int, n_labels: int, seed: int = 0, prevalence: float = 0.5):
    return (np.random.default_rng(seed).random((n, n_labels)) < prevalence).astype(np.uint8)


def test_the_threads_own_numbers() -> None:
    assert powerset.numbers(ROWS).tolist() == [9, 0, 10, 9]


@pytest.mark.parametrize("n_labels", range(1, 11))
def test_all_sets_of_few_labels(n_labels: int) -> None:
    table = powerset.sets_of(np.arange(2**n_labels), n_labels)
    assert table.shape == (2**n_labels, n_labels)
    assert table.dtype == np.uint8
    assert [by_python(row) for row in table] == list(range(2**n_labels))
    np.testing.assert_array_equal(powerset.numbers(table), np.arange(2**n_labels))


@pytest.mark.parametrize("n_labels", range(11, 21))
def test_numbers_and_sets_are_each_others_inverse(n_labels: int) -> None:
    rows = random_rows(500, n_labels)
    assert powerset.numbers(rows).tolist() == [by_python(row) for row in rows]
    np.testing.assert_array_equal(powerset.sets_of(powerset.numbers(rows), n_labels), rows)


def test_sixty_three_labels_have_numbers_and_more_have_not() -> None:
    ones = np.ones((1, 63), np.uint8)
    assert powerset.numbers(ones).tolist() == [2**63 - 1]
    np.testing.assert_array_equal(powerset.sets_of([2**63 - 1], 63), ones)
    with pytest.raises(ValueError, match="the sets of 64 labels have no 64-bit numbers; at most 63 labels have"):
        powerset.numbers(np.ones((1, 64), np.uint8))


@pytest.mark.parametrize("n_labels", [1, 3, 8, 9, 17, 70])
def test_seen_sets_are_the_different_rows_by_rising_number(n_labels: int) -> None:
    rows = random_rows(300, n_labels, prevalence=0.15)
    seen = SeenSets.of(rows)
    assert [by_python(row) for row in seen.table] == sorted({by_python(row) for row in rows})
    np.testing.assert_array_equal(seen.sets(seen.classes(rows)), rows)
    assert (np.diff(seen.classes(seen.table)) == 1).all()
    stored = json.loads(json.dumps(seen.to_json()))
    assert stored == [by_python(row) for row in seen.table]
    np.testing.assert_array_equal(SeenSets.from_json(stored, n_labels).table, seen.table)


def test_a_set_that_was_not_seen_has_no_class() -> None:
    seen = SeenSets.of(ROWS)  # 0, 9, 10
    asked = np.array([[1, 0, 0, 1], [0, 0, 0, 1], [1, 1, 1, 1], [0, 0, 0, 0]], np.uint8)
    assert seen.classes(asked).tolist() == [1, -1, -1, 0]


@pytest.mark.parametrize("n_labels", [1, 2, 3, 5, 12])
def test_marginals_are_the_product_with_the_table(n_labels: int) -> None:
    rng = np.random.default_rng(1)
    every, seen = AllSets(n_labels), SeenSets.of(random_rows(40, n_labels, prevalence=0.3))
    for sets, table in ((every, powerset.sets_of(np.arange(2**n_labels), n_labels)), (seen, seen.table)):
        distribution = rng.dirichlet(np.ones(sets.count), size=7)
        found = sets.marginals(distribution)
        np.testing.assert_allclose(found, distribution @ table, rtol=1e-12)
        assert found.shape == (7, n_labels)
        assert found.max() <= 1
        order = rng.permutation(7)
        np.testing.assert_array_equal(sets.marginals(distribution[order]), found[order])


def test_logits_are_read_as_a_softmax_over_sets() -> None:
    logits = np.random.default_rng(2).normal(0, 5, (9, 8)).astype(np.float32)
    logits[0] = [3, 1, 3, 0, 0, 0, 0, 3]  # a tie: the lowest number
    logits[1, 4] = 2000  # the others' probability underflows, their loss does not
    own = np.array([7, 0, 1, 2, 3, 4, 5, 6, -1])
    found = powerset.read(logits, AllSets(3), own)
    marginals = softmax(logits.astype(float), axis=1) @ powerset.sets_of(np.arange(2**3), 3)
    np.testing.assert_allclose(found.marginals, marginals, rtol=1e-9)
    np.testing.assert_allclose(found.losses[:8], -log_softmax(logits.astype(float), axis=1)[range(8), own[:8]])
    assert np.isnan(found.losses[8])
    assert found.losses[1] > 1900
    assert found.most_likely[0] == 0
    assert found.most_likely[1] == 4


def test_the_classes_of_a_head() -> None:
    assert powerset.classes_of("sigmoid", ROWS) is None
    assert powerset.classes_of("softmax", ROWS) is None
    every, seen = powerset.classes_of("powerset", ROWS), powerset.classes_of("seen_sets", ROWS)
    assert every is not None
    assert seen is not None
    assert (every.count, seen.count) == (16, 3)


def test_facts_about_label_sets_by_hand() -> None:
    test = np.array([[1, 0, 1, 0], [1, 1, 1, 1], [0, 0, 0, 0], [0, 1, 0, 0]], np.uint8)
    assert powerset.facts(ROWS, test) == {
        "label_sets_seen": 3,
        "rows_per_label_set": 4 / 3,
        "label_sets_once": pytest.approx(2 / 3),
        "unseen_test_share": 0.5,
    }


def test_a_hypothesis_may_be_about_the_most_likely_set() -> None:
    metric = TypeAdapter(TestMetric)
    assert metric.validate_python("test/most_likely_set/subset_accuracy") == "test/most_likely_set/subset_accuracy"
    with pytest.raises(ValueError, match="should match pattern"):
        metric.validate_python("test/most_likely/subset_accuracy")
    assert "test/most_likely_set/samples_f1" in compared_by_rule()


def test_what_is_of_label_sets_is_shown_where_they_are_classes() -> None:
    def comparison(**measured: float) -> Comparison:
        values = pd.DataFrame({"mean": measured}).rename_axis("metric").assign(low=np.nan, high=np.nan)
        return Comparison("movies", [Row("a trial", "0", "", (), values, ())], [], {}, [], [])

    trained = {"training/kept_epoch": 2.0, "training/seconds_per_epoch": 0.5, "training/label_sets_seen": 8.0}
    plain = training_table(comparison(**trained))
    sets = training_table(comparison(**trained, **{"test/most_likely_set/subset_accuracy": 0.5}))
    assert [str(column.header) for column in plain.columns] == ["trial", "epoch\nkept"]
    added = [str(column.header) for column in sets.columns][2:]
    assert added == ["seconds\nan epoch", "label sets\nin training"]
