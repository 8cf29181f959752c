"""A printed judgement: numbers beside their floors, and words for what was left out."""

from __future__ import annotations

import re

import numpy as np
import pytest

from judged_parts import ALONE, BOTH, printed, scored
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
