"""Probes: what is pinned is so, by hand where that can be worked out, and a world that changes says what to do."""

import functools
import json
import math
import os
import re
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit, softmax
from sklearn.utils.class_weight import compute_sample_weight
from typer.testing import CliRunner

from rarelabels import cli
from rarelabels.learn.tensorflow_setup import keras
from rarelabels.probes import all_probes, fit_arguments, report
from rarelabels.probes import probe as probes_probe
from rarelabels.probes.nets import ALL_RIGHT, SEVEN_ROWS
from rarelabels.probes.probe import Observation, Probe
from rarelabels.record import connection, queries, scratch

NAMES = [probe.name for probe in all_probes.PROBES]
PAGE = Path(__file__).parents[2] / "docs" / "probes.md"
THREADS = {"clothes_attributes", "f1_averaging", "label_powerset", "movie_genres", "three_classes"}


@functools.cache
def observed(name: str) -> Observation:
    return probes_probe.observe(next(probe for probe in all_probes.PROBES if probe.name == name))


def numbers(name: str) -> dict:
    return dict(observed(name).numbers)


# As pinned


@pytest.mark.parametrize("name", NAMES)
def test_the_world_is_as_pinned(name: str) -> None:
    assert observed(name).is_as_pinned, observed(name).complaint()


def test_what_drew_random_numbers_before_does_not_matter() -> None:
    probe = next(probe for probe in all_probes.PROBES if probe.name == "pair_by_shuffled_rows")
    for seed in (5, 6):
        keras.utils.set_random_seed(seed)
        assert probes_probe.observe(probe).is_as_pinned


def test_names_threads_and_sentences() -> None:
    assert len(set(NAMES)) == len(NAMES)
    assert all(re.fullmatch(r"[a-z0-9_]+", name) for name in NAMES)
    assert {probe.thread for probe in all_probes.PROBES} == THREADS
    for probe in all_probes.PROBES:
        fields = set(re.findall(r"\{(\w+):?[^}]*\}", probe.observed))
        assert fields <= set(probe.expected), probe.name
        assert fields, f"{probe.name}: a sentence without numbers is not an observation"
        assert probe.observed.format(**probe.expected).endswith(".")


def test_the_page_is_what_is_pinned() -> None:
    """But for the versions: the sentences are those of the pinned numbers, to the digits that are printed."""
    page, pinned = (
        re.sub(r"Observed with [^\n]*", "", text)
        for text in (
            PAGE.read_text("utf-8"),
            report.markdown([Observation(probe, probe.expected) for probe in all_probes.PROBES]),
        )
    )
    assert page == pinned, "docs/probes.md: make it anew: rarelabels probes --format markdown > docs/probes.md"


# A world that changes


def halves(number: float = 0.5) -> Probe:
    return Probe(
        name="halves",
        thread="three_classes",
        believed="halves are halves",
        documented="a half is a half",
        run=lambda: {"half": number, "raised": "TypeError"},
        observed="A half is {half:.2f} and raises {raised}.",
        expected={"half": 0.5, "raised": "TypeError"},
    )


def test_a_changed_number_is_told_with_what_to_do() -> None:
    observation = probes_probe.observe(halves(0.6))
    assert not observation.is_as_pinned
    assert observation.complaint().startswith(
        f"the world changed: halves: half: pinned 0.5, observed 0.6 with keras {keras.__version__}, tensorflow "
    )
    assert observation.complaint().endswith("update the text, the pinned numbers and what is built on them")
    assert observation.text == "CHANGED: half: pinned 0.5, observed 0.6"
    assert probes_probe.observe(halves()).text == "A half is 0.50 and raises TypeError."


@pytest.mark.parametrize(("number", "same"), [(0.50001, True), (0.5001, False), (math.nan, False), ("nothing", False)])
def test_what_is_the_same(number: float, same: bool) -> None:
    assert probes_probe.observe(halves(number)).is_as_pinned is same


def test_a_number_that_is_new_or_gone_is_a_change() -> None:
    probe = halves()
    assert Observation(probe, {"half": 0.5}).changed == {"raised": ("TypeError", None)}
    assert Observation(probe, {**probe.expected, "third": 0.3}).changed == {"third": (None, 0.3)}
    assert (
        "third: pinned nothing, observed 0.3 with" in Observation(probe, {**probe.expected, "third": 0.3}).complaint()
    )


def test_a_probe_that_cannot_be_run_is_a_change() -> None:
    observation = probes_probe.observe(halves_that_fail())
    assert observation.text == "CHANGED: it cannot be run any more, ValueError: no halves"


def halves_that_fail() -> Probe:
    def run() -> dict:
        raise ValueError("no halves\nat all")

    probe = halves()
    return Probe(probe.name, probe.thread, probe.believed, probe.documented, run, probe.observed, probe.expected)


