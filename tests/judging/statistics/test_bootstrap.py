"""The bootstrap against literally repeated rows and normal theory."""

import numpy as np
import pytest
from scipy import stats

from drawn_trial import trial
from rarelabels.judging.metrics import decision_metrics, ranking_metrics
from rarelabels.judging.rules.definition import Rule
from rarelabels.judging.scores import Scores
from rarelabels.judging.statistics.bootstrap import Draws, make_draws, replicates, replicates_of
from rarelabels.judging.statistics.inference import interval


def literal(truth, scores, rules, times):
    """What ``metrics`` says of the rows repeated so many times."""
    y, s = np.repeat(truth, times, axis=0), np.repeat(scores, times, axis=0)
    values = {f"ranking/{name}": value for name, value in ranking_metrics(y, s).items()}
    for name, rule in rules.items():
        decisions = decision_metrics(y, rule.assign(s), positives=truth.sum(axis=0))
        values |= {f"{name}/{metric}": value for metric, value in decisions.items()}
    return values


CALIBRATION = {"ranking/ece", "ranking/macro_ece"}


@pytest.mark.parametrize(
    ("n_rows", "n_labels", "decimals"), [(60, 5, 1), (40, 3, 6), (7, 2, 0), (300, 70, 2), (1, 3, 2)]
)
def test_every_replicate_equals_the_metrics_of_literally_repeated_rows(n_rows, n_labels, decimals):
    truth, scores, rules = trial(n_rows, n_labels, decimals=decimals)
    draws = make_draws(n_rows, 3, n_draws=12)
    found = replicates(truth, scores, rules, draws)
    for draw in range(12):
        by_seed = [literal(truth, s, r, draws.rows[draw]) for s, r in zip(scores, rules, strict=True)]
        for name in found.keys() - CALIBRATION:
            if name in by_seed[0]:
                wanted = np.mean([by_seed[pick][name] for pick in draws.seeds[draw]])
                assert found[name][draw] == pytest.approx(wanted, abs=1e-6), (name, draw)
            else:
                assert np.isnan(found[name][draw]), (name, draw)


def test_unit_weights_give_the_metrics_themselves_calibration_included():
    truth, scores, rules = trial(n_seeds=2)
    unit = Draws(rows=np.ones((1, 60), dtype=np.uint16), seeds=np.array([[0, 1]]))
    found = replicates(truth, scores, rules, unit)
    by_seed = [literal(truth, s, r, np.ones(60, dtype=int)) for s, r in zip(scores, rules, strict=True)]
    assert found.keys() == by_seed[0].keys()
    for name, value in found.items():
        assert value == pytest.approx(np.mean([seed[name] for seed in by_seed]), abs=1e-6), name


def test_decisions_without_thresholds_are_drawn_like_those_of_rules():
    truth, scores, rules = trial()
    rng = np.random.default_rng(7)
    decided = [{"most_likely_set": (truth ^ (rng.random(truth.shape) < 0.2)).astype(np.uint8)} for _ in scores]
    draws = make_draws(60, 3, n_draws=12)
    found = replicates(truth, scores, rules, draws, decided)
    plain = replicates(truth, scores, rules, draws)
    assert plain.keys() < found.keys()
    for name, values in plain.items():
        np.testing.assert_array_equal(found[name], values)
    for draw in range(12):
        times = draws.rows[draw]
        by_seed = [
            decision_metrics(
                np.repeat(truth, times, axis=0),
                np.repeat(own["most_likely_set"], times, axis=0),
                positives=truth.sum(axis=0),
            )
            for own in decided
        ]
        for name in found.keys() - plain.keys():
            wanted = np.mean([by_seed[pick][name.removeprefix("most_likely_set/")] for pick in draws.seeds[draw]])
            assert found[name][draw] == pytest.approx(wanted, abs=1e-6), (name, draw)
    with pytest.raises(ValueError, match=r"most_likely_set: must have the shape of y_true, \(60, 5\); got \(1, 5\)"):
        replicates(truth, scores, rules, draws, [{"most_likely_set": np.ones((1, 5))}] * 3)


def test_parts_are_drawn_like_arrays_and_their_label_sets_like_decisions():
    truth, scores, rules = trial(n_seeds=2)
    sets = [(truth ^ (s > 0.8)).astype(np.uint8) for s in scores]
    ids = np.arange(60).astype(str)
    parts = [Scores(ids, truth, s, own) for s, own in zip(scores, sets, strict=True)]
    draws = make_draws(60, 2, n_draws=5)
    found = replicates_of(parts, rules, draws)
    wanted = replicates(truth, scores, rules, draws, [{"most_likely_set": own} for own in sets])
    assert found.keys() == wanted.keys()
    assert "most_likely_set/macro_f1" in found
    for name, values in wanted.items():
        np.testing.assert_array_equal(found[name], values)


def test_calibration_error_keeps_the_bins_of_the_whole_part():
    # Twenty rows, two scores, two bins: weighted gaps |Σ w (y − p)| / Σ w of each bin, added.
    truth = np.array([[1], [0]] * 10)
    scores = np.array([[0.8]] * 10 + [[0.1]] * 10)
    draws = make_draws(20, 1, n_draws=5)
    found = replicates(truth, [scores], [{}], draws)
    for draw, weights in enumerate(draws.rows.astype(float)):
        gap = weights * (truth - scores)[:, 0]
        wanted = (abs(gap[:10].sum()) + abs(gap[10:].sum())) / 20
        assert found["ranking/ece"][draw] == pytest.approx(wanted, abs=1e-6)
        assert found["ranking/macro_ece"][draw] == pytest.approx(wanted, abs=1e-6)


