"""Trials are summed up anew when what a summary holds has changed: a change without a raised constant fails."""

from __future__ import annotations

import hashlib
import json
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from rarelabels.judging import evaluation
from rarelabels.judging.rules.choose import choose_rules
from rarelabels.judging.scores import Scores
from rarelabels.judging.settings import ThresholdSpec
from rarelabels.record import reading
from rarelabels.study import summary

DIGESTS = {7: "2e01f54c577b4d9e"}  # of the summary of the runs below, by the constant


def part(seed: int) -> Scores:
    rng = np.random.default_rng(0)
    y = (rng.random((120, 5)) < [0.5, 0.3, 0.2, 0.1, 0.04]).astype(np.uint8)
    scores = np.round(np.clip(0.3 * y + 0.7 * np.random.default_rng(seed).random(y.shape), 0, 1), 3)
    return Scores(np.arange(120).astype(str), y, scores, (scores > 0.6).astype(np.uint8))


def run(seed: int) -> Any:
    """A run with what an evaluation measures, with a fact of its training and the last point of a curve."""
    of_validation, of_test = part(9), part(seed)
    floors = evaluation.floors(of_test.y.mean(axis=0))
    measured = evaluation.evaluate(tuple("abcde"), of_validation, of_test, floors, ThresholdSpec()).metrics
    metrics = measured | {"training/seconds": 1.0 * seed, "curve/loss": 0.5}
    return SimpleNamespace(info=SimpleNamespace(run_id=str(seed)), data=SimpleNamespace(metrics=metrics, tags={}))


def digest() -> str:
    """Names, and numbers to four digits: the same on every machine."""
    table, found = summary.aggregate(None, [run(1), run(2)])  # type: ignore[arg-type]
    rows = [[name, *(f"{value:.4g}" for value in values)] for name, *values in table.itertuples(index=False)]
    influence = {name: f"{found[name].influence[0]:.4g}" for name in sorted(found)}
    return hashlib.sha256(json.dumps([rows, influence, list(table.columns)]).encode()).hexdigest()[:16]


def test_what_a_summary_holds_has_the_digest_of_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = choose_rules(part(9).y, part(9).scores, min_positives=5)
    monkeypatch.setattr(reading, "scores", lambda client, run_id, name: part(int(run_id)))
    monkeypatch.setattr(reading, "rules", lambda client, run_id: {name: rules[name] for name in ("half", "per_label")})
    found = digest()
    assert found == DIGESTS.get(summary.CODE), (
        "the summary of the same runs holds other names or numbers than before: raise CODE in study/summary.py, so "
        f"that trials are summed up anew, and write its digest in DIGESTS here: {found!r}"
    )
