"""Small rows of text whose words tell their labels."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from rarelabels.data.dataset import Part
from rarelabels.data.tokens import Tokens
from rarelabels.declare.trial import Trial


def trial(dataset: Mapping[str, Any] = MappingProxyType({"kind": "movies"}), **model: Any) -> Trial:
    return Trial.model_validate(
        {
            "name": "movies/x",
            "question": "How good is it?",
            "thread": "beyond the threads",
            "dataset": dict(dataset),
            "model": model,
            "loss": {"kind": "bce"},
            "weighting": {"kind": "none"},
            "training": {"epochs": 1, "batch_size": 8, "learning_rate": 0.1},
            "thresholds": {},
            "seeds": [0],
        }
    )


def rows(rng: np.random.Generator, n: int) -> list[list[str]]:
    return [[f"w{i}" for i in rng.integers(0, 30, rng.integers(1, 12))] for _ in range(n)]


def part(rng: np.random.Generator, n: int) -> Part:
    """Four labels: whether w0 or w1 is there, w2, never, always."""
    words, names = rows(rng, n), rows(rng, n)
    y = [["w0" in row or "w1" in row, "w2" in row, False, True] for row in words]
    text = {"words": Tokens.from_lists(words), "names": Tokens.from_lists(names)}
    return Part(np.array([str(i) for i in range(n)]), np.array(y, dtype=np.uint8), text)
