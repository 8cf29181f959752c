"""Objectives: by name or number in Python, and strictly as they are declared."""

import copy
import json
import pickle

import pytest
from pydantic import ValidationError

import rarelabels as rl
from rarelabels.errors import ArgumentError
from rarelabels.judging.settings import F1, ThresholdSpec, objective_of


def test_objectives_are_made_by_their_numbers_alone():
    assert repr(rl.FBeta(2)) == "FBeta(beta=2.0)"
    assert rl.FBeta(2) == rl.FBeta(beta=2.0)
    assert rl.FBeta() == F1 == objective_of("f1")
    assert rl.Cost(false_positive=1, false_negative=20).false_negative == 20
    assert (objective_of("jaccard"), objective_of("balanced_accuracy")) == (rl.Jaccard(), rl.BalancedAccuracy())
    for objective in (rl.FBeta(2), rl.Jaccard(), rl.Cost(false_negative=3)):
        assert pickle.loads(pickle.dumps(objective)) == copy.deepcopy(objective) == objective


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: rl.FBeta(0), "FBeta.beta: must be greater than 0; given 0"),
        (lambda: rl.FBeta("two"), "FBeta.beta: must be a valid number, .*; given 'two'"),
        (lambda: rl.FBeta(beta=2, bta=1), "FBeta.bta: Extra inputs are not permitted; given 1"),
        (
            lambda: rl.Cost(false_positive=0),
            "false_positive must cost more than true_negative, and false_negative more than",
        ),
        (lambda: objective_of("f_1"), "objective: allowed 'f1', .*; given 'f_1'; did you mean 'f1'?"),
        (lambda: objective_of(["f1"]), "objective: allowed .*; given ..f1"),
        (lambda: objective_of(2), r"objective: allowed 'f1', .* such as FBeta\(2\) .*; given 2"),
    ],
)
def test_a_wrong_objective_is_said_in_one_line(make, told):
    with pytest.raises(ArgumentError, match=told) as caught:
        make()
    assert len(str(caught.value).splitlines()) == 1


def test_what_is_declared_is_as_it_was():
    """YAML names the kind, is read strictly, and defines the same block, so fingerprints stay."""
    declared = ThresholdSpec.model_validate({"objective": {"kind": "f_beta", "beta": 2.0}}, strict=True)
    assert declared.objective == rl.FBeta(2)
    assert declared.defined()["objective"] == {"kind": "f_beta", "beta": 2.0}
    assert json.dumps(ThresholdSpec().defined()) == (
        '{"min_positives": 5, "objective": {"kind": "f_beta", "beta": 1.0}, "calibration": "none"}'
    )
    for wrong in ({"beta": 2.0}, {"kind": "f_beta", "beta": "2"}, {"kind": "f_beta", "bta": 2.0}, "f1"):
        with pytest.raises(ValidationError):
            ThresholdSpec.model_validate({"objective": wrong}, strict=True)
