"""Probes of the losses of Keras and TensorFlow on each label: their values and their gradients."""

from __future__ import annotations

from typing import Any

import numpy as np

from rarelabels.learn.tensorflow_setup import keras, tf
from rarelabels.probes.nets import SEVEN_ROWS, apart, constant_net, dense_net, fit, take_steps, weights_apart
from rarelabels.probes.probe import Numbers, Probe, error_of


def row_and_batch() -> Numbers:
    """Three rows of three labels: the loss of each row, and the loss that ``fit`` prints for batches of 2 and 1."""
    y, p = SEVEN_ROWS[3:6], np.array([[0.9, 0.2, 0.4], [0.6, 0.5, 0.1], [0.3, 0.7, 0.8]], dtype=np.float32)
    terms = -(y * np.log(p) + (1 - y) * np.log(1 - p))
    rows = keras.losses.binary_crossentropy(y, p).numpy()
    shares = p / p.sum(axis=1, keepdims=True)
    categorical = keras.losses.categorical_crossentropy(y, p).numpy()
    logits = np.log(p / (1 - p))
    net = dense_net("sigmoid", logits, "binary_crossentropy", learning_rate=0.0)
    printed = net.fit(np.eye(3, dtype=np.float32), y, batch_size=2, shuffle=False, verbose=0).history["loss"][0]
    return {
        "row_apart_from_mean_over_labels": apart(rows, terms.mean(axis=1)),
        "row_apart_from_sum_over_classes": apart(categorical, -(y * np.log(shares)).sum(axis=1)),
        "first_row": float(rows[0]),
        "mean_of_rows": float(rows.mean()),
        "batch": float(keras.losses.BinaryCrossentropy()(y, p)),
        "printed_for_batches_of_2_and_1": float(printed),
    }


def sigmoid_range() -> Numbers:
    """The logits at which a float32 sigmoid is exactly 1 and exactly 0, and the logit of the thread's 0.0026."""
    return {
        "smallest_logit_of_1": _first(lambda z: _sigmoid(z) == 1, 0, 100),
        "largest_logit_of_0": -_first(lambda z: _sigmoid(-z) == 0, 0, 1000),
        "logit_of_0_0026": float(np.log(0.0026 / 0.9974)),
        "sigmoid_of_that": float(_sigmoid(float(np.log(0.0026 / 0.9974)))),
    }


def _sigmoid(z: float) -> float:
    return float(keras.ops.sigmoid(np.array([z], dtype=np.float32))[0])


def _first(holds: Any, low: float, high: float) -> float:
    """Return the number between ``low`` and ``high`` from which on a condition holds, to a millionth, by bisection."""
    while high - low > 1e-6:
        middle = (low + high) / 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def bce_minimiser() -> Numbers:
    """A net with the same scores for every row, trained on four rows. Of these, 3, 2 and none have each label."""
    y = np.array([[1, 1, 0], [1, 1, 0], [1, 0, 0], [0, 0, 0]], dtype=np.float32)
    net = constant_net(np.zeros(3, np.float32), "sigmoid", 6.0, loss="binary_crossentropy")
    take_steps(net, np.zeros((4, 1), np.float32), y, 100)
    scores = net.predict(np.zeros((1, 1), np.float32), verbose=0)[0]
    return {"three_of_four": float(scores[0]), "two_of_four": float(scores[1]), "none_of_four": float(scores[2])}


def focal_alpha() -> Numbers:
    """A positive and a negative with a score of 0.5, without the focusing factor (γ = 0)."""
    costs = {}
    for name, arguments in {"default": {}, "balanced": {"apply_class_balancing": True}}.items():
        for kind, target in {"positive": 1.0, "negative": 0.0}.items():
            loss = keras.losses.BinaryFocalCrossentropy(gamma=0.0, alpha=0.25, **arguments)
            costs[f"{kind}_{name}"] = float(loss(np.array([[target]]), np.array([[0.5]])))
    ratio = costs["negative_balanced"] / costs["positive_balanced"]
    return costs | {"negative_to_positive": ratio}


