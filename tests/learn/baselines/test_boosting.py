"""Gradient boosting: its own trees score what scikit-learn's do, and a run that would take too long is left out."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from processes import printed
from project import Project
from rarelabels.data.dataset import Dataset, Part
from rarelabels.data.tokens import Tokens
from rarelabels.declare.models import GradientBoostingSpec
from rarelabels.declare.trial import Trial
from rarelabels.errors import UserError
from rarelabels.learn import fitting
from rarelabels.learn.baselines import baseline, boosting
from rarelabels.learn.baselines.boosting import LeftOutError
from rarelabels.learn.weighting import Weights
from rarelabels.record import connection, registry
from rarelabels.study import recorded_study

KIND = "gradient_boosting"


def trial(**model: Any) -> Trial:
    return Trial.model_validate(
        {
            "name": "numbers/boosted",
            "question": "How good is it?",
            "thread": "beyond the threads",
            "dataset": {"kind": "mulan", "name": "emotions"},
            "model": {"kind": KIND, **model},
            "loss": {"kind": "bce"},
            "weighting": {"kind": "none"},
            "training": {"epochs": 1, "batch_size": 8, "learning_rate": 0.1},
            "thresholds": {},
            "seeds": [0],
        }
    )


def numbers(rng: np.random.Generator, n: int) -> np.ndarray:
    """Plain, few different, constant, often missing, huge."""
    columns = [rng.normal(size=n), rng.integers(0, 4, n).astype(float), np.full(n, 7.0)]
    columns += [np.where(rng.random(n) < 0.3, np.nan, rng.normal(size=n)), rng.normal(size=n) * 1e300]
    return np.column_stack(columns)


def part(rng: np.random.Generator, n: int) -> Part:
    """Four labels: two that the numbers tell, with missing ones, one that no row has, one that all have."""
    x = numbers(rng, n)
    y = [(x[:, 0] > 0) ^ (x[:, 1] > 1), np.isnan(x[:, 3]) & (x[:, 4] > 0), np.zeros(n), np.ones(n)]
    return Part(np.arange(n).astype(np.str_), np.column_stack(y).astype(np.uint8), {}, x)


@pytest.fixture
def small() -> Dataset:
    rng = np.random.default_rng(0)
    names = ("x", "few", "constant", "missing", "huge")
    labels = ("a", "b", "never", "always")
    return Dataset(labels, part(rng, 400), part(rng, 100), part(rng, 150), "digest", {}, numeric=names)


def test_it_scores_bit_by_bit_what_scikit_learn_does(small: Dataset, tmp_path: Path) -> None:
    fitted = baseline.fit(trial(max_iter=60, max_leaf_nodes=9, learning_rate=0.3, l2=0.5), small, 3)
    assert isinstance(fitted, boosting.Boosted)
    at_thresholds = np.random.default_rng(1).choice(fitted.trees.threshold, (200, 5))
    odd = np.array([[np.inf] * 5, [-np.inf] * 5, [np.nan] * 5, [0.0] * 5])
    x = np.vstack([small.test.numeric, at_thresholds, odd])
    rows = Part(np.arange(len(x)).astype(np.str_), np.zeros((len(x), 4), np.uint8), {}, x)
    scores = fitted.scores(rows)
    for label in (0, 1):
        reference = HistGradientBoostingClassifier(
            max_iter=60, max_leaf_nodes=9, learning_rate=0.3, l2_regularization=0.5, early_stopping=True, random_state=3
        ).fit(
            *(small.train.numeric, small.train.y[:, label]),
            X_val=small.validation.numeric,
            y_val=small.validation.y[:, label],
        )
        assert 10 < reference.n_iter_ == fitted.iterations[label]
        np.testing.assert_array_equal(scores[:, label], reference.predict_proba(x)[:, 1])
    np.testing.assert_array_equal(scores[:, 2:], [[0.0, 1.0]] * len(x))  # the prior of a label with one class alone
    alone = [fitted.scores(rows.take(np.array([row])))[0] for row in range(0, len(x), 40)]
    np.testing.assert_array_equal(alone, scores[::40])
    assert fitted.facts == {"iterations": fitted.iterations[:2].mean()}

    fitted.save(tmp_path)
    with np.load(tmp_path / "weights.npz", allow_pickle=False) as weights:
        assert not any(array.dtype.hasobject for array in weights.values())
    loaded = baseline.load_saved(tmp_path)
    assert loaded.labels == small.labels
    np.testing.assert_array_equal(loaded.scores(rows), scores)


def test_more_rows_than_are_scored_at_once_are_scored_alike(small: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    fitted = baseline.fit(trial(max_iter=5), small, 0)
    scores = fitted.scores(small.test)
    monkeypatch.setattr(boosting, "ROWS_AT_ONCE", 40)
    np.testing.assert_array_equal(fitted.scores(small.test), scores)


def test_labels_that_are_all_constant_have_no_trees(small: Dataset, tmp_path: Path) -> None:
    constant = replace(small.train, y=np.tile(np.array([1, 0, 0, 1], np.uint8), (400, 1)))
    fitted = baseline.fit(trial(), replace(small, train=constant), 0)
    assert isinstance(fitted, boosting.Boosted)
    assert (fitted.facts, fitted.notes) == ({}, ())
    fitted.save(tmp_path)
    np.testing.assert_array_equal(baseline.load_saved(tmp_path).scores(small.test)[0], [1.0, 0.0, 0.0, 1.0])
    boosting.check_time(GradientBoostingSpec(kind=KIND, most_seconds=1e-9), replace(small, train=constant), 0, 1)


def test_a_column_that_is_missing_everywhere_in_training_tells_nothing(small: Dataset) -> None:
    def without(part: Part) -> Part:
        return replace(part, numeric=np.column_stack([part.numeric[:, 0], np.full(len(part.ids), np.nan)]))

    data = replace(small, train=without(small.train), validation=without(small.validation))
    fitted = baseline.fit(trial(max_iter=5), data, 0)
    assert isinstance(fitted, boosting.Boosted)
    assert set(fitted.trees.feature) == {0}


def test_the_validation_part_ends_it_and_a_bound_that_is_reached_is_said(small: Dataset) -> None:
    shuffled = replace(small.validation, y=np.random.default_rng(5).permutation(small.validation.y))
    misled = baseline.fit(trial(), replace(small, validation=shuffled), 0)
    assert isinstance(misled, boosting.Boosted)
    assert misled.iterations[:2].max() < 30  # of labels that the numbers do not tell: ten trees in vain
    assert misled.notes == ()
    full = baseline.fit(trial(max_iter=3), small, 0)
    assert isinstance(full, boosting.Boosted)
    assert list(full.iterations) == [3, 3, 0, 0]
    assert full.notes == ("2 of 2 labels used all 3 trees of model.max_iter: more may do better.",)


def test_what_is_refitted_on_all_rows_has_as_many_trees_as_the_folds_had(small: Dataset) -> None:
    folded = replace(small, validation=small.train, folds=np.arange(400) % 4)
    fitted, scored = fitting.fit(trial(), 0, folded, Weights(small.train.y.mean(axis=0)), (), lambda *_: None)
    folds = []
    for fold in range(4):
        inside, outside = np.flatnonzero(folded.folds != fold), np.flatnonzero(folded.folds == fold)
        one = replace(small, train=small.train.take(inside), validation=small.train.take(outside))
        folds.append(baseline.fit(trial(), one, 0))
        np.testing.assert_array_equal(scored.scores[outside], folds[-1].scores(one.validation))
    trees = np.mean([one.iterations for one in folds], axis=0)
    np.testing.assert_allclose(fitted.iterations[:2], trees[:2], atol=0.5)
    assert fitted.notes == ()
    assert fitted.facts["iterations"] == pytest.approx(trees[:2].mean())


@pytest.mark.long
def test_processes_with_one_thread_and_two_give_the_same_bits() -> None:
    code = """
