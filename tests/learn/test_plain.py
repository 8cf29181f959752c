"""The fast way to train gives what ordinary Keras gives: every network of the movie study, on real films."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rarelabels.data import loading
from rarelabels.declare import declarations, variants
from rarelabels.declare.data import MoviesSpec
from rarelabels.declare.trial import Trial
from rarelabels.learn import fitting, training
from rarelabels.learn.training import FittedNetwork

MOVIES = Path(__file__).parents[2] / "experiments" / "movies"
FEW = {"training.epochs": 2, "dataset.train_fraction": 0.15}


def networks() -> list[Trial]:
    """A trial for each network that is compiled or weighted differently, on data that are in a package."""
    found = {}
    for path in sorted(MOVIES.glob("[!_]*.yaml")):
        if path.name != "study.yaml":
            trial = declarations.load_trial(path)
            if trial.is_network and not trial.tuning and isinstance(trial.dataset, MoviesSpec):
                found.setdefault((trial.compiled(), trial.weighting.kind), trial)
    return list(found.values())


def fit(trial: Trial, seed: int, execution: str) -> tuple[FittedNetwork, dict[int, dict[str, float]]]:
    pruned = {"training.pruning.end_epoch": 2} if trial.training.pruning else {}
    changed = variants.with_values(trial, {**FEW, **pruned, "training.execution": execution})
    data, weights = fitting.load(changed, seed)
    curves: dict[int, dict[str, float]] = {}
    return training.fit(changed, data, weights, seed, (), curves.__setitem__), curves


@pytest.mark.long
@pytest.mark.parametrize("trial", networks(), ids=lambda trial: trial.short_name)
def test_the_plain_way_differs_by_rounding_where_seeds_differ_by_much(trial: Trial) -> None:
    """XLA orders the same sums in another way: the scores are those of the plain way, and far from another seed's."""
    few = {key: value for key, value in FEW.items() if key.startswith("dataset")}
    data = loading.load(variants.with_values(trial, few).dataset, 0)
    fast, curves = fit(trial, 0, "fast")
    scores = fast.scores(data.test)
    plain, same = fit(trial, 0, "plain")
    off = np.abs(plain.scores(data.test) - scores).mean()
    other = np.abs(fit(trial, 1, "fast")[0].scores(data.test) - scores).mean()
    assert off < 0.02 * other
    for epoch, values in curves.items():
        for name, value in values.items():
            assert same[epoch][name] == pytest.approx(value, rel=1e-3), (epoch, name)


@pytest.mark.long
def test_plain_is_ordinary_keras_and_a_new_network_each_time() -> None:
    trial = declarations.load_trial(MOVIES / "bce_accuracy.yaml")
    first, second = (fit(trial, 0, "plain")[0].network for _ in range(2))
    assert first is not second
    for network in (first, second):
        assert network.model.jit_compile is False
        assert network.model.steps_per_execution == 1
    one, other = (fit(trial, seed, "fast")[0].network for seed in (0, 1))
    assert one is other
    assert one.model.jit_compile is True
    assert one.model.steps_per_execution > 1


def test_the_way_is_part_of_what_a_run_is_but_for_the_usual_one() -> None:
    trial = declarations.load_trial(MOVIES / "bce_accuracy.yaml")
    plain = variants.with_values(trial, {"training.execution": "plain"})
    assert plain.training_definition()["training"]["execution"] == "plain"
    assert "execution" not in trial.training_definition()["training"]
    assert trial.training_definition() != plain.training_definition()
