"""A part is checked when it is put together, and sorted when an order is first needed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from rarelabels.judging import arrays, evaluation, scores
from rarelabels.judging.metrics import ranking_metrics
from rarelabels.judging.metrics.label_table import per_label
from rarelabels.judging.rules.choose import choose_rules
from rarelabels.judging.scores import Scores
from rarelabels.judging.settings import ThresholdSpec
from rarelabels.judging.sweeps import ordered

Y = (np.random.default_rng(0).random((200, 5)) < 0.2).astype(np.uint8)
S = np.random.default_rng(1).random((200, 5))
PART = Scores(np.arange(200).astype(str), Y, S)


@pytest.mark.parametrize(
    ("y", "s", "message"),
    [
        ([[0, 2]], [[0.1, 0.2]], "y_true: must be 0 or 1; got"),
        ([[0, 1]], [[0.1]], "y_score: must have the shape of y_true"),
        ([[0, 1]], [[0.1, np.nan]], "y_score: must be finite"),
        ([], [], "y_true: must have shape"),
    ],
)
def test_what_is_no_part_cannot_be_put_together(y: list, s: list, message: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(ValueError, match=message):
        Scores.from_arrays(y, s)
    with pytest.raises(ValueError, match=message):
        Scores(np.array(["a"]), np.array(y), np.array(s))
    if len(y):
        with pytest.raises(ValueError, match=message):
            replace(PART, y=np.array(y), scores=np.array(s))


def test_logits_are_scores_and_no_probabilities() -> None:
    part = Scores.from_arrays([[0, 1]], [[-2.0, 0.5]])
    with pytest.raises(ValueError, match=r"must be probabilities in \[0, 1\]; got -2.0 \(are these logits\?\)"):
        part.as_probabilities()


def test_a_probability_with_a_rounding_error_is_measured_as_0_or_1() -> None:
    y = np.array([[1, 0], [0, 1], [1, 1]])
    exact = np.array([[1.0, 0.0], [0.2, 0.7], [1.0, 0.4]])
    rounded = exact + np.array([[3e-16, -1e-18], [0, 0], [1.2e-7, 0]])
    assert ranking_metrics(y, rounded) == ranking_metrics(y, exact)
    pd.testing.assert_frame_equal(per_label(y, rounded, {}), per_label(y, exact, {}))
    inside = Scores.from_arrays(y, exact)
    assert inside.as_probabilities() is inside


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.longdouble, ">f8"])
def test_zero_with_a_sign_and_floats_of_any_kind_are_measured_alike(kind: str) -> None:
    y = np.array([[1, 0], [0, 1], [1, 1], [0, 0]])
    scores = np.array([[0.5, -0.0], [0.0, 0.75], [-0.0, 0.25], [0.25, 0.0]])
    assert ranking_metrics(y, scores.astype(kind)) == ranking_metrics(y, np.abs(scores))


def test_scores_keep_their_precision_and_rows_their_ids() -> None:
    part = replace(PART, scores=S.astype(np.float32))
    taken = part.take(np.array([3, 1]))
    assert taken.scores.dtype == np.float32
    assert taken.ids.tolist() == ["3", "1"]
    np.testing.assert_array_equal(taken.truth, Y[[3, 1]] == 1)
    assert Scores.from_arrays(Y, S).take(Y[:, 0] == 1).ids.size == 0


def test_an_order_is_made_once_and_not_handed_on_to_other_scores() -> None:
    assert PART.by_label is PART.by_label
    other = replace(PART, scores=1 - S)
    np.testing.assert_allclose(other.by_label[0].all_scores(), np.sort(1 - S.T, axis=1))
    np.testing.assert_allclose(PART.by_row[0].all_scores(), np.sort(S, axis=1))


def counted(monkeypatch: pytest.MonkeyPatch, module: object, name: str) -> list[tuple[int, ...]]:
    shapes: list[tuple[int, ...]] = []
    function = getattr(module, name)
    monkeypatch.setattr(module, name, lambda y, s: shapes.append(np.shape(y)) or function(y, s))
    return shapes


def test_a_judgement_checks_each_part_once_and_sorts_its_labels_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """19 checks and 17 sorts once stood behind one choice of rules: of all rows by label four, where one is enough."""
    floors, spec, labels = evaluation.floors(Y.mean(axis=0)), ThresholdSpec(), tuple("abcde")
    evaluation.evaluate(labels, PART, PART, floors, spec)  # the floors are remembered
    checks, sorts = counted(monkeypatch, scores, "checked"), counted(monkeypatch, ordered, "order_cells")
    choose_rules(Y, S, min_positives=5)
    assert len(checks) == 1
    assert sorts.count((5, 200)) == 1
    assert len(sorts) == 1 + 2 + 5  # by label; by row, and with its highest score lifted; and once for each fold
    del checks[:], sorts[:]
    validation, test = (Scores(PART.ids, Y, S) for _ in range(2))
    evaluation.evaluate(labels, validation, test, floors, spec)
    assert len(checks) == 2
    assert sorts.count((5, 200)) == 2
    assert arrays.checked is not scores.checked  # what is counted is what is called
