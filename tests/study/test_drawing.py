"""The figures of a trial lie on its parent run, with the stamp of the summary that they show."""

from __future__ import annotations

from pathlib import Path

import pytest

from rarelabels.record import run_files
from rarelabels.show.figures import of_trial
from rarelabels.study import drawing, summary
from rarelabels.study.summary import SummaryTask
from small_record import Record, floor


@pytest.fixture
def summed(tmp_path: Path) -> tuple[Record, SummaryTask]:
    record = Record(tmp_path)
    identity = record.identity(floor("one"))
    record.task([identity])
    parent, children = record.family(identity)
    task = SummaryTask(parent, children, summary.stamp(children))
    assert summary.sum_up(record.where, task, print) == ""
    return record, task


def names(record: Record, task: SummaryTask) -> set[str]:
    folder = run_files.local_folder(record.client.run(task.parent))
    assert folder
    return {file.stem for file in (folder / drawing.FOLDER).iterdir()}


def test_a_floor_has_no_curves_and_all_other_figures(summed: tuple[Record, SummaryTask]) -> None:
    record, task = summed
    assert record.client.run(task.parent).data.tags["drawn"] == ""
    assert drawing.draw(record.where, "tests/one", task) == []
    assert names(record, task) >= {"precision_recall", "confusion", "reliability"}
    assert "learning_curves" not in names(record, task)
    assert record.client.run(task.parent).data.tags["drawn"] == task.stamp


def test_a_figure_that_cannot_be_drawn_is_a_line_and_no_stamp(
    summed: tuple[Record, SummaryTask], monkeypatch: pytest.MonkeyPatch
) -> None:
    record, task = summed

    def fail(*_: object, **__: object) -> None:
        raise ValueError("no room\nfor it")

    monkeypatch.setattr(of_trial, "confusion", fail)
    failures = drawing.draw(record.where, "tests/one", task)
    assert failures == ["tests/one: figures/confusion.png: not drawn: ValueError: no room"]
    assert {"precision_recall", "reliability"} <= names(record, task)
    assert record.client.run(task.parent).data.tags["drawn"] == ""
