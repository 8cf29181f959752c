"""Trainings and what is watched."""

import pytest

from plain_trial import TRAINING, refusal
from rarelabels.declare.training import BARE_ACCURACY, TrainingSpec


@pytest.mark.parametrize("watch", [("accuracy",), ["auc", "accuracy"], "accuracy", ("acc",)])
def test_bare_accuracy_is_refused_with_its_reason(watch: object):
    assert BARE_ACCURACY in refusal(watch=watch)


@pytest.mark.parametrize(
    ("training", "reason"),
    [
        ({"epochs": None}, "exactly one of epochs and steps"),
        ({"steps": 100}, "exactly one of epochs and steps"),
        ({"epochs": None, "steps": 100, "evaluate_every": 101}, "evaluate_every must be at most steps, 100; given 101"),
        ({"evaluate_every": 10}, "evaluate_every goes with steps"),
        ({"patience": 0}, "greater than or equal to 1"),
        ({"epochs": None, "steps": 9, "pruning": {"sparsity": 0.5, "end_epoch": 2}, "keep": "last"}, "declare epochs"),
    ],
)
def test_the_length_of_a_training_is_declared_without_contradiction(training: dict[str, object], reason: str):
    assert reason in refusal(training={**TRAINING, **training})


def test_a_training_has_whole_epochs_within_its_bound():
    def schedule(rows: int, **changes: object) -> tuple[int, int]:
        declared = TrainingSpec.model_validate({**TRAINING, "epochs": None, "batch_size": 32, **changes})
        found = declared.schedule(rows)
        return found.steps, found.epochs

    assert schedule(300, epochs=7) == (9, 7)  # 9 batches of 32 make a pass over 300 rows
    assert schedule(300, steps=25) == (9, 2)
    assert schedule(300, steps=25, evaluate_every=7) == (7, 3)
    assert schedule(300, steps=5) == (5, 1)
    assert schedule(20, steps=5) == (1, 5)  # fewer rows than a batch make one


def test_a_training_of_so_many_epochs_is_ended_by_nothing_else():
    by_steps = {**TRAINING, "epochs": None, "steps": 90, "patience": 3}
    assert TrainingSpec.model_validate({**by_steps, "evaluate_every": 10}).of_length(4).steps == 40
    passes = TrainingSpec.model_validate(by_steps).of_length(4)
    assert (passes.epochs, passes.steps, passes.patience, passes.keep) == (4, None, None, "last")
