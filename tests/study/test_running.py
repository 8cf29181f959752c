"""Trials are summed up once their runs ended, and drawn once; a worker that dies or a figure that fails is told."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from old_record import unpack
from project import Here, Project
from rarelabels.compare import comparison
from rarelabels.record import connection, opening, queries
from rarelabels.show.figures import of_study as study_figures
from rarelabels.show.figures import of_trial, which
from rarelabels.show.tables import of_study
from rarelabels.study import drawing, page, running, selection, summary
from rarelabels.study.plan import Plan, make_plan
from rarelabels.study.progress_display import Progress
from small_record import Record, floor, trial


class Workers:
    """Stand in for the engine: each task is done here, or its worker dies of it."""

    def __init__(self, *, die: bool) -> None:
        self.die, self.done = die, 0

    def map(self, function: Callable[..., Any], tasks: list[Any], *_: Any) -> Iterator[tuple[int, Any]]:
        for position, task in enumerate(tasks):
            self.done += 1
            yield position, None if self.die else function(task, lambda _: None)


def test_a_trial_is_summed_up_until_it_is_finished_and_a_worker_that_dies_of_it_is_reported(tmp_path: Path) -> None:
    record = Record(tmp_path)
    one = record.identity(trial("summed"))
    record.do([one])
    parent, _ = record.family(one)

    def sum_up(*, die: bool = False) -> tuple[int, list[str], str]:
        recorded = queries.heads(record.client, record.experiment)
        plan = Plan("tests", record.experiment, [one], recorded, [], 1, None)
        workers, progress = Workers(die=die), Progress()
        progress.console.quiet = True
        counted = running._sum_up(record.client, plan, record.where, workers, progress)  # type: ignore[arg-type]
        assert counted == (workers.done > 0)
        return counted, progress.failures, record.client.get_run(parent).info.status

    said = "tests/summed: not summed up: its worker died again and again (out of memory?)"
    assert sum_up(die=True) == (1, [said], "RUNNING")
    assert sum_up() == (1, [], "FINISHED")
    assert sum_up() == (0, [], "FINISHED")
    record.client.set_terminated(parent, "KILLED")  # cut off after its last tag and before its end
    assert sum_up() == (1, [], "FINISHED")


FAILED = "floor_prior: figures/confusion.png: not drawn: ValueError: no room"


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A record whose figures of one trial are lost."""
    project = unpack(tmp_path)
    shutil.rmtree(figures(project))
    monkeypatch.chdir(tmp_path)
    return project


def figures(project: Project) -> Path:
    (parent,) = [run for run in project.runs("trial", "films") if run.data.tags["trial"] == "films/floor_prior"]
    return Path(parent.info.artifact_uri.removeprefix("file://")) / "figures"


def go(project: Project) -> list[str]:
    """Do what ``rarelabels run films/floor_prior`` does, and return what failed."""
    progress = Progress()
    with progress, Here(1) as workers:
        asked = selection.identify(["films/floor_prior"], {}, None, selection.done_before(["films"], project.record))
        running.run(asked, project.record, workers, progress)
    return progress.failures


def fail(*_: object, **__: object) -> None:
    raise ValueError("no room\nfor it")


def test_a_figure_that_fails_is_a_line_and_the_others_are_there(old: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(of_trial, "confusion", fail)
        assert go(old) == [FAILED.replace("floor_prior:", "films/floor_prior:")]
    assert {file.name for file in figures(old).iterdir()} >= {"precision_recall.png", "reliability.png"}
    assert not (figures(old) / "confusion.png").exists()
    assert go(old) == []
    assert (figures(old) / "confusion.png").exists()
    drawn = (figures(old) / "confusion.png").stat().st_mtime_ns
    assert go(old) == []
    assert (figures(old) / "confusion.png").stat().st_mtime_ns == drawn


def test_a_figure_of_the_study_that_fails_is_tried_again(old: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    client = connection.connect(old.record)
    study_run = opening.study_run(client, "films")
    assert study_run is not None
    with monkeypatch.context() as patched:
        patched.setattr(study_figures, "rule_table", fail)
        patched.setattr(which, "_by_cardinality", fail)
        plan = make_plan(client, "films", selection.identify(["films"], {}).identities, force=False)
        failures = running._record_comparison(client, plan, old.record, Progress())
    assert [line.split(": not drawn")[0] for line in failures] == [
        "films: loss_by_threshold.png",
        "films: by_cardinality",
    ]
    assert go(old) == []  # which draws them
    again = opening.study_run(client, "films")
    assert again is not None
    assert again.data.tags["drawn"] == "yes"
    assert again.data.tags["pictures"]


def test_a_summary_that_fails_is_a_line_and_results_knows_the_finished_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    record = Record(tmp_path)
    one, other = record.identity(trial("one")), record.identity(floor("other"))
    record.do([one, other])
    failing, _ = record.family(one)
    real = summary.sum_up

    def sum_up(where: str, task: summary.SummaryTask, say: Any) -> str:
        if task.parent == failing:
            fail()
        return real(where, task, say)

    def summed() -> list[str]:
        recorded = queries.heads(record.client, record.experiment)
        plan = Plan("tests", record.experiment, [one, other], recorded, [], 1, None)
        progress = Progress()
        progress.console.quiet = True
        running._sum_up(record.client, plan, record.where, Workers(die=False), progress)  # type: ignore[arg-type]
        return progress.failures

    with monkeypatch.context() as patched:
        patched.setattr(summary, "sum_up", sum_up)
        patched.setattr(drawing, "draw", fail)
        assert summed() == [
            "tests/one: not summed up: ValueError: no room",
            "tests/other: figures: not drawn: ValueError: no room",
        ]
    runs = queries.heads(record.client, record.experiment)
    compared = comparison.compare(record.client, runs, {i.parent_key: i.trial.short_name for i in (one, other)}, [])
    assert compared[0].missing == []
    assert compared[0].unsummed == ["one: 1 finished run is not summed up; run `rarelabels run tests/one`"]
    of_study.print_comparisons("tests", compared, [])
    assert compared[0].unsummed[0] in capsys.readouterr().out
    assert summed() == []


def test_a_comparison_that_fails_is_a_line(old: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "record_comparison", fail)
    assert "films: not summed up: ValueError: no room" in go(old)
