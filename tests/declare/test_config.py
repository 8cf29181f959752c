"""Files, ``--set`` and ``vary`` to trials and studies; what is wrong is told with its file and key.

Reading YAML and extends: test_declared.py. Explaining wrong values: test_problems.py.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from declared_search import search
from rarelabels.declare import as_yaml, declarations, find, override, variants
from rarelabels.declare.trial import Trial
from rarelabels.errors import UserError

BASE = """
loss: {kind: bce}
weighting: {kind: none}
thresholds: {min_positives: 5}
seeds: [0, 1, 2]
dataset: {kind: movies, labels: 17}
"""
STUDY_BASE = """
extends: ../../conf/base.yaml
model: {kind: text_bag, pooling: tfidf, width: 32}
training: {epochs: 12, batch_size: 256, learning_rate: 4.0e-3}
"""
HEAD = """
extends: _base.yaml
question: Does focal loss do better?
thread: movie_genres, third trial
"""
FOCAL = HEAD + "loss: {kind: binary_focal, gamma: 2.0, alpha: 0.25}\nwatch: [auc]\n"
FLOOR = HEAD + "model: {kind: floor, predicts: zeros}\n"


@pytest.fixture(autouse=True)
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a small project, which is the current folder."""
    for folder in ("conf", "experiments/movies", "experiments/clothes"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "conf/base.yaml").write_text(BASE)
    (tmp_path / "experiments/movies/_base.yaml").write_text(STUDY_BASE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(text: str | bytes, name: str = "t") -> Path:
    path = Path(f"experiments/movies/{name}.yaml")
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def trial_of(text: str, overrides: dict[str, object] | None = None) -> Trial:
    return declarations.load_trial(write(text), overrides or {})


def problems_of(text: str | bytes, overrides: dict[str, object] | None = None) -> list[str]:
    with pytest.raises(UserError) as caught:
        declarations.load_trial(write(text), overrides or {})
    return str(caught.value).split("\n")


def problem_of(text: str | bytes, overrides: dict[str, object] | None = None) -> str:
    (line,) = problems_of(text, overrides)
    return line


HERE = "experiments/movies/t.yaml: "


# What a good file means


def test_a_trial_is_its_file_over_its_parents():
    trial = trial_of(FOCAL)
    assert trial.name == "movies/t"
    assert trial.loss.model_dump() == {"kind": "binary_focal", "gamma": 2.0, "alpha": 0.25, "reduction": "mean"}
    assert trial.seeds == (0, 1, 2)
    assert trial.training.epochs == 12
    assert trial.training.learning_rate == 0.004
    assert trial.watch == ("auc",)


def test_a_whole_number_may_stand_for_a_float():
    trial = trial_of(HEAD + "training: {learning_rate: 1}")
    assert isinstance(trial.training.learning_rate, float)


def test_a_trial_may_lie_anywhere(tmp_path: Path):
    (tmp_path / "elsewhere").mkdir()
    path = tmp_path / "elsewhere" / "mine.yml"
    path.write_text(FOCAL.replace("_base.yaml", "../experiments/movies/_base.yaml"))
    assert declarations.load_trial(path).name == "elsewhere/mine"


def test_what_is_wrong_is_told_with_the_file_it_came_from():
    Path("experiments/movies/_base.yaml").write_text(STUDY_BASE.replace("epochs: 12", "epochs: 0"))
    assert problems_of(HEAD + "loss: {kind: binary_focal, gama: 2}") == [
        "experiments/movies/_base.yaml: training.epochs: out of range; allowed at least 1; given 0",
        f"{HERE}loss.gama: unknown key; did you mean 'gamma'?",
    ]
    assert "experiments/movies/t.yaml or experiments/movies/_base.yaml or conf/base.yaml" in problem_of(
        HEAD + "training: {epochs: 1}\nmodel: {kind: floor}"
    )
    assert problem_of("watch: [auc").startswith(f"{HERE}line 1: not YAML")


def test_the_name_of_a_trial_is_not_written():
    assert problem_of(HEAD + "name: movies/mine") == (
        f"{HERE}name: cannot be written: the name of a trial is the path of its file; leave it out"
    )


# --set


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("training.epochs=3", ("training.epochs", 3)),
        ("training.learning_rate=1e-3", ("training.learning_rate", 0.001)),
        ("loss.alpha=null", ("loss.alpha", None)),
        ("model.wide=true", ("model.wide", True)),
        ("loss.kind=no", ("loss.kind", "no")),
        ("loss={kind: bce}", ("loss", {"kind": "bce"})),
        ("thread=a=b", ("thread", "a=b")),
    ],
)
def test_an_override_is_a_key_and_a_yaml_value(text: str, expected: tuple[str, object]):
    assert override.parse_override(text) == expected


