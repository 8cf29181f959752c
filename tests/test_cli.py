"""The command line as a user meets it, in a folder of its own: most commands are done in this process."""

import csv
import io
import json
import math
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from ruamel.yaml import YAML

from project import Answer, Project, clean_environment, command
from rarelabels import __version__

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


def python(folder: Path, *args: str) -> Answer:
    """Start Python as a user does."""
    done = subprocess.run(
        [sys.executable, *args],
        cwd=folder,
        env=clean_environment(),
        capture_output=True,
        encoding="utf-8",
        timeout=900,
    )
    return Answer(done.returncode, done.stdout, done.stderr)


def rarelabels(folder: Path, *args: str, **environment: str) -> Answer:
    return command(folder, *args, environment=clean_environment() | environment)


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """Return a folder with the repository's conf and experiments, for one test."""
    return Project(tmp_path, genres=5).folder


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


def test_the_version_is_that_of_the_package(tmp_path: Path):
    assert rarelabels(tmp_path, "--version") == Answer(0, f"rarelabels {__version__}\n", "")


def test_a_shell_completes_commands_and_options(tmp_path: Path):
    """As bash asks the script that pip installs."""
    script = tmp_path / "rarelabels"
    script.write_text("from rarelabels.cli import main\nmain()\n")

    def completed(words: str) -> list[str]:
        shell = {"_RARELABELS_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
        return subprocess.check_output([sys.executable, script], env=clean_environment() | shell, text=True).split()

    assert completed("rarelabels pr") == ["predict", "probes"]
    assert completed("rarelabels run --sc") == ["--scheduler"]


def test_list_names_every_trial(house: Path):
    answer = rarelabels(house, "list")
    own = {f"{p.parent.name}/{p.stem}" for p in house.glob("experiments/*/[!_]*.yaml") if p.name != "study.yaml"}
    studies = {path.parent.name: YAML(typ="safe").load(path) for path in house.glob("experiments/*/study.yaml")}
    taken = {f"{study}/{trial}" for study, stated in studies.items() for trial in stated.get("trials", ())}
    assert {"movies/focal_plain", "movies_each_tuned/focal_plain"} < own | taken
    assert {line.split()[0] for line in answer.out.splitlines()} == own | taken
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
        (["results", LINEAR], f"'{LINEAR}' is a trial; give the name of a study: movies"),
        (["findings", LINEAR], f"'{LINEAR}' is a trial; give the name of a study: movies"),
    ],
)
def test_a_wrong_argument_is_explained(house: Path, args: list[str], says: str):
    assert_refused(house, args, says)


def test_an_output_layer_that_no_machine_holds_is_refused_before_anything_is_built(house: Path):
    blocks = ("dataset: {labels: 21}", "model: {head: powerset, wide: false, width: 1000000}")
    write_trial(house, "\n".join([*blocks, "loss: {kind: categorical_ce}"]))
    says = (
        "movies/mine: model.head 'powerset' with 21 labels needs an output layer of 2^21 = 2,097,152 columns: at least "
        "122.1 TiB"
    )
    assert_refused(house, ["run", "movies/mine"], says)


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
    answer = python(house, "-m", "rarelabels", *args)
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
    house = Project(tmp_path_factory.mktemp("house"), genres=5).folder
    both = ["run", *FLOORS, "--seeds", "0,1", "--workers", "1"]
    first, second = python(house, "-m", "rarelabels", *both), rarelabels(house, *both)
    change = ["--set", "thresholds.min_positives=3"]
    overridden = rarelabels(house, "run", FLOORS[0], "--seeds", "0", "--workers", "1", *change)
    record = rarelabels(house, "results", "movies", "--format", "csv")
    assert record.out.startswith("trial,variant,seed,overrides,status,run_id,")
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
    assert zeros[5] == "0.000"
    floor = row_of(session.first, "floor: zeros")
    values = [(own.rstrip("*"), other) for own, other in zip(zeros[2:], floor[2:], strict=True) if other]
    assert values
    assert all(own == other for own, other in values)
    (missing,) = [line for line in session.first.out.splitlines() if line.startswith("not run: ")]
    assert {"focal_auc", "bce_pruned training.pruning.sparsity=0.5"} < set(
        missing.removeprefix("not run: ").split(", ")
    )
    assert "Traceback" not in session.first.err


def test_what_is_finished_is_not_run_again(session: Session):
    assert session.second.code == 0
    assert "0 runs to do, 4 finished before" in session.second.err
    assert session.second.out == session.first.out


def test_an_override_is_kept_apart(session: Session):
    assert session.overridden.code == 0
    assert session.overridden.err.splitlines()[1].startswith("movies: 1 run")
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
    assert answer.out.startswith("elsewhere on movies: test part")
    assert row_of(answer, "mine")[1] == "1"


# Scores from elsewhere

JUDGED_LABELS = ["Drama", "Sci-Fi, Fantasy", "Western"]


