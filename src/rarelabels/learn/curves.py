"""A callback that measures each epoch, keeps the best one, and ends a training early or because it has failed."""

from __future__ import annotations

import functools
import time
from typing import Any

import numpy as np
import numpy.typing as npt

from rarelabels.data.dataset import Dataset
from rarelabels.declare.training import TrainingSpec
from rarelabels.judging import metrics
from rarelabels.judging.arrays import Floats
from rarelabels.judging.evaluation import Objective
from rarelabels.learn import models, watched
from rarelabels.learn.fitted_model import OnEpoch
from rarelabels.learn.network import Network, logits_of, read_sets, row_blocks, scores_of
from rarelabels.learn.powerset import LabelSets
from rarelabels.learn.preprocessing import Preprocessing
from rarelabels.learn.tensorflow_setup import keras
from rarelabels.learn.watched import Watched

KEPT_BY = "val_macro_average_precision"


class NotFiniteError(Exception):
    """The loss or a weight became NaN or infinite; the message names it and the epoch."""


def targets(sets: LabelSets | None, y: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the targets of the loss: the labels, (n, n_labels) float32, or the class of each row's label set, (n,).

    A label that is not known is NaN.
    """
    return y.astype(np.float32) if sets is None else sets.classes(y)


class Curves(keras.callbacks.Callback):  # type: ignore[misc]  # keras is untyped
    """After each epoch, check that all numbers are finite, compute the curves, and keep the weights if it is the best.

    With ``training.keep`` "last", the weights of the last epoch are kept.
    """

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
        self.n_validation, y = len(data.validation.y), data.validation.y_or_nan
        if watch:
            rows = watched.rows(len(data.train.y), len(data.validation.y))
            self.y_train = data.train.y_or_nan[rows]
            followed = {name: np.concatenate([of, self.train_inputs[name][rows]]) for name, of in followed.items()}
            y = np.concatenate([y, self.y_train])
        self.targets = targets(sets, y)
        # The rows are cut into blocks once for all epochs.
        self.blocks = list(row_blocks(network, followed))
        self.test_blocks = list(row_blocks(network, prepared.inputs(data.test))) if training.every_epoch else []
        self.best_epoch, self.best_value, self.kept_epoch = 0, -np.inf, 0
        self.kept_weights: list[npt.NDArray[Any]] = []
        self.history: list[dict[str, float]] = []
        self.scores: list[tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]] = []
        self.begun, self.seconds = 0.0, list[float]()
        self.val_loss_share: float | None = None

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002  Keras calls it so
        """Note the time, and tell the loss."""
        self.network.loss.begin_epoch(epoch + 1)
        self.begun = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Do what the class describes."""
        curves = {"loss": float((logs or {})["loss"])}
        self.seconds.append(time.perf_counter() - self.begun)
        y = self.data.validation.y_or_nan
        val_loss, scores, train_scores = self._validate()
        curves |= {} if val_loss is None else {"val_loss": val_loss}
        _check_finite(epoch + 1, curves, self.network)
        average_precision = metrics.macro_average_precision(y, scores)
        if not np.isnan(average_precision):
            curves[KEPT_BY] = average_precision
        if self.test_blocks:
            test = scores_of(self.network, self.sets, self.test_blocks)
            self.scores.append((scores.astype(np.float32), test.astype(np.float32)))
        if self.objective:
            curves["objective"] = self.objective(scores)
        if self.watch:
            curves |= self.watched.curves(self.watch, "val_", y, scores)
            curves |= self.watched.curves(self.watch, "", self.y_train, train_scores)
        if self.network.sums_over_labels:
            n_labels = self.network.shape.n_labels
            curves |= {f"{name}_per_label": curves[name] / n_labels for name in ("loss", "val_loss")}
        if not average_precision <= self.best_value:  # an undefined average precision counts as the best
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
        """Return the scores and validation losses after every epoch, or None if the trial does not keep them.

        See ``training.FittedNetwork`` for the shapes.
        """
        if not self.scores:
            return None
        validation, test = zip(*self.scores, strict=True)
        losses = np.array([curves["val_loss"] for curves in self.history])
        return {"validation": np.stack(validation), "test": np.stack(test), "val_loss": losses}

    def _validate(self) -> tuple[float | None, Floats, Floats]:
        """Return the validation loss, the validation scores, and the scores of the watched training rows.

        The loss is None if no validation row has a finite loss; see ``training.fit``.
        """
        n = self.n_validation
        if self.sets is None:
            logits = logits_of(self.network, self.blocks)
            loss = float(np.mean(self.network.loss.call(self.targets[:n], logits[:n])))
            scores = models.scores(self.network.spec.head, logits)
            return loss, scores[:n], scores[n:]
        read = read_sets(self.network, self.sets, self.blocks, self.targets)
        losses = read.losses[:n]
        covered = ~np.isnan(losses)
        self.val_loss_share = float(covered.mean())
        return float(losses[covered].mean()) if covered.any() else None, read.marginals[:n], read.marginals[n:]

    def facts(self) -> dict[str, float]:
        """Return how rough the validation curves are, and other facts about the epochs; see ``training.fit``."""
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


def zero_share(network: Network, weights: list[npt.NDArray[Any]]) -> float:
    """Return the share of trained weights that are 0, without biases."""
    pairs = zip(network.model.variables, weights, strict=True)
    trained = [values for variable, values in pairs if variable.trainable and values.ndim > 1]
    return float(sum((values == 0).sum() for values in trained) / sum(values.size for values in trained))