def test_chunks_do_not_change_the_numbers(monkeypatch):
    truth, scores, rules = trial()
    draws = make_draws(60, 3, n_draws=30)
    whole = replicates(truth, scores, rules, draws)
    monkeypatch.setattr("rarelabels.judging.statistics.bootstrap.DRAWS_AT_ONCE", 7)
    for name, values in replicates(truth, scores, rules, draws).items():
        np.testing.assert_allclose(values, whole[name], atol=1e-9)


def test_a_label_without_a_drawn_positive_is_left_out_of_that_draw():
    truth = np.array([[1, 1], [1, 0], [0, 0]])
    scores = np.array([[0.9, 0.1], [0.8, 0.7], [0.2, 0.6]])
    draws = Draws(rows=np.array([[0, 2, 1], [0, 0, 3], [1, 1, 1]], dtype=np.uint16), seeds=np.zeros((3, 1), dtype=int))
    found = replicates(truth, [scores], [{"half": Rule("half", np.full(2, 0.5), fallbacks=0)}], draws)
    np.testing.assert_allclose(found["half/macro_f1"], [1.0, np.nan, 0.5], atol=1e-9)
    np.testing.assert_allclose(found["ranking/macro_average_precision"], [1.0, np.nan, (1 + 1 / 3) / 2], atol=1e-6)
    assert interval(found["half/macro_f1"], 0.9)[0] >= 0.5
    # First draw: label 0 by itself, twice (1, 0.8) and once (0, 0.2): one score a bin, gaps 0.4 and 0.2, over 3 rows.
    assert found["ranking/macro_ece"][0] == pytest.approx(0.2, abs=1e-6)


def test_a_label_without_a_drawn_negative_is_left_out_of_macro_roc_auc_alone():
    truth = np.array([[1, 1], [1, 0], [0, 0]])
    scores = np.array([[0.9, 0.1], [0.8, 0.7], [0.2, 0.6]])
    draws = Draws(rows=np.array([[2, 1, 0]], dtype=np.uint16), seeds=np.zeros((1, 1), dtype=int))
    found = replicates(truth, [scores], [{}], draws)
    assert found["ranking/macro_roc_auc"][0] == 0.0  # the second label's: its positive is below its negative
    assert found["ranking/macro_average_precision"][0] == pytest.approx((1 + 2 / 3) / 2)


def test_a_metric_undefined_on_the_whole_part_is_left_out():
    found = replicates(
        np.zeros((5, 2)),
        [np.full((5, 2), 0.5)],
        [{"half": Rule("half", np.full(2, 0.5), fallbacks=0)}],
        make_draws(5, 1, 10),
    )
    assert "half/macro_f1" not in found
    assert "ranking/micro_average_precision" not in found
    np.testing.assert_array_equal(found["half/micro_f1"], 0.0)


def test_draws_are_the_same_for_the_same_sizes():
    first, again = make_draws(50, 3, 20), make_draws(50, 3, 20)
    np.testing.assert_array_equal(first.rows, again.rows)
    np.testing.assert_array_equal(first.seeds, again.seeds)
    np.testing.assert_array_equal(first.rows, make_draws(50, 5, 20).rows)  # more seeds leave the rows alone
    np.testing.assert_array_equal(first.rows.sum(axis=1), 50)
    assert len(np.unique(first.rows, axis=0)) == 20
    assert set(np.unique(first.seeds)) == {0, 1, 2}


def test_interval_of_a_mean_over_rows_is_that_of_normal_theory():
    rng = np.random.default_rng(1)
    truth = rng.random((800, 1)) < 0.5
    scores = np.where(rng.random((800, 1)) < 0.8, truth, ~truth).astype(float)
    found = replicates(
        truth, [scores], [{"half": Rule("half", np.full(1, 0.5), fallbacks=0)}], make_draws(800, 1, 4000)
    )
    mean = (truth == scores).mean()
    wanted = stats.norm.interval(0.95, loc=mean, scale=np.sqrt(mean * (1 - mean) / 800))
    assert interval(found["half/binary_accuracy"]) == pytest.approx(wanted, abs=0.003)  # the width is 0.055


def test_seeds_widen_the_interval():
    truth, scores, rules = trial(200, n_seeds=4)
    spoiled = [scores[0], scores[1], 1 - scores[2], 1 - scores[3]]
    draws = make_draws(200, 4, 400)
    low, high = interval(replicates(truth, scores, rules, draws)["ranking/macro_roc_auc"])
    low_spoiled, high_spoiled = interval(replicates(truth, spoiled, rules, draws)["ranking/macro_roc_auc"])
    assert high_spoiled - low_spoiled > 3 * (high - low)


def test_errors_say_what_is_wrong():
    truth, scores, rules = trial()
    with pytest.raises(ValueError, match="agree on the seeds; got 3, 3, 2"):
        replicates(truth, scores, rules, make_draws(60, 2, 5))
    with pytest.raises(ValueError, match="must be of 60 rows, like y_true; got 61"):
        replicates(truth, scores, rules, make_draws(61, 3, 5))
    with pytest.raises(ValueError, match="at least 1; got 0 rows"):
        make_draws(0, 1)
