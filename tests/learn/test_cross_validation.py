"""Out-of-fold scores: no row is scored by a model that has seen it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from rarelabels.data.dataset import Dataset, Part
from rarelabels.declare import declarations, find
from rarelabels.declare.trial import Trial
from rarelabels.learn import cross_validation

RNG = np.random.default_rng(0)
LABELS = ("a", "b")


def part(ids: np.ndarray) -> Part:
    y = (RNG.random((len(ids), 2)) < 0.3).astype(np.uint8)
    return Part(ids.astype(str), y, {}, ids[:, None].astype(float))


def data() -> Dataset:
    rest = part(np.arange(60))
    folds = RNG.permutation(np.arange(60) % 5)
    return Dataset(LABELS, rest, rest, part(np.arange(60, 75)), "digest", {}, ("x",), folds=folds)


@pytest.fixture
def trial() -> Trial:
    base = declarations.load_trial(find.find(["movies/bce_accuracy"])[0])
    return base.model_copy(update={"training": base.training.model_copy(update={"epochs": 7})})


@dataclass
class Remembers:
    """A model that says 1 for the rows it was trained on, and keeps the epoch that its number of rows says."""

    seen: frozenset[str]
    facts: dict[str, float]

    def scores(self, part: Part) -> np.ndarray:
        return np.repeat([[float(name in self.seen)] for name in part.ids], 2, axis=1)

    def label_sets(self, part: Part) -> None:
        return


class Trainer:
    def __init__(self) -> None:
        self.calls: list[tuple[Trial, Dataset]] = []

    def __call__(self, trial: Trial, data: Dataset, on_epoch: Any, iterations: Any) -> Remembers:
        self.calls.append((trial, data))
        for epoch in range(1, trial.training.epochs + 1):
            on_epoch(epoch, {"loss": float(len(self.calls)), "val_loss": 10.0 * epoch})
        return Remembers(frozenset(data.train.ids), {"kept_epoch": len(self.calls), f"only_{len(self.calls)}": 0.0})


def test_no_row_is_scored_by_a_model_that_has_seen_it_and_every_row_is(trial: Trial) -> None:
    whole, trainer = data(), Trainer()
    found = cross_validation.fit(trial, whole, trainer, lambda *_: None)
    assert (found.scored.scores == 0).all()
    assert list(found.scored.ids) == list(whole.train.ids)
    np.testing.assert_array_equal(found.scored.y, whole.train.y)
    assert (found.fitted.scores(whole.train) == 1).all()
    assert (found.fitted.scores(whole.test) == 0).all()
    folds = trainer.calls[:-1]
    assert len(folds) == 5
    outside = np.concatenate([parts.validation.ids for _, parts in folds])
    assert sorted(outside) == sorted(whole.train.ids)
    for _, parts in folds:
        assert not set(parts.train.ids) & set(parts.validation.ids)
        assert parts.folds is None


def test_the_whole_is_trained_for_as_long_as_the_folds_kept(trial: Trial) -> None:
    trainer = Trainer()
    found = cross_validation.fit(trial, data(), trainer, lambda *_: None)
    last = trainer.calls[-1][0].training
    assert (last.epochs, last.keep) == (3, "last")  # the mean of 1 to 5
    assert found.facts == {"kept_epoch": 3.0}


def test_curves_are_means_over_the_folds(trial: Trial) -> None:
    curves: dict[int, dict[str, float]] = {}
    cross_validation.fit(trial, data(), Trainer(), curves.__setitem__)
    assert list(curves) == [1, 2, 3, 4, 5, 6, 7]
    assert curves[2] == {"loss": 3.0, "val_loss": 20.0}


def test_without_a_refit_there_are_scores_alone(trial: Trial) -> None:
    trainer = Trainer()
    found = cross_validation.fit(trial, data(), trainer, lambda *_: None, refit=False)
    assert found.fitted is None
    assert len(trainer.calls) == 5


def test_folds_that_end_on_their_own_are_followed_as_long_as_all_go_on(trial: Trial) -> None:
    class Shorter(Trainer):
        def __call__(self, trial: Trial, data: Dataset, on_epoch: Any, iterations: Any = None) -> Remembers:
            shorter = trial.training.model_copy(update={"epochs": 3 + len(self.calls)})
            return super().__call__(trial.model_copy(update={"training": shorter}), data, on_epoch, iterations)

    curves: dict[int, dict[str, float]] = {}
    cross_validation.fit(trial, data(), Shorter(), curves.__setitem__, refit=False)
    assert sorted(curves) == [1, 2, 3]
