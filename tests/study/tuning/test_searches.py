"""One search: its names, its clock, and the study of Optuna where its trials are."""

from __future__ import annotations

import time
from pathlib import Path

import optuna
import pytest

from rarelabels.record.identities import Identity
from rarelabels.study import selection
from rarelabels.study.tuning import searches
from rarelabels.study.tuning.samplers import SeededByNumber
from rarelabels.study.tuning.searches import Search
from searched import TUNED, tuned


def identity(name: str, changes: dict[str, object] | None = None, variant: str = "", seed: int = 3) -> Identity:
    """Of the trial, without a look at its data."""
    return selection.identity(tuned(name, changes or {}).trial, variant, seed, "digest", "")


def search(one: Identity, storage: Path) -> Search:
    return Search(one, "", "", str(storage / "x.journal"), ("Drama", "Western"))


def test_only_a_search_of_thresholds_has_a_seed_in_its_title(tmp_path: Path) -> None:
    assert search(identity(TUNED), tmp_path).title == TUNED
    assert search(identity(TUNED, variant="a=1"), tmp_path).title == f"{TUNED} a=1"
    assert search(identity("movies/thresholds_tuned"), tmp_path).title == "movies/thresholds_tuned seed 3"


def test_its_name_in_the_storage_has_the_title_and_tells_two_searches_apart(tmp_path: Path) -> None:
    one = search(identity(TUNED), tmp_path)
    assert one.name == f"rarelabels/{TUNED} {one.identity.fingerprint[:12]}"
    other = search(identity(TUNED, {"training.epochs": 3}), tmp_path)
    assert other.title == one.title
    assert other.name != one.name


def test_a_journal_has_the_clock_of_this_machine(tmp_path: Path) -> None:
    before = time.time()
    assert before <= search(identity(TUNED), tmp_path).now() <= time.time()


def test_it_is_made_once_and_opened_again_with_its_trials(tmp_path: Path) -> None:
    one = search(identity(TUNED), tmp_path)
    study = searches.load(one)
    study.tell(study.ask(), 0.5)
    again = searches.load(one)
    assert [trial.value for trial in again.trials] == [0.5]
    assert (again.study_name, again.direction.name) == (one.name, "MAXIMIZE")
    assert isinstance(again.sampler, SeededByNumber)


@pytest.mark.parametrize(
    ("name", "changes", "direction", "pruner"),
    [
        (TUNED, {}, "MAXIMIZE", optuna.pruners.MedianPruner),
        (TUNED, {"tuning.pruner": {"kind": "none"}}, "MAXIMIZE", optuna.pruners.NopPruner),
        (TUNED, {"tuning.direction": "minimize"}, "MINIMIZE", optuna.pruners.MedianPruner),
        ("movies/thresholds_tuned", {}, "MAXIMIZE", optuna.pruners.NopPruner),
    ],
)
def test_direction_and_pruner_are_those_that_are_declared(
    name: str, changes: dict[str, object], direction: str, pruner: type, tmp_path: Path
) -> None:
    study = searches.load(search(identity(name, changes), tmp_path))
    assert study.direction.name == direction
    assert isinstance(study.pruner, pruner)


def test_the_first_trial_begins_with_the_given_values(tmp_path: Path) -> None:
    begin = {"weighting.strength": 0.75}
    trial = searches.load(search(identity(TUNED), tmp_path), begin).ask()
    assert trial.suggest_float("weighting.strength", 0, 1.5) == 0.75