@pytest.mark.parametrize("text", ["training.epochs", "=3", "training.epochs=", "training..epochs=3", "", "a b=3"])
def test_an_override_without_key_or_value_is_refused(text: str):
    with pytest.raises(UserError, match=r"^--set: .*allowed <dotted\.key>=<value>") as caught:
        override.parse_override(text)
    assert json.dumps(text) in str(caught.value)


@pytest.mark.parametrize("text", ["a=[1", "a=!!python/name:os.system", "a={b: 1, b: 2}", "a=1\n---\n2"])
def test_the_value_of_an_override_is_read_as_safely_as_a_file(text: str):
    with pytest.raises(UserError, match=r"^--set: a: line "):
        override.parse_override(text)


def test_overrides_change_a_trial():
    trial = trial_of(FOCAL, {"training.epochs": 3, "model.hidden": [64, 32], "seeds": [9], "loss.alpha": None})
    assert (trial.training.epochs, trial.seeds) == (3, (9,))
    assert trial.model.hidden == (64, 32)  # type: ignore[union-attr]
    assert trial.loss.alpha is None  # type: ignore[union-attr]


def test_an_overridden_kind_replaces_the_block_in_any_order():
    overrides: dict[str, object] = {"loss.targets": "normalised", "loss.kind": "categorical_ce"}
    assert trial_of(FOCAL, overrides).loss.model_dump() == {
        "kind": "categorical_ce",
        "form": "shipped",
        "targets": "normalised",
    }


def test_an_overridden_trial_is_validated_again():
    assert "need each other" in problem_of(FOCAL, {"loss.kind": "weighted_bce"})


@pytest.mark.parametrize("key", ["name", "question", "thread", "extends"])
def test_what_a_trial_is_cannot_be_overridden(key: str):
    assert problem_of(FOCAL, {key: "something else"}).startswith(f"--set: {key}: cannot be overridden: ")


def test_each_override_goes_to_the_trials_that_have_its_key():
    write(FOCAL, "focal")
    write(FLOOR, "floor")
    floor, focal = find.load_many(["movies"], {"model.width": 8, "training.epochs": 2})
    assert (floor.name, focal.name) == ("movies/floor", "movies/focal")
    assert focal.model.width == 8  # type: ignore[union-attr]
    assert (floor.training.epochs, focal.training.epochs) == (2, 2)


def test_an_unwritten_field_with_a_default_can_be_overridden():
    assert trial_of(FOCAL, {"model.max_length": 8}).model.max_length == 8  # type: ignore[union-attr]


def test_an_override_that_no_trial_has_a_key_for_is_refused_with_the_nearest():
    write(FOCAL, "focal")
    write(FLOOR, "floor")
    with pytest.raises(UserError) as caught:
        find.load_many(["movies"], {"model.widht": 8})
    assert str(caught.value) == "--set: model.widht: no trial that is named has this key; did you mean 'model.width'?"
    with pytest.raises(UserError, match=r"model\.width: no trial that is named has this key"):
        find.load_many(["movies/floor"], {"model.width": 8})


def test_an_override_that_a_sweep_would_undo_is_refused():
    text = HEAD + "vary: {dataset.labels: [3, 5]}"
    line = problem_of(text, {"dataset.labels": 8})
    assert line.startswith("--set: dataset.labels: is what experiments/movies/t.yaml varies")
    assert trial_of(text, {"dataset.labels": 8, "vary": None}).dataset.labels == 8
    assert trial_of(text, {"vary.dataset.labels": [8]}).vary == {"dataset.labels": (8,)}


# Many


