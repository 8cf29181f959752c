"""Estimates that are stored, and those that are made from the stored scores."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from made_up_estimates import estimate
from rarelabels.judging import metrics
from rarelabels.judging.rules.definition import HALF, Rule
from rarelabels.judging.scores import Scores
from rarelabels.record import estimates, reading, run_files

F1, LRAP, NONE = "test/half/macro_f1", "test/ranking/lrap", "test/most_likely_set/subset_accuracy"
RULES = {"half": Rule("half", np.full(4, HALF), fallbacks=0)}


def part(seed: int) -> Scores:
    rng = np.random.default_rng(0)
    y = (rng.random((80, 4)) < 0.3).astype(np.uint8)
    return Scores(
        np.arange(80).astype(str), y, np.clip(0.4 * y + 0.6 * np.random.default_rng(seed).random(y.shape), 0, 1)
    )


def run(seed: int, *, with_metrics: bool = True) -> Any:
    one = part(seed)
    decided = metrics.decision_metrics(one.y, one.scores >= HALF)
    measured = {f"test/half/{name}": value for name, value in decided.items()}
    measured |= {f"test/ranking/{name}": value for name, value in metrics.ranking_metrics(one.y, one.scores).items()}
    data = SimpleNamespace(metrics=measured if with_metrics else {}, tags={})
    return SimpleNamespace(info=SimpleNamespace(run_id=str(seed)), data=data)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The runs whose scores were read."""
    seen: list[str] = []
    monkeypatch.setattr(reading, "scores", lambda _, run_id, name: seen.append(run_id) or part(int(run_id)))
    monkeypatch.setattr(reading, "rules", lambda _, run_id: RULES)
    return seen


@pytest.fixture
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The parent run of a trial whose estimates are stored: one metric that it has and one that it lacks."""
    found = estimates.of_runs(None, [run(1), run(2)])  # type: ignore[arg-type]
    estimates.store(tmp_path, found, {F1, NONE})
    monkeypatch.setattr(run_files, "read", lambda _, run_id, name, how, tags: how(tmp_path / name))
    tags = {estimates.DIGEST + estimates.INFLUENCE: "x"}
    return SimpleNamespace(info=SimpleNamespace(run_id="parent"), data=SimpleNamespace(tags=tags))


@pytest.mark.usefixtures("read")
def test_of_runs_are_those_of_their_scores() -> None:
    found = estimates.of_runs(None, [run(1), run(2)])  # type: ignore[arg-type]
    assert {F1, LRAP} < set(found)
    assert found[F1].by_seed.tolist() == [run(seed).data.metrics[F1] for seed in (1, 2)]
    assert found[F1].influence.shape == (80,)
    few = estimates.of_runs(None, [run(1), run(2)], [LRAP, "validation/half/macro_f1"])  # type: ignore[arg-type]
    assert list(few) == [LRAP]
    np.testing.assert_array_equal(few[LRAP].influence, found[LRAP].influence)


@pytest.mark.usefixtures("read")
def test_runs_that_were_listed_without_metrics_are_asked_for_them() -> None:
    client = SimpleNamespace(run=lambda run_id: run(int(run_id)))
    found = estimates.of_runs(client, [run(1, with_metrics=False)], [F1])  # type: ignore[arg-type]
    assert found[F1].value == run(1).data.metrics[F1]


def test_what_is_stored_is_read_and_not_made(read: list[str], stored: Any) -> None:
    read.clear()
    found = estimates.of_trial(None, stored, [run(1), run(2)], [F1, NONE])  # type: ignore[arg-type]
    assert (list(found), read) == ([F1], [])  # of the other it is stored that there is none
    made = estimates.of_runs(None, [run(1), run(2)], [F1])[F1]  # type: ignore[arg-type]
    assert found[F1].interval() == pytest.approx(made.interval(), rel=1e-6)  # influences are stored as float32


def test_what_is_not_stored_is_made(read: list[str], stored: Any) -> None:
    read.clear()
    found = estimates.of_trial(None, stored, [run(1), run(2)], [F1, LRAP])  # type: ignore[arg-type]
    assert set(found) == {F1, LRAP}
    assert read == ["1", "2"]


def test_a_trial_summed_up_before_estimates_were_stored_has_them(read: list[str]) -> None:
    parent = SimpleNamespace(info=SimpleNamespace(run_id="parent"), data=SimpleNamespace(tags={"summed_up": "old"}))
    found = estimates.of_trial(None, parent, [run(1), run(2)], [F1])  # type: ignore[arg-type]
    assert (list(found), read) == ([F1], ["1", "2"])


def test_files_have_a_column_for_each_metric(tmp_path: Path) -> None:
    estimates.store(tmp_path, {F1: estimate(0.5, seeds=3)}, [LRAP, F1])
    by_seed = pd.read_parquet(tmp_path / estimates.BY_SEED)
    assert by_seed[F1].tolist() == [0.5] * 3
    assert by_seed[LRAP].isna().all()
    assert len(pd.read_parquet(tmp_path / estimates.INFLUENCE)) == estimate(0.5).n_groups


def test_where_there_is_no_estimate_that_is_stored(tmp_path: Path) -> None:
    estimates.store(tmp_path, {}, [F1])
    assert pd.read_parquet(tmp_path / estimates.BY_SEED)[F1].isna().all()


def test_a_trial_without_groups_is_compared_by_those_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """A record of 0.4.2, which stored none, is continued."""
    groups = np.arange(80) // 4
    with_groups = {"3", "4"}

    def scores(_: object, run_id: str, __: str) -> Scores:
        return replace(part(int(run_id)), groups=groups if run_id in with_groups else None, check=False)

    monkeypatch.setattr(reading, "scores", scores)
    monkeypatch.setattr(reading, "rules", lambda _, run_id: RULES)
    runs = {"old": [run(1), run(2)], "new": [run(2), run(3)], "none": [run(5)]}
    found = {name: estimates.of_runs(None, of, [F1]) for name, of in runs.items() if name != "none"}  # type: ignore[arg-type]
    assert [found[name][F1].n_groups for name in ("old", "new")] == [80, 20]
    same = estimates.by_the_same_groups(None, found | {"none": {}}, runs)  # type: ignore[arg-type]
    assert same["new"] is found["new"]
    np.testing.assert_allclose(same["old"][F1].influence, np.bincount(groups, found["old"][F1].influence), atol=1e-12)
    assert (same["new"][F1] - same["old"][F1]).n_groups == 20
    assert estimates.by_the_same_groups(None, {"old": found["old"]}, runs) == {"old": found["old"]}  # type: ignore[arg-type]
