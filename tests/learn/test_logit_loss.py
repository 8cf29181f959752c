"""Numbers that change without another compilation, and what every loss refuses, in one line."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from loss_cases import NEGATIVE, POSITIVE, PREVALENCE, rows
from rarelabels.errors import UserError
from rarelabels.learn import losses
from rarelabels.learn.keras_backend import keras, tf
from rarelabels.learn.logit_loss import LogitLoss

PAIRS: list[tuple[LogitLoss, LogitLoss]] = [
    (losses.WeightedBinaryCrossentropy(POSITIVE, NEGATIVE), losses.WeightedBinaryCrossentropy(NEGATIVE, POSITIVE)),
    (losses.DistributionBalanced(PREVALENCE), losses.DistributionBalanced(PREVALENCE[::-1])),
    (losses.LogitAdjusted(PREVALENCE), losses.LogitAdjusted(PREVALENCE[::-1], tau=0.3)),
    (losses.BinaryFocal(1.0, 0.2), losses.BinaryFocal(3.0, 0.7)),
]


@pytest.mark.parametrize(("one", "other"), PAIRS, ids=lambda loss: type(loss).__name__)
def test_one_compiled_loss_takes_the_numbers_of_another(one: LogitLoss, other: LogitLoss) -> None:
    y, z = (tf.constant(values, "float32") for values in rows())
    traced = type(one).from_config(one.get_config())
    traced.make_variables()
    compiled = tf.function(traced)
    np.testing.assert_allclose(compiled(y, z), one(y, z), rtol=1e-6)
    traced.take(other)
    np.testing.assert_allclose(compiled(y, z), other(y, z), rtol=1e-6)
    assert abs(float(one(y, z)) - float(other(y, z))) > 1e-3
    assert compiled.experimental_get_tracing_count() == 1
    kept, given = traced.get_config(), other.get_config()
    for name in one.numbers.keys() - {"others"}:
        np.testing.assert_allclose(kept[name], given[name], rtol=1e-6)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            lambda: losses.Hamming(from_logits=False),
            "Hamming: from_logits: must be True, for this loss reads logits; got False; let the last layer have no "
            "activation, and take the sigmoid of what the model predicts",
        ),
        (lambda: losses.BinaryFocal(gamma=-1), "BinaryFocal: gamma: must be 0 or more and finite; got -1"),
        (lambda: losses.BinaryFocal(gamma="2"), "BinaryFocal: gamma: must be 0 or more and finite; got '2'"),
        (lambda: losses.BinaryFocal(alpha=1.0), "BinaryFocal: alpha: must be above 0 and below 1; got 1.0"),
        (lambda: losses.Asymmetric(shift=1), "Asymmetric: shift: must be 0 or more and below 1; got 1"),
        (
            lambda: losses.Asymmetric(gamma_negative=np.nan),
            "Asymmetric: gamma_negative: must be 0 or more and finite; got nan",
        ),
        (
            lambda: losses.BinaryFocal(over_labels="all"),
            "BinaryFocal: over_labels: must be 'mean' or 'sum'; got 'all'",
        ),
        (
            lambda: losses.WeightedBinaryCrossentropy([1.0, -2.0]),
            "WeightedBinaryCrossentropy: pos_weight: must be a number, or 1 for each label, finite and 0 or more; "
            "got -2.0",
        ),
        (
            lambda: losses.LogitAdjusted([[0.5]]),
            "LogitAdjusted: prevalence: must be a number, or 1 for each label, above 0 and below 1 (rl.prevalence "
            "returns such numbers); got shape (1, 1)",
        ),
        (
            lambda: losses.DistributionBalanced([0.5, 0.0]),
            "DistributionBalanced: prevalence: must be a number, or 1 for each label, above 0 and below 1 "
            "(rl.prevalence returns such numbers); got 0.0",
        ),
    ],
)
def test_a_setting_that_is_not_allowed_is_refused(wrong: Any, message: str) -> None:
    with pytest.raises(UserError) as refused:
        wrong()
    assert str(refused.value) == message


@pytest.mark.parametrize("eagerly", [True, False])
@pytest.mark.parametrize("precision", ["float32", "mixed_float16"])
@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
def test_a_model_that_ends_in_an_activation_is_refused(activation: str, precision: str, eagerly: bool) -> None:
    """Its scores would go through a second sigmoid, and the training would look as if it worked."""
    net = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, activation=activation, dtype=precision)])
    net.compile("sgd", loss=losses.SoftF1(), run_eagerly=eagerly, jit_compile=False)
    with pytest.raises(UserError, match=r"^SoftF1: reads logits, but the last layer of the model has an activation; "):
        net.fit(np.zeros((4, 2)), np.zeros((4, 3)), verbose=0)


def test_labels_of_another_shape_are_refused() -> None:
    """A column of labels beside a row of logits would be compared each with each."""
    with pytest.raises(UserError, match=r"^Hamming: labels and logits must both .* got \(4,\) and \(4, 1\)$"):
        losses.Hamming()(np.zeros(4), np.zeros((4, 1)))
    with pytest.raises(UserError, match=r"got \(4, 2\) and \(4, 3\)$"):
        losses.Hamming()(np.zeros((4, 2)), np.zeros((4, 3)))
    with pytest.raises(
        UserError, match=r"^LogitAdjusted: prevalence: must be 1 number or 1 for each of the 3 labels; got 2$"
    ):
        losses.LogitAdjusted([0.1, 0.2])(np.zeros((4, 3)), np.zeros((4, 3)))
