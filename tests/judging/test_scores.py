"""A part is checked when it is put together, and sorted when an order is first needed."""

from __future__ import annotations

import io
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


def test_what_is_not_known_is_stored_as_missing_and_comes_back() -> None:
    known = np.array([[True, False], [True, True], [False, False]])
    part = Scores(
        np.array(["a", "b", "c"]), np.array([[1, 0], [0, 1], [0, 0]], np.uint8), np.full((3, 2), 0.5), known=known
    )
    frame = part.frame(("x", "y"))
    assert frame["true/x"].isna().tolist() == [False, False, True]
    back = Scores.from_frame(pd.read_parquet(io.BytesIO(frame.to_parquet(index=False))))
    assert back.known is not None
    assert (back.known == known).all()
    assert back.y.dtype == np.uint8
    assert (back.y == part.y).all()


def test_a_part_without_unknown_cells_is_stored_as_ever_and_is_known() -> None:
    y = np.array([[1, 0], [0, 1]], np.uint8)
    every = Scores(np.array(["a", "b"]), y, np.full((2, 2), 0.5), known=np.ones((2, 2), bool))
    assert every.known is None
    assert every.frame(("x", "y")).dtypes["true/x"] == np.uint8
    assert Scores.from_frame(every.frame(("x", "y"))).known is None


def test_rows_are_taken_and_joined_with_what_is_known_of_them() -> None:
    y = np.array([[1, 0], [0, 1], [0, 0]], np.uint8)
    known = np.array([[True, False], [True, True], [False, True]])
    part = Scores(np.array(["a", "b", "c"]), y, np.full((3, 2), 0.5), known=known)
    every = Scores(np.array(["d"]), y[:1], np.full((1, 2), 0.5))
    taken = part.take(np.array([2, 0]))
    assert taken.known is not None
    assert taken.known.tolist() == [[False, True], [True, False]]
    both = Scores.joined([part, every])
    assert both.known is not None
    assert both.known.tolist() == [*known.tolist(), [True, True]]


def test_nan_and_masked_cells_are_not_known() -> None:
    scores = np.full((2, 2), 0.5)
    of_nan = Scores.from_arrays([[1, np.nan], [0, 1]], scores)
    masked = np.ma.masked_equal(np.array([[1, -1], [0, 1]]), -1)
    for part in (of_nan, Scores.from_arrays(masked, scores)):
        assert part.known is not None
        assert part.known.tolist() == [[True, False], [True, True]]
        assert part.truth.tolist() == [[True, False], [False, True]]
    assert of_nan.n_known.tolist() == [2, 1]
    assert of_nan.known_share == 0.75
    assert [cells.tolist() for cells in of_nan.of_label(1)] == [[True], [0.5]]


@pytest.mark.parametrize(
    ("y", "known", "message"),
    [
        ([[1, 0]], [[True]], "known: must be booleans of shape"),
        ([[1, 0]], [[False, False]], "no label of any row is known"),
        ([[1, 0]], [[False, True]], "must be 0 where it is not known"),
    ],
)
def test_what_is_known_must_fit_the_truth(y: list, known: list, message: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(ValueError, match=message):
        Scores(np.array(["a"]), np.array(y), np.full((1, 2), 0.5), known=np.array(known))
