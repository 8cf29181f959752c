"""A printed judgement: numbers beside their floors, and words for what was left out."""

from __future__ import annotations

import re

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

import rarelabels as rl
from judged_parts import ALONE, BOTH, LABELS, printed, scored
from rarelabels.judging.score_files import Parts
from rarelabels.show import judgement as show_judgement
from rarelabels.show import judgement_html


def test_printed_numbers_stand_beside_their_floors(files, judgement, capsys):
    out = printed(judgement, BOTH, capsys)
    measured = judgement.evaluation.metrics
    row = next(line for line in out.splitlines() if line.startswith("micro-F1 "))
    low, high = judgement.intervals["test/per_label/micro_f1"]
    floors = [f"{measured[f'floor/{floor}/micro_f1']:.3f}" for floor in ("zeros", "ones", "prior")]
    assert row.split()[1:4] == floors
    assert row.split()[-3:] == [
        f"{measured['test/per_label/micro_f1']:.3f}",
        f"{low:.3f}–{high:.3f}",
        f"{measured['test/oracle/micro_f1']:.3f}",
    ]
    assert "Thresholds and base rates are from validation.parquet: 400 rows" in out
    assert "the global one for 1 label that has fewer than 5 positives there" in out
    assert re.search(r"labels without a positive: 1 \(absent\); macro and weighted means leave them out", out)


def test_no_positives_at_all_are_no_reason_to_fail(capsys):
    nothing, scores = np.zeros((4, 2)), [[0.2, 0.6], [0.1, 0.3], [0.2, 0.6], [0.2, 0.7]]
    parts = Parts(("A", "B"), scored(nothing, scores), scored(nothing[:3], scores[:3]), ())
    judgement = show_judgement.judge_parts(parts)
    assert judgement.evaluation.metrics["test/half/binary_accuracy"] == pytest.approx(4 / 6)
    assert np.isfinite(list(judgement.evaluation.metrics.values())).all()
    out = printed(judgement, BOTH, capsys)
    assert "labels without a positive: 2 (A, B)" in out
    assert "global: score ≥ 0.5, because validation.parquet has no positive to choose a threshold by." in out


def test_without_validation_nothing_is_chosen(alone, capsys):
    assert list(alone.evaluation.rules) == ["half", "oracle"]
    decided = {name.split("/")[1] for name in alone.evaluation.metrics if name.startswith("test/")}
    assert decided == {"half", "oracle", "ranking", "count"}
    assert not [name for name in alone.evaluation.metrics if "global" in name or "per_label" in name]
    assert list(alone.prices().columns) == ["label", "positives", "half/found", "half/false"]
    out = printed(alone, ALONE, capsys)
    assert "Without a validation part no threshold is chosen: decisions are at 0.5, and oracle is only a bound." in out
    assert "base rates in the test labels themselves, because there is no validation part." in out
    assert "global" not in out
    assert "per_label" not in out


def test_one_row_has_no_interval_and_rare_labels_are_said(judgement, capsys):
    one = show_judgement.judge_parts(Parts(("A", "B"), None, scored([[1, 0]], [[0.5, 0.1]]), ()))
    assert one.intervals == {}
    assert "No intervals: one test row says nothing about others" in printed(one, ALONE, capsys)
    assert "test.parquet: 1 row × 2 labels, 1 positive (50 % of all)" in printed(one, ALONE, capsys)
    assert repr(one).startswith("<Judgement of 1 row × 2 labels, without a validation part;")
    few = show_judgement.judge_parts(Parts(("A", "B"), None, scored([[1, 0], [0, 1]] * 9, [[0.5, 0.1]] * 18), ()))
    assert "Intervals of macro means are not reliable: 2 of 2 labels have fewer than 10" in printed(few, ALONE, capsys)


@pytest.mark.parametrize("n", [0, 1, 9, 10])
def test_a_handful_of_positives_warns_beside_the_intervals(n, capsys):
    """In the console and, made of the same sections, on the page and in a notebook; ten are enough."""
    y, rng = np.zeros((40, 2), np.uint8), np.random.default_rng(n)
    y[:n, 0] = 1
    part = scored(y, np.clip(0.4 * y + 0.6 * rng.random(y.shape), 0, 1))
    few = show_judgement.judge_parts(Parts(("A", "B"), None, part, ()))
    assert few.intervals
    said = "no positive" if not n else f"{n} positive{'s' if n > 1 else ''} in all"
    line = f"No interval is reliable: test has {said}. One without width, such as 1.000–1.000, is no certainty"
    assert (line in printed(few, ALONE, capsys)) == (n < 10)
    if n == 1:
        assert line in judgement_html.page(few)
        assert line in few._repr_html_()


def test_labels_that_all_rows_have_are_said(capsys):
    y = np.column_stack([np.ones(30), np.arange(30) % 2])
    scores = np.clip(0.3 * y + 0.5 * np.random.default_rng(0).random(y.shape), 0, 1)
    whole = show_judgement.judge_parts(Parts(("all", "half"), scored(y, scores), scored(y[:20], scores[:20] / 2), ()))
    for shown in (printed(whole, BOTH, capsys), judgement_html.page(whole)):
        assert "labels that all rows have, 100 % ones: 1 (all); macro ROC AUC leaves them out" in shown
    assert "1 label has 100 % ones on validation.parquet (all): per_label always assigns it." in printed(
        whole, BOTH, capsys
    )
    assert whole.table().loc["macro_roc_auc", "scores"] == pytest.approx(roc_auc_score(y[:20, 1], scores[:20, 1]))


def test_a_label_that_all_its_known_rows_have_is_said_if_they_are_enough_for_a_threshold(capsys):
    rng = np.random.default_rng(0)
    y = np.column_stack([np.ones(30), np.ones(30), np.arange(30) % 2])
    y[20:, 0] = y[4:, 1] = np.nan
    validation = y, rng.random(y.shape)
    given = rl.judge(
        rng.integers(0, 2, (20, 3)), rng.random((20, 3)), validation=validation, labels=["all", "few", "half"]
    )
    said = "1 label has 100 % ones on validation.parquet (all): per_label always assigns it."
    assert said in printed(given, BOTH, capsys)


def test_how_much_is_known_is_said_and_the_labels_that_are_too_little(judgement, capsys):
    y, scores = judgement.evaluation.test.y.astype(float), judgement.evaluation.test.scores
    y[150:, 0] = y[100:108, 1] = y[7:, 2] = np.nan
    given = rl.judge(y[100:], scores[100:], validation=(y[:100], scores[:100]), labels=LABELS)
    lines = printed(given, BOTH, capsys).splitlines()
    assert lines[0].startswith("test.parquet: 200 rows × 5 labels, 64.2 % known (642 of 1,000 cells): ")
    assert lines[1].endswith("validation.parquet: 100 rows, 81.4 % known (407 of 500 cells)")
    assert "A label that is not known in a row counts nowhere: neither as right nor as wrong." in lines
    assert "Too little known to judge: rare (0 of 200 rows known)" in lines
    positives = int(np.nansum(y[100:, 0]))
    row = next(line.split() for line in lines if line.startswith("common ") and "/" not in line)
    assert row[1:4] == ["50", str(positives), f"{positives / 50:.4f}"]
    assert "× 5 labels (64.2 % known), thresholds" in repr(given)
    assert given.per_label()["known"].tolist() == [50, 192, 0, 200, 200]