def test_another_keras_fails_the_pinned_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were "accuracy" ever binary accuracy again, as up to tf.keras 2.1, this is what one would read."""
    evaluate = keras.Model.evaluate

    def binary(self: keras.Model, *arguments: object, **named: object) -> dict:
        found = evaluate(self, *arguments, **named)
        return found | {"accuracy": found["binary_accuracy"]}

    monkeypatch.setattr(keras.Model, "evaluate", binary)
    probe = next(probe for probe in all_probes.PROBES if probe.name == "accuracy_of_every_label")
    observation = probes_probe.observe(probe)
    assert "accuracy_of_every_label: all_right: pinned 0.428571, observed 1 with keras" in observation.complaint()
    assert observation.text.startswith("CHANGED: ")


# The command


@pytest.fixture
def where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    return uri


def only_run(where: str):
    client = connection.connect(where)
    runs = client.search_runs([queries.find_experiment(client, "probes")])
    assert [run.info.status for run in runs] == ["FINISHED"]
    return client, runs[0]


def test_the_command_prints_and_records_all(where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes_probe, "observe_all", lambda asked: [observed(probe.name) for probe in asked])
    answer = CliRunner().invoke(cli.app, ["probes"])
    assert answer.exit_code == 0, answer.output
    for probe in all_probes.PROBES:
        for text in (f"{probe.name}: as pinned", probe.believed, probe.documented, observed(probe.name).text):
            assert text in answer.stdout, text
    assert f"{len(NAMES)} probes, 0 changed; observed with keras {keras.__version__}" in answer.stdout
    assert not re.search(r" +\n", answer.stdout)
    client, run = only_run(where)
    expected = {
        f"probe/{name}/{number}": value
        for name in NAMES
        for number, value in numbers(name).items()
        if not isinstance(value, str)
    }
    assert run.data.metrics == pytest.approx(expected | {"probes": len(NAMES), "changed": 0})
    assert run.data.tags["kind"] == "probes"
    assert {name: run.data.tags[name.replace("-", "_")] for name in probes_probe.versions()} == probes_probe.versions()
    table = json.loads(
        Path(client.download_artifacts(run.info.run_id, "probes.json", str(tmp_path))).read_text("utf-8")
    )
    rows = [dict(zip(table["columns"], row, strict=True)) for row in table["data"]]
    assert [row["probe"] for row in rows] == NAMES
    assert rows[0]["numbers"] == numbers(NAMES[0])
    assert all(row["as_pinned"] for row in rows)


def test_the_command_fails_when_the_world_changed(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(all_probes, "PROBES", (halves(0.6),))
    answer = CliRunner().invoke(cli.app, ["probes", "--format", "markdown"])
    assert answer.exit_code == 1
    assert "| `halves` | halves are halves (three_classes) | a half is a half | CHANGED: half: pinned" in answer.stdout
    assert "rarelabels: the world changed: halves: half: pinned 0.5, observed 0.6 with keras" in answer.stderr
    _, run = only_run(where)
    assert run.data.metrics == {"probes": 1, "changed": 1, "probe/halves/half": 0.6}
    assert run.data.tags["changed"] == "halves"
    assert run.data.tags["notes"].startswith("the world changed: halves")


def test_a_scratch_record_leaves_the_record_alone(where: str, tmp_path: Path) -> None:
    with scratch.scratch_record() as record:
        with record.run() as run:
            assert run.steps() == {}
        assert os.environ["MLFLOW_TRACKING_URI"] != where
    assert os.environ["MLFLOW_TRACKING_URI"] == where
    assert not (tmp_path / "mlflow.db").exists()


# By hand


def bce(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    return -(y * np.log(p) + (1 - y) * np.log(1 - p))


BY_HAND = {
    # The first of a row's labels counts, the third has the highest score: right in 010 and 001 and 100 alone, unless
    # the columns are reversed. A row that is given every label is given the first, which 4 of 7 have.
    "accuracy_by_column_order": {"as_given": 3 / 7, "highest": 1, "lowest_binary_accuracy": 1},
    "accuracy_of_every_label": {"all_right": 3 / 7, "every_label": 4 / 7, "every_label_binary": 12 / 21},
    # 9,900 of 10,000 decisions are right; as two classes, precision is 0.99 of the zeros and none of the ones
    "zeros_at_99_percent": {"binary_accuracy": 0.99, "recall": 0, "precision_over_both_classes": 0.99 * 0.99},
    "worked_example": {
        "keras_binary_accuracy": 7 / 9,
        "accuracy_score": 1 / 3,
        "first_row": 2 / 3,
        "keras_accuracy": 2 / 3,
    },
    # 3 wrong of 150: three rows or one
    "pair_bound": {
        "binary_accuracy": 1 - 3 / 150,
        "lowest_subset_accuracy": 1 - 3 / 50,
        "highest_subset_accuracy": 1 - 1 / 50,
    },
    "pair_by_argmax": {"accuracy": 49 / 50, "accuracy_score": 5 / 50, "binary_accuracy": 105 / 150},
    "pair_by_shuffled_rows": {"binary_accuracy": 1 - 42 / 2100, "accuracy_score_in_order": 1 - 42 / 700},
    # by the argmax 7 labels are given, all of them among the 12; of the first label 1 of 4, of the last 4 of 4
    "f1_without_threshold": {"micro": 14 / 19, "first_label": 2 / 5, "last_label": 1, "micro_at_half": 1},
    # of n positives n − 1 are found, and n are predicted
    "f1_of_one_training": {
        "rarest": 1 / 2,
        "most_frequent": 7 / 8,
        "macro": (1 / 2 + 3 / 4 + 7 / 8) / 3,
        "micro": 11 / 14,
    },
    "f1_vector_in_mlflow": {"micro_metrics": 6, "none_metrics": 0, "none_warnings": 4},
    "auc_of_an_empty_label": {"keras": 2 / 3},
    "weights_in_metrics": {"metrics": 1 / 2, "weighted_metrics": 1 / 4},
    # float32 has 24 bits; below the smallest normal number it is 0
    "sigmoid_range": {"smallest_logit_of_1": 24 * math.log(2), "logit_of_0_0026": math.log(0.0026 / 0.9974)},
    "bce_minimiser": {"three_of_four": 3 / 4, "two_of_four": 1 / 2},
    "cce_gradient": {
        "first_gradient": 0.5 - 1,
        "first_gradient_of_printed_formula": 2 * 0.5 - 1,
        "loss": -math.log(0.15),
    },
    "focal_alpha": {
        "positive_default": math.log(2),
        "positive_balanced": math.log(2) / 4,
        "negative_balanced": 0.75 * math.log(2),
    },
    # w·q / (w·q + 1 − q) for w = 3 and q = 1/4; gradients −w(1−p) and p
    # 131,072 outputs of 32 weights and a bias
    "powerset_outputs": {"number_of_1010": 10, "weights_for_17_labels": 2**17 * 33},
    "pos_weight": {"score_of_one_in_four": 1 / 2, "positive_near_0": -3 * expit(-1e-3), "negative_near_0": expit(1e-3)},
    "softmax_of_k_labels": {
        "score_of_2": 1 / 2,
        "score_of_3": 1 / 3,
        "named_of_1": 1,
        "named_of_2": 2,
        "named_of_3": 0,
    },
    # Row 011 is of class 1 as given and of class 0 reversed: 0.71 of a step of 10 · 0.5 / 21
    "class_weight_by_column_order": {"apart": 0.71 * 5 / 21},
    "class_weight_two_keys": {"rows_moved_otherwise": 2, "share_of_step": 0.29},
    "validation_split": {"training": np.mean(range(8)), "validation": np.mean([8, 9])},
    "steps_per_epoch": {"epoch_1": np.mean(range(4)), "epoch_2": np.mean(range(4, 8)), "epoch_3": 8.5, "epoch_4": 1.5},
}


@pytest.mark.parametrize("name", BY_HAND)
def test_by_hand(name: str) -> None:
    found = {number: numbers(name)[number] for number in BY_HAND[name]}
    assert found == pytest.approx(BY_HAND[name], rel=2e-4, abs=1e-6)


def test_every_decision_is_right() -> None:
    np.testing.assert_array_equal(ALL_RIGHT >= 0.5, SEVEN_ROWS == 1)


def test_a_head_trains_as_the_loss_says() -> None:
    """What is printed is the loss of the other head; the loss of the probabilities is the textbook's."""
    z = np.random.default_rng(1).normal(0, 1.5, (7, 3))
    shares = expit(z) / expit(z).sum(axis=1, keepdims=True)
    values = {
        "head_under_bce": (bce(SEVEN_ROWS, expit(z)).mean(), bce(SEVEN_ROWS, softmax(z, axis=1)).mean()),
        "head_under_cce": (
            -(SEVEN_ROWS * np.log(softmax(z, axis=1))).sum(axis=1).mean(),
            -(SEVEN_ROWS * np.log(shares)).sum(axis=1).mean(),
        ),
    }
    for name, (printed, of_probabilities) in values.items():
        found = numbers(name)
        assert [found[f"printed_{mode}"] for mode in ("graph", "eager", "xla")] == pytest.approx(
            [printed] * 3, rel=1e-5
        )
        assert [found[f"apart_{mode}"] for mode in ("graph", "eager", "xla")] == [0, 0, 0]  # bit-identical
        assert found["of_probabilities"] == pytest.approx(of_probabilities, rel=1e-5)
        assert found["printed_behind"] == pytest.approx(of_probabilities, rel=1e-5)
        assert found["apart_behind"] > 0.05


