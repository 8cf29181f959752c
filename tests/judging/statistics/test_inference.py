"""Intervals, differences and p-values against SciPy and by hand; verdicts that can go either way."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from drawn_trial import trial
from rarelabels.judging.metrics import decision_metrics
from rarelabels.judging.rules.definition import Rule
from rarelabels.judging.statistics import inference
from rarelabels.judging.statistics.bootstrap import make_draws, replicates
from rarelabels.judging.statistics.inference import differences, holm, interval, not_worse_than_best, p_value


def test_interval_is_where_scipy_puts_the_quantiles():
    values = np.random.default_rng(2).normal(size=1000)
    wanted = stats.mstats.mquantiles(values, [0.05, 0.95], alphap=1, betap=1)
    assert interval(values, 0.9) == pytest.approx(tuple(wanted))
    assert interval(np.append(values, np.nan), 0.9) == pytest.approx(tuple(wanted))


def test_an_interval_ends_where_the_range_of_the_metric_does() -> None:
    values = np.linspace(0.9, 1.2, 101)
    assert inference.interval_around(1.05, values, "half/macro_f1")[1] == 1.0
    assert inference.interval_around(1.05, values, "ranking/log_loss")[1] > 1.1


def test_paired_difference_is_narrower_than_unpaired_when_trials_agree_on_rows():
    rng = np.random.default_rng(3)
    truth, scores, rules = trial(400, n_seeds=1, decimals=6)
    nearly = [np.clip(s + 0.02 * rng.normal(size=s.shape), 0, 1) for s in scores]
    draws = make_draws(400, 1, 500)
    a, b = (replicates(truth, s, rules, draws)["ranking/macro_average_precision"] for s in (scores, nearly))
    value = float(np.mean(a) - np.mean(b))
    low, high = interval(differences(value, a, b))
    low_unpaired, high_unpaired = interval(differences(value, a, rng.permutation(b)))
    assert low < value < high
    assert high - low < 0.5 * (high_unpaired - low_unpaired)


def test_a_difference_with_a_floor_lies_around_its_value_though_rows_drawn_twice_flatter_rare_labels():
    """One positive of each of 200 labels, found with 5 false ones: F1 = 2/7, but 4/9 where it is drawn twice."""
    truth = np.zeros((1000, 200), dtype=bool)
    truth[np.arange(200), np.arange(200)] = True
    found = np.zeros(truth.shape)
    for row in range(6):
        found[np.arange(200) + 100 * row, np.arange(200)] = 0.9
    half = {"half": Rule("half", np.full(200, 0.5), fallbacks=0)}
    draws = make_draws(1000, 1, 300)
    a, b = (replicates(truth, [scores], [half], draws)["half/macro_f1"] for scores in (found, np.zeros(truth.shape)))
    value = decision_metrics(truth, found > 0.5)["macro_f1"]
    assert value == pytest.approx(2 / 7)
    assert interval(a - b)[0] > value  # as drawn, the value is not even inside
    low, high = interval(differences(value, a, b))
    assert low < value < high
    assert high - low == pytest.approx(np.subtract(*interval(a - b)[::-1]), rel=1e-12)


def test_ties_are_told_by_replicates_moved_to_the_difference():
    """Replicates that flatter the worse trial: it wins every draw by 0.1 and is 0.2 worse on the part."""
    noise = np.random.default_rng(8).normal(scale=0.02, size=1000)
    flattered = {"best": 0.5 + noise, "worse": 0.6 + 2 * noise}
    assert not_worse_than_best({"best": 0.5, "worse": 0.3}, flattered) == {"best"}


def test_p_value_agrees_with_the_t_test_and_with_the_interval():
    rng = np.random.default_rng(4)
    sample = 0.155 + stats.zscore(rng.normal(size=200))  # 2.2 standard errors above zero
    draws = make_draws(200, 1, 20_000)
    means = draws.rows @ sample / 200
    assert p_value(means) == pytest.approx(stats.ttest_1samp(sample, 0).pvalue, rel=0.15)
    p = p_value(means)
    assert interval(means, 1 - p - 0.004)[0] > 0  # leaves zero out at a level a little below 1 − p
    assert interval(means, 1 - p + 0.004)[0] < 0


def test_p_value_at_its_ends():
    assert p_value(np.zeros(1000)) == 1.0
    assert p_value(np.full(999, 0.1)) == p_value(np.full(999, -0.1)) == pytest.approx(0.002)


def test_holm_by_hand():
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03]), [0.03, 0.06, 0.06])
    np.testing.assert_allclose(holm([0.005, 0.011, 0.02, 0.04, 0.13]), [0.025, 0.044, 0.06, 0.08, 0.13])
    np.testing.assert_allclose(holm([0.6, 0.7]), [1.0, 1.0])
    assert holm([]).shape == (0,)


def test_best_is_marked_with_all_that_cannot_be_told_from_it():
    noise, own = np.random.default_rng(5).normal(scale=0.05, size=(2, 1000))
    runs = {
        "best": 0.50 + noise,
        "same": 0.50 + noise,
        "close": 0.49 + noise + 0.2 * own,
        "worse": 0.45 + noise + 0.2 * own,  # paired: 5 standard errors below, though all intervals overlap
    }
    points = {"best": 0.50, "same": 0.50, "close": 0.49, "worse": 0.45}
    assert not_worse_than_best(points, runs) == {"best", "same", "close"}
    losses = {name: 1 - values for name, values in runs.items()}
    assert not_worse_than_best({name: 1 - point for name, point in points.items()}, losses, higher_is_better=False) == {
        "best",
        "same",
        "close",
    }
    assert not_worse_than_best({"best": 0.5}, {"best": runs["best"]}) == {"best"}


def test_holm_makes_a_borderline_trial_not_told_apart_among_many():
    rng = np.random.default_rng(6)
    best = rng.normal(size=1000) * 0.01
    below = np.sort(rng.normal(size=1000))
    borderline = best - np.where(np.arange(1000) < 10, -1.0, 1.0)  # 1 % beyond zero: p = 0.022
    assert not_worse_than_best({"a": 1, "b": 0}, {"a": best, "b": borderline}) == {"a"}
    others = {f"tied {i}": best + below for i in range(4)}
    many = not_worse_than_best({"a": 1, "b": 0} | dict.fromkeys(others, 0.5), {"a": best, "b": borderline} | others)
    assert "b" in many


def test_an_interval_is_moved_to_the_value_and_keeps_its_width():
    values = np.linspace(0.6, 0.7, 101)
    low, high = inference.interval_around(0.5, values, "half/macro_f1", 0.9)
    assert (low, high) == pytest.approx((0.455, 0.545))
    assert inference.interval_around(0.01, values, "half/macro_f1")[0] == 0.0


def test_what_is_worse_or_better_can_both_be_told_from_a_trial():
    noise = np.random.default_rng(9).normal(scale=0.01, size=1000)
    points = {"one": 0.5, "worse": 0.4, "better": 0.6, "near": 0.501}
    drawn = {name: point + noise * factor for (name, point), factor in zip(points.items(), (1, 2, 2, 3), strict=True)}
    assert inference.not_told_from("one", points, drawn) == {"one", "near"}


def test_errors_say_what_is_wrong():
    with pytest.raises(ValueError, match="same draws"):
        differences(0.0, np.zeros(10), np.zeros(11))
    with pytest.raises(ValueError, match="none is defined"):
        interval([np.nan, np.nan])
    with pytest.raises(ValueError, match="between 0 and 1; got 95"):
        interval([0.0, 1.0], level=95)
    with pytest.raises(ValueError, match="the same trials"):
        not_worse_than_best({"a": 1.0}, {"b": np.zeros(3)})
    with pytest.raises(ValueError, match="must name a trial"):
        not_worse_than_best({}, {})
