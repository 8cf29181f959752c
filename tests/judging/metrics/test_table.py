"""A metric is one record: what is measured, has an interval and is shown is what the records say."""

from __future__ import annotations

import numpy as np
import pytest

from rarelabels.judging import metrics
from rarelabels.judging.metrics import LOWER_IS_BETTER, averages, decided_rows, decision_metrics, ranking_metrics
from rarelabels.judging.metrics.table import BY_NAME, DECISION_METRICS, OF_CALIBRATION, RANKING_METRICS
from rarelabels.judging.rules.definition import Rule
from rarelabels.judging.scores import Scores
from rarelabels.judging.statistics.influence import influences

RNG = np.random.default_rng(2)
Y = RNG.random((400, 6)) < [0.5, 0.3, 0.1, 0.05, 0.02, 0.01]  # head, medium and tail
S = np.clip(0.3 * Y + 0.7 * RNG.random(Y.shape), 0, 1)


def influence() -> dict[str, np.ndarray]:
    return influences(Scores.from_arrays(Y, S), {"half": Rule("half", np.full(6, 0.5), fallbacks=0)})


def test_every_record_is_measured_and_has_influences_and_nothing_else_has() -> None:
    assert list(metrics.decision_metrics(Y, S >= 0.5)) == [metric.name for metric in DECISION_METRICS]
    assert list(metrics.ranking_metrics(Y, S)) == [metric.name for metric in RANKING_METRICS]
    wanted = [f"half/{metric.name}" for metric in DECISION_METRICS]
    wanted += [f"ranking/{metric.name}" for metric in RANKING_METRICS]
    assert sorted(influence()) == sorted(wanted)


def test_no_value_is_outside_the_range_of_its_record() -> None:
    """Scores turned round are as wrong as can be: what has no bound is there above 1."""
    for scores in (S, 1 - S):
        values = metrics.decision_metrics(Y, scores >= 0.5) | metrics.ranking_metrics(Y, scores)
        for name, value in values.items():
            assert 0 <= value <= (BY_NAME[name].highest or np.inf), name
    assert metrics.ranking_metrics(Y, np.where(Y, 0.0, 1.0))["log_loss"] > 1
    assert {metric.name for metric in BY_NAME.values() if metric.highest is None} == {"coverage", "log_loss"}


def test_a_monotone_map_of_scores_changes_what_is_of_calibration_and_no_other_ranking() -> None:
    before, after = metrics.ranking_metrics(Y, S), metrics.ranking_metrics(Y, S**2)
    changed = {name for name in before if before[name] != pytest.approx(after[name], abs=1e-12)}
    assert changed == set(OF_CALIBRATION)


def test_words_are_distinct_and_mark_what_is_better_when_lower() -> None:
    assert len({metric.words for metric in BY_NAME.values()}) == len(BY_NAME)
    assert BY_NAME["hamming_loss"].shown == "↓ Hamming loss"
    assert BY_NAME["macro_f1"].shown == "macro-F1"


def test_a_record_is_all_that_a_new_metric_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = decided_rows.DecidedRowMetric(name="any_hit", words="a hit", of=lambda rows: (rows.hits > 0).astype(float))
    counts = averages.CountMetric(
        name="found",
        words="found",
        of=lambda counts: counts.true_positives.sum(axis=-1) / len(Y),
        slopes=lambda counts: np.stack([np.full(6, 1 / len(Y)), np.zeros(6), np.zeros(6)]),
    )
    monkeypatch.setattr(decided_rows, "DECIDED_ROW_METRICS", (*decided_rows.DECIDED_ROW_METRICS, rows))
    monkeypatch.setattr(averages, "COUNT_METRICS", (*averages.COUNT_METRICS, counts))
    values, found = metrics.decision_metrics(Y, S >= 0.5), influence()
    hits = (Y & (S >= 0.5)).sum(axis=1)
    assert values["any_hit"] == pytest.approx((hits > 0).mean())
    np.testing.assert_allclose(found["half/any_hit"], ((hits > 0) - values["any_hit"]) / len(Y))
    np.testing.assert_allclose(found["half/found"], hits / len(Y))


def test_lower_is_better_names_exactly_the_metrics_that_fall_when_the_scores_are_right():
    rng = np.random.default_rng(4)
    truth = rng.random((300, 8)) < 0.4
    right, wrong = np.where(truth, 0.9, 0.1), np.where(truth, 0.1, 0.9)
    good, bad = (decision_metrics(truth, s >= 0.5) | ranking_metrics(truth, s) for s in (right, wrong))
    assert {name for name in good if good[name] < bad[name]} == LOWER_IS_BETTER
    assert all(good[name] != bad[name] for name in good)
