"""Metrics and rules of other packages: measured, cross-fitted and estimated beside those of this package."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rarelabels.judging import evaluation
from rarelabels.judging.metrics.own import OwnMetric
from rarelabels.judging.own import NOTHING_OWN, Own
from rarelabels.judging.rules.own import OwnRule
from rarelabels.judging.scores import Scores
from rarelabels.judging.settings import ThresholdSpec
from rarelabels.judging.statistics.estimate import estimates, interval_of


def errors(truth: Any, assigned: Any, known: Any) -> Any:
    return ((truth != assigned) & known).sum(axis=1) / known.sum(axis=1)


def distances(truth: Any, scores: Any, _: Any) -> Any:
    return ((truth - scores) ** 2).mean(axis=1)


def mean_and_influence(of_rows: Any) -> dict[str, Any]:
    def influence(*given: Any) -> Any:
        values = of_rows(*given)
        return (values - values.mean()) / len(values)

    return {"of": lambda *given: of_rows(*given).mean(), "influence": influence}


OWN = Own(
    (
        OwnMetric(name="my_hamming", words="h", lower_is_better=True, **mean_and_influence(errors)),
        OwnMetric(name="my_brier", words="b", lower_is_better=True, measures="scores", **mean_and_influence(distances)),
        OwnMetric(name="my_count", words="c", highest=None, of=lambda truth, *_: truth.sum()),
    ),
    (OwnRule(name="my_half", words="0.5", thresholds=lambda truth, *_: np.full(truth.shape[1], 0.5)),),
)


def part(seed: int, n: int = 60) -> Scores:
    draw = np.random.default_rng(seed)
    truth = draw.random((n, 4)) < 0.3
    return Scores.from_arrays(truth, np.clip(0.4 * truth + 0.6 * draw.random((n, 4)), 0, 1))


def evaluated(own: Own) -> evaluation.Evaluation:
    validation = part(0)
    floors = evaluation.floors(validation.prevalence)
    return evaluation.evaluate(tuple("abcd"), validation, part(1), floors, ThresholdSpec(), own=own)


@pytest.fixture(scope="module")
def measured() -> evaluation.Evaluation:
    return evaluated(OWN)


def test_they_are_recorded_like_the_same_ones_of_this_package(measured: evaluation.Evaluation) -> None:
    found = measured.metrics
    for rule in ("test/half", "test/per_label", "validation/global", "test/oracle", "floor/prior", "floor/prior_top_k"):
        assert found[f"{rule}/my_hamming"] == pytest.approx(1 - found[f"{rule}/binary_accuracy"]), rule
    for place in ("test/ranking", "validation/ranking", "floor/ones"):
        assert found[f"{place}/my_brier"] == pytest.approx(found[f"{place}/brier"]), place
    assert "test/half/my_brier" not in found
    assert "test/ranking/my_hamming" not in found
    assert found["test/my_half/macro_f1"] == found["test/half/macro_f1"]
    assert found["floor/prior_my_half/micro_f1"] == found["floor/prior/micro_f1"]
    assert measured.rules["my_half"].thresholds.tolist() == [0.5] * 4
    assert measured.per_label["my_half/f1"].tolist() == measured.per_label["half/f1"].tolist()


def test_cross_fitted_too() -> None:
    found = evaluation.crossfit_metrics(part(0), ThresholdSpec(), own=OWN)
    assert found["crossfit/per_label/my_hamming"] == pytest.approx(found["crossfit/per_label/hamming_loss"])
    assert "crossfit/my_half/macro_f1" in found


def test_nothing_else_changes(measured: evaluation.Evaluation) -> None:
    plain = evaluated(NOTHING_OWN)
    assert plain.metrics.items() < measured.metrics.items()
    added = set(measured.metrics) - set(plain.metrics)
    assert all("my_" in name for name in added)


def test_decisions_stay_what_they_are() -> None:
    zeros = replace(part(0), scores=np.zeros((60, 4)))
    never = Own(rules=(OwnRule(name="low", words="low", thresholds=lambda *_: [-1.0] * 4),))
    found = evaluation.evaluate(
        tuple("abcd"), zeros, zeros, {"prior": np.full(4, 0.3)}, ThresholdSpec(), None, decides=True, own=never
    )
    assert found.metrics["test/low/micro_f1"] == 0.0


def test_estimates_are_those_of_the_same_metrics_of_this_package(measured: evaluation.Evaluation) -> None:
    values = {name.removeprefix("test/"): value for name, value in measured.metrics.items()}
    found = estimates([part(1)], [measured.rules], [values], own=OWN.metrics)
    for mine, ours in (("half/my_hamming", "half/hamming_loss"), ("ranking/my_brier", "ranking/brier")):
        assert found[mine].standard_error == pytest.approx(found[ours].standard_error), mine
        assert interval_of(mine, found[mine], own=OWN.metrics) == pytest.approx(interval_of(ours, found[ours]))
    assert found["my_half/macro_f1"].standard_error == found["half/macro_f1"].standard_error
    assert "half/my_count" not in found  # it gives no influences
    wanted = estimates([part(1)], [measured.rules], [values], ["my_half/my_hamming"], OWN.metrics)
    assert list(wanted) == ["my_half/my_hamming"]


def test_an_interval_is_cut_to_a_declared_range_below_zero(measured: evaluation.Evaluation) -> None:
    values = {name.removeprefix("test/"): value for name, value in measured.metrics.items()}
    one = estimates([part(1)], [measured.rules], [values], ["half/my_hamming"], OWN.metrics)["half/my_hamming"]
    shifted = replace(one, by_seed=one.by_seed - 1)
    free = replace(OWN.metrics[0], lowest=None, highest=-0.9)
    assert interval_of("half/my_hamming", shifted, own=[free]) == (shifted.interval()[0], -0.9)
    assert interval_of("half/my_hamming", shifted, own=OWN.metrics)[0] == 0.0
