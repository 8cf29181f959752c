"""Floors and known probabilities, and what every baseline does alike."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rarelabels.data import loading
from rarelabels.data.dataset import Dataset, Part
from rarelabels.data.sources.simulated import Simulation
from rarelabels.declare.data import SimulatedSpec
from rarelabels.errors import UserError
from rarelabels.judging import evaluation
from rarelabels.learn.baselines import baseline
from small_texts import trial


def test_floors_by_hand() -> None:
    y = np.zeros((12, 3), dtype=np.uint8)
    y[:3, 0] = 1
    y[:, 2] = 1
    floors = evaluation.floors(y.mean(axis=0))
    assert {name: scores.tolist() for name, scores in floors.items()} == {
        "zeros": [0.0, 0.0, 0.0],
        "ones": [1.0, 1.0, 1.0],
        "prior": [0.25, 0.0, 1.0],
    }


@pytest.mark.parametrize("predicts", ["zeros", "ones", "prior"])
def test_a_floor_gives_every_row_the_same_scores(small: Dataset, predicts: str, tmp_path: Path) -> None:
    floor = baseline.fit(trial(kind="floor", predicts=predicts), small, 0)
    share = [sum(column) / 120 for column in small.train.y.T.tolist()]
    expected = {"zeros": [0.0] * 4, "ones": [1.0] * 4, "prior": share}[predicts]
    scores = floor.scores(small.test)
    assert scores.shape == (40, 4)
    assert scores.dtype == np.float64
    np.testing.assert_allclose(scores, [expected] * 40, rtol=1e-15)
    floor.save(tmp_path / "new" / "folder")
    assert (baseline.load_saved(tmp_path / "new" / "folder").scores(small.test) == scores).all()


def test_an_empty_folder_holds_no_model(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"preprocessing\.json: missing"):
        baseline.load_saved(tmp_path)


def test_a_network_is_no_baseline(small: Dataset) -> None:
    with pytest.raises(TypeError, match="text_bag"):
        baseline.fit(trial(kind="text_bag"), small, 0)


@pytest.mark.parametrize("declared", [{}, {"dependence": "label_sets", "sets": 5}])
def test_known_probabilities_score_what_drew_the_labels_and_name_the_most_likely_set(
    declared: dict[str, Any], tmp_path: Path
) -> None:
    spec = SimulatedSpec(kind="simulated", rows=2000, **declared)
    data = loading.load(spec, 0)
    known = baseline.fit(trial(spec.model_dump(), kind="known_probabilities"), data, 0)
    assert isinstance(known, baseline.KnownProbabilities)
    scores, sets = known.scores(data.test), known.label_sets(data.test)
    assert (scores == Simulation.of(spec).probabilities(data.test.numeric)).all()
    assert (sets == Simulation.of(spec).most_likely_sets(data.test.numeric)).all()
    assert scores.shape == sets.shape == (len(data.test.ids), 3)
    known.save(tmp_path / "model")
    loaded = baseline.load_saved(tmp_path / "model")
    assert isinstance(loaded, baseline.KnownProbabilities)
    assert loaded.labels == data.labels
    assert (loaded.scores(data.test) == scores).all()
    assert (loaded.label_sets(data.test) == sets).all()
    assert loaded.label_sets(data.test).dtype == np.uint8


@pytest.mark.parametrize("declared", [{}, {"dependence": "label_sets", "sets": 5}])
def test_nothing_fares_better_than_known_probabilities(declared: dict[str, Any]) -> None:
    """Against one logistic regression per label on 4,000 rows: nearly as good at single labels, worse at label sets."""
    spec = SimulatedSpec(kind="simulated", rows=20_000, features=4, train_fraction=0.3, **declared)
    data = loading.load(spec, 0)
    known = baseline.fit(trial(spec.model_dump(), kind="known_probabilities"), data, 0)
    assert isinstance(known, baseline.KnownProbabilities)
    linear = baseline.fit(trial(spec.model_dump(), kind="linear", c=100.0), data, 0)
    y, truth, learnt = data.test.y, known.scores(data.test), linear.scores(data.test)
    losses = [-(y * np.log(p) + (1 - y) * np.log(1 - p)).mean() for p in (truth, learnt)]
    assert 0 < losses[1] - losses[0] < (0.01 if not declared else 0.2)
    right = [(y == one).all(axis=1).mean() for one in (known.label_sets(data.test), truth >= 0.5, learnt >= 0.5)]
    if declared:
        assert right[0] > right[1] + 0.01
        assert right[0] > right[2] + 0.01
    else:
        assert right[0] == right[1] >= right[2] - 0.01


def test_the_floor_of_whole_label_sets_is_the_most_frequent_one() -> None:
    y = np.array([[1, 0], [0, 1], [0, 1], [1, 1], [1, 0]], np.uint8)
    np.testing.assert_array_equal(baseline._most_frequent(y), [0.0, 1.0])  # as frequent: the lower number
    np.testing.assert_array_equal(baseline._most_frequent(y[3:]), [1.0, 0.0])


def test_floors_count_known_labels() -> None:
    y = np.array([[1, 0], [0, 0], [0, 1], [1, 0]], np.uint8)
    known = np.array([[True, False], [True, True], [False, True], [True, True]])
    train = Part(np.arange(4).astype(np.str_), y, {}, known=known)
    data = Dataset(("a", "b"), train, train, train, "digest", {})
    prior = baseline.fit(trial(kind="floor", predicts="prior"), data, 0).scores(train)
    np.testing.assert_allclose(prior[0], [2 / 3, 1 / 3])
    # Of the rows that are known wholly, one has no label and one has the first: the lower number counts.
    assert baseline.fit(trial(kind="floor", predicts="label_set"), data, 0).scores(train)[0].tolist() == [0, 0]
    none = replace(train, known=known & [[False, True]], y=y * np.array([[0, 1]], np.uint8))
    data = Dataset(("a", "b"), none, none, none, "digest", {})
    assert baseline.fit(trial(kind="floor", predicts="label_set"), data, 0).scores(train)[0].tolist() == [0, 0]