def test_the_problems_of_all_files_and_overrides_come_together():
    write(HEAD + "watch: [accuracy]", "a")
    write("[", "b")
    write(FOCAL, "c")
    with pytest.raises(UserError) as caught:
        find.load_many(["movies"], {"training.epochs": 0})
    starts = [line.split(": ")[:2] for line in str(caught.value).split("\n")]
    assert starts == [
        ["--set", "training.epochs"],
        ["experiments/movies/a.yaml", "watch"],
        ["experiments/movies/b.yaml", "line 1"],
    ]


def test_names_are_trials_studies_and_paths_without_repeats():
    focal, floor = write(FOCAL, "focal"), write(FLOOR, "floor")
    Path("experiments/movies/study.yaml").write_text("title: t")
    assert find.all_trials(Path("experiments")) == [floor, focal]
    assert find.find(["movies"]) == [floor, focal]
    assert find.find(["movies/focal", "movies/", str(focal), str(focal.resolve())]) == [focal, floor]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        (
            "movies/focal_acc",
            "no trial or study 'movies/focal_acc' under experiments/; did you mean 'movies/focal_auc'?",
        ),
        ("movie", "no trial or study 'movie' under experiments/; did you mean 'movies'?"),
        ("zzz", "no trial or study 'zzz' under experiments/; there are: clothes, movies"),
        ("clothes", "study 'clothes' has no trials yet"),
        ("movies/_base", "is not a trial: files that begin with '_'"),
        ("experiments/movies/_base.yaml", "is not a trial: files that begin with '_'"),
        ("movies/study", "is not a trial: it describes the study"),
        ("experiments/movies/study.yaml", "is not a trial: it describes the study"),
        ("experiments/movies/gone.yaml", "experiments/movies/gone.yaml: there is no such file"),
        ("../conf/base", "no trial or study '../conf/base'"),
    ],
)
def test_a_name_that_is_no_trial_is_refused(name: str, says: str):
    write(FOCAL, "focal_auc")
    with pytest.raises(UserError) as caught:
        find.find([name])
    assert says in str(caught.value)


def test_all_wrong_names_are_told():
    with pytest.raises(UserError) as caught:
        find.find(["zzz", "yyy"])
    assert len(str(caught.value).split("\n")) == 2


def test_without_the_folder_of_experiments_one_is_told_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = write(FOCAL).resolve()
    monkeypatch.chdir(tmp_path / "conf")
    with pytest.raises(UserError, match=r"there is no folder experiments/ in .*change to the folder"):
        find.find(["movies"])
    assert find.find([str(path)]) == [path]


# Variants


def test_a_sweep_is_its_variants():
    trial = trial_of(HEAD + "vary: {dataset.labels: [3, 5]}")
    (first, three), (second, five) = variants.variants(trial)
    assert (first, second) == ("dataset.labels=3", "dataset.labels=5")
    assert (three.dataset.labels, five.dataset.labels) == (3, 5)
    assert three.vary is None
    assert three.model == trial.model


def test_without_a_sweep_there_is_the_trial_itself():
    trial = trial_of(FOCAL)
    assert variants.variants(trial) == [("", trial)]


def test_kinds_and_lists_can_vary():
    by_loss = variants.variants(trial_of(FOCAL + "vary: {loss.kind: [bce, categorical_ce]}"))
    assert [(label, one.loss.kind) for label, one in by_loss] == [
        ("loss.kind=bce", "bce"),
        ("loss.kind=categorical_ce", "categorical_ce"),
    ]
    by_depth = variants.variants(trial_of(HEAD + "vary: {model.hidden: [[], [64, 32]]}"))
    assert [label for label, _ in by_depth] == ["model.hidden=[]", "model.hidden=[64, 32]"]


def test_numbers_of_labels_and_their_names_may_be_varied():
    trial = trial_of(HEAD + "vary: {dataset.labels: [3, 5, 8, [Drama, War]]}")
    found = variants.variants(trial)
    assert [label for label, _ in found] == [
        *("dataset.labels=3", "dataset.labels=5", "dataset.labels=8"),
        'dataset.labels=["Drama", "War"]',
    ]
    assert [one.dataset.labels for _, one in found] == [3, 5, 8, ("Drama", "War")]
    assert as_yaml.flat(found[-1][1])["dataset.labels"] == '["Drama", "War"]'
    assert trial_of(as_yaml.dump(found[-1][1])).dataset.labels == ("Drama", "War")


