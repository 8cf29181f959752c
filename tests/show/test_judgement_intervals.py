"""The intervals of a judgement hold its numbers, and are as wide as theory says."""

from __future__ import annotations

import numpy as np
import pytest

from judged_parts import scored
from rarelabels.judging.score_files import Parts
from rarelabels.judging.statistics import bootstrap, inference
from rarelabels.show import judgement as show_judgement


@pytest.mark.parametrize(
    ("scores", "draws"),
    [(12, show_judgement.MOST_DRAWS), (1_000_000, 1000), (2_000_000, 500), (20_000_000, 100), (10**12, 100)],
)
def test_draws_for_so_many_scores(scores, draws):
    assert show_judgement.n_draws(scores) == draws


def test_intervals_hold_their_numbers(judgement, alone):
    for one in (judgement, alone):
        assert one.draws == show_judgement.MOST_DRAWS
        beside = [n for n, (low, high) in one.intervals.items() if not low <= one.evaluation.metrics[n] <= high]
        assert not beside
    for name in ("test/half/micro_f1", "test/ranking/macro_average_precision", "test/ranking/ece"):
        low, high = judgement.intervals[name]
        assert 0 <= low < high <= 1


def test_intervals_hold_what_a_resample_flatters():
    """Two positives a label: a row drawn twice stands at the top twice, so that average precision rises."""
    rng = np.random.default_rng(0)
    y = (np.argsort(rng.random((300, 300)), axis=0) < 2).astype(int)
    part = scored(y, rng.random(y.shape))
    name, judgement = (
        "ranking/macro_average_precision",
        show_judgement.judge_parts(Parts(tuple(map(str, range(300))), None, part, ())),
    )
    draws = bootstrap.make_draws(300, 1, judgement.draws)
    plain = inference.interval(bootstrap.replicates(y, [part.scores], [{}], draws)[name])
    value, (low, high) = judgement.evaluation.metrics[f"test/{name}"], judgement.intervals[f"test/{name}"]
    assert value < plain[0]
    assert low < value < high
    assert high - low == pytest.approx(plain[1] - plain[0])


def test_a_share_of_rows_has_the_interval_of_the_binomial(judgement):
    # 300 rows: 1.96 standard errors to either side.
    share = judgement.evaluation.metrics["test/half/subset_accuracy"]
    error = 1.96 * np.sqrt(share * (1 - share) / 300)
    assert judgement.intervals["test/half/subset_accuracy"] == pytest.approx((share - error, share + error), abs=0.01)


def test_all_of_the_test_part_but_counts_and_bounds_has_an_interval(judgement, alone):
    for one in (judgement, alone):
        names = {name for name in one.evaluation.metrics if name.startswith("test/")}
        without = {n for n in names if n.startswith(("test/oracle/", "test/count/")) or "/more_" in n}
        assert set(one.intervals) == names - without
