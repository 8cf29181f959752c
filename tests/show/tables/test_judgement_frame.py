"""A judgement as a data frame: recorded numbers beside floors and intervals."""

from __future__ import annotations

import numpy as np

import rarelabels as rl
from judged_arrays import S, Y
from rarelabels.show.tables.of_judgement import DECISIONS, RANKINGS


def test_the_table_has_the_recorded_numbers_beside_floors_and_intervals(judged):
    table, measured = judged.table(), judged.evaluation.metrics
    assert list(table.columns[:6]) == ["zeros", "ones", "prior", "half", "half/low", "half/high"]
    for rule in ("half", "global", "per_label"):
        low, high = judged.intervals[f"test/{rule}/macro_f1"]
        row = table.loc["macro_f1", [rule, f"{rule}/low", f"{rule}/high"]]
        assert row.tolist() == [measured[f"test/{rule}/macro_f1"], low, high]
    assert table.loc["macro_f1", "ones"] == measured["floor/ones/macro_f1"]
    assert table.loc["brier", "scores"] == measured["test/ranking/brier"]
    assert np.isnan(table.loc["brier", "half"])
    assert set(table.index) <= {*DECISIONS, *RANKINGS}
    assert "oracle/low" not in table


def test_tables_are_copies(judged):
    labels, table = judged.per_label(), judged.table()
    labels["positives"], table["half"] = 0, 0.0
    assert judged.per_label()["positives"].tolist() == [2, 2, 1]
    assert judged.table()["half"].max() > 0


def test_without_validation_there_is_half_alone():
    judged = rl.judge(Y, S)
    assert [name for name in judged.table() if "/" not in name] == [
        "zeros",
        "ones",
        "prior",
        "half",
        "oracle",
        "scores",
    ]
    assert "without a validation part" in repr(judged)
    assert "Without a validation part" in judged._repr_html_()
