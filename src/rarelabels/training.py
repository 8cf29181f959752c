"""Train the declared network: seed, compile, fit, curves, and scores of a part.

One compiled network serves all seeds of a trial in a process (compiling costs as much as a fit): it is kept between
calls, and weights, optimizer state and random generators are set anew for each fit.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, assert_never

import numpy as np
import numpy.typing as npt

from rarelabels import (
    losses,
    memory,
    metrics,
    model_files,
    models,
    optimizers,
    powerset,
    preprocessing,
    pruning,
    watched,
)
from rarelabels.datasets import Dataset, Part
from rarelabels.datasets.fields import Vocabulary
from rarelabels.losses import LabelFactors, OfClasses
from rarelabels.powerset import LabelSets, SeenSets
from rarelabels.preprocessing import Inputs, Preprocessing, Shape
from rarelabels.schema import (
    Backbone,
    BinaryFocal,
    CategoricalCrossentropy,
    ImagesSpec,
    LastBlockSpec,
    LogitAdjusted,
    LossSpec,
    NetworkSpec,
    RegularisedSpec,
    TextBagSpec,
    TrainingSpec,
    Trial,
    without_numbers,
    without_strength,
)
from rarelabels.tensorflow_setup import keras, tf
from rarelabels.watched import Watched
from rarelabels.weighting import Weights

Floats = npt.NDArray[np.float64]
OnEpoch = Callable[[int, dict[str, float]], None]
_Block = tuple[int, dict[str, Any]]
Objective = Callable[[Floats], float]  # of validation scores, (n, n_labels)

PREDICT_BATCH = 512  # the last batch is padded to it, so that a row's scores never depend on the rows around it
LOGITS_AT_ONCE = 2**22  # fewer rows are a batch where there are many label sets
ROOM_STEP = 512  # tokens of a batch are padded to a multiple, so that most seeds of a trial share one compiled step
KEPT_BY = "val_macro_average_precision"
_SETS = "label_sets"


class NotFiniteError(Exception):
    """The loss or a weight became NaN or infinite; the message names it and the epoch."""


class Network:
    """A compiled network with what a fit resets."""

    def __init__(self, spec: NetworkSpec, loss: LossSpec, training: TrainingSpec, shape: Shape) -> None:
        self.spec, self.shape = spec, shape
        plain = self.is_plain = training.execution == "plain"
        packed = isinstance(spec, TextBagSpec) and spec.pooling != "max" and not plain
        self._rooms = {f"text_{i}": 0 for i in range(len(shape.fields))} if packed else {}
        self.model = models.build(spec, shape, seed=0, packed=packed)
        ones = np.ones(shape.n_labels, np.float32)
        self.factors = LabelFactors(
            positive=tf.Variable(ones), negative=tf.Variable(ones), prevalence=tf.Variable(ones)
        )
        self.numbers = {name: tf.Variable(value, dtype=tf.float32) for name, value in losses.numbers(loss).items()}
        self.loss = losses.build(loss, spec.head, self.factors, self.numbers)
        self.sums_over_labels = isinstance(loss, BinaryFocal) and loss.reduction == "sum_over_labels"
        # Over how many labels the loss of a row is the mean. It is no mean where it is a sum, or of a label set.
        is_mean = not (self.sums_over_labels or isinstance(loss, CategoricalCrossentropy) or shape.n_sets is not None)
        self.averaged_labels = shape.n_labels if is_mean else 1
        self.penalty = tf.Variable(0.0)
        self.masks = pruning.masks(training.pruning, self.model.trainable_variables)
        # XLA makes convolutions on images slow: 24 ms a row where it takes 4 without.
        jit = shape.backbone is None and not plain
        self.model.compile(
            optimizer=_optimizer(training, self.penalty if isinstance(spec, RegularisedSpec) and spec.l2 else None),
            loss=self.loss if shape.n_sets is None else OfClasses(self.loss),
            jit_compile=jit,
        )
        self.steps = tf.Variable(1)
        if not plain:
            self.model.train_function = self._whole_epoch(jit)
        self.model.optimizer.build(self.model.trainable_variables)
        self.fresh_optimizer = [variable.numpy() for variable in self.model.optimizer.variables]
        unused = {models.packed_of(field): tf.zeros((1, 2), tf.int32) for field in self._rooms}
        if models.is_linear(spec):
            unused |= {models.packed_of(models.weights_of(field)): tf.zeros(1) for field in self._rooms}
        self.logits = tf.function(lambda x: self.model(x | unused, training=False), jit_compile=jit, autograph=False)
        self._finite = tf.function(self._weights_are_finite, autograph=False)
        drawn = models.initializers(spec, shape, seed=0)
        assert drawn.keys() <= {variable.path for variable in self.model.variables}
        self._start = {one.path: one.numpy() for one in self.model.variables if one.path not in drawn}
        self.holds: list[npt.NDArray[Any]] | None = None  # the weights that were last put back, if still there

    @property
    def output_parameters(self) -> int:
        """Weights and biases of the layer that gives the logits."""
        return int(self.model.get_layer("logits").count_params())

    def _whole_epoch(self, jit: bool) -> Callable[[Any], Any]:
        """Return what stands in for Keras's own train function, which holds the number of its steps compiled.

        Nothing here is rewritten by AutoGraph, which took a second for each network.
        """
        step = tf.function(self.model.train_step, jit_compile=jit, reduce_retracing=True, autograph=False)

        @tf.function(reduce_retracing=True, autograph=False)  # type: ignore[untyped-decorator]  # tensorflow is untyped
        def whole_epoch(batches: Any) -> Any:
            def one_more(done: Any, _: Any) -> Any:
                return done + 1, step(next(batches))

            return tf.while_loop(lambda done, _: done < self.steps, one_more, (1, step(next(batches))))[1]

        return whole_epoch  # type: ignore[no-any-return]  # tensorflow is untyped

    def rooms(self, inputs: Inputs, batch_size: int) -> dict[str, int]:
        """Return how many tokens of each packed field a batch may hold.

        No fewer than before, which changes no number: another room would be another compiled step.
        """
        for field, before in self._rooms.items():
            self._rooms[field] = max(before, _room(inputs[field], batch_size))
        return dict(self._rooms)

    def train(self, batches: tf.data.Dataset, steps: int, **options: Any) -> None:
        """Call ``fit`` with batches without end, of which ``steps`` make an epoch."""
        self.steps.assign(steps)
        self.holds = None
        if not self.is_plain:
            self.model.steps_per_execution = steps
        self.model.fit(batches, steps_per_epoch=steps, shuffle=False, verbose=0, **options)

    def reset(self, seed: int, prepared: Preprocessing, weights: Weights, trial: Trial, n_rows: int) -> None:
        """Put the network into the state that a new one built for the trial under this seed would have.

        Args:
            seed: of the first weights, and of what is dropped.
            prepared: has the idf of the tokens.
            weights: of the loss.
            trial: whose numbers are no part of what is compiled.
            n_rows: that it will be trained on, by which a penalty is divided.
        """
        drawn = models.initializers(self.spec, self.shape, seed)
        for variable in self.model.variables:
            path = variable.path
            variable.assign(drawn[path](variable.shape) if path in drawn else self._start[path])
        if isinstance(trial.model, RegularisedSpec):
            self.penalty.assign(trial.model.l2 / (n_rows * self.averaged_labels))
            if trial.model.bias == "prevalence":
                self.model.get_layer("logits").bias.assign(_first_bias(trial.loss, weights))
            self._reset_dropout(seed)
        self.holds = None
        for variable, start in zip(self.model.optimizer.variables, self.fresh_optimizer, strict=True):
            variable.assign(start)
        self.model.optimizer.learning_rate = trial.training.learning_rate
        for name, value in losses.numbers(trial.loss).items():
            self.numbers[name].assign(value)
        ones = np.ones(self.shape.n_labels)
        self.factors.positive.assign(ones if weights.positive is None else weights.positive)
        self.factors.negative.assign(ones if weights.negative is None else weights.negative)
        self.factors.prevalence.assign(weights.prevalence)
        for mask in self.masks.values():
            mask.kept.assign(tf.ones_like(mask.kept))
        vocabularies = list(prepared.vocabularies.values())
        for layer in self.model.layers:
            if isinstance(layer, models.Bag) and layer.pooling == "tfidf":
                layer.idf.assign(_idf_column(vocabularies[int(layer.name.split("_")[1])], layer.rows))

    def _reset_dropout(self, seed: int) -> None:
        """Make each layer that drops inputs draw by the seed, and no two layers alike."""
        states = [variable for variable in self.model.variables if variable.name == "seed_generator_state"]
        for number, state in enumerate(states):
            state.assign([number, seed])

    def put(self, weights: list[npt.NDArray[Any]]) -> None:
        """Take the weights of a fit, unless they are there."""
        if self.holds is not weights:
            for variable, value in zip(self.model.variables, weights, strict=True):
                variable.assign(value)
            self.holds = weights

    def not_finite(self) -> str | None:
        """Return the path of the first weight with a value that is NaN or infinite, if there is one."""
        finite = self._finite().numpy()
        return None if finite.all() else str(self.model.weights[int(finite.argmin())].path)

    def _weights_are_finite(self) -> Any:
        return tf.stack([tf.reduce_all(tf.math.is_finite(weight.value)) for weight in self.model.weights])


@dataclass(frozen=True, eq=False)
class Fitted:
    """A trained network: scores of any part, and its files without pickles.

    Attributes:
        labels: names of the labels.
        network: the compiled network, shared with other fits: ``scores`` puts the weights back.
        prepared: what turns rows into its inputs.
        weights: of the epoch kept.
        kept_epoch: from 1.
        facts: name to number, about how the training went; see :func:`fit`.
        epochs: where ``training.every_epoch`` asks for it, what every epoch ended with: ``validation`` and ``test``,
            scores as float32 (n_epochs, n, n_labels), and ``val_loss`` (n_epochs,).
        sets: the label sets that the logits are of; None where they are of labels.
    """

    labels: tuple[str, ...]
    network: Network
    prepared: Preprocessing
    weights: list[npt.NDArray[Any]]
    kept_epoch: int
    facts: dict[str, float]
    epochs: dict[str, npt.NDArray[Any]] | None = None
    sets: LabelSets | None = None

    def scores(self, part: Part) -> Floats:
        """Return probabilities, float64 (n, n_labels); of label sets the sum over those that hold the label."""
        self.network.put(self.weights)
        return _scores(self.network, self.sets, _blocks(self.network, self.prepared.inputs(part)))

    def label_sets(self, part: Part) -> npt.NDArray[np.uint8] | None:
        """Return the labels of each row's most likely label set, (n, n_labels); None for a head on labels."""
        if self.sets is None:
            return None
        self.network.put(self.weights)
        blocks = _blocks(self.network, self.prepared.inputs(part))
        return self.sets.sets(_read(self.network, self.sets, blocks).most_likely)

    def save(self, folder: Path) -> None:
        """Write the weights, by variable path, and the preprocessing to ``folder``; :func:`load_saved` reads them."""
        names = [variable.path for variable in self.network.model.variables]
        stored: dict[str, Any] = {"kind": self.network.spec.kind, "labels": self.labels, "kept_epoch": self.kept_epoch}
        stored |= self.prepared.to_json()
        if isinstance(self.sets, SeenSets):
            stored[_SETS] = self.sets.to_json()
        model_files.save(folder, stored, dict(zip(names, self.weights, strict=True)))


