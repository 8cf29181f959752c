"""Probes of the arguments of ``fit``, such as weights and held-out rows, and of scikit-learn's sample weights."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.utils.class_weight import compute_sample_weight

from rarelabels.learn.tensorflow_setup import tf
from rarelabels.probes.nets import SEVEN_ROWS, Array, apart, constant_net, dense_net, fit, given_scores
from rarelabels.probes.probe import Numbers, Probe, error_of

TWO_KEYS = {0: 1.0, 1: 0.29}  # the thread's dictionary
LABEL_COUNTS = (3, 10, 17, 50, 1000)
N_ROWS = 2000


def class_weight_of_rows() -> Numbers:
    """Which key of ``class_weight`` applies to rows of six labels: the factor on the loss of each row."""
    keys = {0: 10.0, 1: 11.0, 2: 12.0, 3: 13.0, 5: 15.0}
    rows = {"labels_2_and_5": (2, 5), "labels_1_2_and_3": (1, 2, 3), "no_label": (), "label_4_without_key": (4,)}
    net = constant_net(np.zeros(6, np.float32), "sigmoid", 0.0, loss="binary_crossentropy")
    found = {}
    for name, labels in rows.items():
        y = np.isin(np.arange(6), labels).astype(np.float32)[None]
        plain, weighted = (fit(net, np.zeros((1, 1), np.float32), y, class_weight=w)["loss"][0] for w in (None, keys))
        found[name] = weighted / plain
    return found


def class_weight_two_keys() -> Numbers:
    """The thread's dictionary on the seven rows, passed as arrays and as a pipeline."""
    batches = tf.data.Dataset.from_tensor_slices((np.eye(7, dtype=np.float32), SEVEN_ROWS)).batch(7)
    net = _net_of_rows()
    plain, weighted = _trained(None), _trained(TWO_KEYS)
    return {
        "arrays": error_of(lambda: _trained(TWO_KEYS)),
        "pipeline": error_of(lambda: net.fit(batches, verbose=0, class_weight=TWO_KEYS)),
        "rows_moved_otherwise": float((np.abs(weighted - plain).max(axis=1) > 0.01).sum()),
        "share_of_step": float(np.median(weighted[1] / plain[1])),
    }


def class_weight_by_column_order() -> Numbers:
    """The same rows and net, with the label columns as given and reversed: how far apart the labels' weights become."""
    found = {}
    for name, weights in {"apart": TWO_KEYS, "apart_unweighted": None}.items():
        as_given, reversed_ = _trained(weights), _trained(weights, SEVEN_ROWS[:, ::-1])[:, ::-1]
        found[name] = apart(as_given, reversed_)
    return found


def _net_of_rows() -> Any:
    """Return a net with separate weights for each of the seven rows. All weights are 0."""
    return dense_net("sigmoid", np.zeros((7, 3), np.float32), "binary_crossentropy", 10.0)


def _trained(weights: Mapping[int, float] | None, y: Array = SEVEN_ROWS) -> Array:
    """Return the weights after one step, (7, 3): the step that each row caused for each label."""
    net = _net_of_rows()
    fit(net, np.eye(7, dtype=np.float32), y, class_weight=weights)
    return np.asarray(net.get_weights()[0], dtype=np.float32)


def balanced_sample_weight() -> Numbers:
    """2,000 rows of independent labels with prevalences from 0.4 to 0.005, for different numbers of labels."""
    found: dict[str, float] = {}
    for n_labels in LABEL_COUNTS:
        prevalences = np.geomspace(0.4, 0.005, n_labels)
        y = (np.random.default_rng(0).random((N_ROWS, n_labels)) < prevalences).astype(int)
        found |= {f"{name}_{n_labels}": value for name, value in _spread(compute_sample_weight("balanced", y)).items()}
    found["loss_1000"] = float(_loss_with(compute_sample_weight("balanced", y)))
    return found


def _spread(weights: Any) -> dict[str, float]:
    scaled = weights / weights.max()  # unscaled, the squares would underflow
    return {
        "log10_ratio": math.log10(weights.max()) - math.log10(weights.min()),
        "effective_rows": float(scaled.sum() ** 2 / (scaled**2).sum()),
        "zero_in_float64": float((weights == 0).sum()),
        "zero_in_float32": float((weights.astype(np.float32) == 0).sum()),
    }


def _loss_with(weights: Any) -> float:
    """Return the loss that Keras prints for rows with these weights, if all scores are 0.5."""
    halves = np.full((len(weights), 3), 0.5, np.float32)
    net = given_scores(3, loss="binary_crossentropy")
    return float(net.evaluate(halves, np.round(halves), sample_weight=weights, batch_size=len(weights), verbose=0))


