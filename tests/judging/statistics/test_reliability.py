"""Which intervals cannot be relied on: by labels with few positives, and by few seeds that differ much."""

from __future__ import annotations

import numpy as np
import pytest

from made_up_estimates import ROWS, estimate
from rarelabels.judging.statistics.estimate import Estimate
from rarelabels.judging.statistics.reliability import few_positives, few_seeds, is_by_label, rare_labels


@pytest.mark.parametrize(
    ("positives", "said"),
    [
        ([10] * 20, ""),
        ([9] * 2 + [50] * 18, ""),  # a tenth
        ([9] * 3 + [50] * 17, "3 of 20 labels have fewer than 10 positives on test"),
        ([0] * 5 + [50] * 3, ""),  # labels without a positive are in no mean
        ([1], "1 label has fewer than 10 positives on test"),
        ([1, 50], "1 of 2 labels has fewer than 10 positives on test"),
        ([9, 0, 0], "1 label has fewer than 10 positives on test"),
    ],
)
def test_many_rare_labels_are_said(positives, said):
    assert rare_labels(np.array(positives)) == said


@pytest.mark.parametrize(
    ("positives", "said"),
    [
        ([0, 0], "test has no positive"),
        ([0, 1], "test has 1 positive in all"),
        ([4, 5], "test has 9 positives in all"),
        ([5, 5], ""),
        ([1] * 40, ""),
    ],
)
def test_few_positives_of_all_labels_together_are_said(positives, said):
    assert few_positives(np.array(positives)) == said


def test_rare_labels_decide_means_over_labels_alone():
    assert is_by_label("test/half/macro_f1")
    assert is_by_label("ranking/macro_average_precision")
    assert not is_by_label("test/half/micro_f1")
    assert not is_by_label("test/ranking/lrap")


def test_few_seeds_that_bring_most_of_the_variance_are_said():
    differing = np.array([0.1, 0.2, 0.3])
    assert few_seeds(Estimate(differing, 0.001 * ROWS)) == "its variance is mostly that of seeds, of which 3 say little"
    assert few_seeds(Estimate(differing, 0.1 * ROWS)) == ""
    assert few_seeds(Estimate(np.tile(differing, 4), 0.001 * ROWS)) == ""
    assert few_seeds(estimate(0.5)) == ""