def fit(
    trial: Trial,
    data: Dataset,
    weights: Weights,
    seed: int,
    watch: tuple[str, ...] = (),
    on_epoch: OnEpoch | None = None,
    objective: Objective | None = None,
) -> Fitted:
    """Train the network of ``trial`` and keep the epoch that ``training.keep`` names.

    Args:
        trial: a declared network trial.
        data: its data set, split with ``seed``.
        weights: from the training part.
        seed: initialises the net and shuffles the rows.
        watch: metrics to follow once per epoch, from the scores at its end.
        on_epoch: is given the epoch (from 1) and its curves: ``loss`` (with row weights, if there are any),
            ``val_loss`` (without), ``val_macro_average_precision``, ``<watched>`` and ``val_<watched>``; the former
            are of some training rows, see ``watched.rows``. A loss declared to sum over labels comes also as
            ``loss_per_label`` and ``val_loss_per_label``. Without positives in validation there is no average
            precision: its key is left out, and the last epoch is kept. With the head ``seen_sets`` a validation row
            whose label set no training row has would cost infinitely much: ``val_loss`` is the mean over the others,
            and left out if there are none.
        objective: of the validation scores of each epoch; a curve of that name. ``on_epoch`` may end the training by
            raising.

    Returns:
        The facts are ``kept_epoch`` and ``epochs``, how many there were; ``roughness_val_loss`` and
        ``roughness_val_macro_average_precision``, the mean absolute second difference of the curve divided by its mean
        (0 for a straight line; needs three epochs); ``zero_share``, the share of the trained tables' and kernels'
        weights that are 0; ``output_parameters`` of the layer that gives the logits; with a head of label sets
        ``val_loss_share``, the share of validation rows that ``val_loss`` covers. Two more are of the machine, and
        never the same twice: ``seconds_per_epoch``, the median of all epochs but the first, which compiles, without
        what is measured between them; and ``memory_rise_bytes`` of the process (see ``memory.Peak``), left out where
        no one can tell.

    Raises:
        NotFiniteError: the loss or a weight is no longer finite.
        UserError: see ``preprocessing.check``.
    """
    assert isinstance(trial.model, NetworkSpec)
    spec, training = trial.model, trial.training
    preprocessing.check(spec, data)
    prepared = Preprocessing.fit(spec, data.train)
    sets = powerset.classes_of(spec.head, data.train.y)
    network = _network(spec, trial.loss, training, _shape(trial, prepared, data.labels, sets))
    peak = memory.Peak()
    network.reset(seed, prepared, weights, trial, len(data.train.y))
    curves = _Curves(network, data, prepared, sets, watch, on_epoch, training, objective)
    callbacks = [curves]
    if training.pruning:
        callbacks += [pruning.MagnitudePruning(training.pruning, network.masks, network.model.trainable_variables)]
    batches = _batches(
        curves.train_inputs,
        _targets(sets, data.train.y),
        weights.rows,
        training.batch_size,
        seed,
        network.rooms(curves.train_inputs, training.batch_size),
    )
    schedule = training.schedule(len(data.train.y))
    network.train(batches, schedule.steps, epochs=schedule.epochs, callbacks=callbacks)
    facts = curves.facts() | {"kept_epoch": curves.kept_epoch, "zero_share": _zero_share(network, curves.kept_weights)}
    facts |= {"output_parameters": network.output_parameters} | peak.facts()
    return Fitted(data.labels, network, prepared, curves.kept_weights, curves.kept_epoch, facts, curves.epochs(), sets)


