"""Watched metrics are what Keras computes, and what that is in scikit-learn's terms."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from mlflow.utils.validation import _validate_metric_name
from sklearn.metrics import f1_score

from rarelabels.declare.training import VECTORS, Watch
from rarelabels.judging import metrics
from rarelabels.judging.rules.choose import choose_rules
from rarelabels.learn import watched
from rarelabels.learn.tensorflow_setup import keras
from rarelabels.learn.watched import WATCHED, Watched

RNG = np.random.default_rng(0)
Y = (RNG.random((200, 4)) < (0.5, 0.3, 0.2, 0.1)).astype(np.uint8)
SCORES = np.clip(0.3 * Y + RNG.random((200, 4)) * 0.7, 0, 1)
LABELS = ("Drama", "Comedy", "Sci-Fi", "War")


def test_they_are_keras_metrics_and_forget_the_part_before() -> None:
    watched = Watched(LABELS)
    watched.curves(WATCHED, "", 1 - Y, SCORES)
    curves = watched.curves(WATCHED, "val_", Y, SCORES)
    for name, build in WATCHED.items():
        metric = build(4)
        metric.update_state(Y.astype(np.float32), SCORES.astype(np.float32))
        value = metric.result().numpy()
        own = [curves[f"val_{name}/{label}"] for label in LABELS] if np.ndim(value) else curves[f"val_{name}"]
        np.testing.assert_allclose(own, value, rtol=1e-6)
    vectors = sum(name in VECTORS for name in WATCHED)
    assert len(curves) == len(WATCHED) - vectors + vectors * len(LABELS)
    assert set(get_args(Watch)) == set(WATCHED)


def test_f1_without_a_threshold_is_that_of_the_argmax() -> None:
    """Fact 6 of the design: every row is given its highest label, and no other."""
    assigned = np.eye(4, dtype=int)[SCORES.argmax(axis=1)]
    curves = Watched(LABELS).curves(["f1_none", "f1_micro"], "", Y, SCORES)
    expected = f1_score(Y, assigned, average=None)
    np.testing.assert_allclose([curves[f"f1_none/{label}"] for label in LABELS], expected, rtol=1e-6)
    assert curves["f1_micro"] == pytest.approx(f1_score(Y, assigned, average="micro"), rel=1e-6)
    assert abs(curves["f1_micro"] - f1_score(Y, SCORES >= 0.5, average="micro")) > 0.01
    rule = choose_rules(Y, SCORES, min_positives=1)["argmax"]
    np.testing.assert_array_equal(rule.assign(SCORES), assigned)


def test_f1_with_a_threshold_is_that_of_decisions_there() -> None:
    curves = Watched(LABELS).curves(["f1_none_half", "f1_micro_half"], "", Y, SCORES)
    decided = (SCORES > 0.5).astype(int)
    expected = f1_score(Y, decided, average=None)
    np.testing.assert_allclose([curves[f"f1_none_half/{label}"] for label in LABELS], expected, rtol=1e-6)
    assert curves["f1_micro_half"] == pytest.approx(f1_score(Y, decided, average="micro"), rel=1e-6)


def test_labels_of_any_name_make_names_of_curves_that_mlflow_takes() -> None:
    labels = ("C+", "C#", "A//B", "./x")
    curves = Watched(labels).curves(["f1_none"], "", Y, SCORES)
    assert list(curves) == [f"f1_none/{name}" for name in ("C__0", "C__1", "A__B", "_x")]
    for name in curves:
        _validate_metric_name(f"curve/{name}")


def test_categorical_accuracy_is_what_keras_makes_of_accuracy() -> None:
    value = float(np.mean(keras.metrics.categorical_accuracy(Y, SCORES)))
    assert metrics.ranking_metrics(Y, SCORES)["categorical_accuracy"] == pytest.approx(value)
    order = [3, 1, 0, 2]
    turned = metrics.ranking_metrics(Y[:, order], SCORES[:, order])["categorical_accuracy"]
    assert abs(turned - value) > 0.02  # the order of the columns matters


def test_training_curves_are_of_as_many_rows_as_validation_has_evenly_spread() -> None:
    assert watched.rows(5, 2).tolist() == [0, 2]
    assert watched.rows(10, 4).tolist() == [0, 2, 5, 7]
    assert watched.rows(3, 4).tolist() == [0, 1, 2]
    rows = watched.rows(7515, 1074)
    assert len(rows) == 1074
    assert set(np.diff(rows)) == {6, 7}
    assert rows[-1] > 7515 - 8


def test_labels_whose_names_meet_and_long_ones_keep_a_curve_each() -> None:
    watched = Watched(("a/b", "a&b", "a_b_1", "x" * 300))
    assert len(set(watched.labels)) == 4
    for name in watched.curves(["f1_none_half"], "val_", Y, SCORES):
        _validate_metric_name(f"curve/{name}")