import hashlib, sys
from rarelabels.data import loading
from rarelabels.declare.trial import Trial
from rarelabels.learn.baselines import baseline
trial = Trial.model_validate_json(sys.argv[1])
data = loading.load(trial.dataset, 0)
print(hashlib.sha256(baseline.fit(trial, data, 0).scores(data.test).tobytes()).hexdigest())
"""
    simulated = {"kind": "simulated", "rows": 2000, "features": 6}
    declared = Trial.model_validate(trial(max_iter=20).model_dump() | {"dataset": simulated})
    first, second = (printed(code, declared.model_dump_json(), OMP_NUM_THREADS=n) for n in ("1", "2"))
    assert len(first) == 64
    assert first == second


# Left out


def test_a_label_of_middle_prevalence_is_timed(small: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    y = np.zeros((400, 5), np.uint8)
    for label, positives in enumerate([200, 5, 0, 40, 400]):
        y[:positives, label] = 1
    timed = []
    monkeypatch.setattr(boosting, "_fit_label", lambda spec, data, label, *_: timed.append(label))
    clock = iter([0.0, 4.2] * 2)
    monkeypatch.setattr(boosting.time, "perf_counter", lambda: next(clock))
    data = replace(small, train=replace(small.train, y=y))
    boosting.check_time(GradientBoostingSpec(kind=KIND, most_seconds=12.7), data, 0, 1)
    with pytest.raises(LeftOutError) as caught:
        boosting.check_time(GradientBoostingSpec(kind=KIND, most_seconds=60.0), data, 0, 6)
    assert timed == [3, 3]
    assert str(caught.value) == (
        "one label took 4.2 s, 3 labels in 6 trainings would take 1.3 min, more than the declared 1 min "
        "(model.most_seconds)"
    )


def declare(folder: Path, **model: Any) -> None:
    """Write a study of a table of two numbers and two labels, with boosting and a floor."""
    rng = np.random.default_rng(4)
    with (folder / "numbers.csv").open("w", encoding="utf-8", newline="") as file:
        written = csv.writer(file)
        written.writerow(["width", "height", "is_wide", "is_high"])
        for width, height in rng.normal(size=(400, 2)).round(3).tolist():
            written.writerow([width, height, int(width + rng.normal() > 1), int(height * width > 0.5)])
    study = folder / "experiments" / "numbers"
    study.mkdir(exist_ok=True)
    (study / "_base.yaml").write_text(
        """