def load_saved(trial: Trial, folder: Path) -> Fitted:
    """Return the network of ``trial`` that ``save`` wrote to ``folder``; it gives identical scores.

    Raises:
        UserError: there is no saved network in ``folder``.
    """
    assert isinstance(trial.model, NetworkSpec)
    stored, weights = model_files.load(folder, "network")
    prepared, labels = Preprocessing.from_json(stored), tuple(stored["labels"])
    sets = _stored_sets(trial.model.head, stored, len(labels))
    network = _network(trial.model, trial.loss, trial.training, _shape(trial, prepared, labels, sets))
    ordered = [weights[variable.path] for variable in network.model.variables]
    return Fitted(labels, network, prepared, ordered, stored["kept_epoch"], {}, sets=sets)


def _stored_sets(head: str, stored: dict[str, Any], n_labels: int) -> LabelSets | None:
    if head == "seen_sets":
        return SeenSets.from_json(stored[_SETS], n_labels)
    return powerset.AllSets(n_labels) if head == "powerset" else None


def _shape(trial: Trial, prepared: Preprocessing, labels: tuple[str, ...], sets: LabelSets | None) -> Shape:
    return replace(prepared.shape(len(labels), _backbone(trial)), n_sets=sets.count if sets else None)


def _targets(sets: LabelSets | None, y: npt.NDArray[np.uint8]) -> npt.NDArray[Any]:
    """Return what the loss compares logits with: the labels, (n, n_labels) float32, or each row's class, (n,)."""
    return y.astype(np.float32) if sets is None else sets.classes(y)


