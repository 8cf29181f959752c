"""Scores of all rows outside the test part, each from a model that has not seen it; and a model of all of them.

Where most labels are rare, a validation part of an eighth of the rows has no positive of most of them, and thresholds
chosen there are no choice at all. Out-of-fold scores have every positive once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

import numpy as np
import numpy.typing as npt

from rarelabels.datasets import Dataset
from rarelabels.schema import Trial

Floats = npt.NDArray[np.float64]
Curves = dict[str, float]
OnEpoch = Callable[[int, Curves], None]
FitOne = Callable[[Trial, Dataset, OnEpoch], Any]


@dataclass(frozen=True, eq=False)
class CrossValidated:
    """A fitted model and the out-of-fold scores of the rows it was trained on.

    Attributes:
        fitted: of all rows outside the test part; None where only the scores were asked for.
        scores: (n_train, n_labels), each row from the model of the other folds.
    """

    fitted: Any
    scores: Floats


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
    scores = np.empty(data.train.y.shape)
    curves: list[list[Curves]] = []
    kept = []
    for fold in np.unique(data.folds):
        inside, outside = np.flatnonzero(data.folds != fold), np.flatnonzero(data.folds == fold)
        parts = replace(data, train=data.train.take(inside), validation=data.train.take(outside), folds=None)
        of_fold: dict[int, Curves] = {}
        fitted = fit_one(trial, parts, of_fold.__setitem__)
        scores[outside] = fitted.scores(parts.validation)
        curves.append(list(of_fold.values()))
        kept.append(getattr(fitted, "kept_epoch", 1))
    for epoch, of_folds in enumerate(zip(*curves, strict=True), start=1):
        names = [name for name in of_folds[0] if all(name in one for one in of_folds)]
        on_epoch(epoch, {name: fmean(one[name] for one in of_folds) for name in names})
    if not refit:
        return CrossValidated(None, scores)
    schedule = trial.training.model_copy(update={"epochs": round(fmean(kept)), "keep": "last"})
    whole = replace(data, validation=data.train.take(np.flatnonzero(data.folds == 0)), folds=None)
    fitted = fit_one(trial.model_copy(update={"training": schedule}), whole, lambda *_: None)
    return CrossValidated(fitted, scores)
