"""From a trial to a fitted model and the scores of its validation part, for every kind of model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from rarelabels.data import loading
from rarelabels.data.dataset import Dataset
from rarelabels.declare.data import DatasetSpec, backbone_of
from rarelabels.declare.models import GradientBoostingSpec, LinearSpec
from rarelabels.declare.trial import Trial
from rarelabels.judging.evaluation import Objective
from rarelabels.judging.metrics import macro_average_precision
from rarelabels.judging.scores import Scores
from rarelabels.learn import cross_validation, weighting
from rarelabels.learn.baselines import baseline, boosting, linear
from rarelabels.learn.cross_validation import CrossValidated, Iterations
from rarelabels.learn.fitted_model import Fitted, OnEpoch
from rarelabels.learn.weighting import Weights


def load(trial: Trial, seed: int) -> tuple[Dataset, Weights]:
    """Return the data of a trial, split with a seed, and the weights of its training part."""
    data = loading.load(trial.dataset, seed)
    return data, weighting.of_training(trial.weighting, data)


def prepare(trial: Trial) -> None:
    """Import TensorFlow if the trial needs it. That takes seconds, which must not count as part of a run."""
    if trial.needs_tensorflow:
        from rarelabels.learn import training  # noqa: F401  imports TensorFlow


def with_features(spec: DatasetSpec, data: Dataset) -> Dataset:
    """Return data in which numbers replace the images, if there are images."""
    backbone = backbone_of(spec)
    if backbone is None:
        return data
    from rarelabels.learn.backbones import extraction  # TensorFlow

    return extraction.with_features(data, backbone)


def fit(
    trial: Trial,
    seed: int,
    data: Dataset,
    weights: Weights,
    watch: tuple[str, ...],
    on_epoch: OnEpoch,
) -> tuple[Fitted, Scores]:
    """Train the model of a trial; return it and the validation part with scores.

    If ``model.c`` is a grid and the rows are cross-validated, the C with the best out-of-fold scores is chosen.

    Args:
        trial: declares the model.
        seed: of the split and the net.
        data: with features in place of images.
        weights: of the training part.
        watch: metrics to follow; see ``training.fit``.
        on_epoch: called with the curves of each epoch; see ``training.fit``.

    Raises:
        LeftOutError: boosting would take longer than declared.
    """
    if data.folds is None:
        _check_time(trial, data, seed, refit=True)
        fitted = _fit(trial, seed, data, weights, watch, on_epoch)
        return fitted, Scores.of(fitted, data.validation)
    validated = _cross_validated(trial, seed, data, watch, on_epoch, refit=True)
    assert validated.fitted is not None
    return validated.fitted, validated.scored


def validate(
    trial: Trial, seed: int, data: Dataset, weights: Weights, on_epoch: OnEpoch, objective: Objective | None = None
) -> Scores:
    """Train the model of a trial; return the validation part with scores.

    Cross-validated rows are scored by the models of the folds. No model is trained on all rows.

    Args:
        trial: declares the model.
        seed: of the split and the net.
        data: with features in place of images.
        weights: of the training part.
        on_epoch: called with the curves of each epoch; see ``training.fit``.
        objective: see ``training.fit``.

    Raises:
        LeftOutError: boosting would take longer than declared.
    """
    if data.folds is None:
        _check_time(trial, data, seed, refit=False)
        return Scores.of(_fit(trial, seed, data, weights, (), on_epoch, objective), data.validation)
    return _cross_validated(trial, seed, data, (), on_epoch, refit=False).scored


def _cross_validated(
    trial: Trial, seed: int, data: Dataset, watch: tuple[str, ...], on_epoch: OnEpoch, *, refit: bool
) -> CrossValidated:
    """Return the out-of-fold scores and, with ``refit``, a model of all rows. Its facts are those of the folds."""

    def fit_one(trial: Trial, data: Dataset, on_epoch: OnEpoch, iterations: Iterations) -> Fitted:
        weights = weighting.of_training(trial.weighting, data)
        return _fit(trial, seed, data, weights, watch, on_epoch, None, iterations)

    def of(trial: Trial, *, refit: bool = refit) -> CrossValidated:
        return cross_validation.fit(trial, data, fit_one, on_epoch, refit=refit)

    _check_time(trial, data, seed, refit=refit)
    if isinstance(trial.model, LinearSpec) and isinstance(trial.model.c, tuple):
        return _with_best_c(trial, trial.model.c, of, refit=refit)
    validated = of(trial)
    if validated.fitted is not None and validated.fitted.facts:
        # the refit measured rows on which it was trained: those facts mean nothing, so the folds' facts replace them
        fitted = replace(validated.fitted, facts=validated.fitted.facts | validated.facts)
        return replace(validated, fitted=fitted)
    return validated


def _check_time(trial: Trial, data: Dataset, seed: int, *, refit: bool) -> None:
    """Refuse boosting that would take longer than declared."""
    if not isinstance(trial.model, GradientBoostingSpec):
        return
    if data.folds is None:
        boosting.check_time(trial.model, data, seed, 1)
    else:
        trainings = cross_validation.n_folds(data) + refit
        boosting.check_time(trial.model, cross_validation.hold_out(data, 0), seed, trainings)


def _with_best_c(
    trial: Trial, grid: tuple[float, ...], validated: Callable[..., CrossValidated], *, refit: bool
) -> CrossValidated:
    """Fit the linear model with each C of a grid in all folds; return the result for the C with the best scores."""

    def with_c(c: float) -> Trial:
        return trial.model_copy(update={"model": trial.model.model_copy(update={"c": c})})

    of_c = {c: validated(with_c(c), refit=False) for c in grid}
    c = linear.best_c({c: macro_average_precision(one.scored.y_or_nan, one.scored.scores) for c, one in of_c.items()})
    fitted = validated(with_c(c)).fitted if refit else None
    if fitted is not None:
        facts, notes = linear.of_chosen_c(c, grid)
        fitted = replace(fitted, facts=facts, notes=notes)
    return replace(of_c[c], fitted=fitted)


def _fit(
    trial: Trial,
    seed: int,
    data: Dataset,
    weights: Weights,
    watch: tuple[str, ...],
    on_epoch: OnEpoch,
    objective: Objective | None = None,
    iterations: Iterations = None,
) -> Fitted:
    if not trial.is_network:
        return baseline.fit(trial, data, seed, iterations)
    from rarelabels.learn import training  # TensorFlow takes seconds to import, and only networks need it

    return training.fit(trial, data, weights, seed, watch, on_epoch, objective)
