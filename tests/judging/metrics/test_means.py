"""Ratios and means that leave out what is undefined."""

import numpy as np
import pytest

from rarelabels.judging.metrics import means


def test_a_ratio_with_0_below_is_what_it_is_told_to_be():
    assert means.ratio(np.array([1, 0]), np.array([4, 0])).tolist() == [0.25, 0]
    assert means.ratio(np.array([1, 3]), np.array(0), undefined=np.nan).tolist() == pytest.approx(
        [np.nan] * 2, nan_ok=True
    )


def test_a_mean_is_over_what_is_covered():
    values = np.array([[0.5, 0.1, np.nan], [0.4, 0.2, 0.9]])
    covered = np.array([[True, True, False], [False, False, False]])
    assert means.mean_over(values, covered).tolist() == pytest.approx([0.3, np.nan], nan_ok=True)


def test_means_of_rows_are_numpys_weighted_averages_of_the_rows_that_are_defined():
    rng = np.random.default_rng(10)
    rows = {"all": rng.random(20), "some": np.where(rng.random(20) < 0.3, np.nan, rng.random(20))}
    weights = rng.integers(0, 4, (20, 5)).astype(float)
    found = means.row_means(rows, weights)
    for draw in range(5):
        for name, values in rows.items():
            there = ~np.isnan(values)
            assert found[name][draw] == pytest.approx(np.average(values[there], weights=weights[there, draw]))
    plain = means.plain_row_means(rows)
    assert {name: float(mean) for name, mean in plain.items()} == pytest.approx(
        {name: np.nanmean(values) for name, values in rows.items()}
    )


def test_where_no_row_is_covered_there_is_no_mean_and_it_is_left_out():
    found = means.plain_row_means({"none": np.array([np.nan, np.nan]), "one": np.array([np.nan, 0.5])})
    assert means.defined(found) == {"one": 0.5}
    nothing_drawn = means.row_means({"one": np.array([np.nan, 0.5])}, np.array([[1.0], [0.0]]))
    assert np.isnan(nothing_drawn["one"][0])


def test_a_metric_with_weights_of_its_own_is_their_average():
    rows = {"plain": np.array([0.0, 0.6, 0.3]), "weighted": np.array([0.0, 0.6, np.nan])}
    weights = {"weighted": np.array([1.0, 3.0, 0.0])}
    found = means.plain_row_means(rows, weights)
    assert (float(found["plain"]), float(found["weighted"])) == pytest.approx((0.3, 0.45))
    influence = means.influences_of_means(rows, weights)["weighted"]
    assert influence.tolist() == pytest.approx([-0.45 / 4, 3 * 0.15 / 4, 0.0])
