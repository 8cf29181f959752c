"""Probes of the losses of Keras and TensorFlow on multi-hot rows: their values and their gradients."""

from __future__ import annotations

from typing import Any

import numpy as np

from rarelabels.learn.tensorflow_setup import keras, tf
from rarelabels.probes.nets import SEVEN_ROWS, Array, apart, constant_net, dense_net, fit, take_steps, weights_apart
from rarelabels.probes.probe import Numbers, Probe, error_of

SHARES = np.array([0.5, 0.3, 0.2])  # a softmax's scores for logits log 0.5, log 0.3, log 0.2
MODES: dict[str, dict[str, bool]] = {
    "graph": {"jit_compile": False},
    "eager": {"run_eagerly": True},
    "xla": {"jit_compile": True},
}


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


def head_under_bce() -> Numbers:
    """Softmax and sigmoid heads under binary cross-entropy."""
    return _heads("binary_crossentropy", "softmax")


def head_under_cce() -> Numbers:
    """Softmax and sigmoid heads under categorical cross-entropy."""
    return _heads("categorical_crossentropy", "sigmoid")


def _heads(loss: str, odd: str) -> dict[str, float]:
    """Train the same net with both heads on the seven rows, in every mode and with an operation behind the head.

    Args:
        loss: by its name in Keras.
        odd: the head that does not belong to the loss. The loss that Keras prints for it is compared with the loss of
            its probabilities.
    """
    usual = {"softmax": "sigmoid", "sigmoid": "softmax"}[odd]
    start = np.random.default_rng(1).normal(0, 1.5, (7, 3)).astype(np.float32)
    x = np.eye(7, dtype=np.float32)
    probabilities = dense_net(odd, start, loss, 0.5).predict(x, verbose=0)
    found = {"of_probabilities": float(np.mean(keras.losses.get(loss)(SEVEN_ROWS, probabilities)))}
    for mode, how in MODES.items():
        odd_net, usual_net = (dense_net(head, start, loss, 0.5, **how) for head in (odd, usual))
        printed = [fit(net, x, SEVEN_ROWS, epochs=3)["loss"][0] for net in (odd_net, usual_net)]
        found[f"printed_{mode}"] = printed[0]
        found[f"apart_{mode}"] = weights_apart(odd_net, usual_net)
    behind = [dense_net(head, start, loss, 0.5, behind=True) for head in (odd, usual)]
    printed_behind = [fit(net, x, SEVEN_ROWS, epochs=3)["loss"][0] for net in behind]
    found["printed_behind"] = printed_behind[0]
    return found | {"apart_behind": weights_apart(*behind)}


def cce_gradient() -> Numbers:
    """One step on a row with two of three labels, one step on a row without labels, and 100 steps on the first row."""
    two, none = np.array([[1, 1, 0]], dtype=np.float32), np.zeros((1, 3), dtype=np.float32)
    (loss_two, step_two), (loss_none, step_none) = (_cce_step(row) for row in (two, none))
    far = _cce_net()
    take_steps(far, np.zeros((1, 1), np.float32), two, 100)
    printed_formula = two.sum() * SHARES - two[0]
    return {
        "apart_from_p_minus_y": apart(step_two, SHARES - two[0]),
        "apart_from_printed_formula": apart(step_two, printed_formula),
        "first_gradient": float(step_two[0]),
        "first_gradient_of_printed_formula": float(printed_formula[0]),
        "loss": loss_two,
        "loss_of_empty_row": loss_none,
        "step_of_empty_row": float(np.abs(step_none).max()),
        "first_logit_moved_in_100_steps": float(far.get_weights()[1][0] - np.log(SHARES[0])),
    }


def _cce_net() -> Any:
    return constant_net(np.log(SHARES).astype(np.float32), "softmax", 1.0, loss="categorical_crossentropy")


def _cce_step(row: Array) -> tuple[float, Array]:
    """Return the printed loss and the gradient: how far a step with learning rate 1 moves the logits down."""
    net = _cce_net()
    loss = fit(net, np.zeros((1, 1), np.float32), row)["loss"][0]
    return loss, np.log(SHARES) - net.get_weights()[1]


