"""Fingerprints: what can change the numbers of a run tells it from others, and nothing else does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rarelabels.declare import find
from rarelabels.declare.trial import Trial
from rarelabels.record import identities
from rarelabels.record.identities import fingerprints, parent_key, search_fingerprint, training_fingerprint

EXPERIMENTS = Path(__file__).parents[2] / "experiments"


def trial(**overrides: Any) -> Trial:
    changes = {key.replace("__", "."): value for key, value in overrides.items()}
    return find.load_many([str(EXPERIMENTS / "movies" / "bce_accuracy.yaml")], changes)[0]


def test_runs_of_a_trial_share_a_definition_and_differ_by_seed() -> None:
    found = fingerprints(trial(), [0, 1], "data")
    assert sorted(found.runs) == sorted(found.trainings) == [0, 1]
    assert len({found.definition, *found.runs.values(), *found.trainings.values()}) == 5
    assert fingerprints(trial(), [1], "data").runs[1] == found.runs[1]
    assert training_fingerprint(trial(), 1, "data") == found.trainings[1]


@pytest.mark.parametrize(
    ("overrides", "digest", "is_same", "is_same_training"),
    [
        ({}, "data", True, True),
        ({"watch": ["auc"]}, "data", True, True),
        ({"seeds": [0, 1, 2, 3]}, "data", True, True),
        ({"thresholds__min_positives": 7}, "data", False, True),
        ({"training__learning_rate": 0.5}, "data", False, False),
        ({}, "other data", False, False),
    ],
)
def test_what_can_change_the_numbers(
    overrides: dict[str, Any], digest: str, is_same: bool, is_same_training: bool
) -> None:
    plain, other = fingerprints(trial(), [0], "data"), fingerprints(trial(**overrides), [0], digest)
    assert (plain.definition == other.definition) is is_same
    assert (plain.runs == other.runs) is is_same
    assert (plain.trainings == other.trainings) is is_same_training


def test_metrics_that_were_added_judge_anew_and_train_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    before = fingerprints(trial(), [0], "data")
    monkeypatch.setattr(identities, "EVALUATION", identities.EVALUATION + 1)
    after = fingerprints(trial(), [0], "data")
    assert (before.runs == after.runs, before.trainings == after.trainings) == (False, True)


def test_a_search_of_more_trials_goes_on_where_it_stopped() -> None:
    declared = find.load_many([str(EXPERIMENTS / "movies" / "focal_tuned.yaml")], {})[0]
    more = find.load_many([str(EXPERIMENTS / "movies" / "focal_tuned.yaml")], {"tuning.n_trials": 99})[0]
    assert search_fingerprint(declared, None, "data") == search_fingerprint(more, None, "data")
    assert search_fingerprint(declared, None, "data") != search_fingerprint(declared, None, "other data")


def test_a_trial_without_a_network_does_not_depend_on_tensorflow() -> None:
    assert set(identities.library_versions(with_tensorflow=False)) == {"scikit-learn", "numpy", "threads"}
    assert {"tensorflow", "keras"} <= set(identities.library_versions(with_tensorflow=True))


def test_a_run_and_its_identity_name_the_same_parent() -> None:
    from rarelabels.record.entities import Run, RunData, RunInfo

    found = fingerprints(trial(), [0], "data")
    identity = identities.Identity(
        trial(), "labels 3", 0, found.definition, found.runs[0], found.trainings[0], "training.epochs=2"
    )
    tags = {"trial": "movies/bce_accuracy", "variant": "labels 3", "definition": found.definition}
    run = Run(
        RunInfo("r", "1", "seed 0", "FINISHED", 0, 1, ""),
        RunData({}, {}, tags | {"overrides": "training.epochs=2"}),
    )
    assert parent_key(run) == identity.parent_key
