"""Scores of all rows outside the test part, each from a model that has not seen it; and a model of all of them.

Where most labels are rare, a validation part of an eighth of the rows has no positive of many of them, and thresholds
chosen there are no choice at all. Out-of-fold scores have every positive once. Two things flatter them a little or the
opposite: each fold's epoch is the one that ranks that fold best, like that of a plain validation part; and the models
of the folds have seen four fifths of the rows that the one judged on test has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

import numpy as np

from rarelabels.datasets import Dataset
from rarelabels.evaluation import Scored
from rarelabels.schema import Trial

Curves = dict[str, float]
OnEpoch = Callable[[int, Curves], None]
FitOne = Callable[[Trial, Dataset, OnEpoch], Any]


@dataclass(frozen=True, eq=False)
class CrossValidated:
    """A fitted model and the out-of-fold scores of the rows it was trained on.

    Attributes:
        fitted: of all rows outside the test part; None where only the scores were asked for.
        scored: those rows, each scored by the model of the other folds.
        facts: means over the folds of what their trainings tell.
    """

    fitted: Any
    scored: Scored
    facts: dict[str, float]


def fit(trial: Trial, data: Dataset, fit_one: FitOne, on_epoch: OnEpoch, *, refit: bool = True) -> CrossValidated:
    """Train once for each fold, on the others; then on all rows, for as many epochs as the folds kept on average.

    Args:
        trial: declares ``dataset.validation: cross_validated``.
        data: with ``folds``.
        fit_one: trains on the training part of the data it is given.
        on_epoch: is given the mean over the folds of each curve, once all folds are trained.
        refit: whether to train on all rows.
    """
    assert data.folds is not None
    n_folds = int(data.folds.max()) + 1
    outside = [np.flatnonzero(data.folds == fold) for fold in range(n_folds)]
    parts: list[Scored] = []
    curves: list[list[Curves]] = []
    facts: list[dict[str, float]] = []
    for fold in range(n_folds):
        inside = np.flatnonzero(data.folds != fold)
        one = replace(data, train=data.train.take(inside), validation=data.train.take(outside[fold]), folds=None)
        of_fold: dict[int, Curves] = {}
        fitted = fit_one(trial, one, of_fold.__setitem__)
        parts.append(Scored.of(fitted, one.validation))
        curves.append(list(of_fold.values()))
        facts.append(getattr(fitted, "facts", {}))
    for epoch, of_folds in enumerate(zip(*curves, strict=True), start=1):
        on_epoch(epoch, _means(of_folds))
    in_order = np.argsort(np.concatenate(outside))
    told = _means(facts)
    if not refit:
        return CrossValidated(None, Scored.joined(parts).take(in_order), told)
    # There are no rows left to validate on: what the refit says of fold 0 goes nowhere.
    whole = replace(data, validation=data.train.take(outside[0]), folds=None)
    fitted = fit_one(for_epochs(trial, told.get("kept_epoch", 1)), whole, lambda *_: None)
    return CrossValidated(fitted, Scored.joined(parts).take(in_order), told)


def for_epochs(trial: Trial, epochs: float) -> Trial:
    """Return a trial that trains for so many epochs, rounded, whatever validation says: no rows are left to stop by."""
    schedule = trial.training.model_copy(update={"epochs": round(epochs), "keep": "last"})
    return trial.model_copy(update={"training": schedule})


def _means(numbers: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the mean of each number that all have."""
    names = [name for name in numbers[0] if all(name in one for one in numbers)]
    return {name: fmean(one[name] for one in numbers) for name in names}