def weights_per_label() -> Numbers:
    """A weight for every row and label, in a batch of 4 rows and 3 labels, and in a batch of 3 rows and 3 labels."""
    p = np.array([[0.9, 0.5, 0.5], [0.5, 0.8, 0.5], [0.5, 0.5, 0.7], [0.5, 0.5, 0.5]], dtype=np.float32)
    y = np.eye(4, 3, dtype=np.float32)
    weights = np.ones((4, 3))
    weights[2, 2] = 9
    terms = -np.log(np.where(y == 1, p, 1 - p))
    logits = np.log(p / (1 - p))

    def printed(n_rows: int) -> float:
        net = dense_net("sigmoid", logits, "binary_crossentropy", 0.0)
        given = {"sample_weight": weights[:n_rows], "shuffle": False, "verbose": 0}
        return float(net.fit(np.eye(n_rows, 4, dtype=np.float32), y[:n_rows], **given).history["loss"][0])

    return {
        "four_rows": error_of(lambda: printed(4)),
        "three_rows": error_of(lambda: printed(3)),
        "printed_of_three": printed(3),
        "meant_of_three": float((weights * terms)[:3].mean()),
    }


def multiprocessing() -> Numbers:
    """The thread's call of ``fit`` with ``use_multiprocessing=True``."""
    net = constant_net(np.zeros(3, np.float32), "sigmoid", 1.0, loss="binary_crossentropy")
    x = np.zeros((7, 1), np.float32)
    return {"fit": error_of(lambda: net.fit(x, SEVEN_ROWS, verbose=0, use_multiprocessing=True))}


def rows_held_out() -> Numbers:
    """Ten rows, with a fifth held out. The targets are the rows' numbers, and the net predicts 0.

    So the loss is the mean of the rows' numbers.
    """
    found = _numbered().fit(*_ten_rows(), batch_size=2, validation_split=0.2, shuffle=True, verbose=0).history
    return {"training": found["loss"][0], "validation": found["val_loss"][0]}


def steps_per_epoch() -> Numbers:
    """The same ten rows in batches of 2, with two steps per epoch: the mean number of the rows of each epoch."""
    how = {"batch_size": 2, "steps_per_epoch": 2, "shuffle": False, "verbose": 0}
    losses = _numbered().fit(*_ten_rows(), epochs=4, **how).history["loss"]
    return {f"epoch_{epoch}": float(loss) for epoch, loss in enumerate(losses, start=1)}


def _numbered() -> Any:
    return constant_net(np.zeros(1, np.float32), "linear", 0.0, loss="mean_absolute_error")


def _ten_rows() -> tuple[Array, Array]:
    return np.zeros((10, 1), np.float32), np.arange(10, dtype=np.float32)[:, None]


