"""Searches of settings, in real processes: what they do, what they leave, how they go on, and what is refused."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from types import SimpleNamespace

import optuna
import pandas as pd
import pytest

from project import Project, wait_for
from rarelabels.errors import UserError
from rarelabels.record import connection, reading
from rarelabels.study.tuning import counted_trials, searches
from rarelabels.study.tuning import search as tuning_search
from searched import SHORT, TUNED, in_memory, optuna_trials, search_runs, tuned


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Five trials on two workers, then two more; and the study's results afterwards."""
    project = Project(tmp_path_factory.mktemp("searched"), plain=True, genres=5)
    _, project.first = project.call("run", TUNED, *SHORT, "--set", "tuning.n_trials=5", "--workers", "2")
    project.before = project.runs()
    project.out, project.second = project.do("run", TUNED, *SHORT, "--set", "tuning.n_trials=7")
    return project


@pytest.mark.long
def test_a_search_runs_its_trials_and_goes_on_with_more(searched: Project) -> None:
    assert "search of movies/pos_weight_tuned: 5 of 5 trials to do, 0 done before" in searched.first
    assert "search of movies/pos_weight_tuned: 2 of 7 trials to do, 5 done before" in searched.second
    trials = optuna_trials(searched)
    assert sorted(trial.number for trial in trials) == list(range(7))
    assert {trial.state.name for trial in trials} <= {"COMPLETE", "PRUNED"}


@pytest.mark.long
def test_it_begins_with_the_declaration_and_no_worker_repeats_another(searched: Project) -> None:
    trials = sorted(optuna_trials(searched), key=lambda trial: trial.number)
    assert trials[0].params == {"weighting.strength": 1.0, "weighting.scale": 1.0}
    assert len({tuple(trial.params.values()) for trial in trials}) == 7
    for trial in trials:
        assert 0 <= trial.params["weighting.strength"] <= 1.5
        assert 0.25 <= trial.params["weighting.scale"] <= 4


@pytest.mark.long
def test_every_trial_is_a_run_below_its_search_and_never_looks_at_test(searched: Project) -> None:
    (search,) = search_runs(searched)
    tried = searched.runs("tried", "movies/tuning")
    client = connection.connect(searched.record)
    by_number = {trial.number: trial for trial in optuna_trials(searched)}
    assert sorted(int(run.data.tags["number"]) for run in tried) == list(range(7))
    for run in tried:
        trial = by_number[int(run.data.tags["number"])]
        assert run.data.tags["mlflow.parentRunId"] == search.info.run_id
        assert {key: float(value) for key, value in run.data.params.items()} == pytest.approx(trial.params)
        assert trial.user_attrs["run"] == run.info.run_id
        assert not [name for name in run.data.metrics if name.startswith(("test/", "floor/"))]
        assert not client.list_artifacts(run.info.run_id)
        curve = client.get_metric_history(run.info.run_id, "curve/seed_0_val_loss")
        assert [point.step for point in curve][:1] == [1]
        if trial.state.name == "COMPLETE":
            assert run.data.metrics["validation/half/macro_f1"] == pytest.approx(trial.value)
            assert run.data.tags["state"] == "complete"
            assert list(trial.intermediate_values) == [0, 1]


@pytest.mark.long
def test_the_best_is_run_as_an_ordinary_trial(searched: Project) -> None:
    (search,) = search_runs(searched)
    client = connection.connect(searched.record)
    best = max((t for t in optuna_trials(searched) if t.state.name == "COMPLETE"), key=lambda t: t.value)
    stored = json.loads(Path(client.download_artifacts(search.info.run_id, "best.json")).read_text("utf-8"))
    assert stored["values"] == best.params == reading.best(client, search.info.run_id)
    assert stored["value"] == best.value
    assert (search.data.tags["trials"], search.info.status) == ("7", "FINISHED")
    run = searched.runs()[-1]
    assert run.data.tags["search"] == search.info.run_id
    assert float(run.data.params["weighting.strength"]) == best.params["weighting.strength"]
    assert float(run.data.params["weighting.scale"]) == best.params["weighting.scale"]
    # The search's seed is the run's: trained again, and the same to the last digit.
    assert run.data.metrics["validation/half/macro_f1"] == best.value
    assert "test/per_label/macro_f1" in run.data.metrics
    assert f"Tuned: weighting.strength = {best.params['weighting.strength']:.4g}" in searched.out.replace("\n", " ")


@pytest.mark.long
def test_its_history_and_figures_are_kept(searched: Project) -> None:
    (search,) = search_runs(searched)
    client = connection.connect(searched.record)
    table = pd.read_csv(client.download_artifacts(search.info.run_id, "trials.csv"))
    assert table["number"].tolist() == list(range(7))
    figures = {file.path for file in client.list_artifacts(search.info.run_id, "figures")}
    assert figures == {f"figures/{name}.png" for name in ("history", "importance", "slices")}
    steps = {point.step for point in client.get_metric_history(search.info.run_id, "search/value")}
    assert steps == {t.number for t in optuna_trials(searched) if t.state.name == "COMPLETE"}


@pytest.mark.long
def test_a_finished_search_searches_nothing_and_a_study_starts_none(searched: Project) -> None:
    _, err = searched.do("run", TUNED, *SHORT, "--set", "tuning.n_trials=7")
    assert "0 of 7 trials to do, 7 done before" in err
    assert "1 finished before" in err
    assert len(optuna_trials(searched)) == 7
    out, _ = searched.do("results", "movies")
    assert "skipped: movies/focal_tuned: not searched yet; `rarelabels run movies/focal_tuned` searches" in out
    assert "skipped: movies/pos_weight_tuned: not searched yet" in out  # as it is declared, with 30 trials