def write_scores(path: Path, seed: int, n: int = 60, ids: bool = True) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    y = (rng.random((n, 3)) < [0.5, 0.3, 0.2]).astype(int)
    scores = np.round(0.4 * y + 0.6 * rng.random((n, 3)), 3)
    frame = pd.DataFrame(y, columns=JUDGED_LABELS).add_prefix("true/")
    frame = frame.join(pd.DataFrame(scores, columns=JUDGED_LABELS).add_prefix("score/"))
    if ids:
        frame["id"] = [f"{path.stem} {row}" for row in range(n)]
    if path.suffix == ".parquet":
        frame.to_parquet(path, index=False)
    else:
        frame.to_csv(path, index=False)
    return frame


@pytest.fixture
def scores(tmp_path: Path) -> Path:
    """Return a folder with ``validation.parquet``, ``test.csv`` and nothing else: no project is needed to judge."""
    write_scores(tmp_path / "validation.parquet", 1)
    write_scores(tmp_path / "test.csv", 2)
    return tmp_path


def test_judge_without_a_record_imports_neither_tensorflow_nor_mlflow(scores: Path):
    code = (
        "import atexit, sys\n"
        "heavy = ['tensorflow', 'keras', 'mlflow', 'dask', 'optuna', 'matplotlib']\n"
        "atexit.register(lambda: print('heavy:', [m for m in heavy if m in sys.modules], file=sys.stderr))\n"
        "from rarelabels import cli\n"
        "sys.argv = ['rarelabels', 'judge', 'validation.parquet', 'test.csv']\n"
        "cli.main()\n"
    )
    answer = python(scores, "-c", code)
    assert (answer.code, answer.err) == (0, "heavy: []\n")
    assert answer.out.startswith("test.csv: 60 rows × 3 labels, ")
    assert "Thresholds and base rates are from validation.parquet: 60 rows" in answer.out
    assert sorted(path.name for path in scores.iterdir()) == ["test.csv", "validation.parquet"]


def test_judge_one_file_alone(scores: Path):
    answer = rarelabels(scores, "judge", "test.csv")
    assert (answer.code, answer.err) == (0, "")
    assert "No validation part: nothing is chosen, so decisions are at 0.5; oracle is only a bound." in answer.out
    assert "per_label" not in answer.out


def test_judge_prints_every_number_of_the_labels_asked_for(scores: Path):
    labels = 'Western, "Sci-Fi, Fantasy"'
    answer = rarelabels(scores, "judge", "validation.parquet", "test.csv", "--labels", labels, "--format", "csv")
    assert (answer.code, answer.err) == (0, "")
    rows = list(csv.DictReader(io.StringIO(answer.out)))
    assert list(dict.fromkeys(row["label"] for row in rows)) == ["", "Western", "Sci-Fi, Fantasy"]
    values = {(row["metric"], row["label"]): row for row in rows}
    frame = pd.read_csv(scores / "test.csv")
    truths, given = (frame[[f"{what}/{label}" for label in JUDGED_LABELS[1:]]].to_numpy() for what in ("true", "score"))
    found = values["test/half/binary_accuracy", ""]
    assert float(found["value"]) == pytest.approx(((given >= 0.5) == truths).mean(), abs=1e-12)
    assert float(found["low"]) < float(found["value"]) < float(found["high"])
    assert float(values["positives", "Western"]["value"]) == truths[:, 1].sum()


def test_judge_tells_which_files_have_no_ids(tmp_path: Path):
    write_scores(tmp_path / "v.csv", 1, ids=False)
    write_scores(tmp_path / "t.csv", 2)
    answer = rarelabels(tmp_path, "judge", "v.csv", "t.csv")
    assert answer.code == 0
    assert re.fullmatch(r"rarelabels: v\.csv: .*\bids\b.* in both .*\n", answer.err)


def test_judge_with_a_name_is_recorded(scores: Path):
    where = f"sqlite:///{scores / 'record' / 'mlflow.db'}"
    args = ["judge", "validation.parquet", "test.csv", "--log", "my net", "--format", "csv"]
    answer = rarelabels(scores, *args, MLFLOW_TRACKING_URI=where)
    assert answer.code == 0, answer.err
    assert answer.err.endswith("Recorded as 'my net' in the experiment rarelabels/judged: `rarelabels ui`\n")
    rows = [row for row in csv.DictReader(io.StringIO(answer.out)) if not row["label"]]
    wanted = {row["metric"]: float(row["value"]) for row in rows}
    wanted |= {
        f"interval/{row['metric']}_{end}": float(row[end]) for row in rows for end in ("low", "high") if row[end]
    }
    client = MlflowClient(tracking_uri=where)
    (run,) = client.search_runs([client.get_experiment_by_name("rarelabels/judged").experiment_id])
    assert (run.info.run_name, run.info.status, run.data.tags["kind"]) == ("my net", "FINISHED", "judged")
    assert run.data.metrics == pytest.approx(wanted, rel=1e-12)
    assert {"test/per_label/macro_f1", "interval/test/half/micro_f1_low", "floor/prior/brier"} <= set(run.data.metrics)
    assert (run.data.params["validation"], run.data.params["test"]) == ("validation.parquet", "test.csv")
    kept = {item.path for item in client.list_artifacts(run.info.run_id)}
    assert kept == {"scores", "thresholds.json", "per_label.csv"}


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["wrong.csv"], "wrong.csv: score/Western, row 3 (id wrong 2): must be a probability, from 0 to 1; given 4.5"),
        (["validation.parquet", "tst.csv"], "tst.csv: there is no such file; did you mean 'test.csv'?"),
        (["test.csv", "./test.csv"], "test.csv: has the same rows as test.csv"),
        (["test.csv", "--labels", "Drama,Westen"], "--labels: 'Westen' is not a label of test.csv; did you mean 'W"),
        (["test.csv", "--labels", "Drama,Drama"], "--labels: allowed are different names, separated by commas"),
        (["test.csv", "--labels", ""], "--labels: allowed are different names, separated by commas; given ''"),
    ],
)
def test_wrong_scores_are_explained_and_not_recorded(scores: Path, args: list[str], says: str):
    frame = write_scores(scores / "wrong.csv", 3)
    frame.loc[2, "score/Western"] = 4.5
    frame.to_csv(scores / "wrong.csv", index=False)
    assert_refused(scores, ["judge", *args, "--log", "wrong"], says)


