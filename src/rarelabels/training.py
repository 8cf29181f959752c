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
from rarelabels.datasets.fields import Tokens, Vocabulary
from rarelabels.schema import BinaryFocal, LossSpec, TextBagSpec, TrainingSpec, Trial, UserError
from rarelabels.tensorflow_setup import keras, tf
from rarelabels.weighting import Weights

Floats = npt.NDArray[np.float64]
Inputs = dict[str, npt.NDArray[np.int32]]
Fields = tuple[tuple[str, int, int], ...]  # name, rows of the embedding table, tokens kept of a row
Tensor = Any
OnEpoch = Callable[[int, dict[str, float]], None]

PREDICT_BATCH = 512  # the last batch is padded to it, so that a row's scores never depend on the rows around it
LENGTH_STEP = 8
WHOLE_EPOCH = 1_000_000  # batches that one call runs at most; one number, for Keras compiles it into the network
TABLE_STEP = 1024  # embedding tables are padded to a multiple, so that the seeds of a trial share one compiled network
KEPT_BY = "val_macro_average_precision"
_PREPROCESSING = "preprocessing.json"
_WEIGHTS = "weights.npz"


class NotFiniteError(Exception):
    """The loss or a weight became NaN or infinite; the message names it and the epoch."""


class Network:
    """A compiled network with what a fit resets."""

    def __init__(self, spec: TextBagSpec, loss: LossSpec, training: TrainingSpec, fields: Fields, n: int) -> None:
        self.spec, self.n_labels = spec, n
        self.rows = {field: rows for field, rows, _ in fields}
        self.lengths = {field: length for field, _, length in fields}
        self.model = models.text_bag(spec, self.rows, n, seed=0)
        self.pos_weight = tf.Variable(np.ones(n, np.float32))
        self.loss = losses.build(loss, spec.head, self.pos_weight)
        self.sums_over_labels = isinstance(loss, BinaryFocal) and loss.reduction == "sum_over_labels"
        self.model.compile(
            optimizer=keras.optimizers.Adam(training.learning_rate),
            loss=self.loss,
            jit_compile=True,
            steps_per_execution=WHOLE_EPOCH,
        )
        self.model.unrolled_steps_per_execution = 1  # Keras's 8 copies of the step only take longer to compile
        self.model.optimizer.build(self.model.trainable_variables)
        self.fresh_optimizer = [variable.numpy() for variable in self.model.optimizer.variables]
        self.logits = tf.function(lambda x: self.model(x, training=False), jit_compile=True)
        self.watched = functools.cache(self._watched)

    def reset(self, seed: int, vocabularies: dict[str, Vocabulary], pos_weight: Floats | None) -> None:
        """Put the network into the state that a new one built under this seed would have."""
        tf.random.set_seed(seed)
        fresh = models.text_bag(self.spec, self.rows, self.n_labels, seed)
        for variable, value in zip(self.model.variables, fresh.variables, strict=True):
            variable.assign(value)
        for variable, start in zip(self.model.optimizer.variables, self.fresh_optimizer, strict=True):
            variable.assign(start)
        self.pos_weight.assign(np.ones(self.n_labels) if pos_weight is None else pos_weight)
        for layer in self.model.layers:
            if isinstance(layer, models.Bag) and layer.pooling == "tfidf":
                layer.idf.assign(_idf_column(vocabularies[layer.name.split("_", 1)[1]], layer.rows))

    def _watched(self, name: str) -> Callable[[npt.NDArray[np.uint8], Floats], Tensor]:
        """One of Keras's metrics as a function (y_true, scores) -> value, traced once: AUC is slow otherwise."""
        metric = WATCHED[name](self.n_labels)

        @tf.function  # type: ignore[untyped-decorator]  # tensorflow is untyped
        def value(y_true: Tensor, scores: Tensor) -> Tensor:
            metric.reset_state()
            metric.update_state(y_true, scores)
            return metric.result()

        return lambda y_true, scores: value(tf.constant(y_true), tf.constant(scores, tf.float32))


