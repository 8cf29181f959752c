"""Out-of-fold scores of all rows outside the test part, and a model that is trained on all these rows.

Each row is scored by a model that was not trained on it. Where most labels are rare, a small validation part has no
positive of many labels, and thresholds cannot be chosen there. Out-of-fold scores include every positive once.

Two things bias these scores a little, in opposite directions. They are too good because the kept epoch of each fold is
the one that ranks that fold best, as with a plain validation part. They are too bad because the model of a fold is
trained on four fifths of the rows on which the final model is trained.
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
        fitted: the model trained on all rows outside the test part; None without a refit.
        scored: those rows, each scored by the model that was trained on the other folds.
        facts: the mean of each fact over the trainings of the folds.
    """

    fitted: Fitted | None
    scored: Scores
    facts: dict[str, float]


def fit(trial: Trial, data: Dataset, fit_one: FitOne, on_epoch: OnEpoch, *, refit: bool = True) -> CrossValidated:
    """Train once for each fold, on the other folds; then train on all rows.

    The last training has as many epochs as the folds kept on average. Boosting gets as many trees for each label as it
    had in the folds on average.

    Args:
        trial: declares ``dataset.validation: cross_validated``.
        data: with ``folds``.
        fit_one: trains on the training part of its data. Its last argument is for boosting: how many trees each label
            gets, or None to stop early on the validation part.
        on_epoch: called with the mean of each curve over the folds, after all folds are trained.
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
    # With early stopping, the curves of the folds have different lengths.
    for epoch, of_folds in enumerate(zip(*curves, strict=False), start=1):
        on_epoch(epoch, _means(of_folds))
    in_order = np.argsort(np.concatenate(outside))
    mean_facts = _means(facts)
    if not refit:
        return CrossValidated(None, Scores.joined(parts).take(in_order), mean_facts)
    # No rows are left to validate on. A training needs some, so it gets fold 0; its numbers are not used.
    whole = replace(data, validation=data.train.take(outside[0]), folds=None)
    trees = np.rint(np.mean(iterations, axis=0)).astype(np.int64).clip(1) if iterations else None
    fitted = fit_one(for_epochs(trial, mean_facts.get("kept_epoch", 1)), whole, lambda *_: None, trees)
    return CrossValidated(fitted, Scores.joined(parts).take(in_order), mean_facts)


def n_folds(data: Dataset) -> int:
    """Return the number of folds of the training rows."""
    assert data.folds is not None
    return int(data.folds.max()) + 1


def hold_out(data: Dataset, fold: int) -> Dataset:
    """Return data with one fold as the validation part and all other folds as the training part."""
    assert data.folds is not None
    inside, outside = np.flatnonzero(data.folds != fold), np.flatnonzero(data.folds == fold)
    return replace(data, train=data.train.take(inside), validation=data.train.take(outside), folds=None)


def for_epochs(trial: Trial, epochs: float) -> Trial:
    """Return a trial that trains for ``epochs``, rounded, without early stopping, because no rows are left for it."""
    return trial.model_copy(update={"training": trial.training.of_length(round(epochs))})


def _means(numbers: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the mean of each number that is in all mappings."""
    names = [name for name in numbers[0] if all(name in one for one in numbers)]
    return {name: fmean(one[name] for one in numbers) for name in names}
