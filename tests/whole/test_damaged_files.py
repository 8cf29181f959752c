"""Files of a record that are lost, cut, changed or written by two: whoever reads them says so, a run makes them new."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from mlflow import MlflowClient

from damaged_record import FAULTS, READING, STUDY, Fault, Shown, check_whole, cut, declare, file_of, read, run_of
from project import Project, wait_for
from rarelabels.record import connection, digests, outbox, queries, run_files
from rarelabels.record.damage import SUMMARY
from rarelabels.study import summary

REPAIRED = ("summary.csv", "figures/report_1.json", "model/weights.npz")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return the one record that is damaged and mended again and again: each test leaves it whole."""
    project = declare(tmp_path_factory.mktemp("made"))
    project.do("run", STUDY)
    return project


@pytest.fixture(scope="module")
def before(project: Project) -> Shown:
    return Shown.of(project)


@pytest.mark.parametrize("fault", [one for one in FAULTS if one.damage is Path.unlink], ids=str)
def test_a_lost_file_is_one_line_and_a_run_mends_it(project: Project, before: Shown, fault: Fault) -> None:
    damage_and_mend(project, before, fault)


@pytest.mark.long
@pytest.mark.parametrize("fault", [one for one in FAULTS if one.damage is not Path.unlink], ids=str)
def test_a_file_that_is_cut_or_changed_is_one_line_and_a_run_mends_it(
    project: Project, before: Shown, fault: Fault
) -> None:
    damage_and_mend(project, before, fault)


def damage_and_mend(project: Project, before: Shown, fault: Fault) -> None:
    fault.do(project)
    for command in READING:
        read(project, command, fault)
    out, _ = project.do("check", code=1)
    line, last = out.splitlines()
    assert fault.path in line
    assert last == "1 fault; `rarelabels check --repair` mends or marks what can be made anew"
    recorded = {run.info.run_id: run for run in project.runs("run", STUDY)}
    _, err = project.do("run", STUDY)
    told = [line for line in err.splitlines() if fault.path in line]
    were = {name for name, run in recorded.items() if run.info.status == "FINISHED"}
    now = [run for run in project.runs("run", STUDY) if run.info.run_id in were]
    failed = [run for run in now if run.info.status == "FAILED"]
    if fault.kind == "run":
        (line,) = told
        assert line.endswith("it is done again")
        (one,) = failed
        assert one.data.tags["reason"].startswith(f"damaged: {fault.path} ")
        assert one.data.metrics == recorded[one.info.run_id].data.metrics
        assert one.info.end_time == recorded[one.info.run_id].info.end_time
    else:
        assert not failed
    if fault.path in SUMMARY:
        assert told[0].endswith("its runs are summed up again")
    check_whole(project, before)
    _, err = project.do("run", STUDY)
    assert "my: 0 runs to do" in err
    assert "summing up" not in err


@pytest.mark.long
@pytest.mark.parametrize("fault", [one for one in FAULTS if one.path in REPAIRED], ids=str)
def test_repair_marks_what_a_run_makes_anew(project: Project, before: Shown, fault: Fault) -> None:
    fault.do(project)
    out, _ = project.do("check", STUDY, "--repair")
    assert re.search(rf"{fault.path} .*: marked; `rarelabels run my(/linear)?` makes it anew\n", out)
    assert out.splitlines()[-1] == "1 fault, of which 1 mended or marked"
    for command in READING:
        project.do(command, STUDY)
    project.do("run", STUDY)
    check_whole(project, before)


@pytest.mark.long
def test_large_files_of_the_same_size_are_seen_by_check_alone(project: Project, before: Shown) -> None:
    """A run looks at sizes; who reads the file, and `check`, read it."""
    weights = file_of(project, "run", "model/weights.npz")
    assert weights.stat().st_size > 0
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    weights.write_bytes(content)
    assert "model/weights.npz is not what was recorded" in project.do("check", code=1)[0]
    assert "model/weights.npz is not what was recorded" in project.do("best", STUDY, code=2)[1]
    project.do("check", "--repair")
    project.do("run", STUDY)
    check_whole(project, before)


