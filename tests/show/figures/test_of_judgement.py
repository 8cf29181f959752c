"""The figure of a judgement, of few labels and of many, and of odd names."""

from __future__ import annotations

import numpy as np
import pytest

import rarelabels as rl
from judged_arrays import S, Y


def many(n_labels: int, n: int = 400):
    rng = np.random.default_rng(n_labels)
    y = rng.random((n, n_labels)) < np.geomspace(0.4, 0.005, n_labels)
    return y.astype(int), np.clip(0.4 * y + 0.6 * rng.random(y.shape), 0, 1)


@pytest.mark.parametrize("n_labels", [2, 17, 60])
@pytest.mark.parametrize("validated", [True, False])
def test_the_figure_shows_every_rule_it_has(saved, n_labels, validated):
    (y, s), (y_val, s_val) = many(n_labels), many(n_labels, 500)
    figure = saved(rl.judge(y, s, validation=(y_val, s_val) if validated else None).plot())
    ranking, calibration, decisions = figure.axes
    texts = [text.get_text() for text in ranking.get_legend().get_texts()]
    assert texts[-1] == ("per_label" if validated else "half")
    assert calibration.get_xscale() == "log"
    if n_labels == 17:
        names = [label.get_text() for label in decisions.get_yticklabels()]
        assert names[-1] == f"label 0 ({y[:, 0].sum()})"  # the most frequent on top


@pytest.mark.parametrize("nothing", [True, False])
def test_a_figure_of_no_positives_or_of_odd_names(saved, nothing):
    labels = ["$\\frac{", "two\nlines", "x" * 300]
    saved(rl.judge(Y * (not nothing), S, labels=labels).plot())


def test_what_is_not_known_is_in_no_curve(saved):
    (y, s), rng = many(6), np.random.default_rng(0)
    unknown = rng.random(y.shape) < 0.5
    figures = [
        saved(rl.judge(np.where(unknown, np.nan, y), np.where(unknown, other, s)).plot())
        for other in (s, rng.random(s.shape))
    ]
    for one, other in zip(*(figure.axes for figure in figures), strict=True):
        for line, same in zip(one.get_lines(), other.get_lines(), strict=True):
            np.testing.assert_array_equal(line.get_xydata(), same.get_xydata())
    texts = [text.get_text() for text in figures[0].axes[0].get_legend().get_texts()]
    assert f"chance: {y[~unknown].mean():.3f}" in texts
    assert figures[0].axes[1].get_title() == f"Calibration: all labels pooled, {100 * (~unknown).mean():.3g} % known"
