"""Searches of thresholds on the scores of one training, which other trials share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from project import Project
from rarelabels.declare.tuning import ThresholdSearch
from rarelabels.judging.metrics import decision_metrics
from rarelabels.judging.scores import Scores
from rarelabels.record import connection, reading
from rarelabels.study import selection
from rarelabels.study.tuning import label_thresholds
from rarelabels.study.tuning.searches import Search
from searched import search_runs, tuned


@pytest.fixture(scope="module")
def thresholds(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A search of thresholds on one training, which the plain trial then shares."""
    project = Project(tmp_path_factory.mktemp("thresholds"), plain=True, genres=5)
    names = ["movies/samples_f1_tuned", "movies/thresholds_tuned", "movies/bce_platt"]
    short = ["--seeds", "0", "--set", "training.epochs=2", "--set", "tuning.n_trials=25", "--workers", "1"]
    project.out, project.err = project.do("run", *names, *short)
    return project


@pytest.mark.long
def test_thresholds_are_searched_on_the_scores_of_one_shared_training(thresholds: Project) -> None:
    assert "search of movies/samples_f1_tuned seed 0: 25 of 25 trials to do" in thresholds.err
    assert "3 runs to do (0 trainings:" in thresholds.err  # the search of the first has trained them all
    by_trial = {run.data.tags["trial"]: run for run in thresholds.runs()}
    trainings = {run.data.tags["training"] for run in by_trial.values()}
    assert len(trainings) == 1
    assert len({run.data.tags["fingerprint"] for run in by_trial.values()}) == 3
    client = connection.connect(thresholds.record)
    raw = [reading.raw_scores(client, run.info.run_id)[2].scores for run in by_trial.values()]
    np.testing.assert_array_equal(raw[0], raw[2])
    calibrated = reading.scores(client, by_trial["movies/bce_platt"].info.run_id, "test").scores
    assert np.abs(calibrated - raw[0]).max() > 0.001
    metrics = by_trial["movies/bce_platt"].data.metrics
    assert metrics["test/ranking/macro_ece"] < metrics["test/uncalibrated/macro_ece"]


@pytest.mark.long
def test_what_a_search_of_thresholds_reaches_is_what_its_rules_reach(thresholds: Project) -> None:
    client = connection.connect(thresholds.record)
    for search in search_runs(thresholds):
        metric = "samples_f1" if "samples" in search.data.tags["trial"] else "macro_f1"
        _, validation, _ = reading.raw_scores(client, search.info.run_id)
        found = reading.rules(client, search.info.run_id)
        facts = search.data.metrics
        for rule, name in (("searched", "best"), ("ascent", "ascent")):
            reached = decision_metrics(validation.y, found[rule].assign(validation.scores))[metric]
            assert reached == pytest.approx(facts[f"search/{name}"], abs=1e-12)
        assert facts["search/best"] >= facts["search/start"]
        assert facts["search/ascent"] >= facts["search/start"]
        history = client.get_metric_history(search.info.run_id, "search/value")
        assert sorted(point.step for point in history) == list(range(25))
        assert max(point.value for point in history) == pytest.approx(facts["search/best"])
        if metric == "macro_f1":
            assert facts["search/per_label"] >= facts["search/best"]
            assert facts["search/per_label"] == pytest.approx(facts["search/ascent"], abs=1e-9)
        run = next(run for run in thresholds.runs() if run.data.tags["search"] == search.info.run_id)
        assert {f"test/{rule}/{metric}" for rule in ("searched", "ascent", "per_label")} <= run.data.metrics.keys()


def test_a_search_begins_with_the_exact_thresholds_and_is_held_beside_them(tmp_path: Path) -> None:
    """Two labels, perfectly ranked: the exact thresholds reach an F1 of 1, and so does the first trial."""
    y = np.array([[1, 1], [1, 0], [1, 0], [0, 0], [0, 0], [0, 0]], np.uint8)
    part = Scores(np.arange(6), y, np.array([[0.9, 0.8], [0.8, 0.3], [0.7, 0.2], [0.3, 0.1], [0.2, 0.1], [0.1, 0.1]]))
    trial = tuned("movies/thresholds_tuned", {"tuning.n_trials": 3, "tuning.warm_start": True}).trial
    identity = selection.identity(trial, "", 0, "digest", "")
    one = Search(identity, "", "", str(tmp_path / "x.journal"), ("often", "rare"))
    assert isinstance(trial.tuning, ThresholdSearch)
    study, facts, rules = label_thresholds._find_thresholds(one, trial.tuning, part)
    assert len(study.trials) == 3
    assert study.trials[0].params == {"often": 4, "rare": 2}  # a row more than get the label
    assert {facts[f"search/{name}"] for name in ("best", "start", "ascent", "per_label")} == {1.0}
    assert set(rules) == {"searched", "ascent"}
    for rule in rules.values():
        np.testing.assert_array_equal(rule.assign(part.scores), y > 0)
