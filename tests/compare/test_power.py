"""What could have been seen, and what more would decide, against simulation and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from made_up_estimates import ROWS, estimate
from rarelabels.compare import power
from rarelabels.judging.statistics.estimate import Estimate


def above(margin: float) -> power.Decides:
    return lambda low, high: low > margin or high < margin


def test_a_visible_difference_is_seen_four_times_of_five() -> None:
    one = estimate(0.0, 0.01 * ROWS)
    size = power.visible(one, 0.95)
    shifted = np.random.default_rng(0).normal(size, 0.01, 20_000)
    assert np.mean(shifted > one.half_width(0.95)) == pytest.approx(0.8, abs=0.02)


def test_more_test_rows_decide_where_the_seeds_agree() -> None:
    """The value is one standard error above the margin: 3.8 times the rows would do, by 1.96²."""
    told = power.what_would_decide(estimate(0.02, 0.01 * ROWS), 0.95, above(0.01))
    assert told == "4 × the test rows would decide, if the difference stayed"


def test_more_seeds_decide_where_the_rows_agree() -> None:
    """Five seeds with a standard error of 1; t · √(5/n) must fall below 1.5."""
    by_seed = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
    one = Estimate(1.5 + by_seed * np.sqrt(5 / 2.5), np.zeros(50))
    assert one.standard_error == pytest.approx(1)
    wanted = next(n for n in range(6, 100) if stats.t.ppf(0.975, n - 1) * np.sqrt(5 / n) < 1.5)
    told = power.what_would_decide(one, 0.95, above(0.0))
    assert told == f"{wanted} seeds in place of 5 would decide, if the difference stayed"


def test_both_decide_where_neither_does_alone() -> None:
    """Rows and five seeds have a standard error of 1 each; the value is 0.5 above the margin."""
    by_seed = np.array([-2.0, -1.0, 0.0, 1.0, 2.0]) * np.sqrt(5 / 2.5)
    told = power.what_would_decide(Estimate(0.5 + by_seed, ROWS), 0.95, above(0.0))
    wanted = next(m for m in power.TIMES if 1.97 * np.sqrt(2 / m) < 0.5)
    assert told == f"{wanted} × the seeds and the test rows would decide, if the difference stayed"


def test_what_lies_on_the_margin_nothing_decides() -> None:
    told = power.what_would_decide(estimate(0.01, 0.01 * ROWS), 0.95, above(0.01))
    assert told == "not even 100 × the seeds and the test rows would decide, if the difference stayed"


def test_one_seed_says_nothing_about_seeds() -> None:
    told = power.what_would_decide(estimate(0.02, 0.01 * ROWS, seeds=1), 0.95, above(0.01))
    assert told.startswith("4 × the test rows")
