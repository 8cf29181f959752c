"""YAML, extends and --set to a Trial; every way to be wrong is told in one line with its file and key."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from rarelabels import config
from rarelabels.schema import BARE_ACCURACY, Trial, UserError

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

Write = Callable[..., Path]


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
    return config.load_trial(write(text), overrides or {})


def problems_of(text: str | bytes, overrides: dict[str, object] | None = None) -> list[str]:
    with pytest.raises(UserError) as caught:
        config.load_trial(write(text), overrides or {})
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


def test_mappings_merge_by_key_and_lists_are_replaced():
    trial = trial_of(HEAD + "model: {width: 8}\nseeds: [7]")
    assert trial.model.model_dump(include={"kind", "pooling", "width"}) == {
        "kind": "text_bag",
        "pooling": "tfidf",
        "width": 8,
    }
    assert trial.seeds == (7,)


def test_a_changed_kind_replaces_its_block():
    write(FOCAL, "parent")
    text = "extends: parent.yaml\nquestion: What does it do without?\nthread: somewhere else\n"
    assert trial_of(text + "loss: {kind: bce}").loss.model_dump() == {"kind": "bce", "form": "shipped"}


def test_the_same_kind_written_again_keeps_the_block():
    write(FOCAL, "parent")
    text = "extends: parent.yaml\nquestion: What does it do without?\nthread: somewhere else\n"
    assert trial_of(text + "loss: {kind: binary_focal, gamma: 1}").loss.alpha == 0.25  # type: ignore[union-attr]


def test_a_parent_may_leave_the_kind_to_its_child():
    write(STUDY_BASE.replace("kind: text_bag, ", ""), "_open")
    trial = trial_of(HEAD.replace("_base", "_open") + "model: {kind: text_bag}")
    assert trial.model.width == 32  # type: ignore[union-attr]


def test_yaml_is_1_2():
    trial = trial_of(HEAD + "training: {learning_rate: 1e-3}\nthresholds: {min_positives: 7}")
    assert trial.training.learning_rate == 0.001
    question = "no, off and yes are words: 2020-01-01"
    text = f"extends: _base.yaml\nquestion: '{question}'\nthread: yes"
    assert (trial_of(text).question, trial_of(text).thread) == (question, "yes")
    assert trial_of(text.replace("yes\n", "").replace("thread: yes", "thread: 2020-01-01")).thread == "2020-01-01"


def test_a_whole_number_may_stand_for_a_float():
    trial = trial_of(HEAD + "training: {learning_rate: 1}")
    assert isinstance(trial.training.learning_rate, float)


def test_a_byte_order_mark_is_harmless():
    assert config.load_trial(write(b"\xef\xbb\xbf" + FOCAL.encode())).name == "movies/t"


def test_a_trial_may_lie_anywhere(tmp_path: Path):
    (tmp_path / "elsewhere").mkdir()
    path = tmp_path / "elsewhere" / "mine.yml"
    path.write_text(FOCAL.replace("_base.yaml", "../experiments/movies/_base.yaml"))
    assert config.load_trial(path).name == "elsewhere/mine"


# Files that cannot be read


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("# a comment only\n", "is empty"),
        (b"question: \xff", "is not UTF-8"),
        (FOCAL.encode("utf-16"), "is not UTF-8"),
        ("[1, 2]", "allowed a mapping"),
        ("just text", "allowed a mapping"),
        ("watch: [auc", "line 1: not YAML"),
        ("watch:\t[auc]", "line 1: not YAML"),
        (b"question: \x07", "not YAML"),
        ("seeds: [" + "9" * 5000 + "]", "not YAML"),
        ("? [1, [2]]\n: 3", "not YAML"),
        ("? {a: 1}\n: 3", "line 1: not YAML"),
        ("watch: [auc]\nseeds: [1]\nwatch: [auc]", "line 3: key 'watch' is given twice"),
        ("loss: {kind: bce,\n kind: bce}", "line 2: key 'kind' is given twice"),
        ("watch: [auc]\n---\nwatch: [auc]", "line 2: a second document"),
        ("%YAML 1.1\n---\nthread: no", "%YAML directive"),
        ("watch: !!python/object/apply:os.system [ls]", "line 1: tags are not allowed"),
        ("watch: !env HOME", "line 1: tags are not allowed; given !env"),
        ("a: &x [1]\nb: *x", "line 1: anchors and aliases"),
        ("<<: {a: 1}", "merge keys"),
        ("a: " + "[" * 5000 + "]" * 5000, "nested too deeply"),
        ("a: " + "x" * 200_000, "too long"),
        ("3: 4", "a key must be text; given 3"),
        ("loss: {true: 4}", "a key must be text; given true"),
    ],
)
def test_an_unreadable_file_is_one_line(text: str | bytes, says: str):
    line = problem_of(text)
    assert line.startswith(HERE)
    assert says in line


def test_an_alias_bomb_does_not_hang():
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 60))
    assert "anchors and aliases" in problem_of(bomb)


def test_nothing_in_a_file_is_executed(tmp_path: Path):
    problem_of(f"watch: !!python/object/apply:pathlib.Path.touch ['{tmp_path}/touched']")
    assert not (tmp_path / "touched").exists()


def test_a_missing_file_and_a_folder():
    for path, says in [("experiments/movies/no.yaml", "no such file"), ("experiments/movies", "is not a file")]:
        with pytest.raises(UserError, match=says) as caught:
            config.load_trial(Path(path))
        assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_permission():
    write(FOCAL).chmod(0)
    with pytest.raises(UserError, match="Permission denied"):
        config.load_trial(Path("experiments/movies/t.yaml"))


# extends


def test_a_cycle_is_told_as_the_chain_of_files():
    write("extends: b.yaml", "a")
    write("extends: t.yaml", "b")
    assert problem_of("extends: a.yaml") == (
        f"{HERE}extends: a cycle: experiments/movies/t.yaml → experiments/movies/a.yaml → experiments/movies/b.yaml "
        "→ experiments/movies/t.yaml"
    )


def test_a_file_that_extends_itself_is_a_cycle():
    assert "a cycle: experiments/movies/t.yaml → experiments/movies/t.yaml" in problem_of("extends: t.yaml")


def test_a_missing_parent_names_both_files():
    line = problem_of(FOCAL.replace("_base.yaml", "_bse.yaml"))
    assert line == f"{HERE}extends: there is no file experiments/movies/_bse.yaml; did you mean '_base.yaml'?"


def test_four_files_may_extend_each_other_and_five_may_not():
    write(FOCAL, "third")
    fourth = "extends: third.yaml\nquestion: Is this one too many?\n"
    assert trial_of(fourth).loss.kind == "binary_focal"
    write(fourth, "fourth")
    line = problem_of("extends: fourth.yaml")
    assert "a chain of 5 files; allowed 4" in line
    assert "t.yaml → experiments/movies/fourth.yaml → experiments/movies/third.yaml" in line


@pytest.mark.parametrize(
    ("extends", "says"),
    [
        ("/etc/base.yaml", "an absolute path"),
        ("[a.yaml, b.yaml]", "allowed the relative path of one YAML file"),
        ("3", "allowed the relative path of one YAML file"),
        ("", "allowed the relative path of one YAML file"),
        ("../../../../etc/passwd", "not a YAML file"),
        ('"a\\0b.yaml"', "there is no file"),
        ("x" * 3000 + ".yaml", "there is no file"),
    ],
)
def test_a_parent_is_one_relative_yaml_file(extends: str, says: str):
    line = problem_of(f"extends: {extends}")
    assert line.startswith(f"{HERE}extends: ")
    assert says in line


def test_a_broken_parent_is_named():
    write("model: [", "_base")
    assert problem_of(FOCAL).startswith("experiments/movies/_base.yaml: line ")


# Keys and values


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("loss: {kind: binary_focal, gama: 2}", "loss.gama: unknown key; did you mean 'gamma'?"),
        ("los: {kind: bce}", "los: unknown key; did you mean 'loss'?"),
        ("loss: {gamma: 2}", "loss.gamma: unknown key; allowed with kind bce: kind, form"),
        ("training: {lr: 2}", "training.lr: unknown key; allowed: epochs, batch_size, optimizer, learning_rate, keep"),
        ("training.epochs: 3", "training.epochs: unknown key; dots are for --set; write training: {epochs: ...}"),
        ("extend: x.yaml", "extend: unknown key; did you mean 'extends'?"),
        (
            "loss: {kind: binary_fokal}",
            "loss.kind: unknown kind; did you mean 'binary_focal'?; allowed 'bce', 'weighted_bce', 'binary_focal', "
            "'categorical_ce'; given \"binary_fokal\"",
        ),
        (
            "dataset: {kind: movie}",
            "dataset.kind: unknown value; did you mean 'movies'?; allowed 'movies'; given \"movie\"",
        ),
        ("loss: 3", "loss: wrong type; allowed a mapping of keys to values; given 3"),
        ("training:", "training: wrong type; allowed a mapping of keys to values; given null"),
        ("training: {epochs: '3'}", 'training.epochs: wrong type; allowed a whole number; given "3"'),
        ("training: {epochs: true}", "training.epochs: wrong type; allowed a whole number; given true"),
        ("training: {epochs: 3.0}", "training.epochs: wrong type; allowed a whole number; given 3.0"),
        ("training: {epochs: 0}", "training.epochs: out of range; allowed at least 1; given 0"),
        ("training: {learning_rate: .nan}", "training.learning_rate: out of range; allowed a finite number; given NaN"),
        (
            "training: {learning_rate: -.inf}",
            "training.learning_rate: out of range; allowed a finite number; given -Infinity",
        ),
        ("training: {learning_rate: fast}", 'training.learning_rate: wrong type; allowed a number; given "fast"'),
        ("training: {learning_rate: true}", "training.learning_rate: wrong type; allowed a number; given true"),
        (
            "training: {optimizer: adamw}",
            "training.optimizer: unknown value; did you mean 'adam'?; allowed 'adam'; given \"adamw\"",
        ),
        ("model: {wide: no}", 'model.wide: wrong type; allowed true or false; given "no"'),
        ("model: {hidden: 64}", "model.hidden: wrong type; allowed a list; given 64"),
        ("model: {hidden: [64, big]}", 'model.hidden[1]: wrong type; allowed a whole number; given "big"'),
        ("dataset: {labels: 40}", "dataset.labels: out of range; allowed at most 21; given 40"),
        ("loss: {kind: binary_focal, alpha: 1}", "loss.alpha: out of range; allowed less than 1; given 1"),
        ("seeds: []", "seeds: too short; allowed a list of at least 1; given []"),
        ("seeds: [a]", 'seeds[0]: wrong type; allowed a whole number; given "a"'),
        ("seeds: [1, 1]", "seeds: lists something twice; given [1, 1]"),
        (
            "watch: [auk]",
            "watch[0]: unknown value; did you mean 'auc'?; "
            "allowed 'binary_accuracy', 'categorical_accuracy' or 'auc'; given \"auk\"",
        ),
        ("watch: [accuracy]", f'watch: {BARE_ACCURACY}; given ["accuracy"]'),
        ("watch: accuracy", f'watch: {BARE_ACCURACY}; given "accuracy"'),
        ("name: movies/mine", "name: cannot be written: the name of a trial is the path of its file; leave it out"),
    ],
)
def test_a_wrong_key_or_value_is_one_line(lines: str, expected: str):
    assert problem_of(HEAD + lines) == HERE + expected


def test_a_missing_key_says_where_it_may_be_written():
    write("model: {kind: text_bag}\nextends: ../../conf/base.yaml", "_base")
    assert problem_of(FOCAL) == (
        f"{HERE}training: is missing; write it in experiments/movies/t.yaml or experiments/movies/_base.yaml "
        "or conf/base.yaml"
    )
    assert problem_of(
        FOCAL.replace("extends: _base.yaml", "extends: _base.yaml\ntraining: {epochs: 3, batch_size: 4}")
    ) == (
        f"{HERE}training.learning_rate: is missing; write it in experiments/movies/t.yaml or "
        "experiments/movies/_base.yaml or conf/base.yaml"
    )


def test_a_missing_kind():
    write(STUDY_BASE.replace("kind: text_bag, ", ""), "_base")
    assert problem_of(FOCAL).startswith(f"{HERE}model.kind: is missing; write it in")


def test_a_problem_names_the_file_that_wrote_the_value():
    write(STUDY_BASE.replace("epochs: 12", "epochs: 0"), "_base")
    assert problem_of(HEAD + "training: {batch_size: 8}").startswith("experiments/movies/_base.yaml: training.epochs: ")
    assert problem_of(HEAD + "training: {epochs: -1}").startswith(f"{HERE}training.epochs: ")
    assert problem_of(HEAD, {"training.epochs": -2}).startswith("--set: training.epochs: ")


def test_a_replaced_block_forgets_where_the_old_one_came_from():
    write(STUDY_BASE + "loss: {kind: binary_focal, gamma: 2}", "_base")
    assert problem_of(HEAD + "loss: {kind: bce, gamma: 3}").startswith(f"{HERE}loss.gamma: unknown key")


def test_a_contradiction_says_which_file_brought_each_side():
    line = problem_of(HEAD + "loss: {kind: weighted_bce}")
    assert line.startswith(
        f"{HERE}loss.kind 'weighted_bce' with weighting.kind 'none': weighted_bce and pos_weight need"
    )
    assert line.endswith("(loss.kind from experiments/movies/t.yaml, weighting.kind from conf/base.yaml)")


def test_everything_wrong_is_told_at_once_in_a_stable_order():
    write(STUDY_BASE.replace("epochs: 12", "epochs: many"), "_base")
    text = HEAD + "watch: [accuracy]\nmodel: {widht: 3, dropout: 2}\nloss: {kind: fokal}\ncolour: red\n"
    lines = problems_of(text)
    assert [line.split(": ")[1] for line in lines] == [
        "training.epochs",
        "colour",
        "loss.kind",
        "model.dropout",
        "model.widht",
        "watch",
    ]
    assert lines == problems_of(text)


def test_an_unknown_key_does_not_hide_a_contradiction_nor_a_wrong_sweep():
    lines = problems_of(HEAD + "loss: {kind: weighted_bce, gama: 1}\nvary: {dataset.labels: [3, 99]}")
    assert len(lines) == 3
    assert "need each other" in lines[0]
    assert "loss.gama: unknown key" in lines[1]
    assert "vary.dataset.labels: dataset.labels=99: out of range; allowed at most 21" in lines[2]


def test_a_long_or_unprintable_value_is_shown_short_on_one_line():
    line = problem_of(HEAD + f'training: {{epochs: "{"x" * 500}"}}')
    assert len(line) < 200
    problem_of(HEAD + '"\\ud800": 3').encode()  # half a character, which no terminal can print
    assert "\x1b" not in problem_of(HEAD + '"col\\eour\\n\\u2028": 3')


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
    assert config.parse_override(text) == expected


@pytest.mark.parametrize("text", ["training.epochs", "=3", "training.epochs=", "training..epochs=3", "", "a b=3"])
def test_an_override_without_key_or_value_is_refused(text: str):
    with pytest.raises(UserError, match=r"^--set: .*allowed <dotted\.key>=<value>") as caught:
        config.parse_override(text)
    assert json.dumps(text) in str(caught.value)


@pytest.mark.parametrize("text", ["a=[1", "a=!!python/name:os.system", "a={b: 1, b: 2}", "a=1\n---\n2"])
def test_the_value_of_an_override_is_read_as_safely_as_a_file(text: str):
    with pytest.raises(UserError, match=r"^--set: a: line "):
        config.parse_override(text)


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
    floor, focal = config.load_many(["movies"], {"model.width": 8, "training.epochs": 2})
    assert (floor.name, focal.name) == ("movies/floor", "movies/focal")
    assert focal.model.width == 8  # type: ignore[union-attr]
    assert (floor.training.epochs, focal.training.epochs) == (2, 2)


def test_an_unwritten_field_with_a_default_can_be_overridden():
    assert trial_of(FOCAL, {"model.dropout": 0.5}).model.dropout == 0.5  # type: ignore[union-attr]


def test_an_override_that_no_trial_has_a_key_for_is_refused_with_the_nearest():
    write(FOCAL, "focal")
    write(FLOOR, "floor")
    with pytest.raises(UserError) as caught:
        config.load_many(["movies"], {"model.widht": 8})
    assert str(caught.value) == "--set: model.widht: no trial that is named has this key; did you mean 'model.width'?"
    with pytest.raises(UserError, match=r"model\.width: no trial that is named has this key"):
        config.load_many(["movies/floor"], {"model.width": 8})


def test_a_missing_key_of_an_overridden_kind_is_to_be_set_too():
    line = problem_of(FOCAL.replace("watch: [auc]", ""), {"model.kind": "floor", "loss.kind": "bce"})
    assert line == "--set: model.predicts: is missing; add --set model.predicts=<value>"


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
        config.load_many(["movies"], {"training.epochs": 0})
    starts = [line.split(": ")[:2] for line in str(caught.value).split("\n")]
    assert starts == [
        ["--set", "training.epochs"],
        ["experiments/movies/a.yaml", "watch"],
        ["experiments/movies/b.yaml", "line 1"],
    ]


def test_names_are_trials_studies_and_paths_without_repeats():
    focal, floor = write(FOCAL, "focal"), write(FLOOR, "floor")
    Path("experiments/movies/study.yaml").write_text("title: t")
    assert config.all_trials(Path("experiments")) == [floor, focal]
    assert config.find(["movies"]) == [floor, focal]
    assert config.find(["movies/focal", "movies/", str(focal), str(focal.resolve())]) == [focal, floor]


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
        config.find([name])
    assert says in str(caught.value)


def test_all_wrong_names_are_told():
    with pytest.raises(UserError) as caught:
        config.find(["zzz", "yyy"])
    assert len(str(caught.value).split("\n")) == 2


def test_without_the_folder_of_experiments_one_is_told_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = write(FOCAL).resolve()
    monkeypatch.chdir(tmp_path / "conf")
    with pytest.raises(UserError, match=r"there is no folder experiments/ in .*change to the folder"):
        config.find(["movies"])
    assert config.find([str(path)]) == [path]


# Variants


def test_a_sweep_is_its_variants():
    trial = trial_of(HEAD + "vary: {dataset.labels: [3, 5]}")
    (first, three), (second, five) = config.variants(trial)
    assert (first, second) == ("dataset.labels=3", "dataset.labels=5")
    assert (three.dataset.labels, five.dataset.labels) == (3, 5)
    assert three.vary is None
    assert three.model == trial.model


def test_without_a_sweep_there_is_the_trial_itself():
    trial = trial_of(FOCAL)
    assert config.variants(trial) == [("", trial)]


def test_kinds_and_lists_can_vary():
    by_loss = config.variants(trial_of(FOCAL + "vary: {loss.kind: [bce, categorical_ce]}"))
    assert [(label, one.loss.kind) for label, one in by_loss] == [
        ("loss.kind=bce", "bce"),
        ("loss.kind=categorical_ce", "categorical_ce"),
    ]
    by_depth = config.variants(trial_of(HEAD + "vary: {model.hidden: [[], [64, 32]]}"))
    assert [label for label, _ in by_depth] == ["model.hidden=[]", "model.hidden=[64, 32]"]


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
            'vary.dataset.labels: dataset.labels=3: wrong type; allowed a whole number; given "3"',
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
    path.write_text(config.dump(trial), encoding="utf-8")
    assert config.load_trial(path) == trial
    assert "extends" not in path.read_text()


def test_flat_keys_are_those_of_set():
    trial = trial_of(FOCAL + "model: {hidden: [64, 32]}")
    flat = config.flat(trial)
    assert flat["training.epochs"] == 12
    assert flat["loss.kind"] == "binary_focal"
    assert flat["model.hidden"] == "[64, 32]"
    assert flat["watch"] == '["auc"]'
    assert not {"name", "question", "thread", "vary"} & set(flat)
    again = trial_of(
        FOCAL,
        dict(
            config.parse_override(f"{key}={json.dumps(value) if value is None else value}")
            for key, value in flat.items()
        ),
    )
    assert again == trial


def test_the_json_schema_is_that_of_a_file_as_written():
    schema = config.json_schema()
    assert schema["additionalProperties"] is False
    assert "extends" in schema["properties"]
    assert "name" not in schema["properties"]
    assert set(Trial.model_fields) - {"name"} <= set(schema["properties"])
    text = json.dumps(schema)
    assert '"required"' not in text
    assert "oneOf" not in text  # {min_rows: 3} without a kind fits two models
    assert schema["$defs"]["BinaryFocal"]["properties"]["kind"]["const"] == "binary_focal"


def test_a_study_is_read_and_explained():
    folder = Path("experiments/movies")
    assert config.load_study(folder) is None
    (folder / "study.yaml").write_text("title: Films\nquestion: Which loss?\nthread: movie_genres\nhypotheses: []")
    study = config.load_study(folder)
    assert study is not None
    assert study.title == "Films"
    (folder / "study.yaml").write_text(
        "titel: Films\nquestion: Which loss?\nthread: 3\nhypotheses: [{name: A b, trail: x}]"
    )
    with pytest.raises(UserError) as caught:
        config.load_study(folder)
    message = str(caught.value)
    assert "experiments/movies/study.yaml: titel: unknown key; did you mean 'title'?" in message
    assert "experiments/movies/study.yaml: thread: wrong type; allowed text; given 3" in message
    assert "experiments/movies/study.yaml: hypotheses[0].trail: unknown key; did you mean 'trial'?" in message
    assert "experiments/movies/study.yaml: hypotheses[0].claim: is missing" in message
    assert "experiments/movies/study.yaml: hypotheses[0].name: wrong form; allowed text that matches" in message


def test_importing_config_imports_nothing_heavy():
    heavy = ["tensorflow", "keras", "mlflow", "pandas", "numpy", "sklearn", "dask", "optuna", "matplotlib"]
    code = f"import sys, rarelabels.config; print([m for m in {heavy} if m in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
