"""What a package of one's own subclasses."""

from __future__ import annotations

from typing import Literal

import pytest

from plain_trial import TRIAL
from rarelabels import packages
from rarelabels.declare.losses import Hamming, SoftF1, needs_sigmoid
from rarelabels.declare.own import OwnData, OwnLoss, OwnModel
from rarelabels.declare.trial import Trial
from rarelabels.packages import Package
from rarelabels.record import identities


class Mine(OwnLoss):
    kind: Literal["mine"] = "mine"
    strength: float = 1.0

    def build(self, prevalence: object) -> None:
        """Not called here."""


class ForAnyHead(Mine):
    kind: Literal["for_any_head"] = "for_any_head"
    needs_sigmoid = False


class Model(OwnModel):
    kind: Literal["my_model"] = "my_model"

    def fit(self, data: object, seed: int) -> None:
        """Not called here."""


def test_a_loss_says_whether_it_is_for_independent_labels() -> None:
    assert [needs_sigmoid(one) for one in (Mine(), ForAnyHead(), SoftF1(kind="soft_f1"))] == [True, False, True]
    assert needs_sigmoid(Hamming(kind="hamming"))


@pytest.mark.parametrize(("base", "lacks"), [(OwnLoss, {"build"}), (OwnModel, {"fit"}), (OwnData, {"digest", "read"})])
def test_what_a_class_must_write_is_asked_for(base: type, lacks: set[str]) -> None:
    assert base.__abstractmethods__ == lacks
    with pytest.raises(TypeError, match="abstract"):
        base(kind="mine")


def test_the_version_of_a_package_is_in_the_fingerprint(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = Trial.model_validate(TRIAL)
    one = plain.model_copy(update={"loss": Mine()})
    prints = []
    for version in ("1.0", "1.1"):
        monkeypatch.setattr(packages, "_packages", {Mine: Package("mine", version)})
        assert one.packages == {"mine": version}
        assert plain.packages == {}
        prints.append(identities.fingerprints(one, [0], "x"))
    assert prints[0].definition != prints[1].definition
    assert prints[0].runs[0] != prints[1].runs[0]
    assert prints[0].trainings[0] != prints[1].trainings[0]
    assert one.training_definition()["loss"] == {"kind": "mine", "strength": 1.0}


def test_a_model_of_another_package_is_not_stored() -> None:
    assert not Trial.model_validate(TRIAL).model_copy(update={"model": Model()}).stores_model
    assert Trial.model_validate(TRIAL).stores_model
