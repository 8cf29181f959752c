"""Trials of scores that another program makes, in a proposed study."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from project import REPOSITORY
from rarelabels.declare import find
from rarelabels.declare.models import ScoresSpec
from rarelabels.errors import UserError
from rarelabels.init import new_study, scores_trials
from rarelabels.init.column import Wish
from rarelabels.init.scores_trials import ScoresTrial


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copy(REPOSITORY / "docs" / "your_table.csv", tmp_path / "my.csv")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def init(*scores: str) -> None:
    new_study.write_study(Path("my.csv"), Wish(labels="genres"), "films", each_tuned=False, scores=scores)


def test_the_trial_names_the_files_from_where_it_lies(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    init("bert=out/bert_{seed}_v.parquet,out/bert_{seed}_t.parquet", "xgb=v.csv,/somewhere/t.csv")
    bert, xgb = find.load_many(["films/bert", "films/xgb"])
    paths = [str(folder / f"out/bert_{{seed}}_{part}.parquet") for part in "vt"]
    assert bert.model == ScoresSpec(kind="scores", validation=paths[0], test=paths[1])
    assert xgb.model == ScoresSpec(kind="scores", validation=str(folder / "v.csv"), test="/somewhere/t.csv")
    assert bert.seeds == (0, 1, 2, 3, 4)
    assert xgb.seeds == (0,)
    said = "`rarelabels export-split films --output parts.csv` names the rows that bert, xgb must score"
    assert said in capsys.readouterr().out


def test_one_pair_of_files_serves_all_seeds_of_declared_parts(tmp_path: Path) -> None:
    one = ScoresTrial.parse("bert=v.csv,t.csv")
    for has_split, ends in ((True, 't.csv"}\n'), (False, scores_trials.ONE_SEED)):
        files = scores_trials.declarations([one], "", Path("experiments/a"), tmp_path, has_split=has_split)
        assert files[Path("experiments/a/bert.yaml")].endswith(ends)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("bert", "allowed NAME=VALIDATION,TEST"),
        ("bert=v.csv", "allowed NAME=VALIDATION,TEST"),
        ("bert=v.csv,t.csv,u.csv", "allowed NAME=VALIDATION,TEST"),
        ("_bert=v.csv,t.csv", "the name has letters, digits"),
        ("study=v.csv,t.csv", "the name has letters, digits"),
        ("a/b=v.csv,t.csv", "the name has letters, digits"),
        ("bert=v_{seed}.csv,t.csv", "bert: both paths must have {seed} in them, or neither"),
        ("bert=v\udcff.csv,t.csv", r"--scores: must be UTF-8 text; given 'bert=v\\udcff.csv,t.csv'"),
        ("linear=v.csv,t.csv", "the study has a trial 'linear' already"),
    ],
)
def test_what_is_wrong_writes_nothing(folder: Path, given: str, reason: str) -> None:
    with pytest.raises(UserError, match=reason.replace("{", r"\{")):
        init(given)
    assert [path.name for path in folder.iterdir()] == ["my.csv"]
