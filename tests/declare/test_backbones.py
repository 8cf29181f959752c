"""Frozen networks as they are declared."""

from __future__ import annotations

import pytest

from plain_trial import TRIAL, refusal
from rarelabels.declare.trial import Trial


def emoji(**backbone: object) -> dict[str, object]:
    return {"kind": "emoji", "backbone": backbone}


@pytest.mark.parametrize(
    ("backbone", "reason"),
    [
        ({"kind": "resnet50"}, "'efficientnet_lite0', 'vgg19'"),
        ({"kind": "efficientnet_lite0", "file": "a.h5"}, "Extra inputs are not permitted"),
        ({"kind": "vgg19", "file": ""}, "at least 1 character"),
        ({"kind": "vgg19", "weights": "learnt"}, "'imagenet' or 'random'"),
    ],
)
def test_a_backbone_is_one_of_two_with_its_own_keys(backbone: dict[str, object], reason: str) -> None:
    assert reason in refusal(dataset=emoji(**backbone))


def test_where_its_weights_lie_is_not_part_of_the_definition() -> None:
    one, other = (
        Trial.model_validate({**TRIAL, "dataset": emoji(kind="vgg19", file=file)}) for file in ("a.h5", "b/a.h5")
    )
    assert one != other
    assert one.definition() == other.definition()
