"""Train the declared network: seed, compile, fit, curves, and scores of a part.

In a process, one compiled network serves all seeds of a trial, because compiling takes as long as a fit. The network is
kept between calls. Its weights, optimizer state and random generators are reset for each fit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rarelabels.data.dataset import Dataset, Part
from rarelabels.declare.backbones import Backbone
from rarelabels.declare.data import backbone_of
from rarelabels.declare.models import LastBlockSpec, NetworkSpec
from rarelabels.declare.trial import Trial
from rarelabels.judging.arrays import Floats
from rarelabels.judging.evaluation import Objective
from rarelabels.learn import memory, model_files, powerset, preprocessing, pruning
from rarelabels.learn.batches import make_batches
from rarelabels.learn.curves import Curves, targets, zero_share
from rarelabels.learn.fitted_model import OnEpoch
from rarelabels.learn.network import Network, build_network, read_sets, row_blocks, scores_of
from rarelabels.learn.powerset import LabelSets, SeenSets
from rarelabels.learn.preprocessing import Preprocessing, Shape
from rarelabels.learn.weighting import Weights

_SETS = "label_sets"


@dataclass(frozen=True, eq=False)
class FittedNetwork:
    """A trained network. It scores any part, and is saved without pickles.

    Attributes:
        labels: names of the labels.
        network: the compiled network. Other fits share it, so :meth:`scores` first sets the weights of this fit.
        prepared: turns rows into inputs of the network.
        weights: of the kept epoch.
        kept_epoch: the epoch whose weights are kept, counted from 1.
        facts: numbers about the training, by name; see :func:`fit`.
        epochs: scores after every epoch, if ``training.every_epoch`` is declared: ``validation`` and ``test``, float32
            (n_epochs, n, n_labels), and ``val_loss`` (n_epochs,).
        sets: the label sets of the logits; None if each logit belongs to a label.
        notes: empty, so far.
    """

    labels: tuple[str, ...]
    network: Network
    prepared: Preprocessing
    weights: list[npt.NDArray[Any]]
    kept_epoch: int
    facts: dict[str, float]
    epochs: dict[str, npt.NDArray[Any]] | None = None
    sets: LabelSets | None = None
    notes: tuple[str, ...] = ()

    def scores(self, part: Part) -> Floats:
        """Return probabilities, float64 (n, n_labels); with label sets, the sum over the sets that have the label."""
        self.network.put(self.weights)
        return scores_of(self.network, self.sets, row_blocks(self.network, self.prepared.inputs(part)))

    def label_sets(self, part: Part) -> npt.NDArray[np.uint8] | None:
        """Return each row's most likely label set, (n, n_labels) 0/1; None for a head with single labels."""
        if self.sets is None:
            return None
        self.network.put(self.weights)
        blocks = row_blocks(self.network, self.prepared.inputs(part))
        return self.sets.sets(read_sets(self.network, self.sets, blocks).most_likely)

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
) -> FittedNetwork:
    """Train the network of ``trial`` and keep the epoch that ``training.keep`` names.

    Args:
        trial: a declared network trial.
        data: its data set, split with ``seed``.
        weights: from the training part.
        seed: initialises the net and shuffles the rows.
        watch: metrics to compute after each epoch, from the scores at its end.
        on_epoch: called after each epoch with its number, from 1, and its curves. It may raise to end the training. The
            curves are ``loss`` (with row weights, if there are any), ``val_loss`` (without row weights),
            ``val_macro_average_precision``, ``<watched>`` (on some training rows, see ``watched.rows``) and
            ``val_<watched>``. A loss that is declared as a sum over labels has two more curves, ``loss_per_label`` and
            ``val_loss_per_label``. If validation has no positives, the average precision is left out, and the last
            epoch is kept. Under the head ``seen_sets``, the loss of a validation row is infinite if no training row has
            its label set. ``val_loss`` is the mean over the other rows, and is left out if there are none.
        objective: computes a number from the validation scores of each epoch; it becomes the curve ``objective``.

    Returns:
        The fitted network. Its facts are:

        - ``kept_epoch``, and ``epochs``, the number of epochs.
        - ``roughness_val_loss`` and ``roughness_val_macro_average_precision``: the mean absolute second difference of
          the curve divided by its mean (0 for a straight line; needs three epochs).
        - ``zero_share``: the share of weights of trained tables and kernels that are 0.
        - ``output_parameters``: of the layer that gives the logits.
        - ``val_loss_share``, with a head of label sets: the share of validation rows that ``val_loss`` covers.

        Two more facts depend on the machine and differ each time:

        - ``seconds_per_epoch``: the median over all epochs but the first, which compiles. The time for measurements
          between epochs is not counted.
        - ``memory_rise_bytes`` of the process, see ``memory.Peak``; left out if the system does not tell it.

    Raises:
        NotFiniteError: the loss or a weight is no longer finite.
        UserError: see ``preprocessing.check``.
    """
    assert isinstance(trial.model, NetworkSpec)
    spec, training = trial.model, trial.training
    preprocessing.check(spec, data)
    prepared = Preprocessing.fit(spec, data.train, data.numeric, may_miss=data.misses_numbers)
    sets = powerset.classes_of(spec.head, data.train.y)
    shape = _shape(trial, prepared, data.labels, sets)
    network = build_network(spec, trial.loss, training, shape, unknown=data.has_unknown)
    peak = memory.Peak()
    network.reset(seed, prepared, weights, trial, len(data.train.y) * data.train.known_share)
    curves = Curves(network, data, prepared, sets, watch, on_epoch, training, objective)
    callbacks = [curves]
    if training.pruning:
        callbacks += [pruning.MagnitudePruning(training.pruning, network.masks, network.model.trainable_variables)]
    batches = make_batches(
        curves.train_inputs,
        targets(sets, data.train.y_or_nan),
        weights.rows,
        training.batch_size,
        seed,
        network.rooms(curves.train_inputs, training.batch_size),
    )
    schedule = training.schedule(len(data.train.y))
    network.train(batches, schedule.steps, epochs=schedule.epochs, callbacks=callbacks)
    facts = curves.facts() | {"kept_epoch": curves.kept_epoch, "zero_share": zero_share(network, curves.kept_weights)}
    facts |= {"output_parameters": network.output_parameters} | peak.facts()
    return FittedNetwork(
        data.labels, network, prepared, curves.kept_weights, curves.kept_epoch, facts, curves.epochs(), sets
    )


