"""A trial without YAML: what is allowed, and what defines it."""

import pytest
from pydantic import ValidationError

from plain_trial import TRAINING, TRIAL, refusal
from rarelabels.declare.trial import Trial


def test_a_plain_trial_is_accepted_and_frozen():
    trial = Trial.model_validate(TRIAL)
    assert (trial.study, trial.short_name, trial.is_network) == ("movies", "bce", True)
    assert trial.watch == ()
    with pytest.raises(ValidationError):
        trial.question = "another question"


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "bce"},
        {"name": "a/b/c"},
        {"question": "too short"},
        {"seeds": ()},
        {"seeds": (-1,)},
        {"dataset": {"kind": "movies", "labels": 1}},
        {"dataset": {"kind": "movies", "labels": 22}},
        {"loss": {"kind": "binary_focal", "alpha": 0.0}},
        {"loss": {"kind": "binary_focal", "alpha": 1.0}},
        {"loss": {"kind": "binary_focal", "gamma": -0.1}},
        {"loss": {"kind": "hinge"}},
        {"model": {"kind": "text_bag", "dropout": 1.0}},
        {"model": {"kind": "text_bag", "hidden": (0,)}},
        {"model": {"kind": "floor"}},
        {"model": {"kind": "linear", "c": 0}},
        {"model": {"kind": "linear", "c": (1.0,)}},
        {"model": {"kind": "linear", "c": (1.0, 1.0)}},
        {"model": {"kind": "linear", "c": (1.0, -1.0)}},
        {"model": {"kind": "linear", "ngrams": 3}},
        {"model": {"kind": "linear", "field_weights": {"title": -1.0}}},
        {"model": {"kind": "gradient_boosting", "max_iter": 0}},
        {"weighting": {"kind": "pos_weight", "cap": 0}},
        {"training": {"epochs": 0, "batch_size": 1, "learning_rate": 0.1}},
        {"training": {"epochs": 1, "batch_size": 1, "learning_rate": float("nan")}},
        {"training": {"epochs": 1, "batch_size": 1, "learning_rate": float("inf")}},
        {"thresholds": {"min_positives": 0}},
        {"colour": "blue"},
        {"loss": {"kind": "bce", "label_smoothing": 0.1}},
    ],
)
def test_values_out_of_range_and_unknown_keys_are_refused(changes: dict[str, object]):
    refusal(**changes)


@pytest.mark.parametrize("changes", [{"seeds": (1, 2, 1)}, {"watch": ("auc", "auc")}])
def test_repeats_are_refused(changes: dict[str, object]):
    assert "is listed twice" in refusal(**changes)


@pytest.mark.parametrize("vary", [{}, {"loss.gamma": ()}, {"loss.gamma": (1,), "model.width": (8,)}])
def test_a_sweep_has_one_dimension(vary: dict[str, tuple[object, ...]]):
    assert "exactly one dotted key" in refusal(vary=vary)


def test_the_definition_holds_what_can_change_the_numbers():
    trial = Trial.model_validate(TRIAL)
    same = Trial.model_validate({**TRIAL, "watch": ("auc",), "seeds": (7,), "question": "Other words, same training?"})
    longer = Trial.model_validate({**TRIAL, "training": {**TRAINING, "epochs": 4}})
    assert same.definition() == trial.definition()
    assert longer.definition() != trial.definition()


def test_a_floor_ignores_training_in_its_definition():
    floor = {**TRIAL, "model": {"kind": "floor", "predicts": "zeros"}}
    longer = {**floor, "training": {"epochs": 99, "batch_size": 1, "learning_rate": 1}}
    assert Trial.model_validate(floor).definition() == Trial.model_validate(longer).definition()


def test_soft_f1_has_no_rows_to_weigh() -> None:
    table = {"kind": "table", "path": "a.csv", "labels": {"column": "tags"}, "text": ("plot",), "weight": "w"}
    assert "soft_f1' with dataset.weight: the F1 of a batch has no rows to weigh" in refusal(
        dataset=table, loss={"kind": "soft_f1"}
    )
