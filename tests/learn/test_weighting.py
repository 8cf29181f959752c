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
