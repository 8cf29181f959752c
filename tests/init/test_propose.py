"""Declarations of a study on a table: what is written loads as it was meant, and it is all or nothing."""

from __future__ import annotations

import json
import random
import re
import string
from dataclasses import replace
from pathlib import Path

import pytest

from rarelabels.declare import as_yaml, declarations, find
from rarelabels.declare.data import TableSpec
from rarelabels.declare.models import MlpSpec, TextBagSpec
from rarelabels.declare.tuning import ParameterSearch
from rarelabels.errors import UserError
from rarelabels.init import ahead, naming, propose, templates, writing
from rarelabels.init.column import Wish
from rarelabels.init.look import Look, look

REPOSITORY = Path(__file__).parents[2]
FILMS = REPOSITORY / "docs" / "your_table.csv"


@pytest.fixture(scope="module")
def films() -> Look:
    return look(FILMS, Wish(labels="genres", group="director"))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(found: Look, name: str, folder: Path) -> list[Path]:
    return writing.write(propose.declarations(found, name, folder), name, folder)


def everything(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()}


def with_spec(found: Look, **values: object) -> Look:
    spec = TableSpec.model_validate(found.spec.model_dump() | values)
    return replace(found, spec=spec)


def with_rows(found: Look, rows: int) -> Look:
    return replace(found, found=replace(found.found, rows=rows))


def loaded(folder: Path, name: str, trial: str = "bce"):
    return declarations.load_trial(folder / "experiments" / name / f"{trial}.yaml")


def test_the_base_is_that_of_the_declared_studies() -> None:
    assert (REPOSITORY / "conf" / "base.yaml").read_text(encoding="utf-8") == templates.BASE


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


def test_a_table_called_like_a_word_that_is_filled_in_keeps_its_name(films: Look, folder: Path) -> None:
    write(with_spec(films, path=str(folder / "SEEDS.csv")), "my", folder)
    study = declarations.load_study(folder / "experiments" / "my")
    assert study
    assert study.title == "The table SEEDS.csv"


def test_fewer_settings_are_tried_where_it_would_take_long(films: Look) -> None:
    many = {f"l{i}": 50 for i in range(1_000)}
    assert ahead.of(films).settings == propose.TRAININGS
    assert ahead.of(replace(films, positives=many)).settings == ahead.FEWEST_TRAININGS
    quick = ahead.of(films, each_tuned=False)
    assert (quick.settings, 0 < quick.minutes < ahead.of(films).minutes) == (0, True)


def test_every_trial_is_in_a_hypothesis_but_the_floor_of_base_rates(films: Look, folder: Path) -> None:
    write(films, "my", folder)
    study = declarations.load_study(folder / "experiments" / "my")
    assert study
    compared = {side for one in study.hypotheses for side in (one.trial, one.against)}
    assert {one.split()[0] for one in compared} == set(propose.trials(films.spec)) - {"floor_prior"}


@pytest.mark.parametrize("seed", range(30))
def test_any_name_of_a_column_survives(films: Look, folder: Path, seed: int) -> None:
    rng = random.Random(seed)
    signs = string.printable + "äß日本🎬\x7f\u2028\ufeff\x85"

    def name() -> str:
        return "".join(rng.choices(signs, k=rng.randint(1, 30)))

    names = [name() for _ in range(40)]
    given = with_spec(
        films,
        labels={"columns": names[:20], "min_rows": 20},
        text=names[20:25],
        lists=[{"column": names[25], "separator": ";"}, {"column": names[26], "separator": "\t"}],
        numeric=names[27:37],
        id=names[37],
        group=names[38],
        split=names[39],
    )
    write(given, "my", folder)
    assert loaded(folder, "my").dataset == given.spec.model_copy(update={"path": str(FILMS)})
    assert max(len(line) for line in (folder / "conf/datasets/my.yaml").read_text().splitlines()) < 400


@pytest.mark.parametrize(
    "name", ["null", "true", "no", "1e3", "~", "- a", "a: b", "a #b", "'", '"', "[", "{", "*a", "&a", "!a"]
)
def test_words_that_yaml_reads_as_something_else_are_text(films: Look, folder: Path, name: str) -> None:
    given = with_spec(films, labels={"prefix": name}, text=[name], lists=[], numeric=[])
    write(given, "my", folder)
    assert loaded(folder, "my").dataset.text == (name,)
    assert loaded(folder, "my").dataset.labels.prefix == name


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