def cce_on_a_rare_label() -> Numbers:
    """A net with the same scores for every row, trained 100 steps on ten rows. Of these, 9, 5 and 1 have each label."""
    y = (np.arange(10)[:, None] < np.array([9, 5, 1])).astype(np.float32)
    net = constant_net(np.zeros(3, np.float32), "softmax", 3.0, loss="categorical_crossentropy")
    x = np.zeros((10, 1), np.float32)
    printed = {}
    for steps in (5, 95):
        take_steps(net, x, y, steps)
        printed[steps] = float(net.evaluate(x, y, verbose=0))
    scores = net.predict(np.zeros((1, 1), np.float32), verbose=0)[0]
    shares = y.mean(axis=0) / y.mean(axis=0).sum()
    minimum = float(np.mean(keras.losses.categorical_crossentropy(y, np.tile(shares, (10, 1)))))
    return {
        "lowest_possible": minimum,
        "after_5_steps": printed[5],
        "after_100_steps": printed[95],
        "share_of_rare_label": float(shares[2]),
        "score_of_rare_label": float(scores[2]),
        "score_of_frequent_label": float(scores[0]),
    }


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


def powerset_outputs() -> Numbers:
    """An output for each label set: the number of a set, and the size of the Keras layer behind 32 hidden units."""
    layer = keras.layers.Dense(2**17)
    layer.build((None, 32))
    return {
        "number_of_1010": int("1010", 2),
        "weights_for_17_labels": layer.count_params(),
        "weights_of_sigmoids": 17 * 33,
        "a_thousand_labels": error_of(lambda: keras.layers.Dense(2**1000).build((None, 32))),
    }


