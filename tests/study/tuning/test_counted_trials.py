"""Which trials count: not those whose process is gone or gave them up."""

from __future__ import annotations

import time

import optuna
import pytest
from optuna.exceptions import StorageInternalError

from rarelabels.study.tuning import counted_trials, parameters, searches
from rarelabels.study.tuning import search as tuning_search
from searched import TUNED, in_memory, tuned


def test_a_trial_of_a_machine_that_is_silent_is_cut_off_and_one_of_a_living_process_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = in_memory()
    running = [asked.ask() for _ in range(4)]
    counted_trials.beat(running[0], time.time)
    for trial, owner, alive in ((running[1], "elsewhere 1 1", 0.0), (running[2], "elsewhere 1 1", time.time())):
        trial.set_user_attr("owner", owner)
        trial.set_user_attr("alive", alive)
    assert [counted_trials.is_cut_off(trial, time.time) for trial in asked.trials] == [
        False,
        True,
        False,
        False,
    ]  # the last just began
    monkeypatch.setattr(
        counted_trials, "UNOWNED_SECONDS", 0.2
    )  # it is waited for, whatever the clock of its machine says
    counted_trials.fail_cut_off(asked, time.time)
    assert [trial.state.name for trial in asked.trials] == ["RUNNING", "FAIL", "RUNNING", "FAIL"]
    assert len(counted_trials.taken(asked)) == 2


def test_a_trial_that_a_living_process_gives_up_is_cut_off_at_once_and_one_that_was_told_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else others would wait for it until it has been silent for long: the living process may never end."""
    asked = in_memory()
    (identity,), labels = tuning_search._identities([tuned(TUNED, {})], None)
    one = searches.Search(identity, "", "", "", labels[identity.fingerprint])
    monkeypatch.setattr(parameters, "load", lambda *_: asked)

    def went_away(_client: object, _one: object, _of: object, trial: optuna.Trial, _say: object) -> None:
        counted_trials.beat(trial, time.time)
        if trial.number:
            asked.tell(trial, 0.5)
        raise StorageInternalError("the database went away")

    monkeypatch.setattr(parameters, "_attempt", went_away)
    for _ in range(2):
        with pytest.raises(StorageInternalError):
            parameters.attempt(None, one, print)  # type: ignore[arg-type]
    assert [trial.state.name for trial in asked.trials] == ["FAIL", "COMPLETE"]
    assert [trial.number for trial in counted_trials.taken(asked)] == [1]
    counted_trials.wait_for_others(asked, time.time)  # for nobody


def test_two_processes_may_give_up_the_same_trial_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = in_memory()
    trial = asked.ask()
    trial.set_user_attr("owner", "elsewhere 1 1")
    trial.set_user_attr("alive", 0.0)
    tell = asked._storage.set_trial_state_values

    def second(number: int, state: optuna.trial.TrialState, values: object) -> bool:
        tell(number, state)  # the first
        return tell(number, state)

    monkeypatch.setattr(asked._storage, "set_trial_state_values", second)
    counted_trials.fail_cut_off(asked, time.time)
    assert [trial.state.name for trial in asked.trials] == ["FAIL"]
