"""The summary of a trial: means over seeds, intervals, mean curves; its stamp."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from rarelabels.record import reading, run_files
from rarelabels.study import selection, summary
from rarelabels.study.summary import SummaryTask
from small_record import Record, floor


@pytest.fixture(scope="module")
def summed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Record, SummaryTask]:
    """A floor with two seeds, summed up."""
    record = Record(tmp_path_factory.mktemp("record"))
    one = floor("one")
    digest = record.identity(one).trial.dataset
    identities = selection.with_seeds(one, "", [0, 1], selection.loading.digest(digest), "")
    for identity in identities:
        record.task([identity])
    parent, children = record.family(identities[0])
    task = SummaryTask(parent, children, summary.stamp(children), frozenset({"test/ranking/log_loss", "floor/x"}))
    assert summary.sum_up(record.where, task, print) == ""
    return record, task


def test_the_parent_has_means_intervals_and_the_stamp(summed: tuple[Record, SummaryTask]) -> None:
    record, task = summed
    parent = record.client.get_run(task.parent)
    runs = [record.client.get_run(run_id) for run_id in task.children]
    assert (parent.info.status, parent.data.tags["seeds"]) == ("FINISHED", "0 1")
    assert parent.data.tags["summed_up"] == task.stamp
    for name in ("test/half/macro_f1", "test/ranking/log_loss"):
        values = [run.data.metrics[name] for run in runs]
        assert parent.data.metrics[name] == pytest.approx(sum(values) / 2)
    name = "test/ranking/log_loss"
    low, high = (parent.data.metrics[f"interval/{name}_{end}"] for end in ("low", "high"))
    assert low < parent.data.metrics[name] < high
    shares = {key: value for key, value in parent.data.metrics.items() if key.endswith("_share_of_seeds")}
    table = reading.summary(record.client, record.client.run(task.parent)).set_index("metric")
    assert shares == {f"interval/{name}_share_of_seeds": pytest.approx(table.loc[name, "share_of_seeds"])}


def test_its_table_has_the_metrics_with_an_interval_first_and_estimates_of_what_is_compared(
    summed: tuple[Record, SummaryTask],
) -> None:
    record, task = summed
    parent = record.client.run(task.parent)
    table = reading.summary(record.client, parent)
    assert list(table.columns) == ["metric", "mean", "low", "high", "share_of_seeds"]
    has_interval = table["low"].notna().tolist()
    assert has_interval == sorted(has_interval, reverse=True)
    stored = pd.read_parquet(run_files.file(record.client, task.parent, "by_seed.parquet"))
    assert list(stored.columns) == ["floor/x", "test/ranking/log_loss"]


def test_the_stamp_changes_with_the_runs_and_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    before = summary.stamp(["a", "b"])
    assert before == summary.stamp(["a", "b"])
    assert len({before, summary.stamp(["a"]), summary.stamp(["b", "a"])}) == 3
    monkeypatch.setattr(summary, "CODE", summary.CODE + 1)
    assert summary.stamp(["a", "b"]) != before


def test_a_run_without_its_scores_is_the_reason_that_is_returned(tmp_path: Path) -> None:
    record = Record(tmp_path)
    identity = record.identity(floor("one"))
    (run,) = record.task([identity])
    folder = run_files.local_folder(run)
    assert folder
    (folder / "scores" / "test.parquet").unlink()
    parent, children = record.family(identity)
    assert "scores/test.parquet" in summary.sum_up(record.where, SummaryTask(parent, children, "stamp"), print)
    assert record.client.get_run(parent).info.status == "RUNNING"


@pytest.mark.parametrize(
    ("tag", "said"),
    [
        ("", ""),
        ("training.learning_rate loss.gamma", "training.learning_rate, loss.gamma"),  # as 0.4 wrote it
        ("weighting.weights.Sci Fi\nloss.gamma\n", "weighting.weights.Sci Fi, loss.gamma"),
    ],
)
def test_keys_on_the_edge_of_a_search_may_have_blanks(tag: str, said: str) -> None:
    search = SimpleNamespace(data=SimpleNamespace(tags={"edge": tag}))
    client: Any = SimpleNamespace(run=lambda _: search)
    assert summary._edge(client, {"search": "its id"}) == said
