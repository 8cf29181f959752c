"""The movie study as one ordinary script: what a practitioner writes who has no study suite.

Keras layers, losses and metrics, ``fit`` on NumPy arrays, MLflow's callback for Keras, scikit-learn at the end; a new
model for each run, and one run after the other. (The callback is what ``mlflow.tensorflow.autolog`` adds to ``fit``,
without a model; autolog itself also writes for TensorBoard, and fails where that is not installed.) The films come from
rarelabels, split and with their tokens numbered, so that both train on the same rows; nothing else does. ``study.py``
compares the two:

    python tests/benchmarks/plain_keras.py bce_accuracy focal_auc --seeds 0,1 --folder /tmp/plain
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import mlflow
import numpy as np
from keras import layers, ops
from mlflow.tensorflow import MlflowCallback
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    f1_score,
    hamming_loss,
    label_ranking_average_precision_score,
    precision_recall_curve,
    roc_auc_score,
)

from rarelabels.data import loading
from rarelabels.data.dataset import Part
from rarelabels.declare import find
from rarelabels.learn.preprocessing import Preprocessing

WIDTH = 32
EPOCHS, BATCH_SIZE, LEARNING_RATE = 15, 512, 3e-3
MIN_POSITIVES = 5  # a label with fewer on validation is decided at 0.5
TINY = 1e-7
# F1 per label, which rarelabels also follows for bce_accuracy, is left out: MLflow drops all metrics of an epoch that
# has one that is a vector.
WATCHED = ("auc", "binary_accuracy", "categorical_accuracy", "f1_micro")

Array = Any
Loss = Callable[[Array, Array], Array]


@dataclass(frozen=True, eq=False)
class Films:
    """Inputs and labels of each part, and the rows that the embedding of each text field needs.

    Inputs are ``text_0``, token ids, 0 for padding, and ``text_0_tfidf``, the weight of each of these tokens.
    """

    x: dict[str, dict[str, Array]]
    y: dict[str, Array]
    tokens: dict[str, int]


@dataclass(frozen=True)
class Run:
    """How long a run took, and how well it ranks on the test part."""

    trial: str
    seed: int
    seconds: float
    average_precision: float


def load_films(seed: int) -> Films:
    """Take split, token ids and labels from rarelabels, and weigh the tokens by TF-IDF."""
    (trial,) = find.load_many(["movies/bce_accuracy"])
    data = loading.load(trial.dataset, seed)
    prepared = Preprocessing.fit(trial.model, data.train)
    idf = [np.concatenate([[0], vocabulary.idf]) for vocabulary in prepared.vocabularies.values()]

    def inputs(part: Part) -> dict[str, Array]:
        x = prepared.inputs(part)
        for i, of_token in enumerate(idf):
            weights = of_token[x[f"text_{i}"]]
            length = np.linalg.norm(weights, axis=1, keepdims=True)
            x[f"text_{i}_tfidf"] = (weights / np.maximum(length, TINY)).astype(np.float32)
        return x

    parts = {"train": data.train, "validation": data.validation, "test": data.test}
    return Films(
        x={name: inputs(part) for name, part in parts.items()},
        y={name: part.y.astype(np.float32) for name, part in parts.items()},
        tokens={f"text_{i}": len(of_token) for i, of_token in enumerate(idf)},
    )


def build(films: Films) -> keras.Model:
    """Sum up the embeddings of each field by TF-IDF, deep and wide."""
    n_labels = films.y["train"].shape[1]
    inputs, deep, wide = [], [], []
    for field, rows in films.tokens.items():
        length = films.x["train"][field].shape[1]
        ids = keras.Input((length,), dtype="int32", name=field)
        weights = keras.Input((length,), name=f"{field}_tfidf")
        inputs += [ids, weights]
        deep.append(layers.Dot(axes=1)([weights, layers.Embedding(rows, WIDTH)(ids)]))
        wide.append(layers.Dot(axes=1)([weights, layers.Embedding(rows, n_labels, "zeros")(ids)]))
    logits = layers.Dense(n_labels)(layers.Concatenate()(deep))
    scores = layers.Activation("sigmoid")(layers.Add()([logits, *wide]))
    return keras.Model(inputs, scores)


def weighted_crossentropy(y_train: Array) -> Loss:
    """Weigh the positives of each label by its negatives over its positives."""
    positives = y_train.sum(axis=0)
    weight = ops.convert_to_tensor((len(y_train) - positives) / positives, "float32")

    def loss(y: Array, p: Array) -> Array:
        p = ops.clip(p, TINY, 1 - TINY)
        return -ops.mean(weight * y * ops.log(p) + (1 - y) * ops.log(1 - p), axis=-1)

    return loss


def focal(y: Array, p: Array) -> Array:
    """Sum over labels, as TensorFlow Addons did; Keras takes the mean."""
    mean = keras.losses.binary_focal_crossentropy(y, p, apply_class_balancing=True, alpha=0.25, gamma=2.0)
    return y.shape[1] * mean


def asymmetric(y: Array, p: Array) -> Array:
    """Forget easy negatives: Ridnik et al. (2021) with focusing 1 and 4 and a shift of 0.05."""
    q = ops.clip(1 - p + 0.05, TINY, 1)
    p = ops.clip(p, TINY, 1)
    return -ops.mean(y * (1 - p) * ops.log(p) + (1 - y) * (1 - q) ** 4 * ops.log(q), axis=-1)


LOSSES: dict[str, Callable[[Array], Loss]] = {
    "bce_accuracy": lambda _: keras.losses.binary_crossentropy,
    "pos_weight_ratio": weighted_crossentropy,
    "focal_auc": lambda _: focal,
    "asymmetric": lambda _: asymmetric,
}


class KeepBest(keras.callbacks.Callback):
    """Follow macro average precision on validation, and end with the weights of its best epoch."""

    def __init__(self, x: dict[str, Array], y: Array) -> None:
        super().__init__()
        self.x, self.y = x, y
        self.best, self.weights = -1.0, []

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        scores = self.model.predict(self.x, batch_size=BATCH_SIZE, verbose=0)
        value = float(average_precision_score(self.y, scores, average="macro"))
        logs["val_macro_average_precision"] = value  # MLflow's callback comes after this one
        if value > self.best:
            self.best, self.weights = value, self.model.get_weights()

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        self.model.set_weights(self.weights)


def watched(n_labels: int) -> list[keras.metrics.Metric]:
    """Return the metrics that the study watches, new for each model."""
    return [
        keras.metrics.AUC(multi_label=True, num_labels=n_labels, name="auc"),
        keras.metrics.BinaryAccuracy(),
        keras.metrics.CategoricalAccuracy(),
        keras.metrics.F1Score(average="micro", name="f1_micro"),
    ]


def thresholds(y: Array, scores: Array) -> Array:
    """Return the threshold of each label with its best F1 on validation."""
    best = np.full(y.shape[1], 0.5)
    for label in range(y.shape[1]):
        if y[:, label].sum() >= MIN_POSITIVES:
            precision, recall, candidates = precision_recall_curve(y[:, label], scores[:, label])
            f1 = 2 * precision * recall / np.maximum(precision + recall, TINY)
            best[label] = candidates[f1[:-1].argmax()]
    return best


def measure(y: Array, scores: Array, own: Array) -> dict[str, float]:
    """Return the metrics of the test part, decided at 0.5 and by the labels' own thresholds."""
    values = {
        "macro_average_precision": average_precision_score(y, scores, average="macro"),
        "micro_average_precision": average_precision_score(y, scores, average="micro"),
        "macro_roc_auc": roc_auc_score(y, scores, average="macro"),
        "micro_roc_auc": roc_auc_score(y, scores, average="micro"),
        "lrap": label_ranking_average_precision_score(y, scores),
    }
    for rule, assigned in {"half": scores >= 0.5, "per_label": scores >= own}.items():
        for average in ("micro", "macro", "samples"):
            values[f"{rule}/{average}_f1"] = f1_score(y, assigned, average=average, zero_division=0)
        values[f"{rule}/subset_accuracy"] = accuracy_score(y, assigned)
        values[f"{rule}/hamming_loss"] = hamming_loss(y, assigned)
    return {f"test/{name}": float(value) for name, value in values.items()}


