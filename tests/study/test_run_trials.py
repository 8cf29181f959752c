"""Runs by name from Python values: what is refused before anything runs, and what comes of a call."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

import pytest

from old_record import unpack
from project import Here, Project
from rarelabels.errors import MissingDataError, UserError
from rarelabels.study import engine, run_trials
from rarelabels.study.run_trials import Outcome


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = unpack(tmp_path_factory.mktemp("old"))
    project.do("run", "films")  # sums up what 0.4.2 summed up
    return project


@pytest.fixture
def here(old: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """In its folder, with tasks done in this process."""
    monkeypatch.chdir(old.folder)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setattr(engine, "Engine", Here)
    return old


def test_what_is_finished_is_compared_and_nothing_is_trained(here: Project, capsys: pytest.CaptureFixture[str]) -> None:
    with mock.patch.object(Here, "map", return_value=iter([])) as work:
        outcome = run_trials.run(["films"])
    assert not any(call.args[1] for call in work.call_args_list)
    assert (outcome.studies, outcome.failures, outcome.lines()) == (("films",), [], [])
    assert outcome.where == here.record
    assert len(outcome.identities) == 6
    (compared,) = outcome.compare("films")
    assert {row.name for row in compared.rows} == {"bce", "focal", "floor_prior"}
    assert set(outcome.comparison()["trial"]) >= {"bce", "focal", "floor_prior", "floor: zeros"}
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "films: 0 runs to do, 6 finished before" in printed.err


def test_an_outcome_can_be_compared_from_another_folder(
    here: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    outcome = run_trials.run(["films"])
    frame = outcome.comparison()
    monkeypatch.chdir(tmp_path)
    assert outcome.comparison().equals(frame)
    page = outcome._repr_html_()
    assert "<b>films on movies</b>" in page
    assert "<th>focal</th>" in page
    assert repr(outcome) == "Outcome of films: 6 runs, 0 trials skipped, 0 failures"


def test_overridden_runs_are_apart(here: Project) -> None:
    outcome = run_trials.run(["films/floor_prior"], seeds=[0], overrides={"thresholds.min_positives": 9})
    frame = outcome.comparison()
    name = "floor_prior (overridden: thresholds.min_positives=9)"
    assert set(frame.loc[frame["trial"] == name, "overrides"]) == {"thresholds.min_positives=9"}
    assert set(frame.loc[frame["trial"] == name, "seeds"]) == {1}


def test_failures_and_what_is_skipped_are_lines(tmp_path: Path) -> None:
    skipped = {"films/a": "no data", "films/b": "no data"}
    outcome = Outcome(("films",), "", [], skipped, ["films/c: OSError: //me:secret@host"], tmp_path)
    assert outcome.lines() == ["skipped: films/a, films/b: no data", "FAILED films/c: OSError: //me:***@host"]
    assert repr(outcome).splitlines()[1:] == outcome.lines()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"names": ["films/bec"]}, "no trial or study 'films/bec' under experiments/; did you mean 'films/bce'"),
        ({"seeds": [-1]}, r"seeds: allowed are whole numbers from 0, such as \[0, 1\]; given \[-1\]"),
        ({"seeds": []}, r"seeds: allowed are whole numbers from 0"),
        ({"seeds": [0.5]}, r"seeds: allowed are whole numbers from 0"),
        ({"workers": 0}, "workers: allowed is a whole number from 1; given 0"),
        ({"workers": 1, "scheduler": "tcp://host:1"}, "starts processes here, and tcp://host:1 has its own"),
        ({"overrides": {"training.epoch": 3}}, "training.epoch: no named trial has this key"),
    ],
)
def test_a_mistake_is_one_line_before_anything_runs(here: Project, arguments: dict[str, object], message: str) -> None:
    before = len(here.runs("run", "films"))
    with pytest.raises(UserError, match=message) as error:
        run_trials.run(**({"names": ["films/bce"]} | arguments))  # type: ignore[arg-type]
    assert "\n" not in str(error.value)
    assert len(here.runs("run", "films")) == before


def test_workers_elsewhere_cannot_write_to_a_file_here(here: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_trials.Workers, "other_machines", lambda self: ["far"])
    with pytest.raises(UserError, match="workers on far cannot write to a file on this machine"):
        run_trials.run(["films/bce"], scheduler="tls://far:8786")


def test_only_what_declares_a_search_is_tuned(here: Project) -> None:
    with pytest.raises(UserError, match="films/bce, films/focal: no search is declared"):
        run_trials.tune(["films/bce", "films/focal"])


PLOTS = """
extends: _base.yaml
question: Do plots want another learning rate?
thread: none
dataset: {kind: wikipedia_movies}
tuning: {kind: parameters, space: {training.learning_rate: {low: 0.001, high: 0.1}}, direction: maximize, n_trials: 1,
  metric: validation/half/macro_f1, seeds: [0], sampler: {kind: random, seed: 0}, pruner: {kind: none}}
"""


def test_a_search_without_its_data_says_how_to_get_them(here: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    trial = here.folder / "experiments" / "films" / "plots.yaml"
    trial.write_text(PLOTS, "utf-8")
    monkeypatch.setenv("RARELABELS_DATA", str(here.folder / "nothing"))
    try:
        with pytest.raises(MissingDataError, match="rarelabels fetch wikipedia_movies"):
            run_trials.tune(["films/plots"])
    finally:
        trial.unlink()


@pytest.mark.long
def test_a_search_is_done_and_its_trial_then_runs_with_the_best_values(here: Project) -> None:
    changes = {"tuning.n_trials": 2, "training.epochs": 1}
    (row,) = run_trials.tune(["table/tuned"], overrides=changes).to_dict("records")
    assert row["trials"] == 2
    strength = row["weighting.strength"]
    assert f"weighting.strength = {strength:.4g}" in row["found"]
    selected = run_trials.selection.identify(["table/tuned"], changes)
    assert {one.trial.weighting.strength for one in selected.identities} == {strength}
