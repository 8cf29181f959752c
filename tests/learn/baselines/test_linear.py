"""Logistic regression on TF-IDF is scikit-learn's, and so are its features."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, f1_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import my_study
from processes import printed
from project import Project
from rarelabels.data.dataset import Dataset, Part
from rarelabels.data.fitted import Vocabulary
from rarelabels.data.tokens import Tokens
from rarelabels.declare.models import LinearSpec
from rarelabels.errors import UserError
from rarelabels.learn.baselines import baseline, linear
from rarelabels.learn.baselines import linear as baselines_linear
from rarelabels.study import recorded_study
from small_texts import part, trial

LINEAR = trial(kind="linear", c=5.0, min_rows=2)


def joined(tokens: dict[str, Tokens]) -> list[list[str]]:
    """Each row as one list of tokens that carry the name of their field."""
    fields = [[[f"{field}={word}" for word in row] for row in t.to_lists()] for field, t in tokens.items()]
    return [[word for row in together for word in row] for together in zip(*fields, strict=True)]


def test_tfidf_equals_scikit_learns(small: Dataset) -> None:
    text, new = small.train.text, small.test.text
    vocabularies = {field: Vocabulary.fit(tokens, min_rows=20, max_tokens=None) for field, tokens in text.items()}
    reference = TfidfVectorizer(analyzer=list, min_df=20).fit(joined(text))
    names = [f"{field}={token}" for field, vocabulary in vocabularies.items() for token in vocabulary.tokens]
    assert set(names) == set(reference.vocabulary_)
    columns = [reference.vocabulary_[name] for name in names]
    for tokens in (text, new):
        np.testing.assert_allclose(
            baselines_linear.tfidf(vocabularies, tokens).toarray(),
            reference.transform(joined(tokens)).toarray()[:, columns],
            rtol=1e-12,
        )


def test_a_row_of_unknown_tokens_scores_the_intercept(small: Dataset) -> None:
    linear = baseline.fit(LINEAR, small, 0)
    assert isinstance(linear, baselines_linear.Linear)
    unknown = {field: Tokens.from_lists([["new"], []]) for field in ("words", "names")}
    scores = linear.scores(Part(np.array(["1", "2"]), np.zeros((2, 4), np.uint8), unknown))
    expected = 1 / (1 + np.exp(-linear.intercepts[:2]))
    np.testing.assert_allclose(scores[:, :2], [expected, expected], rtol=1e-12)


def test_linear_equals_scikit_learns_one_vs_rest(small: Dataset) -> None:
    vectorizer = TfidfVectorizer(analyzer=list, min_df=2)
    X = vectorizer.fit_transform(joined(small.train.text))
    reference = OneVsRestClassifier(LogisticRegression(C=5.0, solver="liblinear", tol=1e-8, max_iter=1000))
    reference.fit(X, small.train.y[:, :2])
    expected = reference.predict_proba(vectorizer.transform(joined(small.test.text)))
    scores = baseline.fit(LINEAR, small, 0).scores(small.test)
    assert scores.shape == (40, 4)
    np.testing.assert_allclose(scores[:, :2], expected, atol=2e-3)


def test_a_label_that_is_constant_in_training_scores_its_prior(small: Dataset) -> None:
    scores = baseline.fit(LINEAR, small, 0).scores(small.test)
    assert (scores[:, 2] == 0.0).all()
    assert (scores[:, 3] == 1.0).all()


def test_nothing_but_the_training_part_is_learnt_from(small: Dataset) -> None:
    other = part(np.random.default_rng(9), 50)
    changed = Dataset(small.labels, small.train, other, other, "digest", {})
    one, two = baseline.fit(LINEAR, small, 0), baseline.fit(LINEAR, changed, 0)
    assert (one.scores(small.test) == two.scores(small.test)).all()


def test_c_and_min_rows_have_their_effect(small: Dataset) -> None:
    weak = baseline.fit(trial(kind="linear", c=1e-6), small, 0).scores(small.test)[:, :2]
    assert np.ptp(weak, axis=0).max() < 1e-3
    by_text = {"words": small.train.text["words"].to_lists(), "names": small.train.text["names"].to_lists()}
    holders = {field: sum("w2" in row for row in rows_) for field, rows_ in by_text.items()}
    for min_rows in (min(holders.values()), min(holders.values()) + 1, max(holders.values()) + 1):
        rare = baseline.fit(trial(kind="linear", min_rows=min_rows), small, 0)
        assert isinstance(rare, baselines_linear.Linear)
        for field, count in holders.items():
            assert ("w2" in rare.features.vocabularies[field].tokens) == (count >= min_rows)


def test_a_saved_model_gives_identical_scores_without_pickles(small: Dataset, tmp_path: Path) -> None:
    linear = baseline.fit(LINEAR, small, 0)
    linear.save(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"preprocessing.json", "weights.npz"}
    with np.load(tmp_path / "weights.npz", allow_pickle=False) as weights:
        assert not any(array.dtype.hasobject for array in weights.values())
    loaded = baseline.load_saved(tmp_path)
    assert loaded.labels == small.labels
    assert (loaded.scores(small.test) == linear.scores(small.test)).all()


def with_c(data: Dataset, c: float) -> np.ndarray:
    return baseline.fit(trial(kind="linear", c=c), data, 0).scores(data.validation)


def test_the_c_that_ranks_the_validation_part_best_is_kept_for_all_labels(small: Dataset) -> None:
    grid = (20.0, 0.01, 1.0, 0.1)
    y = small.validation.y[:, [0, 1, 3]]  # of one label there is no positive
    ranked = {c: average_precision_score(y, with_c(small, c)[:, [0, 1, 3]], average="macro") for c in grid}
    best = max(ranked, key=lambda c: ranked[c])
    assert list(ranked.values()).count(ranked[best]) == 1
    chosen = baseline.fit(trial(kind="linear", c=grid), small, 0)
    assert isinstance(chosen, baselines_linear.Linear)
    assert chosen.facts == {"c": best}
    assert (chosen.scores(small.validation) == with_c(small, best)).all()
    one = baseline.fit(LINEAR, small, 0)
    assert isinstance(one, baselines_linear.Linear)
    assert (one.facts, one.notes) == ({}, ())


def test_of_equal_ones_the_smallest_c_is_kept_and_the_edge_of_the_grid_is_said() -> None:
    assert baselines_linear.best_c({5.0: 0.5, 20.0: 0.5, 1.0: 0.5, 0.1: 0.4}) == 1.0
    assert baselines_linear.best_c({5.0: np.nan, 1.0: np.nan}) == 1.0  # no label has a positive
    facts, notes = baselines_linear.of_chosen_c(20.0, (1.0, 5.0, 20.0))
    assert facts == {"c": 20.0}
    assert notes == ("C = 20 was chosen on validation, the largest that model.c offers: one beyond it may be better.",)
    assert "the smallest" in baselines_linear.of_chosen_c(1.0, (1.0, 5.0))[1][0]
    assert baselines_linear.of_chosen_c(5.0, (20.0, 5.0, 1.0))[1] == ()


def test_many_labels_are_judged_by_some_of_all_frequencies() -> None:
    y = np.zeros((400, 200), np.uint8)
    for label in range(200):
        y[: 1 + label * 37 % 200, label] = 1  # each frequency once
    some = linear.judged(y)
    frequencies = np.sort(y[:, some].sum(axis=0))
    assert len(some) == linear.MOST_JUDGED == 50
    assert (np.diff(some) > 0).all()
    assert (frequencies[0], frequencies[-1]) == (1, 200)
    assert set(np.diff(frequencies)) == {4, 5}
    np.testing.assert_array_equal(linear.judged(y[:, :50]), np.arange(50))


def test_of_many_labels_all_are_fitted_with_the_c_that_some_choose(small: Dataset, monkeypatch: Any) -> None:
    monkeypatch.setattr(linear, "MOST_JUDGED", 2)
    chosen = baseline.fit(trial(kind="linear", c=(0.1, 5.0)), small, 0)
    assert isinstance(chosen, linear.Linear)
    np.testing.assert_array_equal(chosen.scores(small.validation), with_c(small, chosen.facts["c"]))


def test_pairs_of_prose_equal_scikit_learns(small: Dataset) -> None:
    data = replace(small, prose=("words",))

    def with_pairs(text: dict[str, Tokens]) -> list[list[str]]:
        words, names = text["words"].to_lists(), text["names"].to_lists()
        rows = [[*one, *(f"{a} {b}" for a, b in pairwise(one))] for one in words]
        return [[f"words={w}" for w in a] + [f"names={w}" for w in b] for a, b in zip(rows, names, strict=True)]

    fitted = baseline.fit(trial(kind="linear", min_rows=3, ngrams=2), data, 0)
    assert isinstance(fitted, baselines_linear.Linear)
    reference = TfidfVectorizer(analyzer=list, min_df=3).fit(with_pairs(data.train.text))
    vocabularies = fitted.features.vocabularies
    names = [f"{field}={token}" for field in vocabularies for token in vocabularies[field].tokens]
    assert set(names) == set(reference.vocabulary_)
    assert any(" " in token for token in vocabularies["words"].tokens)
    assert not any(" " in token for token in vocabularies["names"].tokens)
    columns = [reference.vocabulary_[name] for name in names]
    expected = reference.transform(with_pairs(data.test.text)).toarray()[:, columns]
    np.testing.assert_allclose(fitted.features.of(data.test).toarray(), expected, rtol=1e-12)


def test_weights_of_fields_and_numbers_by_hand(tmp_path: Path) -> None:
    """Each row has the one word and the one tag, of idf 1; 1 and 3 are standardised to -1 and 1."""
    text = {"word": Tokens.from_lists([["a"]] * 4), "tag": Tokens.from_lists([["b"]] * 4)}
    y = np.array([[0, 1]] * 2 + [[1, 0]] * 2, np.uint8)
    rows = Part(np.array(list("1234")), y, text, np.array([[1.0], [3.0], [1.0], [3.0]]))
    data = Dataset(("p", "q"), rows, rows, rows, "digest", {}, numeric=("n",))
    declared = trial(kind="linear", field_weights={"tag": 3.0}, numeric_weight=0.25)
    fitted = baseline.fit(declared, data, 0)
    assert isinstance(fitted, baselines_linear.Linear)
    expected = [[1 / 10**0.5, 3 / 10**0.5, 0.25 * sign] for sign in (-1, 1, -1, 1)]
    np.testing.assert_allclose(fitted.features.of(rows).toarray(), expected, rtol=1e-12)
    fitted.save(tmp_path)
    assert (baseline.load_saved(tmp_path).scores(rows) == fitted.scores(rows)).all()
    assert isinstance(declared.model, LinearSpec)
    baseline.check(declared.model, data)
    unknown = LinearSpec(kind="linear", field_weights={"tags": 2.0, "word": 1.0})
    with pytest.raises(UserError, match=r"^model\.field_weights: no field 'tags'; the fields are word, tag$"):
        baseline.check(unknown, data)
    with pytest.raises(UserError, match="the fields are none, for the dataset has neither text nor list columns"):
        baseline.check(unknown, replace(data, train=replace(rows, text={})))


@pytest.mark.long
def test_a_chosen_c_is_recorded_and_the_model_predicts_what_was_recorded(tmp_path: Path) -> None:
    project = Project(tmp_path)
    my_study.declare(tmp_path)
    study = tmp_path / "experiments" / my_study.STUDY
    for path in study.glob("[a-z]*.yaml"):
        path.unlink()
    model = "{kind: linear, c: [1.0e-6, 1.0e-5], ngrams: 2, field_weights: {'tags[]': 0.5}, numeric_weight: 0.1}"
    (study / "linear.yaml").write_text(
        "extends: _base.yaml\nquestion: How far does it get?\nthread: beyond the threads\n"
        f"model: {model}\nseeds: [0]\nwatch: []\n"
    )
    out, _ = project.do("run", my_study.STUDY)
    chosen = recorded_study.Study(my_study.STUDY, project.record).runs().loc[0, "training/c"]
    assert chosen in (1e-6, 1e-5)
    assert f"C = {chosen:g} was chosen on validation, the " in out
    project.do("best", my_study.STUDY)
    printed, _ = project.do("predict", my_study.STUDY, "my.csv")
    predicted = pd.read_csv(io.StringIO(printed), index_col=0)
    recorded = recorded_study.Study(my_study.STUDY, project.record).scores("linear")
    recorded = recorded.pivot(index="id", columns="label", values="score")
    for label in my_study.LABELS:
        assert (predicted.loc[recorded.index, f"probability/{label}"] == recorded[label]).all()


def test_what_0_4_2_saved_is_read(small: Dataset, tmp_path: Path) -> None:
    linear = baseline.fit(LINEAR, small, 0)
    linear.save(tmp_path)
    path = tmp_path / "preprocessing.json"
    stored = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps({key: stored[key] for key in ("kind", "labels", "fields", "scaler")}), "utf-8")
    assert (baseline.load_saved(tmp_path).scores(small.test) == linear.scores(small.test)).all()


def test_no_token_left_is_the_users_mistake(small: Dataset) -> None:
    with pytest.raises(UserError, match=r"model\.min_rows: no token occurs in 121 of the 120 training rows"):
        baseline.fit(trial(kind="linear", min_rows=121), small, 0)


def test_linear_on_the_films_is_what_was_measured(films: Dataset) -> None:
    y, scores = films.validation.y, baseline.fit(LINEAR, films, 0).scores(films.validation)
    assert 0.42 <= average_precision_score(y, scores, average="macro") <= 0.46
    assert 0.20 <= f1_score(y, scores >= 0.5, average="macro", zero_division=0) <= 0.25


def test_processes_with_one_thread_and_two_give_the_same_bits() -> None:
    code = """