@dataclass(frozen=True, eq=False)
class Fitted:
    """A trained network: scores of any part, and its files without pickles."""

    labels: tuple[str, ...]
    network: Network
    vocabularies: dict[str, Vocabulary]
    weights: list[npt.NDArray[Any]]
    kept_epoch: int

    def scores(self, part: Part) -> Floats:
        """Return probabilities, float64 (n, n_labels)."""
        for variable, value in zip(self.network.model.variables, self.weights, strict=True):
            variable.assign(value)
        return _scores(self.network, _inputs(self.network, self.vocabularies, part))

    def save(self, folder: Path) -> None:
        """Write ``weights.npz`` (by variable path) and ``preprocessing.json``; :func:`load_saved` reads them."""
        folder.mkdir(parents=True, exist_ok=True)
        names = [variable.path for variable in self.network.model.variables]
        np.savez_compressed(folder / _WEIGHTS, allow_pickle=False, **dict(zip(names, self.weights, strict=True)))
        fields = {
            field: {"length": self.network.lengths[field], **vocabulary.to_json()}
            for field, vocabulary in self.vocabularies.items()
        }
        stored = {"kind": self.network.spec.kind, "labels": self.labels, "kept_epoch": self.kept_epoch}
        (folder / _PREPROCESSING).write_text(json.dumps(stored | {"fields": fields}, ensure_ascii=False), "utf-8")


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
            ``<watched>`` and ``val_<watched>``; a loss declared to sum over labels also as ``loss_per_label`` and
            ``val_loss_per_label``. Without positives in validation there is no average precision: its key is left out,
            and the last epoch is kept.

    Raises:
        NotFiniteError: the loss or a weight is no longer finite.
    """
    assert isinstance(trial.model, TextBagSpec)
    spec, training = trial.model, trial.training
    vocabularies = {
        field: Vocabulary.fit(tokens, min_rows=spec.min_rows, max_tokens=spec.max_tokens)
        for field, tokens in data.train.text.items()
    }
    fields = tuple(
        (field, _table_rows(vocabulary, spec.max_tokens), _length(data.train.text[field], spec.max_length))
        for field, vocabulary in vocabularies.items()
    )
    network = _network(spec, trial.loss, training, fields, len(data.labels))
    network.reset(seed, vocabularies, weights.pos_weight)
    curves = _Curves(network, data, vocabularies, watch, on_epoch, training.keep)
    batches = _batches(curves.train_inputs, data.train.y, training.batch_size, seed)
    network.model.fit(batches, epochs=training.epochs, shuffle=False, verbose=0, callbacks=[curves])
    return Fitted(data.labels, network, vocabularies, curves.kept_weights, curves.kept_epoch)


def load_saved(trial: Trial, folder: Path) -> Fitted:
    """Return the network of ``trial`` that ``save`` wrote to ``folder``; it gives identical scores.

    Raises:
        UserError: there is no saved network in ``folder``.
    """
    assert isinstance(trial.model, TextBagSpec)
    try:
        stored = json.loads((folder / _PREPROCESSING).read_text(encoding="utf-8"))
        with np.load(folder / _WEIGHTS, allow_pickle=False) as archive:
            weights = dict(archive)
    except FileNotFoundError as error:
        raise UserError(f"{error.filename}: missing; {folder} holds no saved network") from error
    vocabularies = {field: Vocabulary.from_json(vocabulary) for field, vocabulary in stored["fields"].items()}
    fields = tuple(
        (field, _table_rows(vocabulary, trial.model.max_tokens), stored["fields"][field]["length"])
        for field, vocabulary in vocabularies.items()
    )
    labels = tuple(stored["labels"])
    network = _network(trial.model, trial.loss, trial.training, fields, len(labels))
    ordered = [weights[variable.path] for variable in network.model.variables]
    return Fitted(labels, network, vocabularies, ordered, stored["kept_epoch"])


@functools.lru_cache(maxsize=1)
def _network(spec: TextBagSpec, loss: LossSpec, training: TrainingSpec, fields: Fields, n_labels: int) -> Network:
    keras.backend.clear_session()
    return Network(spec, loss, training, fields, n_labels)


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
        self.watch = watch
        self.train_inputs = _inputs(network, vocabularies, data.train)
        self.validation_inputs = _inputs(network, vocabularies, data.validation)
        self.kept_epoch, self.kept_value = 0, -np.inf
        self.kept_weights: list[npt.NDArray[Any]] = []

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """See the class."""
        curves = {"loss": float((logs or {})["loss"])}
        logits = _logits(self.network, self.validation_inputs)
        y = self.data.validation.y
        curves["val_loss"] = float(np.mean(self.network.loss(y.astype(np.float32), logits)))
        _check_finite(epoch + 1, curves, self.network.model)
        scores = models.scores(self.network.spec.head, logits)
        average_precision = metrics.macro_average_precision(y, scores)
        if not np.isnan(average_precision):
            curves[KEPT_BY] = average_precision
        curves |= self._watched("val_", y, scores)
        if self.watch:
            curves |= self._watched("", self.data.train.y, _scores(self.network, self.train_inputs))
        if self.network.sums_over_labels:
            n_labels = self.network.n_labels
            curves |= {f"{name}_per_label": curves[name] / n_labels for name in ("loss", "val_loss")}
        if self.keep == "last" or not average_precision <= self.kept_value:  # an undefined one keeps the epoch
            self.kept_epoch, self.kept_value = epoch + 1, average_precision
            self.kept_weights = [variable.numpy() for variable in self.network.model.variables]
        if self.on_epoch:
            self.on_epoch(epoch + 1, curves)

    def _watched(self, prefix: str, y: npt.NDArray[np.uint8], scores: Floats) -> dict[str, float]:
        return {prefix + name: float(self.network.watched(name)(y, scores)) for name in self.watch}


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


def _length(tokens: Tokens, max_length: int) -> int:
    """Tokens kept of a field: those of the longest training row, rounded up, for shorter padding is faster."""
    return min(-(-max(1, int(tokens.lengths.max())) // LENGTH_STEP) * LENGTH_STEP, max_length)


def _inputs(network: Network, vocabularies: dict[str, Vocabulary], part: Part) -> Inputs:
    return {
        field: vocabulary.pad(part.text[field], network.lengths[field]) for field, vocabulary in vocabularies.items()
    }


def _batches(inputs: Inputs, y: npt.NDArray[np.uint8], batch_size: int, seed: int) -> tf.data.Dataset:
    """Shuffled batches of equal size: the rows left over differ from epoch to epoch.

    One batch size means one compiled step. Fewer rows than a batch make one batch.
    """
    n = len(y)
    batch_size = min(batch_size, n)
    x = {field: tf.constant(ids) for field, ids in inputs.items()}
    targets = tf.constant(y.astype(np.float32))
    rows = tf.data.Dataset.range(n).shuffle(n, seed=seed, reshuffle_each_iteration=True)
    rows = rows.batch(batch_size, drop_remainder=True)
    batches = rows.map(lambda i: ({f: tf.gather(ids, i) for f, ids in x.items()}, tf.gather(targets, i)))
    return batches.prefetch(2)


def _logits(network: Network, inputs: Inputs) -> npt.NDArray[np.float32]:
    n = len(next(iter(inputs.values())))
    blocks = []
    for start in range(0, n, PREDICT_BATCH):
        block = {field: ids[start : start + PREDICT_BATCH] for field, ids in inputs.items()}
        missing = max(0, start + PREDICT_BATCH - n)
        block = {field: np.pad(ids, ((0, missing), (0, 0))) for field, ids in block.items()}
        blocks.append(network.logits(block).numpy()[: PREDICT_BATCH - missing])
    return np.concatenate(blocks)


def _scores(network: Network, inputs: Inputs) -> Floats:
    return models.scores(network.spec.head, _logits(network, inputs))
