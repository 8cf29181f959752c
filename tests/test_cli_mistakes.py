"""A user's mistakes on the command line: a line that says what is wrong, and nothing is recorded."""

from __future__ import annotations

from pathlib import Path

import pytest

from user_commands import LINEAR, assert_refused, python, rarelabels, write_trial


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
        (["run", LINEAR, "--set", "training.epoch=3"], "--set: training.epoch: no named trial has this key"),
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