def test_judge_needs_a_name_and_a_record_that_answers(scores: Path):
    assert_refused(scores, ["judge", "test.csv", "--log", " "], "--log: the run needs a name")
    nobody = "http://127.0.0.1:9"
    assert_refused(
        scores, ["judge", "test.csv", "--log", "x"], f"{nobody!r} does not answer", MLFLOW_TRACKING_URI=nobody
    )


def test_fetch_names_what_can_be_fetched(tmp_path: Path):
    says = "fetch: 'nonsense' is not among the data sets to fetch; allowed: wikipedia_movies"
    assert_refused(tmp_path, ["fetch", "nonsense"], says, RARELABELS_DATA=str(tmp_path))


def test_fetch_without_network_says_what_to_do(tmp_path: Path):
    # A proxy that nobody is behind: this machine has no network, whatever it has otherwise.
    environment = {"RARELABELS_DATA": str(tmp_path), "https_proxy": "http://127.0.0.1:9", "no_proxy": ""}
    answer = rarelabels(tmp_path, "fetch", "wikipedia_movies", **environment)
    assert (answer.code, answer.out) == (2, "")
    licence, _, error = answer.err.splitlines()
    assert "MIT" in licence
    assert error.startswith("rarelabels: https://raw.githubusercontent.com/prust/wikipedia-movie-data/")
    assert "LICENSE: cannot be downloaded: " in error
    assert error.endswith(f"copy the files of a machine that has them to {tmp_path / 'wikipedia_movies'}")
    assert not list(tmp_path.rglob("*.json"))


# Findings


MINI = """
title: Two floors
question: Are base rates better than nothing?
thread: beyond the threads
hypotheses:
  - {name: accuracy, claim: Base rates are as accurate as nothing., source: here, trial: prior, against: zeros,
     metric: test/half/binary_accuracy, direction: equal, margin: 0.01}
  - {name: ranking, claim: Base rates rank labels by far better., source: here, trial: prior, against: zeros,
     metric: test/ranking/lrap, direction: greater, margin: 0.1}
  - {name: areas, claim: Base rates rank the films of a label., source: here, trial: prior, against: zeros,
     metric: test/ranking/macro_roc_auc, direction: greater, margin: 0.1}
"""


def test_hypotheses_are_judged_by_what_is_recorded(house: Path):
    folder = house / "experiments" / "mini"
    folder.mkdir()
    (folder / "study.yaml").write_text(MINI, encoding="utf-8")
    for name in ("zeros", "prior"):
        floor = f"dataset: {{labels: 17}}\nmodel: {{kind: floor, predicts: {name}}}\nseeds: [3]"
        text = f"extends: ../movies/_base.yaml\nquestion: What do {name} score?\nthread: none\n{floor}\n"
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    assert rarelabels(house, "findings", "mini").out == "nothing is recorded of mini yet; run `rarelabels run mini`\n"
    assert rarelabels(house, "run", "mini", "--workers", "1").code == 0
    record = rarelabels(house, "findings", "mini", "--format", "csv")
    assert record.code == 0  # whatever became of them
    by_name = {row["name"]: row for row in csv.DictReader(io.StringIO(record.out))}
    verdicts = {name: (row["verdict"], row["identical"], row["late"]) for name, row in by_name.items()}
    assert verdicts == {
        "accuracy": ("upheld", "False", "False"),
        "ranking": ("upheld", "False", "False"),
        "areas": ("refuted", "True", "False"),  # scores that are the same for every film rank none before another
    }
    runs = list(csv.DictReader(io.StringIO(rarelabels(house, "results", "mini", "--format", "csv").out)))
    lrap = {row["trial"]: float(row["test/ranking/lrap"]) for row in runs}
    assert float(by_name["ranking"]["value"]) == pytest.approx(lrap["mini/prior"] - lrap["mini/zeros"])

    (folder / "study.yaml").write_text(MINI.replace("0.01", "0.02"), encoding="utf-8")
    shown = rarelabels(house, "findings", "mini").out
    assert "upheld (late)" in shown
    assert "2 upheld, 1 refuted, 0 undecided" in shown
