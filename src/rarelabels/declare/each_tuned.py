"""The search that a network gets in a study where each is tuned: which keys, between which values, and how.

Every network is searched over its learning rate, its penalty, and the numbers of its own loss and weighting, with the
same number of trainings. Only so can a loss be told from its settings.
"""

from __future__ import annotations

from typing import assert_never

from rarelabels.declare.losses import (
    Asymmetric,
    BinaryFocal,
    DistributionBalanced,
    Hill,
    LogitAdjusted,
    LossSpec,
    SelfPacedCorrection,
)
from rarelabels.declare.models import RegularisedSpec
from rarelabels.declare.study import SharedSearch
from rarelabels.declare.training import TrainingSpec
from rarelabels.declare.trial import Trial
from rarelabels.declare.tuning import MedianPruner, NoPruner, ParameterSearch, PrunerSpec, Range, TpeSampler
from rarelabels.declare.weighting import ClassBalanced, PosWeight, WeightingSpec

WARMUP_EPOCHS = 4  # in which no training is pruned


def space(trial: Trial) -> dict[str, Range]:
    """Return the keys of a network that are searched, each with its values.

    The range of a key is the same for every trial, so that no trial is searched nearer to its optimum than another. A
    key whose ends differ by powers of ten, such as a rate, is searched in logarithms. ``beta`` of class_balanced has
    choices, because it is 1 - beta that differs by powers of ten.
    """
    found = {"training.learning_rate": _rates(trial.training)}
    if isinstance(trial.model, RegularisedSpec):
        found["model.l2"] = Range(low=0.02, high=50.0, log=True)
    found |= {f"loss.{key}": values for key, values in _of_loss(trial.loss).items()}
    found |= {f"weighting.{key}": values for key, values in _of_weighting(trial.weighting).items()}
    return found


def search(trial: Trial, shared: SharedSearch, *, also_for_half: bool) -> ParameterSearch:
    """Return the search of a network.

    Args:
        trial: without a search of its own; see :func:`refusal`.
        shared: the part of the search that all networks of the study share.
        also_for_half: whether it is searched once more, for macro-F1 at 0.5.
    """
    from rarelabels.judging.metrics.table import LOWER_IS_BETTER  # imports NumPy, which no other declaration waits for

    lower = shared.metric.rpartition("/")[2] in LOWER_IS_BETTER
    return ParameterSearch(
        kind="parameters",
        space=space(trial),
        metric=shared.metric,
        direction="minimize" if lower else "maximize",
        n_trials=shared.trainings,
        seeds=trial.seeds[: shared.seeds],
        sampler=TpeSampler(
            kind="tpe",
            n_startup_trials=max(1, shared.trainings // 2),
            n_ei_candidates=24,
            multivariate=True,
            constant_liar=True,
            seed=0,
        ),
        pruner=_pruner(trial, shared.trainings),
        also_for_half=also_for_half,
    )


def refusal(trial: Trial, *, also_for_half: bool) -> str:
    """Say why a network cannot be searched like all others; empty where it can."""
    if trial.tuning:
        return "has a search of its own (tuning), but all networks must have the same search; leave tuning out"
    if trial.picked_by:
        return (
            f"picks its epoch by {trial.picked_by} (picked_by), but a search judges the epoch that "
            "training.keep names; leave picked_by out"
        )
    if also_for_half and trial.thresholds.calibration != "none":
        return (
            f"is calibrated ({trial.thresholds.calibration}) on the rows that score its decisions at 0.5 in a "
            "search, and a hypothesis is about these decisions; leave out the calibration or the hypothesis"
        )
    return ""


def _rates(training: TrainingSpec) -> Range:
    match training.optimizer:
        case "adam" | "adamw":
            return Range(low=3e-4, high=0.1, log=True)
        case "sgd":  # the loss is a mean over labels, so its gradients are small
            return Range(low=0.1, high=100.0, log=True)
        case _:
            assert_never(training.optimizer)


def _of_loss(loss: LossSpec) -> dict[str, Range]:
    match loss:
        case BinaryFocal():
            alpha = {} if loss.alpha is None else {"alpha": Range(low=0.05, high=0.95)}
            return {"gamma": Range(low=0.0, high=5.0)} | alpha
        case Asymmetric():
            return {
                "gamma_positive": Range(low=0.0, high=4.0),
                "gamma_negative": Range(low=0.0, high=8.0),
                "shift": Range(low=0.0, high=0.3),
            }
        case DistributionBalanced():
            return {
                "kappa": Range(low=0.0, high=0.5),
                "negative_scale": Range(low=0.5, high=10.0, log=True),
            }
        case LogitAdjusted():
            return {"tau": Range(low=0.05, high=3.0)}
        case Hill():
            return {"lamb": Range(low=1.0, high=3.0)} | _of_focal_positives()
        case SelfPacedCorrection():
            return {"tau": Range(low=0.3, high=0.95)} | _of_focal_positives()
        case _:
            return {}


def _of_focal_positives() -> dict[str, Range]:
    return {"margin": Range(low=0.0, high=2.0), "gamma": Range(low=0.0, high=5.0)}


def _of_weighting(weights: WeightingSpec) -> dict[str, Range]:
    match weights:
        case PosWeight():
            return {"strength": Range(low=0.0, high=2.0)}
        case ClassBalanced():
            return {"beta": Range(choices=(0.9, 0.99, 0.999, 0.9999, 0.99999))}
        case _:
            return {}


def _pruner(trial: Trial, trainings: int) -> PrunerSpec:
    """Return the median pruner; none if rows are cross-validated, as some have no scores before the last fold."""
    if trial.dataset.validation == "cross_validated":
        return NoPruner(kind="none")
    return MedianPruner(kind="median", n_startup_trials=max(1, trainings // 3), n_warmup_epochs=WARMUP_EPOCHS)
