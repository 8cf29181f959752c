"""Weights of labels and rows as they are declared."""

import pytest

from plain_trial import TRIAL, refusal
from rarelabels.declare.trial import Trial


@pytest.mark.parametrize("weights", [None, {"0": 1.0, "1": 0.29}])
def test_class_weight_is_allowed_to_those_who_know(weights: dict[str, float] | None):
    weighting = {"kind": "class_weight", "form": "keras_argmax", "weights": weights}
    assert Trial.model_validate({**TRIAL, "weighting": weighting}).weighting.kind == "class_weight"
    assert "should match pattern" in refusal(weighting={**weighting, "weights": {"-1": 1.0}})