def test_a_rare_label_is_driven_to_zero() -> None:
    """Frequencies are y = (0.9, 0.5, 0.1). Steps of y − p, whose sum is 0.5, come to rest for the first two where both
    move alike, at p = (0.7, 0.3); the third falls behind by (0.2 − 0.1) · 3 at each step.
    """
    y, z, losses = np.array([0.9, 0.5, 0.1]), np.zeros(3), []
    for _ in range(100):
        z = z - 3 * (softmax(z) - y)
        losses.append(-(y * np.log(softmax(z))).sum())
    found = numbers("cce_on_a_rare_label")
    assert found["after_5_steps"] == pytest.approx(losses[4], rel=1e-4)
    assert found["after_100_steps"] == pytest.approx(losses[99], rel=1e-4)
    assert found["lowest_possible"] == pytest.approx(-(y * np.log(y / 1.5)).sum(), rel=1e-5)
    assert found["score_of_frequent_label"] == pytest.approx(0.7, abs=1e-3)


def test_logits_run_away_under_softmax_and_two_labels() -> None:
    z, y = np.log([0.5, 0.3, 0.2]), np.array([1, 1, 0])
    for _ in range(100):
        z = z - (softmax(z) - y)
    assert numbers("cce_gradient")["first_logit_moved_in_100_steps"] == pytest.approx(z[0] - np.log(0.5), rel=1e-4)


