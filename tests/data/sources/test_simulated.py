"""Simulated data, whose probabilities are known."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from scipy import integrate, stats
from scipy.special import expit

from processes import printed
from rarelabels.data import loading
from rarelabels.data.sources import simulated
from rarelabels.data.sources.simulated import Simulation
from rarelabels.declare.data import SimulatedSpec


def spec(**declared: Any) -> SimulatedSpec:
    return SimulatedSpec(kind="simulated", **declared)


INDEPENDENT = spec(rows=40_000, drawn_by=3)
RARE = spec(rows=40_000, labels=5, prevalence=0.05, drawn_by=4)
SETS = spec(rows=40_000, labels=4, dependence="label_sets", sets=6, drawn_by=5)
CROWDED = spec(rows=40_000, features=3, labels=6, drawn_by=6)
every_spec = pytest.mark.parametrize(
    "declared",
    [INDEPENDENT, RARE, SETS, CROWDED],
    ids=["independent", "rare", "label sets", "more labels than columns"],
)


def probability_of_sets(declared: SimulatedSpec, numeric: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All label sets that can be, and the probability of each in each row, from the logits alone."""
    simulation = Simulation.of(declared)
    z = numeric @ simulation.slopes + simulation.intercept
    if simulation.sets is not None:
        odds = np.exp(z)
        return simulation.sets, odds / odds.sum(axis=1, keepdims=True)
    sets = np.array(list(product([0, 1], repeat=declared.labels)), dtype=np.uint8)
    return sets, np.stack([np.where(one == 1, expit(z), expit(-z)).prod(axis=1) for one in sets], axis=1)


@every_spec
def test_marginals_are_the_sums_over_label_sets(declared: SimulatedSpec) -> None:
    numeric = simulated.parse(declared).numeric[:500]
    sets, p = probability_of_sets(declared, numeric)
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_allclose(Simulation.of(declared).probabilities(numeric), p @ sets, rtol=1e-10)


@every_spec
def test_the_most_likely_set_is_the_most_likely(declared: SimulatedSpec) -> None:
    numeric = simulated.parse(declared).numeric[:500]
    sets, p = probability_of_sets(declared, numeric)
    found = Simulation.of(declared).most_likely_sets(numeric)
    assert found.dtype == np.uint8
    assert (found == sets[p.argmax(axis=1)]).all()


@every_spec
def test_label_sets_come_as_often_as_their_probabilities_say(declared: SimulatedSpec) -> None:
    """χ² of the counts, whose covariance is Σ diag(p) − pp'; sets expected under ten times, or the last, are left."""
    table = simulated.parse(declared)
    sets, p = probability_of_sets(declared, table.numeric)
    counts = (table.y[:, None, :] == sets).all(axis=2).sum(axis=0)
    assert counts.sum() == declared.rows
    expected = p.sum(axis=0)
    told = np.flatnonzero(expected >= 10)
    told = told[:-1] if len(told) == len(sets) else told
    off = (counts - expected)[told]
    covariance = (np.diag(expected) - p.T @ p)[np.ix_(told, told)]
    assert 0.001 < stats.chi2.sf(off @ np.linalg.solve(covariance, off), len(off)) < 0.999


@every_spec
def test_marginals_are_calibrated(declared: SimulatedSpec) -> None:
    """In each tenth of a label's probabilities as many positives as they add up to, within 4 standard deviations."""
    table = simulated.parse(declared)
    p = Simulation.of(declared).probabilities(table.numeric)
    assert p.shape == table.y.shape
    assert ((p > 0) & (p < 1)).all()
    for label in range(declared.labels):
        for rows in np.array_split(np.argsort(p[:, label]), 10):
            expected, variance = p[rows, label].sum(), (p[rows, label] * (1 - p[rows, label])).sum()
            assert abs(table.y[rows, label].sum() - expected) < 4 * np.sqrt(variance) + 1


def residual_correlations(declared: SimulatedSpec) -> np.ndarray:
    """The correlations of y − p between labels: what x does not explain."""
    table = simulated.parse(declared)
    residual = table.y - Simulation.of(declared).probabilities(table.numeric)
    return np.corrcoef(residual.T)[np.triu_indices(declared.labels, 1)]


def test_independent_labels_are_independent_given_the_numbers_and_label_sets_are_not() -> None:
    for declared in (INDEPENDENT, RARE, CROWDED):
        assert np.abs(residual_correlations(declared)).max() < 4.5 / np.sqrt(40_000)
    assert np.abs(residual_correlations(SETS)).max() > 0.2


def test_labels_of_shared_directions_are_dependent_only_through_the_numbers() -> None:
    assert np.abs(np.corrcoef(simulated.parse(CROWDED).y.T)[np.triu_indices(6, 1)]).max() > 0.1
    assert np.abs(np.corrcoef(simulated.parse(INDEPENDENT).y.T)[np.triu_indices(3, 1)]).max() < 4.5 / 200


@pytest.mark.parametrize(("features", "labels"), [(8, 3), (8, 8), (1, 2), (3, 6)])
def test_directions_have_the_declared_length_and_right_angles_where_they_can(features: int, labels: int) -> None:
    slopes = Simulation.of(spec(features=features, labels=labels, scale=1.5)).slopes
    assert slopes.shape == (features, labels)
    np.testing.assert_allclose(np.linalg.norm(slopes, axis=0), 1.5)
    angles = slopes.T @ slopes - 1.5**2 * np.eye(labels)
    assert (np.abs(angles).max() < 1e-12) == (labels <= features)
    sets = Simulation.of(spec(features=features, labels=labels, dependence="label_sets", sets=3)).slopes
    np.testing.assert_allclose(np.linalg.norm(sets, axis=0), 2.0)


