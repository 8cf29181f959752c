"""All that is wrong with trials and studies is said at once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from project import REPOSITORY
from rarelabels.declare import checking
from rarelabels.errors import UserError

TRIAL = "extends: _base.yaml\nquestion: What comes now?\nthread: none\n"


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("conf", "experiments/mulan"):
        shutil.copytree(REPOSITORY / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "experiments"


def test_trials_and_studies_are_counted(house: Path) -> None:
    trials, studies = checking.validate([])
    assert (trials, studies) == (len([p for p in house.glob("mulan/[!_]*.yaml") if p.name != "study.yaml"]), 1)
    assert checking.validate(["mulan/bce"]) == (1, 1)


def test_the_problems_of_a_trial_and_of_its_study_are_one_message(house: Path) -> None:
    (house / "mulan" / "mine.yaml").write_text(TRIAL + "loss: {kind: bce, gama: 2}\n", "utf-8")
    study = house / "mulan" / "study.yaml"
    study.write_text(study.read_text("utf-8") + "titel: Sets\n", "utf-8")
    for check in (lambda: checking.validate([]), lambda: checking.check_studies(["mulan"])):
        with pytest.raises(UserError) as error:
            check()
        lines = str(error.value).splitlines()
        assert len(lines) == len(set(lines))
        assert any("mine.yaml: loss.gama: unknown key" in line for line in lines)
        assert any("study.yaml: titel: unknown key" in line for line in lines)


def test_a_study_elsewhere_is_passed_over(house: Path) -> None:
    checking.check_studies(["elsewhere"])


def test_the_name_of_a_study(house: Path) -> None:
    assert checking.known_study("mulan") == "mulan"
    with pytest.raises(UserError, match="'mulan/bce' is a trial; give the name of a study: mulan"):
        checking.known_study("mulan/bce")
    with pytest.raises(UserError, match="no trial or study 'mulam' under experiments/; did you mean 'mulan'"):
        checking.known_study("mulam")


def test_the_file_of_first_times_is_checked_with_its_study(house: Path) -> None:
    (house / "mulan" / "_first_seen.yaml").write_text("hypotheses: {}\ntrials: {bce: yesterday}\n", "utf-8")
    for check in (lambda: checking.validate([]), lambda: checking.check_studies(["mulan"])):
        with pytest.raises(
            UserError, match=r"^experiments/mulan/_first_seen.yaml: trials.bce: allowed a time with its"
        ):
            check()
