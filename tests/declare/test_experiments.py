"""The contract of every declared trial and study: a new YAML file is a test case by existing."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from rarelabels.data import loading, splits
from rarelabels.data.dataset import Dataset, Part
from rarelabels.declare import as_yaml, declarations, find, variants
from rarelabels.declare.data import DatasetSpec, ImagesSpec
from rarelabels.declare.models import SET_HEADS
from rarelabels.declare.study import Bound
from rarelabels.declare.trial import Trial
from rarelabels.errors import MissingDataError
from rarelabels.judging import evaluation
from rarelabels.judging.evaluation import Evaluation
from rarelabels.judging.rules.table import SEARCHED_RULES, SET_RULES
from rarelabels.judging.scores import Scores
from rarelabels.learn import curves as learn_curves
from rarelabels.learn import fitting, powerset, training, weighting
from rarelabels.learn.batches import make_batches
from rarelabels.learn.network import _compiled, build_network
from rarelabels.learn.preprocessing import Preprocessing
from rarelabels.learn.tensorflow_setup import tf

ROOT = Path(__file__).parents[2]
TRIALS = {f"{path.parent.name}/{path.stem}": path for path in find.all_trials(ROOT / "experiments")}
STUDIES = sorted({path.parent for path in TRIALS.values()})
EDITOR_LINE = "# yaml-language-server: $schema=../../conf/trial.schema.json"
DOCUMENTED = (
    *(f"test/{rule}/macro_f1" for rule in ("half", "global", "per_label", "oracle")),
    *(f"validation/{rule}/micro_f1" for rule in ("half", "global", "per_label")),
    "test/half/binary_accuracy",
    "test/half/subset_accuracy",
    "test/ranking/macro_average_precision",
    "test/ranking/macro_roc_auc",
    "test/ranking/lrap",
    "test/ranking/brier",
    "test/ranking/ece",
    "test/count/labels_without_positives",
    "validation/count/labels_with_global_threshold",
    "validation/ranking/macro_average_precision",
    *(f"floor/{floor}/binary_accuracy" for floor in ("zeros", "ones", "prior")),
    "floor/prior/macro_average_precision",
)


@pytest.fixture(scope="module", autouse=True)
def _without_compiling() -> Iterator[None]:
    """Compiling would take seconds for each trial; that compiled networks train is tested in test_training.py."""
    _compiled.cache_clear()
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)
    _compiled.cache_clear()


pytestmark = pytest.mark.filterwarnings("ignore:Even though the .tf.config:UserWarning")
OWN = [name for name, path in TRIALS.items() if path.is_file()]  # the others are trials of another study
every_trial = pytest.mark.parametrize("name", OWN)
every_study = pytest.mark.parametrize("folder", STUDIES, ids=[folder.name for folder in STUDIES])


@functools.cache
def small(spec: DatasetSpec) -> Dataset:
    """The real data, cut to 400, 150 and 150 rows, images to 24, 16 and 16.

    A trial whose data are not here is skipped, and says why.
    """
    try:
        data = loading.load(spec, 0)
    except MissingDataError as error:
        pytest.skip(str(error))
    sizes = (400, 150, 150) if data.image_folder is None else (24, 16, 16)
    parts = {part: cut(getattr(data, part), n) for part, n in zip(splits.PARTS, sizes, strict=True)}
    return fitting.with_features(spec, replace(data, folds=None, **parts))


def cut(part: Part, n: int) -> Part:
    return part.take(np.random.default_rng(0).permutation(len(part.ids))[:n])


@functools.cache
def one_epoch(name: str) -> Trial:
    """The trial, or the last variant of a sweep; of images with few labels, for a thousand take seconds each time."""
    trial = variants.variants(declarations.load_trial(TRIALS[name]))[-1][1]
    if isinstance(trial.dataset, ImagesSpec):
        trial = trial.model_copy(update={"dataset": trial.dataset.model_copy(update={"labels": 60})})
    changes: dict[str, object] = {"epochs": 1, "batch_size": 200}  # few steps: each takes longer than its rows
    if trial.training.pruning:
        changes["pruning"] = trial.training.pruning.model_copy(update={"end_epoch": 1})
    return trial.model_copy(update={"training": trial.training.model_copy(update=changes)})


@functools.cache
def evaluated(name: str) -> Evaluation:
    """Scores and metrics of a trial after one epoch; trials that define the same training share it, as in a study."""
    trial = one_epoch(name)
    twin = next(other for other in OWN if one_epoch(other).definition() == trial.definition())
    if twin != name:
        return evaluated(twin)
    data = small(trial.dataset)
    weights = weighting.weights(trial.weighting, data.train.y, data.labels)
    curves: dict[int, dict[str, float]] = {}
    fitted, validation = fitting.fit(trial, 0, data, weights, trial.watch, curves.__setitem__)
    if trial.is_network:
        assert list(curves) == [1]
        followed = {curve.split("/")[0] for curve in curves[1]}
        assert {*trial.watch, *(f"val_{watched}" for watched in trial.watch)} < followed
    test = Scores.of(fitted, data.test)
    floors = evaluation.floors(data.train.y.mean(axis=0, dtype=np.float64))
    return evaluation.evaluate(data.labels, validation, test, floors, trial.thresholds)


def test_there_are_trials() -> None:
    assert "movies/bce_accuracy" in TRIALS


@pytest.mark.parametrize("name", TRIALS)
def test_loads_under_its_own_name_and_asks_a_question(name: str) -> None:
    trial = declarations.load_trial(TRIALS[name])
    assert trial.name == name
    assert trial.question.endswith("?")
    assert trial.question[0].isupper()


@every_trial
def test_scores_are_finite_probabilities(name: str) -> None:
    trial, result = one_epoch(name), evaluated(name)
    data = small(trial.dataset)
    for part, rows in ((result.validation, data.validation), (result.test, data.test)):
        assert part.scores.shape == part.y.shape == (len(rows.ids), len(data.labels))
        assert part.scores.dtype == np.float64
        assert np.isfinite(part.scores).all()
        assert ((part.scores >= 0) & (part.scores <= 1)).all()
        sums = part.scores.sum(axis=1)
        if getattr(trial.model, "head", "sigmoid") == "softmax":
            np.testing.assert_allclose(sums, 1, rtol=1e-9)
        elif trial.is_network:
            assert np.abs(sums - 1).max() > 0.05  # independent labels, and no distribution by mistake


@every_trial
def test_metrics_are_finite_and_documented_ones_are_there(name: str) -> None:
    result = evaluated(name)
    assert not [metric for metric, value in result.metrics.items() if not np.isfinite(value)]
    assert not [metric for metric in DOCUMENTED if metric not in result.metrics]
    assert result.metrics["floor/zeros/binary_accuracy"] == pytest.approx(1 - result.test.y.mean())


@every_trial
def test_the_table_has_a_row_per_label(name: str) -> None:
    result = evaluated(name)
    assert result.per_label["label"].tolist() == list(result.labels)
    assert result.per_label["positives"].tolist() == result.test.y.sum(axis=0).tolist()


@every_trial
def test_a_wrong_label_costs_at_least_ln_2(name: str) -> None:
    """The bound on the threads' numbers holds for every trial: label error <= mean binary cross-entropy / ln 2."""
    measured = evaluated(name).metrics
    for part in ("validation", "test"):
        error, loss = 1 - measured[f"{part}/half/binary_accuracy"], measured[f"{part}/ranking/log_loss"]
        bound = Bound(name="x", source="a run", loss=loss, binary_accuracy=1 - error)
        assert 1 - error >= bound.least - 1e-12


