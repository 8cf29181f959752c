"""What is wrong with declared values is told in lines: which file, which key, what is allowed, what was given."""

from typing import get_args

import pytest

from declared_search import search
from rarelabels.declare.data import DatasetSpec
from rarelabels.declare.losses import LossSpec
from rarelabels.declare.problems import OVERRIDE, InputError, Origins, Problem, keys, show, validate
from rarelabels.declare.safe_yaml import parse
from rarelabels.declare.study import StudySpec
from rarelabels.declare.training import BARE_ACCURACY
from rarelabels.declare.trial import Trial
from rarelabels.declare.yaml_files import Declared

BASE = """
name: movies/t
question: Does focal loss do better?
thread: movie_genres, third trial
dataset: {kind: movies, labels: 17}
model: {kind: text_bag, width: 32}
loss: {kind: bce}
weighting: {kind: none}
training: {epochs: 12, batch_size: 256, learning_rate: 4.0e-3}
thresholds: {min_positives: 5}
seeds: [0, 1, 2]
"""


def declared_of(lines: str, base: str = BASE, overrides: str = "{}") -> Declared:
    declared = Declared({}, Origins(("t.yaml", "base.yaml"), {}))
    for text, where in ((base, "base.yaml"), (lines or "{}", "t.yaml"), (overrides, OVERRIDE)):
        declared = declared.under(parse(text, where), where)
    return declared


def problems_of(lines: str, base: str = BASE, overrides: str = "{}") -> list[str]:
    declared = declared_of(lines, base, overrides)
    trial, problems = validate(Trial, declared.data, declared.origins)
    assert trial is None
    return str(InputError(problems)).split("\n")


def problem_of(lines: str, base: str = BASE, overrides: str = "{}") -> str:
    (line,) = problems_of(lines, base, overrides)
    return line


def kinds(of_blocks: object) -> str:
    """The kinds of a block, as messages list them."""
    blocks = get_args(get_args(of_blocks)[0])
    return ", ".join(repr(get_args(block.model_fields["kind"].annotation)[0]) for block in blocks)


