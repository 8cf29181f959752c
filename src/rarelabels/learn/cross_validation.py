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

import numpy as np
import numpy.typing as npt

from rarelabels.data.dataset import Dataset
from rarelabels.declare.trial import Trial
from rarelabels.judging.scores import Scores
from rarelabels.learn.baselines.boosting import Boosted
from rarelabels.learn.fitted_model import Fitted, OnEpoch

Iterations = npt.NDArray[np.int64] | None
FitOne = Callable[[Trial, Dataset, OnEpoch, Iterations], Fitted]


@dataclass(frozen=True, eq=False)
class CrossValidated:
    """A fitted model and the out-of-fold scores of the rows it was trained on.

    Attributes:
        fitted: of all rows outside the test part; None where only the scores were asked for.
        scored: those rows, each scored by the model of the other folds.
        facts: means over the folds of what their trainings tell.
    """

    fitted: Fitted | None
    scored: Scores
    facts: dict[str, float]


def fit(trial: Trial, data: Dataset, fit_one: FitOne, on_epoch: OnEpoch, *, refit: bool = True) -> CrossValidated:
    """Train once for each fold, on the others; then on all rows, for as many epochs as the folds kept on average.

    Boosting gets as many trees of each label as it had in the folds on average.

    Args:
        trial: declares ``dataset.validation: cross_validated``.
        data: with ``folds``.
        fit_one: trains on the training part of the data it is given. Of boosting, the last argument says how many
            trees each label gets; None: validation says when it has enough.
        on_epoch: is given the mean over the folds of each curve, once all folds are trained.
        refit: whether to train on all rows.
    """
    assert data.folds is not None
    outside = [np.flatnonzero(data.folds == fold) for fold in range(n_folds(data))]
    parts: list[Scores] = []
    curves: list[list[dict[str, float]]] = []
    facts: list[dict[str, float]] = []
    iterations: list[npt.NDArray[np.int64]] = []
    for fold in range(n_folds(data)):
        one, of_fold = hold_out(data, fold), dict[int, dict[str, float]]()
        fitted = fit_one(trial, one, of_fold.__setitem__, None)
        parts.append(Scores.of(fitted, one.validation))
        curves.append(list(of_fold.values()))
        facts.append(fitted.facts)
        iterations += [fitted.iterations] if isinstance(fitted, Boosted) else []
    # Folds whose training ends on its own have curves of different lengths.
    for epoch, of_folds in enumerate(zip(*curves, strict=False), start=1):
        on_epoch(epoch, _means(of_folds))
    in_order = np.argsort(np.concatenate(outside))
    told = _means(facts)
    if not refit:
        return CrossValidated(None, Scores.joined(parts).take(in_order), told)
    # There are no rows left to validate on: what the refit says of fold 0 goes nowhere.
    whole = replace(data, validation=data.train.take(outside[0]), folds=None)
    trees = np.rint(np.mean(iterations, axis=0)).astype(np.int64).clip(1) if iterations else None
    fitted = fit_one(for_epochs(trial, told.get("kept_epoch", 1)), whole, lambda *_: None, trees)
    return CrossValidated(fitted, Scores.joined(parts).take(in_order), told)


def n_folds(data: Dataset) -> int:
    """Return how many folds the training rows have."""
    assert data.folds is not None
    return int(data.folds.max()) + 1


def hold_out(data: Dataset, fold: int) -> Dataset:
    """Return data whose validation part is one fold, and whose training part is all others."""
    assert data.folds is not None
    inside, outside = np.flatnonzero(data.folds != fold), np.flatnonzero(data.folds == fold)
    return replace(data, train=data.train.take(inside), validation=data.train.take(outside), folds=None)


def for_epochs(trial: Trial, epochs: float) -> Trial:
    """Return a trial that trains for ``epochs``, rounded. Nothing ends it before, for no rows are left to stop by."""
    return trial.model_copy(update={"training": trial.training.of_length(round(epochs))})


def _means(numbers: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the mean of each number that all have."""
    names = [name for name in numbers[0] if all(name in one for one in numbers)]
    return {name: fmean(one[name] for one in numbers) for name in names}
