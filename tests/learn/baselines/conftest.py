"""Small rows of text."""

from __future__ import annotations

import numpy as np
import pytest

from rarelabels.data.dataset import Dataset
from small_texts import part


@pytest.fixture
def small() -> Dataset:
    rng = np.random.default_rng(0)
    return Dataset(("a", "b", "never", "always"), part(rng, 120), part(rng, 30), part(rng, 40), "digest", {})