def softmax_of_k_labels() -> Numbers:
    """The best softmax scores for rows with one, two and three of four labels, and a net trained on three labels."""
    rows = np.array([[1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0]], dtype=np.float32)
    scores = keras.activations.softmax(60 * rows).numpy()
    named = (scores >= 0.5).sum(axis=1)
    net = constant_net(np.array([0.3, -0.2, 0.1, 0.0], np.float32), "softmax", 1.0, loss="categorical_crossentropy")
    take_steps(net, np.zeros((1, 1), np.float32), rows[2:], 100)
    trained = net.predict(np.zeros((1, 1), np.float32), verbose=0)[0]
    found = {f"score_of_{k}": float(scores[k - 1, 0]) for k in (1, 2, 3)}
    return found | {f"named_of_{k}": float(named[k - 1]) for k in (1, 2, 3)} | {"trained_of_3": float(trained[0])}


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
        name="head_under_bce",
        thread="three_classes",
        believed="softmax with binary cross-entropy is another of four combinations to try",
        documented="BinaryCrossentropy: by default, y_pred is assumed to be probabilities",
        run=head_under_bce,
        observed="softmax + binary cross-entropy trains exactly as sigmoid + binary cross-entropy: after 3 steps "
        "weights are {apart_graph:g} apart in graph mode, {apart_eager:g} in eager mode and {apart_xla:g} with "
        "XLA. It prints a loss of {printed_graph:.5f}, but its probabilities have a loss of "
        "{of_probabilities:.5f}. With a multiplication by 1 behind the activation it prints {printed_behind:.5f}, "
        "and weights are {apart_behind:.3f} apart.",
        expected={
            "of_probabilities": 0.930791,
            "printed_graph": 0.8444831,
            "apart_graph": 0.0,
            "printed_eager": 0.8444831,
            "apart_eager": 0.0,
            "printed_xla": 0.8444831,
            "apart_xla": 0.0,
            "printed_behind": 0.930791,
            "apart_behind": 0.07265419,
        },
        tolerance=1e-3,
    ),
    Probe(
        name="head_under_cce",
        thread="movie_genres",
        believed="sigmoid with categorical cross-entropy is a sigmoid net with another loss (1st trial)",
        documented="CategoricalCrossentropy: by default, y_pred is assumed to encode a probability distribution",
        run=head_under_cce,
        observed="sigmoid + categorical cross-entropy trains exactly as softmax + categorical cross-entropy: "
        "after 3 steps weights are {apart_graph:g} apart in graph mode, {apart_eager:g} in eager mode and "
        "{apart_xla:g} with XLA. It prints a loss of {printed_graph:.5f}, but its probabilities have a loss of "
        "{of_probabilities:.5f}. With a multiplication by 1 behind the activation it prints {printed_behind:.5f}, "
        "and weights are {apart_behind:.3f} apart.",
        expected={
            "of_probabilities": 1.95889,
            "printed_graph": 2.157514,
            "apart_graph": 0.0,
            "printed_eager": 2.157514,
            "apart_eager": 0.0,
            "printed_xla": 2.157514,
            "apart_xla": 0.0,
            "printed_behind": 1.95889,
            "apart_behind": 0.1852238,
        },
        tolerance=1e-3,
    ),
    Probe(
        name="cce_gradient",
        thread="three_classes",
        believed="softmax with categorical cross-entropy is one of four combinations to try",
        documented="tf.nn.softmax_cross_entropy_with_logits: each row of labels must be a valid probability "
        "distribution, else the computation of the gradient will be incorrect",
        run=cce_gradient,
        observed="On a row with two of three labels the gradient is p − y ({apart_from_p_minus_y:g} apart). For "
        "the first label it is {first_gradient:.2f}, but {first_gradient_of_printed_formula:.2f} by the printed "
        "formula; 100 steps move the first logit by {first_logit_moved_in_100_steps:.0f}. A row without labels "
        "prints a loss of {loss_of_empty_row:g} and still moves the logits by up to {step_of_empty_row:.2f}.",
        expected={
            "apart_from_p_minus_y": 0.0,
            "apart_from_printed_formula": 0.5,
            "first_gradient": -0.4999999,
            "first_gradient_of_printed_formula": 0.0,
            "loss": 1.89712,
            "loss_of_empty_row": 0.0,
            "step_of_empty_row": 0.5,
            "first_logit_moved_in_100_steps": 49.9643,
        },
        tolerance=1e-3,
    ),
    Probe(
        name="cce_on_a_rare_label",
        thread="movie_genres",
        believed="with categorical cross-entropy the results are much worse, the validation loss with many spikes",
        documented="tf.nn.softmax_cross_entropy_with_logits: each row of labels must be a valid probability "
        "distribution, else the computation of the gradient will be incorrect",
        run=cce_on_a_rare_label,
        observed="Of 10 rows, 9, 5 and 1 have the labels, and a net gives every row the same scores. It could "
        "reach a loss of {lowest_possible:.3f} with a score of {share_of_rare_label:.3f} for the rare label. "
        "Trained, it prints {after_5_steps:.3f} after 5 steps and {after_100_steps:.3f} after 100, because the "
        "training drives that score to {score_of_rare_label:.0e}.",
        expected={
            "lowest_possible": 1.279854,
            "after_5_steps": 1.386169,
            "after_100_steps": 4.235823,
            "share_of_rare_label": 0.06666667,
            "score_of_rare_label": 4.097937e-15,
            "score_of_frequent_label": 0.7,
        },
        tolerance=0.02,
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
    Probe(
        name="powerset_outputs",
        thread="label_powerset",
        believed="[1, 0, 1, 0] is the 10th of 2^n outputs; is that computationally feasible?",
        documented="Dense: units is a positive integer, the dimensionality of the output space",
        run=powerset_outputs,
        observed="[1, 0, 1, 0] is output {number_of_1010:.0f}, counted from 0. Behind 32 hidden units, 17 labels "
        "take {weights_for_17_labels:,.0f} weights instead of {weights_of_sigmoids:,.0f}. For 1,000 labels Keras "
        "raises {a_thousand_labels}.",
        expected={
            "number_of_1010": 10.0,
            "weights_for_17_labels": 4325376.0,
            "weights_of_sigmoids": 561.0,
            "a_thousand_labels": "ValueError",
        },
    ),
    Probe(
        name="softmax_of_k_labels",
        thread="label_powerset",
        believed="softmax adds up to one only: what can it predict if one label is true, or three?",
        documented="softmax: the elements of the output vector are in range [0, 1] and sum to 1",
        run=softmax_of_k_labels,
        observed="The best scores for rows with one, two and three labels are {score_of_1:.3f}, {score_of_2:.3f} "
        "and {score_of_3:.3f} each (trained on three: {trained_of_3:.3f}). So a decision at 0.5 finds "
        "{named_of_1:.0f}, {named_of_2:.0f} (by an exact tie) and {named_of_3:.0f} of them.",
        expected={
            "score_of_1": 1.0,
            "score_of_2": 0.5,
            "score_of_3": 0.3333333,
            "named_of_1": 1.0,
            "named_of_2": 2.0,
            "named_of_3": 0.0,
            "trained_of_3": 0.3333333,
        },
        tolerance=1e-3,
    ),
)
