"""What probes of softmax observe, by hand where that can be worked out."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy.special import expit, softmax

from rarelabels.probes.nets import SEVEN_ROWS
from textbook import bce

BY_HAND = {
    "cce_gradient": {
        "first_gradient": 0.5 - 1,
        "first_gradient_of_printed_formula": 2 * 0.5 - 1,
        "loss": -math.log(0.15),
    },
    # 131,072 outputs of 32 weights and a bias
    "powerset_outputs": {"number_of_1010": 10, "weights_for_17_labels": 2**17 * 33},
    "softmax_of_k_labels": {
        "score_of_2": 1 / 2,
        "score_of_3": 1 / 3,
        "named_of_1": 1,
        "named_of_2": 2,
        "named_of_3": 0,
    },
}


@pytest.mark.parametrize("name", BY_HAND)
def test_by_hand(name: str, has_observed: Callable[[str, dict], None]) -> None:
    has_observed(name, BY_HAND[name])


def test_a_head_trains_as_the_loss_says(numbers: Callable[[str], dict]) -> None:
    """What is printed is the loss of the other head; the loss of the probabilities is the textbook's."""
    z = np.random.default_rng(1).normal(0, 1.5, (7, 3))
    shares = expit(z) / expit(z).sum(axis=1, keepdims=True)
    values = {
        "head_under_bce": (bce(SEVEN_ROWS, expit(z)).mean(), bce(SEVEN_ROWS, softmax(z, axis=1)).mean()),
        "head_under_cce": (
            -(SEVEN_ROWS * np.log(softmax(z, axis=1))).sum(axis=1).mean(),
            -(SEVEN_ROWS * np.log(shares)).sum(axis=1).mean(),
        ),
    }
    for name, (printed, of_probabilities) in values.items():
        found = numbers(name)
        assert [found[f"printed_{mode}"] for mode in ("graph", "eager", "xla")] == pytest.approx(
            [printed] * 3, rel=1e-5
        )
        assert [found[f"apart_{mode}"] for mode in ("graph", "eager", "xla")] == [0, 0, 0]  # bit-identical
        assert found["of_probabilities"] == pytest.approx(of_probabilities, rel=1e-5)
        assert found["printed_behind"] == pytest.approx(of_probabilities, rel=1e-5)
        assert found["apart_behind"] > 0.05


def test_a_rare_label_is_driven_to_zero(numbers: Callable[[str], dict]) -> None:
    """Frequencies are y = (0.9, 0.5, 0.1). Steps of y − p, whose sum is 0.5, come to rest for the first two where both
    move alike, at p = (0.7, 0.3); the third falls behind by (0.2 − 0.1) · 3 at each step.
    """
    y, z, losses = np.array([0.9, 0.5, 0.1]), np.zeros(3), []
    for _ in range(100):
        z = z - 3 * (softmax(z) - y)
        losses.append(-(y * np.log(softmax(z))).sum())
    found = numbers("cce_on_a_rare_label")
    assert found["after_5_steps"] == pytest.approx(losses[4], rel=1e-4)
    assert found["after_100_steps"] == pytest.approx(losses[99], rel=1e-4)
    assert found["lowest_possible"] == pytest.approx(-(y * np.log(y / 1.5)).sum(), rel=1e-5)
    assert found["score_of_frequent_label"] == pytest.approx(0.7, abs=1e-3)


def test_logits_run_away_under_softmax_and_two_labels(numbers: Callable[[str], dict]) -> None:
    z, y = np.log([0.5, 0.3, 0.2]), np.array([1, 1, 0])
    for _ in range(100):
        z = z - (softmax(z) - y)
    assert numbers("cce_gradient")["first_logit_moved_in_100_steps"] == pytest.approx(z[0] - np.log(0.5), rel=1e-4)
