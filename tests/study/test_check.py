"""A record is checked as a whole; what is safe to repair is repaired."""

from __future__ import annotations

from pathlib import Path

import pytest

from rarelabels.errors import UserError
from rarelabels.record import run_files
from rarelabels.record.entities import Run
from rarelabels.study import check, summary
from rarelabels.study.summary import SummaryTask
from small_record import Record, floor


@pytest.fixture
def made(tmp_path: Path) -> tuple[Record, Run, SummaryTask]:
    """A run of a floor, summed up."""
    record = Record(tmp_path)
    identity = record.identity(floor("one"))
    (run,) = record.task([identity])
    parent, children = record.family(identity)
    task = SummaryTask(parent, children, summary.stamp(children))
    assert summary.sum_up(record.where, task, print) == ""
    return record, run, task


def lines(record: Record, *, repair: bool = False, study: str | None = None) -> tuple[bool, list[str]]:
    said: list[str] = []
    is_well = check.check(record.where, study, said.append, repair=repair)
    return is_well, said


def test_a_record_that_is_whole(made: tuple[Record, Run, SummaryTask]) -> None:
    assert lines(made[0]) == (True, ["all is well: 2 runs"])
    assert lines(made[0], study="tests") == (True, ["all is well: 2 runs"])


def test_a_file_that_is_gone_is_a_fault_and_its_run_is_marked(made: tuple[Record, Run, SummaryTask]) -> None:
    record, run, _ = made
    folder = run_files.local_folder(run)
    assert folder
    (folder / "per_label.csv").unlink()
    is_well, said = lines(record)
    assert not is_well
    assert said[0].endswith(": per_label.csv is missing")
    assert said[-1] == "1 fault; `rarelabels check --repair` mends or marks what can be made anew"
    assert record.client.get_run(run.info.run_id).info.status == "FINISHED", "to look changes nothing"
    is_well, said = lines(record, repair=True)
    assert is_well
    assert said[0].endswith("marked; `rarelabels run tests/one` makes it anew")
    assert record.client.get_run(run.info.run_id).info.status == "FAILED"


def test_a_summary_of_other_seeds_is_a_fault(made: tuple[Record, Run, SummaryTask]) -> None:
    record, _, task = made
    record.client.set_tag(task.parent, "seeds", "0 1")
    is_well, said = lines(record)
    assert not is_well
    assert said[0].endswith("its summary is of seeds 0 1, and finished are 0")


def test_a_summary_by_another_version_is_worth_knowing_and_no_fault(
    made: tuple[Record, Run, SummaryTask], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(summary, "CODE", summary.CODE + 1)
    is_well, said = lines(made[0])
    assert is_well
    assert "made by another version" in said[0]
    assert said[-1] == "all is well: 2 runs"


def test_a_line_of_a_search_that_cannot_be_read_is_a_fault(made: tuple[Record, Run, SummaryTask]) -> None:
    record, _, _ = made
    place = Path(check.connection.storage_of_searches(record.where))
    place.mkdir(parents=True, exist_ok=True)
    journal = place / f"x{check.queries.JOURNAL}"
    journal.write_text('{"line": 0}\nnonsense\n{"line": 2}\n{"li', "utf-8")
    is_well, said = lines(record)
    assert not is_well
    assert said[:-1] == [f"{journal}: line 2 of the search cannot be read, or is not the one of that number"]


def test_nothing_is_recorded(tmp_path: Path, made: tuple[Record, Run, SummaryTask]) -> None:
    said: list[str] = []
    assert check.check(f"sqlite:///{tmp_path}/none/mlflow.db", None, said.append)
    assert said == ["nothing is recorded yet"]
    with pytest.raises(UserError, match="nothing is recorded of 'films'; there are: tests"):
        lines(made[0], study="films")