# Names


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("my.csv", "my"),
        ("My Data (2).csv.gz", "My_Data_2"),
        ("_x.jsonl", "x"),
        (".hidden.tsv", "hidden"),
        ("a.b.parquet", "a_b"),
        ("été.csv", "été"),
        ("test.csv", "test_table"),
    ],
)
def test_a_study_is_called_like_its_file(folder: Path, file: str, name: str) -> None:
    (folder / "Makefile").write_text("test: ready\n\trarelabels\n")
    assert naming.study_name(Path(file), None, folder) == name
    assert naming.has_makefile(folder)


@pytest.mark.parametrize("name", ["", "_x", "a/b", "..", "a b", "-x", "x" * 101, "test"])
def test_a_name_that_can_be_no_study_is_refused(folder: Path, name: str) -> None:
    (folder / "Makefile").write_text("test: ready\n")
    with pytest.raises(UserError, match="--name"):
        naming.study_name(Path("my.csv"), name, folder)


def test_a_file_without_a_name_asks_for_one(folder: Path) -> None:
    with pytest.raises(UserError, match="say one with --name"):
        naming.study_name(Path("___.csv"), None, folder)


def test_no_study_hides_a_target_of_the_makefile() -> None:
    targets = re.findall(r"^([a-z-]+):.*##", (REPOSITORY / "Makefile").read_text(), re.MULTILINE)
    assert "test" in targets
    for target in targets:
        assert naming.study_name(Path(f"{target}.csv"), None, REPOSITORY) == f"{target}_table"


# All or nothing


@pytest.mark.parametrize("there", ["experiments/my", "conf/datasets/my.yaml"])
def test_what_is_there_is_not_overwritten(films: Look, folder: Path, there: str) -> None:
    (folder / there).parent.mkdir(parents=True)
    (folder / there).mkdir() if there == "experiments/my" else (folder / there).write_text("mine")
    before = everything(folder)
    with pytest.raises(UserError, match=re.escape(there)):
        naming.study_name(Path("my.csv"), None, folder)
    # Nor if it comes to be between the question and the writing.
    with pytest.raises(UserError, match=re.escape(there)):
        write(films, "my", folder)
    assert everything(folder) == before


def test_the_base_and_the_schema_of_a_folder_are_kept(films: Look, folder: Path) -> None:
    (folder / "conf").mkdir()
    base = templates.BASE.replace("[0, 1, 2, 3, 4]", "[7]")
    (folder / "conf/base.yaml").write_text(base)
    (folder / "conf/trial.schema.json").write_text("{}")
    written = write(films, "my", folder)
    assert Path("conf/base.yaml") not in written
    assert (folder / "conf/base.yaml").read_text() == base
    assert (folder / "conf/trial.schema.json").read_text() == "{}"
    assert loaded(folder, "my").seeds == (7,)


def test_with_a_base_that_does_not_load_nothing_is_written(films: Look, folder: Path) -> None:
    (folder / "conf").mkdir()
    (folder / "conf/base.yaml").write_text("lss: {kind: bce}\n")
    before = everything(folder)
    with pytest.raises(UserError, match=r"nothing is written: conf/base\.yaml: lss: unknown key") as caught:
        write(films, "my", folder)
    assert "\n" not in str(caught.value)
    assert everything(folder) == before


def test_a_list_too_long_for_a_declaration_says_what_to_do(films: Look, folder: Path) -> None:
    names = [f"a column with a long name, number {i}" for i in range(2_000)]
    with pytest.raises(UserError, match=r"nothing is written.*too long.*--labels 'is_\*'"):
        write(with_spec(films, labels={"columns": names}), "my", folder)
    assert everything(folder) == {}


@pytest.mark.parametrize("method", ["rename", "open"])
def test_a_disk_that_fails_leaves_nothing(
    films: Look, folder: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    real = getattr(Path, method)

    def fail(path: Path, *args, **kwargs):
        if method == "rename" or (path.name == "my.yaml" and args[:1] == ("x",)):
            raise OSError(28, "No space left on device", str(path))
        return real(path, *args, **kwargs)

    monkeypatch.setattr(Path, method, fail)
    with pytest.raises(UserError, match="cannot be written: No space left on device; nothing is changed"):
        write(films, "my", folder)
    monkeypatch.undo()
    assert list(folder.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_one_line(films: Look, folder: Path) -> None:
    (folder / "experiments").write_text("a file where a folder is to be")
    with pytest.raises(UserError, match="cannot be written"):
        write(films, "my", folder)
    assert list(everything(folder)) == ["experiments"]
