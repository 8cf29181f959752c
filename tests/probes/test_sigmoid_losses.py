"""What probes of losses of each label observe, by hand where that can be worked out."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy.special import expit

from rarelabels.probes.nets import SEVEN_ROWS
from textbook import bce

BY_HAND = {
    # float32 has 24 bits; below the smallest normal number it is 0
    "sigmoid_range": {"smallest_logit_of_1": 24 * math.log(2), "logit_of_0_0026": math.log(0.0026 / 0.9974)},
    "bce_minimiser": {"three_of_four": 3 / 4, "two_of_four": 1 / 2},
    "focal_alpha": {
        "positive_default": math.log(2),
        "positive_balanced": math.log(2) / 4,
        "negative_balanced": 0.75 * math.log(2),
    },
    # w·q / (w·q + 1 − q) for w = 3 and q = 1/4; gradients −w(1−p) and p
    "pos_weight": {"score_of_one_in_four": 1 / 2, "positive_near_0": -3 * expit(-1e-3), "negative_near_0": expit(1e-3)},
}


@pytest.mark.parametrize("name", BY_HAND)
def test_by_hand(name: str, has_observed: Callable[[str, dict], None]) -> None:
    has_observed(name, BY_HAND[name])


def test_row_losses_by_hand(numbers: Callable[[str], dict]) -> None:
    y, p = SEVEN_ROWS[3:6], np.array([[0.9, 0.2, 0.4], [0.6, 0.5, 0.1], [0.3, 0.7, 0.8]])
    found = numbers("row_and_batch")
    # −(ln 0.9 + ln 0.2 + ln 0.6) / 3
    assert found["first_row"] == pytest.approx(-math.log(0.9 * 0.2 * 0.6) / 3, rel=1e-6)
    for number in ("mean_of_rows", "batch", "printed_for_batches_of_2_and_1"):
        assert found[number] == pytest.approx(bce(y, p).mean(), rel=1e-6)
