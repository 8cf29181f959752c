"""Trials of settings: what is drawn and trained, what is pruned or fails, and what lies on an edge."""

from __future__ import annotations

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from project import Project
from rarelabels.declare import as_yaml, variants
from rarelabels.study.tuning import parameters, searches
from rarelabels.study.tuning import search as tuning_search
from rarelabels.study.tuning.parameters import on_the_edge
from searched import EXPERIMENTS, TUNED, optuna_trials, search_runs, tuned


@pytest.mark.long
def test_a_hopeless_trial_is_pruned_and_recorded_so_and_one_that_diverges_fails(project: Project) -> None:
    """Learning rates from far too small to far too large; the first trials are never pruned."""
    declared = (EXPERIMENTS / "movies" / "pos_weight_tuned.yaml").read_text("utf-8")
    head = declared.split("tuning:")[0].replace("extends: _base.yaml", "extends: _base.yaml\nseeds: [0]")
    (project.folder / "experiments" / "movies" / "rates.yaml").write_text(
        head + "training: {epochs: 3}\n"
        "tuning:\n"
        "  kind: parameters\n"
        "  space: {training.learning_rate: {choices: [0.003, 0.01, 1.0e-7, 1.0e+38]}}\n"
        "  metric: validation/ranking/macro_average_precision\n"
        "  direction: maximize\n"
        "  n_trials: 8\n"
        "  seeds: [0, 1]\n"
        "  sampler: {kind: random, seed: 3}\n"
        "  pruner: {kind: median, n_startup_trials: 1, n_warmup_epochs: 0}\n"
    )
    _, err = project.do("run", "movies/rates")
    trials = {trial.number: trial for trial in optuna_trials(project)}
    assert len(trials) == 8
    states = {run.data.tags["state"]: run for run in project.runs("tried", "movies/tuning")}
    assert set(states) == {"complete", "pruned", "failed"}
    assert states["pruned"].info.status == "KILLED"
    assert states["pruned"].data.tags["reason"].startswith("pruned after epoch ")
    assert trials[int(states["pruned"].data.tags["number"])].state.name == "PRUNED"
    assert states["failed"].info.status == "FAILED"
    assert "NotFiniteError: epoch 1" in states["failed"].data.tags["reason"]
    assert trials[int(states["failed"].data.tags["number"])].user_attrs["reason"].startswith("NotFiniteError")
    runs = {int(run.data.tags["number"]): run for run in project.runs("tried", "movies/tuning")}
    complete = [t for number, t in sorted(trials.items()) if t.state.name == "COMPLETE"]
    first = {t.params["training.learning_rate"]: t for t in reversed(complete)}
    again = [t for t in complete if t is not first[t.params["training.learning_rate"]]]
    assert again  # eight draws of four rates
    for trial in complete:
        curves = {f"curve/seed_{seed}_val_loss" for seed in (0, 1)} & runs[trial.number].data.metrics.keys()
        assert len(curves) == (0 if trial in again else 2)  # what was trained before is not trained again
        assert trial.value == first[trial.params["training.learning_rate"]].value
        assert set(trial.intermediate_values) == (set() if trial in again else {0, 1, 2})  # of the first seed
    (search,) = search_runs(project)
    assert search.info.status == "FINISHED"
    assert search.data.metrics["search/fail"] + search.data.metrics["search/complete"] < 8
    assert "FAILED" not in err


def test_free_weights_are_a_parameter_for_each_label_and_one_value_of_the_trial() -> None:
    (identity,), labels = tuning_search._identities([tuned("movies/pos_weight_free_tuned", {})], None)
    one = searches.Search(identity, "", "", "", labels[identity.fingerprint])
    space = parameters.distributions(one)
    assert len(space) == 17
    assert "weighting.weights.Sci-Fi" in space
    params = {name: 1.0 + place for place, name in enumerate(space)}
    values = parameters.values_of(one, params)
    trial = variants.with_values(one.trial, values)
    assert trial.weighting.weights["Drama"] == 1.0  # type: ignore[union-attr]
    assert trial.weighting.weights["Western"] == 17.0  # type: ignore[union-attr]
    assert parameters.declared_values(one) == dict.fromkeys(space, 1.0)  # plain binary cross-entropy comes first
    assert as_yaml.flat(trial)["weighting.weights"].startswith('{"Drama": 1.0, ')  # type: ignore[union-attr]


def test_a_search_begins_with_the_declaration_where_the_space_holds_it() -> None:
    space = {"training.batch_size": {"choices": (128, 256)}, "weighting.scale": {"low": 2.0, "high": 4.0}}
    (identity,), labels = tuning_search._identities([tuned(TUNED, {"tuning.space": space})], None)
    one = searches.Search(identity, "", "", "", labels[identity.fingerprint])
    assert parameters.distributions(one)["training.batch_size"].choices == (128, 256)  # type: ignore[attr-defined]
    assert parameters.declared_values(one) == {"weighting.strength": 1.0}  # no batch of 512, no scale of 1


def test_what_lies_within_two_percent_of_a_range_from_its_end_is_on_the_edge() -> None:
    """Of 0 to 2 that is up to 0.04 and from 1.96; of 0.0001 to 0.1, in logarithms, from 0.1 / 1000**0.02 = 0.0871."""
    searched = {
        "strength": FloatDistribution(0, 2),
        "rate": FloatDistribution(1e-4, 0.1, log=True),
        "rows": IntDistribution(1, 1000),
        "beta": CategoricalDistribution((0.9, 0.99, 0.999)),
        "batch": CategoricalDistribution((128, 256)),
        "optimizer": CategoricalDistribution(("adam", "sgd", "adamw")),
    }
    inside = {"strength": 0.05, "rate": 0.0869, "rows": 100, "beta": 0.99, "batch": 128, "optimizer": "adam"}
    assert on_the_edge(inside, searched) == {}
    edges = {"strength": 1.478, "rate": 0.0873, "rows": 990, "beta": 0.999, "batch": 256, "optimizer": "adamw"}
    assert on_the_edge(edges, searched) == {
        "rate": "rate = 0.0873 of 0.0001 to 0.1",
        "rows": "rows = 990 of 1 to 1000",
        "beta": "beta = 0.999 of 0.9 to 0.999",
    }
    assert on_the_edge({"strength": 1.478}, {"strength": FloatDistribution(0, 1.5)}).keys() == {"strength"}
