"""A hypothesis that is changed after a look stays late, whatever is run again; in a new record by a committed file."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd
import pytest

import rarelabels as rl
from project import Project

PRIOR = """
dataset: {{kind: simulated, rows: 300, labels: 3, features: 4}}
model: {{kind: floor, predicts: prior}}
loss: {{kind: bce}}
weighting: {{kind: none}}
training: {{epochs: 1, batch_size: 50, learning_rate: 0.05}}
thresholds: {{min_positives: {min_positives}}}
seeds: [0]
question: Under which rule are base rates best?
thread: beyond the threads
"""
STUDY = """
title: A floor
question: Under which rule are base rates best?
thread: beyond the threads
hypotheses:
  - {{name: {name}, claim: {claim}, source: here, trial: prior, against: prior, metric: test/per_label/macro_f1,
     against_metric: test/half/macro_f1, direction: greater, margin: {margin}}}
  - {{name: same_accuracy, claim: Both rules are as accurate., source: here, trial: prior, against: prior,
     metric: test/per_label/binary_accuracy, against_metric: test/half/binary_accuracy, direction: equal, margin: 0.01}}
"""
FINDS, ACCURATE = "finds_more", "same_accuracy"


class Floors(Project):
    """A study of one floor, which learns nothing and takes no time, with two hypotheses about its rules."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, declared=False)
        self.study = folder / "experiments" / "floors"
        self.study.mkdir(parents=True)
        self.settings()
        self.declare()

    def settings(self, min_positives: int = 5) -> None:
        (self.study / "prior.yaml").write_text(PRIOR.format(min_positives=min_positives), "utf-8")

    def declare(self, margin: float = 0.1, name: str = FINDS, claim: str = "Own thresholds find more.") -> None:
        (self.study / "study.yaml").write_text(STUDY.format(margin=margin, name=name, claim=claim), "utf-8")

    def run(self, *arguments: str) -> None:
        self.do("run", *(arguments or ("floors",)), "--workers", "1")

    def late(self, study: str = "floors") -> dict[str, bool]:
        """What ``findings`` says of each hypothesis."""
        frame = pd.read_csv(io.StringIO(self.do("findings", study, "--format", "csv")[0]))
        assert (frame["reason"].isna()).all()
        return dict(zip(frame["name"], frame["late"], strict=True))

    def keep(self, study: str = "floors") -> bytes:
        """Write the file of first times, and return it."""
        out, err = self.do("findings", study, "--keep-first-seen")
        assert f"{study}: declared hypotheses" in out
        assert err == f"rarelabels: experiments/{study}/_first_seen.yaml is up to date; commit it\n"
        return (self.folder / "experiments" / study / "_first_seen.yaml").read_bytes()

    def forget(self) -> None:
        """Let the next command begin a new record, as on another machine."""
        self.environment["MLFLOW_TRACKING_URI"] = f"sqlite:///{self.folder / 'new' / 'mlflow.db'}"


@pytest.fixture
def floors(tmp_path: Path) -> Floors:
    return Floors(tmp_path)


def washed(floors: Floors) -> None:
    """Look at results, change a margin after it, and run every trial again under another fingerprint."""
    floors.run()
    assert floors.late() == {FINDS: False, ACCURATE: False}
    floors.declare(margin=0.3)
    assert floors.late() == {FINDS: True, ACCURATE: False}
    floors.settings(min_positives=6)
    floors.run()


def test_a_margin_that_is_changed_after_a_look_is_late_though_all_is_run_again(floors: Floors) -> None:
    washed(floors)
    runs = floors.runs("run", "floors")
    known = [run.data.tags[f"hypothesis.{FINDS}"] for run in runs]
    assert len(known) == len(set(known)) == 2, "the run that counts knew the present margin"
    assert floors.late() == {FINDS: True, ACCURATE: False}
    assert "late: a run of one of its trials was made" in floors.do("findings", "floors")[0]
    floors.do("report", "floors")
    assert "Late: a run of one of its trials was made" in (floors.folder / "runs" / "report.html").read_text("utf-8")
    floors.declare(margin=0.1)
    assert floors.late() == {FINDS: False, ACCURATE: False}, "the margin before the look is what it was"


