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
        {"loss": {"kind": "bce", "label_smoothing": 1.0}},
        {"loss": {"kind": "hamming", "label_smoothing": 0.1}},
        {"loss": {"kind": "hill", "lamb": 0.9}},
        {"loss": {"kind": "splc", "tau": 1.0}},
        {"dataset": {"kind": "movies", "hide": {"keep": 1.0, "taken_as": "unknown"}}},
        {"dataset": {"kind": "movies", "hide": {"keep": "two", "taken_as": "unknown"}}},
        {"dataset": {"kind": "movies", "hide": {"keep": 0.5}}},
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


UNKNOWN = {"kind": "movies", "hide": {"keep": 0.5, "taken_as": "unknown"}}
SOFTMAX = {"kind": "text_bag", "head": "softmax"}
CLASS_WEIGHT = {"kind": "class_weight", "form": "keras_argmax"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"model": SOFTMAX}, "model.head 'softmax' with dataset.hide.taken_as"),
        (
            {"model": {"kind": "text_bag", "head": "powerset"}, "loss": {"kind": "categorical_ce"}},
            "model.head 'powerset' with dataset.hide.taken_as",
        ),
        ({"loss": {"kind": "categorical_ce"}}, "loss.kind 'categorical_ce' with dataset.hide.taken_as"),
        ({"weighting": CLASS_WEIGHT}, "weighting.kind 'class_weight' with dataset.hide.taken_as"),
        (
            {"weighting": {"kind": "sample_weights", "form": "product"}},
            "weighting.kind 'sample_weights' with dataset.hide.taken_as",
        ),
        ({"watch": ("auc",)}, "watch with dataset.hide.taken_as"),
    ],
)
def test_what_needs_every_label_of_a_row_is_refused_where_some_are_unknown(changes: dict[str, object], said: str):
    assert said in refusal(**changes, dataset=UNKNOWN)


@pytest.mark.parametrize(
    "changes",
    [{}, {"weighting": {"kind": "sample_weights"}}, {"loss": {"kind": "hill"}}, {"loss": {"kind": "soft_f1"}}],
)
def test_what_counts_labels_one_by_one_takes_unknown_ones(changes: dict[str, object]):
    assert Trial.model_validate(TRIAL | {"dataset": UNKNOWN} | changes).dataset.may_be_unknown


def test_positives_that_are_hidden_as_negatives_exclude_nothing():
    hidden = {"kind": "movies", "hide": {"keep": "one", "taken_as": "negative"}}
    Trial.model_validate(TRIAL | {"dataset": hidden, "weighting": CLASS_WEIGHT, "watch": ("auc",)})


def test_new_keys_at_their_defaults_are_no_part_of_a_definition():
    definition = Trial.model_validate(TRIAL).definition()
    assert "hide" not in definition["dataset"]
    assert definition["loss"] == {"kind": "bce", "form": "shipped"}


def test_soft_f1_has_no_rows_to_weigh() -> None:
    table = {"kind": "table", "path": "a.csv", "labels": {"column": "tags"}, "text": ("plot",), "weight": "w"}
    assert "soft_f1' with dataset.weight: the F1 of a batch has no rows to weigh" in refusal(
        dataset=table, loss={"kind": "soft_f1"}
    )
