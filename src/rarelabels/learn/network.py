"""One compiled network: its training steps, its scores, and how it is reset for each fit."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Any, assert_never

import numpy as np
import numpy.typing as npt

from rarelabels.data.fitted import Vocabulary
from rarelabels.declare.losses import (
    BinaryFocal,
    CategoricalCrossentropy,
    LogitAdjusted,
    LossSpec,
    without_numbers,
    without_strength,
)
from rarelabels.declare.models import NetworkSpec, RegularisedSpec, TextBagSpec
from rarelabels.declare.training import TrainingSpec
from rarelabels.declare.trial import Trial
from rarelabels.judging.arrays import Floats
from rarelabels.learn import losses, models, optimizers, powerset, pruning
from rarelabels.learn.powerset import LabelSets
from rarelabels.learn.preprocessing import Inputs, Preprocessing, Shape
from rarelabels.learn.tensorflow_setup import keras, tf
from rarelabels.learn.weighting import Weights

_Block = tuple[int, dict[str, Any]]
PREDICT_BATCH = 512  # rows; the last batch is padded to it, so that a row's scores never depend on other rows
LOGITS_AT_ONCE = 2**22  # a batch has fewer rows where there are many label sets
ROOM_STEP = 512  # the tokens of a batch are padded to a multiple, so that most seeds of a trial share a compiled step


class Network:
    """A compiled network that serves many fits, with the state that each fit resets."""

    def __init__(
        self, spec: NetworkSpec, loss: LossSpec, training: TrainingSpec, shape: Shape, *, unknown: bool
    ) -> None:
        self.spec, self.shape = spec, shape
        plain = self.is_plain = training.execution == "plain"
        packed = isinstance(spec, TextBagSpec) and spec.pooling != "max" and not plain
        self._rooms = {f"text_{i}": 0 for i in range(len(shape.fields))} if packed else {}
        self.model = models.build(spec, shape, seed=0, packed=packed)
        self.loss = losses.build(loss, spec.head, Weights(np.full(shape.n_labels, 0.5)), unknown=unknown)
        self.loss.make_variables()
        self.sums_over_labels = isinstance(loss, BinaryFocal) and loss.reduction == "sum_over_labels"
        # The number of labels over which a row's loss is the mean; 1 if the loss is a sum, or of a label set.
        is_mean = not (self.sums_over_labels or isinstance(loss, CategoricalCrossentropy) or shape.n_sets is not None)
        self.averaged_labels = shape.n_labels if is_mean else 1
        self.penalty = tf.Variable(0.0)
        self.masks = pruning.masks(training.pruning, self.model.trainable_variables)
        # XLA makes convolutions on images slow: a row takes 24 ms, and 4 ms without XLA.
        jit = shape.backbone is None and not plain
        self.model.compile(
            optimizer=_optimizer(training, self.penalty if isinstance(spec, RegularisedSpec) and spec.l2 else None),
            loss=self.loss,
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
        self.holds: list[npt.NDArray[Any]] | None = None  # the weights that ``put`` has set, if they are still set

    @property
    def output_parameters(self) -> int:
        """The number of weights and biases of the layer that gives the logits."""
        return int(self.model.get_layer("logits").count_params())

    def _whole_epoch(self, jit: bool) -> Callable[[Any], Any]:
        """Return a replacement for Keras's own train function, into which the number of steps is compiled.

        AutoGraph is switched off, because it took a second for each network.
        """
        step = tf.function(self.model.train_step, jit_compile=jit, reduce_retracing=True, autograph=False)

        @tf.function(reduce_retracing=True, autograph=False)  # type: ignore[untyped-decorator]  # tensorflow is untyped
        def whole_epoch(batches: Any) -> Any:
            def one_more(done: Any, _: Any) -> Any:
                return done + 1, step(next(batches))

            return tf.while_loop(lambda done, _: done < self.steps, one_more, (1, step(next(batches))))[1]

        return whole_epoch  # type: ignore[no-any-return]  # tensorflow is untyped

    def rooms(self, inputs: Inputs, batch_size: int) -> dict[str, int]:
        """Return how many tokens of each packed field a batch has room for.

        The room never shrinks, because another room would need another compiled step. It does not change any result.
        """
        for field, before in self._rooms.items():
            self._rooms[field] = max(before, _room(inputs[field], batch_size))
        return dict(self._rooms)

    def train(self, batches: tf.data.Dataset, steps: int, **options: Any) -> None:
        """Call Keras's ``fit`` with endless batches; ``steps`` of them make an epoch."""
        self.steps.assign(steps)
        self.holds = None
        if not self.is_plain:
            self.model.steps_per_execution = steps
        self.model.fit(batches, steps_per_epoch=steps, shuffle=False, verbose=0, **options)

    def reset(self, seed: int, prepared: Preprocessing, weights: Weights, trial: Trial, n_rows: float) -> None:
        """Put the network into the state that a new one built for the trial under this seed would have.

        Args:
            seed: of the first weights, and of dropout.
            prepared: has the idf of the tokens.
            weights: of the loss.
            trial: has the numbers that are not compiled in, such as the learning rate.
            n_rows: the number of training rows, by which an L2 penalty is divided; if labels are unknown, times the
                share of cells that are known.
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
        self.loss.take(losses.build(trial.loss, self.spec.head, weights))
        for mask in self.masks.values():
            mask.kept.assign(tf.ones_like(mask.kept))
        vocabularies = list(prepared.vocabularies.values())
        for layer in self.model.layers:
            if isinstance(layer, models.Bag) and layer.pooling == "tfidf":
                layer.idf.assign(_idf_column(vocabularies[int(layer.name.split("_")[1])], layer.rows))

    def _reset_dropout(self, seed: int) -> None:
        """Seed each dropout layer with ``seed`` and its own number, so that no two layers draw alike."""
        states = [variable for variable in self.model.variables if variable.name == "seed_generator_state"]
        for number, state in enumerate(states):
            state.assign([number, seed])

    def put(self, weights: list[npt.NDArray[Any]]) -> None:
        """Set the weights of a fit, unless they are set already."""
        if self.holds is not weights:
            for variable, value in zip(self.model.variables, weights, strict=True):
                variable.assign(value)
            self.holds = weights

    def not_finite(self) -> str | None:
        """Return the path of the first weight with a NaN or infinite value; None if all are finite."""
        finite = self._finite().numpy()
        return None if finite.all() else str(self.model.weights[int(finite.argmin())].path)

    def _weights_are_finite(self) -> Any:
        return tf.stack([tf.reduce_all(tf.math.is_finite(weight.value)) for weight in self.model.weights])


def build_network(
    spec: NetworkSpec, loss: LossSpec, training: TrainingSpec, shape: Shape, *, unknown: bool = False
) -> Network:
    """Return a compiled network. Networks of the last calls are used again if they are the same.

    With ``unknown``, its loss leaves out labels that are NaN.
    """
    if training.execution == "plain":
        keras.backend.clear_session()
        return Network(spec, loss, training, shape, unknown=unknown)
    return _compiled(without_strength(spec), without_numbers(loss), training.compiled(), shape, unknown)


@functools.lru_cache(maxsize=2)  # 2, because the vocabularies of a trial's seeds may need tables of two sizes
def _compiled(spec: NetworkSpec, loss: LossSpec, training: TrainingSpec, shape: Shape, unknown: bool) -> Network:
    keras.backend.clear_session()
    return Network(spec, loss, training, shape, unknown=unknown)


def _first_bias(loss: LossSpec, weights: Weights) -> Floats:
    """Return the initial biases of the logits, (n_labels,): the log odds of each label's prevalence.

    A logit-adjusted loss itself adds τ times the log odds to the logits. Then the biases get the rest.
    """
    log_odds = np.log(weights.prevalence) - np.log1p(-weights.prevalence)
    return np.asarray(log_odds * (1 - loss.tau) if isinstance(loss, LogitAdjusted) else log_odds)


def _optimizer(training: TrainingSpec, penalty: tf.Variable | None) -> keras.optimizers.Optimizer:
    """Return the declared optimizer; if ``penalty`` is given, with an L2 penalty of that strength."""
    adam, adamw, sgd = optimizers.TableAdam, optimizers.TableAdamW, keras.optimizers.SGD
    if training.execution == "plain":
        adam, adamw = keras.optimizers.Adam, keras.optimizers.AdamW
    if penalty is not None:  # the penalty has a gradient for the whole table, so updating single rows saves nothing
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


def _idf_column(vocabulary: Vocabulary, rows: int) -> npt.NDArray[np.float32]:
    column = np.zeros(rows, np.float32)
    column[1 : len(vocabulary.idf) + 1] = vocabulary.idf
    return column


def _room(ids: npt.NDArray[np.int32], batch_size: int) -> int:
    """Return how many tokens a batch of rows has room for: the mean plus 6 standard deviations, rounded up.

    A batch with more tokens gets twice or three times the room. Its step is compiled separately. That takes seconds,
    and does not change any result.
    """
    lengths = (ids > 0).sum(axis=1)
    most = batch_size * lengths.mean() + 6 * np.sqrt(batch_size) * lengths.std()
    return int(most // ROOM_STEP + 1) * ROOM_STEP


def row_blocks(network: Network, inputs: Inputs) -> Iterator[_Block]:
    """Cut rows into batches of one size; yield the number of real rows and the batch. The last batch is padded."""
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


def logits_of(network: Network, blocks: Iterable[_Block]) -> npt.NDArray[np.float32]:
    """Return the logits of all rows, (rows, outputs)."""
    return np.concatenate(list(_logit_blocks(network, blocks)))


def read_sets(
    network: Network, sets: LabelSets, blocks: Iterable[_Block], classes: powerset.Classes | None = None
) -> powerset.Read:
    """Return marginals, most likely sets and losses of rows with these classes; see ``powerset.Read``.

    The rows are processed in blocks, because all logits might not fit into memory.
    """
    read, start = [], 0
    for logits in _logit_blocks(network, blocks):
        rows = slice(start, start := start + len(logits))
        read.append(powerset.read(logits, sets, None if classes is None else classes[rows]))
    return powerset.Read.joined(read)


def scores_of(network: Network, sets: LabelSets | None, blocks: Iterable[_Block]) -> Floats:
    """Return the scores of all rows, (rows, labels); with label sets, they are the marginal probabilities."""
    if sets is None:
        return models.scores(network.spec.head, logits_of(network, blocks))
    return read_sets(network, sets, blocks).marginals