def _backbone(trial: Trial) -> Backbone | None:
    """Whose last block the network trains further."""
    if isinstance(trial.model, LastBlockSpec) and isinstance(trial.dataset, ImagesSpec):
        return trial.dataset.backbone
    return None


def _network(spec: NetworkSpec, loss: LossSpec, training: TrainingSpec, shape: Shape) -> Network:
    if training.execution == "plain":
        keras.backend.clear_session()
        return Network(spec, loss, training, shape)
    return _compiled(without_strength(spec), without_numbers(loss), training.compiled(), shape)


@functools.lru_cache(maxsize=2)  # the vocabularies of a trial's seeds may need tables of two sizes
def _compiled(spec: NetworkSpec, loss: LossSpec, training: TrainingSpec, shape: Shape) -> Network:
    keras.backend.clear_session()
    return Network(spec, loss, training, shape)


def _first_bias(loss: LossSpec, weights: Weights) -> Floats:
    """Return the first biases of the logits, (n_labels,): the log odds of each label's prevalence.

    A loss that adds a part of the log odds to the logits leaves the other part to the biases.
    """
    log_odds = np.log(weights.prevalence) - np.log1p(-weights.prevalence)
    return np.asarray(log_odds * (1 - loss.tau) if isinstance(loss, LogitAdjusted) else log_odds)


