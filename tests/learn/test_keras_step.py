"""One training step with a declared loss, beside the step of Keras's own loss and of the code in the threads."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy.special import expit, softmax

from loss_cases import N_LABELS, Array, built, factors, loss_of, rows
from rarelabels.declare import declarations
from rarelabels.learn import losses
from rarelabels.learn.tensorflow_setup import keras, tf

MOVIES = Path(__file__).parents[2] / "experiments" / "movies"


def sigmoid_focal_crossentropy(y_true, y_pred, alpha=0.25, gamma=2.0, from_logits=False):
    """TensorFlow Addons' function as it stands there (0.23)."""
    K = tf.keras.backend
    if gamma and gamma < 0:
        raise ValueError("Value of gamma should be greater than or equal to zero.")

    y_pred = tf.convert_to_tensor(y_pred)
    y_true = tf.cast(y_true, dtype=y_pred.dtype)

    # Get the cross_entropy for each entry
    ce = K.binary_crossentropy(y_true, y_pred, from_logits=from_logits)

    # If logits are provided then convert the predictions into probabilities
    if from_logits:  # noqa: SIM108
        pred_prob = tf.sigmoid(y_pred)
    else:
        pred_prob = y_pred

    p_t = (y_true * pred_prob) + ((1 - y_true) * (1 - pred_prob))
    alpha_factor = 1.0
    modulating_factor = 1.0

    if alpha:
        alpha = tf.cast(alpha, dtype=y_true.dtype)
        alpha_factor = y_true * alpha + (1 - y_true) * (1 - alpha)

    if gamma:
        gamma = tf.cast(gamma, dtype=y_true.dtype)
        modulating_factor = tf.pow((1.0 - p_t), gamma)

    # compute the final loss and return
    return tf.reduce_sum(alpha_factor * modulating_factor * ce, axis=-1)


def films() -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], list[npt.NDArray[np.float32]]]:
    """Inputs, targets (rows without labels among them) and the weights to start from."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(24, 6)).astype(np.float32)
    y = (rng.random((24, N_LABELS)) < 0.3).astype(np.float32)
    assert {0, 1, 2} <= set(y.sum(axis=1))
    shapes = ((6, 8), (8,), (8, N_LABELS), (N_LABELS,))
    return x, y, [rng.normal(0, 0.4, shape).astype(np.float32) for shape in shapes]


@functools.cache
def one_step(loss: Any, activation: str | None, *, behind: bool = False) -> list[Array]:
    """How far one step of fit moves the weights; ``behind`` puts an operation behind the activation."""
    x, y, start = films()
    layers = [keras.layers.Dense(8, activation="relu"), keras.layers.Dense(N_LABELS, activation=activation)]
    operation = [keras.layers.Lambda(lambda p: p * 1.0)] if behind else []
    net = keras.Sequential([keras.Input((6,)), *layers, *operation])
    net.set_weights(start)
    net.compile(optimizer=keras.optimizers.SGD(0.1), loss=loss)
    net.fit(x, y, batch_size=len(x), epochs=1, shuffle=False, verbose=0)
    steps = [now.astype(np.float64) - before for now, before in zip(net.get_weights(), start, strict=True)]
    assert max(np.abs(step).max() for step in steps) > 1e-3
    return steps


def assert_same_step(ours: list[Array], theirs: list[Array], tolerance: float = 1e-6) -> None:
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance)


THREAD: dict[str, Any] = {
    "bce_accuracy": "binary_crossentropy",
    "cce_accuracy": "categorical_crossentropy",
    "focal_accuracy": sigmoid_focal_crossentropy,
    "focal_auc": sigmoid_focal_crossentropy,
}


@pytest.mark.parametrize("name", THREAD)
def test_a_declared_trial_takes_the_step_of_the_threads_code(name: str) -> None:
    trial = declarations.load_trial(MOVIES / f"{name}.yaml")
    ours = losses.build(trial.loss, trial.model.head, factors())
    assert_same_step(one_step(ours, None), one_step(THREAD[name], "sigmoid"))


@pytest.mark.parametrize("name", ["focal_accuracy", "focal_auc"])
def test_with_the_mean_over_labels_the_focal_step_is_as_many_times_smaller(name: str) -> None:
    declared = declarations.load_trial(MOVIES / f"{name}.yaml", {"loss.reduction": "mean"}).loss
    ours = one_step(losses.build(declared, "sigmoid", factors()), None)
    theirs = one_step(sigmoid_focal_crossentropy, "sigmoid")
    assert_same_step([N_LABELS * step for step in ours], theirs, tolerance=5e-6)


@pytest.mark.parametrize(
    ("kind", "keras_name"), [("bce", "binary_crossentropy"), ("categorical_ce", "categorical_crossentropy")]
)
@pytest.mark.parametrize("head", ["sigmoid", "softmax"])
def test_shipped_takes_keras_step_and_textbook_that_of_the_probabilities(kind: str, keras_name: str, head: str) -> None:
    shipped, textbook = (loss_of(kind, head=head, form=form) for form in ("shipped", "textbook"))
    assert_same_step(one_step(shipped, None), one_step(keras_name, head))
    assert_same_step(one_step(textbook, None), one_step(keras_name, head, behind=True))


@pytest.mark.parametrize("behind", [False, True])
@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [("binary_crossentropy", "sigmoid", "softmax"), ("categorical_crossentropy", "softmax", "sigmoid")],
)
def test_the_loss_overrides_the_head_unless_something_stands_between(
    kind: str, one: str, other: str, behind: bool
) -> None:
    """If Keras ever changes this, "as Keras ships it" means something else and the trials need another look."""
    steps = one_step(kind, one, behind=behind), one_step(kind, other, behind=behind)
    apart = max(np.abs(a - b).max() for a, b in zip(*steps, strict=True))
    assert apart > 1e-3 if behind else apart < 1e-7


def test_textbook_equals_keras_on_plain_probabilities() -> None:
    y, z = rows()
    near = np.abs(z).max(axis=1) < 12  # beyond that Keras's clipping to 1e-7 shows
    y, z = y[near], z[near]
    assert len(y) >= 6
    for kind, theirs in (
        ("categorical_ce", keras.losses.categorical_crossentropy),
        ("bce", keras.losses.binary_crossentropy),
    ):
        for head, p in (("sigmoid", expit(z)), ("softmax", softmax(z, axis=1))):
            ours = built(kind, head=head, form="textbook")(tf.constant(y), tf.constant(z)).numpy()
            np.testing.assert_allclose(ours, theirs(y, p), atol=1e-5, rtol=1e-5)