def test_every_file_that_is_read_later_has_its_digest(project: Project) -> None:
    """Compared with what `sha256sum` would say."""
    for kind, needed in {
        "run": {"data.json", "model/weights.npz", "per_label.csv", "scores/test.parquet", "thresholds.json"},
        "trial": {"summary.csv", "by_seed.parquet", "influence.parquet", "figures/confusion.png"},
        "study": {"figures/report_1.json"},
    }.items():
        run = run_of(project, kind)
        folder = run_files.local_folder(run)
        assert folder
        files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
        said = digests.recorded(run.data.tags)
        assert needed <= set(said) == {path for path in files if not path.startswith("registered/")}
        for path, of_file in said.items():
            content = files[path].read_bytes()
            assert of_file == f"{hashlib.sha256(content).hexdigest()} {len(content)}"


SUM_UP = """
import contextlib, json, sys, time
from pathlib import Path
from rarelabels.record import connection
from rarelabels.record.writing import Record
from rarelabels.study import summary

task, me, is_locked = json.loads(sys.argv[1]), sys.argv[2], sys.argv[3] == "locked"
lock, log = connection.one_sums_up, Record.tags

@contextlib.contextmanager
def asked(where):
    Path(f"{me}.asks").touch()
    with lock(where) if is_locked else contextlib.nullcontext():
        yield

def tags(self, values):
    if "summed_up" in values:  # the files are there
        Path(f"{me}.wrote").touch()
        while me == "first" and not Path("go on").exists():
            time.sleep(0.05)
    log(self, values)

connection.one_sums_up, Record.tags = asked, tags
summary.sum_up(task["where"], summary.SummaryTask(task["parent"], tuple(task["children"]), task["stamp"]), print)
"""


def sum_up(project: Project, children: list[str], name: str, locked: str) -> subprocess.Popen[bytes]:
    task = {"where": project.record, "parent": run_of(project, "trial").info.run_id, "children": children}
    told = json.dumps(task | {"stamp": summary.stamp(children)})
    return subprocess.Popen(
        [sys.executable, "-c", SUM_UP, told, name, locked], cwd=project.folder, env=project.environment
    )


@pytest.mark.long
@pytest.mark.parametrize("locked", ["locked", "open"])
def test_two_processes_that_sum_up_a_trial(project: Project, before: Shown, locked: str) -> None:
    """The first sums up one seed, and sleeps between files and tags; the second sums up both meanwhile."""
    for marker in ("first.asks", "first.wrote", "second.asks", "second.wrote", "go on"):
        (project.folder / marker).unlink(missing_ok=True)
    runs = [run for run in project.runs("run", STUDY) if run.data.tags["trial"] == f"{STUDY}/linear"]
    runs = [run for run in runs if run.info.status == "FINISHED"]
    both = [run.info.run_id for run in sorted(runs, key=lambda run: run.data.tags["seed"])]
    first = sum_up(project, both[:1], "first", locked)
    wait_for(lambda: (project.folder / "first.wrote").exists(), 120)
    second = sum_up(project, both, "second", locked)
    if locked == "locked":
        wait_for(lambda: (project.folder / "second.asks").exists(), 120)
        assert not (project.folder / "second.wrote").exists()
    else:  # a server's record has no lock
        assert second.wait(120) == 0
    (project.folder / "go on").touch()
    assert (first.wait(120), second.wait(120)) == (0, 0)
    if locked == "locked":
        assert run_of(project, "trial").data.tags["seeds"] == "0 1"
    else:
        _, err = project.do("results", STUDY, code=2)
        assert re.match(
            r"rarelabels: my/linear \(run \w+\): (summary.csv|\w+.parquet) .*`rarelabels run my/linear`", err
        )
        assert project.do("check", code=1)
    _, err = project.do("run", STUDY)
    assert ("summed up again" in err or "summing up" in err) == (locked == "open")
    check_whole(project, before)


