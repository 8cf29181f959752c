"""Train the declared network: seed, compile, fit, curves, and scores of a part.

One compiled network serves all seeds of a trial in a process (compiling costs as much as a fit): it is kept between
calls, and weights, optimizer state and random generators are set anew for each fit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rarelabels.data.dataset import Dataset, Part
from rarelabels.declare.data import Backbone, ImagesSpec
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
        notes: none, so far.
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
        """Return probabilities, float64 (n, n_labels); of label sets the sum over those that hold the label."""
        self.network.put(self.weights)
        return scores_of(self.network, self.sets, row_blocks(self.network, self.prepared.inputs(part)))

    def label_sets(self, part: Part) -> npt.NDArray[np.uint8] | None:
        """Return the labels of each row's most likely label set, (n, n_labels); None for a head on labels."""
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
    network = build_network(spec, trial.loss, training, _shape(trial, prepared, data.labels, sets))
    peak = memory.Peak()
    network.reset(seed, prepared, weights, trial, len(data.train.y))
    curves = Curves(network, data, prepared, sets, watch, on_epoch, training, objective)
    callbacks = [curves]
    if training.pruning:
        callbacks += [pruning.MagnitudePruning(training.pruning, network.masks, network.model.trainable_variables)]
    batches = make_batches(
        curves.train_inputs,
        targets(sets, data.train.y),
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
    """Whose last block the network trains further."""
    if isinstance(trial.model, LastBlockSpec) and isinstance(trial.dataset, ImagesSpec):
        return trial.dataset.backbone
    return None
