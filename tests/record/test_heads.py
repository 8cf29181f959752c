"""Runs are read without their metrics where nobody needs them."""

from __future__ import annotations

from pathlib import Path

from rarelabels.record import queries
from small_record import Record, trial


def test_heads_are_the_runs_without_their_metrics(tmp_path: Path) -> None:
    record = Record(tmp_path)
    record.run(trial("one"), trial("two", thresholds={"min_positives": 7}))
    deleted = record.run(trial("three", training={"epochs": 1}))[0]
    record.client.delete_run(deleted.info.run_id)
    for kind in ("", "run", "trial", "nothing"):
        whole = queries.all_runs(record.client, record.experiment, kind)
        heads = queries.heads(record.client, record.experiment, kind)
        assert [run.info for run in heads] == [run.info for run in whole]
        assert [(run.data.tags, run.data.params) for run in heads] == [
            (run.data.tags, run.data.params) for run in whole
        ]
        assert not any(run.data.metrics for run in heads)
        assert all(run.data.metrics for run in whole if run.data.tags["kind"] == "run")
    assert len(queries.heads(record.client, record.experiment, "run")) == 2