@pytest.mark.parametrize("name", [name for name in OWN if declarations.load_trial(TRIALS[name]).is_network])
def test_the_order_of_the_labels_does_not_matter(name: str) -> None:
    """From permuted initial weights, one SGD step on permuted labels gives permuted weights; not so class_weight."""
    twin = next(other for other in OWN if step(one_epoch(other)) == step(one_epoch(name)))
    distance = distance_of_permuted(twin)
    if one_epoch(name).weighting.kind == "class_weight":
        assert distance > 1e-5
    else:
        assert distance < 1e-6


def step(trial: Trial) -> tuple[object, ...]:
    """What one step with a given optimizer is, but for rows and how many labels; trials that take the same share it."""
    return trial.dataset.kind, trial.model, trial.loss, trial.weighting


@functools.cache
def distance_of_permuted(name: str) -> float:
    """The farthest that a weight is from its permuted self."""
    trial = one_epoch(name)
    schedule = {"optimizer": "sgd", "learning_rate": 0.1, "momentum": 0.0, "weight_decay": 0.0, "pruning": None}
    trial = trial.model_copy(update={"training": trial.training.model_copy(update=schedule)})
    data = small(trial.dataset)
    order = np.random.default_rng(0).permutation(len(data.labels))
    plain, permuted = (one_step(trial, data.train, data.labels, columns) for columns in (np.arange(len(order)), order))
    outputs = output_order(trial, data.train, order)
    return max(
        np.abs(value[..., outputs] - permuted[path] if of_outputs(path) else value - permuted[path]).max()
        for path, value in plain.items()
    )