def _optimizer(training: TrainingSpec, penalty: tf.Variable | None) -> keras.optimizers.Optimizer:
    """Return the declared optimizer; with a variable for its strength, one that has an L2 penalty."""
    adam, adamw, sgd = optimizers.TableAdam, optimizers.TableAdamW, keras.optimizers.SGD
    if training.execution == "plain":
        adam, adamw = keras.optimizers.Adam, keras.optimizers.AdamW
    if penalty is not None:  # its gradient is of the whole table, so that a look-up of rows saves nothing
        adam, adamw, sgd = optimizers.PenalisedAdam, optimizers.PenalisedAdamW, optimizers.PenalisedSGD
    match training.optimizer:
        case "adam":
            made = adam(training.learning_rate)
        case "adamw":
            made = adamw(training.learning_rate, weight_decay=training.weight_decay)
        case "sgd":
            made = sgd(training.learning_rate, momentum=training.momentum)
        case _:
            assert_never(training.optimizer)
    if penalty is not None:
        made.strength = penalty
    return made


class _Curves(keras.callbacks.Callback):  # type: ignore[misc]  # keras is untyped
    """After each epoch: everything finite? then curves from the scores, and the weights of the epoch kept."""

    def __init__(
        self,
        network: Network,
        data: Dataset,
        prepared: Preprocessing,
        sets: LabelSets | None,
        watch: tuple[str, ...],
        on_epoch: OnEpoch | None,
        training: TrainingSpec,
        objective: Objective | None,
    ) -> None:
        super().__init__()
        self.objective, self.sets = objective, sets
        self.network, self.data, self.on_epoch = network, data, on_epoch
        self.keep, self.patience = training.keep, training.patience
        self.watch, self.watched = watch, _watched(data.labels)
        self.train_inputs, followed = prepared.inputs(data.train), prepared.inputs(data.validation)
        self.n_validation, y = len(data.validation.y), data.validation.y
        if watch:
            rows = watched.rows(len(data.train.y), len(data.validation.y))
            self.y_train = data.train.y[rows]
            followed = {name: np.concatenate([of, self.train_inputs[name][rows]]) for name, of in followed.items()}
            y = np.concatenate([y, self.y_train])
        self.targets = _targets(sets, y)
        # Cut once for all epochs.
        self.blocks = list(_blocks(network, followed))
        self.test_blocks = list(_blocks(network, prepared.inputs(data.test))) if training.every_epoch else []
        self.best_epoch, self.best_value, self.kept_epoch = 0, -np.inf, 0
        self.kept_weights: list[npt.NDArray[Any]] = []
        self.history: list[dict[str, float]] = []
        self.scores: list[tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]] = []
        self.begun, self.seconds = 0.0, list[float]()
        self.val_loss_share: float | None = None

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002  Keras calls it so
        """Look at the clock."""
        self.begun = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """See the class."""
        curves = {"loss": float((logs or {})["loss"])}
        self.seconds.append(time.perf_counter() - self.begun)
        y = self.data.validation.y
        val_loss, scores, train_scores = self._validate()
        curves |= {} if val_loss is None else {"val_loss": val_loss}
        _check_finite(epoch + 1, curves, self.network)
        average_precision = metrics.macro_average_precision(y, scores)
        if not np.isnan(average_precision):
            curves[KEPT_BY] = average_precision
        if self.test_blocks:
            test = _scores(self.network, self.sets, self.test_blocks)
            self.scores.append((scores.astype(np.float32), test.astype(np.float32)))
        if self.objective:
            curves["objective"] = self.objective(scores)
        if self.watch:
            curves |= self.watched.curves(self.watch, "val_", y, scores)
            curves |= self.watched.curves(self.watch, "", self.y_train, train_scores)
        if self.network.sums_over_labels:
            n_labels = self.network.shape.n_labels
            curves |= {f"{name}_per_label": curves[name] / n_labels for name in ("loss", "val_loss")}
        if not average_precision <= self.best_value:  # an undefined one counts as the best
            self.best_epoch, self.best_value = epoch + 1, average_precision
        if self.keep == "last" or self.best_epoch == epoch + 1:
            self.kept_epoch = epoch + 1
            self.kept_weights = [variable.numpy() for variable in self.network.model.variables]
        self.history.append(curves)
        if self.on_epoch:
            self.on_epoch(epoch + 1, curves)
        if self.patience is not None and epoch + 1 - self.best_epoch >= self.patience:
            self.network.model.stop_training = True

    def epochs(self) -> dict[str, npt.NDArray[Any]] | None:
        """Return what every epoch ended with, if it was kept."""
        if not self.scores:
            return None
        validation, test = zip(*self.scores, strict=True)
        losses = np.array([curves["val_loss"] for curves in self.history])
        return {"validation": np.stack(validation), "test": np.stack(test), "val_loss": losses}

    def _validate(self) -> tuple[float | None, Floats, Floats]:
        """Return the loss of the validation part, None if no row has one, its scores and those of watched rows."""
        n = self.n_validation
        if self.sets is None:
            logits = _logits(self.network, self.blocks)
            loss = float(np.mean(self.network.loss(self.targets[:n], logits[:n])))
            scores = models.scores(self.network.spec.head, logits)
            return loss, scores[:n], scores[n:]
        read = _read(self.network, self.sets, self.blocks, self.targets)
        losses = read.losses[:n]
        covered = ~np.isnan(losses)
        self.val_loss_share = float(covered.mean())
        return float(losses[covered].mean()) if covered.any() else None, read.marginals[:n], read.marginals[n:]

    def facts(self) -> dict[str, float]:
        """Return how rough the validation curves are, and the other facts that epochs tell; see :func:`fit`."""
        facts = {"epochs": float(len(self.history))}
        if len(self.seconds) > 1:
            facts["seconds_per_epoch"] = float(np.median(self.seconds[1:]))
        if self.val_loss_share is not None:
            facts["val_loss_share"] = self.val_loss_share
        for name in ("val_loss", KEPT_BY):
            values = np.array([curves[name] for curves in self.history if name in curves])
            if len(values) > 2 and values.mean():
                facts[f"roughness_{name}"] = float(np.abs(np.diff(values, 2)).mean() / abs(values.mean()))
        return facts


