"""The scikit-learn classifier: its conventions, its thresholds, and every form in which estimators give scores."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import make_multilabel_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.metrics import average_precision_score, f1_score, make_scorer
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.utils.estimator_checks import parametrize_with_checks

import rarelabels as rl
from rarelabels.judging.rules.folds import folds
from rarelabels.judging.rules.table import RULES

LOGISTIC = OneVsRestClassifier(LogisticRegression())
SVM = OneVsRestClassifier(LinearSVC(random_state=0))
OWN_THRESHOLD = "the check decides at 0.5 of predict_proba, or 0 of decision_function; thresholds are chosen here"
CLASSES = (
    "the check takes classes_ as one array for all labels; it is a list with the classes of each, as of "
    "MultiOutputClassifier: test_scorers_see_two_labels_as_two_labels"
)


def expected_failures(model: rl.ThresholdedClassifier) -> dict[str, str]:
    by_threshold = {} if model.rule == "half" else {"check_classifiers_train": OWN_THRESHOLD}
    return {"check_classifier_multioutput": CLASSES, **by_threshold}


@parametrize_with_checks(
    [rl.ThresholdedClassifier(inner, rule=rule, cv=3) for inner in (LOGISTIC, SVM) for rule in ("half", "per_label")],
    expected_failed_checks=expected_failures,
    xfail_strict=True,
)
def test_scikit_learn_agrees(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def data() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return X and Y to fit, and X and Y of other rows: 6 labels, the last of them rare."""
    X, Y = make_multilabel_classification(n_samples=500, n_classes=6, n_labels=2, random_state=3)
    Y[:, 5] &= np.arange(500) % 6 == 0
    return X[:300], Y[:300], X[300:], Y[300:]


def test_thresholds_are_the_best_on_scores_of_rows_left_out(data):
    X, Y, X_new, _ = data
    model = rl.ThresholdedClassifier(LOGISTIC).fit(X, Y)
    fold, scores = folds(Y, 5), np.empty(Y.shape)
    for number in range(5):
        held_out = fold == number
        scores[held_out] = clone(LOGISTIC).fit(X[~held_out], Y[~held_out]).predict_proba(X[held_out])
    assert np.array_equal(model.thresholds_, rl.choose_rules(Y, scores)["per_label"].thresholds)
    wanted = clone(LOGISTIC).fit(X, Y).predict_proba(X_new)
    assert np.array_equal(model.predict_proba(X_new), wanted)
    assert np.array_equal(model.predict(X_new), wanted >= model.thresholds_)
    assert model.predict(X_new).dtype == np.int64
    assert model.n_features_in_ == X.shape[1]
    assert [classes.tolist() for classes in model.classes_] == [[0, 1]] * 6


def test_it_finds_more_than_half_does(data):
    X, Y, X_new, Y_new = data
    found = {
        rule: f1_score(Y_new, rl.ThresholdedClassifier(LOGISTIC, rule=rule).fit(X, Y).predict(X_new), average="macro")
        for rule in ("half", "per_label")
    }
    assert found["half"] == f1_score(Y_new, clone(LOGISTIC).fit(X, Y).predict(X_new), average="macro")
    assert found["per_label"] > found["half"] + 0.02


@pytest.mark.parametrize("rule", RULES)
def test_every_rule(data, rule):
    X, Y, X_new, _ = data
    model = rl.ThresholdedClassifier(LOGISTIC, rule=rule, cv=3).fit(X, Y)
    assert np.array_equal(model.predict(X_new), model.rule_.assign(model.predict_proba(X_new)))
    assert model.rule_.name == rule


@pytest.mark.parametrize(
    ("objective", "same"),
    [
        ("f1", rl.FBeta(1)),
        ("jaccard", rl.Jaccard()),
        ("balanced_accuracy", rl.BalancedAccuracy()),
        (rl.Cost(false_negative=20), rl.Cost(false_positive=1, false_negative=20)),
    ],
)
def test_every_objective(data, objective, same):
    X, Y, _, _ = data
    models = [rl.ThresholdedClassifier(LOGISTIC, objective=given, cv=3).fit(X, Y) for given in (objective, same)]
    thresholds = [model.thresholds_ for model in models]
    assert np.array_equal(*thresholds)
    if isinstance(objective, rl.Cost):  # a missed positive is dear: thresholds are low
        assert thresholds[0].mean() < 0.2