def test_nothing_wrong_is_the_model_and_no_problem():
    declared = declared_of("seeds: [7]")
    trial, problems = validate(Trial, declared.data, declared.origins)
    assert trial is not None
    assert trial.seeds == (7,)
    assert problems == set()


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("loss: {kind: binary_focal, gama: 2}", "loss.gama: unknown key; did you mean 'gamma'?"),
        ("los: {kind: bce}", "los: unknown key; did you mean 'loss'?"),
        ("loss: {gamma: 2}", "loss.gamma: unknown key; allowed with kind bce: kind, form, label_smoothing"),
        (
            "training: {lr: 2}",
            "training.lr: unknown key; allowed: epochs, steps, evaluate_every, patience, batch_size, optimizer, "
            "learning_rate, momentum, weight_decay, pruning, keep, every_epoch, execution",
        ),
        (
            "training.epochs: 3",
            "training.epochs: unknown key; dotted keys are for --set only; write training: {epochs: ...}",
        ),
        ("extend: x.yaml", "extend: unknown key; did you mean 'extends'?"),
        (
            "loss: {kind: binary_fokal}",
            f"loss.kind: unknown kind; did you mean 'binary_focal'?; allowed {kinds(LossSpec)}; given \"binary_fokal\"",
        ),
        (
            "dataset: {kind: movie}",
            f"dataset.kind: unknown kind; did you mean 'movies'?; allowed {kinds(DatasetSpec)}; given \"movie\"",
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
            "training: {optimizer: adamx}",
            "training.optimizer: unknown value; did you mean 'adam'?; allowed 'adam', 'adamw' or 'sgd'; "
            'given "adamx"',
        ),
        ("model: {wide: no}", 'model.wide: wrong type; allowed true or false; given "no"'),
        ("model: {hidden: 64}", "model.hidden: wrong type; allowed a list; given 64"),
        ("model: {hidden: [64, big]}", 'model.hidden[1]: wrong type; allowed a whole number; given "big"'),
        ("dataset: {labels: 40}", "dataset.labels: out of range; allowed at most 21; given 40"),
        ("dataset: {labels: 1.5}", "dataset.labels: wrong type; allowed a whole number or a list; given 1.5"),
        ("dataset: {labels: Drama}", 'dataset.labels: wrong type; allowed a whole number or a list; given "Drama"'),
        ("dataset: {labels: }", "dataset.labels: wrong type; allowed a whole number or a list; given null"),
        ("dataset: {labels: true}", "dataset.labels: wrong type; allowed a whole number or a list; given true"),
        ("dataset: {labels: 99}", "dataset.labels: out of range; allowed at most 21; given 99"),
        ("dataset: {labels: 1}", "dataset.labels: out of range; allowed at least 2; given 1"),
        ("dataset: {labels: []}", "dataset.labels: too short; allowed a list of at least 2; given []"),
        ("dataset: {labels: [Drama]}", 'dataset.labels: too short; allowed a list of at least 2; given ["Drama"]'),
        ("dataset: {labels: [Drama, 3]}", "dataset.labels[1]: wrong type; allowed text; given 3"),
        (
            "dataset: {labels: [Drama, Drama]}",
            'dataset.labels: \'Drama\' is listed twice; given ["Drama", "Drama"]',
        ),
        (
            "dataset: {rows: some}",
            "dataset.rows: unknown value; allowed 'all', 'any_label' or 'one_label'; given \"some\"",
        ),
        ("loss: {kind: binary_focal, alpha: 1}", "loss.alpha: out of range; allowed less than 1; given 1"),
        ("seeds: []", "seeds: too short; allowed a list of at least 1; given []"),
        ("seeds: [a]", 'seeds[0]: wrong type; allowed a whole number; given "a"'),
        ("seeds: [1, 1]", "seeds: 1 is listed twice; given [1, 1]"),
        (
            "watch: [auk]",
            "watch[0]: unknown value; did you mean 'auc'?; "
            "allowed 'binary_accuracy', 'categorical_accuracy', 'auc', 'f1_none', 'f1_micro', 'f1_none_half' or "
            "'f1_micro_half'; given \"auk\"",
        ),
        ("watch: [accuracy]", f'watch: {BARE_ACCURACY}; given ["accuracy"]'),
        ("watch: accuracy", f'watch: {BARE_ACCURACY}; given "accuracy"'),
    ],
)
def test_a_wrong_key_or_value_is_one_line(lines: str, expected: str):
    assert problem_of(lines) == f"t.yaml: {expected}"


def test_what_is_wrong_in_a_mapping_from_keys_of_ones_own():
    (line,) = problems_of("weighting: {kind: free_pos_weight, weights: {War: -1}}\nloss: {kind: weighted_bce}")
    assert line == "t.yaml: weighting.weights.War: out of range; allowed more than 0; given -1"
    (line,) = problems_of("weighting: {kind: class_weight, form: keras_argmax, weights: {War: 1}}")
    assert line == r't.yaml: weighting.weights.War: wrong form; allowed text that matches ^(0|[1-9]\d*)$; given "War"'
    assert "t.yaml: tuning.space.loss.gamma.lowest: unknown key; did you mean 'low'?" in problems_of(
        search("{loss.gamma: {lowest: 1, high: 2}}")
    )


def test_a_value_of_none_of_many_types_is_one_line():
    allowed = "allowed true or false, a whole number, a number or text"
    (line,) = problems_of(search("{loss.gamma: {choices: [1, null]}}"))
    assert line == f"t.yaml: tuning.space.loss.gamma.choices[1]: wrong type; {allowed}; given null"


def test_a_missing_key_says_where_it_may_be_written():
    places = "write it in t.yaml or base.yaml"
    without = BASE.replace("training: {epochs: 12, batch_size: 256, learning_rate: 4.0e-3}\n", "")
    assert problem_of("", without) == f"t.yaml: training: is missing; {places}"
    line = problem_of("training: {epochs: 3, batch_size: 4}", without)
    assert line == f"t.yaml: training.learning_rate: is missing; {places}"
    assert problem_of("", BASE.replace("kind: text_bag, ", "")) == f"t.yaml: model.kind: is missing; {places}"


