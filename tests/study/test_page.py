"""The comparison of a study and its figures lie on the study's run."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from rarelabels.compare import comparison
from rarelabels.record import opening, queries, run_files
from rarelabels.show.figures import of_study
from rarelabels.study import page, summary
from rarelabels.study.summary import SummaryTask
from small_record import Record, floor


def made(folder: Path):
    record = Record(folder)
    identities = [record.identity(floor("prior")), record.identity(floor("zeros", "zeros"))]
    record.do(identities)
    for one in identities:
        parent, children = record.family(one)
        summary.sum_up(record.where, SummaryTask(parent, children, "stamp"), print)
    runs = queries.all_runs(record.client, record.experiment)
    names = {one.parent_key: one.trial.short_name for one in identities}
    return record, comparison.compare(record.client, runs, names, []), runs, identities


def test_the_table_and_the_figures_are_recorded(tmp_path: Path) -> None:
    record, compared, runs, identities = made(tmp_path)
    assert page.record_comparison(record.client, record.experiment, "tests", compared, runs, identities) == []
    study = opening.study_run(record.client, "tests")
    assert study
    assert study.data.tags["drawn"] == "yes"
    folder = run_files.local_folder(study)
    assert folder
    table = pd.read_csv(folder / "comparison.csv")
    assert set(table["trial"]) == {"prior", "zeros"}
    assert {"comparison.png", "loss_by_threshold.png"} <= {file.name for file in folder.iterdir()}
    assert not (folder / "half_by_theory.png").exists(), "floors have no loss"


def test_a_figure_that_cannot_be_drawn_is_a_line_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record, compared, runs, identities = made(tmp_path)

    def fail(*_: object) -> None:
        raise ValueError("no room")

    monkeypatch.setattr(of_study, "rule_table", fail)
    failures = page.record_comparison(record.client, record.experiment, "tests", compared, runs, identities)
    assert failures == ["tests: loss_by_threshold.png: not drawn: ValueError: no room"]
    study = opening.study_run(record.client, "tests")
    assert study
    assert study.data.tags["drawn"] == ""