def test_an_unknown_key_does_not_hide_a_wrong_sweep():
    unknown, sweep = problems_of(HEAD + "loss: {kind: bce, gama: 1}\nvary: {dataset.labels: [3, 99]}")
    assert "loss.gama: unknown key" in unknown
    assert "vary.dataset.labels: dataset.labels=99: out of range; allowed at most 21" in sweep


@pytest.mark.parametrize(
    ("vary", "expected"),
    [
        ("{dataset.label: [3]}", "vary.dataset.label: unknown key; did you mean 'dataset.labels'?"),
        ("{loss.gamma: [3]}", "vary.loss.gamma: unknown key"),
        ("{seeds: [[3]]}", "vary.seeds: unknown key; allowed a key in dataset, model, loss,"),
        (
            "{dataset.labels: [3, 40]}",
            "vary.dataset.labels: dataset.labels=40: out of range; allowed at most 21; given 40",
        ),
        (
            "{dataset.labels: ['3']}",
            'vary.dataset.labels: dataset.labels=3: wrong type; allowed a whole number or a list; given "3"',
        ),
        ("{dataset.labels: [3, 3]}", "vary.dataset.labels: dataset.labels=3: lists the same value twice"),
        ("{training.learning_rate: [.nan]}", "vary.training.learning_rate: training.learning_rate=NaN: out of range"),
        ("{loss.kind: [bce, weighted_bce]}", "vary.loss.kind: loss.kind=weighted_bce: loss.kind 'weighted_bce' with"),
        ("{dataset.labels: 3}", "vary.dataset.labels: wrong type; allowed a list; given 3"),
        ("[3]", "vary: wrong type; allowed a mapping of keys to values; given [3]"),
        ("{dataset.labels: [3], model.width: [8]}", "vary: takes exactly one dotted key with at least one value"),
        ("{dataset.labels: []}", "vary: takes exactly one dotted key with at least one value"),
    ],
)
def test_a_wrong_sweep_is_a_problem_of_the_file(vary: str, expected: str):
    assert problem_of(HEAD + f"vary: {vary}").startswith(HERE + expected)


# Output


@pytest.mark.parametrize("text", [FOCAL, FLOOR, HEAD + "vary: {training.learning_rate: [1.0e-5, 2]}\nseeds: [3, 1]"])
def test_a_dumped_trial_loads_equal(text: str, tmp_path: Path):
    trial = trial_of(text.replace("Does focal loss do better?", '"no: is #1 → 1e-3\\n better?"'))
    path = tmp_path / "copy" / "movies" / "t.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(as_yaml.dump(trial), encoding="utf-8")
    assert declarations.load_trial(path) == trial
    assert "extends" not in path.read_text()


def test_flat_keys_are_those_of_set():
    trial = trial_of(FOCAL + "model: {hidden: [64, 32]}")
    flat = as_yaml.flat(trial)
    assert flat["training.epochs"] == 12
    assert flat["loss.kind"] == "binary_focal"
    assert flat["model.hidden"] == "[64, 32]"
    assert flat["watch"] == '["auc"]'
    assert not {"name", "question", "thread", "vary"} & set(flat)
    again = trial_of(
        FOCAL,
        dict(
            override.parse_override(f"{key}={json.dumps(value) if value is None else value}")
            for key, value in flat.items()
        ),
    )
    assert again == trial


def test_the_json_schema_is_that_of_a_file_as_written():
    schema = as_yaml.json_schema()
    assert schema["additionalProperties"] is False
    assert "extends" in schema["properties"]
    assert "name" not in schema["properties"]
    assert set(Trial.model_fields) - {"name"} <= set(schema["properties"])
    text = json.dumps(schema)
    assert '"required"' not in text
    assert "oneOf" not in text  # {min_rows: 3} without a kind fits two models
    assert schema["$defs"]["BinaryFocal"]["properties"]["kind"]["const"] == "binary_focal"


# Paths of tables

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


@pytest.mark.parametrize("vary", ["", "vary: {dataset.path: [a.csv, b.csv]}"])
def test_a_dumped_trial_on_a_table_loads_equal_anywhere(vary: str, tmp_path: Path):
    trial = trial_of(HEAD + TABLE % "a.csv" + vary)
    path = tmp_path / "copy/movies/t.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(as_yaml.dump(trial))
    assert declarations.load_trial(path) == trial


