"""Optuna's samplers and pruners, built from their declarations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, assert_never

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.trial import FrozenTrial, TrialState

from rarelabels.declare.tuning import MedianPruner, NoPruner, PrunerSpec, SamplerSpec, TpeSampler
from rarelabels.declare.tuning import RandomSampler as RandomSpec
from rarelabels.study.tuning.counted_trials import taken


class SeededByNumber(BaseSampler):
    """The declared sampler, seeded anew for each trial by the trial's number. The first trial has given parameters.

    With one seed for all, a search that is continued or shared by two processes would draw the same parameters again.
    The given parameters are not put into Optuna's queue: two processes that begin at once would both put them there.
    """

    def __init__(self, spec: SamplerSpec, seed: int, begin: Mapping[str, Any] | None = None) -> None:
        self._spec, self._seed, self._begin = spec, seed, begin or {}
        self._given: Mapping[str, Any] = {}
        self._sampler = _sampler(spec, spec.seed)

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        """Make the sampler of this trial. The trial gets the given parameters unless an earlier counted trial has them.

        An earlier trial without parameters is just being drawn, and will get the given ones.
        """
        earlier = [one for one in taken(study) if one.number < trial.number]
        begin = self._begin.items()
        have = any(all(one.params.get(key, value) == value for key, value in begin) for one in earlier)
        self._given = {} if have else self._begin
        (seed,) = np.random.SeedSequence([self._spec.seed, self._seed, trial.number]).generate_state(1)
        self._sampler = _sampler(self._spec, int(seed))
        self._sampler.before_trial(study, trial)

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """As the sampler does."""
        return {} if self._given else self._sampler.infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """As the sampler does."""
        return {} if self._given else self._sampler.sample_relative(study, trial, search_space)

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Return the given value of a parameter, or draw it as the sampler does."""
        if param_name in self._given:
            return self._given[param_name]
        return self._sampler.sample_independent(study, trial, param_name, param_distribution)

    def after_trial(
        self, study: optuna.Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None
    ) -> None:
        """As the sampler does."""
        self._sampler.after_trial(study, trial, state, values)


def _sampler(spec: SamplerSpec, seed: int) -> BaseSampler:
    match spec:
        case TpeSampler():
            return TPESampler(
                n_startup_trials=spec.n_startup_trials,
                n_ei_candidates=spec.n_ei_candidates,
                multivariate=spec.multivariate,
                constant_liar=spec.constant_liar,
                seed=seed,
            )
        case RandomSpec():
            return RandomSampler(seed=seed)
        case _:
            assert_never(spec)


def pruner(spec: PrunerSpec) -> optuna.pruners.BasePruner:
    """Return Optuna's pruner for a declaration; a pruner stops trials early."""
    match spec:
        case NoPruner():
            return optuna.pruners.NopPruner()
        case MedianPruner():
            return optuna.pruners.MedianPruner(spec.n_startup_trials, spec.n_warmup_epochs)
        case _:
            assert_never(spec)
