"""Small rows, and one training of them, for each file of tests. TensorFlow is imported where they are used alone."""

from __future__ import annotations

from typing import Any

import pytest

from rarelabels.data.dataset import Dataset


@pytest.fixture(scope="module")
def data() -> Dataset:
    from small_training import LABELS, part

    return Dataset(LABELS, part(300, 0), part(100, 1), part(100, 2), "digest", {})


@pytest.fixture(scope="module")
def plain(data: Dataset) -> Any:
    from small_training import PLAIN, WATCH, fit

    return fit(PLAIN, data, watch=WATCH)
