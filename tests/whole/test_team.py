"""A team's set-up: an MLflow server and Optuna on PostgreSQL, and workers behind a Dask scheduler, all of it real."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import optuna
import pandas as pd
import pytest

import my_study
from mlflow_server import MlflowServer
from postgres import Gate, Moment, Postgres
from project import Project, free_port, is_listening, wait_for
from rarelabels.study import recorded_study

pytestmark = pytest.mark.long

STUDY = ["run", "movies/floor_prior", "movies/linear_bce", "movies/bce_accuracy", "movies/pos_weight_tuned"]
STUDY += ["--seeds", "0,1", "--set", "training.epochs=2"]
SEARCH = ["--set", "tuning.n_trials=4", "--set", "tuning.seeds=[0]"]


@dataclass
class Team:
    """What a team shares."""

    gate: Gate
    server: MlflowServer
    scheduler: str
    storage: str
    cache: Path


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """Two worker processes with a folder and a cache of their own, which hold nothing to begin with."""
    folder = tmp_path_factory.mktemp("elsewhere")
    address = f"tcp://127.0.0.1:{free_port()}"
    environment = os.environ | {"RARELABELS_CACHE": str(folder / "cache")}
    host, port = address.removeprefix("tcp://").split(":")
    commands = [["scheduler", "--host", host, "--port", port, "--no-dashboard"]]
    commands += [["worker", address, "--nthreads", "1", "--no-dashboard", "--local-directory", str(folder)]] * 2
    quiet = subprocess.DEVNULL
    started = []
    with Postgres() as postgres:
        gate = Gate(postgres)
        for database in ("mlflow", "optuna"):
            postgres.create(database)
        server = MlflowServer(tmp_path_factory.mktemp("server"), gate.url("mlflow"))
        try:
            started = [
                subprocess.Popen(
                    [sys.executable, "-m", "dask", *command], stdout=quiet, stderr=quiet, cwd=folder, env=environment
                )
                for command in commands
            ]
            wait_for(lambda: is_listening(int(port)))
            yield Team(gate, server, address, gate.url("optuna"), folder / "cache")
        finally:
            for process in reversed(started):
                process.terminate()
                process.wait()
            server.kill()


def of_team(folder: Path, team: Team) -> Project:
    project = Project(folder)
    project.environment |= {"MLFLOW_TRACKING_URI": team.server.url, "OPTUNA_STORAGE": team.storage}
    return project


@pytest.fixture(scope="module")
def both(team: Team, tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Project]:
    """The same study by the team, and on this machine alone."""
    there, here = of_team(tmp_path_factory.mktemp("there"), team), Project(tmp_path_factory.mktemp("here"))
    there.out, there.err = there.call(*STUDY, *SEARCH, "--scheduler", team.scheduler)
    here.call(*STUDY, *SEARCH, "--workers", "1")
    return there, here


def test_a_study_of_a_team_has_the_numbers_of_one_on_this_machine(both: tuple[Project, Project]) -> None:
    """Nothing is written here, and what is there is read by the same functions."""
    there, here = both
    ours = ["movies/floor_prior", "movies/linear_bce", "movies/bce_accuracy"]
    counted = [one.counted() for one in both]
    same = [frame[frame["trial"].isin(ours)].dropna(axis=1, how="all") for frame in counted]
    assert len(same[0]) == 6
    pd.testing.assert_frame_equal(*[frame.reset_index(drop=True) for frame in same], check_exact=True)
    assert len(counted[0]) == len(counted[1]) == 8
    for name in ("floor_prior", "linear_bce"):
        assert there.summaries()[name] == here.summaries()[name]
    assert not (there.folder / "runs" / "mlflow.db").exists()
    assert "pos_weight_tuned" in there.out
    read = recorded_study.Study("movies", there.record, overridden=True)
    assert len(read.runs()) == 8
    assert len(read.scores("linear_bce")) == 3_064 * 17


def test_data_reached_the_workers_through_a_cache_of_their_own(both: tuple[Project, Project], team: Team) -> None:
    owners = {run.data.tags["owner"] for run in both[0].runs()}
    assert len(owners) == 2  # both workers had a part in it
    assert list(team.cache.glob("movies-*"))
    assert not (both[0].folder / "runs" / "outbox").exists()


def test_the_search_is_in_the_database(both: tuple[Project, Project], team: Team) -> None:
    found = optuna.get_all_study_summaries(team.storage)
    (name,) = {one.study_name for one in found if "pos_weight_tuned" in one.study_name}
    trials = optuna.load_study(study_name=name, storage=team.storage).trials
    assert sum(trial.state.is_finished() for trial in trials) == 4
    assert len({trial.user_attrs["owner"] for trial in trials}) == 2


RATE = """
extends: _base.yaml
question: How fast may it learn?
thread: beyond the threads
training: {epochs: 2, execution: plain}
tuning:
  kind: parameters
  space: {training.learning_rate: {low: 1.0e-3, high: 1.0e-1, log: true}}
  metric: validation/half/macro_f1
  direction: maximize
  n_trials: 6
  seeds: [0]
  sampler: {kind: tpe, n_startup_trials: 9, n_ei_candidates: 24, multivariate: true, constant_liar: true, seed: 0}
  pruner: {kind: median, n_startup_trials: 9, n_warmup_epochs: 4}
"""
SAYS_WHERE = Moment(b"\x00\x00\x00\x03run")  # of a trial of a search, the name of its run
MOMENTS = [
    *(Moment(b"INSERT INTO studies"), SAYS_WHERE, SAYS_WHERE, Moment(b"INSERT INTO trials ", committed=True)),
    *(Moment(b"INSERT INTO trial_params"), Moment(b"INSERT INTO trial_intermediate_values")),
    *(Moment(b"UPDATE trials SET state", committed=True), Moment(b"INSERT INTO metrics"), Moment(b"UPDATE runs")),
]


def test_postgresql_is_killed_and_comes_back(team: Team, tmp_path: Path) -> None:
    """With its server and its searches on it, in the middle of what they say to it.

    A command goes on, or ends with one line: where a worker, which lives on, was disturbed a second time in one trial.
    The next call waits for no trial that a worker has given up.
    """
    project = of_team(tmp_path, team)
    my_study.declare(project.folder)
    (project.folder / "experiments" / my_study.STUDY / "rate_tuned.yaml").write_text(RATE, "utf-8")
    command = ["run", "my/rate_tuned", "my/linear", "--seeds", "0", "--scheduler", team.scheduler]
    team.gate.moments += MOMENTS
    for _ in MOMENTS:
        process = project.start(*command)
        _, err = process.communicate(timeout=300)
        assert process.returncode == 0 or "does not answer" in err.splitlines()[-1], err
        if not team.gate.moments:
            break
    assert not team.gate.moments
    if process.returncode:
        project.call(*command, timeout=300)
    runs = project.runs(study="my")
    assert Counter(run.info.status for run in runs if run.data.tags["trial"] == "my/linear") == {"FINISHED": 1}
    (search,) = project.runs("search", "my/tuning")
    assert (search.info.status, search.data.tags["trials"]) == ("FINISHED", "6")