def integer_targets() -> Numbers:
    """int32 labels, as in the thread: in losses of Keras, in ``fit``, and in TensorFlow's own functions."""
    p = np.array([[0.9, 0.2, 0.4]], dtype=np.float32)
    found = {}
    for short, loss in {"bce": keras.losses.binary_crossentropy, "cce": keras.losses.categorical_crossentropy}.items():
        as_int, as_float = (float(loss(np.array([[1, 0, 1]], dtype), p)[0]) for dtype in (np.int32, np.float32))
        found[f"apart_{short}"] = abs(as_int - as_float)
    x = np.eye(7, dtype=np.float32)
    nets = [dense_net("sigmoid", np.zeros((7, 3), np.float32), "binary_crossentropy", 1.0) for _ in range(2)]
    for net, dtype in zip(nets, (np.int32, np.float32), strict=True):
        fit(net, x, SEVEN_ROWS.astype(dtype), epochs=2)
    labels, logits = tf.constant([[1, 0, 1]]), tf.constant(p)
    weighted, plain = tf.nn.weighted_cross_entropy_with_logits, tf.nn.sigmoid_cross_entropy_with_logits
    return found | {
        "apart_fit": weights_apart(*nets),
        "tf_weighted": error_of(lambda: weighted(labels=labels, logits=logits, pos_weight=2.0)),
        "tf_sigmoid": error_of(lambda: plain(labels=labels, logits=logits)),
    }


def pos_weight() -> Numbers:
    """``tf.nn.weighted_cross_entropy_with_logits`` on four rows with one positive of weight 3, and its gradients."""

    def loss(y: Any, z: Any) -> Any:
        return tf.nn.weighted_cross_entropy_with_logits(labels=y, logits=z, pos_weight=3.0)

    net = dense_net("linear", np.array([[0.1]], np.float32), loss, 1.0)
    take_steps(net, np.ones((4, 1), np.float32), np.array([[1], [0], [0], [0]], dtype=np.float32), 50)
    at_zero, near_zero = _gradients(loss, 0.0), _gradients(loss, 1e-3)
    return {
        "score_of_one_in_four": _sigmoid(float(net.get_weights()[0][0, 0])),
        "positive_at_0": at_zero[0],
        "negative_at_0": at_zero[1],
        "positive_near_0": near_zero[0],
        "negative_near_0": near_zero[1],
    }


def _gradients(loss: Any, logit: float) -> list[float]:
    """Return the gradients of a positive and of a negative with respect to their logits."""
    z = tf.constant([logit, logit])
    with tf.GradientTape() as tape:
        tape.watch(z)
        value = loss(tf.constant([1.0, 0.0]), z)
    return [float(g) for g in tape.gradient(value, z)]


