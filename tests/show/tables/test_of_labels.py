"""A judgement label by label: what each threshold finds and costs, and which labels are shown."""

from __future__ import annotations

import re

import numpy as np
import pytest
from sklearn import metrics as sk

from judged_parts import ALONE, BOTH, CALM_B, COSTLY_A, TEST_A, TEST_B, by_hand, printed, scored
from rarelabels.judging.score_files import Parts
from rarelabels.judging.sweeps.ordered import ALWAYS, NEVER
from rarelabels.show import judgement as show_judgement
from rarelabels.show.tables import of_labels


@pytest.mark.parametrize(
    ("a", "b", "says", "rows"),
    [
        (
            TEST_A,
            TEST_B,
            ["global: 1 fewer positives found.*, 4 fewer false", "per_label: 1 more positives found.*, 2 fewer false"],
            ["A 3 2 1 −1 −1 +1 +1", "B 2 1 3 +0 −3 +0 −3", "all 5 3 4 −1 −4 +1 −2"],
        ),
        (
            COSTLY_A,
            CALM_B,
            [
                "global: 1 fewer positives found.*, 1 fewer false",
                r"per_label: 1 more positives found.*, 2 more false alarms: 2(\.0)? for each positive",
            ],
            ["A 3 2 1 −1 −1 +1 +2", "B 2 1 0 +0 +0 +0 +0", "all 5 3 1 −1 −1 +1 +2"],
        ),
    ],
)
def test_gains_are_told_in_words(capsys, a, b, says, rows):
    lines = printed(show_judgement.judge_parts(by_hand(a, b)), BOTH, capsys).splitlines()
    below = lines[lines.index("What each threshold finds and costs") :]
    assert set(rows) <= {" ".join(line.split()) for line in below}
    for pattern in says:
        assert [line for line in below if re.match(pattern, line)], pattern
    assert len([line for line in below if "for each positive" in line]) == (a is COSTLY_A)


def test_of_many_labels_the_best_and_the_worst_are_printed(capsys):
    rng = np.random.default_rng(0)
    y = rng.random((200, 50)) < 0.3
    # Label number k is the better ranked the higher k is.
    part = scored(y, (1 - np.arange(50) / 60) * rng.random((200, 50)) * 0.5 + y * np.arange(50) / 100)
    labels = tuple(f"l{number:02}" for number in range(50))
    out = printed(show_judgement.judge_parts(Parts(labels, None, part, ())), ALONE, capsys)
    names = [line.split()[0] for line in out.splitlines() if line[:1] == "l" and line[1:3].isdigit()]
    average = sk.average_precision_score(y, part.scores, average=None)
    ranked = [labels[number] for number in np.argsort(-average, kind="stable")]
    assert names == [*ranked[:5], *ranked[-5:]] * 2
    assert "Labels: the 5 best and the 5 worst of 50 by average precision" in out


@pytest.mark.parametrize(
    ("threshold", "shown"),
    [(NEVER, "never"), (ALWAYS, "always"), (0.25, "0.250"), (0.001, "0.001"), (0.00042, "0.0004")],
)
def test_a_threshold_has_three_decimals_a_digit_if_it_is_tiny_or_a_word(threshold: float, shown: str) -> None:
    assert of_labels.shown_threshold(threshold) == shown


def test_what_is_no_number_is_a_dash() -> None:
    assert [of_labels.shown_number(value) for value in (None, float("nan"), 0.12345, 1.0)] == [
        "–",
        "–",
        "0.123",
        "1.000",
    ]
