"""Probes of F1 and AUC in Keras, and of how MLflow's callback records F1."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from sklearn import metrics as sk

from rarelabels.learn.tensorflow_setup import keras
from rarelabels.probes.nets import ALL_RIGHT, SEVEN_ROWS, apart, constant_net, given_scores
from rarelabels.probes.probe import Numbers, Probe, error_of
from rarelabels.record import scratch

EPOCHS = 2


def f1_without_threshold() -> Numbers:
    """The seven rows with every decision right."""
    vector = keras.metrics.F1Score(average=None)(SEVEN_ROWS, ALL_RIGHT).numpy()
    argmax = np.eye(3)[ALL_RIGHT.argmax(axis=1)]
    return {
        "micro": float(keras.metrics.F1Score(average="micro")(SEVEN_ROWS, ALL_RIGHT)),
        "micro_of_argmax": float(sk.f1_score(SEVEN_ROWS, argmax, average="micro")),
        "micro_at_half": float(keras.metrics.F1Score(average="micro", threshold=0.5)(SEVEN_ROWS, ALL_RIGHT)),
        "values_without_average": len(vector),
        "first_label": float(vector[0]),
        "last_label": float(vector[2]),
    }


def f1_of_one_training() -> Numbers:
    """Three labels, in 2, 4 and 8 of 16 rows. Each is wrongly predicted in one row and missed in another row."""
    y = np.zeros((16, 3), dtype=np.float32)
    for label, positives in enumerate((2, 4, 8)):
        y[:positives, label] = 1
    predicted = np.roll(y, 1, axis=0)
    keras_f1 = {how: keras.metrics.F1Score(average=how, threshold=0.5)(y, predicted) for how in (None, "micro")}
    binary = [sk.f1_score(y[:, label], predicted[:, label], average="binary") for label in range(3)]
    return {
        "rarest": float(keras_f1[None][0]),
        "most_frequent": float(keras_f1[None][2]),
        "farthest_from_binary": apart(keras_f1[None], binary),
        "macro": float(np.mean(binary)),
        "micro": float(keras_f1["micro"]),
        "scikit_learn_binary_on_three": error_of(lambda: sk.f1_score(y, predicted, average="binary")),
        "keras_binary": error_of(lambda: keras.metrics.F1Score(average="binary")),
    }


def f1_vector_in_mlflow() -> Numbers:
    """Two epochs with MLflow's own Keras callback and a temporary record, for F1 with and without averaging."""
    with scratch.scratch_record() as record:
        micro, vector = _recorded(record, "micro"), _recorded(record, None)
    return {f"micro_{name}": number for name, number in micro.items()} | {
        f"none_{name}": number for name, number in vector.items()
    }


def _recorded(record: scratch.ScratchRecord, average: str | None) -> dict[str, float]:
    """Return the number of metrics recorded in two epochs, the last step of each loss, and the number of warnings."""
    from mlflow.keras import MlflowCallback  # takes a second to import, and only this probe needs it

    net = constant_net(np.zeros(3, np.float32), "sigmoid", 1.0, loss="binary_crossentropy", metrics=[_f1(average)])
    x = np.zeros((7, 1), np.float32)
    with _warnings_of("mlflow.utils.autologging_utils") as warned, record.run() as run:
        validation = {"validation_data": (x, SEVEN_ROWS)}
        net.fit(x, SEVEN_ROWS, epochs=EPOCHS, verbose=0, callbacks=[MlflowCallback()], **validation)
        steps = run.steps()
    return {
        "metrics": len(steps),
        "last_step": max(steps.get("loss", [-1])),
        "last_validation_step": max(steps.get("validation_loss", [-1])),
        "warnings": len(warned),
    }


def _f1(average: str | None) -> object:
    return keras.metrics.F1Score(average=average)


