"""A rule: its thresholds, the least and most labels of a row, how it assigns labels, and how it is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from rarelabels.judging.arrays import Array, Bools, Floats

HALF = 0.5


@dataclass(frozen=True, eq=False)
class Rule:
    """One way to turn scores into labels.

    Attributes:
        name: one of those in ``rules.table``.
        thresholds: one per label, shape (n_labels,).
        fallbacks: how many labels have a threshold that the rule did not choose, because they have too few positives.
        at_least: a row that reaches fewer thresholds is also given its ``at_least`` highest-scored labels.
        at_most: a row is given no label below its ``at_most``-th highest score; None: no such limit.
        strength: of ``per_label_shrunk``, the positives at which a label's own threshold weighs half.
    """

    name: str
    thresholds: Floats
    fallbacks: int
    at_least: int = 0
    at_most: int | None = None
    strength: float | None = None

    def assign(self, y_score: ArrayLike) -> Bools:
        """Return the labels assigned to ``y_score``, shape (..., n_labels), compared in float64.

        Labels that tie for the last place of ``at_least`` or ``at_most`` are on the same side, so the order of the
        columns never matters.
        """
        scores = np.asarray(y_score)
        # Thresholds from JSON may be Python floats: float32 scores would round them first, and could change sides.
        assigned: Bools = scores >= np.asarray(self.thresholds, dtype=np.float64)
        if self.at_least:
            short = np.count_nonzero(assigned, axis=-1, keepdims=True) < self.at_least
            assigned |= short & (scores >= _kth_highest(scores, self.at_least))
        if self.at_most is not None:
            assigned &= scores >= _kth_highest(scores, self.at_most)
        return assigned


Rules: TypeAlias = dict[str, Rule]


def to_json(rules: Mapping[str, Rule], labels: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return every rule in a form that JSON can hold exactly.

    ``{rule: {"thresholds": {label: threshold}, "fallbacks": n, "at_least": n, "at_most": n or null}}``, and, if
    the rule has one, ``"strength"``: a number or, as JSON has no infinity, ``"inf"``.
    """
    stored: dict[str, dict[str, Any]] = {}
    for name, rule in rules.items():
        chosen = dict(zip(labels, rule.thresholds.tolist(), strict=True))
        stored[name] = {
            "thresholds": chosen,
            "fallbacks": rule.fallbacks,
            "at_least": rule.at_least,
            "at_most": rule.at_most,
        }
        if rule.strength is not None:
            stored[name]["strength"] = rule.strength if np.isfinite(rule.strength) else "inf"
    return stored


def from_json(stored: Mapping[str, Mapping[str, Any]], labels: Sequence[str] | None = None) -> Rules:
    """Return the rules that :func:`to_json` stored.

    Args:
        stored: parsed JSON.
        labels: the labels whose thresholds are returned, in this order; by default all, as stored.

    Raises:
        KeyError: a label that has no threshold there.
    """
    rules = {}
    for name, one in stored.items():
        thresholds = [one["thresholds"][label] for label in (one["thresholds"] if labels is None else labels)]
        strength = one.get("strength")
        rules[name] = Rule(
            name,
            np.array(thresholds, dtype=np.float64),
            fallbacks=one["fallbacks"],
            at_least=one["at_least"],
            at_most=one["at_most"],
            strength=None if strength is None else float(strength),
        )
    return rules


def _kth_highest(scores: Array, k: int) -> Array:
    """Return the k-th highest score of each row, the lowest where there are fewer, shape (..., 1)."""
    place = max(scores.shape[-1] - k, 0)
    return np.partition(scores, place, axis=-1)[..., place : place + 1]


def count_labels(labels: Bools) -> int:
    """Return how many labels a mask has."""
    return int(np.count_nonzero(labels))
