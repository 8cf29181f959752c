"""Values that are each allowed, and contradict each other."""

import pytest
from pydantic import ValidationError

from plain_trial import TRAINING, TRIAL, refusal
from rarelabels.declare.contradictions import ContradictionError
from rarelabels.declare.trial import Trial
from rarelabels.declare.weighting import ARGMAX_OF_ROW


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"loss": {"kind": "weighted_bce"}},
            "weighted_bce needs one of pos_weight, free_pos_weight, class_balanced, label_weights, and only",
        ),
        (
            {"weighting": {"kind": "pos_weight"}},
            "weighted_bce needs one of pos_weight, free_pos_weight, class_balanced, label_weights, and only",
        ),
        (
            {
                "loss": {"kind": "weighted_bce"},
                "weighting": {"kind": "pos_weight"},
                "model": {"kind": "text_bag", "head": "softmax"},
            },
            "use head: sigmoid",
        ),
        (
            {"model": {"kind": "scores", "validation": "v.csv", "test": "t.csv"}},
            "model.kind 'scores' with 2 seeds: each seed has other training and validation rows",
        ),
        (
            {
                "model": {"kind": "scores", "validation": "v_{seed}.csv", "test": "t_{seed}.csv"},
                "tuning": {
                    "kind": "parameters",
                    "space": {"model.test": {"choices": ("a", "b")}},
                    "metric": "validation/ranking/lrap",
                    "direction": "maximize",
                    "n_trials": 2,
                    "seeds": (0,),
                    "sampler": {"kind": "random", "seed": 0},
                    "pruner": {"kind": "none"},
                },
            },
            "nothing is trained, so there is nothing to search",
        ),
        ({"model": {"kind": "linear"}, "loss": {"kind": "binary_focal"}}, "has no effect on model.kind 'linear'"),
        ({"model": {"kind": "floor", "predicts": "ones"}, "watch": ("auc",)}, "has no epochs to watch"),
        (
            {"model": {"kind": "linear"}, "weighting": {"kind": "sample_weights"}},
            "has no effect on model.kind 'linear'",
        ),
        ({"weighting": {"kind": "class_weight", "weights": {"0": 1.0, "1": 0.29}}}, ARGMAX_OF_ROW),
        ({"loss": {"kind": "logit_adjusted"}, "model": {"kind": "text_cnn", "head": "softmax"}}, "use head: sigmoid"),
        ({"loss": {"kind": "soft_f1"}, "weighting": {"kind": "sample_weights"}}, "has no rows to weigh"),
        ({"training": {**TRAINING, "momentum": 0.9}}, "training.momentum has no effect on training.optimizer 'adam'"),
        ({"training": {**TRAINING, "weight_decay": 0.1, "optimizer": "sgd"}}, "'sgd'; use adamw"),
        ({"training": {**TRAINING, "pruning": {"sparsity": 0.5, "end_epoch": 2}}}, "use keep: last"),
        (
            {"training": {**TRAINING, "keep": "last", "pruning": {"sparsity": 0.5, "end_epoch": 4}}},
            "end_epoch 4 is after the last epoch, training.epochs 3",
        ),
    ],
)
def test_contradictions_are_refused_with_a_reason(changes: dict[str, object], reason: str):
    assert reason in refusal(**changes)


def test_all_contradictions_are_told_at_once_with_their_keys():
    with pytest.raises(ValidationError) as caught:
        Trial.model_validate(
            {**TRIAL, "loss": {"kind": "weighted_bce"}, "model": {"kind": "linear"}, "watch": ("auc",)}
        )
    error = caught.value.errors()[0]["ctx"]["error"]
    assert isinstance(error, ContradictionError)
    assert [one.keys for one in error.contradictions] == [
        ("loss.kind", "weighting.kind"),
        ("loss.kind", "model.kind"),
        ("model.kind", "watch"),
    ]


KNOWN = {"dataset": {"kind": "simulated"}, "model": {"kind": "known_probabilities"}}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"dataset": {"kind": "movies"}}, "with dataset.kind 'movies': only simulated data have them"),
        ({"loss": {"kind": "hamming"}}, "loss.kind 'hamming' has no effect on model.kind 'known_probabilities'"),
        (
            {"loss": {"kind": "weighted_bce"}, "weighting": {"kind": "pos_weight"}},
            "loss.kind 'weighted_bce' has no effect on model.kind 'known_probabilities'; use bce",
        ),
        ({"weighting": {"kind": "sample_weights"}}, "has no effect on model.kind 'known_probabilities'; use none"),
        ({"watch": ("auc",)}, "model.kind 'known_probabilities' has no epochs to watch"),
        ({"picked_by": "auc"}, "picked_by 'auc' needs a network"),
    ],
)
def test_known_probabilities_are_trained_by_nothing(changes: dict[str, object], reason: str):
    assert not Trial.model_validate({**TRIAL, **KNOWN}).is_network
    assert reason in refusal(**{**KNOWN, **changes})
