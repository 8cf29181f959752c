"""The studies of thresholds, on scores whose best cut is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit
from sklearn.metrics import f1_score

from rarelabels.judging import threshold_study
from rarelabels.judging.scores import Scores


def scored(n: int, seed: int, means: tuple[float, ...] = (-4.0, -2.5, -1.0)) -> Scores:
    """Calibrated scores: a label is drawn from its score."""
    rng = np.random.default_rng(seed)
    q = expit(rng.normal(means, 1.5, (n, len(means))))
    return Scores(np.arange(n).astype(str), (rng.random(q.shape) < q).astype(np.uint8), q)


def test_f1_theory_by_hand() -> None:
    """Scores 0.9, 0.7, 0.6, 0.2 of 1, 0, 1, 0: best cut between 0.2 and 0.6, F1 = 4/5, and 0.4 cuts there as well."""
    y = np.array([[1, 0], [0, 0], [1, 0], [0, 0]], np.uint8)
    part = Scores(np.array(list("abcd")), y, np.array([[0.9, 0.1], [0.7, 0.1], [0.6, 0.1], [0.2, 0.1]]))
    table = threshold_study.f1_theory([part], [5], ("first", "empty"))
    assert table.to_numpy().tolist() == [[5, "first", 2, pytest.approx(0.4), pytest.approx(0.8), pytest.approx(0.8)]]


def test_f1_theory_holds_for_calibrated_scores_and_its_f1_is_scikit_learns() -> None:
    parts = [scored(20_000, seed) for seed in (0, 1)]
    table = threshold_study.f1_theory(parts, [0, 1], tuple("abc"))
    assert len(table) == 6
    assert (table["f1_at_half"] <= table["f1"]).all()
    assert (table["f1"] - table["f1_at_half"]).max() < 0.02
    first = table.iloc[0]
    assigned = parts[0].scores[:, 0] >= first["f1"] / 2
    assert first["f1_at_half"] == pytest.approx(f1_score(parts[0].y[:, 0], assigned))


def test_winners_curse_fades_with_the_number_of_positives() -> None:
    table = threshold_study.winners_curse(scored(3000, 2), scored(3000, 3), draws=40, seed=0)
    means = table[table["label"] == 2].groupby("positives")[["f1_chosen", "f1_test", "f1_oracle"]].mean()
    flattery = means["f1_chosen"] - means["f1_test"]
    lost = means["f1_oracle"] - means["f1_test"]
    assert flattery[1] > 0.2
    assert flattery[500] < 0.03
    assert lost[1] > 3 * lost[100] > 3 * lost[500]
    assert (table["f1_test"] <= table["f1_oracle"] + 1e-12).all()


def test_winners_curse_draws_what_it_says() -> None:
    validation, test = scored(1500, 4), scored(1500, 5)
    table = threshold_study.winners_curse(validation, test, draws=7, seed=0)
    for label in range(3):
        rows = table[table["label"] == label]
        there = int(validation.y[:, label].sum())
        assert sorted(set(rows["positives"])) == [size for size in threshold_study.POSITIVES if size <= there]
        assert (rows.groupby("positives")["draw"].nunique() == 7).all()
        prevalence = test.y[:, label].mean()
        np.testing.assert_allclose(rows["f1_all_ones"], 2 * prevalence / (1 + prevalence))
        cuts = np.concatenate([test.scores[:, label], [-1.0]])
        best = max(f1_score(test.y[:, label], test.scores[:, label] >= cut) for cut in cuts[::5])
        assert best <= rows["f1_oracle"].iloc[0] + 1e-12 <= best + 0.02
    again = threshold_study.winners_curse(validation, test, draws=7, seed=0)
    assert table.equals(again)


def test_a_draw_keeps_the_prevalence() -> None:
    """With one positive of 30 in 300 rows, 9 negatives: chosen F1 is 2/(1 + rank), one of ten values."""
    rng = np.random.default_rng(0)
    y = np.zeros((300, 1), np.uint8)
    y[:30] = 1
    part = Scores(np.arange(300).astype(str), y, rng.random((300, 1)))
    table = threshold_study.winners_curse(part, part, draws=400, seed=1)
    ranks = 2 / table.loc[table["positives"] == 1, "f1_chosen"] - 1
    np.testing.assert_allclose(np.unique(np.round(ranks, 9)), np.arange(1, 11))


def test_labels_without_positives_are_left_out() -> None:
    validation, test = scored(200, 6), scored(200, 7)
    validation.y[:, 0], test.y[:, 1] = 0, 0
    table = threshold_study.winners_curse(validation, test, draws=2, seed=0)
    assert set(table["label"]) == {2}
    test.y[:] = 0
    nothing = threshold_study.winners_curse(validation, test, draws=2, seed=0)
    assert nothing.empty
    assert list(nothing.columns) == list(table.columns)