class _Collector(logging.Handler):
    def __init__(self, found: list[str]) -> None:
        super().__init__(logging.WARNING)
        self.found = found

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a message."""
        self.found.append(record.getMessage())


@contextmanager
def _warnings_of(name: str) -> Iterator[list[str]]:
    """Collect the warnings of a logger while a block runs, instead of printing them."""
    found: list[str] = []
    logger = logging.getLogger(name)
    handler = _Collector(found)
    handed_on, logger.propagate = logger.propagate, False
    logger.addHandler(handler)
    try:
        yield found
    finally:
        logger.removeHandler(handler)
        logger.propagate = handed_on


def auc_of_an_empty_label() -> Numbers:
    """Two labels that are ranked perfectly, and a third label that no row has."""
    y = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 0]], dtype=np.float32)
    scores = np.array([[0.9, 0.1, 0.4], [0.8, 0.9, 0.3], [0.1, 0.8, 0.2], [0.2, 0.2, 0.1]], dtype=np.float32)
    keras_auc = keras.metrics.AUC(multi_label=True, num_labels=3)(y, scores)
    two = sk.roc_auc_score(y[:, :2], scores[:, :2], average="macro")
    return {"keras": float(keras_auc), "scikit_learn_of_two": float(two)}


def auc_bins() -> Numbers:
    """One rare label with calibrated scores. Most scores are below the first of the 198 thresholds between 0 and 1."""
    rng = np.random.default_rng(0)
    scores = 1 / (1 + np.exp(-rng.normal(-7, 1.6, 20_000)))
    y = rng.random(len(scores)) < scores
    as_column = [array.astype(np.float32)[:, None] for array in (y, scores)]
    return {
        "prevalence": float(y.mean()),
        "keras": float(keras.metrics.AUC(multi_label=True, num_labels=1)(*as_column)),
        "keras_with_20000": float(keras.metrics.AUC(num_thresholds=20_000)(*as_column)),
        "exact": float(sk.roc_auc_score(y, scores)),
        "thresholds": float(keras.metrics.AUC().num_thresholds),
    }


def weights_in_metrics() -> Numbers:
    """A row of weight 1 with right decisions, and a row of weight 3 with wrong decisions."""
    metrics = {"metrics": [keras.metrics.BinaryAccuracy(name="plain")]}
    metrics["weighted_metrics"] = [keras.metrics.BinaryAccuracy(name="weighted")]
    net = given_scores(3, loss="binary_crossentropy", **metrics)
    y = np.array([[1, 0, 0], [0, 1, 1]], dtype=np.float32)
    scores = np.array([[0.9, 0.1, 0.1], [0.9, 0.1, 0.1]], dtype=np.float32)
    found = net.evaluate(scores, y, sample_weight=np.array([1.0, 3.0]), verbose=0, return_dict=True)
    return {"metrics": found["plain"], "weighted_metrics": found["weighted"]}


PROBES = (
    Probe(
        name="f1_without_threshold",
        thread="f1_averaging",
        believed="F1Score compares each sigmoid score with 0.5",
        documented="F1Score: if threshold is None, the argmax of y_pred is converted to 1, and the rest to 0",
        run=f1_without_threshold,
        observed="Predictions are right in every decision. Their micro F1 is {micro:.3f}, as that of the argmax "
        "({micro_of_argmax:.3f}); with threshold=0.5 it is {micro_at_half:.3f}. average=None gives a vector of "
        "{values_without_average:.0f} numbers, here from {first_label:.2f} to {last_label:.2f}.",
        expected={
            "micro": 0.736842,
            "micro_of_argmax": 0.7368421,
            "micro_at_half": 1.0,
            "values_without_average": 3.0,
            "first_label": 0.3999999,
            "last_label": 1.0,
        },
    ),
    Probe(
        name="f1_of_one_training",
        thread="f1_averaging",
        believed="independent labels want the standard binary F1 and not the micro average",
        documented="f1_score: average='binary' is applicable only if targets (y_{true,pred}) are binary",
        run=f1_of_one_training,
        observed="Without averaging Keras gives each label its binary F1 ({farthest_from_binary:g} apart), "
        "{rarest:.3f} for the rarest and {most_frequent:.3f} for the most frequent. Their mean is {macro:.3f} and "
        'micro F1 {micro:.3f}; both sum up one training. average="binary" on the matrix raises '
        "{scikit_learn_binary_on_three} in scikit-learn and {keras_binary} in Keras.",
        expected={
            "rarest": 0.4999999,
            "most_frequent": 0.8749999,
            "farthest_from_binary": 0.0,
            "macro": 0.7083333,
            "micro": 0.7857141,
            "scikit_learn_binary_on_three": "ValueError",
            "keras_binary": "ValueError",
        },
    ),
    Probe(
        name="f1_vector_in_mlflow",
        thread="f1_averaging",
        believed="average=None is an F1 to watch like any other",
        documented="MlflowCallback: logs training metrics every epoch",
        run=f1_vector_in_mlflow,
        observed='For two epochs with average="micro", MLflow\'s callback records {micro_metrics:.0f} metrics. '
        "With average=None it records {none_metrics:.0f}: the loss is lost with the vector, and only "
        "{none_warnings:.0f} warnings say so. Its validation metrics end at step "
        "{micro_last_validation_step:.0f}, those of training at step {micro_last_step:.0f}.",
        expected={
            "micro_metrics": 6.0,
            "micro_last_step": 1.0,
            "micro_last_validation_step": 0.0,
            "micro_warnings": 0.0,
            "none_metrics": 0.0,
            "none_last_step": -1.0,
            "none_last_validation_step": -1.0,
            "none_warnings": 4.0,
        },
    ),
    Probe(
        name="auc_of_an_empty_label",
        thread="movie_genres",
        believed="AUC(multi_label=True) on the test set says how well all the genres are told apart",
        documented="AUC: computed separately for each label and then averaged across labels",
        run=auc_of_an_empty_label,
        observed="Two labels are ranked perfectly ({scikit_learn_of_two:.1f}), and one has no positives. Their "
        "AUC is {keras:.4f}: the label without positives counts as 0.",
        expected={
            "keras": 0.6666667,
            "scikit_learn_of_two": 1.0,
        },
    ),
    Probe(
        name="auc_bins",
        thread="movie_genres",
        believed="the AUC on the test set is 0.99942547082901",
        documented="AUC: num_thresholds is 200 by default; the quality may be poor if predictions are not distributed "
        "approximately uniformly",
        run=auc_bins,
        observed="At a prevalence of {prevalence:.4f} calibrated scores have an AUC of {keras:.3f} with the "
        "{thresholds:.0f} thresholds of the default, {keras_with_20000:.3f} with 20,000, and {exact:.3f} exactly.",
        expected={
            "prevalence": 0.0031,
            "keras": 0.7634821,
            "keras_with_20000": 0.8455665,
            "exact": 0.8455802,
            "thresholds": 200.0,
        },
    ),
    Probe(
        name="weights_in_metrics",
        thread="movie_genres",
        believed="sample weights on the classes make up for a metric without averaging",
        documented="fit: sample weighting does not apply to metrics specified via the metrics argument in compile",
        run=weights_in_metrics,
        observed="A row that is right has weight 1, and a row that is wrong in every label has weight 3. The "
        "accuracy is {metrics:.2f} under metrics= and {weighted_metrics:.2f} under weighted_metrics=.",
        expected={
            "metrics": 0.5,
            "weighted_metrics": 0.25,
        },
    ),
)