PROBES = (
    Probe(
        name="class_weight_of_rows",
        thread="movie_genres",
        believed="class weights of the binary labels go into fit as a dictionary",
        documented="fit: when class_weight is specified and targets have a rank of 2 or greater, y must be one-hot "
        "encoded",
        run=class_weight_of_rows,
        observed="The keys are 0: 10, 1: 11, 2: 12, 3: 13 and 5: 15. A row with labels 2 and 5 weighs "
        "{labels_2_and_5:.0f}, one with labels 1, 2 and 3 weighs {labels_1_2_and_3:.0f}, one without labels "
        "{no_label:.0f} (as class 0), and one with label 4, which has no key, {label_4_without_key:.0f}: the "
        "first label of a row decides.",
        expected={
            "labels_2_and_5": 12.0,
            "labels_1_2_and_3": 11.0,
            "no_label": 10.0,
            "label_4_without_key": 1.0,
        },
    ),
    Probe(
        name="class_weight_two_keys",
        thread="movie_genres",
        believed="{0: 1.0, 1: 0.29} weighs zeros and ones, and its error is a bug of Keras",
        documented="fit: class_weight maps class indices (integers) to a weight",
        run=class_weight_two_keys,
        observed="The dictionary raises {pipeline} with a tf.data pipeline, and {arrays} with arrays. There, the "
        "{rows_moved_otherwise:.0f} of the seven rows whose first label is label 1 take {share_of_step:.2f} of "
        "their step, in all their labels.",
        expected={
            "arrays": "nothing",
            "pipeline": "InvalidArgumentError",
            "rows_moved_otherwise": 2.0,
            "share_of_step": 0.29,
        },
    ),
    Probe(
        name="class_weight_by_column_order",
        thread="movie_genres",
        believed="a dictionary like {0: 1., 1: 15} in class_weight is the straightforward way",
        documented="fit: class_weight maps class indices (integers) to a weight",
        run=class_weight_by_column_order,
        observed="With the label columns reversed, the weights of the same labels are {apart:.2f} apart after one "
        "step with the thread's dictionary, and {apart_unweighted:g} apart without it.",
        expected={
            "apart": 0.169048,
            "apart_unweighted": 0.0,
        },
    ),
    Probe(
        name="balanced_sample_weight",
        thread="movie_genres",
        believed="compute_sample_weight('balanced', y_train) puts sample weights on the classes",
        documented="compute_sample_weight: for multi-output, the weights of each column of y will be multiplied",
        run=balanced_sample_weight,
        observed="Of 2,000 rows the effective number is {effective_rows_3:.0f} with 3 labels, "
        "{effective_rows_10:.1f} with 10, {effective_rows_17:.1f} with 17, {effective_rows_50:.1f} with 50 and "
        "{effective_rows_1000:.1f} with 1,000. The largest weight is 10^{log10_ratio_3:.1f}, "
        "10^{log10_ratio_10:.1f}, 10^{log10_ratio_17:.1f}, 10^{log10_ratio_50:.1f} and 10^{log10_ratio_1000:.1f} "
        "times the smallest. With 1,000 labels {zero_in_float64_1000:.0f} weights are 0 in float64, but "
        "{zero_in_float32_1000:.0f} in Keras's float32 (with 50 labels {zero_in_float32_50:.0f}), and the loss is "
        "{loss_1000:g}.",
        expected={
            "log10_ratio_3": 2.415327,
            "effective_rows_3": 84.68308,
            "zero_in_float64_3": 0.0,
            "zero_in_float32_3": 0.0,
            "log10_ratio_10": 4.760475,
            "effective_rows_10": 7.195971,
            "zero_in_float64_10": 0.0,
            "zero_in_float32_10": 0.0,
            "log10_ratio_17": 7.339926,
            "effective_rows_17": 1.186505,
            "zero_in_float64_17": 0.0,
            "zero_in_float32_17": 0.0,
            "log10_ratio_50": 11.04937,
            "effective_rows_50": 1.867383,
            "zero_in_float64_50": 0.0,
            "zero_in_float32_50": 0.0,
            "log10_ratio_1000": 47.9935,
            "effective_rows_1000": 1.053323,
            "zero_in_float64_1000": 0.0,
            "zero_in_float32_1000": 2000.0,
            "loss_1000": 0.0,
        },
        tolerance=1e-3,
    ),
    Probe(
        name="weights_per_label",
        thread="movie_genres",
        believed="sample weights can be put on the classes",
        documented="fit: sample_weight is flat (1D), or 2D for temporal data, a weight for every timestep",
        run=weights_per_label,
        observed="A matrix of weights raises {four_rows} with 4 rows of 3 labels. With 3 rows of 3 labels it "
        "raises {three_rows} and is misread: the weights of a column go to the row of the same number, and the "
        "loss is {printed_of_three:.3f} instead of {meant_of_three:.3f}.",
        expected={
            "four_rows": "InvalidArgumentError",
            "three_rows": "nothing",
            "printed_of_three": 1.054664,
            "meant_of_three": 0.8552735,
        },
    ),
    Probe(
        name="use_multiprocessing",
        thread="movie_genres",
        believed="everything runs successfully, use_multiprocessing=True in fit among it",
        documented="fit: use_multiprocessing is not among its arguments (PyDataset has it)",
        run=multiprocessing,
        observed="fit(..., use_multiprocessing=True) raises {fit}.",
        expected={
            "fit": "TypeError",
        },
    ),
    Probe(
        name="validation_split",
        thread="movie_genres",
        believed="validation_split gives a validation part like the training part",
        documented="fit: the validation data is selected from the last samples in the x and y data, before shuffling",
        run=rows_held_out,
        observed="Rows have the numbers 0 to 9, and shuffle=True. A split of 0.2 trains on rows with the mean "
        "number {training:.1f} and validates on rows with the mean number {validation:.1f}: the last two.",
        expected={
            "training": 3.5,
            "validation": 8.5,
        },
    ),
    Probe(
        name="steps_per_epoch",
        thread="movie_genres",
        believed="steps_per_epoch, computed from a share of the rows, goes with batch_size and validation_split",
        documented="fit: steps_per_epoch is the number of batches before declaring one epoch finished and starting "
        "the next",
        run=steps_per_epoch,
        observed="With two steps of 2 of ten rows, the rows of the epochs have the mean numbers {epoch_1:.1f}, "
        "{epoch_2:.1f}, {epoch_3:.1f} and {epoch_4:.1f}. An epoch goes on where the last one stopped, and the "
        "third has the one batch that was left. So fit prints a mean of other rows in each epoch.",
        expected={
            "epoch_1": 1.5,
            "epoch_2": 5.5,
            "epoch_3": 8.5,
            "epoch_4": 1.5,
        },
    ),
)
