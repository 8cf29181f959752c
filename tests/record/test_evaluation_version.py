"""Runs are judged anew when what evaluation gives has changed: a changed number without a raised constant fails."""

from __future__ import annotations

import hashlib
import json

import numpy as np

from rarelabels.judging import evaluation
from rarelabels.judging.rules import definition
from rarelabels.judging.scores import Scores
from rarelabels.judging.settings import ThresholdSpec
from rarelabels.record.identities import EVALUATION

DIGESTS = {4: "6dc48ff8de150943"}  # of what evaluation gives on the parts below, by the constant


def part(n: int, seed: int) -> Scores:
    rng = np.random.default_rng(seed)
    y = (rng.random((n, 6)) < [0.5, 0.3, 0.2, 0.1, 0.04, 0.02]).astype(np.uint8)
    scores = np.round(np.clip(0.3 * y + 0.7 * rng.random(y.shape), 0, 1), 3)
    return Scores(np.arange(n).astype(str), y, scores, (scores > 0.6).astype(np.uint8))


def digest() -> str:
    """Names, and numbers to six digits: the same on every machine."""
    validation, test, spec = part(240, 0), part(260, 1), ThresholdSpec()
    labels, floors = tuple("abcdef"), evaluation.floors(validation.y.mean(axis=0))
    measured = evaluation.evaluate(labels, validation, test, floors, spec)
    honest = evaluation.crossfit_metrics(validation, spec)
    rules = definition.to_json(measured.rules, labels)
    numbers = _shortened([measured.metrics, honest, rules, measured.per_label.to_dict("list")])
    return hashlib.sha256(json.dumps(numbers, sort_keys=True).encode()).hexdigest()[:16]


def _shortened(value: object) -> object:
    match value:
        case dict():
            return {name: _shortened(one) for name, one in value.items()}
        case list():
            return [_shortened(one) for one in value]
        case float():
            return f"{value:.6g}"
        case _:
            return str(value)


def test_what_evaluation_gives_has_the_digest_of_its_version() -> None:
    found = digest()
    assert found == DIGESTS.get(EVALUATION), (
        "rules or metrics give other names or numbers than before: raise EVALUATION in record/identities.py, so that "
        f"runs are judged anew, and write its digest in DIGESTS here: {found!r}"
    )