@pytest.mark.parametrize(
    "inner",
    [
        RandomForestClassifier(20, random_state=0),  # a list, one array for each label
        KNeighborsClassifier(),
        MultiOutputClassifier(LogisticRegression()),
        ClassifierChain(LogisticRegression()),  # a matrix
        MLPClassifier((8,), max_iter=30, random_state=0),
        LOGISTIC,
        SVM,  # decision values alone
        RidgeClassifier(),
    ],
    ids=lambda inner: type(inner).__name__,
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning", "ignore:Label not")
def test_every_form_of_scores_also_where_a_fold_has_a_label_of_one_class(data, inner):
    X, Y, X_new, _ = data
    Y = Y.copy()
    Y[:, 4], Y[:, 5] = 0, 1
    Y[7, 4], Y[8, 5] = 1, 0  # the folds that fit without these rows see one class
    model = rl.ThresholdedClassifier(inner).fit(X, Y)
    assigned = model.predict(X_new)
    assert assigned.shape == (200, 6)
    assert set(np.unique(assigned)) == {0, 1}
    assert assigned[:, 5].mean() > 0.9
    method = "predict_proba" if hasattr(model, "predict_proba") else "decision_function"
    scores = getattr(model, method)(X_new)
    assert scores.shape == (200, 6)
    assert np.array_equal(assigned, scores >= model.thresholds_)


def test_a_label_that_a_fold_lacks_scores_0_there_if_the_estimator_refuses_it(data):
    X, Y, _, _ = data
    Y = Y[:, :3].copy()
    Y[:, 2] = np.arange(len(Y)) == 7
    model = rl.ThresholdedClassifier(MultiOutputClassifier(LogisticRegression()), rule="global")
    scores, known = model._cross_validated(X, Y.astype(np.int64), "predict_proba")
    assert known.all()
    fold = folds(Y)
    inside = fold == fold[7]
    assert (scores[inside, 2] == 0).all()
    assert (scores[~inside, 2] > 0).all()
    others = MultiOutputClassifier(LogisticRegression()).fit(X[~inside], Y[~inside][:, :2])
    wanted = np.column_stack([one[:, 1] for one in others.predict_proba(X[inside])])
    assert np.array_equal(scores[inside][:, :2], wanted)


def test_thresholds_lie_on_the_scale_of_the_decision_function(data):
    X, Y, X_new, _ = data
    half = rl.ThresholdedClassifier(SVM, rule="half").fit(X, Y)
    assert half.thresholds_.tolist() == [0.0] * 6
    assert not hasattr(half, "predict_proba")
    assert np.array_equal(half.predict(X_new), clone(SVM).fit(X, Y).predict(X_new))
    model = rl.ThresholdedClassifier(SVM).fit(X, Y)
    assert (model.thresholds_ < 0).any()
    assert np.array_equal(model.predict(X_new), model.decision_function(X_new) >= model.thresholds_)


@pytest.mark.filterwarnings("ignore:Label not")
def test_a_label_that_a_fold_lacks_does_not_draw_thresholds_far_away(data):
    X, Y, X_new, _ = data
    Y = Y.copy()
    Y[:, 4] = np.arange(len(Y)) == 7
    model = rl.ThresholdedClassifier(SVM, rule="per_label_shrunk").fit(X, Y)
    decisions = model.decision_function(X_new)
    assert (np.abs(model.thresholds_) < 2 * np.abs(decisions).max()).all()
    scores, _ = model._cross_validated(X, Y, "decision_function")
    assert scores[folds(Y) == folds(Y)[7], 4].tolist() == pytest.approx([scores[folds(Y) == folds(Y)[7]].min()] * 60)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("inner", [LOGISTIC, SVM], ids=["probabilities", "decision values"])
@pytest.mark.filterwarnings("ignore:Label not", "ignore:Label 5 is present")
def test_a_label_that_no_row_has_is_not_assigned_and_one_that_all_have_is(data, inner, rule):
    X, Y, X_new, _ = data
    Y = Y.copy()
    Y[:, 4], Y[:, 5] = 0, 1
    assigned = rl.ThresholdedClassifier(inner, rule=rule, cv=3).fit(X, Y).predict(X_new)
    assert not assigned[:, 4].any()
    assert assigned[:, 5].all()


def test_prefit_chooses_on_the_rows_it_is_given(data):
    X, Y, X_val, Y_val = data
    fitted = clone(LOGISTIC).fit(X, Y)
    model = rl.ThresholdedClassifier(fitted, cv="prefit").fit(X_val, Y_val)
    assert model.estimator_ is fitted
    wanted = rl.choose_rules(Y_val, fitted.predict_proba(X_val))["per_label"].thresholds
    assert np.array_equal(model.thresholds_, wanted)
    with pytest.raises(NotFittedError):
        rl.ThresholdedClassifier(clone(LOGISTIC), cv="prefit").fit(X_val, Y_val)


def test_splitters_and_pairs_of_row_numbers(data):
    X, Y, _, _ = data
    pairs = list(KFold(3).split(X))
    models = [rl.ThresholdedClassifier(LOGISTIC, cv=cv).fit(X, Y) for cv in (KFold(3), pairs)]
    assert np.array_equal(models[0].thresholds_, models[1].thresholds_)
    # Rows that no pair holds out do not choose.
    few = rl.ThresholdedClassifier(LOGISTIC, cv=pairs[:1]).fit(X, Y)
    fit, held_out = pairs[0]
    scores = clone(LOGISTIC).fit(X[fit], Y[fit]).predict_proba(X[held_out])
    assert np.array_equal(few.thresholds_, rl.choose_rules(Y[held_out], scores)["per_label"].thresholds)


def test_frames_and_sparse_labels_and_sparse_rows(data):
    X, Y, X_new, _ = data
    plain = rl.ThresholdedClassifier(LOGISTIC, cv=3).fit(X, Y)
    names = [f"x{number}" for number in range(X.shape[1])]
    frames = rl.ThresholdedClassifier(LOGISTIC, cv=3).fit(pd.DataFrame(X, columns=names), pd.DataFrame(Y))
    assert frames.feature_names_in_.tolist() == names
    assert np.array_equal(frames.predict(pd.DataFrame(X_new, columns=names)), plain.predict(X_new))
    of_sparse = rl.ThresholdedClassifier(LOGISTIC, cv=3).fit(sparse.csr_matrix(X), sparse.csr_array(Y))
    assert np.allclose(of_sparse.thresholds_, plain.thresholds_, atol=1e-3)


def test_in_a_pipeline_with_pandas_output_and_a_grid_search(data):
    X, Y, X_new, Y_new = data
    frame = pd.DataFrame(X).rename(columns=str)
    pipeline = make_pipeline(StandardScaler(), rl.ThresholdedClassifier(LOGISTIC, cv=3)).set_output(transform="pandas")
    pipeline.fit(frame, pd.DataFrame(Y))
    assert pipeline[-1].feature_names_in_.tolist() == list(frame.columns)
    name = "thresholdedclassifier"
    grid = {f"{name}__rule": ["half", "per_label"], f"{name}__objective": ["f1", rl.FBeta(2)]}
    search = GridSearchCV(pipeline, grid, scoring="f1_macro", cv=2).fit(frame, Y)
    assert search.best_params_[f"{name}__rule"] == "per_label"
    assert search.score(pd.DataFrame(X_new).rename(columns=str), Y_new) > 0.3


def test_scorers_see_two_labels_as_two_labels(data):
    """classes_ = array([0, 1]), as OneVsRestClassifier has it, means a binary target to scikit-learn's scorers."""
    X, Y, X_new, Y_new = data
    score = make_scorer(average_precision_score, response_method="predict_proba")
    plain = clone(LOGISTIC).fit(X, Y[:, :2])
    with pytest.raises(ValueError, match=r"y_true|shape"):
        score(plain, X_new, Y_new[:, :2])
    wanted = average_precision_score(Y_new[:, :2], plain.predict_proba(X_new))
    assert score(rl.ThresholdedClassifier(LOGISTIC).fit(X, Y[:, :2]), X_new, Y_new[:, :2]) == wanted


def test_texts_are_rows():
    texts = ["a rare bird", "a common dog", "dog and bird", "nothing"] * 10
    Y = np.array([[1, 0], [0, 1], [1, 1], [0, 0]] * 10)
    model = rl.ThresholdedClassifier(make_pipeline(TfidfVectorizer(), OneVsRestClassifier(LogisticRegression())))
    assert np.array_equal(model.fit(texts, Y).predict(texts), Y)


def test_a_single_target_of_two_classes():
    X = np.arange(20.0).reshape(-1, 1)
    y = np.where(np.arange(20) < 15, "no", "yes")
    model = rl.ThresholdedClassifier(LogisticRegression()).fit(X, y)
    assert model.predict(X).tolist() == y.tolist()
    assert model.predict_proba(X).shape == (20, 2)
    assert model.thresholds_.shape == (1,)


class Narrow(ClassifierMixin, BaseEstimator):
    """Gives a column less than there are labels."""

    def fit(self, X, y):
        self.fitted_ = True
        return self

    def predict_proba(self, X):
        return np.zeros((len(X), 1))


@pytest.mark.parametrize(
    ("changes", "y", "told"),
    [
        ({"rule": "per_lable"}, None, r"rule: allowed 'half', .*; given 'per_lable'; did you mean 'per_label'\?"),
        ({"objective": "f2"}, None, "objective: allowed 'f1', 'jaccard', 'balanced_accuracy', .*; given 'f2'"),
        ({"cv": "prefitted"}, None, "cv: allowed a number of folds, a splitter, or 'prefit'; given 'prefitted'"),
        ({"cv": 1}, None, "cv: must be at least 2 folds and at most n_samples = 300; given 1"),
        ({"estimator": StandardScaler()}, None, "estimator: must have predict_proba or decision_function; given Stand"),
        ({"estimator": Narrow()}, None, r"estimator: its predict_proba must give a column for each of 6 labels; it gi"),
        ({}, np.full((300, 2), 2), r"y: must be 0 or 1, \(n_rows, n_labels\); given 2"),
        ({}, np.zeros((300, 2, 2)), r"y: must have shape \(n_rows, n_labels\); given \(300, 2, 2\)"),
        (
            {},
            np.full((300, 2), np.nan),
            r"y: has labels that are not known \(NaN\), but estimators of scikit-learn learn",
        ),
        ({}, np.zeros((299, 2)), "inconsistent numbers of samples"),
    ],
)
def test_what_is_not_allowed_is_said_in_one_line(data, changes, y, told):
    X, Y, _, _ = data
    model = rl.ThresholdedClassifier(LOGISTIC).set_params(**changes)
    with pytest.raises(ValueError, match=told) as caught:
        model.fit(X, Y if y is None else y)
    assert len(str(caught.value).splitlines()) == 1
