"""Whatever kind of model it is: fitted and scored in one way, with a validation part or with folds."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from rarelabels.data.dataset import Dataset
from rarelabels.learn import fitting
from rarelabels.learn.baselines import baseline
from rarelabels.learn.weighting import Weights
from small_texts import part, trial


@pytest.fixture
def small() -> Dataset:
    rng = np.random.default_rng(1)
    return Dataset(("a", "b", "never", "always"), part(rng, 120), part(rng, 30), part(rng, 40), "digest", {})


def weights_of(data: Dataset) -> Weights:
    return Weights(data.train.y.mean(axis=0))


def nothing(*_: object) -> None:
    """No curves are followed."""


@pytest.mark.parametrize("model", [{"kind": "floor", "predicts": "prior"}, {"kind": "linear", "c": 5.0}])
def test_the_validation_part_comes_back_scored(small: Dataset, model: dict[str, object]) -> None:
    fitted, scored = fitting.fit(trial(**model), 0, small, weights_of(small), (), nothing)
    assert list(scored.ids) == list(small.validation.ids)
    np.testing.assert_array_equal(scored.y, small.validation.y)
    np.testing.assert_array_equal(scored.scores, fitted.scores(small.validation))
    assert scored.label_sets is None
    alone = fitting.validate(trial(**model), 0, small, weights_of(small), nothing)
    np.testing.assert_array_equal(alone.scores, scored.scores)


def test_with_folds_every_row_is_scored_by_the_others_and_the_model_is_of_all(small: Dataset) -> None:
    folded = replace(small, validation=small.train, folds=np.arange(120) % 3)
    declared = trial(kind="floor", predicts="prior")
    fitted, scored = fitting.fit(declared, 0, folded, weights_of(small), (), nothing)
    np.testing.assert_allclose(fitted.scores(small.test)[0], small.train.y.mean(axis=0))
    for fold in range(3):
        others = small.train.y[folded.folds != fold].mean(axis=0)
        np.testing.assert_allclose(scored.scores[folded.folds == fold], np.tile(others, (40, 1)))
    alone = fitting.validate(declared, 0, folded, weights_of(small), nothing)
    np.testing.assert_array_equal(alone.scores, scored.scores)


def test_data_without_images_stay_as_they_are(small: Dataset) -> None:
    assert fitting.with_features(trial(kind="linear").dataset, small) is small


def test_a_baseline_is_prepared_without_tensorflow() -> None:
    code = (
        "import sys; from small_texts import trial; from rarelabels.learn import fitting; "
        "fitting.prepare(trial(kind='linear')); print('tensorflow' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.stdout == "False\n"


def test_where_all_rows_are_cross_validated_one_c_is_chosen_by_all_out_of_fold_scores(small: Dataset) -> None:
    folded = replace(small, validation=small.train, folds=np.arange(120) % 4)
    grid, scores = (0.01, 1.0, 20.0), {}
    for c in grid:
        scores[c] = np.zeros((120, 4))
        for fold in range(4):
            inside, outside = np.flatnonzero(folded.folds != fold), np.flatnonzero(folded.folds == fold)
            fitted = baseline.fit(trial(kind="linear", c=c), replace(small, train=small.train.take(inside)), 0)
            scores[c][outside] = fitted.scores(small.train.take(outside))
    has = [0, 1, 3]
    y = small.train.y[:, has]
    best = max(grid, key=lambda c: average_precision_score(y, scores[c][:, has], average="macro"))
    declared, weights = trial(kind="linear", c=grid), Weights(small.train.y.mean(axis=0))
    fitted, scored = fitting.fit(declared, 0, folded, weights, (), lambda *_: None)
    assert fitted.facts == {"c": best}
    np.testing.assert_array_equal(scored.scores, scores[best])
    of_all = baseline.fit(trial(kind="linear", c=best), small, 0)
    assert (fitted.scores(small.test) == of_all.scores(small.test)).all()
    alone = fitting.validate(declared, 0, folded, weights, lambda *_: None)
    np.testing.assert_array_equal(alone.scores, scored.scores)
