"""Train the declared network: seed, compile, fit, curves, and scores of a part.

One compiled network serves all seeds of a trial in a process (compiling costs as much as several epochs): it is kept
between calls, and weights, optimizer state and random generators are set anew for each fit.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rarelabels import losses, metrics, models
from rarelabels.datasets import Dataset, Part
from rarelabels.datasets.fields import Vocabulary
from rarelabels.schema import LossSpec, TextBagSpec, TrainingSpec, Trial
from rarelabels.tensorflow_setup import keras, tf
from rarelabels.weighting import Weights

Floats = npt.NDArray[np.float64]
Inputs = dict[str, npt.NDArray[np.int32]]
OnEpoch = Callable[[int, dict[str, float]], None]

PREDICT_BATCH = 512  # the last batch is padded to it, so that a row's scores never depend on the rows around it
TABLE_STEP = 1024  # embedding tables are padded to a multiple, so that the seeds of a trial share one compiled network
KEPT_BY = "val_macro_average_precision"


class NotFiniteError(Exception):
    """The loss or a weight became NaN or infinite; the message names it and the epoch."""


class Network:
    """A compiled network with what a fit resets."""

    def __init__(self, spec: TextBagSpec, loss: LossSpec, training: TrainingSpec, rows: dict[str, int], n: int) -> None:
        self.spec, self.rows, self.n_labels = spec, rows, n
        self.model = models.text_bag(spec, rows, n)
        self.pos_weight = tf.Variable(np.ones(n, np.float32))
        self.loss = losses.build(loss, spec.head, self.pos_weight)
        self.model.compile(optimizer=keras.optimizers.Adam(training.learning_rate), loss=self.loss, jit_compile=True)
        self.model.optimizer.build(self.model.trainable_variables)
        self.fresh_optimizer = [variable.numpy() for variable in self.model.optimizer.variables]
        self.logits = tf.function(lambda x: self.model(x, training=False), jit_compile=True)

    def reset(self, seed: int, vocabularies: dict[str, Vocabulary], pos_weight: Floats | None) -> None:
        """Put the network into the state that a new one built under this seed would have."""
        keras.utils.set_random_seed(seed)
        fresh = models.text_bag(self.spec, self.rows, self.n_labels)
        for variable, value in zip(self.model.variables, fresh.variables, strict=True):
            variable.assign(value)
        for variable, start in zip(self.model.optimizer.variables, self.fresh_optimizer, strict=True):
            variable.assign(start)
        self.pos_weight.assign(np.ones(self.n_labels) if pos_weight is None else pos_weight)
        for layer in self.model.layers:
            if isinstance(layer, models.Bag) and layer.pooling == "tfidf":
                layer.idf.assign(_idf_column(vocabularies[layer.name.split("_", 1)[1]], layer.rows))


@dataclass(frozen=True, eq=False)
class Fitted:
    """A trained network: scores of any part, and its files without pickles."""

    network: Network
    vocabularies: dict[str, Vocabulary]
    weights: list[npt.NDArray[Any]]
    kept_epoch: int

    def scores(self, part: Part) -> Floats:
        """Return probabilities, float64 (n, n_labels)."""
        for variable, value in zip(self.network.model.variables, self.weights, strict=True):
            variable.assign(value)
        return _scores(self.network, _inputs(self.network.spec, self.vocabularies, part))

    def save(self, folder: Path) -> None:
        """Write ``weights.npz`` (by variable path) and ``preprocessing.json`` (vocabularies)."""
        names = [variable.path for variable in self.network.model.variables]
        np.savez_compressed(folder / "weights.npz", allow_pickle=False, **dict(zip(names, self.weights, strict=True)))
        stored = {field: vocabulary.to_json() for field, vocabulary in self.vocabularies.items()}
        (folder / "preprocessing.json").write_text(json.dumps(stored, ensure_ascii=False), encoding="utf-8")


def fit(
    trial: Trial,
    data: Dataset,
    weights: Weights,
    seed: int,
    watch: tuple[str, ...] = (),
    on_epoch: OnEpoch | None = None,
) -> Fitted:
    """Train the network of ``trial`` and keep the epoch that ``training.keep`` names.

    Args:
        trial: a declared network trial.
        data: its data set, split with ``seed``.
        weights: from the training part.
        seed: initialises the net and shuffles the rows.
        watch: metrics to follow once per epoch, from the scores at its end.
        on_epoch: is given the epoch (from 1) and its curves: ``loss``, ``val_loss``, ``val_macro_average_precision``,
            ``<watched>`` and ``val_<watched>``.

    Raises:
        NotFiniteError: the loss or a weight is no longer finite.
    """
    assert isinstance(trial.model, TextBagSpec)
    spec, training = trial.model, trial.training
    vocabularies = {
        field: Vocabulary.fit(tokens, min_rows=spec.min_rows, max_tokens=spec.max_tokens)
        for field, tokens in data.train.text.items()
    }
    rows = tuple((field, _table_rows(vocabulary, spec.max_tokens)) for field, vocabulary in vocabularies.items())
    network = _network(spec, trial.loss, training, rows, len(data.labels))
    network.reset(seed, vocabularies, weights.pos_weight)
    curves = _Curves(network, data, vocabularies, watch, on_epoch, training.keep)
    batches, steps = _batches(curves.train_inputs, data.train.y, training.batch_size, seed)
    network.model.steps_per_execution = steps
    network.model.fit(batches, epochs=training.epochs, verbose=0, callbacks=[curves])
    return Fitted(network, vocabularies, curves.kept_weights, curves.kept_epoch)


@functools.lru_cache(maxsize=1)
def _network(
    spec: TextBagSpec, loss: LossSpec, training: TrainingSpec, rows: tuple[tuple[str, int], ...], n_labels: int
) -> Network:
    keras.backend.clear_session()
    return Network(spec, loss, training, dict(rows), n_labels)


class _Curves(keras.callbacks.Callback):  # type: ignore[misc]  # keras is untyped
    """After each epoch: everything finite? then curves from the scores, and the weights of the best epoch."""

    def __init__(
        self,
        network: Network,
        data: Dataset,
        vocabularies: dict[str, Vocabulary],
        watch: tuple[str, ...],
        on_epoch: OnEpoch | None,
        keep: str,
    ) -> None:
        super().__init__()
        self.network, self.data, self.on_epoch, self.keep = network, data, on_epoch, keep
        self.watched = {name: WATCHED[name](len(data.labels)) for name in watch}
        self.train_inputs = _inputs(network.spec, vocabularies, data.train)
        self.validation_inputs = _inputs(network.spec, vocabularies, data.validation)
        self.kept_epoch, self.kept_value = 0, -np.inf
        self.kept_weights: list[npt.NDArray[Any]] = []

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """See the class."""
        curves = {"loss": float((logs or {})["loss"])}
        logits = _logits(self.network, self.validation_inputs)
        y = self.data.validation.y
        curves["val_loss"] = float(np.mean(self.network.loss(y.astype(np.float32), logits)))
        _check_finite(epoch + 1, curves, self.network.model)
        scores = _to_scores(self.network, logits)
        curves[KEPT_BY] = metrics.macro_average_precision(y, scores)
        curves |= self._watched("val_", y, scores)
        if self.watched:
            curves |= self._watched("", self.data.train.y, _scores(self.network, self.train_inputs))
        if self.keep == "last" or curves[KEPT_BY] > self.kept_value:
            self.kept_epoch, self.kept_value = epoch + 1, curves[KEPT_BY]
            self.kept_weights = [variable.numpy() for variable in self.network.model.variables]
        if self.on_epoch:
            self.on_epoch(epoch + 1, curves)

    def _watched(self, prefix: str, y: npt.NDArray[np.uint8], scores: Floats) -> dict[str, float]:
        values = {}
        for name, metric in self.watched.items():
            metric.reset_state()
            metric.update_state(y, scores)
            values[prefix + name] = float(metric.result())
        return values


# What the threads looked at, as Keras computes it.
WATCHED: dict[str, Callable[[int], Any]] = {
    "binary_accuracy": lambda _: keras.metrics.BinaryAccuracy(),
    "categorical_accuracy": lambda _: keras.metrics.CategoricalAccuracy(),
    "auc": lambda n_labels: keras.metrics.AUC(multi_label=True, num_labels=n_labels),
}


def _check_finite(epoch: int, curves: dict[str, float], model: keras.Model) -> None:
    for name, value in curves.items():
        if not np.isfinite(value):
            raise NotFiniteError(f"epoch {epoch}: {name} is {value}")
    for weight in model.weights:
        if not np.isfinite(weight.numpy()).all():
            raise NotFiniteError(f"epoch {epoch}: weight {weight.path} is no longer finite")


def _table_rows(vocabulary: Vocabulary, max_tokens: int) -> int:
    """Rows of an embedding table: padding, the tokens, and room up to the next step."""
    return min(-(-(len(vocabulary.tokens) + 1) // TABLE_STEP) * TABLE_STEP, max_tokens + 1)


def _idf_column(vocabulary: Vocabulary, rows: int) -> npt.NDArray[np.float32]:
    column = np.zeros(rows, np.float32)
    column[1 : len(vocabulary.idf) + 1] = vocabulary.idf
    return column


def _inputs(spec: TextBagSpec, vocabularies: dict[str, Vocabulary], part: Part) -> Inputs:
    return {field: vocabulary.pad(part.text[field], spec.max_length) for field, vocabulary in vocabularies.items()}


def _batches(inputs: Inputs, y: npt.NDArray[np.uint8], batch_size: int, seed: int) -> tuple[tf.data.Dataset, int]:
    """Shuffled batches of equal size and their number: the rows left over differ from epoch to epoch.

    One batch size means one compiled step. Fewer rows than a batch make one batch.
    """
    n = len(y)
    batch_size = min(batch_size, n)
    x = {field: tf.constant(ids) for field, ids in inputs.items()}
    targets = tf.constant(y.astype(np.float32))
    rows = tf.data.Dataset.range(n).shuffle(n, seed=seed, reshuffle_each_iteration=True)
    rows = rows.batch(batch_size, drop_remainder=True)
    batches = rows.map(lambda i: ({f: tf.gather(ids, i) for f, ids in x.items()}, tf.gather(targets, i)))
    return batches.prefetch(2), n // batch_size


def _logits(network: Network, inputs: Inputs) -> npt.NDArray[np.float32]:
    n = len(next(iter(inputs.values())))
    blocks = []
    for start in range(0, n, PREDICT_BATCH):
        block = {field: ids[start : start + PREDICT_BATCH] for field, ids in inputs.items()}
        missing = max(0, start + PREDICT_BATCH - n)
        block = {field: np.pad(ids, ((0, missing), (0, 0))) for field, ids in block.items()}
        blocks.append(network.logits(block).numpy()[: PREDICT_BATCH - missing])
    return np.concatenate(blocks)


def _to_scores(network: Network, logits: npt.NDArray[np.float32]) -> Floats:
    scores: Floats = models.scores(network.spec.head, tf.constant(logits)).numpy().astype(np.float64)
    return scores


def _scores(network: Network, inputs: Inputs) -> Floats:
    return _to_scores(network, _logits(network, inputs))