def test_a_new_record_is_told_by_the_committed_file(floors: Floors, monkeypatch: pytest.MonkeyPatch) -> None:
    washed(floors)
    once = floors.keep()
    assert floors.keep() == once
    floors.forget()
    floors.run()
    assert floors.late() == {FINDS: True, ACCURATE: False}
    notebook = floors.folder / "notebooks"
    notebook.mkdir()
    monkeypatch.chdir(notebook)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", floors.record)
    assert rl.Study("floors").verdicts()["late"].tolist() == [True, False]
    assert floors.keep() == once, "the new record knows nothing that is earlier"

    file = floors.study / "_first_seen.yaml"
    file.rename(floors.folder / "elsewhere.yaml")
    assert floors.late() == {FINDS: False, ACCURATE: False}, "nothing else tells it"
    (floors.folder / "elsewhere.yaml").rename(file)
    floors.declare(margin=0.1)
    assert floors.late() == {FINDS: False, ACCURATE: False}, "the old margin was declared before the first look"


def test_what_is_unchanged_is_not_late_whatever_is_run_again(floors: Floors) -> None:
    floors.run()
    floors.settings(min_positives=6)
    floors.declare(claim="The same claim in other words.")
    floors.run()
    assert floors.late() == {FINDS: False, ACCURATE: False}
    floors.keep()
    floors.forget()
    floors.run()
    assert floors.late() == {FINDS: False, ACCURATE: False}


def test_a_new_name_is_not_late_and_is_known_by_its_old_one_in_a_new_record(floors: Floors) -> None:
    floors.run()
    floors.keep()
    floors.declare(name="renamed")
    assert floors.late() == {"renamed": False, ACCURATE: False}
    floors.forget()
    floors.run()
    assert floors.late() == {"renamed": False, ACCURATE: False}


def test_a_run_with_set_is_a_look(floors: Floors) -> None:
    floors.run("floors/prior", "--set", "thresholds.min_positives=7", "--seeds", "9")
    floors.declare(margin=0.3)
    floors.run()
    assert floors.late() == {FINDS: True, ACCURATE: False}


def test_a_file_by_hand_that_is_wrong_is_refused_in_one_line(floors: Floors) -> None:
    floors.run()
    kept = floors.keep()
    file = floors.study / "_first_seen.yaml"
    wrong = kept.replace(b"prior: '", b"prior: '1 ")
    file.write_bytes(wrong)
    page = ("report", "floors", "--output", "page.html")
    for command in (("findings", "floors"), ("findings", "floors", "--keep-first-seen"), page, ("run", "floors")):
        out, err = floors.do(*command, code=2)
        told = [line for line in err.splitlines() if line != "rarelabels: reading floors"]
        assert (out, len(told)) == ("", 1)
        assert told[0].startswith(
            "rarelabels: experiments/floors/_first_seen.yaml: trials.prior: allowed a time with its zone, such as "
        )
    assert file.read_bytes() == wrong
    assert not (floors.folder / "page.html").exists()
    assert "_first_seen" not in floors.do("list")[0], "it is no trial"


def test_a_study_that_takes_the_trials_of_another_has_runs_and_a_file_of_its_own(floors: Floors) -> None:
    """A look at the trials of one study is no look at those of the other: they are other trials, with other runs."""
    floors.run()
    floors.keep()
    other = floors.folder / "experiments" / "again"
    other.mkdir()
    text = STUDY.format(margin=0.3, name=FINDS, claim="Own thresholds find more.")
    (other / "study.yaml").write_text(text + "trials_of: floors\ntrials: [prior]\n", "utf-8")
    floors.run("again")
    assert floors.late("again") == {FINDS: False, ACCURATE: False}
    first, second = floors.keep("again"), floors.keep()
    assert first != second
    (other / "study.yaml").write_text(text.replace("0.3", "0.2") + "trials_of: floors\n", "utf-8")
    floors.forget()
    floors.run("again")
    assert floors.late("again") == {FINDS: True, ACCURATE: False}