@functools.lru_cache(maxsize=1)
def _watched(labels: tuple[str, ...]) -> Watched:
    return Watched(labels)


def _check_finite(epoch: int, curves: dict[str, float], network: Network) -> None:
    for name, value in curves.items():
        if not np.isfinite(value):
            raise NotFiniteError(f"epoch {epoch}: {name} is {value}")
    if weight := network.not_finite():
        raise NotFiniteError(f"epoch {epoch}: weight {weight} is no longer finite")


def _zero_share(network: Network, weights: list[npt.NDArray[Any]]) -> float:
    pairs = zip(network.model.variables, weights, strict=True)
    trained = [values for variable, values in pairs if variable.trainable and values.ndim > 1]
    return float(sum((values == 0).sum() for values in trained) / sum(values.size for values in trained))


def _idf_column(vocabulary: Vocabulary, rows: int) -> npt.NDArray[np.float32]:
    column = np.zeros(rows, np.float32)
    column[1 : len(vocabulary.idf) + 1] = vocabulary.idf
    return column


def _batches(
    inputs: Inputs,
    targets: npt.NDArray[Any],
    row_weights: Floats | None,
    batch_size: int,
    seed: int,
    rooms: Mapping[str, int] = MappingProxyType({}),
) -> tf.data.Dataset:
    """Return shuffled batches of equal size, pass after pass over the rows without end.

    The rows left over differ from pass to pass. One batch size means one compiled step. Fewer rows than a batch make
    one batch. Of fields with ``rooms``, for so many tokens, a batch holds the tokens alone: see ``models.Bag``.
    """
    n = len(targets)
    batch_size = min(batch_size, n)
    steps = n // batch_size
    whole = [{name: tf.constant(values) for name, values in inputs.items()}, tf.constant(targets)]
    if row_weights is not None:
        whole.append(tf.constant(row_weights, tf.float32))
    rows = _shuffled(n, seed).batch(batch_size, drop_remainder=True).repeat()
    # Every other order, as Keras takes them of batches that end: it begins them twice an epoch, which takes a while.
    rows = rows.batch(steps).shard(2, 0).unbatch()
    of_fields = tuple(rooms.items())
    batch = tf.autograph.experimental.do_not_convert(lambda i: _batch(i, tuple(whole), of_fields))
    # There is nothing to tune here, and the thread that tunes keeps a fit that has ended waiting for up to a second.
    options = tf.data.Options()
    options.autotune.enabled = False
    return rows.map(batch).prefetch(2).with_options(options)


