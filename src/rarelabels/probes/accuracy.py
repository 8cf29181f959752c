"""Probes of accuracy: its meaning in Keras and in scikit-learn, and how one net can have both 0.98 and 0.1."""

from __future__ import annotations

import itertools

import numpy as np
from sklearn import metrics as sk

from rarelabels.learn.tensorflow_setup import keras, tf
from rarelabels.probes.nets import ALL_RIGHT, SEVEN_ROWS, Array, fit, given_scores
from rarelabels.probes.probe import Numbers, Probe

STRINGS = (
    'compile: the strings "accuracy" or "acc" are converted to BinaryAccuracy, CategoricalAccuracy or '
    "SparseCategoricalAccuracy based on the shapes of the targets and of the model output"
)
SUBSET = "accuracy_score: the set of labels predicted for a sample must exactly match the corresponding set in y_true"


def _evaluate(y: Array, scores: Array, loss: str = "binary_crossentropy") -> dict[str, float]:
    net = given_scores(y.shape[1], loss=loss, metrics=["accuracy", "binary_accuracy"])
    found: dict[str, float] = net.evaluate(scores, y, verbose=0, return_dict=True)
    return found


def _subset_accuracy(y: Array, scores: Array) -> float:
    return float(sk.accuracy_score(y, scores >= 0.5))