PROBES = (
    Probe(
        name="row_and_batch",
        thread="clothes_attributes",
        believed="the loss of a row runs over the classes, the cost over the rows of the batch",
        documented='Loss: "sum_over_batch_size", the default, sums the loss and divides by the sample size',
        run=row_and_batch,
        observed="Binary cross-entropy of a row is the mean over its labels ({row_apart_from_mean_over_labels:g} "
        "apart; {first_row:.4f} for the first row). Categorical cross-entropy is the sum over its classes "
        "({row_apart_from_sum_over_classes:g} apart). The cost is the mean over rows, {batch:.4f}; fit prints "
        "{printed_for_batches_of_2_and_1:.4f} for batches of 2 and 1 rows, too.",
        expected={
            "row_apart_from_mean_over_labels": 0.0,
            "row_apart_from_sum_over_classes": 0.0,
            "first_row": 0.7418747,
            "mean_of_rows": 0.7409639,
            "batch": 0.7409639,
            "printed_for_batches_of_2_and_1": 0.7409639,
        },
    ),
    Probe(
        name="sigmoid_range",
        thread="three_classes",
        believed="with sigmoid and binary cross-entropy, predictions are only 1 or 0",
        documented="sigmoid: always returns a value between 0 and 1",
        run=sigmoid_range,
        observed="A float32 sigmoid is exactly 1 from a logit of {smallest_logit_of_1:.1f} up and exactly 0 only below "
        "{largest_logit_of_0:.1f}; the thread's 0.0026 is a logit of {logit_of_0_0026:.2f}.",
        expected={
            "smallest_logit_of_1": 16.63553,
            "largest_logit_of_0": -87.33654,
            "logit_of_0_0026": -5.94964,
            "sigmoid_of_that": 0.002600001,
        },
        tolerance=0.25,  # processors differ in where a tiny number becomes 0
    ),
    Probe(
        name="bce_minimiser",
        thread="three_classes",
        believed="with sigmoid and binary cross-entropy, predictions are only 1 or 0",
        documented="BinaryCrossentropy: y_pred is a single value that represents a logit or a probability",
        run=bce_minimiser,
        observed="A net that gives every row the same scores learns {three_of_four:.4f} for a label that 3 of 4 "
        "rows have, and {two_of_four:.4f} for a label that 2 of 4 rows have. The score of a label that no row has "
        "is {none_of_four:.4f} and still falls. So scores are probabilities.",
        expected={
            "three_of_four": 0.7499999,
            "two_of_four": 0.5,
            "none_of_four": 0.00496087,
        },
        tolerance=1e-3,
    ),
    Probe(
        name="focal_alpha",
        thread="movie_genres",
        believed="sigmoid_focal_loss, which has an alpha of 0.25, is for few positives (2nd and 3rd trial)",
        documented="BinaryFocalCrossentropy: alpha is the weight of class 1, 1 − alpha of class 0, used if "
        "apply_class_balancing",
        run=focal_alpha,
        observed="With alpha=0.25 and a score of 0.5, a positive costs {positive_default:.4f} and a negative "
        "{negative_default:.4f}, because alpha is not used. With apply_class_balancing=True they cost "
        "{positive_balanced:.4f} and {negative_balanced:.4f}: a negative counts {negative_to_positive:.0f} times "
        "as much as a positive.",
        expected={
            "positive_default": 0.6931472,
            "negative_default": 0.6931472,
            "positive_balanced": 0.1732868,
            "negative_balanced": 0.5198604,
            "negative_to_positive": 3.0,
        },
    ),
    Probe(
        name="integer_targets",
        thread="movie_genres",
        believed="it could be a problem that the labels are int32 and not float32",
        documented="tf.nn.weighted_cross_entropy_with_logits: logits and labels must have the same type and shape",
        run=integer_targets,
        observed="Keras casts: losses of int32 and float32 labels are {apart_bce:g} and {apart_cce:g} apart, and "
        "weights after fit are {apart_fit:g} apart. tf.nn.weighted_cross_entropy_with_logits raises "
        "{tf_weighted}, and tf.nn.sigmoid_cross_entropy_with_logits raises {tf_sigmoid}.",
        expected={
            "apart_bce": 0.0,
            "apart_cce": 0.0,
            "apart_fit": 0.0,
            "tf_weighted": "TypeError",
            "tf_sigmoid": "InvalidArgumentError",
        },
    ),
    Probe(
        name="pos_weight",
        thread="clothes_attributes",
        believed="pos_weight pays more attention to the positives, as one would expect",
        documented="tf.nn.weighted_cross_entropy_with_logits: a value above 1 decreases the false negative count",
        run=pos_weight,
        observed="With pos_weight=3 the score of a label that 1 of 4 rows has is learned as "
        "{score_of_one_in_four:.3f}. The gradients of a positive and a negative are {positive_near_0:.3f} and "
        "{negative_near_0:.3f} at a logit near 0, but {positive_at_0:g} and {negative_at_0:g} at exactly 0.",
        expected={
            "score_of_one_in_four": 0.5000001,
            "positive_at_0": 0.0,
            "negative_at_0": 1.0,
            "positive_near_0": -1.49925,
            "negative_near_0": 0.50025,
        },
        tolerance=1e-3,
    ),
)