@tf.function(autograph=False)  # type: ignore[untyped-decorator]  # tensorflow is untyped
def _batch(i: Any, whole: tuple[Any, ...], rooms: tuple[tuple[str, int], ...]) -> tuple[Any, ...]:
    """Return the rows ``i`` of all; traced once for all fits, where a function of ``map`` would be each time."""
    x, *others = tf.nest.map_structure(lambda values: tf.gather(values, i), whole)
    packed, looked_at = {}, [field for field, _ in rooms]
    for field, room in rooms:
        places, weights = tf.where(x[field] > 0), models.weights_of(field)
        packed[models.packed_of(field)] = _packed(x[field], places, room)
        if weights in x:
            of_tokens = tf.gather_nd(x[weights], places)
            packed[models.packed_of(weights)] = tf.pad(of_tokens, [[0, -tf.shape(of_tokens)[0] % room]])
            looked_at.append(weights)
    return x | packed | {name: x[name][:, :1] for name in looked_at}, *others


def _shuffled(n: int, seed: int) -> tf.data.Dataset:
    """Return the numbers below ``n``, each time in another order.

    They are those of ``Dataset.shuffle(n, seed)`` after ``tf.random.set_seed(seed)``, which is not called because it
    makes TensorFlow forget every function that it has prepared: half a second a fit, and 4 MiB that nothing frees.
    """
    seed %= 2**31 - 1
    shuffled = tf.raw_ops.ShuffleDatasetV3(
        input_dataset=tf.data.experimental.to_variant(tf.data.Dataset.range(n)),
        buffer_size=n,
        seed=seed,
        seed2=seed or 2**31 - 1,  # two zeros would mean: any order
        seed_generator=tf.raw_ops.DummySeedGenerator(),
        reshuffle_each_iteration=True,
        output_types=[tf.int64],
        output_shapes=[[]],
    )
    return tf.data.experimental.from_variant(shuffled, tf.TensorSpec((), tf.int64))