def accuracy_string() -> Numbers:
    """Three random labels, with a tenth of the decisions wrong. The distance of each score from 0.5 is random too."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, (2000, 3)).astype(np.float32)
    predicted = np.where(rng.random(y.shape) < 0.1, 1 - y, y)
    scores = (0.5 * predicted + 0.5 * rng.random(y.shape)).astype(np.float32)
    losses = {"bce": "binary_crossentropy", "cce": "categorical_crossentropy", "mse": "mean_squared_error"}
    found = {f"accuracy_with_{short}": _evaluate(y, scores, loss)["accuracy"] for short, loss in losses.items()}
    return found | {
        "categorical_accuracy": float(np.mean(keras.metrics.categorical_accuracy(y, scores))),
        "binary_accuracy": _evaluate(y, scores)["binary_accuracy"],
        "accuracy_of_one_column": _evaluate(y[:, :1], scores[:, :1])["accuracy"],
        "binary_accuracy_of_one_column": _evaluate(y[:, :1], scores[:, :1])["binary_accuracy"],
    }


def accuracy_by_column_order() -> Numbers:
    """The seven rows with every decision right, and with the label columns in all six orders."""
    orders = [list(order) for order in itertools.permutations(range(3))]
    found = [_evaluate(SEVEN_ROWS[:, order], ALL_RIGHT[:, order]) for order in orders]
    return {
        "as_given": found[0]["accuracy"],
        "lowest": min(one["accuracy"] for one in found),
        "highest": max(one["accuracy"] for one in found),
        "lowest_binary_accuracy": min(one["binary_accuracy"] for one in found),
    }


def accuracy_of_every_label() -> Numbers:
    """The seven rows with every decision right, and the seven rows with every label assigned to every row."""
    right, all_labels = (_evaluate(SEVEN_ROWS, scores) for scores in (ALL_RIGHT, np.ones_like(ALL_RIGHT)))
    return {
        "all_right": right["accuracy"],
        "every_label": all_labels["accuracy"],
        "all_right_binary": right["binary_accuracy"],
        "every_label_binary": all_labels["binary_accuracy"],
    }


def zeros_at_99_percent() -> Numbers:
    """100 rows and 100 labels; each row has one label, and no label is predicted."""
    y, zeros = np.eye(100, dtype=np.float32), np.zeros((100, 100), dtype=np.float32)
    names = {"binary_accuracy": keras.metrics.BinaryAccuracy, "precision": keras.metrics.Precision}
    names["recall"] = keras.metrics.Recall
    found = {name: float(metric()(y, zeros)) for name, metric in names.items()}
    both = {"average": "weighted", "zero_division": 0}  # over the classes 0 and 1 of all labels in one column
    return found | {
        "hamming_loss": float(sk.hamming_loss(y, zeros)),
        "subset_accuracy": float(sk.accuracy_score(y, zeros)),
        "micro_f1": float(sk.f1_score(y, zeros, average="micro", zero_division=0)),
        "recall_over_both_classes": float(sk.recall_score(y.ravel(), zeros.ravel(), **both)),
        "precision_over_both_classes": float(sk.precision_score(y.ravel(), zeros.ravel(), **both)),
    }


def worked_example() -> Numbers:
    """The three rows in an answer of the thread."""
    y = np.array([[1, 0, 0], [0, 1, 1], [1, 0, 1]], dtype=np.float32)
    predicted = np.array([[1, 0, 1], [0, 1, 1], [0, 0, 1]], dtype=np.float32)
    decisions = keras.metrics.binary_accuracy(y, predicted).numpy()  # earlier versions returned one number for each row
    return {
        "keras_binary_accuracy": _evaluate(y, predicted)["binary_accuracy"],
        "first_row": float(decisions[0].mean()),
        "numbers_of_the_function": decisions.size,
        "keras_accuracy": _evaluate(y, predicted)["accuracy"],
        "accuracy_score": _subset_accuracy(y, predicted),
    }


def score_of_one_half() -> Numbers:
    """Seven rows with all three labels: first with all scores at 0.5, then with all scores slightly above 0.5."""
    y, halves = np.ones((7, 3), dtype=np.float32), np.full((7, 3), 0.5, dtype=np.float32)
    return {
        "binary_accuracy": _evaluate(y, halves)["binary_accuracy"],
        "binary_accuracy_above": _evaluate(y, halves + np.float32(1e-7))["binary_accuracy"],
        "recall": float(keras.metrics.Recall()(y, halves)),
        "f1": float(keras.metrics.F1Score(average="micro", threshold=0.5)(y, halves)),
        "accuracy_score": _subset_accuracy(y, halves),
    }


def pair_bound() -> Numbers:
    """50 rows of 3 labels with 3 wrong decisions, either in three rows or all in one row."""
    y = np.zeros((50, 3), dtype=np.float32)
    apart, together = y.copy(), y.copy()
    apart[[0, 1, 2], [0, 1, 2]] = 1
    together[0] = 1
    return {
        "binary_accuracy": _evaluate(y, apart)["binary_accuracy"],
        "lowest_subset_accuracy": _subset_accuracy(y, apart),
        "highest_subset_accuracy": _subset_accuracy(y, together),
    }


def pair_by_argmax() -> Numbers:
    """50 rows with the first label. In 45 rows the second is predicted too, in one of them with a higher score."""
    y = np.tile(np.array([1, 0, 0], dtype=np.float32), (50, 1))
    scores = np.tile(np.array([0.9, 0.1, 0.1], dtype=np.float32), (50, 1))
    scores[:45, 1] = 0.6
    scores[0, 1] = 0.95
    found = _evaluate(y, scores)
    return {
        "accuracy": found["accuracy"],
        "accuracy_score": _subset_accuracy(y, scores),
        "binary_accuracy": found["binary_accuracy"],
    }


def pair_by_shuffled_rows() -> Numbers:
    """A pipeline that shuffles: ``evaluate`` gets rows with their labels, ``predict`` returns rows in another order."""
    y = np.tile(SEVEN_ROWS, (100, 1))
    scores = np.tile(ALL_RIGHT, (100, 1))
    scores.flat[::50] = 1 - scores.flat[::50]  # 42 of 2,100 decisions wrong
    batches = tf.data.Dataset.from_tensor_slices((scores, y)).shuffle(len(y), seed=0).batch(len(y))
    net = given_scores(3, loss="binary_crossentropy", metrics=["binary_accuracy"])
    printed = net.evaluate(batches, verbose=0, return_dict=True)
    return {
        "binary_accuracy": printed["binary_accuracy"],
        "accuracy_score_in_order": _subset_accuracy(y, scores),
        "accuracy_score_shuffled": _subset_accuracy(y, net.predict(batches, verbose=0)),
    }


def pair_by_other_rows() -> Numbers:
    """30 rows learned by heart (100 random inputs, random labels), and 2,000 rows that the net was not trained on."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2030, 100)).astype(np.float32)
    y = rng.integers(0, 2, (2030, 3)).astype(np.float32)
    net = keras.Sequential([keras.Input((100,)), keras.layers.Dense(3, "sigmoid", kernel_initializer="zeros")])
    net.compile(optimizer=keras.optimizers.SGD(1.0), loss="binary_crossentropy", metrics=["binary_accuracy"])
    printed = fit(net, x[:30], y[:30], epochs=20)
    return {
        "binary_accuracy_learned": printed["binary_accuracy"][-1],
        "accuracy_score_other": _subset_accuracy(y[30:], net.predict(x[30:], batch_size=2000, verbose=0)),
    }