def train(trial: str, films: Films, seed: int, epochs: int = EPOCHS) -> Run:
    """Train a new model and record it."""
    start = time.perf_counter()
    keras.utils.clear_session()
    keras.utils.set_random_seed(seed)
    x, y = films.x, films.y
    with mlflow.start_run(run_name=f"{trial} seed {seed}", tags={"trial": trial, "seed": str(seed)}):
        mlflow.log_params({"epochs": epochs, "batch_size": BATCH_SIZE})
        model = build(films)
        model.compile(
            optimizer=keras.optimizers.Adam(LEARNING_RATE),
            loss=LOSSES[trial](y["train"]),
            metrics=watched(y["train"].shape[1]),
        )
        model.fit(
            x["train"],
            y["train"],
            batch_size=BATCH_SIZE,
            epochs=epochs,
            validation_data=(x["validation"], y["validation"]),
            callbacks=[KeepBest(x["validation"], y["validation"]), MlflowCallback()],
            verbose=0,
        )
        scores = {part: model.predict(x[part], batch_size=BATCH_SIZE, verbose=0) for part in ("validation", "test")}
        values = measure(y["test"], scores["test"], thresholds(y["validation"], scores["validation"]))
        mlflow.log_metrics(values)
    return Run(trial, seed, time.perf_counter() - start, values["test/macro_average_precision"])


@dataclass(frozen=True)
class Done:
    """All runs, and the seconds that reading the films took before them."""

    reading: float
    runs: list[Run]


def study(trials: Sequence[str], seeds: Sequence[int], folder: Path, epochs: int = EPOCHS) -> Done:
    """Do every trial with every seed, one after the other; the record is in the folder."""
    mlflow.set_tracking_uri(f"sqlite:///{folder.resolve() / 'mlflow.db'}")
    if not mlflow.get_experiment_by_name("movies"):
        mlflow.create_experiment("movies", (folder.resolve() / "artifacts").as_uri())
    mlflow.set_experiment("movies")
    start = time.perf_counter()
    films = {seed: load_films(seed) for seed in seeds}
    reading = time.perf_counter() - start
    return Done(reading, [train(trial, films[seed], seed, epochs) for trial in trials for seed in seeds])


def main() -> None:
    """Run what the command line asks for, and print it as JSON."""
    parser = argparse.ArgumentParser(description="The movie study as one ordinary script.")
    parser.add_argument("trials", nargs="+", choices=list(LOSSES))
    parser.add_argument("--seeds", default="0", help="such as 0,1,2")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--folder", type=Path, required=True, help="for the record")
    asked = parser.parse_args()
    seeds = [int(seed) for seed in asked.seeds.split(",")]
    print(json.dumps(asdict(study(asked.trials, seeds, asked.folder, asked.epochs))))


if __name__ == "__main__":
    main()
