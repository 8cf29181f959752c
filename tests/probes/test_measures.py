"""What probes of F1 and AUC observe, by hand where that can be worked out."""

from collections.abc import Callable

import numpy as np
import pytest

BY_HAND = {
    # by the argmax 7 labels are given, all of them among the 12; of the first label 1 of 4, of the last 4 of 4
    "f1_without_threshold": {"micro": 14 / 19, "first_label": 2 / 5, "last_label": 1, "micro_at_half": 1},
    # of n positives n − 1 are found, and n are predicted
    "f1_of_one_training": {
        "rarest": 1 / 2,
        "most_frequent": 7 / 8,
        "macro": (1 / 2 + 3 / 4 + 7 / 8) / 3,
        "micro": 11 / 14,
    },
    "f1_vector_in_mlflow": {"micro_metrics": 6, "none_metrics": 0, "none_warnings": 4},
    "auc_of_an_empty_label": {"keras": 2 / 3},
    "weights_in_metrics": {"metrics": 1 / 2, "weighted_metrics": 1 / 4},
}


@pytest.mark.parametrize("name", BY_HAND)
def test_by_hand(name: str, has_observed: Callable[[str, dict], None]) -> None:
    has_observed(name, BY_HAND[name])


def test_auc_is_the_share_of_pairs_in_order(numbers: Callable[[str], dict]) -> None:
    rng = np.random.default_rng(0)
    scores = 1 / (1 + np.exp(-rng.normal(-7, 1.6, 20_000)))
    y = rng.random(len(scores)) < scores
    exact = np.mean([np.mean(scores[~y] < score) for score in scores[y]])
    found = numbers("auc_bins")
    assert found["exact"] == pytest.approx(exact)
    assert exact - found["keras"] > 0.05
