"""The baselines: floors, logistic regression on TF-IDF, boosted trees on numbers. No TensorFlow.

For simulated data there is one more: the probabilities with which the labels were drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rarelabels.data.dataset import Dataset, Part
from rarelabels.data.sources.simulated import Simulation
from rarelabels.declare.data import SimulatedSpec
from rarelabels.declare.models import (
    FloorSpec,
    GradientBoostingSpec,
    KnownProbabilitiesSpec,
    LinearSpec,
    ModelSpec,
    ScoresSpec,
    SklearnSpec,
)
from rarelabels.declare.own import OwnModel
from rarelabels.declare.trial import Trial
from rarelabels.errors import UserError
from rarelabels.judging.arrays import Floats
from rarelabels.judging.evaluation import floors
from rarelabels.learn import model_files
from rarelabels.learn.baselines import boosting, given, linear, own_model, sklearn_model
from rarelabels.learn.baselines.boosting import Boosted
from rarelabels.learn.baselines.fitted_baseline import FittedBaseline
from rarelabels.learn.baselines.linear import Linear
from rarelabels.learn.fitted_model import Fitted


@dataclass(frozen=True, eq=False)
class Floor(FittedBaseline):
    """A predictor that gives every row the same scores.

    Attributes:
        constant: (n_labels,) the scores.
    """

    constant: Floats

    def scores(self, part: Part) -> Floats:
        """Return probabilities, (n, n_labels)."""
        return np.tile(self.constant, (len(part.ids), 1))

    def save(self, folder: Path) -> None:
        """Write the floor to ``folder``, which is made if it does not exist; :func:`load_saved` reads it."""
        model_files.save(folder, {"kind": "floor", "labels": self.labels}, {"constant": self.constant})


@dataclass(frozen=True, eq=False)
class KnownProbabilities(FittedBaseline):
    """The probabilities with which the labels of simulated data were drawn. They are not learnt; no model is better.

    The scores are best for metrics that count labels one by one, such as log loss and binary accuracy. The label sets
    are best for subset accuracy.

    Attributes:
        simulation: the simulation that drew the labels.
    """

    simulation: Simulation

    def scores(self, part: Part) -> Floats:
        """Return probabilities, (n, n_labels)."""
        return self.simulation.probabilities(part.numeric)

    def label_sets(self, part: Part) -> npt.NDArray[np.uint8]:
        """Return the most likely label set of each row, (n, n_labels) 0/1."""
        return self.simulation.most_likely_sets(part.numeric)

    def save(self, folder: Path) -> None:
        """Write the parameters to ``folder``, which is made if it does not exist; :func:`load_saved` reads them."""
        stored = self.simulation
        weights: dict[str, npt.NDArray[Any]] = {"slopes": stored.slopes, "intercept": np.array(stored.intercept)}
        weights |= {} if stored.sets is None else {"sets": stored.sets}
        model_files.save(folder, {"kind": "known_probabilities", "labels": self.labels}, weights)


def fit(trial: Trial, data: Dataset, seed: int, iterations: npt.NDArray[np.int64] | None = None) -> Fitted:
    """Fit the baseline that ``trial.model`` declares, on the training part.

    The validation part is used for two things only: to choose a C from a grid, and to end boosting. The same data and
    seed give the same numbers, bit by bit. Known probabilities come from the declared simulation, without any data.

    Args:
        trial: declares a baseline.
        data: with features in place of images.
        seed: used only by boosting. With more than 200,000 rows, it selects the rows by which numbers are binned.
        iterations: of boosting, see ``boosting.fit``.

    Raises:
        UserError: no token is left for the linear model.
        TypeError: the trial declares a network; ``training`` fits these.
    """
    match trial.model:
        case FloorSpec(predicts=predicts):
            constants = floors(data.train.prevalence) | {"label_set": _label_set(data.train)}
            return Floor(data.labels, constants[predicts])
        case LinearSpec() as spec:
            return linear.fit(spec, data, seed)
        case GradientBoostingSpec() as spec:
            return boosting.fit(spec, data, seed, iterations)
        case KnownProbabilitiesSpec():
            assert isinstance(trial.dataset, SimulatedSpec)  # the schema refuses other data
            return KnownProbabilities(data.labels, Simulation.of(trial.dataset))
        case SklearnSpec() as spec:
            return sklearn_model.fit(spec, data, seed)
        case OwnModel() as spec:
            return own_model.fit(spec, data, seed)
        case ScoresSpec() as spec:
            return given.fit(spec, data, seed)
        case other:
            raise TypeError(f"model.kind {other.kind!r} is no baseline")


def check(spec: ModelSpec, data: Dataset, seed: int = 0) -> None:
    """Refuse a baseline that does not suit the data.

    Args:
        spec: of the baseline.
        data: split with ``seed``.
        seed: of the run.

    Raises:
        UserError: boosting would have no numbers to read, would ignore text, or a category has too many values for it;
            the linear model declares a weight for a field that the data do not have; or scores that were made
            elsewhere are not those of the validation and test rows.
    """
    match spec:
        case LinearSpec(field_weights=weights) | SklearnSpec(field_weights=weights):
            if unknown := [repr(name) for name in weights if name not in data.train.text]:
                fields = ", ".join(data.train.text) or "none, for the dataset has neither text nor list columns"
                raise UserError(f"model.field_weights: no field {', '.join(unknown)}; the fields are {fields}")
            if isinstance(spec, SklearnSpec):
                sklearn_model.check(spec, data)
        case ScoresSpec():
            given.fit(spec, data, seed)
        case GradientBoostingSpec():
            if data.train.text:
                fields = ", ".join(data.train.text)
                raise UserError(
                    f"model.kind 'gradient_boosting' reads numbers and categories alone and would ignore {fields}; use "
                    "linear, or leave them out"
                )
            boosting.check_categories(data.train.categories)
            if data.train.images is None and not (data.numeric or data.train.categories):
                raise UserError(
                    "model.kind 'gradient_boosting' reads numbers and categories, but the dataset names no "
                    "column of either"
                )


def load_saved(folder: Path) -> Fitted:
    """Return the baseline that ``save`` wrote to ``folder``; it gives identical scores.

    Raises:
        UserError: there is no saved baseline in ``folder``, or one that stores no model.
    """
    stored, weights = model_files.load(folder, "baseline")
    labels = tuple(stored["labels"])
    match stored["kind"]:
        case "floor":
            return Floor(labels, weights["constant"])
        case "known_probabilities":
            simulation = Simulation(weights["slopes"], float(weights["intercept"]), weights.get("sets"))
            return KnownProbabilities(labels, simulation)
        case "scores" | "sklearn" | "own":
            raise UserError("its model was not stored, only its scores were")
        case "gradient_boosting":
            return Boosted.from_files(stored, weights)
        case _:
            return Linear.from_files(stored, weights)


def _label_set(train: Part) -> Floats:
    """Return the label set that most wholly known rows have; without such rows, the labels that most rows have."""
    whole = train.y if train.known is None else train.y[train.known.all(axis=1)]
    return _most_frequent(whole) if len(whole) else np.asarray(train.prevalence > 0.5, dtype=np.float64)


def _most_frequent(y: npt.NDArray[np.uint8]) -> Floats:
    """Return the label set that most rows have, 0.0 or 1.0 for each label, (n_labels,).

    Of several sets with the same count, it is the one with the lowest number, see ``powerset``.
    """
    sets, counts = np.unique(y, axis=0, return_counts=True)
    return np.asarray(sets[counts.argmax()], dtype=np.float64)
