"""The comparison of trials: what its data are called, and the floors beside its trials."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from rarelabels.compare import comparison
from rarelabels.compare.comparison import Comparison, Row


def test_data_are_named_by_what_sets_them_apart() -> None:
    films = [{"dataset.kind": "movies", "dataset.labels": str(n), "dataset.rows": "all"} for n in (3, 8)]
    simulated = {"dataset.kind": "simulated", "dataset.sets": "None", "dataset.dependence": "independent"}
    sets = simulated | {"dataset.sets": "12", "dataset.dependence": "label_sets"}
    assert comparison._names(films) == ["movies (labels 3)", "movies (labels 8)"]
    assert comparison._names([films[0], simulated]) == ["movies", "simulated"]
    assert comparison._names([simulated, sets]) == [
        "simulated (dependence independent)",
        "simulated (dependence label_sets, sets 12)",
    ]
    # a group of trials with several fractions shares none, so it sets nothing apart
    assert comparison._names([films[0] | {"dataset.train_fraction": "1.0"}, films[1]])[0] == "movies (labels 3)"

    columns = [{"dataset.kind": "table", "dataset.labels.columns": f"[{'name, ' * 900}{end}]"} for end in "ab"]
    long = comparison._names(columns)
    assert len(set(long)) == 2
    assert {len(name) for name in long} == {len("table (labels.columns )") + comparison.LONGEST}


def compared() -> Comparison:
    values = pd.DataFrame({"mean": [0.5, 0.6], "low": [0.4, 0.5], "high": [0.6, 0.7]})
    values.index = pd.Index(["test/half/macro_f1", "test/per_label/macro_f1"], name="metric")
    floors = {
        "zeros": {"macro_f1": 0.0, "binary_accuracy": 0.9, "samples_f1": 0.0},
        "ones": {"macro_f1": 0.3, "binary_accuracy": 0.1, "samples_f1": 0.2},
        "prior": {"macro_f1": 0.1, "macro_average_precision": 0.15},
        "prior_per_label": {"macro_f1": 0.31},
        "prior_at_least_one": {"samples_f1": 0.25},
    }
    return Comparison("films", [Row("net", "0 1", "", (), values, ())], [], floors, [], [])


def test_a_floor_of_base_rates_has_the_rule_and_one_that_assigns_all_or_nothing_needs_none() -> None:
    floor = compared().floor
    assert floor("ones", "test/per_label/macro_f1") == floor("ones", "test/half/macro_f1") == 0.3
    assert (floor("prior", "test/per_label/macro_f1"), floor("prior", "test/half/macro_f1")) == (0.31, 0.1)
    assert floor("prior", "test/ranking/macro_average_precision") == 0.15
    assert floor("prior", "test/global/macro_f1") is None  # was not recorded
    # a rule that looks at the order of a row's scores gives a label where all are equal
    assert (floor("zeros", "test/at_least_one/samples_f1"), floor("prior", "test/at_least_one/samples_f1")) == (
        None,
        0.25,
    )


def with_own_rule() -> Comparison:
    """Two trials; one has a rule and a metric of another package."""
    values = pd.DataFrame({"mean": [0.5, 0.55, 0.3, 0.2, 0.1], "low": np.nan, "high": np.nan})
    names = ["test/half/macro_f1", "test/mine/macro_f1", "test/mine/cost", "floor/prior_mine/macro_f1"]
    values.index = pd.Index([*names, "crossfit/theirs/macro_f1"], name="metric")
    one = compared()
    return replace(one, rows=[*one.rows, Row("own", "0 1", "", (), values, ())])


def test_rules_of_other_packages_stand_between_ours_and_the_bound() -> None:
    one = with_own_rule()
    assert one.rules_of("macro_f1") == ["half", "per_label", "mine"]
    assert one.rules_of("cost") == ["mine"]
    assert one.rules_of("f1") == []
    assert comparison.by_macro_f1(one) == [*comparison.BY_RULE[:-1], "mine", "oracle"]
    assert comparison.by_macro_f1(compared()) == list(comparison.BY_RULE)
    table = comparison.by_rule(one).set_index(["trial", "rule"])["mean"]
    assert table["own", "mine"] == 0.55
    assert ("net", "mine") not in table.index
    assert table["floor: zeros", "mine"] == 0.0


def test_the_best_floor_is_that_of_each_metric() -> None:
    best = compared().best_floors()
    assert (best["test/half/binary_accuracy"], best["test/per_label/macro_f1"]) == (0.9, 0.31)
    assert "test/half/subset_accuracy" not in best


def test_macro_f1_by_rule_is_of_trials_and_then_of_floors() -> None:
    table = comparison.by_rule(compared()).set_index(["trial", "rule"])
    assert table.loc[("net", "per_label")].tolist() == [0.6, 0.5, 0.7]
    assert ("net", "global") not in table.index
    assert table.loc[("floor: ones", "global"), "mean"] == 0.3
    assert np.isnan(table.loc[("floor: prior", "global"), "mean"])
    assert table.index[-1][0] == "floor: prior"


def test_the_long_form_has_a_row_for_each_metric_of_a_trial() -> None:
    table = compared().long()
    assert table.to_numpy().tolist()[0] == ["films", "net", "test/half/macro_f1", 0.5, 0.4, 0.6]
    assert len(table) == 2
    assert list(Comparison("", [], [], {}, [], []).long().columns) == list(table.columns)


def test_nothing_to_compare_is_a_comparison_of_what_is_missing() -> None:
    (found,) = comparison.compare(None, [], {("films/net", "", "definition", ""): "net"}, ["b: its data are not here"])
    assert (found.missing, found.skipped, found.all_rows) == (["net"], ["b: its data are not here"], [])
