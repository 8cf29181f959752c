"""The command line as a user meets it: real processes in a folder of their own."""

import csv
import io
import json
import math
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
HEAVY = ["tensorflow", "keras", "mlflow", "dask", "optuna", "sklearn", "pandas", "matplotlib"]
LINEAR = "movies/linear_bce"
FLOORS = ["movies/floor_zeros", "movies/floor_prior"]
MINE = """
extends: {parent}
question: Does a trial of my own run from anywhere?
thread: beyond the threads
model: {{kind: floor, predicts: ones}}
"""


@dataclass(frozen=True)
class Answer:
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str


def make_house(folder: Path) -> Path:
    for name in ("conf", "experiments"):
        shutil.copytree(REPOSITORY / name, folder / name)
    return folder


def python(folder: Path, *args: str, **environment: str) -> Answer:
    given = {key: value for key, value in os.environ.items() if key != "MLFLOW_TRACKING_URI"}
    command = [sys.executable, *args]
    done = subprocess.run(
        command, cwd=folder, env=given | environment, capture_output=True, encoding="utf-8", timeout=300
    )
    return Answer(done.returncode, done.stdout, done.stderr)


def rarelabels(folder: Path, *args: str, **environment: str) -> Answer:
    return python(folder, "-m", "rarelabels", *args, **environment)


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """Return a folder with the repository's conf and experiments, for one test."""
    return make_house(tmp_path)


# Instant answers


@pytest.mark.parametrize("command", ["--help", "list", "validate", "schema"])
def test_what_needs_no_data_imports_nothing_heavy(command: str):
    code = (
        "import atexit, sys\n"
        f"atexit.register(lambda: print('heavy:', [m for m in {HEAVY} if m in sys.modules], file=sys.stderr))\n"
        "from rarelabels import cli\n"
        f"sys.argv = ['rarelabels', {command!r}]\n"
        "cli.main()\n"
    )
    answer = python(REPOSITORY, "-c", code)
    assert (answer.code, answer.err) == (0, "heavy: []\n")
    assert answer.out


def test_list_names_every_trial(house: Path):
    answer = rarelabels(house, "list")
    trials = {f"{p.parent.name}/{p.stem}" for p in house.glob("experiments/*/[!_]*.yaml") if p.name != "study.yaml"}
    assert {line.split()[0] for line in answer.out.splitlines()} == trials
    assert (answer.code, answer.err) == (0, "")


def test_schema_is_json(house: Path):
    schema = json.loads(rarelabels(house, "schema").out)
    assert {"extends", "loss", "model", "seeds"} <= set(schema["properties"])


def test_validate_takes_a_path_to_any_file(house: Path):
    (house / "mine.yaml").write_text(MINE.format(parent="experiments/movies/_base.yaml"))
    assert rarelabels(house, "validate", "mine.yaml").out.startswith("1 trials ")


def test_validate_tells_the_problems_of_all_trials_and_studies(house: Path):
    study = house / "experiments/movies/study.yaml"
    study.write_text(study.read_text(encoding="utf-8").replace("trial: cce_textbook", "trial: cce_textbok"))
    write_trial(house, "loss: {kind: bce, gama: 2}")
    empty = house / "experiments/clothes"
    empty.mkdir()
    (empty / "study.yaml").write_text("titel: Clothes\nquestion: Which loss?\nthread: clothes_attributes\n")
    assert_refused(
        house,
        ["validate"],
        "experiments/movies/mine.yaml: loss.gama: unknown key",
        "experiments/clothes/study.yaml: titel: unknown key; did you mean 'title'?",
        "experiments/movies/study.yaml: hypotheses.cce_fails_by_its_gradient.trial: no trial 'cce_textbok' in this "
        "folder; did you mean 'cce_textbook'?",
    )


# Mistakes


def write_trial(house: Path, text: str | bytes) -> None:
    head = b"extends: _base.yaml\nquestion: What does this one do?\nthread: nowhere\n"
    content = head + text.encode() if isinstance(text, str) else text
    (house / "experiments/movies/mine.yaml").write_bytes(content)