def load_saved(trial: Trial, folder: Path) -> FittedNetwork:
    """Return the network of ``trial`` that ``save`` wrote to ``folder``; it gives identical scores.

    Raises:
        UserError: there is no saved network in ``folder``.
    """
    assert isinstance(trial.model, NetworkSpec)
    stored, weights = model_files.load(folder, "network")
    prepared, labels = Preprocessing.from_json(stored), tuple(stored["labels"])
    sets = _stored_sets(trial.model.head, stored, len(labels))
    network = build_network(trial.model, trial.loss, trial.training, _shape(trial, prepared, labels, sets))
    ordered = [weights[variable.path] for variable in network.model.variables]
    return FittedNetwork(labels, network, prepared, ordered, stored["kept_epoch"], {}, sets=sets)


def _stored_sets(head: str, stored: dict[str, Any], n_labels: int) -> LabelSets | None:
    if head == "seen_sets":
        return SeenSets.from_json(stored[_SETS], n_labels)
    return powerset.AllSets(n_labels) if head == "powerset" else None


def _shape(trial: Trial, prepared: Preprocessing, labels: tuple[str, ...], sets: LabelSets | None) -> Shape:
    return replace(prepared.shape(len(labels), _backbone(trial)), n_sets=sets.count if sets else None)


def _backbone(trial: Trial) -> Backbone | None:
    """Return the backbone whose last block the network trains further; None if it trains none."""
    return backbone_of(trial.dataset) if isinstance(trial.model, LastBlockSpec) else None