@pytest.mark.long
def test_results_by_rule_have_every_rule_and_the_floors(searched: Project) -> None:
    out, _ = searched.do("results", "movies", "--by", "rule")
    for title in ("macro-F1 by threshold rule", "micro-F1 by threshold rule", "subset accuracy by threshold rule"):
        assert title in out
    assert "floor: prior" in out
    assert "(a bound)" in out


@pytest.mark.long
def test_after_kill_nine_a_search_goes_on_to_the_same_total(project: Project) -> None:
    command = ["run", TUNED, "--seeds", "0", "--set", "training.epochs=4", "--set", "tuning.seeds=[0]"]
    command += ["--set", "tuning.n_trials=6", "--workers", "2"]
    process = project.start(*command)
    wait_for(lambda: sum(t.state.is_finished() for t in optuna_trials(project)) >= 2)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=300)
    wait_for(lambda: not project.processes())
    before = optuna_trials(project)
    kept = [trial for trial in before if trial.state.is_finished()]
    assert len(before) - len(kept) <= 2  # the trials in flight
    _, err = project.do(*command)
    assert f"search of {TUNED}: {6 - len(kept)} of 6 trials to do, {len(kept)} done before" in err
    after = {trial.number: trial for trial in optuna_trials(project)}
    for trial in kept:
        assert after[trial.number].values == trial.values
    counted = [trial for trial in after.values() if trial.state.name in ("COMPLETE", "PRUNED")]
    assert len(counted) == 6
    assert len({tuple(trial.params.values()) for trial in counted}) == 6
    lost = [trial for trial in after.values() if trial.state.name == "FAIL"]
    assert len(lost) == len(before) - len(kept)
    statuses = [run.info.status for run in project.runs("tried", "movies/tuning")]
    assert "RUNNING" not in statuses
    assert project.runs()[-1].info.status == "FINISHED"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"tuning.metric": "validation/half/macro_f"},
            "no validation metric .*; did you mean 'validation/half/macro_f1",
        ),
        ({"tuning.direction": "minimize"}, "macro_f1 is better when higher; use maximize"),
        ({"tuning.metric": "validation/ranking/brier"}, "brier is better when lower; use minimize"),
    ],
)
def test_a_search_that_makes_no_sense_is_refused_before_anything_is_recorded(
    changes: dict[str, object], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=f"^{TUNED}: tuning.*{message}"):
        tuning_search.search([tuned(TUNED, changes)], None, connection.uri(), None, None)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


def test_a_weight_for_each_of_many_labels_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning_search, "MOST_WEIGHTS", 16)
    with pytest.raises(UserError, match="a weight for each of 17 labels is too many for a search; allowed up to 16"):
        tuning_search._identities([tuned("movies/pos_weight_free_tuned", {})], None)


def test_thresholds_for_too_many_labels_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning_search, "MOST_THRESHOLDS", 16)
    with pytest.raises(UserError, match="17 thresholds are too many for a search; allowed up to 16 labels"):
        tuning_search._identities([tuned("movies/samples_f1_tuned", {})], None)


def test_a_search_makes_up_for_a_trial_that_another_process_gave_up_in_the_meantime(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It was in flight when the command counted what is left to do."""
    asked = in_memory()
    (identity,), labels = tuning_search._identities([tuned(TUNED, {"tuning.n_trials": 2})], None)
    one = searches.Search(identity, "", "", "", labels[identity.fingerprint])
    monkeypatch.setattr(tuning_search, "load", lambda *_: asked)
    asked.tell(asked.ask(), 0.5)
    other = asked.ask()
    counted_trials.beat(other, time.time)
    assert tuning_search._left(one) == 0

    def ends(of: optuna.Study, _: counted_trials.Now) -> None:
        of.tell(other, state=optuna.trial.TrialState.FAIL)

    monkeypatch.setattr(tuning_search, "wait_for_others", ends)
    assert tuning_search._given_up([one]) == [one]


def test_a_search_is_the_same_whatever_its_number_of_trials_and_another_for_another_space() -> None:
    def mark(changes: dict[str, object]) -> str:
        (identity,), _ = tuning_search._identities([tuned(TUNED, changes)], None)
        return identity.fingerprint

    assert mark({"tuning.n_trials": 99}) == mark({})
    assert mark({"tuning.seeds": (0,)}) != mark({})
    assert mark({"training.epochs": 3}) != mark({})
    assert mark({"tuning.metric": "crossfit/per_label/macro_f1"}) != mark({})


@pytest.mark.parametrize("is_concluded", [True, False])
def test_what_another_process_has_concluded_is_not_opened_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, is_concluded: bool
) -> None:
    """That process goes on and reads it: a search that is open again is not finished."""
    concluded: list[str] = []
    monkeypatch.setattr(tuning_search, "load", lambda one: None)
    monkeypatch.setattr(tuning_search, "wait_for_others", lambda asked, now: None)
    monkeypatch.setattr(tuning_search, "_is_concluded", lambda where, one: is_concluded)
    monkeypatch.setattr(tuning_search, "conclude", lambda where, one, say: concluded.append(where) or "why")
    where, one = f"sqlite:///{tmp_path}/mlflow.db", SimpleNamespace(now=time.time)
    assert tuning_search._conclude(where, one, print) == ("" if is_concluded else "why")  # type: ignore[arg-type]
    assert concluded == [where] * (not is_concluded)
