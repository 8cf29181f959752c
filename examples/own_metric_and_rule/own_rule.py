"""A threshold rule: each label is assigned to as many validation rows as have it ("PCut", Yang 2001)."""

from __future__ import annotations

from typing import Any

import numpy as np

from rarelabels.judging.rules.own import OwnRule


def thresholds(truth: Any, scores: Any, known: Any) -> Any:
    """Return for each label the score of rank k among its known rows, k being its positives, (n_labels,).

    NaN for a label without a positive: it takes the threshold that is common to all labels.
    """
    found = np.full(truth.shape[1], np.nan)
    for label, positives in enumerate(truth.sum(axis=0)):
        if positives:
            found[label] = np.sort(scores[known[:, label], label])[-positives]
    return found


MATCH_PREVALENCE = OwnRule(
    name="match_prevalence",
    words="a threshold for each label that assigns it as often as it occurs",
    thresholds=thresholds,
)
