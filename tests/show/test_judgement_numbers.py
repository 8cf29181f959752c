"""The numbers of a judgement equal scikit-learn's or those worked out by hand; nothing is left unsaid."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

from judged_parts import LABELS, by_hand, truth_and_scores
from rarelabels.judging import score_files
from rarelabels.show import judgement as show_judgement

RULES = ("half", "global", "per_label")


@pytest.mark.parametrize("rule", [*RULES, "oracle"])
def test_decisions_equal_scikit_learn(files, judgement, rule):
    y, scores = truth_and_scores(files[1])
    assigned = (scores >= judgement.evaluation.rules[rule].thresholds).astype(int)
    there = y.any(axis=0)
    assert there.tolist() == [True, True, True, False, True]
    wanted = {
        "binary_accuracy": 1 - sk.hamming_loss(y, assigned),
        "subset_accuracy": sk.accuracy_score(y, assigned),
        "micro_f1": sk.f1_score(y, assigned, average="micro"),
        "samples_f1": sk.f1_score(y, assigned, average="samples", zero_division=0),
        "macro_f1": sk.f1_score(y[:, there], assigned[:, there], average="macro", zero_division=0),
        "macro_precision": sk.precision_score(y[:, there], assigned[:, there], average="macro", zero_division=0),
        "macro_recall": sk.recall_score(y[:, there], assigned[:, there], average="macro"),
    }
    found = {name: judgement.evaluation.metrics[f"test/{rule}/{name}"] for name in wanted}
    assert found == pytest.approx(wanted, abs=1e-12)


def test_rankings_equal_scikit_learn(files, judgement, alone):
    y, scores = truth_and_scores(files[1])
    there, rows = y.any(axis=0), y.any(axis=1)
    wanted = {
        "macro_average_precision": sk.average_precision_score(y[:, there], scores[:, there], average="macro"),
        "micro_average_precision": sk.average_precision_score(y, scores, average="micro"),
        "macro_roc_auc": sk.roc_auc_score(y[:, there], scores[:, there], average="macro"),
        "micro_roc_auc": sk.roc_auc_score(y, scores, average="micro"),
        "lrap": sk.label_ranking_average_precision_score(y[rows], scores[rows]),
        "brier": sk.brier_score_loss(y.ravel(), scores.ravel()),
    }
    for one in (judgement, alone):
        found = {name: one.evaluation.metrics[f"test/ranking/{name}"] for name in wanted}
        assert found == pytest.approx(wanted, abs=1e-12)


def best_f1(y: np.ndarray, scores: np.ndarray) -> float:
    """The best of all thresholds, by scikit-learn's curve."""
    precision, recall, _ = sk.precision_recall_curve(y, scores)
    return np.max(2 * precision * recall / (precision + recall + 1e-300))


def test_thresholds_are_the_best_on_validation(files, judgement):
    y, scores = truth_and_scores(files[0])
    rules = {name: judgement.evaluation.rules[name] for name in RULES}
    measured = judgement.evaluation.metrics
    assert rules["half"].thresholds.tolist() == [0.5] * 5
    assert measured["validation/global/micro_f1"] == pytest.approx(best_f1(y.ravel(), scores.ravel()), abs=1e-12)
    # The last label has 4 positives in validation, and 5 are needed for a threshold of its own.
    assert rules["per_label"].thresholds[4] == rules["global"].thresholds[0]
    assert measured["validation/count/labels_with_global_threshold"] == 1
    for label in range(4):
        chosen = scores[:, label] >= rules["per_label"].thresholds[label]
        best = best_f1(y[:, label], scores[:, label])
        assert sk.f1_score(y[:, label], chosen) == pytest.approx(best, abs=1e-12)


def test_each_label_equals_scikit_learn(files, judgement):
    y, scores = truth_and_scores(files[1])
    table = judgement.evaluation.per_label.set_index("label")
    assert tuple(table.index) == LABELS
    for column, label in enumerate(LABELS):
        chosen = scores[:, column] >= table.loc[label, "per_label/threshold"]
        counts = sk.confusion_matrix(y[:, column], chosen, labels=[0, 1]).ravel()
        assert table.loc[label, [f"per_label/{cell}" for cell in ("tn", "fp", "fn", "tp")]].tolist() == counts.tolist()
        if label == "absent":
            assert table.loc[label, ["average_precision", "roc_auc"]].isna().all()
        else:
            average = sk.average_precision_score(y[:, column], scores[:, column])
            assert table.loc[label, "average_precision"] == pytest.approx(average, abs=1e-12)


