"""From a table to a study in the current folder: what is printed, and what is written."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from project import REPOSITORY
from rarelabels.declare import checking
from rarelabels.errors import UserError
from rarelabels.init import new_study
from rarelabels.init.column import Wish


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copy(REPOSITORY / "docs" / "your_table.csv", tmp_path / "my.csv")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_study_is_written_that_is_valid(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    new_study.write_study(Path("my.csv"), Wish(labels="genres"), "films", each_tuned=False)
    printed = capsys.readouterr()
    assert printed.out.startswith("my.csv: 1,500 rows, 7 columns\n")
    assert "experiments/films" in printed.out
    assert printed.err == ""
    trials, studies = checking.validate(["films"])
    assert trials > 3
    assert studies == 1
    assert (folder / "conf" / "datasets" / "films.yaml").exists()


def test_a_large_file_is_announced(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(new_study, "LONG_FILE", 1000)
    new_study.write_study(Path("my.csv"), Wish(labels="genres"), None, each_tuned=False)
    assert capsys.readouterr().err.startswith("rarelabels: reading my.csv; ")
    assert (folder / "experiments" / "my").is_dir()


def test_a_file_that_is_not_there_writes_nothing(folder: Path) -> None:
    with pytest.raises(UserError, match=r"gone\.csv"):
        new_study.write_study(Path("gone.csv"), Wish(), None, each_tuned=True)
    assert [path.name for path in folder.iterdir()] == ["my.csv"]