def test_every_direction_is_as_likely_as_its_opposite() -> None:
    signs = [np.sign(Simulation.of(spec(drawn_by=seed)).slopes) for seed in range(400)]
    assert np.abs(np.mean(signs, axis=0)).max() < 0.2  # 4 standard deviations


@pytest.mark.parametrize("scale", [0.1, 2.0, 30.0])
@pytest.mark.parametrize("prevalence", [0.001, 0.05, 0.3, 0.5, 0.9])
def test_the_mean_probability_is_the_prevalence(prevalence: float, scale: float) -> None:
    b = simulated.centre(prevalence, scale)
    breaks = np.clip(-b / scale, -9, 9)  # where the logistic function is steepest
    mean, _ = integrate.quad(lambda z: expit(b + scale * z) * stats.norm.pdf(z), -10, 10, points=[breaks], limit=500)
    assert mean == pytest.approx(prevalence, rel=1e-6)
    assert (b == 0) == (prevalence == 0.5)


def test_labels_have_the_prevalence() -> None:
    found = simulated.parse(RARE).y.mean(axis=0)
    # 0.05 of 40,000 rows: 4 standard deviations are 0.0044
    np.testing.assert_allclose(found, 0.05, atol=0.0044)


def test_three_labels_at_a_half_make_eight_sets_equally_often() -> None:
    _, counts = np.unique(simulated.parse(INDEPENDENT).y, axis=0, return_counts=True)
    assert len(counts) == 8
    assert stats.chisquare(counts).pvalue > 0.001


@pytest.mark.parametrize(("labels", "sets"), [(2, 2), (2, 4), (3, 8), (20, 2), (10, 1024), (20, 50), (5, 3)])
def test_label_sets_are_different_and_no_label_is_constant(labels: int, sets: int) -> None:
    for drawn_by in range(10):
        found = Simulation.of(spec(labels=labels, dependence="label_sets", sets=sets, drawn_by=drawn_by)).sets
        assert found is not None
        assert found.shape == (sets, labels)
        assert len(np.unique(found, axis=0)) == sets
        assert (found.min(axis=0) == 0).all()
        assert (found.max(axis=0) == 1).all()


def test_the_table_has_names_and_no_groups() -> None:
    table = simulated.parse(spec(rows=100, features=2))
    assert table.numeric_names == ("x0", "x1")
    assert table.labels == ("y0", "y1", "y2")
    assert table.ids.tolist() == [str(i) for i in range(100)]
    assert (table.groups, table.parts, table.text) == (None, None, {})
    assert table.y.dtype == np.uint8
    assert (table.strata == table.y).all()


def test_numbers_are_standard_normal() -> None:
    numeric = simulated.parse(INDEPENDENT).numeric
    assert stats.kstest(numeric.ravel(), "norm").pvalue > 0.001
    assert np.abs(np.corrcoef(numeric.T) - np.eye(8)).max() < 4.5 / 200


@pytest.mark.parametrize("declared", [{}, {"dependence": "label_sets", "sets": 4}])
def test_fewer_rows_are_the_first_of_more_with_the_same_probabilities(declared: dict[str, Any]) -> None:
    few, many = (simulated.parse(spec(rows=rows, **declared)) for rows in (100, 250))
    assert (few.numeric == many.numeric[:100]).all()
    assert (few.y == many.y[:100]).all()
    p = Simulation.of(spec(rows=100, **declared)).probabilities(many.numeric)
    assert (p == Simulation.of(spec(rows=250, **declared)).probabilities(many.numeric)).all()


def test_another_drawn_by_is_another_simulation() -> None:
    one, other = (simulated.parse(spec(rows=200, drawn_by=seed)) for seed in (0, 1))
    assert not (one.numeric == other.numeric).any()
    assert not (Simulation.of(spec()).slopes == Simulation.of(spec(drawn_by=1)).slopes).any()


def test_other_processes_and_thread_counts_draw_the_same_bits() -> None:
    code = """
import hashlib
from rarelabels.data.loading import simulated
from rarelabels.data.sources.simulated import Simulation
from rarelabels.declare.data import SimulatedSpec
found = hashlib.sha256()
for declared in ({}, {"dependence": "label_sets", "sets": 6}):
    spec = SimulatedSpec(kind="simulated", **declared)
    table = simulated.parse(spec)
    for array in (table.numeric, table.y, Simulation.of(spec).most_likely_sets(table.numeric)):
        found.update(array.tobytes())
    found.update(simulated.content(spec).encode())
print(found.hexdigest())
"""
    first, second = (printed(code, OPENBLAS_NUM_THREADS=n, PYTHONHASHSEED=n) for n in ("1", "2"))
    assert len(first) == 64
    assert first == second


def test_the_content_is_what_decides_the_data() -> None:
    same = spec(validation="cross_validated"), spec(train_fraction=0.5), spec()
    assert len({simulated.content(one) for one in same}) == 1
    other = (
        *(spec(rows=200), spec(features=3), spec(labels=4), spec(scale=1.0), spec(prevalence=0.1), spec(drawn_by=1)),
        *(spec(dependence="label_sets", sets=sets) for sets in (2, 3)),
    )
    assert len({simulated.content(one) for one in (*other, spec())}) == 9


def test_a_simulation_is_loaded_in_parts_with_numbers_as_they_were_drawn() -> None:
    data = loading.load(spec(rows=1000), 0)
    table = simulated.parse(spec(rows=1000))
    assert [len(part.y) for part in (data.train, data.validation, data.test)] == [700, 100, 200]
    for part in (data.train, data.validation, data.test):
        rows = part.ids.astype(int)
        assert (part.numeric == table.numeric[rows]).all()
        assert (part.y == table.y[rows]).all()