def test_floors_are_the_shares_of_the_test_part(files, judgement):
    y, _ = truth_and_scores(files[1])
    known, _ = truth_and_scores(files[0])
    share, measured = y.mean(), judgement.evaluation.metrics
    shares, base_rates = y.mean(axis=0), known.mean(axis=0)
    wanted = {
        "zeros/binary_accuracy": 1 - share,
        "zeros/hamming_loss": share,
        "zeros/micro_f1": 0,
        "ones/binary_accuracy": share,
        "ones/micro_f1": 2 * share / (1 + share),
        "ones/macro_recall": 1,
        "prior/brier": np.mean(shares * (1 - base_rates) ** 2 + (1 - shares) * base_rates**2),
        "prior/macro_average_precision": shares[shares > 0].mean(),
        "prior/macro_roc_auc": 0.5,
    }
    assert {name: measured[f"floor/{name}"] for name in wanted} == pytest.approx(wanted, abs=1e-12)


def test_base_rates_take_thresholds_like_the_scores():
    """Base rates are 0.5 and 0.25: A alone has validation F1 20/35, both 30/55, and each label for itself its best."""
    measured = show_judgement.judge_parts(by_hand()).evaluation.metrics
    # At 0.5, and at the global 0.375, A for every row: 3 found, 3 false, 2 missed. per_label: both for every row.
    found = [measured[f"floor/{floor}/micro_f1"] for floor in ("prior", "prior_global", "prior_per_label")]
    assert found == pytest.approx([6 / 11, 6 / 11, 10 / 17])
    assert measured["floor/prior_per_label/macro_f1"] == pytest.approx((2 / 3 + 1 / 2) / 2)


def test_every_number_is_in_the_long_form(judgement, alone):
    for one in (judgement, alone):
        long = one.long()
        assert list(long.columns) == ["metric", "label", "value", "low", "high"]
        assert not long.duplicated(["metric", "label"]).any()
        whole = long[long["label"] == ""].set_index("metric")
        assert whole["value"].to_dict() == one.evaluation.metrics
        for name, (low, high) in one.intervals.items():
            assert whole.loc[name, ["low", "high"]].tolist() == [low, high]
        own = long[long["label"] == "rare"].set_index("metric")["value"]
        table = one.evaluation.per_label.set_index("label").loc["rare"]
        assert own[table.index].tolist() == table.tolist()
        assert own["half/found"] == table["half/tp"]


def test_gains_are_worked_out_by_hand():
    judgement = show_judgement.judge_parts(by_hand())
    rules = judgement.evaluation.rules
    assert rules["global"].thresholds == pytest.approx([0.7, 0.7])
    assert rules["per_label"].thresholds == pytest.approx([0.25, 0.7])
    wanted = {
        "label": ["A", "B"],
        "positives": [3, 2],
        "half/found": [2, 1],
        "half/false": [1, 3],
        "global/more_found": [-1, 0],
        "global/more_false": [-1, -3],
        "per_label/more_found": [1, 0],
        "per_label/more_false": [1, -3],
    }
    assert judgement.prices().to_dict("list") == wanted
    totals = {name: value for name, value in judgement.evaluation.metrics.items() if "/more_" in name}
    assert totals == {
        "test/global/more_found": -1,
        "test/global/more_false": -4,
        "test/per_label/more_found": 1,
        "test/per_label/more_false": -2,
    }


def test_without_validation_base_rates_are_those_of_the_test_part():
    # 0.5 for A, 1/3 for B: Brier is the mean of 1/4 and 2/9.
    measured = show_judgement.judge_parts(by_hand(validation=False)).evaluation.metrics
    assert measured["floor/prior/brier"] == pytest.approx((1 / 4 + 2 / 9) / 2)


def test_the_numbers_at_half_do_not_depend_on_validation(judgement, alone):
    same = [name for name in alone.evaluation.metrics if name.startswith(("test/", "floor/zeros/", "floor/ones/"))]
    assert {name: judgement.evaluation.metrics[name] for name in same} == {
        name: alone.evaluation.metrics[name] for name in same
    }


@pytest.mark.parametrize("ending", ["csv", "csv.gz"])
def test_every_format_gives_the_same_judgement(files, judgement, tmp_path, ending):
    others = [tmp_path / f"{path.stem}.{ending}" for path in files]
    for path, other in zip(files, others, strict=True):
        frame = pd.read_parquet(path)
        frame[frame.columns[::-1] if "validation" in path.stem else frame.columns].to_csv(other, index=False)
    again = show_judgement.judge_parts(score_files.read(*others))
    pd.testing.assert_frame_equal(again.long(), judgement.long(), check_exact=True)


def test_asked_labels_are_judged_as_if_there_were_no_others(files, judgement):
    picked = show_judgement.judge_parts(score_files.read(*files, only=("rare", "common")))
    assert picked.evaluation.labels == ("rare", "common")
    assert picked.evaluation.per_label["label"].tolist() == ["rare", "common"]
    y, scores = truth_and_scores(files[1])
    wanted = sk.f1_score(y[:, [2, 0]], scores[:, [2, 0]] >= 0.5, average="macro")
    assert picked.evaluation.metrics["test/half/macro_f1"] == pytest.approx(wanted, abs=1e-12)
    # A label's own threshold does not depend on the others.
    own = [judgement.evaluation.rules["per_label"].thresholds[label] for label in (2, 0)]
    assert picked.evaluation.rules["per_label"].thresholds.tolist() == own