def assert_refused(house: Path, args: list[str], *says: str, **environment: str) -> None:
    """Exit code 2, a line on stderr for each problem, nothing on stdout, nothing recorded."""
    answer = rarelabels(house, *args, **environment)
    assert answer.code == 2, answer
    assert answer.out == ""
    assert answer.err.startswith("rarelabels: ")
    assert answer.err.count("\n") >= len(says)
    assert "Traceback" not in answer.err
    for one in says:
        assert one in answer.err
    if len(says) == 1:
        assert answer.err.count("\n") == 1
    assert not (house / "runs").exists()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("loss: {kind: bce, from: shipped}", ["mine.yaml: loss.from: unknown key; did you mean 'form'?"]),
        ("training: {epochs: many}", ['mine.yaml: training.epochs: wrong type; allowed a whole number; given "many"']),
        ("dataset: {labels: 99}", ["mine.yaml: dataset.labels: out of range; allowed at most 21; given 99"]),
        ("watch: [accuracy]", ["mine.yaml: watch: 'accuracy' is not a metric here"]),
        ("seeds: [1]\nseeds: [2]", ["mine.yaml: line 5: key 'seeds' is given twice"]),
        (
            b"extends: mine.yaml",
            ["mine.yaml: extends: a cycle: experiments/movies/mine.yaml → experiments/movies/mine"],
        ),
        (b"extends: _bas.yaml", ["mine.yaml: extends: there is no file experiments/movies/_bas.yaml; did you mean"]),
        (b"", ["mine.yaml: is empty; allowed a mapping"]),
        (b"question: \xff", ["mine.yaml: is not UTF-8 text (byte 11)"]),
        (
            "colour: red\ntraining: {epochs: 0}\nloss: {kind: fokal}",
            ["mine.yaml: colour: unknown key", "mine.yaml: loss.kind: unknown kind", "mine.yaml: training.epochs: out"],
        ),
    ],
)
def test_a_wrong_file_is_explained(house: Path, text: str | bytes, says: list[str]):
    write_trial(house, text)
    assert_refused(house, ["run", "movies/mine"], *says)


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["run", "gone/mine.yaml"], "gone/mine.yaml: there is no such file"),
        (["run", "movies/focal_acc"], "no trial or study 'movies/focal_acc' under experiments/; did you mean"),
        (["run", "movie"], "no trial or study 'movie' under experiments/; did you mean 'movies'?"),
        (["validate", "movies/floor_zero"], "did you mean 'movies/floor_zeros'?"),
        (["run", LINEAR, "--set", "training.epoch=3"], "--set: training.epoch: no trial that is named has this key"),
        (["run", LINEAR, "--set", "training.epochs"], "--set: allowed <dotted.key>=<value>"),
        (["run", LINEAR, "--set", "training.epochs=0"], "--set: training.epochs: out of range; allowed at least 1"),
        (["run", LINEAR, "--seeds", "0,x"], "--seeds: allowed are whole numbers from 0, separated by commas"),
        (["run", LINEAR, "--seeds", "-1"], "--seeds: allowed are whole numbers from 0, separated by commas"),
        (["results", "movis"], "no trial or study 'movis' under experiments/; did you mean 'movies'?"),
        (["results", LINEAR], f"'{LINEAR}' is a trial; results takes a study: movies"),
    ],
)
def test_a_wrong_argument_is_explained(house: Path, args: list[str], says: str):
    assert_refused(house, args, says)


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["run"], "Missing argument"),
        (["run", LINEAR, "--workers", "0"], "--workers"),
        (["results", "movies", "--format", "html"], "--format"),
        (["frobnicate"], "frobnicate"),
    ],
)
def test_wrong_usage_is_explained(house: Path, args: list[str], says: str):
    answer = rarelabels(house, *args)
    assert (answer.code, answer.out) == (2, "")
    assert says in answer.err
    assert "Traceback" not in answer.err
    assert not (house / "runs").exists()


def test_a_mistake_elsewhere_in_the_study_is_told_before_anything_runs(house: Path):
    write_trial(house, "loss: {kind: fokal}")
    assert_refused(house, ["run", LINEAR], "mine.yaml: loss.kind: unknown kind")


def test_a_tracking_server_that_does_not_answer(house: Path):
    assert_refused(
        house, ["run", LINEAR], "'http://127.0.0.1:9' does not answer", MLFLOW_TRACKING_URI="http://127.0.0.1:9"
    )


