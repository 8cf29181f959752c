"""What a trial declares -> a fitted model and the scores of its validation part, whatever kind of model it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from rarelabels import baselines, cross_validation, datasets, weighting
from rarelabels.datasets import Dataset
from rarelabels.evaluation import Objective, Scored
from rarelabels.schema import DatasetSpec, ImagesSpec, Trial
from rarelabels.weighting import Weights

OnEpoch = Callable[[int, dict[str, float]], None]


def load(trial: Trial, seed: int) -> tuple[Dataset, Weights]:
    """Return the data of a trial, split with a seed, and the weights of its training part."""
    data = datasets.load(trial.dataset, seed)
    return data, weighting.weights(trial.weighting, data.train.y, data.labels)


def prepare(trial: Trial) -> None:
    """Import TensorFlow if the trial needs it: seconds that are no part of a run."""
    if trial.needs_tensorflow:
        from rarelabels import training  # noqa: F401  imported for what follows


def with_features(spec: DatasetSpec, data: Dataset) -> Dataset:
    """Return data whose images, if there are any, have become numbers."""
    if not isinstance(spec, ImagesSpec):
        return data
    from rarelabels import backbones  # TensorFlow

    return backbones.with_features(data, spec.backbone)


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
) -> tuple[Any, Scored]:
    """Train what the trial declares and return it with the validation part, scored.

    Args:
        trial: declared.
        seed: of the split and the net.
        data: with features, if they are images.
        weights: of the training part.
        watch: see ``training.fit``, like ``on_epoch`` and ``objective``.
        refit: False where only the scores of validation are needed: see ``cross_validation.fit``.
    """

    def fit_one(trial: Trial, data: Dataset, on_epoch: OnEpoch) -> Any:
        own = weighting.weights(trial.weighting, data.train.y, data.labels)
        return _fit(trial, seed, data, own, watch, on_epoch, None)

    if data.folds is not None:
        validated = cross_validation.fit(trial, data, fit_one, on_epoch, refit=refit)
        fitted = validated.fitted
        if getattr(fitted, "facts", None):  # what is measured on rows that are trained on tells nothing
            fitted = replace(fitted, facts=fitted.facts | validated.facts)
        return fitted, validated.scored
    fitted = _fit(trial, seed, data, weights, watch, on_epoch, objective)
    return fitted, Scored.of(fitted, data.validation)


def _fit(
    trial: Trial,
    seed: int,
    data: Dataset,
    weights: Weights,
    watch: tuple[str, ...],
    on_epoch: OnEpoch,
    objective: Objective | None,
) -> Any:
    if not trial.is_network:
        return baselines.fit(trial, data, seed)
    from rarelabels import training  # TensorFlow takes seconds to import, and only networks need it

    return training.fit(trial, data, weights, seed, watch, on_epoch, objective)
