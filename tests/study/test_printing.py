"""What the reading commands print, called as functions."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from old_record import unpack
from project import Project
from rarelabels.errors import UserError
from rarelabels.record.client import Client
from rarelabels.show.report import contents, page, pictures
from rarelabels.study import printing
from rarelabels.study.run_trials import Outcome

ENDS = ["low", "high"]


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    project = unpack(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return project


def test_results_and_verdicts_are_what_0_4_2_printed(old: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """But for the intervals of verdicts, which are made anew; see ``test_old_record.py``."""
    for do, name, anew in ((printing.results, "results_films", []), (printing.verdicts, "findings_films", ENDS)):
        do("films", as_csv=True)
        printed = pd.read_csv(io.StringIO(capsys.readouterr().out))
        expected = pd.read_csv(old.folder / "expected" / f"{name}.csv").drop(columns=anew)
        pd.testing.assert_frame_equal(printed[list(expected)], expected, rtol=1e-12, atol=0)


def test_tables_are_by_metric_or_by_rule(old: Project, capsys: pytest.CaptureFixture[str]) -> None:
    printing.results("films")
    assert capsys.readouterr().out.startswith("films on movies: test part")
    printing.results("films", by_rule=True)
    assert capsys.readouterr().out.startswith("films on movies: macro-F1 by threshold rule")


def test_verdicts_of_all_studies(old: Project, capsys: pytest.CaptureFixture[str]) -> None:
    (old.folder / "experiments" / "later").mkdir()
    text = "extends: ../films/_base.yaml\nquestion: What comes now?\nthread: none\n"
    (old.folder / "experiments" / "later" / "bce.yaml").write_text(text, "utf-8")
    printing.verdicts(None)
    out = capsys.readouterr().out
    assert "films: declared hypotheses" in out
    assert "films: what to use" in out
    assert "nothing is recorded of later yet; run `rarelabels run later`" in out
    with pytest.raises(UserError, match="'films/bce' is a trial; give the name of a study: films"):
        printing.verdicts("films/bce")


def test_first_times_are_kept_of_every_recorded_study(old: Project, capsys: pytest.CaptureFixture[str]) -> None:
    printing.verdicts(None, as_csv=True, keep_first_seen=True)
    printed = capsys.readouterr()
    files = [f"experiments/{study}/_first_seen.yaml" for study in ("films", "table")]
    assert printed.err == "".join(f"rarelabels: {file} is up to date; commit it\n" for file in files)
    assert printed.out.startswith("study,name,")
    assert all(Path(file).is_file() for file in files)
    printing.verdicts("films")
    assert capsys.readouterr().err == ""


def test_a_report_of_a_study(old: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert printing.report("films", Path("page.html")) == []
    assert capsys.readouterr().out == "page.html: films\n"
    assert "Focal loss ranks films as well" in Path("page.html").read_text("utf-8")


def test_an_outcome_is_the_comparison_then_failures_on_stderr(old: Project, capsys: pytest.CaptureFixture[str]) -> None:
    outcome = Outcome(("films",), old.record, [], {"films/x": "no data"}, ["films/y: died"], Path("experiments"))
    printing.outcome(outcome)
    printed = capsys.readouterr()
    assert printed.out.startswith("films on movies: test part")
    where = "Curves, figures and all metrics: `rarelabels ui`"
    lines = [line for line in printed.err.splitlines() if line]
    assert lines[-3:] == [where, "skipped: films/x: no data", "FAILED films/y: died"]


def test_an_outcome_of_searches_that_failed_compares_nothing(old: Project, capsys: pytest.CaptureFixture[str]) -> None:
    printing.outcome(Outcome((), old.record, [], {}, ["search of films/y: died"], Path("experiments")))
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "FAILED search of films/y: died\n")


def test_a_study_that_cannot_be_shown_is_a_line_and_no_page(
    old: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = contents.gather

    def gather(client: Client, name: str, *others: Any) -> contents.Contents:
        if name == "films":
            raise ValueError("no room")
        return real(client, name, *others)

    monkeypatch.setattr(contents, "gather", gather)
    monkeypatch.setattr(pictures, "draw", lambda *_: [])  # to draw them takes longest
    assert printing.report(None, Path("page.html")) == ["films: not on the page: ValueError: no room"]
    assert capsys.readouterr().out == "page.html: table\n"
    assert printing.report("films", Path("other.html")) == ["films: not on the page: ValueError: no room"]
    assert not Path("other.html").exists()
    monkeypatch.setattr(page, "attach", fail)
    assert printing.report("table", Path("page.html")) == ["table: its page is not in the record: ValueError: no room"]


def fail(*_: object) -> None:
    raise ValueError("no room")