def one_step(
    trial: Trial, train: Part, labels: tuple[str, ...], columns: npt.NDArray[np.int64]
) -> dict[str, npt.NDArray[np.float32]]:
    """The weights after one step on all rows, the labels and the initial weights of each output in this order."""
    y, named = train.y[:, columns], tuple(labels[column] for column in columns)
    prepared, sets = Preprocessing.fit(trial.model, train), powerset.classes_of(trial.model.head, y)
    network = build_network(trial.model, trial.loss, trial.training, training._shape(trial, prepared, named, sets))
    weights = weighting.weights(trial.weighting, y, named)
    network.reset(0, prepared, weights, trial, len(y))
    outputs = output_order(trial, train, columns)
    for variable in network.model.variables:
        if of_outputs(variable.path):
            variable.assign(variable.numpy()[..., outputs])
    targets, rooms = learn_curves.targets(sets, y), network.rooms(prepared.inputs(train), len(y))
    batches = make_batches(prepared.inputs(train), targets, weights.rows, len(y), 0, rooms)
    network.train(batches, 1, epochs=1)
    return {variable.path: variable.numpy() for variable in network.model.variables}


def output_order(trial: Trial, train: Part, columns: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Where the outputs come from if the labels stand in this order: label sets are sorted anew by their numbers."""
    if trial.model.head not in SET_HEADS:
        return columns
    sets = (
        powerset.seen_sets(train.y)
        if trial.model.head == "seen_sets"
        else powerset.sets_of(np.arange(2 ** len(columns)), len(columns))
    )
    return np.lexsort(sets[:, columns].T[::-1])


def of_outputs(path: str) -> bool:
    """Whether the last axis of a variable is the labels, or the label sets."""
    return path.startswith("logits/") or (path.startswith("wide_") and path.endswith("/table"))


@functools.cache
def metric_names() -> set[str]:
    """What every run records of the films; a trial whose data are not here records the same."""
    return set(evaluated("movies/bce_accuracy").metrics)


def further_names(trial: Trial) -> set[str]:
    """What a run also records whose thresholds were searched, or whose model knows label sets."""
    knows_sets = getattr(trial.model, "head", "") in SET_HEADS or trial.model.kind == "known_probabilities"
    rules = (SEARCHED_RULES if trial.searches_thresholds else ()) + (SET_RULES if knows_sets else ())
    return {name.replace("/half/", f"/{rule}/") for name in metric_names() for rule in rules}


@every_study
def test_hypotheses_are_about_trials_and_metrics_that_exist(folder: Path) -> None:
    study = declarations.load_study(folder)
    assert study is not None
    assert study.question.endswith("?")
    for hypothesis in study.hypotheses:
        for side in (hypothesis.trial, hypothesis.against):
            name = f"{folder.name}/{side.split()[0]}"
            assert name in TRIALS, f"{hypothesis.name}: there is no trial {name}"
        for side, metric in ((hypothesis.trial, hypothesis.metric), (hypothesis.against, hypothesis.against_metric)):
            known = metric_names() | further_names(declarations.load_trial(TRIALS[f"{folder.name}/{side.split()[0]}"]))
            assert metric is None or metric in known, f"{hypothesis.name}: no metric {metric}"
        sides = (hypothesis.trial, hypothesis.metric), (hypothesis.against, hypothesis.against_metric)
        assert sides[0] != (sides[1][0], sides[1][1] or hypothesis.metric)


@every_study
def test_advice_has_a_sentence_for_each_direction(folder: Path) -> None:
    """Of a claim that they are equal, for both; no sentence asks the reader to look."""
    study = declarations.load_study(folder)
    assert study is not None
    for one in study.hypotheses:
        if (advice := one.advice) is None:
            continue
        assert advice.upheld is None
        assert advice.refuted is None
        needed = {"greater": (advice.higher,), "less": (advice.lower,), "equal": (advice.higher,)}[one.direction]
        assert all((advice.equal, *needed)), one.name
        told = (advice.higher, advice.lower, advice.equal, advice.undecided)
        assert not [text for text in told if text and "sign of the difference" in text]


def test_the_schema_for_editors_is_up_to_date() -> None:
    stored = (ROOT / "conf" / "trial.schema.json").read_text(encoding="utf-8")
    expected = json.dumps(as_yaml.json_schema(), indent=2) + "\n"
    assert stored == expected, "run `rarelabels schema > conf/trial.schema.json`"


@pytest.mark.parametrize("name", OWN)
def test_a_trial_tells_editors_its_schema(name: str) -> None:
    first = TRIALS[name].read_text(encoding="utf-8").splitlines()[0]
    assert first == EDITOR_LINE
    assert (TRIALS[name].parent / EDITOR_LINE.split("=")[1]).resolve() == ROOT / "conf" / "trial.schema.json"