PROBES = (
    Probe(
        name="accuracy_string",
        thread="movie_genres",
        believed='metrics=["accuracy"] is binary accuracy, since the loss is binary cross-entropy',
        documented=STRINGS,
        run=accuracy_string,
        observed='On three random labels with {binary_accuracy:.1%} of the decisions right, "accuracy" is '
        "{accuracy_with_bce:.3f} with binary cross-entropy, {accuracy_with_cce:.3f} with categorical "
        "cross-entropy and {accuracy_with_mse:.3f} with mean squared error. It is argmax accuracy "
        "({categorical_accuracy:.3f}) under every loss; only a single output column makes it binary "
        "({accuracy_of_one_column:.4f}).",
        expected={
            "accuracy_with_bce": 0.578,
            "accuracy_with_cce": 0.578,
            "accuracy_with_mse": 0.578,
            "categorical_accuracy": 0.578,
            "binary_accuracy": 0.8968332,
            "accuracy_of_one_column": 0.8995,
            "binary_accuracy_of_one_column": 0.8995,
        },
    ),
    Probe(
        name="accuracy_by_column_order",
        thread="movie_genres",
        believed="an accuracy of 0.98 is due to the many zeros, which are predicted very well",
        documented="CategoricalAccuracy: calculates how often predictions match one-hot labels",
        run=accuracy_by_column_order,
        observed="The predictions are right in every decision (binary accuracy {lowest_binary_accuracy:.2f}). "
        'Their "accuracy" is {as_given:.3f} in the given order of the label columns, and from {lowest:.3f} to '
        "{highest:.3f} in all orders.",
        expected={
            "as_given": 0.4285714,
            "lowest": 0.4285714,
            "highest": 1.0,
            "lowest_binary_accuracy": 1.0,
        },
    ),
    Probe(
        name="accuracy_of_every_label",
        thread="three_classes",
        believed="0.98 for accuracy, according to Keras's output, means that the model is good",
        documented=STRINGS,
        run=accuracy_of_every_label,
        observed='On the thread\'s seven rows a model right in every decision has an "accuracy" of {all_right:.3f} '
        "and one that gives every label to every row {every_label:.3f}; binary accuracy says {all_right_binary:.3f} "
        "and {every_label_binary:.3f}.",
        expected={
            "all_right": 0.4285714,
            "every_label": 0.5714286,
            "all_right_binary": 1.0,
            "every_label_binary": 0.5714286,
        },
    ),
    Probe(
        name="zeros_at_99_percent",
        thread="clothes_attributes",
        believed="accuracy, precision and recall all fail, as the model can predict all zeroes and still score high",
        documented="Recall: true_positives divided by the sum of true_positives and false_negatives",
        run=zeros_at_99_percent,
        observed="All zeros on labels that are 99 % zeros have a binary accuracy of {binary_accuracy:.2f} and a "
        "Hamming loss of {hamming_loss:.2f}, but precision {precision:.0f}, recall {recall:.0f}, micro F1 "
        "{micro_f1:.0f} and subset accuracy {subset_accuracy:.0f}. Precision and recall are high "
        "({precision_over_both_classes:.2f}, {recall_over_both_classes:.2f}) only if zeros count as a class.",
        expected={
            "binary_accuracy": 0.99,
            "precision": 0.0,
            "recall": 0.0,
            "hamming_loss": 0.01,
            "subset_accuracy": 0.0,
            "micro_f1": 0.0,
            "recall_over_both_classes": 0.99,
            "precision_over_both_classes": 0.9801,
        },
    ),
    Probe(
        name="worked_example",
        thread="three_classes",
        believed="Keras's binary accuracy averages over labels (0.77), accuracy_score wants the whole row (0.33)",
        documented=SUBSET,
        run=worked_example,
        observed="binary_accuracy is {keras_binary_accuracy:.4f} (first row {first_row:.4f}) and accuracy_score "
        '{accuracy_score:.4f}, as the answer says. The string "accuracy" would print {keras_accuracy:.4f}. The '
        "function binary_accuracy returns {numbers_of_the_function:.0f} numbers for 3 rows of 3 labels.",
        expected={
            "keras_binary_accuracy": 0.7777779,
            "first_row": 0.6666667,
            "numbers_of_the_function": 9.0,
            "keras_accuracy": 0.6666667,
            "accuracy_score": 0.3333333,
        },
    ),
    Probe(
        name="score_of_one_half",
        thread="three_classes",
        believed="Keras does the same rounding that preds >= 0.5 does",
        documented="BinaryAccuracy: threshold is the value for deciding whether prediction values are 1 or 0",
        run=score_of_one_half,
        observed="Where a positive has a score of exactly 0.5, binary "
        "accuracy is {binary_accuracy:.0f}, recall {recall:.0f} and F1 {f1:.0f} in Keras, while "
        "accuracy_score of preds >= 0.5 is {accuracy_score:.0f}; a ten-millionth higher, binary accuracy is "
        "{binary_accuracy_above:.0f}, too.",
        expected={
            "binary_accuracy": 0.0,
            "binary_accuracy_above": 1.0,
            "recall": 0.0,
            "f1": 0.0,
            "accuracy_score": 1.0,
        },
    ),
    Probe(
        name="pair_bound",
        thread="three_classes",
        believed="the discrepancy of 0.98 and 0.1 is due to what the two functions mean",
        documented=SUBSET,
        run=pair_bound,
        observed="With 3 labels and a binary accuracy of {binary_accuracy:.2f}, accuracy_score on the same rows is "
        "between {lowest_subset_accuracy:.2f} (every wrong label in a row of its own) and "
        "{highest_subset_accuracy:.2f}: the definition alone cannot make 0.1.",
        expected={
            "binary_accuracy": 0.98,
            "lowest_subset_accuracy": 0.94,
            "highest_subset_accuracy": 0.98,
        },
    ),
    Probe(
        name="pair_by_argmax",
        thread="three_classes",
        believed="the accuracy that Keras reports is of the same decisions at 0.5",
        documented=STRINGS,
        run=pair_by_argmax,
        observed="A first possible cause of 0.98 and 0.1: one label is always right and the most probable, and "
        'another is wrong in most rows. Then "accuracy" is {accuracy:.2f}, accuracy_score {accuracy_score:.2f} '
        "and binary accuracy {binary_accuracy:.2f}.",
        expected={
            "accuracy": 0.98,
            "accuracy_score": 0.1,
            "binary_accuracy": 0.7,
        },
    ),
    Probe(
        name="pair_by_shuffled_rows",
        thread="three_classes",
        believed="what model.predict gives can be compared with the training labels row by row",
        documented="Dataset.shuffle: reshuffle_each_iteration, true by default, reshuffles each time it is iterated",
        run=pair_by_shuffled_rows,
        observed="A second possible cause: the pipeline shuffles. evaluate prints a binary accuracy of "
        "{binary_accuracy:.2f}, but accuracy_score of what predict returns is {accuracy_score_shuffled:.2f} (in "
        "the order of the labels it is {accuracy_score_in_order:.2f}).",
        expected={
            "binary_accuracy": 0.98,
            "accuracy_score_in_order": 0.94,
            "accuracy_score_shuffled": 0.13,
        },
    ),
    Probe(
        name="pair_by_other_rows",
        thread="three_classes",
        believed="clipping the predictions at 0.5 is what made the score drop to 0.1",
        documented="fit: validation_data is data on which to evaluate the loss and any metrics; the model will not be "
        "trained on it",
        run=pair_by_other_rows,
        observed="A third possible cause: the rows differ. 30 rows learned by heart have a binary accuracy of "
        "{binary_accuracy_learned:.2f}, and rows that were not learned have an accuracy_score of "
        "{accuracy_score_other:.2f}; the labels are random.",
        expected={
            "binary_accuracy_learned": 1.0,
            "accuracy_score_other": 0.133,
        },
    ),
)
