"""Verdicts keep what they promise, on samples of real films scored by real learners; see ``benchmarks/verdicts.py``."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from benchmarks import verdicts
from rarelabels.compare.measured_trials import MeasuredTrial

pytestmark = pytest.mark.long
STUDIES = 60


@pytest.fixture(scope="module")
def whole() -> verdicts.Population:
    return verdicts.population()


@pytest.fixture(scope="module")
def measured(whole: verdicts.Population) -> list[dict[str, MeasuredTrial]]:
    return list(verdicts.samples(whole, STUDIES, rows=500, seeds=3))


def test_a_study_has_a_false_verdict_no_more_often_than_promised(whole, measured) -> None:
    """Every margin is the known difference itself, so that nothing is to be told."""
    studies = verdicts.judged(whole, measured, 1.0)
    false = sum(any(one.verdict != "undecided" for one in study) for study in studies)
    assert binomtest(false, STUDIES, 0.05, alternative="greater").pvalue > 0.01
    plain = 0  # without Holm's correction it would not hold, so the test can fail
    for study, sides in zip(studies, measured, strict=True):
        for one in study:
            trial, against = (sides[name] for name in (one.hypothesis.trial, one.hypothesis.against))
            metric, sign = one.hypothesis.metric, 1 if one.hypothesis.direction == "greater" else -1
            low, high = (trial.estimates[metric] - against.estimates[metric]).interval()
            if not low <= sign * one.hypothesis.margin <= high:
                plain += 1
                break
    assert binomtest(plain, STUDIES, 0.05, alternative="greater").pvalue < 0.01


def test_a_difference_that_is_there_is_seen_and_never_denied(whole, measured) -> None:
    found = [one for study in verdicts.judged(whole, measured, 0.0) for one in study]
    right = np.array([one.verdict == "upheld" for one in found])
    large = np.array([abs(one.value) > 3 * (one.high - one.low) for one in found])
    assert large.any()
    assert right[large].all()
    assert right.mean() > 0.5
    assert np.mean([one.verdict == "refuted" for one in found]) < 0.01
