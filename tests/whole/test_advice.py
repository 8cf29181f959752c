"""A net that is bad on purpose gets no advice on losses, a good one does: small studies that are really run."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from project import Project
from rarelabels.compare import symptoms
from rarelabels.study import recorded_study

DATA = "dataset: {kind: simulated, rows: 800, features: 6, labels: 4, dependence: independent, prevalence: 0.2}"
BASE = f"""
extends: ../../conf/base.yaml
{DATA}
model: {{kind: mlp, hidden: []}}
training: {{epochs: EPOCHS, batch_size: 64, learning_rate: RATE}}
seeds: [0, 1]
"""
STUDY = """
title: Simulated labels
question: Which loss?
thread: none
baselines: [linear]
hypotheses:
  - name: focal_ranks_as_well
    claim: Focal loss ranks as well as binary cross-entropy.
    source: here
    trial: focal
    against: bce
    metric: test/ranking/macro_average_precision
    direction: equal
    margin: 0.9
    advice: {about: loss, higher: Take focal loss., lower: Take the other., equal: Take either of the losses.}
  - name: accuracy_is_no_guide
    claim: The network is as accurate as all zeros.
    source: here
    trial: bce
    against: zeros
    metric: test/half/binary_accuracy
    direction: equal
    margin: 0.9
    advice: {about: metric, equal: Do not trust accuracy here.}
"""
TRIALS = {
    "linear": "model: {kind: linear}",
    "zeros": "model: {kind: floor, predicts: zeros}",
    "bce": "watch: []",
    "focal": "loss: {kind: binary_focal, gamma: 1.0}",
}
WARNING = re.compile(
    r"- The networks here are worse than logistic regression by 0\.\d\d \(0\.\d\d to 0\.\d\d\) of macro"
)


pytestmark = pytest.mark.long  # two small studies are run


def declare(project: Project, name: str, epochs: int, rate: float) -> None:
    folder = project.folder / "experiments" / name
    folder.mkdir()
    base = BASE.replace("EPOCHS", str(epochs)).replace("RATE", str(rate))
    (folder / "_base.yaml").write_text(base, encoding="utf-8")
    (folder / "study.yaml").write_text(STUDY, encoding="utf-8")
    for trial, block in TRIALS.items():
        text = f"extends: _base.yaml\nquestion: What does {trial} score here?\nthread: none\n{block}\n"
        (folder / f"{trial}.yaml").write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Two studies: one whose networks take a single tiny step, with fewer seeds than declared, and a good one."""
    project = Project(tmp_path_factory.mktemp("advice"), plain=True)
    declare(project, "bad", 1, 1e-6)
    declare(project, "good", 12, 0.02)
    project.do("run", "bad", "--seeds", "0")
    project.do("run", "good")
    return project


def lines(project: Project, study: str) -> list[str]:
    """What ``findings`` says below its table: what to use."""
    return project.do("findings", study)[0].partition(f"{study}: what to use\n")[2].splitlines()


def test_a_bad_net_has_no_advice_on_losses_and_the_box_begins_with_it(project: Project) -> None:
    told = lines(project, "bad")
    assert WARNING.match(told[0])
    assert "what follows about losses is about badly trained nets" in told[0]
    assert told[1].startswith("- Use linear with a threshold for each label: macro-F1 0.")
    assert told[1].endswith("Provisional: seed 1 not run.")
    assert not [line for line in told if "Take either" in line]
    assert "- Do not trust accuracy here. (accuracy_is_no_guide: upheld, provisional)" in told
    out = project.do("findings", "bad")[0]
    assert "no advice, for " in out  # and the verdict is shown
    assert "2 upheld, 0 refuted, 0 undecided" in out


def test_a_good_net_has_advice(project: Project) -> None:
    told = lines(project, "good")
    assert told[0].startswith("- Use ")
    assert "- Take either of the losses. (focal_ranks_as_well: upheld)" in told
    assert "- Do not trust accuracy here. (accuracy_is_no_guide: upheld)" in told


def test_what_is_told_is_what_was_measured(project: Project) -> None:
    """By the means of the runs themselves."""
    runs = recorded_study.Study("bad", project.record).runs().groupby("trial").mean(numeric_only=True)
    metric = "test/ranking/macro_average_precision"
    behind = runs.loc["linear", metric] - runs.loc[["bce", "focal"], metric]
    (said,) = re.findall(r"worse than logistic regression by (0\.\d\d) ", lines(project, "bad")[0])
    assert said in {f"{value:.2f}" for value in behind}
    best = runs.loc["linear", "test/per_label/macro_f1"]
    assert f"macro-F1 {best:.3f} (" in lines(project, "bad")[1]
    gain = best - runs.loc["linear", "test/global/macro_f1"]
    assert f"{gain:+.3f}".replace("-", "−") in " ".join(lines(project, "bad"))


def test_undertrained_nets_are_called_that_everywhere(project: Project) -> None:
    told = "undertrained: the best epoch was the last one"
    assert f"bce: {told}" in project.do("results", "bad")[0]
    assert f"bce {told}" in project.do("findings", "bad")[0]
    parents = {run.info.run_name: run for run in project.runs("trial", "bad")}
    assert parents["bce"].data.tags[symptoms.TAG] == told
    assert parents["linear"].data.tags[symptoms.TAG] == ""
    assert symptoms.recorded(parents["bce"]) == (told,)


def test_with_fewer_seeds_verdicts_are_provisional(project: Project) -> None:
    out = project.do("findings", "bad")[0]
    assert "(not run" not in out
    assert "provisional: not all declared seeds have been run" in out
    (project.folder / "found.csv").write_text(project.do("findings", "bad", "--format", "csv")[0], encoding="utf-8")
    found = pd.read_csv(project.folder / "found.csv")
    assert found["provisional"].all()
    assert found["low"].notna().all()
    assert found["gives_advice"].tolist() == [False, True]
    assert "provisional" not in project.do("findings", "good")[0]


def test_the_report_says_the_same_first(project: Project) -> None:
    project.do("report")
    page = (project.folder / "runs" / "report.html").read_text("utf-8")
    box = page.partition('id=".advice-title"')[2].partition("<nav")[0]
    for study in ("bad", "good"):
        winner = next(line for line in lines(project, study) if line.startswith("- Use "))
        assert winner.removeprefix("- ") in box
    assert box.index("The networks here are worse than logistic regression") < box.index("Use linear")
    assert box.count("Take either of the losses.") == 1  # of the good study alone
    assert 'href="#good.hypothesis.focal_ranks_as_well"' in box
    assert 'href="#bad.hypothesis.focal_ranks_as_well"' not in box
    assert "no advice, for " in page.partition('id="bad.hypothesis.focal_ranks_as_well"')[2].partition("</tr>")[0]


def test_a_study_that_names_no_baseline_says_that_it_is_unknown(project: Project) -> None:
    declared = project.folder / "experiments" / "bad" / "study.yaml"
    declared.write_text(STUDY.replace("baselines: [linear]\n", ""), encoding="utf-8")
    try:
        told = lines(project, "bad")
    finally:
        declared.write_text(STUDY, encoding="utf-8")
    assert re.match(r"- Whether .*bce.* can keep up with a baseline is unknown: study.yaml names no baselines", told[0])
    assert "(`baselines: [linear]`)" in told[0]
    assert "- Take either of the losses. (focal_ranks_as_well: upheld, provisional)" in told
