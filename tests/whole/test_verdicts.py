"""Verdicts keep what they promise, on samples whose truth is known; see ``benchmarks/verdicts.py``."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from benchmarks import coverage, verdicts

pytestmark = pytest.mark.long
STUDIES = 100


@pytest.fixture(scope="module")
def studies() -> list[verdicts.Study]:
    """Three trials whose seeds differ, of 17 labels on 6 % of the rows, with thresholds that validation chose."""
    return verdicts.samples(coverage.simulated(60), STUDIES, seeds=5)


def test_a_study_has_a_false_verdict_no_more_often_than_promised(studies: list[verdicts.Study]) -> None:
    """Every margin is the known difference itself, so that nothing is to be told."""
    false = plain = 0
    for findings, sides in zip(verdicts.judged(studies, 1.0), studies, strict=True):
        false += any(one.verdict != "undecided" for one in findings)
        for one in findings:
            trial, against = (sides[name] for name in (one.hypothesis.trial, one.hypothesis.against))
            metric, sign = one.hypothesis.metric, 1 if one.hypothesis.direction == "greater" else -1
            low, high = (trial.estimates[metric] - against.estimates[metric]).interval()
            if not low <= sign * one.hypothesis.margin <= high:
                plain += 1
                break
    assert binomtest(false, STUDIES, 0.05, alternative="greater").pvalue > 0.01
    # Without Holm's correction it would not hold, so the test can fail.
    assert binomtest(plain, STUDIES, 0.05, alternative="greater").pvalue < 0.01


def test_a_difference_that_is_there_is_seen_and_never_denied(studies: list[verdicts.Study]) -> None:
    found = [one for study in verdicts.judged(studies, 0.0) for one in study]
    right = np.array([one.verdict == "upheld" for one in found])
    large = np.array([abs(one.value) > one.high - one.low for one in found])
    assert large.any()
    assert right[large].all()
    assert right.mean() > 0.3
    assert np.mean([one.verdict == "refuted" for one in found]) < 0.01
