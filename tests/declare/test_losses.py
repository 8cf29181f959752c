"""Losses as they are declared, and what of them is compiled into a network."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from rarelabels.declare import losses
from rarelabels.declare.losses import LossSpec, without_numbers
from rarelabels.declare.models import LinearSpec, TextBagSpec

LOSS: TypeAdapter[Any] = TypeAdapter(LossSpec)


@pytest.mark.parametrize(
    "declared",
    [
        {"kind": "binary_focal", "gamma": -1},
        {"kind": "binary_focal", "alpha": 0},
        {"kind": "binary_focal", "alpha": 1},
        {"kind": "asymmetric", "shift": 1},
        {"kind": "logit_adjusted", "tau": 0},
        {"kind": "distribution_balanced", "beta": 0},
        {"kind": "bce", "gamma": 2},
        {"kind": "hinge"},
    ],
)
def test_values_out_of_range_and_unknown_keys_are_refused(declared: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        LOSS.validate_python(declared)


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        (
            {"kind": "binary_focal", "gamma": 3, "alpha": 0.25},
            {"kind": "binary_focal", "gamma": 5, "alpha": 0.75},
            True,
        ),
        ({"kind": "binary_focal", "alpha": 0.25}, {"kind": "binary_focal", "alpha": None}, False),
        ({"kind": "logit_adjusted", "tau": 1}, {"kind": "logit_adjusted", "tau": 2}, True),
        ({"kind": "asymmetric", "shift": 0.05}, {"kind": "asymmetric", "shift": 0.1}, False),
    ],
)
def test_one_compiled_network_serves_all_numbers_of_a_loss(
    one: dict[str, Any], other: dict[str, Any], is_same: bool
) -> None:
    first, second = (without_numbers(LOSS.validate_python(each)) for each in (one, other))
    assert (first == second) is is_same


def test_the_strength_of_a_penalty_is_not_compiled_but_whether_there_is_one_is() -> None:
    weak, strong, none = (losses.without_strength(TextBagSpec(kind="text_bag", l2=l2)) for l2 in (0.1, 0.5, 0.0))
    assert weak == strong != none
    linear = LinearSpec(kind="linear")
    assert losses.without_strength(linear) == linear
