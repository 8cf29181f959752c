"""Emoji, and what the networks make of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from emoji_images import CATEGORIES, EMOJI, LITE0, OF_EACH, emoji_by_category, part
from rarelabels.data.dataset import Dataset
from rarelabels.learn.backbones import extraction


@pytest.fixture(scope="module")
def lite0() -> Any:
    return extraction.network(LITE0)


@pytest.fixture(scope="module")
def emoji() -> Dataset:
    names, categories = emoji_by_category()
    shuffled = np.random.default_rng(0).permutation(len(names))
    names, categories = [names[i] for i in shuffled], [categories[i] for i in shuffled]
    train, validation, test = (part(names[i:j], categories[i:j]) for i, j in ((0, 120), (120, 150), (150, 4 * OF_EACH)))
    return Dataset(CATEGORIES, train, validation, test, "digest", {}, image_folder=EMOJI)
