"""Models of other packages."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from rarelabels.data.dataset import Dataset, Part
from rarelabels.declare.own import OwnModel
from rarelabels.errors import UserError
from rarelabels.learn.baselines import baseline
from small_texts import trial


class Shares(OwnModel):
    """Every row gets the prevalences, raised to a power."""

    kind: Literal["shares"] = "shares"
    power: float = 1.0
    columns: int = 4

    def fit(self, data: Any, seed: int) -> Any:
        shares = data.train.y.mean(axis=0)[: self.columns] ** self.power
        return Fitted(shares + 2.0 * (seed == 9))


class Fitted:
    def __init__(self, shares: Any) -> None:
        self.shares = shares

    def scores(self, part: Part) -> Any:
        return np.tile(self.shares, (len(part.ids), 1)).tolist()


def fit(data: Dataset, seed: int = 0, **keys: Any) -> Any:
    one = trial(kind="floor", predicts="prior").model_copy(update={"model": Shares(**keys)})
    return baseline.fit(one, data, seed)


def test_it_is_fitted_and_its_scores_are_taken(small: Dataset, tmp_path: Path) -> None:
    fitted = fit(small, power=2.0)
    np.testing.assert_array_equal(fitted.scores(small.test), np.tile(small.train.y.mean(axis=0) ** 2.0, (40, 1)))
    fitted.save(tmp_path / "model")
    with pytest.raises(UserError, match="its model was not stored"):
        baseline.load_saved(tmp_path / "model")


def test_other_scores_are_refused(small: Dataset) -> None:
    with pytest.raises(UserError, match=r"model.kind 'shares': its scores must have shape \(40, 4\); got \(40, 3\)"):
        fit(small, columns=3).scores(small.test)
    with pytest.raises(UserError, match="its scores must be probabilities, from 0 to 1"):
        fit(small, seed=9).scores(small.test)