def test_a_missing_key_of_an_overridden_kind_is_to_be_set_too():
    line = problem_of("", overrides="model: {kind: floor}")
    assert line == "--set: model.predicts: is missing; add --set model.predicts=<value>"


def test_a_problem_names_the_file_that_wrote_the_value():
    wrong = BASE.replace("epochs: 12", "epochs: 0")
    assert problem_of("training: {batch_size: 8}", wrong).startswith("base.yaml: training.epochs: ")
    assert problem_of("training: {epochs: -1}", wrong).startswith("t.yaml: training.epochs: ")
    assert problem_of("", wrong, "training: {epochs: -2}").startswith("--set: training.epochs: ")


def test_a_contradiction_says_which_file_brought_each_side():
    line = problem_of("loss: {kind: weighted_bce}")
    assert line.startswith(
        "t.yaml: loss.kind 'weighted_bce' with weighting.kind 'none': weighted_bce needs one of pos_weight,"
    )
    assert line.endswith("and only weighted_bce takes them (loss.kind from t.yaml, weighting.kind from base.yaml)")


def test_an_unknown_key_does_not_hide_a_contradiction():
    contradiction, unknown = problems_of("loss: {kind: weighted_bce, gama: 1}")
    assert "only weighted_bce takes them" in contradiction
    assert "loss.gama: unknown key" in unknown


def test_everything_wrong_is_told_at_once_in_a_stable_order():
    text = "watch: [accuracy]\nmodel: {widht: 3, droput: 2}\nloss: {kind: fokal}\ncolour: red\n"
    lines = problems_of(text, BASE.replace("epochs: 12", "epochs: many"))
    assert [line.split(": ")[:2] for line in lines] == [
        ["base.yaml", "training.epochs"],
        ["t.yaml", "colour"],
        ["t.yaml", "loss.kind"],
        ["t.yaml", "model.droput"],
        ["t.yaml", "model.widht"],
        ["t.yaml", "watch"],
    ]


def test_items_of_a_list_are_numbered():
    origins = Origins(("study.yaml",), {})
    data = parse("{title: t, question: q, thread: 3, hypotheses: [{name: A b, trail: x}]}", "study.yaml")
    lines = str(InputError(validate(StudySpec, data, origins)[1])).split("\n")
    assert "study.yaml: thread: wrong type; allowed text; given 3" in lines
    assert "study.yaml: hypotheses[0].trail: unknown key; did you mean 'trial'?" in lines
    assert "study.yaml: hypotheses[0].claim: is missing; write it in study.yaml" in lines
    assert any(one.startswith("study.yaml: hypotheses[0].name: wrong form; allowed text that matches") for one in lines)


def test_a_long_or_unprintable_value_is_shown_short_on_one_line():
    assert len(problem_of(f'training: {{epochs: "{"x" * 500}"}}')) < 200
    assert len(str(Problem("t.yaml", "x" * 5000, "unknown key"))) < 1100
    problem_of('"\\ud800": 3').encode()  # half a character, which no terminal can print
    assert "\x1b" not in problem_of('"col\\eour\\n\\u2028": 3')


def test_values_are_shown_as_json():
    assert [show(value) for value in (None, True, "é", (1, 2), {"a": 1.5})] == [
        "null",
        "true",
        '"é"',
        "[1, 2]",
        '{"a": 1.5}',
    ]
    assert show("x" * 100) == '"' + "x" * 56 + "..."


def test_keys_are_those_of_the_kinds_that_are_declared():
    found = set(keys(Trial, {"loss": {"kind": "binary_focal"}, "model": {}, "dataset": {"kind": "movies"}}))
    assert {"loss", "loss.kind", "loss.gamma", "loss.alpha", "training.epochs", "dataset.labels", "model"} <= found
    assert not {"loss.targets", "model.width", "model.kind", "name", "question", "thread"} & found
