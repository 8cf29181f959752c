"""What a declared weighting tells beside the weights."""

from __future__ import annotations

import numpy as np

from weighting_cases import of, random_labels


def test_none_weighs_nothing() -> None:
    found = of("none")
    assert found.positive is found.negative is found.rows is None
    assert (found.facts, found.notes) == ({}, ())


def test_few_effective_rows_are_warned_of() -> None:
    y = np.zeros((1000, 3), dtype=np.uint8)
    y[:2], y[2:600, 1] = 1, 1
    found = of("sample_weights", y, form="product")
    assert found.facts["effective_sample_share"] < 0.1
    assert found.notes[-1].startswith("Few rows decide")
    assert f"{found.facts['effective_sample_size']:.1f} of 1,000 rows" in found.notes[-1]
    assert not any(note.startswith("Few") for note in of("sample_weights", random_labels(0)).notes)


def test_weights_of_the_data_multiply_those_of_labels_and_leave_prevalences_alone() -> None:
    y, declared = random_labels(0), np.random.default_rng(0).uniform(0.5, 4, 200)
    for kind in ("none", "pos_weight", "sample_weights"):
        plain, weighed = of(kind, y), of(kind, y, declared=declared)
        by_labels = 1.0 if plain.rows is None else plain.rows
        np.testing.assert_allclose(weighed.rows, by_labels * declared / declared.mean())
        np.testing.assert_array_equal(weighed.prevalence, plain.prevalence)
        if plain.positive is not None:
            np.testing.assert_array_equal(weighed.positive, plain.positive)
        assert weighed.facts["effective_sample_size"] < 200


def test_few_effective_rows_of_the_data_are_warned_of() -> None:
    found = of("none", random_labels(0), declared=np.array([1e4, *[1.0] * 199]))
    assert found.notes == (
        "Few rows decide: the weights leave an effective sample size (Σw)²/Σw² of 1.0 of 200 rows (0.5%).",
    )