def _room(ids: npt.NDArray[np.int32], batch_size: int) -> int:
    """Return how many tokens there may be in a batch of rows: 6 standard deviations more than the mean, rounded up.

    A batch with more gets twice or three times the room, and is compiled for itself: that takes seconds, and changes
    no number.
    """
    lengths = (ids > 0).sum(axis=1)
    most = batch_size * lengths.mean() + 6 * np.sqrt(batch_size) * lengths.std()
    return int(most // ROOM_STEP + 1) * ROOM_STEP


def _packed(ids: Any, places: Any, room: int) -> Any:
    """Return the tokens at the places and the rows they are in, (n, 2), padded with 0 to a multiple of the room."""
    pairs = tf.stack([tf.gather_nd(ids, places), tf.cast(places[:, 0], tf.int32)], axis=1)
    return tf.pad(pairs, [[0, -tf.shape(pairs)[0] % room], [0, 0]])


def _blocks(network: Network, inputs: Inputs) -> Iterator[_Block]:
    """Cut rows into batches of one size, the last of them padded; each with how many rows it has."""
    n = len(next(iter(inputs.values())))
    size = min(PREDICT_BATCH, max(1, LOGITS_AT_ONCE // network.shape.n_outputs))
    for start in range(0, n, size):
        block = {name: values[start : start + size] for name, values in inputs.items()}
        if missing := max(0, start + size - n):
            block = {name: np.pad(values, ((0, missing), (0, 0))) for name, values in block.items()}
        yield size - missing, {name: tf.constant(values) for name, values in block.items()}


def _logit_blocks(network: Network, blocks: Iterable[_Block]) -> Iterator[npt.NDArray[np.float32]]:
    for n_rows, block in blocks:
        yield network.logits(block).numpy()[:n_rows]


def _logits(network: Network, blocks: Iterable[_Block]) -> npt.NDArray[np.float32]:
    return np.concatenate(list(_logit_blocks(network, blocks)))


def _read(
    network: Network, sets: LabelSets, blocks: Iterable[_Block], classes: powerset.Classes | None = None
) -> powerset.Read:
    """Return what the logits of rows with these classes say, some rows at a time: all logits might not fit memory."""
    read, start = [], 0
    for logits in _logit_blocks(network, blocks):
        rows = slice(start, start := start + len(logits))
        read.append(powerset.read(logits, sets, None if classes is None else classes[rows]))
    return powerset.Read.joined(read)


def _scores(network: Network, sets: LabelSets | None, blocks: Iterable[_Block]) -> Floats:
    if sets is None:
        return models.scores(network.spec.head, _logits(network, blocks))
    return _read(network, sets, blocks).marginals
