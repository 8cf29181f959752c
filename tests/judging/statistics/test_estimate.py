"""Intervals by hand, against SciPy, and as often right as they say where rows and seeds are drawn."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from drawn_trial import trial
from made_up_estimates import ROWS, estimate
from rarelabels.judging.metrics import decision_metrics
from rarelabels.judging.rules.definition import Rule
from rarelabels.judging.scores import Scores
from rarelabels.judging.statistics.estimate import MOST_GROUPS, Estimate, estimates, groups_of_rows, interval_of

HALF = {"half": Rule("half", np.full(1, 0.5), fallbacks=0)}


def test_of_one_seed_it_is_the_t_interval_of_a_mean_over_rows():
    values = np.random.default_rng(0).random(40)
    one = Estimate(np.array([values.mean()]), (values - values.mean()) / 40)
    assert one.interval(0.9) == pytest.approx(stats.t.interval(0.9, 39, values.mean(), stats.sem(values)))
    assert one.p_value(0.6) == pytest.approx(stats.ttest_1samp(values, 0.6).pvalue)


def test_of_rows_that_say_nothing_it_is_the_t_interval_of_a_mean_over_seeds():
    values = np.array([0.4, 0.5, 0.45, 0.61, 0.43])
    one = Estimate(values, np.zeros(10))
    assert one.interval() == pytest.approx(stats.t.interval(0.95, 4, values.mean(), stats.sem(values)))
    assert one.p_value(0.4) == pytest.approx(stats.ttest_1samp(values, 0.4).pvalue)
    assert (one.share_of_seeds, one.degrees_of_freedom) == (1.0, pytest.approx(4))


def test_satterthwaite_by_hand():
    """Rows: 4 groups, Σ 0.01² · 4/3; seeds: a variance of 0.005, by 2."""
    one = Estimate(np.array([0.4, 0.5]), np.array([0.01, -0.01, 0.01, -0.01]))
    rows, seeds = 4 * 0.01**2 * 4 / 3, 0.005 / 2
    assert (one.variance_of_rows, one.variance_of_seeds) == pytest.approx((rows, seeds))
    assert one.degrees_of_freedom == pytest.approx((rows + seeds) ** 2 / (rows**2 / 3 + seeds**2 / 1))
    assert one.share_of_seeds == pytest.approx(seeds / (rows + seeds))


def test_what_seeds_differ_by_on_the_rows_alone_is_counted_twice():
    """Each seed adds its own noise to each row, so the variance of the mean is noise / (rows · seeds)."""
    rng, n, seeds = np.random.default_rng(1), 2000, 5
    found = []
    for _ in range(200):
        noise = rng.normal(size=(seeds, n))
        mean = noise.mean(axis=0)
        found.append(Estimate(noise.mean(axis=1), (mean - mean.mean()) / n).standard_error ** 2)
    assert np.mean(found) == pytest.approx(2 / (n * seeds), rel=0.1)


@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_intervals_are_right_as_often_as_they_say(seeds):
    """The mean over rows and seeds of row effects, seed effects and noise; the true mean is 0."""
    rng, n, right = np.random.default_rng(seeds), 60, 0
    for _ in range(2000):
        values = rng.normal(size=n) + 0.2 * rng.normal(size=(seeds, 1)) + 0.3 * rng.normal(size=(seeds, n))
        mean = values.mean(axis=0)
        one = Estimate(values.mean(axis=1), (mean - mean.mean()) / n)
        low, high = one.interval()
        right += low <= 0 <= high
    assert 0.935 <= right / 2000 <= 0.98


def test_p_is_below_one_minus_the_level_where_the_interval_leaves_the_value_out():
    rng = np.random.default_rng(2)
    for _ in range(50):
        one = Estimate(rng.normal(size=4), rng.normal(scale=0.2, size=30))
        p = one.p_value(0.3)
        low, high = one.interval(1 - p - 1e-9)
        assert not low <= 0.3 <= high
        low, high = one.interval(1 - p + 1e-9)
        assert low <= 0.3 <= high


def test_p_has_no_floor():
    assert 0 < estimate(0.3, 0.01 * ROWS).p_value() < 1e-100
    assert estimate(0.3).p_value() == 0.0
    assert estimate(0.3).p_value(0.3) == 1.0


def test_a_paired_difference_is_narrower_where_trials_agree_on_rows():
    a, b = estimate(0.5, 0.05 * ROWS), estimate(0.45, 0.05 * ROWS + 0.01 * np.roll(ROWS, 7))
    assert (a - b).standard_error == pytest.approx(0.01, rel=1e-6)
    assert (a - b).value == pytest.approx(0.05)
    assert (a - a).is_identical
    assert not (a - b).is_identical
    assert (a - a).interval() == (0, 0)
    assert math.isnan((a - a).share_of_seeds)
    with pytest.raises(ValueError, match=r"same seeds and groups of rows; got \(2, 2000\) and \(3, 2000\)"):
        a - estimate(0.5, ROWS, seeds=3)


def test_errors_common_to_a_group_of_rows_widen_the_interval():
    """Ten copies of each row in one group say as much as one row; as rows of their own they would say more."""
    truth, (scores, *_), _ = trial(60, 3, n_seeds=1)
    rules, many = {"half": Rule("half", np.full(3, 0.5), fallbacks=0)}, np.repeat(np.arange(60), 10)

    def error(groups):
        part = Scores(np.arange(600).astype(str), truth[many], scores[many], groups=groups)
        values = {f"half/{name}": value for name, value in decision_metrics(truth, scores >= 0.5).items()}
        return estimates([part], [rules], [values])["half/micro_f1"].standard_error

    alone, grouped = error(None), error(many * 3)
    assert grouped / alone == pytest.approx(math.sqrt(10), rel=0.01)


def test_very_many_rows_are_drawn_together_in_groups_that_say_the_same():
    rng = np.random.default_rng(3)
    truth = rng.random((20_000, 2)) < 0.2
    scores = np.clip(0.3 * truth + 0.7 * rng.random(truth.shape), 0, 1)
    part = Scores.from_arrays(truth, scores)
    (one,) = estimates([part], [{}], [{"ranking/brier": 0.2}], ["ranking/brier"]).values()
    assert one.n_groups == MOST_GROUPS
    values = ((scores - truth) ** 2).mean(axis=1)
    assert one.standard_error == pytest.approx(stats.sem(values), rel=0.05)
    np.testing.assert_array_equal(groups_of_rows([part]), groups_of_rows([part]))


def test_rows_of_other_test_parts_are_known_by_their_ids():
    """By hand, on a mean over rows: seed 0 tests rows a b c, seed 1 tests rows d c; c is in both."""
    squares = {"a": 0.01, "b": 0.04, "c": 0.25, "d": 0.09}
    parts = []
    for names in ("abc", "dc"):
        scores = np.array([[np.sqrt(squares[name])] * 2 for name in names])
        parts.append(Scores(np.array(list(names)), np.zeros(scores.shape, np.uint8), scores))
    values = [{"ranking/brier": np.mean([squares[name] for name in names])} for names in ("abc", "dc")]
    (one,) = estimates(parts, [{}, {}], values, ["ranking/brier"]).values()
    first, second = 0.1, 0.17
    by_hand = [(0.01 - first) / 3, (0.04 - first) / 3, (0.25 - first) / 3 + (0.25 - second) / 2, (0.09 - second) / 2]
    np.testing.assert_allclose(one.influence, np.array(by_hand) / 2, atol=1e-15)
    assert one.value == pytest.approx((first + second) / 2)


def test_groups_of_other_test_parts_are_known_by_their_numbers():
    y, scores = np.eye(4, 2, dtype=np.uint8), np.full((4, 2), 0.3)
    one = Scores(np.array(["a", "b", "c", "d"]), y, scores, groups=np.array([7, 7, 9, 12]))
    two = one.take(np.array([3, 0]))
    assert [of_part.tolist() for of_part in groups_of_rows([one, two])] == [[0, 0, 1, 2], [2, 0]]
    assert [of_part.tolist() for of_part in groups_of_rows([one, one])] == [[0, 0, 1, 2]] * 2


@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_intervals_of_repeated_test_parts_are_right_at_least_as_often_as_they_say(seeds):
    """Each seed measures a fifth of 300 rows, drawn anew; effects of rows, of seeds, and noise; the true mean is 0."""
    rng, n, right, widths, means = np.random.default_rng(seeds), 300, 0, [], []
    for _ in range(1000):
        rows, by_seed, influence = rng.normal(size=n), [], np.zeros(n)
        for _ in range(seeds):
            tested = rng.permutation(n)[: n // 5]
            values = rows[tested] + 0.1 * rng.normal() + 0.3 * rng.normal(size=len(tested))
            by_seed.append(values.mean())
            influence[tested] += (values - values.mean()) / len(tested) / seeds
        one = Estimate(np.array(by_seed), influence)
        low, high = one.interval()
        right += low <= 0 <= high
        widths.append(one.standard_error**2)
        means.append(one.value)
    assert right / 1000 >= 0.945
    assert 1.0 < np.sqrt(np.mean(widths)) / np.std(means) < 1.35  # what seeds differ by on their rows counts twice


def test_one_row_and_one_group_of_rows_say_nothing_about_others():
    truth, scores, rules = trial(6, 3, n_seeds=1)
    name = f"{next(iter(rules[0]))}/micro_f1"
    one_row = Scores.from_arrays(truth[:1], scores[0][:1])
    one_group = Scores(np.arange(6).astype(str), truth, scores[0], groups=np.full(6, 7))
    for part in (one_row, one_group):
        assert estimates([part], rules, [{name: 0.5}]) == {}
    two_rows = Scores.from_arrays(truth[:2], scores[0][:2])
    assert list(estimates([two_rows], rules, [{name: 0.5}])) == [name]


def test_a_metric_that_a_seed_lacks_is_the_mean_of_the_others():
    truth, scores, rules = trial(30, 3, n_seeds=2)
    parts = [Scores.from_arrays(truth, one) for one in scores]
    name = f"{next(iter(rules[0]))}/macro_f1"
    found = estimates(parts, rules, [{name: 0.4}, {}])
    assert list(found) == [name]
    assert (found[name].value, found[name].n_seeds, found[name].variance_of_seeds) == (0.4, 1, 0)


def test_an_interval_ends_where_the_range_of_the_metric_does():
    assert interval_of("half/macro_f1", estimate(0.9, 0.2 * ROWS))[1] == 1.0
    assert interval_of("ranking/log_loss", estimate(0.9, 0.2 * ROWS))[1] > 1.2
    assert interval_of("test/ranking/log_loss", estimate(0.1, 0.2 * ROWS))[0] == 0.0


def test_errors_say_what_is_wrong():
    with pytest.raises(ValueError, match="between 0 and 1; got 95"):
        estimate(0.5).interval(95)
    truth, scores, rules = trial(30, 3, n_seeds=2)
    with pytest.raises(ValueError, match="of the same seeds, at least one; got 1, 2, 2"):
        estimates([Scores.from_arrays(truth, scores[0])], rules, [{}, {}])
