"""Networks and baselines answer the same questions."""

from __future__ import annotations

import inspect
from dataclasses import fields

import pytest

from rarelabels.learn.baselines.baseline import Floor, KnownProbabilities
from rarelabels.learn.baselines.boosting import Boosted
from rarelabels.learn.baselines.linear import Linear
from rarelabels.learn.fitted_model import Fitted
from rarelabels.learn.training import FittedNetwork

ASKED = {name for name in vars(Fitted) if not name.startswith("_")}


def test_what_may_be_asked() -> None:
    assert {"labels", "facts", "notes", "epochs", "scores", "label_sets", "save"} == ASKED


@pytest.mark.parametrize("model", [Floor, Linear, Boosted, KnownProbabilities, FittedNetwork])
def test_every_model_answers(model: type) -> None:
    answered = {field.name for field in fields(model)} | set(dir(model))
    assert answered >= ASKED
    for method in ("scores", "label_sets"):
        assert list(inspect.signature(getattr(model, method)).parameters) == ["self", "part"]
