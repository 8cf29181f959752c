"""A path in YAML counts from the file that wrote it."""

from pathlib import Path

import pytest

from declared_trials import BASE, HEAD, HERE, problem_of, trial_of
from rarelabels.declare import declarations, variants
from rarelabels.declare.trial import Trial

pytestmark = pytest.mark.usefixtures("house")
TABLE = "dataset: {kind: table, path: %s, labels: {column: tags}, text: [plot]}\n"


def path_of(trial: Trial) -> str:
    return trial.model_dump()["dataset"]["path"]


def test_the_path_of_a_table_counts_from_the_file_that_wrote_it(house: Path, monkeypatch: pytest.MonkeyPatch):
    (house / "conf/base.yaml").write_text(
        BASE.replace("dataset: {kind: movies, labels: 17}\n", "") + TABLE % "../data/a.csv"
    )
    assert path_of(trial_of(HEAD)) == str(house / "data/a.csv")
    assert path_of(trial_of(HEAD + "dataset: {path: b.csv}")) == str(house / "experiments/movies/b.csv")
    assert path_of(trial_of(HEAD + "dataset: {id: no}")) == str(house / "data/a.csv")
    (house / "elsewhere").mkdir()
    monkeypatch.chdir(house / "elsewhere")
    file = house / "experiments/movies/t.yaml"
    assert path_of(declarations.load_trial(file)) == str(house / "data/a.csv")
    assert path_of(declarations.load_trial(file, {"dataset.path": "c.csv"})) == str(house / "elsewhere/c.csv")


def test_a_whole_block_on_the_command_line_counts_from_the_current_folder(house: Path):
    dataset = {"kind": "table", "path": "data/../c.csv", "labels": {"prefix": "is_"}, "text": ("plot",)}
    assert path_of(trial_of(HEAD, {"dataset": dataset})) == str(house / "c.csv")


def test_absolute_paths_and_the_home_folder(house: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOME", str(house / "me"))
    assert path_of(trial_of(HEAD + TABLE % "~/a.csv")) == str(house / "me/a.csv")
    assert path_of(trial_of(HEAD + TABLE % (house / "x/a.csv"))) == str(house / "x/a.csv")


def test_a_link_keeps_its_name(house: Path):
    (house / "v3.bin").write_text("x")
    (house / "experiments/movies/now.csv").symlink_to(house / "v3.bin")
    assert path_of(trial_of(HEAD + TABLE % "now.csv")) == str(house / "experiments/movies/now.csv")


def test_paths_of_a_sweep_are_absolute_too(house: Path):
    one = trial_of(HEAD + TABLE % "a.csv" + "vary: {dataset.path: [a.csv, ../b.csv]}")
    assert [path_of(trial) for _, trial in variants.variants(one)] == [
        str(house / "experiments/movies/a.csv"),
        str(house / "experiments/b.csv"),
    ]
    blocks = ", ".join((TABLE % name).strip().removeprefix("dataset: ") for name in ("a.csv", "b.csv"))
    two = trial_of(HEAD + f"vary: {{dataset: [{blocks}]}}")
    assert [path_of(trial) for _, trial in variants.variants(two)] == [
        str(house / f"experiments/movies/{name}.csv") for name in "ab"
    ]
    three = trial_of(HEAD + TABLE % "a.csv", {"vary.dataset.path": ("b.csv",)})
    assert [path_of(trial) for _, trial in variants.variants(three)] == [str(house / "b.csv")]


def test_the_folder_of_images_counts_from_its_file_too(house: Path):
    block = TABLE.replace("text: [plot]}", "images: {column: poster, folder: ../raw}, backbone: {kind: vgg19}}")
    data = trial_of(HEAD + block % "a.csv")
    assert data.dataset.images.folder == str(house / "experiments/raw")


def test_a_path_that_can_be_none_is_a_problem_of_its_file():
    line = problem_of(HEAD + TABLE % "~nobody-of-that-name/a.csv")
    assert line.startswith(HERE + "dataset.path: cannot be a path")
    assert problem_of(HEAD + TABLE % "3") == HERE + "dataset.path: wrong type; allowed text; given 3"
    assert "at least 1 characters" in problem_of(HEAD + TABLE % '""')
    assert problem_of(HEAD + "dataset: {path: a.csv}").startswith(HERE + "dataset.path: unknown key")


def test_paths_of_scores_count_from_their_file_too(house: Path):
    scores = 'model: {kind: scores, validation: "%s", test: "t_{seed}.csv"}\n'
    one = trial_of(HEAD + scores % "../{seed}/v.csv")
    assert one.model.model_dump() == {
        "kind": "scores",
        "validation": str(house / "experiments/{seed}/v.csv"),
        "test": str(house / "experiments/movies/t_{seed}.csv"),
    }
    varied = trial_of(HEAD + scores % "v_{seed}.csv" + "vary: {model.validation: ['a_{seed}.csv', 'b_{seed}.csv']}")
    assert [trial.model_dump()["model"]["validation"] for _, trial in variants.variants(varied)] == [
        str(house / f"experiments/movies/{name}_{{seed}}.csv") for name in "ab"
    ]