def test_a_cache_that_cannot_be_written(house: Path):
    (house / "file").touch()
    where = str(house / "file" / "cache")
    assert_refused(house, ["run", LINEAR], f"{where}: the cache folder cannot be used", RARELABELS_CACHE=where)


def test_outside_the_project_one_is_told_where_to_go(tmp_path: Path):
    assert_refused(tmp_path, ["list"], f"there is no folder experiments/ in {tmp_path}; change to the folder")


# Runs


@dataclass(frozen=True)
class Session:
    """Two floors run, the same asked for again, then one of them with an override."""

    house: Path
    first: Answer
    second: Answer
    overridden: Answer
    rows: list[dict[str, str]]


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """Return the record of three calls; all tests below look at it."""
    house = make_house(tmp_path_factory.mktemp("house"))
    both = ["run", *FLOORS, "--seeds", "0,1", "--workers", "1"]
    first, second = rarelabels(house, *both), rarelabels(house, *both)
    change = ["--set", "thresholds.min_positives=3"]
    overridden = rarelabels(house, "run", FLOORS[0], "--seeds", "0", "--workers", "1", *change)
    record = rarelabels(house, "results", "movies", "--format", "csv")
    assert record.out.startswith("trial,variant,seed,status,run_id,")
    return Session(house, first, second, overridden, list(csv.DictReader(io.StringIO(record.out))))


def row_of(answer: Answer, name: str) -> list[str]:
    """Return the cells of the row that begins with ``name`` in the printed table."""
    (line,) = [line for line in answer.out.splitlines() if line.startswith(f"│ {name} ")]
    return [cell.strip() for cell in line.strip("│").split("│")]


def test_runs_are_recorded_and_compared(session: Session):
    assert session.first.code == 0, session.first.err
    assert "4 runs to do, 0 finished before" in session.first.err
    zeros, prior = row_of(session.first, "floor_zeros"), row_of(session.first, "floor_prior")
    assert zeros[1] == prior[1] == "2"
    # All zeros never finds a label, and the zeros floor below the table is the same predictor.
    assert zeros[4] == "0.000"
    assert row_of(session.first, "floor: zeros")[2] == zeros[2]
    assert "not run: focal_auc" in session.first.out
    assert "Traceback" not in session.first.err


def test_what_is_finished_is_not_run_again(session: Session):
    assert session.second.code == 0
    assert "0 runs to do, 4 finished before" in session.second.err
    assert session.second.out == session.first.out


def test_an_override_is_kept_apart(session: Session):
    assert session.overridden.code == 0
    assert session.overridden.err.startswith("movies: 1 run")
    assert row_of(session.overridden, "floor_zeros (overridden: thresholds.min_positives=3)")[1] == "1"
    assert row_of(session.overridden, "floor_prior")[1] == "2"


def test_the_record_as_csv_has_a_row_for_each_run(session: Session):
    runs = [(row["trial"], row["seed"], row["status"]) for row in session.rows]
    declared = [(name, seed, "FINISHED") for name in FLOORS for seed in ("0", "1")]
    assert runs == [*declared, (FLOORS[0], "0", "FINISHED")]
    assert len({row["run_id"] for row in session.rows}) == 5
    metrics = [key for key in session.rows[0] if "/" in key]
    assert {"test/half/macro_f1", "floor/zeros/binary_accuracy"} <= set(metrics)
    assert not [key for key in metrics if key.startswith("curve/")]
    assert all(math.isfinite(float(row[key])) for row in session.rows for key in metrics)


def test_everything_recorded_is_in_the_folder_of_runs(session: Session):
    assert sorted(path.name for path in session.house.iterdir()) == ["conf", "experiments", "runs"]


@pytest.mark.long
def test_a_trial_runs_from_anywhere(house: Path):
    elsewhere = house / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "mine.yaml").write_text(MINE.format(parent="../experiments/movies/_base.yaml"))
    answer = rarelabels(house, "run", "elsewhere/mine.yaml", "--seeds", "0", "--workers", "1")
    assert answer.code == 0, answer.err
    assert answer.out.startswith("elsewhere: test part")
    assert row_of(answer, "mine")[1] == "1"