extends: ../../conf/base.yaml
question: How far do the numbers lead?
thread: beyond the threads
dataset: {kind: table, path: ../../numbers.csv, labels: {prefix: is_}, numeric: [width, height]}
training: {epochs: 1, batch_size: 32, learning_rate: 1.0e-2}
watch: []
seeds: [0, 1]
""",
        encoding="utf-8",
    )
    keys = "".join(f", {key}: {value}" for key, value in model.items())
    (study / "boosted.yaml").write_text(f"extends: _base.yaml\nmodel: {{kind: {KIND}{keys}}}\n", encoding="utf-8")
    (study / "floor.yaml").write_text("extends: _base.yaml\nmodel: {kind: floor, predicts: prior}\n", encoding="utf-8")


@pytest.mark.long
def test_a_boosted_model_is_run_chosen_and_predicts_what_was_recorded(tmp_path: Path) -> None:
    project = Project(tmp_path)
    declare(tmp_path, max_iter=8)
    out, _ = project.do("run", "numbers")
    assert "boosted: (seed 0) " in out
    assert "of 2 labels used all 8 trees of model.max_iter: more may do better." in out
    assert "boosted" in project.do("best", "numbers")[0]
    predicted = pd.read_csv(io.StringIO(project.do("predict", "numbers", "numbers.csv")[0]), index_col=0)
    study = recorded_study.Study("numbers", project.record)
    assert (study.runs().query("trial == 'boosted'")["training/iterations"] == 8).all()
    seed = int(connection.connect(project.record).run(registered(project)).data.tags["seed"])
    recorded = study.scores("boosted", seed).pivot(index="id", columns="label", values="score")
    rows = predicted.loc[recorded.index.astype(int)]
    assert len(rows) == 80
    for label in recorded.columns:
        np.testing.assert_array_equal(rows[f"probability/{label}"], recorded[label])


def registered(project: Project) -> str:
    """Return the run of the model that `best` registered."""
    return registry.versions(connection.connect(project.record), "numbers")[0].run_id


@pytest.mark.long
def test_a_run_that_would_take_too_long_is_left_out_and_that_is_no_failure(tmp_path: Path) -> None:
    project = Project(tmp_path)
    declare(tmp_path, most_seconds=1e-6)
    for _ in range(2):  # the next one times it again
        out, err = project.do("run", "numbers")
        for seed in (0, 1):
            assert f"numbers/boosted seed {seed}: left out: one label took " in err
            assert f"\nboosted seed {seed}: left out: one label took " in out
        assert ", 2 labels would take " in out
        assert out.count("more than the declared 1e-06 s (model.most_seconds)") == 2
        assert "not run" not in out
    runs = [run for run in project.runs("run", "numbers") if run.data.tags["trial"] == "numbers/boosted"]
    assert [run.info.status for run in runs] == ["KILLED"] * 4
    assert all(run.data.tags["reason"].startswith("left out: one label took") for run in runs)
    printed, _ = project.do("results", "numbers")
    assert "\nboosted seed 0: left out: one label took " in printed
    declare(tmp_path, most_seconds=100)  # the same runs, with a bound that they keep
    assert "left out" not in project.do("run", "numbers")[0]
    _, err = project.do("run", "numbers/boosted", "--set", "model.most_seconds=99")
    assert "numbers: 0 runs to do, 2 finished before" in err


# What it cannot read


def test_text_is_refused_and_so_is_nothing_at_all(small: Dataset) -> None:
    spec = GradientBoostingSpec(kind=KIND)
    baseline.check(spec, small)
    words = {"title": Tokens.from_lists([["a"]] * 400), "tags": Tokens.from_lists([["b"]] * 400)}
    with pytest.raises(
        UserError, match="reads numbers and categories alone and would ignore title, tags; use linear, or leave them"
    ):
        baseline.check(spec, replace(small, train=replace(small.train, text=words)))
    with pytest.raises(UserError, match="reads numbers and categories, but the dataset names no column of either"):
        baseline.check(spec, replace(small, numeric=()))


def test_the_logit_of_a_row_by_hand() -> None:
    """One tree: to the left of 2 (1.5 itself, and what is missing) -1, else +1; the prior is 0.5."""
    trees = boosting.Trees(
        feature=np.array([0, 0, 0], np.int32),
        threshold=np.array([2.0, 0.0, 0.0]),
        missing_left=np.array([True, False, False]),
        left=np.array([1, 1, 2], np.int32),
        right=np.array([2, 1, 2], np.int32),
        value=np.array([9.0, -1.0, 1.0]),
        roots=np.array([0]),
        of_label=np.array([0, 1]),
        prior=np.array([0.5]),
    )
    rows = np.array([[1.5], [2.0], [2.1], [np.nan]])
    np.testing.assert_array_equal(trees.logits(rows).ravel(), [-0.5, -0.5, 1.5, -0.5])


def with_categories(part: Part, rng: np.random.Generator, values: int) -> Part:
    """Two categories beside the numbers; the first label goes with the first category, too."""
    codes = rng.integers(0, values, (len(part.ids), 2))
    y = part.y.copy()
    y[:, 0] ^= (codes[:, 0] % 3 == 0).astype(np.uint8)
    columns = {name: Tokens.from_lists([[f"v{code}"] for code in codes[:, i]]) for i, name in enumerate(("one", "two"))}
    return replace(part, y=y, categories=columns)


@pytest.mark.parametrize("values", [3, 70])
def test_categories_score_bit_by_bit_what_scikit_learn_does(small: Dataset, tmp_path: Path, values: int) -> None:
    rng = np.random.default_rng(2)
    train, validation = (with_categories(part(rng, n), rng, values) for n in (4000, 800))
    test = with_categories(small.test, rng, values + 2)  # with values that training does not have
    data = replace(small, train=train, validation=validation, test=test)
    fitted = baseline.fit(trial(max_iter=40, learning_rate=0.3), data, 3)
    assert isinstance(fitted, boosting.Boosted)
    assert fitted.trees.values is not None
    assert (fitted.trees.values >= 0).sum() > 5
    assert fitted.trees.bits is not None
    assert (fitted.trees.bits[:, 1].any(), fitted.trees.bits[:, 2].any()) == (values > 32, values > 64)
    known = {
        name: {v: i for i, v in enumerate(sorted(map(str, rows.vocabulary)))} for name, rows in train.categories.items()
    }

    def columns(part: Part) -> np.ndarray:
        """The numbers first, then codes in the order of the names: another order than ours."""
        codes = [
            [known[name].get(cell[0], np.nan) for cell in rows.to_lists()] for name, rows in part.categories.items()
        ]
        return np.column_stack([*np.array(codes), part.numeric])

    for label in (0, 1):
        reference = HistGradientBoostingClassifier(
            max_iter=40, learning_rate=0.3, early_stopping=True, random_state=3, categorical_features=[0, 1]
        ).fit(columns(train), train.y[:, label], X_val=columns(validation), y_val=validation.y[:, label])
        assert reference.n_iter_ == fitted.iterations[label]
        np.testing.assert_allclose(
            fitted.scores(test)[:, label], reference.predict_proba(columns(test))[:, 1], rtol=1e-9
        )
    fitted.save(tmp_path)
    np.testing.assert_array_equal(baseline.load_saved(tmp_path).scores(test), fitted.scores(test))


def test_without_categories_the_files_are_as_before(small: Dataset, tmp_path: Path) -> None:
    baseline.fit(trial(max_iter=5), small, 0).save(tmp_path)
    with np.load(tmp_path / "weights.npz") as weights:
        assert set(weights) == {
            *("feature", "threshold", "missing_left", "left", "right", "value", "roots", "of_label", "prior")
        }


def test_a_category_of_more_values_than_bits_is_refused(small: Dataset) -> None:
    def of(values: int) -> Dataset:
        rows = Tokens.from_lists([[f"v{row % values}"] for row in range(400)])
        return replace(small, train=replace(small.train, categories={"city": rows}))

    baseline.check(GradientBoostingSpec(kind=KIND), of(255))
    for refuse in (
        lambda: baseline.check(GradientBoostingSpec(kind=KIND), of(256)),
        lambda: baseline.fit(trial(), of(256), 0),
    ):
        with pytest.raises(UserError) as error:
            refuse()
        assert str(error.value) == (
            "dataset.categories: column 'city' has 256 different values in the training part, and model.kind "
            "'gradient_boosting' reads at most 255; leave it out of this trial's data, or declare it under "
            "dataset.text or dataset.lists and use linear"
        )


def test_each_label_is_fitted_and_stopped_on_its_known_rows(small: Dataset) -> None:
    rng = np.random.default_rng(3)
    parts = {}
    for name in ("train", "validation"):
        of = getattr(small, name)
        known = rng.random(of.y.shape) < 0.6
        known[:, 1] &= name == "train"  # known in no validation row: nothing stops it
        parts[name] = replace(of, known=known, y=(of.y * known).astype(np.uint8))
    some = replace(small, **parts)
    fitted = baseline.fit(trial(max_iter=30), some, 3)
    assert isinstance(fitted, boosting.Boosted)
    assert some.train.known is not None
    assert some.validation.known is not None
    train, held_out = some.train.known[:, 0], some.validation.known[:, 0]
    reference = HistGradientBoostingClassifier(max_iter=30, early_stopping=True, random_state=3)
    reference.fit(
        small.train.numeric[train],
        small.train.y[train, 0],
        X_val=small.validation.numeric[held_out],
        y_val=small.validation.y[held_out, 0],
    )
    scores = fitted.scores(small.test)
    assert (scores[:, 0] == reference.predict_proba(small.test.numeric)[:, 1]).all()
    assert fitted.iterations[1] == 30
    assert (scores[:, 2:] == [0, 1]).all()


def test_the_weights_of_rows_are_scikit_learns_and_validation_has_none(small: Dataset) -> None:
    declared = np.random.default_rng(3).uniform(0.1, 9, len(small.train.y))
    weighed = replace(small, train=replace(small.train, weights=declared))
    fitted = baseline.fit(trial(max_iter=20), weighed, 0)
    for label in (0, 1):
        model = HistGradientBoostingClassifier(
            max_iter=20, early_stopping=True, n_iter_no_change=10, random_state=0
        ).fit(
            small.train.numeric,
            small.train.y[:, label],
            declared / declared.mean(),
            X_val=small.validation.numeric,
            y_val=small.validation.y[:, label],
        )
        ours = fitted.scores(small.test)[:, label]
        np.testing.assert_allclose(ours, model.predict_proba(small.test.numeric)[:, 1], rtol=1e-9)
