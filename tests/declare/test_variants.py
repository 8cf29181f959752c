"""`vary` makes several trials of one."""

import pytest

from declared_search import search
from declared_trials import FOCAL, HEAD, HERE, problem_of, problems_of, trial_of
from rarelabels.declare import as_yaml, variants

pytestmark = pytest.mark.usefixtures("house")


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


def test_parameters_of_an_estimator_are_keys_of_their_own(house):
    model = "model: {kind: sklearn, estimator: RandomForestClassifier, parameters: {max_depth: 5, max_features: 0.5}}\n"
    space = "{model.parameters.max_depth: {low: 2, high: 9}, model.parameters.max_features: {low: 0.1, high: 0.9}}"
    one = trial_of(HEAD + model + search(space))
    assert [variants.is_whole(one, f"model.parameters.{key}") for key in ("max_depth", "max_features")] == [True, False]
    found = variants.with_values(one, {"model.parameters.max_depth": 3})
    assert found.model_dump()["model"]["parameters"] == {"max_depth": 3, "max_features": 0.5}
    assert (
        trial_of(HEAD + model, {"model.parameters.max_depth": 7}).model_dump()["model"]["parameters"]["max_depth"] == 7
    )
    varied = trial_of(HEAD + model + "vary: {model.parameters.max_depth: [2, null]}")
    assert [one.model_dump()["model"]["parameters"]["max_depth"] for _, one in variants.variants(varied)] == [2, None]
    assert as_yaml.flat(one)["model.parameters.max_depth"] == 5
    assert "model.parameters" not in as_yaml.flat(one)


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        ("{estimator: RandomForest}", "unknown value; did you mean 'RandomForestClassifier'?"),
        (
            "{estimator: LinearSVC, parameters: {C: [1.0, {a: 2}]}}",
            "C must be a finite number, text, true, false, null, or a list",
        ),
        ("{estimator: LinearSVC, parameters: {C: .inf}}", "C must be a finite number"),
        ("{estimator: LinearSVC, parameters: {random_state: 1}}", "is the seed of the run, which sets it"),
    ],
)
def test_wrong_estimators_are_refused_in_one_line(house, block: str, reason: str):
    assert reason in problem_of(HEAD + f"model: {block.replace('{', '{kind: sklearn, ', 1)}\n")