def test_what_else_is_looked_at(project: Project) -> None:
    """A run that was cut off, results that wait, a summary of other seeds, and a garbage line of a search."""
    client = MlflowClient(project.record)
    experiment = queries.find_experiment(connection.connect(project.record), STUDY)
    runs = [client.create_run(experiment, tags={"kind": "tried", "owner": "gone 1 1", "lease": "1"}) for _ in range(2)]
    orphan, waits = (run.info.run_id for run in runs)
    place = connection.outboxes(project.record)
    box = outbox.of_run(place, project.record, waits)
    box.add({"status": "FINISHED", "at": 1_000})
    box.leave()
    (project.folder / "runs" / "optuna").mkdir()
    journal = project.folder / "runs" / "optuna" / "some.journal"
    lines = ['{"op_code": 0, "line": 0}', "#garbage", '{"op_code": 0, "line": 2}', '{"op_code": 0, "line": 4}', '{"op_']
    journal.write_text("\n".join(lines), "utf-8")
    client.set_tag(run_of(project, "trial").info.run_id, "seeds", "0")
    client.set_tag(run_of(project, "trial", f"{STUDY}/floor").info.run_id, "summed_up", "of others")
    out, _ = project.do("check", code=1)
    assert f"the results of run {waits} wait in {place}" in out
    assert f"(run {orphan}) is RUNNING, and its process is gone" in out
    assert "its summary is of seeds 0, and finished are 0 1" in out
    assert f"its summary is of other runs, or made by another version; `rarelabels run {STUDY}/floor` makes" in out
    assert f"{journal}: line 2 of the search cannot be read" in out
    assert f"{journal}: line 4 of the search cannot be read, or is not the one of that number" in out
    assert ("line 3" in out, "line 5" in out) == (False, False)
    out, _ = project.do("check", "--repair", code=1)  # nobody can mend the search
    assert out.splitlines()[-1] == "5 faults, of which 3 mended or marked"
    assert [client.get_run(run_id).info.status for run_id in (orphan, waits)] == ["KILLED", "FINISHED"]
    journal.unlink()
    project.do("run", STUDY)
    assert project.do("check")[0].startswith("all is well")


def test_a_disk_that_is_not_mounted_costs_no_run(project: Project, before: Shown) -> None:
    """Everything is missing then, and nothing is lost: nothing is marked, and nothing trained again."""
    files = project.folder / "runs" / "artifacts"
    files.rename(files.with_name("elsewhere"))
    for command in (("run", STUDY), ("check", "--repair")):
        assert f"{files / STUDY}: the files of the record are not there" in project.do(*command, code=2)[1]
    files.with_name("elsewhere").rename(files)
    check_whole(project, before)


def test_a_study_of_which_nothing_is_recorded_is_no_study_that_is_well(project: Project, tmp_path: Path) -> None:
    assert "nothing is recorded of 'mine'; there are: my" in project.do("check", "mine", code=2)[1]
    (tmp_path / "new").mkdir()
    assert Project(tmp_path / "new", declared=False).do("check")[0] == "nothing is recorded yet\n"


@pytest.mark.long
def test_a_training_is_not_shared_once_its_files_are_damaged(project: Project) -> None:
    """Another trial trains anew, and does not copy what is cut. This test is the last: it adds a trial."""
    cut(file_of(project, "run", "model/weights.npz"))
    text = (project.folder / "experiments" / STUDY / "linear.yaml").read_text("utf-8")
    (project.folder / "experiments" / STUDY / "same.yaml").write_text(
        text + "thresholds: {calibration: platt}\n", "utf-8"
    )
    project.do("run", f"{STUDY}/same")
    runs = {
        run.data.tags["seed"]: run for run in project.runs("run", STUDY) if run.data.tags["trial"] == f"{STUDY}/same"
    }
    assert "trained_by" in runs["1"].data.tags
