"""Influences against rows that are really repeated, and against a bootstrap in plain loops."""

from __future__ import annotations

import numpy as np
import pytest

from drawn_trial import trial
from rarelabels.judging.metrics import decision_metrics, ranking_metrics
from rarelabels.judging.rules.definition import Rule
from rarelabels.judging.scores import Scores
from rarelabels.judging.statistics.influence import influences

COPIES = 500


def measured(truth, scores, rules, times):
    """What ``metrics`` says of rows repeated so many times; groups of labels are those of the rows."""
    y, s = np.repeat(truth, times, axis=0), np.repeat(scores, times, axis=0)
    values = {f"ranking/{name}": value for name, value in ranking_metrics(y, s).items()}
    for name, rule in rules.items():
        decisions = decision_metrics(y, rule.assign(s), positives=np.nansum(truth, axis=0))
        values |= {f"{name}/{metric}": value for metric, value in decisions.items()}
    return values


def slopes(truth, scores, rules):
    """The derivative of every metric by the weight of each row: all rows many times, one of them once more or less."""
    n = len(truth)
    found = {name: np.empty(n) for name in measured(truth, scores, rules, np.ones(n, dtype=int))}
    for row in range(n):
        ends = []
        for more in (1, -1):
            times = np.full(n, COPIES)
            times[row] += more
            ends.append(measured(truth, scores, rules, times))
        for name, values in found.items():
            values[row] = (ends[0][name] - ends[1][name]) * COPIES / 2
    return found


def partly_known(truth, seed=1):
    """The truth with NaN in many cells of the frequent labels, in fewer of the rare ones, and in a whole row."""
    hidden = np.random.default_rng(seed).random(truth.shape) < np.linspace(0.7, 0.1, truth.shape[1])
    hidden[0], hidden[-1] = False, True
    return np.where(hidden, np.nan, truth)


@pytest.mark.parametrize("known", [np.asarray, partly_known])
@pytest.mark.parametrize(("n_rows", "n_labels", "decimals"), [(30, 5, 1), (24, 3, 6), (9, 2, 0)])
def test_an_influence_is_the_slope_of_the_metric(n_rows, n_labels, decimals, known):
    truth, (scores, *_), (rules, *_) = trial(n_rows, n_labels, decimals=decimals)
    truth = known(truth)
    found, wanted = influences(Scores.from_arrays(truth, scores), rules), slopes(truth, scores, rules)
    # The calibration errors count as they do where edges of bins stay, and have tests of their own.
    for name in wanted.keys() - {"ranking/ece", "ranking/macro_ece"}:
        np.testing.assert_allclose(found[name], wanted[name], atol=2e-6, err_msg=name)


def test_calibration_by_hand():
    """Scores 0.8 of ten rows, 0.1 of ten: the error is the two gaps |Σ (y − s)| over 20 rows."""
    truth, scores = np.array([[1], [0]] * 10), np.array([[0.8]] * 10 + [[0.1]] * 10)
    found = influences(Scores.from_arrays(truth, scores), {})
    gaps = (truth - scores)[:, 0]
    error = (abs(gaps[:10].sum()) + abs(gaps[10:].sum())) / 20
    signs = np.repeat(np.sign([gaps[:10].sum(), gaps[10:].sum()]), 10)
    for name in ("ranking/ece", "ranking/macro_ece"):
        np.testing.assert_allclose(found[name], (signs * gaps - error) / 20)


def test_calibration_of_what_is_known():
    """The influence is that on the known rows of each label, and nothing in the others."""
    truth, (scores, *_), _ = trial(60, 4, decimals=2)
    y = partly_known(truth)
    part = Scores.from_arrays(y, scores)
    found, known = influences(part, {}), ~np.isnan(y)
    pooled = np.zeros(y.shape)
    pooled[known] = influences(Scores.from_arrays(y[known][:, None], scores[known][:, None]), {})["ranking/ece"]
    np.testing.assert_allclose(found["ranking/ece"], pooled.sum(axis=1), atol=1e-15)
    of_labels = np.zeros(y.shape)
    for label in range(4):
        rows = known[:, label]
        alone = Scores.from_arrays(y[rows, label][:, None], scores[rows, label][:, None])
        of_labels[rows, label] = influences(alone, {})["ranking/ece"] / np.count_nonzero(part.positives)
    np.testing.assert_allclose(found["ranking/macro_ece"], of_labels.sum(axis=1), atol=1e-15)


@pytest.mark.parametrize("known", [np.asarray, partly_known])
def test_influences_add_up_to_nothing(known):
    truth, (scores, *_), (rules, *_) = trial(200, 8, decimals=2)
    truth = known(truth)
    for name, values in influences(Scores.from_arrays(truth, scores), rules).items():
        assert values.sum() == pytest.approx(0, abs=1e-12), name


@pytest.mark.parametrize("known", [np.asarray, partly_known])
def test_the_spread_is_that_of_a_bootstrap_in_plain_loops(known):
    truth, (scores, *_), _ = trial(400, 4, decimals=6)
    truth = known(truth)
    rules = {"half": Rule("half", np.full(4, 0.5), fallbacks=0)}
    rng, drawn = np.random.default_rng(0), []
    for _ in range(300):
        times = np.bincount(rng.integers(400, size=400), minlength=400)
        drawn.append(measured(truth, scores, rules, times))
    found = influences(Scores.from_arrays(truth, scores), rules)
    names = [name for name in drawn[0] if not name.endswith("ece")]
    assert len(names) > 30
    for name in names:
        spread = np.std([one[name] for one in drawn])
        assert np.sqrt((found[name] ** 2).sum()) == pytest.approx(spread, rel=0.2), name  # 4 % is one standard error


def test_what_is_undefined_has_no_influence():
    truth, scores = np.zeros((5, 2)), np.full((5, 2), 0.5)
    found = influences(Scores.from_arrays(truth, scores), {"half": Rule("half", np.full(2, 0.5), fallbacks=0)})
    for name in ("half/macro_f1", "half/weighted_f1", "half/head_f1", "ranking/macro_roc_auc", "ranking/lrap"):
        assert not found[name].any(), name
    found = influences(Scores.from_arrays(np.ones((5, 2)), scores), {})
    assert not found["ranking/macro_roc_auc"].any()
    assert not found["ranking/micro_roc_auc"].any()


def test_only_what_is_wanted_is_made():
    truth, (scores, *_), (rules, *_) = trial(40, 3)
    part = Scores(np.arange(40).astype(str), truth, scores, (scores > 0.7).astype(np.uint8))
    every, name = influences(part, rules), next(iter(rules))
    wanted = [f"{name}/macro_f1", "ranking/lrap", "most_likely_set/subset_accuracy", "no/such_metric"]
    found = influences(part, rules, wanted)
    assert list(found) == wanted[:3]
    for one, values in found.items():
        np.testing.assert_array_equal(values, every[one])


def test_logits_are_refused():
    with pytest.raises(ValueError, match="probabilities"):
        influences(Scores.from_arrays([[1, 0]], [[3.0, 0.1]]), {})