@pytest.mark.parametrize("n_labels", fit_arguments.LABEL_COUNTS)
def test_balanced_weights_are_products_over_columns(n_labels: int) -> None:
    """In logarithms, where nothing underflows: n / (2 · positives) for each one, n / (2 · negatives) for each zero."""
    n = fit_arguments.N_ROWS
    y = (np.random.default_rng(0).random((n, n_labels)) < np.geomspace(0.4, 0.005, n_labels)).astype(int)
    positives = y.sum(axis=0)
    logs = (y * np.log10(n / (2 * positives)) + (1 - y) * np.log10(n / (2 * (n - positives)))).sum(axis=1)
    np.testing.assert_allclose(np.log10(compute_sample_weight("balanced", y)), logs, rtol=1e-9)
    found = numbers("balanced_sample_weight")
    assert found[f"log10_ratio_{n_labels}"] == pytest.approx(logs.max() - logs.min())
    scaled = 10 ** (logs - logs.max())
    assert found[f"effective_rows_{n_labels}"] == pytest.approx(scaled.sum() ** 2 / (scaled**2).sum())
    assert found[f"zero_in_float32_{n_labels}"] == (logs < np.log10(2.0**-150)).sum()


def test_a_matrix_of_weights_is_misread_by_row() -> None:
    """Row losses l broadcast along the rows of the weights: (3 l₀ + 3 l₁ + 11 l₂) / 9."""
    y = np.eye(3)
    p = np.array([[0.9, 0.5, 0.5], [0.5, 0.8, 0.5], [0.5, 0.5, 0.7]])
    rows = bce(y, p).mean(axis=1)
    found = numbers("weights_per_label")
    assert found["printed_of_three"] == pytest.approx((3 * rows[0] + 3 * rows[1] + 11 * rows[2]) / 9, rel=1e-5)
    weights = np.ones((3, 3))
    weights[2, 2] = 9
    assert found["meant_of_three"] == pytest.approx((weights * bce(y, p)).mean(), rel=1e-5)


def test_row_losses_by_hand() -> None:
    y, p = SEVEN_ROWS[3:6], np.array([[0.9, 0.2, 0.4], [0.6, 0.5, 0.1], [0.3, 0.7, 0.8]])
    found = numbers("row_and_batch")
    # −(ln 0.9 + ln 0.2 + ln 0.6) / 3
    assert found["first_row"] == pytest.approx(-math.log(0.9 * 0.2 * 0.6) / 3, rel=1e-6)
    for number in ("mean_of_rows", "batch", "printed_for_batches_of_2_and_1"):
        assert found[number] == pytest.approx(bce(y, p).mean(), rel=1e-6)


def test_auc_is_the_share_of_pairs_in_order() -> None:
    rng = np.random.default_rng(0)
    scores = 1 / (1 + np.exp(-rng.normal(-7, 1.6, 20_000)))
    y = rng.random(len(scores)) < scores
    exact = np.mean([np.mean(scores[~y] < score) for score in scores[y]])
    found = numbers("auc_bins")
    assert found["exact"] == pytest.approx(exact)
    assert exact - found["keras"] > 0.05
