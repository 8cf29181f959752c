"""The intervals of a judgement hold its numbers, and are as wide as theory says."""

from __future__ import annotations

import numpy as np
import pytest


def test_intervals_hold_their_numbers(judgement, alone):
    for one in (judgement, alone):
        beside = [n for n, (low, high) in one.intervals.items() if not low <= one.evaluation.metrics[n] <= high]
        assert not beside
    for name in ("test/half/micro_f1", "test/ranking/macro_average_precision", "test/ranking/ece"):
        low, high = judgement.intervals[name]
        assert 0 <= low < high <= 1


def test_a_share_of_rows_has_the_interval_of_the_binomial(judgement):
    # 300 rows: 1.96 standard errors to either side.
    share = judgement.evaluation.metrics["test/half/subset_accuracy"]
    error = 1.96 * np.sqrt(share * (1 - share) / 300)
    assert judgement.intervals["test/half/subset_accuracy"] == pytest.approx((share - error, share + error), abs=0.01)


def test_all_of_the_test_part_but_counts_and_bounds_has_an_interval(judgement, alone):
    for one in (judgement, alone):
        names = {name for name in one.evaluation.metrics if name.startswith("test/")}
        without = {n for n in names if n.startswith(("test/oracle/", "test/count/")) or "/more_" in n}
        assert set(one.intervals) == names - without