import hashlib, sys
from rarelabels.data import loading
from rarelabels.declare.data import MoviesSpec
from rarelabels.declare.trial import Trial
from rarelabels.learn.baselines import baseline
trial = Trial.model_validate_json(sys.argv[1])
data = loading.load(MoviesSpec(kind="movies", labels=17), 0)
print(hashlib.sha256(baseline.fit(trial, data, 0).scores(data.test).tobytes()).hexdigest())
"""
    first, second = (printed(code, LINEAR.model_dump_json(), OMP_NUM_THREADS=n) for n in ("1", "2"))
    assert len(first) == 64
    assert first == second


def test_missing_numbers_are_the_median_and_a_column_says_so(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)

    def with_gaps(n: int) -> Part:
        x = rng.normal(size=(n, 2))
        y = np.column_stack([x[:, 0] > 0, rng.random(n) < 0.5]).astype(np.uint8)
        return Part(np.arange(n).astype(np.str_), y, {}, np.where(rng.random((n, 2)) < [0.0, 0.3], np.nan, x))

    data = Dataset(("p", "q"), with_gaps(200), with_gaps(40), with_gaps(60), "digest", {}, numeric=("whole", "gaps"))
    fitted = baseline.fit(LINEAR, data, 0)
    impute = SimpleImputer(strategy="median", add_indicator=True).fit(data.train.numeric)
    scale = StandardScaler().fit(impute.transform(data.train.numeric)[:, :2])

    def columns(x: np.ndarray) -> np.ndarray:
        filled = impute.transform(x)
        return np.hstack([scale.transform(filled[:, :2]), filled[:, 2:]])

    reference = OneVsRestClassifier(LogisticRegression(C=5.0, solver="liblinear", random_state=0, max_iter=1000))
    reference.fit(columns(data.train.numeric), data.train.y)
    new = replace(data.test, numeric=np.vstack([data.test.numeric[:-1], [np.nan, np.nan]]))  # in a whole column too
    np.testing.assert_allclose(fitted.scores(new), reference.predict_proba(columns(new.numeric)), atol=1e-5)
    fitted.save(tmp_path)
    np.testing.assert_array_equal(baseline.load_saved(tmp_path).scores(new), fitted.scores(new))
    nothing = replace(data, train=replace(data.train, numeric=data.train.numeric * [1, np.nan]))
    with pytest.raises(UserError, match="column 'gaps' has no number in the 200 rows of the training part"):
        baseline.fit(LINEAR, nothing, 0)


def test_categories_are_columns_of_the_regressions(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)

    def drawn(n: int, *values: str) -> Part:
        colours = rng.choice(values, n)
        y = np.column_stack([colours == "red", rng.random(n) < 0.5]).astype(np.uint8)
        rows = Tokens.from_lists([[colour] for colour in colours])
        return Part(np.arange(n).astype(np.str_), y, {}, categories={"colour": rows})

    parts = drawn(200, "red", "blue", ""), drawn(40, "red", "new"), drawn(60, "red", "new", "")
    data = Dataset(("p", "q"), *parts, "digest", {})
    fitted = baseline.fit(LINEAR, data, 0)
    encoder = OneHotEncoder(handle_unknown="ignore")

    def cells(part: Part) -> list[list[str]]:
        return part.categories["colour"].to_lists()

    reference = OneVsRestClassifier(LogisticRegression(C=5.0, solver="liblinear", tol=1e-8, max_iter=1000))
    reference.fit(encoder.fit_transform(cells(data.train)), data.train.y)
    expected = reference.predict_proba(encoder.transform(cells(data.test)))
    np.testing.assert_allclose(fitted.scores(data.test), expected, atol=2e-3)
    fitted.save(tmp_path)
    np.testing.assert_array_equal(baseline.load_saved(tmp_path).scores(data.test), fitted.scores(data.test))


def test_each_label_is_fitted_on_its_known_rows(small: Dataset) -> None:
    known = np.random.default_rng(3).random(small.train.y.shape) < 0.6
    known[:, 3] = False
    train = replace(small.train, y=(small.train.y * known).astype(np.uint8), known=known)
    scores = baseline.fit(LINEAR, replace(small, train=train), 0).scores(small.test)
    vectorizer = TfidfVectorizer(analyzer=list, min_df=2)
    X = vectorizer.fit_transform(joined(small.train.text))
    test = vectorizer.transform(joined(small.test.text))
    for label in (0, 1):
        rows = np.flatnonzero(known[:, label])
        reference = LogisticRegression(C=5.0, solver="liblinear", tol=1e-8, max_iter=1000)
        reference.fit(X[rows], small.train.y[rows, label])
        np.testing.assert_allclose(scores[:, label], reference.predict_proba(test)[:, 1], atol=2e-3)
    assert (scores[:, 2:] == 0).all()  # no row has the third; the fourth is known in no row


def test_the_weights_of_rows_are_scikit_learns(small: Dataset) -> None:
    declared = np.random.default_rng(3).uniform(0.1, 9, len(small.train.y))
    weighed = replace(small, train=replace(small.train, weights=declared))
    fitted, plain = (baseline.fit(LINEAR, data, 0) for data in (weighed, small))
    assert isinstance(fitted, linear.Linear)
    X, new = fitted.features.of(small.train), fitted.features.of(small.test)
    for label in range(2):
        model = LogisticRegression(C=5.0, solver="liblinear", max_iter=1000, random_state=0)
        model.fit(X, small.train.y[:, label], declared / declared.mean())
        np.testing.assert_allclose(fitted.scores(small.test)[:, label], model.predict_proba(new)[:, 1], rtol=1e-9)
    assert not np.allclose(fitted.scores(small.test), plain.scores(small.test), atol=1e-3)
    alike = replace(small, train=replace(small.train, weights=np.full(len(declared), 7.0)))
    np.testing.assert_array_equal(baseline.fit(LINEAR, alike, 0).scores(small.test), plain.scores(small.test))