def test_a_path_that_can_be_none_is_a_problem_of_its_file():
    line = problem_of(HEAD + TABLE % "~nobody-of-that-name/a.csv")
    assert line.startswith(HERE + "dataset.path: cannot be a path")
    assert problem_of(HEAD + TABLE % "3") == HERE + "dataset.path: wrong type; allowed text; given 3"
    assert "at least 1 characters" in problem_of(HEAD + TABLE % '""')
    assert problem_of(HEAD + "dataset: {path: a.csv}").startswith(HERE + "dataset.path: unknown key")


# Studies

STUDY = "title: Films\nquestion: Which loss?\nthread: movie_genres\n"
CLAIM = "claim: Focal loss is better., source: thread, metric: test/half/macro_f1, direction: greater, margin: 0.03"


def write_study(text: str, folder: Path = Path("experiments/movies")) -> Path:
    (folder / "study.yaml").write_text(text)
    return folder


def study_problems_of(text: str) -> list[str]:
    with pytest.raises(UserError) as caught:
        declarations.load_study(write_study(text))
    return str(caught.value).removeprefix("experiments/movies/study.yaml: ").split("\nexperiments/movies/study.yaml: ")


def test_a_study_is_what_its_folder_says():
    assert declarations.load_study(Path("experiments/movies")) is None
    write(FOCAL, "focal")
    write(FLOOR, "floor_zeros")
    text = f"{STUDY}hypotheses: [{{name: better, trial: focal, against: floor_zeros, {CLAIM}}}]"
    study = declarations.load_study(write_study(text))
    assert study is not None
    assert (study.title, study.hypotheses[0].against) == ("Films", "floor_zeros")


def test_baselines_are_trials_of_the_folder():
    write(FOCAL, "focal")
    write(FLOOR, "floor_zeros")
    study = declarations.load_study(write_study(f"{STUDY}baselines: [focal]\ncompetence_margin: 0.02\n"))
    assert study is not None
    assert (study.baselines, study.competence_margin) == (("focal",), 0.02)
    assert study_problems_of(f"{STUDY}baselines: [focal, floor_zero]") == [
        "baselines: no trial 'floor_zero' in this folder; did you mean 'floor_zeros'?"
    ]


def test_what_is_wrong_with_a_study_is_told_at_once():
    lines = study_problems_of(
        STUDY.replace("title", "titel") + "hypotheses: [{name: better, trail: x}]\nextends: x.yaml"
    )
    assert "titel: unknown key; did you mean 'title'?" in lines
    assert "title: is missing; write it in experiments/movies/study.yaml" in lines
    assert "hypotheses[0].trail: unknown key; did you mean 'trial'?" in lines
    assert any(line.startswith("extends: unknown key") for line in lines)


def test_a_hypothesis_is_about_trials_of_its_own_folder():
    write(FOCAL, "focal_auc")
    write(FLOOR, "floor_zeros")
    text = f"{STUDY}hypotheses: [{{name: better, trial: focal, against: _base, {CLAIM}}}]"
    assert study_problems_of(text) == [
        "hypotheses.better.against: no trial '_base' in this folder; there are: floor_zeros, focal_auc",
        "hypotheses.better.trial: no trial 'focal' in this folder; did you mean 'focal_auc'?",
    ]


def test_importing_config_imports_nothing_heavy():
    heavy = ["tensorflow", "keras", "mlflow", "pandas", "numpy", "sklearn", "dask", "optuna", "matplotlib"]
    code = f"import sys, rarelabels.declare.declarations; print([m for m in {heavy} if m in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


# Keys that no search varies


@pytest.mark.parametrize(
    ("key", "trouble"),
    [
        ("model.c", "is a grid, of which validation chooses already; declare one number to search"),
        ("model.field_weights", "holds a number for each field, not one; declare a trial for each choice"),
    ],
)
def test_what_of_the_linear_model_is_not_searched(key: str, trouble: str):
    text = HEAD + "model: {kind: linear, c: [1.0, 5.0]}\n" + search(f"{{{key}: {{low: 0.1, high: 9.0}}}}")
    assert problem_of(text) == f"{HERE}tuning.space.{key}: {trouble}"
    searched = text.replace("[1.0, 5.0]", "5.0").replace(key, "model.c")
    assert trial_of(searched).tuning is not None
