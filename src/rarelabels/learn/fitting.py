"""What a trial declares -> a fitted model and the scores of its validation part, whatever kind of model it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from rarelabels.data import loading
from rarelabels.data.dataset import Dataset
from rarelabels.declare.data import DatasetSpec, ImagesSpec
from rarelabels.declare.models import GradientBoostingSpec, LinearSpec
from rarelabels.declare.trial import Trial
from rarelabels.judging.evaluation import Objective
from rarelabels.judging.metrics import macro_average_precision
from rarelabels.judging.scores import Scores
from rarelabels.learn import cross_validation, weighting
from rarelabels.learn.baselines import baseline, boosting, linear
from rarelabels.learn.cross_validation import CrossValidated, Iterations
from rarelabels.learn.weighting import Weights

OnEpoch = Callable[[int, dict[str, float]], None]


def load(trial: Trial, seed: int) -> tuple[Dataset, Weights]:
    """Return the data of a trial, split with a seed, and the weights of its training part."""
    data = loading.load(trial.dataset, seed)
    return data, weighting.weights(trial.weighting, data.train.y, data.labels)


def prepare(trial: Trial) -> None:
    """Import TensorFlow if the trial needs it: seconds that are no part of a run."""
    if trial.needs_tensorflow:
        from rarelabels.learn import training  # noqa: F401  imported for what follows


def with_features(spec: DatasetSpec, data: Dataset) -> Dataset:
    """Return data whose images, if there are any, have become numbers."""
    if not isinstance(spec, ImagesSpec):
        return data
    from rarelabels.learn.backbones import extraction  # TensorFlow

    return extraction.with_features(data, spec.backbone)


def fit(
    trial: Trial,
    seed: int,
    data: Dataset,
    weights: Weights,
    watch: tuple[str, ...],
    on_epoch: OnEpoch,
    objective: Objective | None = None,
    *,
    refit: bool = True,
) -> tuple[Any, Scores]:
    """Train what the trial declares and return it with the validation part, scored.

    Where ``model.c`` is a grid and all rows are cross-validated, the C is kept whose out-of-fold scores rank them best.

    Args:
        trial: declared.
        seed: of the split and the net.
        data: with features, if they are images.
        weights: of the training part.
        watch: see ``training.fit``, like ``on_epoch`` and ``objective``.
        refit: False where only the scores of validation are needed: see ``cross_validation.fit``.

    Raises:
        LeftOutError: boosting would take longer than declared.
    """

    def fit_one(trial: Trial, data: Dataset, on_epoch: OnEpoch, iterations: Iterations) -> Any:
        own = weighting.weights(trial.weighting, data.train.y, data.labels)
        return _fit(trial, seed, data, own, watch, on_epoch, None, iterations)

    def cross_validated(trial: Trial, *, refit: bool = refit) -> CrossValidated:
        return cross_validation.fit(trial, data, fit_one, on_epoch, refit=refit)

    if isinstance(trial.model, GradientBoostingSpec):
        _check_time(trial.model, data, seed, refit=refit)
    if data.folds is not None:
        if isinstance(trial.model, LinearSpec) and isinstance(trial.model.c, tuple):
            return _with_best_c(trial, trial.model.c, cross_validated, refit=refit)
        validated = cross_validated(trial)
        fitted = validated.fitted
        if getattr(fitted, "facts", None):  # what is measured on rows that are trained on tells nothing
            fitted = replace(fitted, facts=fitted.facts | validated.facts)
        return fitted, validated.scored
    fitted = _fit(trial, seed, data, weights, watch, on_epoch, objective)
    return fitted, Scores.of(fitted, data.validation)


def _check_time(spec: GradientBoostingSpec, data: Dataset, seed: int, *, refit: bool) -> None:
    if data.folds is None:
        boosting.check_time(spec, data, seed, 1)
    else:
        trainings = cross_validation.n_folds(data) + refit
        boosting.check_time(spec, cross_validation.hold_out(data, 0), seed, trainings)


def _with_best_c(
    trial: Trial, grid: tuple[float, ...], validated: Callable[..., CrossValidated], *, refit: bool
) -> tuple[Any, Scores]:
    """Fit the linear model with each C of a grid in all folds, and return that of the best out-of-fold scores."""

    def with_c(c: float) -> Trial:
        return trial.model_copy(update={"model": trial.model.model_copy(update={"c": c})})

    scored = {c: validated(with_c(c), refit=False).scored for c in grid}
    c = linear.best_c({c: macro_average_precision(one.y, one.scores) for c, one in scored.items()})
    if not refit:
        return None, scored[c]
    facts, notes = linear.of_chosen_c(c, grid)
    return replace(validated(with_c(c)).fitted, facts=facts, notes=notes), scored[c]


def _fit(
    trial: Trial,
    seed: int,
    data: Dataset,
    weights: Weights,
    watch: tuple[str, ...],
    on_epoch: OnEpoch,
    objective: Objective | None,
    iterations: Iterations = None,
) -> Any:
    if not trial.is_network:
        return baseline.fit(trial, data, seed, iterations)
    from rarelabels.learn import training  # TensorFlow takes seconds to import, and only networks need it

    return training.fit(trial, data, weights, seed, watch, on_epoch, objective)
