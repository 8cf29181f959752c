"""Scores that are judged: few, worked out by hand, and many, drawn at random."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rarelabels.judging.score_files import Parts
from rarelabels.judging.scores import Scores
from rarelabels.show.judgement import Judgement
from rarelabels.show.tables.of_judgement import print_judgement

LABELS = ("common", "ties", "rare", "absent", "unchosen")
BOTH, ALONE = Path("validation.parquet"), None
# Two labels, and the four rows of the validation part, five times over: enough positives for thresholds of their own.
# A is best cut in the middle of 0.2 and 0.3, B of 0.6 and 0.8; together, too, at 0.7: F1 is 0.8 there, 0.75 at 0.25.
VALIDATION_Y = [[1, 1], [1, 0], [0, 0], [0, 0]] * 5
VALIDATION_SCORES = [[0.9, 0.8], [0.3, 0.6], [0.2, 0.4], [0.1, 0.1]] * 5
TEST_Y = [[1, 1], [1, 0], [1, 0], [0, 0], [0, 0], [0, 1]]
TEST_A = [0.95, 0.4, 0.6, 0.3, 0.1, 0.55]  # at 0.5: 2 found, 1 false; at 0.25: 3 and 2; at 0.7: 1 and 0
TEST_B = [0.75, 0.6, 0.65, 0.2, 0.5, 0.1]  # at 0.5: 1 found, 3 false; at 0.7: 1 and 0
COSTLY_A = [0.95, 0.4, 0.6, 0.3, 0.3, 0.55]  # at 0.25: 3 and 3
CALM_B = [0.75, 0.2, 0.3, 0.2, 0.1, 0.1]  # 1 found, none false at either


def scored(y, scores) -> Scores:
    y = np.array(y, dtype=np.uint8)
    return Scores(np.array([f"row {row}" for row in range(len(y))]), y, np.array(scores, dtype=np.float64))


def by_hand(a=TEST_A, b=TEST_B, validation=True) -> Parts:
    before = scored(VALIDATION_Y, VALIDATION_SCORES) if validation else None
    return Parts(("A", "B"), before, scored(TEST_Y, list(zip(a, b, strict=True))), ())


def printed(judgement: Judgement, validation: Path | None, capsys: pytest.CaptureFixture) -> str:
    print_judgement(judgement, validation, Path("test.parquet"))
    return capsys.readouterr().out


def random_part(n: int, seed: int) -> Scores:
    """A frequent label, one with ties, a rare one, one never there in the test part, one too rare to choose on."""
    rng = np.random.default_rng(seed)
    y = rng.random((n, 5)) < [0.4, 0.3, 0.04, 0.1 if seed else 0, 0.1]
    if seed:
        y[:, 4] = np.arange(n) < 4
    scores = np.clip(0.3 * y + 0.6 * rng.random((n, 5)), 0, 1)
    scores[:, 1] = np.round(scores[:, 1] * 5) / 5
    return scored(y, scores)


def truth_and_scores(path: Path) -> tuple[np.ndarray, np.ndarray]:
    frame = pd.read_parquet(path)
    return tuple(frame[[f"{what}/{label}" for label in LABELS]].to_numpy() for what in ("true", "score"))
