"""What probes of weights and held-out rows observe, by hand where that can be worked out."""

from collections.abc import Callable

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_sample_weight

from rarelabels.probes import fit_arguments
from textbook import bce

BY_HAND = {
    # Row 011 is of class 1 as given and of class 0 reversed: 0.71 of a step of 10 · 0.5 / 21
    "class_weight_by_column_order": {"apart": 0.71 * 5 / 21},
    "class_weight_two_keys": {"rows_moved_otherwise": 2, "share_of_step": 0.29},
    "validation_split": {"training": np.mean(range(8)), "validation": np.mean([8, 9])},
    "steps_per_epoch": {"epoch_1": np.mean(range(4)), "epoch_2": np.mean(range(4, 8)), "epoch_3": 8.5, "epoch_4": 1.5},
}


@pytest.mark.parametrize("name", BY_HAND)
def test_by_hand(name: str, has_observed: Callable[[str, dict], None]) -> None:
    has_observed(name, BY_HAND[name])


@pytest.mark.parametrize("n_labels", fit_arguments.LABEL_COUNTS)
def test_balanced_weights_are_products_over_columns(n_labels: int, numbers: Callable[[str], dict]) -> None:
    """In logarithms, where nothing underflows: n / (2 · positives) for each one, n / (2 · negatives) for each zero."""
    n = fit_arguments.N_ROWS
    y = (np.random.default_rng(0).random((n, n_labels)) < np.geomspace(0.4, 0.005, n_labels)).astype(int)
    positives = y.sum(axis=0)
    logs = (y * np.log10(n / (2 * positives)) + (1 - y) * np.log10(n / (2 * (n - positives)))).sum(axis=1)
    np.testing.assert_allclose(np.log10(compute_sample_weight("balanced", y)), logs, rtol=1e-9)
    found = numbers("balanced_sample_weight")
    assert found[f"log10_ratio_{n_labels}"] == pytest.approx(logs.max() - logs.min())
    scaled = 10 ** (logs - logs.max())
    assert found[f"effective_rows_{n_labels}"] == pytest.approx(scaled.sum() ** 2 / (scaled**2).sum())
    assert found[f"zero_in_float32_{n_labels}"] == (logs < np.log10(2.0**-150)).sum()


def test_a_matrix_of_weights_is_misread_by_row(numbers: Callable[[str], dict]) -> None:
    """Row losses l broadcast along the rows of the weights: (3 l₀ + 3 l₁ + 11 l₂) / 9."""
    y = np.eye(3)
    p = np.array([[0.9, 0.5, 0.5], [0.5, 0.8, 0.5], [0.5, 0.5, 0.7]])
    rows = bce(y, p).mean(axis=1)
    found = numbers("weights_per_label")
    assert found["printed_of_three"] == pytest.approx((3 * rows[0] + 3 * rows[1] + 11 * rows[2]) / 9, rel=1e-5)
    weights = np.ones((3, 3))
    weights[2, 2] = 9
    assert found["meant_of_three"] == pytest.approx((weights * bce(y, p)).mean(), rel=1e-5)
