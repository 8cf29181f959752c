"""Trials are drawn by their number, whoever asks, and the first is the declaration."""

from __future__ import annotations

import optuna

from rarelabels.declare.tuning import MedianPruner, NoPruner, RandomSampler, TpeSampler
from rarelabels.study.tuning import samplers


def test_the_first_trial_is_the_declaration_once_whoever_asks_and_again_after_it_was_cut_off() -> None:
    space = {name: optuna.distributions.FloatDistribution(0, 1) for name in ("x", "y")}
    storage, begin = optuna.storages.InMemoryStorage(), {"x": 0.25, "y": 0.5}

    def process() -> optuna.Study:
        sampler = samplers.SeededByNumber(RandomSampler(kind="random", seed=1), 0, begin)
        return optuna.create_study(storage=storage, study_name="x", sampler=sampler, load_if_exists=True)

    first = process().ask()  # has no parameters yet: the two have begun in one moment
    second = process().ask(space)
    assert [first.suggest_float(name, 0, 1) for name in space] == [0.25, 0.5]
    assert second.params != begin
    for trial in (first, second):  # cut off: without a reason
        process().tell(trial.number, state=optuna.trial.TrialState.FAIL)
    assert process().ask(space).params == begin
    assert process().ask(space).params != begin


def test_trials_are_drawn_by_their_number_whoever_asks() -> None:
    """Two searchers that begin at once, and one that goes on, draw what one alone would have drawn."""
    spec = TpeSampler(kind="tpe", n_startup_trials=5, n_ei_candidates=24, multivariate=True, constant_liar=True, seed=1)
    space = {"x": optuna.distributions.FloatDistribution(0, 1)}

    def drawn(split: int) -> list[float]:
        storage = optuna.storages.InMemoryStorage()
        values = []
        for count in (split, 12 - split):
            sampler = samplers.SeededByNumber(spec, 0)
            asked = optuna.create_study(storage=storage, study_name="x", sampler=sampler, load_if_exists=True)
            for _ in range(count):
                trial = asked.ask(space)
                values.append(trial.params["x"])
                asked.tell(trial, (trial.params["x"] - 0.3) ** 2)
        return values

    assert drawn(3) == drawn(7)
    assert len(set(drawn(3))) == 12


def test_the_declared_pruner_is_optunas_with_its_numbers() -> None:
    assert isinstance(samplers.pruner(NoPruner(kind="none")), optuna.pruners.NopPruner)
    median = samplers.pruner(MedianPruner(kind="median", n_startup_trials=2, n_warmup_epochs=1))

    def is_pruned(earlier: int, epoch: int) -> bool:
        """Whether the worst of all is pruned after an epoch, when so many trials are finished."""
        study = optuna.create_study(direction="maximize", pruner=median)
        for _ in range(earlier):
            trial = study.ask()
            for step in range(epoch + 1):
                trial.report(1.0, step)
            study.tell(trial, 1.0)
        worst = study.ask()
        worst.report(0.0, epoch)
        return worst.should_prune()

    assert [is_pruned(earlier, 1) for earlier in (1, 2)] == [False, True]
    assert not is_pruned(2, 0)
