"""The study that is proposed for a table."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from proposed_study import FILMS, everything, loaded, with_spec, write
from rarelabels.declare import as_yaml, declarations, find
from rarelabels.declare.models import MlpSpec, TextBagSpec
from rarelabels.declare.table import TableSpec
from rarelabels.declare.tuning import ParameterSearch
from rarelabels.init import propose, writing
from rarelabels.init.column import Wish
from rarelabels.init.look import Look, look


def with_rows(found: Look, rows: int) -> Look:
    return replace(found, columns=replace(found.columns, rows=rows))


def test_what_is_written_loads_as_it_was_meant(films: Look, folder: Path) -> None:
    written = write(films, "my", folder)
    assert sorted(map(str, written)) == sorted(everything(folder))
    assert declarations.load_study(folder / "experiments" / "my") is not None
    trials = find.load_many(["my"])
    assert {trial.short_name for trial in trials} == set(propose.trials(films.spec))
    for trial in trials:
        assert trial.dataset == films.spec.model_copy(update={"path": str(FILMS)})
        assert trial.question.endswith("?")
        assert trial.seeds == (0, 1, 2, 3, 4)
    first = {path.read_text().splitlines()[0] for path in (folder / "experiments/my").glob("[!_s]*.yaml")}
    assert first == {"# yaml-language-server: $schema=../../conf/trial.schema.json"}
    assert json.loads((folder / "conf/trial.schema.json").read_text()) == as_yaml.json_schema()


@pytest.mark.parametrize("numbers", [False, True])
def test_every_network_is_searched_with_the_same_budget(films: Look, folder: Path, numbers: bool) -> None:
    found = with_spec(films, text=[], lists=[]) if numbers else films
    write(found, "my", folder)
    trials = {trial.short_name: trial for trial in find.load_many(["my"])}
    networks = {name for name, trial in trials.items() if trial.is_network}
    assert networks == {"bce", "pos_weight", "focal", "asymmetric"} | (set() if numbers else {"deep"})
    assert {name for name, trial in trials.items() if trial.tuning} == networks
    budgets = {
        (trial.tuning.n_trials, trial.tuning.seeds, trial.tuning.metric) for trial in trials.values() if trial.tuning
    }
    assert budgets == {(propose.TRAININGS, (0, 1, 2), "crossfit/per_label/macro_f1")}
    study = declarations.load_study(folder / "experiments" / "my")
    assert study
    assert study.baselines == (("linear", "gradient_boosting") if numbers else ("linear",))


def test_quick_leaves_searches_out(films: Look, folder: Path) -> None:
    writing.write(propose.declarations(films, "my", folder, settings=0), "my", folder)
    assert not any(trial.tuning for trial in find.load_many(["my"]))


def test_every_trial_is_in_a_hypothesis_but_the_floor_of_base_rates(films: Look, folder: Path) -> None:
    write(films, "my", folder)
    study = declarations.load_study(folder / "experiments" / "my")
    assert study
    compared = {side for one in study.hypotheses for side in (one.trial, one.against)}
    assert {one.split()[0] for one in compared} == set(propose.trials(films.spec)) - {"floor_prior"}


def test_the_path_is_relative_to_the_file_that_names_it(films: Look, folder: Path) -> None:
    """So that a folder with its table can be moved, also when it was reached by a link."""
    (folder / "real").mkdir()
    (folder / "link").symlink_to(folder / "real")
    (folder / "real" / "my.csv").write_text("x")
    here = folder / "link"
    write(with_spec(films, path=str(here / "my.csv")), "my", here)
    text = (folder / "real/conf/datasets/my.yaml").read_text()
    assert 'path: "../../my.csv"\n' in text
    (folder / "real").rename(folder / "moved")
    dataset = declarations.load_trial(folder / "moved/experiments/my/bce.yaml").dataset
    assert dataset.path == str(folder / "moved/my.csv")


@pytest.mark.parametrize(
    ("rows", "batch", "every", "steps", "seeds"),
    [
        (100, 64, 25, 3_000, 3),
        (4_000, 128, 25, 3_000, 3),
        (30_000, 512, 41, 3_000, 1),
        (1_000_000, 512, 341, 13_670, 1),
    ],
)
def test_training_fits_the_number_of_rows(
    films: Look, folder: Path, rows: int, batch: int, every: int, steps: int, seeds: int
) -> None:
    write(with_rows(films, rows), "my", folder)
    training, search = loaded(folder, "my").training, loaded(folder, "my").tuning
    assert (training.batch_size, training.evaluate_every, training.steps) == (batch, every, steps)
    assert isinstance(search, ParameterSearch)
    assert len(search.seeds) == seeds


def test_text_is_read_by_logistic_regression_and_numbers_alone_by_dense_layers(films: Look, folder: Path) -> None:
    write(replace(films, lengths={"title": 5, "plot": 100}), "words", folder)
    model = loaded(folder, "words").model
    assert isinstance(model, TextBagSpec)
    assert (model.max_length, model.is_linear, model.l2, model.numeric_weight) == (104, True, 0.05, 0.11)
    write(films, "short", folder)
    assert loaded(folder, "short").model.l2 == 0.2
    assert loaded(folder, "words", "deep").model.width == 32
    assert loaded(folder, "words", "linear").model.numeric_weight == 0.11  # 0.15 over the root of two
    write(replace(films, lengths={"plot": 9_000}), "long", folder)
    assert loaded(folder, "long").model.max_length == propose.MAX_LENGTH
    write(with_spec(films, text=[], lists=[]), "numbers", folder)
    assert isinstance(loaded(folder, "numbers").model, MlpSpec)
    linear = loaded(folder, "numbers", "linear").model
    assert (linear.c, linear.numeric_weight) == ((0.0001, 0.001, 0.01, 0.1), 1.0)


def test_categories_are_declared_and_stand_beside_words_with_a_weight(films: Look, folder: Path) -> None:
    write(with_spec(films, categories=["director", "two words"]), "words", folder)
    trial = loaded(folder, "words", "linear")
    assert trial.dataset.categories == ("director", "two words")
    assert trial.model.numeric_weight == 0.075  # 0.15 over the root of four: two numbers and two categories
    write(with_spec(films, text=[], lists=[], numeric=[], categories=["director"]), "alone", folder)
    assert isinstance(loaded(folder, "alone").model, MlpSpec)
    assert loaded(folder, "alone", "gradient_boosting").dataset.categories == ("director",)


def test_how_the_file_is_written_is_declared(films: Look, folder: Path) -> None:
    written = {"delimiter": "\t", "encoding": "cp1252", "header": False, "index": False, "decimal": ","}
    found = with_spec(films, **written, thousands=" ")
    write(found, "my", folder)
    text = (folder / "conf/datasets/my.yaml").read_text()
    assert text.endswith('  delimiter: "\\t"\n  encoding: cp1252\n  header: false\n  decimal: ","\n  thousands: " "\n')
    for trial in find.load_many(["my"]):
        assert trial.dataset == found.spec.model_copy(update={"path": str(FILMS)})


def test_unknown_labels_are_declared_and_nothing_that_counts_them_is_proposed(tmp_path: Path, folder: Path) -> None:
    rows = [f"word{i % 7} x,{i % 2 if i % 5 else ''},{-1 if i % 7 == 3 else i % 3 // 2}" for i in range(300)]
    (tmp_path / "my.csv").write_text("plot,a,b\n" + "\n".join(rows) + "\n")
    write(look(tmp_path / "my.csv", Wish(labels="a,b")), "my", folder)
    trials = find.load_many(["my"])
    assert len(trials) > 5
    for trial in trials:
        assert isinstance(trial.dataset, TableSpec)
        assert trial.dataset.labels.unknown == ("", "-1")
        assert trial.watch == ()
