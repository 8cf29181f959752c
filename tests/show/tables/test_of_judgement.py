"""A printed judgement: numbers beside their floors, and words for what was left out."""

from __future__ import annotations

import re

import numpy as np
import pytest

import rarelabels as rl
from judged_parts import ALONE, BOTH, LABELS, printed, scored
from rarelabels.judging.score_files import Parts
from rarelabels.show import judgement as show_judgement


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
    few = show_judgement.judge_parts(Parts(("A", "B"), None, scored([[1, 0], [0, 1]] * 9, [[0.5, 0.1]] * 18), ()))
    assert "Intervals of macro means are not reliable: 2 of 2 labels have fewer than 10" in printed(few, ALONE, capsys)


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
