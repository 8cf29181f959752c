"""Numbers for readers."""

from __future__ import annotations

import math

import pytest

from rarelabels.compare import written


@pytest.mark.parametrize(
    ("value", "shown"), [(0.4386, "0.439"), (-0.02, "−0.020"), (None, "–"), (math.nan, "–"), (1234.5, "1234.500")]
)
def test_a_number(value: float | None, shown: str) -> None:
    assert written.number(value) == shown


@pytest.mark.parametrize(("value", "shown"), [(0.0126, "+0.013"), (-0.2, "−0.200"), (0.0, "+0.000")])
def test_a_difference(value: float, shown: str) -> None:
    assert written.signed(value) == shown
