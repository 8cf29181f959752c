"""Where searches are kept: answers that are lost, storages that do not answer, and a real database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import optuna
import pytest
import sqlalchemy
from optuna.exceptions import StorageInternalError

from postgres import Postgres
from project import Project
from rarelabels.errors import UserError
from rarelabels.record import bounds as connection_bounds
from rarelabels.study.tuning import storage as tuning_storage
from searched import SHORT, TUNED, optuna_trials, search_runs


class Deaf(optuna.storages.InMemoryStorage):
    """A storage that does what it is told to a trial's state, and then goes away before it says so, once."""

    heard = False

    def set_trial_state_values(self, *told: object, **named: object) -> bool:
        done = super().set_trial_state_values(*told, **named)
        if not self.heard:
            self.heard = True
            raise StorageInternalError("the database went away")
        return done


def test_what_was_told_stays_though_the_answer_is_lost() -> None:
    asked = optuna.create_study(storage=Deaf())
    trial = asked.ask()
    tuning_storage.tell(asked, trial, 0.5)
    (told,) = asked.trials
    assert (told.state.name, told.value) == ("COMPLETE", 0.5)


def test_a_storage_that_does_not_answer_is_one_line_without_its_password(project: Project) -> None:
    project.environment["OPTUNA_STORAGE"] = "postgresql://me:s3cret@127.0.0.1:1/none"
    _, err = project.do("run", TUNED, *SHORT, code=2)
    (line,) = err.splitlines()
    assert line.startswith("rarelabels: OPTUNA_STORAGE 'postgresql://me:***@127.0.0.1:1/none' does not answer")
    assert "s3cret" not in err


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    with Postgres() as started:
        yield started.url(driver="postgresql")


@pytest.mark.long
def test_two_searchers_share_a_search_on_postgresql(project: Project, postgres: str) -> None:
    """Each has a worker of its own; together they do as many trials as declared, none twice."""
    project.environment["OPTUNA_STORAGE"] = postgres
    project.do("run", "movies/floor_zeros", "--seeds", "0")  # makes the record
    command = ["run", TUNED, *SHORT, "--set", "tuning.n_trials=8", "--workers", "1"]
    both = [project.start(*command) for _ in range(2)]
    ends = [process.communicate(timeout=1800) for process in both]
    assert [process.returncode for process in both] == [0, 0], ends
    trials = [trial for trial in optuna_trials(project, postgres) if trial.state.name != "FAIL"]
    assert len(trials) == 8
    assert len({tuple(trial.params.values()) for trial in trials}) == 8
    owners = {trial.user_attrs["owner"] for trial in trials}
    assert len(owners) == 2
    assert not (project.folder / "runs" / "optuna").exists()
    search, *late = sorted(search_runs(project), key=lambda run: run.info.status)
    assert (search.info.status, search.data.tags["trials"]) == ("FINISHED", "8")
    # Where both began in the same moment, the run of the slower one says so and is left.
    reasons = [run.data.tags["reason"] for run in late if run.info.status == "KILLED"]
    assert len(late) == len(reasons) <= 1
    assert set(reasons) <= {f"the same search as {search.info.run_id}"}


@pytest.mark.long
def test_a_search_of_many_trials_takes_few_connections(postgres: str) -> None:
    """A database has a hundred, and whoever gets none waits as if it were away."""
    for _ in range(20):
        opened = tuning_storage.open_storage(postgres, 1)
        opened.get_all_studies()
    with opened.engine.connect() as open_:
        counted = sqlalchemy.text("select count(*) from pg_stat_activity where datname = current_database()")
        assert open_.execute(counted).scalar() < 10


@pytest.mark.long
def test_no_connection_waits_for_ever_and_what_the_address_says_goes_first(postgres: str) -> None:
    with sqlalchemy.create_engine(f"{postgres}?connect_timeout=7").connect() as open_:
        said = open_.connection.driver_connection.info.get_parameters()
        idle = open_.execute(sqlalchemy.text("show idle_in_transaction_session_timeout")).scalar()
    bounds = {key: str(value) for key, value in connection_bounds.CONNECTION.items()} | {"connect_timeout": "7"}
    assert bounds.items() <= said.items()
    assert idle == "1min"


@pytest.mark.long
def test_a_process_that_is_frozen_holds_nothing_for_long(postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else nobody could ask for a trial as long as it is."""
    monkeypatch.setattr(connection_bounds, "IDLE_SECONDS", 1)
    engine, locked = sqlalchemy.create_engine(postgres), sqlalchemy.text("select * from held for update")
    with engine.begin() as first:
        first.execute(sqlalchemy.text("create table held as select 1 as number"))
    with engine.connect() as frozen, engine.begin() as other:
        frozen.execute(locked)
        other.execute(sqlalchemy.text("set local lock_timeout = '100s'"))
        assert other.execute(locked).scalar() == 1
        frozen.invalidate()


def test_a_journal_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"file/x\.journal: the searches cannot be kept there: ") as caught:
        tuning_storage.open_storage(str(tmp_path / "file" / "x.journal"))
    assert "\n" not in str(caught.value)


def test_what_the_storage_loses_is_done_once_more_and_no_more() -> None:
    lost = [StorageInternalError("the database went away")]

    def do() -> str:
        if lost:
            raise lost.pop()
        return "done"

    assert tuning_storage.once_more(do) == "done"
    lost += [StorageInternalError("the database went away")] * 2
    with pytest.raises(StorageInternalError):
        tuning_storage.once_more(do)


def test_a_storage_that_stays_away_is_one_line_and_another_error_is_itself() -> None:
    said = r"^OPTUNA_STORAGE 'sqlite:///x' does not answer \(StorageInternalError\); start the database"
    with pytest.raises(UserError, match=said), tuning_storage.answering("sqlite:///x"):
        raise StorageInternalError("the database went away")
    with pytest.raises(ZeroDivisionError), tuning_storage.answering("sqlite:///x"):
        raise ZeroDivisionError
