"""Losses on logits, each from its declared spec.

A loss is a function ``(y_true, logits) -> per-row losses``: both arguments have shape (batch, n_labels), the result
(batch,). Keras takes the mean over the rows. All but those that say so are the mean over labels, so that curves
compare.
In the formulas z is a logit, p = σ(z), y the 0/1 target.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, assert_never

from rarelabels.schema import (
    BinaryCrossentropy,
    BinaryFocal,
    CategoricalCrossentropy,
    LossSpec,
    WeightedBinaryCrossentropy,
)
from rarelabels.tensorflow_setup import tf

Tensor = Any
Loss = Callable[[Tensor, Tensor], Tensor]

KERAS_EPSILON = 1e-7  # what Keras clips probabilities to before a logarithm


def build(spec: LossSpec, head: str, pos_weight: Tensor | None = None) -> Loss:
    """Return the loss that ``spec`` declares for logits of a net with this ``head``.

    Args:
        spec: the declared loss.
        head: "sigmoid" or "softmax": how the net's logits become scores.
        pos_weight: shape (n_labels,), for ``weighted_bce`` only; may be a variable.
    """
    match spec:
        case BinaryCrossentropy(form="textbook") if head == "softmax":
            return softmax_binary_crossentropy
        case BinaryCrossentropy():
            return binary_crossentropy
        case WeightedBinaryCrossentropy():
            assert pos_weight is not None
            return lambda y, z: weighted_binary_crossentropy(y, z, pos_weight)
        case BinaryFocal():
            return lambda y, z: binary_focal(y, z, spec.gamma, spec.alpha, spec.reduction)
        case CategoricalCrossentropy():
            if spec.targets == "normalised":
                return lambda y, z: normalised_categorical_crossentropy(y, z, head, spec.form)
            return lambda y, z: categorical_crossentropy(y, z, head, spec.form)
        case _:
            assert_never(spec)


def binary_crossentropy(y: Tensor, z: Tensor) -> Tensor:
    """−y log p − (1−y) log(1−p), in the stable logit form; mean over labels.

    With a softmax head this is what Keras 3 trains too: its loss reads the logits that the activation was given (any
    operation after the activation makes it read the probabilities), so the head changes the scores, not the training.

    A logit of 0 costs ln 2 = 0.6931 whatever the target.
    """
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=z), axis=-1)


def softmax_binary_crossentropy(y: Tensor, z: Tensor) -> Tensor:
    """−y log p − (1−y) log(1−p) with p = softmax(z), clipped as Keras clips probabilities; mean over labels."""
    p = tf.clip_by_value(tf.nn.softmax(z), KERAS_EPSILON, 1 - KERAS_EPSILON)
    return -tf.reduce_mean(y * tf.math.log(p) + (1 - y) * tf.math.log(1 - p), axis=-1)


def weighted_binary_crossentropy(y: Tensor, z: Tensor, pos_weight: Tensor) -> Tensor:
    """w·y·(−log p) + (1−y)(−log(1−p)), mean over labels; w = ``pos_weight``, a scalar or shape (n_labels,).

    The minimiser for a label with probability q is p = wq / (wq + 1 − q): deciding at 0.5 is deciding at
    q > 1/(1+w). With w = 1 it is binary cross-entropy.

    Equal to ``tf.nn.weighted_cross_entropy_with_logits`` but for the gradient at a logit of exactly 0, where
    TensorFlow's formula takes that of |z| to be 0 and gives 1 − y; a row without tokens starts there.
    """
    loss = pos_weight * y * tf.math.softplus(-z) + (1 - y) * tf.math.softplus(z)
    return tf.reduce_mean(loss, axis=-1)


def binary_focal(y: Tensor, z: Tensor, gamma: float, alpha: float | None, reduction: str = "mean") -> Tensor:
    """(1−p_t)^γ · BCE, times α for positives and 1−α for negatives if α is given; p_t = p where y = 1, else 1−p.

    ``reduction="sum_over_labels"`` is the scale of TensorFlow Addons. With γ = 0 and no α it is binary cross-entropy.
    A logit of 0 with γ = 2 costs ln 2 / 4 = 0.1733.

    Source: Lin et al. (2017), "Focal loss for dense object detection".
    """
    crossentropy = tf.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=z)
    # log(1 − p_t) by softplus, for (1 − p_t)^γ has no finite gradient where 1 − p_t underflows and γ < 1
    log_miss = -(y * tf.math.softplus(z) + (1 - y) * tf.math.softplus(-z))
    loss = tf.exp(gamma * log_miss) * crossentropy
    if alpha is not None:
        loss *= y * alpha + (1 - y) * (1 - alpha)
    return tf.reduce_sum(loss, axis=-1) if reduction == "sum_over_labels" else tf.reduce_mean(loss, axis=-1)


def categorical_crossentropy(y: Tensor, z: Tensor, head: str, form: str) -> Tensor:
    """Categorical cross-entropy, sum over labels.

    - ``shipped``: −Σ y log softmax(z) with the gradient softmax(z) − y, whatever the head, as Keras 3 back-propagates
      it. That is the gradient of the printed value only for rows whose targets sum to 1.
    - ``textbook``: the printed formula with its own gradient; sigmoid head −Σ y log(p_l / Σ p) with p = σ(z), softmax
      head −Σ y log softmax(z).
    """
    if form == "shipped":
        return tf.nn.softmax_cross_entropy_with_logits(labels=y, logits=z)
    if head == "softmax":
        return -tf.reduce_sum(y * tf.nn.log_softmax(z), axis=-1)
    log_p = tf.math.log_sigmoid(z)
    return -tf.reduce_sum(y * (log_p - tf.reduce_logsumexp(log_p, axis=-1, keepdims=True)), axis=-1)


def normalised_categorical_crossentropy(y: Tensor, z: Tensor, head: str, form: str) -> Tensor:
    """Categorical cross-entropy with targets 1/k for the k labels of a row.

    A row without labels contributes nothing: neither a value nor, in the shipped form, the gradient softmax(z) − 0.
    """
    k = tf.reduce_sum(y, axis=-1)
    loss = categorical_crossentropy(tf.math.divide_no_nan(y, k[:, None]), z, head, form)
    return tf.where(k > 0, loss, tf.zeros_like(loss))
