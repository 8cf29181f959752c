"""Classifiers of scikit-learn by name, against scikit-learn itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from scipy.special import expit
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import LinearSVC

from rarelabels.data.dataset import Dataset
from rarelabels.declare.models import Classifier, SklearnSpec
from rarelabels.errors import UserError
from rarelabels.learn.baselines import baseline, sklearn_model
from rarelabels.learn.baselines.linear import Features
from small_texts import trial

OF_OTHERS = {  # what they need is another estimator
    *("ClassifierChain", "FixedThresholdClassifier", "MultiOutputClassifier", "OneVsOneClassifier"),
    *("OneVsRestClassifier", "OutputCodeClassifier", "SelfTrainingClassifier", "StackingClassifier"),
    *("TunedThresholdClassifierCV", "VotingClassifier"),
}
READS_CODES = {"CategoricalNB"}
DEPRECATED = {"PassiveAggressiveClassifier"}  # SGDClassifier does the same
NEEDED: dict[str, dict[str, object]] = {  # by so small data
    "NuSVC": {"nu": 0.1},
    "QuadraticDiscriminantAnalysis": {"solver": "eigen", "shrinkage": 0.5},
    "RadiusNeighborsClassifier": {"radius": 1.3, "outlier_label": 0},
}


def spec(estimator: str, **parameters: object) -> SklearnSpec:
    return SklearnSpec.model_validate({"kind": "sklearn", "estimator": estimator, "parameters": parameters})


def columns(data: Dataset) -> tuple[object, object]:
    features = Features.fit(spec("LinearSVC"), data)
    return features.of(data.train), features.of(data.test)


def test_the_list_is_that_of_the_installed_scikit_learn() -> None:
    assert {*get_args(Classifier), *OF_OTHERS, *READS_CODES, *DEPRECATED} == set(sklearn_model.classifiers())


def test_one_forest_has_all_labels_that_are_not_constant(small: Dataset, tmp_path: Path) -> None:
    declared = spec("RandomForestClassifier", n_estimators=20, max_depth=5)
    fitted = baseline.fit(trial(**declared.model_dump()), small, 3)
    train, test = columns(small)
    forest = RandomForestClassifier(n_estimators=20, max_depth=5, random_state=3).fit(train, small.train.y[:, :2])
    scores = fitted.scores(small.test)
    assert (scores[:, :2] == np.column_stack([one[:, 1] for one in forest.predict_proba(test)])).all()
    assert (scores[:, 2:] == [0.0, 1.0]).all()  # never and always
    fitted.save(tmp_path / "model")
    assert not list(tmp_path.rglob("*.pkl"))
    with pytest.raises(UserError, match="its model was not stored"):
        baseline.load_saved(tmp_path / "model")


def test_a_class_of_one_label_is_fitted_for_each(small: Dataset) -> None:
    fitted = baseline.fit(trial(**spec("LogisticRegression", C=2.0).model_dump()), small, 0)
    train, test = columns(small)
    for label in (0, 1):
        alone = LogisticRegression(C=2.0, random_state=0).fit(train, small.train.y[:, label])
        assert (fitted.scores(small.test)[:, label] == alone.predict_proba(test)[:, 1]).all()
    assert fitted.notes == ()


def test_each_label_is_fitted_on_its_known_rows(small: Dataset) -> None:
    known = np.random.default_rng(0).random(small.train.y.shape) < 0.7
    part = replace(small.train, y=small.train.y * known, known=known)
    fitted = baseline.fit(trial(**spec("ExtraTreesClassifier").model_dump()), replace(small, train=part), 0)
    train, test = columns(small)
    for label in (0, 1):
        rows = np.flatnonzero(known[:, label])
        alone = ExtraTreesClassifier(random_state=0).fit(train[rows], part.y[rows, label])  # type: ignore[index]
        assert (fitted.scores(small.test)[:, label] == alone.predict_proba(test)[:, 1]).all()
    assert (fitted.scores(small.test)[:, 2:] == [0.0, 1.0]).all()


def test_the_weights_of_rows_are_given_to_it_or_it_is_refused(small: Dataset) -> None:
    declared = np.random.default_rng(0).uniform(0.1, 9, len(small.train.y))
    weighed = replace(small, train=replace(small.train, weights=declared))
    fitted = baseline.fit(trial(**spec("LogisticRegression").model_dump()), weighed, 0)
    forest = baseline.fit(trial(**spec("ExtraTreesClassifier").model_dump()), weighed, 0)
    train, test = columns(small)
    scaled = declared / declared.mean()
    of_both = ExtraTreesClassifier(random_state=0).fit(train, small.train.y[:, :2], scaled).predict_proba(test)
    for label in (0, 1):
        alone = LogisticRegression(random_state=0).fit(train, small.train.y[:, label], scaled)
        assert (fitted.scores(small.test)[:, label] == alone.predict_proba(test)[:, 1]).all()
        assert (forest.scores(small.test)[:, label] == of_both[label][:, 1]).all()
    with pytest.raises(UserError, match=r"KNeighborsClassifier: takes no weights of rows, and dataset.weight declares"):
        sklearn_model.check(spec("KNeighborsClassifier"), weighed)


def test_decision_values_are_squashed_and_said_to_be(small: Dataset) -> None:
    fitted = baseline.fit(trial(**spec("LinearSVC").model_dump()), small, 0)
    train, test = columns(small)
    values = LinearSVC(random_state=0).fit(train, small.train.y[:, 1]).decision_function(test)
    assert (fitted.scores(small.test)[:, 1] == expit(values)).all()
    assert fitted.notes[0].startswith("Scores are decision values d as 1/(1 + exp(-d)), for LinearSVC estimates no")


def test_a_class_that_reads_no_sparse_matrix_gets_a_dense_one(small: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    one = trial(**spec("GaussianNB").model_dump())
    train, test = columns(small)
    alone = GaussianNB().fit(train.toarray(), small.train.y[:, 0])  # type: ignore[attr-defined]
    found = baseline.fit(one, small, 0).scores(small.test)[:, 0]
    assert (found == alone.predict_proba(test.toarray())[:, 1]).all()  # type: ignore[attr-defined]
    monkeypatch.setattr(sklearn_model, "MOST_CELLS", 100)
    with pytest.raises(UserError, match="a dense one of 120 rows and"):
        baseline.fit(one, small, 0)


def test_what_the_fit_warns_of_is_a_note(small: Dataset) -> None:
    fitted = baseline.fit(trial(**spec("LogisticRegression", max_iter=1).model_dump()), small, 0)
    assert fitted.notes[0].startswith("LogisticRegression: lbfgs failed to converge")


@pytest.mark.parametrize("estimator", get_args(Classifier))
def test_every_class_gives_scores(estimator: str, small: Dataset) -> None:
    declared = spec(estimator, **NEEDED.get(estimator, {}))
    baseline.check(declared, small)
    scores = baseline.fit(trial(**declared.model_dump()), small, 0).scores(small.test)
    assert scores.shape == (40, 4)
    assert scores.min() >= 0
    assert scores.max() <= 1
    if estimator != "DummyClassifier":
        assert len(np.unique(scores[:, 0])) > 1


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        (
            {"n_estimator": 5},
            "model.parameters.n_estimator: RandomForestClassifier has no such parameter; did you mean",
        ),
        ({"frobnicate": 5}, "has no such parameter; allowed: bootstrap, ccp_alpha, class_weight,"),
        (
            {"n_estimators": 0},
            "model.parameters: The 'n_estimators' parameter of RandomForestClassifier must be an int",
        ),
        ({"max_depth": "deep"}, "The 'max_depth' parameter of RandomForestClassifier must be"),
    ],
)
def test_wrong_parameters_are_refused_before_a_run(parameters: dict[str, object], reason: str, small: Dataset) -> None:
    with pytest.raises(UserError) as caught:
        baseline.check(spec("RandomForestClassifier", **parameters), small)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_class_beyond_the_list_can_be_named() -> None:
    for name in ("os.system", "VotingClassifier", "RandomForestRegressor"):
        with pytest.raises(ValueError, match="Input should be"):
            spec(name)
    with pytest.raises(ValueError, match="random_state is the seed of the run"):
        spec("LinearSVC", random_state=1)


def test_numbers_below_zero_are_not_for_every_class(small: Dataset) -> None:
    numeric = replace(small, numeric=("n",))
    with pytest.raises(UserError, match="MultinomialNB: reads no negative numbers"):
        baseline.check(spec("MultinomialNB"), numeric)
