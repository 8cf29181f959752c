"""The contract of every declared trial and study: a new YAML file is a test case by existing."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rarelabels import baselines, config, datasets, evaluation, training, weighting
from rarelabels.datasets import Dataset, Part
from rarelabels.evaluation import Evaluation, Scored
from rarelabels.schema import DatasetSpec, Trial
from rarelabels.tensorflow_setup import tf

ROOT = Path(__file__).parents[1]
TRIALS = {f"{path.parent.name}/{path.stem}": path for path in config.all_trials(ROOT / "experiments")}
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
    training._network.cache_clear()
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)
    training._network.cache_clear()


pytestmark = pytest.mark.filterwarnings("ignore:Even though the .tf.config:UserWarning")
every_trial = pytest.mark.parametrize("name", TRIALS)
every_study = pytest.mark.parametrize("folder", STUDIES, ids=[folder.name for folder in STUDIES])


@functools.cache
def small(spec: DatasetSpec) -> Dataset:
    """The real data, cut to 400, 150 and 150 rows."""
    data = datasets.load(spec, 0)
    return replace(data, train=cut(data.train, 400), validation=cut(data.validation, 150), test=cut(data.test, 150))


def cut(part: Part, n: int) -> Part:
    rows = np.random.default_rng(0).permutation(len(part.ids))[:n]
    return Part(part.ids[rows], part.y[rows], {field: tokens.take(rows) for field, tokens in part.text.items()})


def one_epoch(name: str) -> Trial:
    trial = config.load_trial(TRIALS[name])
    return trial.model_copy(update={"training": trial.training.model_copy(update={"epochs": 1})})


@functools.cache
def evaluated(name: str) -> Evaluation:
    """Scores and metrics of a trial after one epoch; trials that define the same training share it, as in a study."""
    trial = one_epoch(name)
    twin = next(other for other in TRIALS if one_epoch(other).definition() == trial.definition())
    if twin != name:
        return evaluated(twin)
    data = small(trial.dataset)
    if trial.is_network:
        weights = weighting.weights(trial.weighting, data.train.y)
        curves: dict[int, dict[str, float]] = {}
        fitted = training.fit(trial, data, weights, 0, trial.watch, curves.__setitem__)
        assert list(curves) == [1]
        assert {*trial.watch, *(f"val_{watched}" for watched in trial.watch)} < set(curves[1])
    else:
        fitted = baselines.fit(trial, data, 0)
    validation, test = (Scored(p.ids, p.y, fitted.scores(p)) for p in (data.validation, data.test))
    floors = baselines.floors(data.train.y)
    return evaluation.evaluate(data.labels, validation, test, floors, min_positives=trial.thresholds.min_positives)


def test_there_are_trials() -> None:
    assert "movies/bce_accuracy" in TRIALS


@every_trial
def test_loads_under_its_own_name_and_asks_a_question(name: str) -> None:
    trial = config.load_trial(TRIALS[name])
    assert trial.name == name
    assert trial.question.endswith("?")
    assert trial.question[0].isupper()


@every_trial
def test_scores_are_finite_probabilities(name: str) -> None:
    trial, result = one_epoch(name), evaluated(name)
    for part, rows in ((result.validation, 150), (result.test, 150)):
        assert part.scores.shape == part.y.shape == (rows, len(result.labels))
        assert part.scores.dtype == np.float64
        assert np.isfinite(part.scores).all()
        assert ((part.scores >= 0) & (part.scores <= 1)).all()
        sums = part.scores.sum(axis=1)
        if getattr(trial.model, "head", "sigmoid") == "softmax":
            np.testing.assert_allclose(sums, 1, rtol=1e-9)
        else:
            assert np.abs(sums - 1).max() > 0.05


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


@every_study
def test_hypotheses_are_about_trials_and_metrics_that_exist(folder: Path) -> None:
    study = config.load_study(folder)
    assert study is not None
    assert study.question.endswith("?")
    for hypothesis in study.hypotheses:
        for side in (hypothesis.trial, hypothesis.against):
            name = f"{folder.name}/{side}"
            assert name in TRIALS, f"{hypothesis.name}: there is no trial {name}"
            assert hypothesis.metric in evaluated(name).metrics, f"{hypothesis.name}: no metric {hypothesis.metric}"
        assert hypothesis.trial != hypothesis.against


def test_the_schema_for_editors_is_up_to_date() -> None:
    stored = (ROOT / "conf" / "trial.schema.json").read_text(encoding="utf-8")
    expected = json.dumps(config.json_schema(), indent=2) + "\n"
    assert stored == expected, "run `rarelabels schema > conf/trial.schema.json`"


@every_trial
def test_a_trial_tells_editors_its_schema(name: str) -> None:
    first = TRIALS[name].read_text(encoding="utf-8").splitlines()[0]
    assert first == EDITOR_LINE
    assert (TRIALS[name].parent / EDITOR_LINE.split("=")[1]).resolve() == ROOT / "conf" / "trial.schema.json"
