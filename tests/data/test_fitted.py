"""Vocabulary and scaling, fitted to the training part."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from rarelabels.data.fitted import OneHot, Scaler, Vocabulary
from rarelabels.data.tokens import Tokens
from rarelabels.errors import UserError

# Document frequencies: a 3, b 2, c 2, d 1. "a" occurs twice in the first row, the third row is empty.
ROWS = [["a", "b", "a"], ["c", "a"], [], ["b", "c", "d", "a"]]
TOKENS = Tokens.from_lists(ROWS)


def test_vocabulary_is_ordered_by_frequency_then_text() -> None:
    assert Vocabulary.fit(TOKENS, min_rows=1, max_tokens=None).tokens == ("a", "b", "c", "d")
    rows = [["z"], ["z", "y"], ["y"], ["é"], ["Z"]]
    assert Vocabulary.fit(Tokens.from_lists(rows), min_rows=1, max_tokens=None).tokens == ("y", "z", "Z", "é")


def test_duplicates_in_a_row_count_once() -> None:
    tokens = Tokens.from_lists([["a", "a", "a"], ["b"], ["b"]])
    assert Vocabulary.fit(tokens, min_rows=2, max_tokens=None).tokens == ("b",)


@pytest.mark.parametrize(
    ("min_rows", "max_tokens", "kept"), [(2, None, "abc"), (3, None, "a"), (4, None, ""), (1, 2, "ab"), (1, 9, "abcd")]
)
def test_rare_tokens_are_dropped(min_rows: int, max_tokens: int | None, kept: str) -> None:
    assert Vocabulary.fit(TOKENS, min_rows=min_rows, max_tokens=max_tokens).tokens == tuple(kept)


def test_only_the_given_rows_decide_the_vocabulary() -> None:
    part = TOKENS.take([0, 1])
    assert Vocabulary.fit(part, min_rows=1, max_tokens=None).tokens == ("a", "b", "c")
    assert Vocabulary.fit(part, min_rows=2, max_tokens=None).tokens == ("a",)


def test_idf_by_hand_and_by_scikit_learn() -> None:
    vocabulary = Vocabulary.fit(TOKENS, min_rows=1, max_tokens=None)
    # n = 4: ln(5/4) + 1, ln(5/3) + 1 twice, ln(5/2) + 1
    np.testing.assert_allclose(vocabulary.idf, [1.2231435513, 1.5108256238, 1.5108256238, 1.9162907319], rtol=1e-10)
    reference = TfidfTransformer().fit(vocabulary.counts(TOKENS)).idf_
    np.testing.assert_allclose(vocabulary.idf, reference, rtol=1e-14)


def test_padding_drops_the_unknown_before_it_cuts() -> None:
    vocabulary = Vocabulary.fit(TOKENS, min_rows=2, max_tokens=None)  # a 1, b 2, c 3; d unknown
    new = Tokens.from_lists([["d", "x", "c", "c", "a", "b"], ["x"], [], ["b"]])
    assert vocabulary.pad(new, 3).tolist() == [[3, 3, 1], [0, 0, 0], [0, 0, 0], [2, 0, 0]]
    assert vocabulary.pad(new, 5).tolist() == [[3, 3, 1, 2, 0], [0] * 5, [0] * 5, [2, 0, 0, 0, 0]]
    assert vocabulary.pad(new, 1).dtype == np.int32


def test_counts_equal_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    rows = [[f"t{i}" for i in rng.zipf(1.5, rng.integers(0, 9)) if i < 40] for _ in range(300)]
    train, new = Tokens.from_lists(rows[:200]), Tokens.from_lists(rows[200:])
    vocabulary = Vocabulary.fit(train, min_rows=3, max_tokens=None)
    reference = CountVectorizer(analyzer=list, min_df=3).fit(rows[:200])
    assert set(vocabulary.tokens) == set(reference.vocabulary_)
    columns = [reference.vocabulary_[token] for token in vocabulary.tokens]
    assert (vocabulary.counts(train).toarray() == reference.transform(rows[:200]).toarray()[:, columns]).all()
    assert (vocabulary.counts(new).toarray() == reference.transform(rows[200:]).toarray()[:, columns]).all()


def test_nothing_to_know_gives_empty_arrays() -> None:
    nothing = Tokens.from_lists([[], []])
    empty = Vocabulary.fit(nothing, min_rows=1, max_tokens=5)
    assert empty.tokens == ()
    assert empty.counts(TOKENS).shape == (4, 0)
    assert empty.pad(TOKENS, 2).tolist() == [[0, 0]] * 4
    assert Vocabulary.fit(TOKENS, min_rows=1, max_tokens=None).pad(nothing, 2).tolist() == [[0, 0], [0, 0]]
    assert Tokens.from_lists([]).take([]).to_lists() == []


def test_vocabulary_survives_json_exactly() -> None:
    vocabulary = Vocabulary.fit(Tokens.from_lists([["ü", "日本"], ["ü"], ['"\n']]), min_rows=1, max_tokens=None)
    stored = Vocabulary.from_json(json.loads(json.dumps(vocabulary.to_json())))
    assert stored.tokens == vocabulary.tokens
    assert (stored.idf == vocabulary.idf).all()
    assert stored.idf.dtype == np.float64


def test_the_scaler_by_hand_and_by_scikit_learn() -> None:
    x = np.array([[1.0, 5.0, -1.0], [3.0, 5.0, 0.0], [1.0, 5.0, 4.0], [3.0, 5.0, 1.0]])
    scaler = Scaler.fit(x)
    assert scaler.mean.tolist() == [2, 5, 1]
    assert scaler.std.tolist() == [1, 1, 3.5**0.5]  # a constant column; (4 + 1 + 9 + 0) / 4
    scaled = scaler.transform(np.array([[3.0, 5.0, 1.0], [0.0, 7.0, 1 + 3.5**0.5]]))
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(scaled, [[1, 0, 0], [-2, 2, 1]], rtol=1e-6)
    np.testing.assert_allclose(scaler.transform(x), StandardScaler().fit_transform(x), rtol=1e-6, atol=1e-7)


def test_a_constant_that_no_float_holds_exactly_is_constant() -> None:
    assert Scaler.fit(np.full((49, 1), 0.1)).std.tolist() == [1]


def test_no_numeric_columns_scale_to_none() -> None:
    assert Scaler.fit(np.empty((4, 0))).transform(np.empty((2, 0))).shape == (2, 0)


# One column without a gap, two with: medians 2, 5 and (1 + 4) / 2.
GAPS = np.array([[1.0, np.nan, 1.0], [2.0, 5.0, np.nan], [3.0, 5.0, 4.0], [2.0, 8.0, np.nan]])


def test_medians_stand_in_for_missing_numbers_and_a_column_says_so() -> None:
    scaler = Scaler.fit(GAPS, may_miss=True)
    assert scaler.medians is not None
    assert (scaler.medians.tolist(), scaler.flagged) == ([2, 5, 2.5], (1, 2))
    # Filled in, the columns are 1 2 3 2, 5 5 5 8 and 1 2.5 4 2.5.
    assert scaler.mean.tolist() == [2, 5.75, 2.5, 0, 0]
    np.testing.assert_allclose(scaler.std, [0.5**0.5, (27 / 16) ** 0.5, 1.125**0.5, 1, 1])
    new = np.array([[np.nan, np.nan, 2.5], [2.0, 5.75, np.nan]])  # the first column misses nothing in training
    np.testing.assert_allclose(
        scaler.transform(new), [[0, -0.75 / (27 / 16) ** 0.5, 0, 1, 0], [0, 0, 0, 0, 1]], rtol=1e-6
    )


def test_medians_and_flags_as_scikit_learn_has_them() -> None:
    rng = np.random.default_rng(0)
    x = np.where(rng.random((50, 4)) < [0.0, 0.1, 0.5, 0.0], np.nan, rng.normal(size=(50, 4)))
    new = np.where(rng.random((9, 4)) < 0.3, np.nan, rng.normal(size=(9, 4)))
    imputer = SimpleImputer(strategy="median", add_indicator=True).fit(x)
    scaler = Scaler.fit(x, may_miss=True)
    assert scaler.flagged == tuple(imputer.indicator_.features_) == (1, 2)
    scale = StandardScaler().fit(imputer.transform(x)[:, :4])
    filled = imputer.transform(new)
    expected = np.hstack([scale.transform(filled[:, :4]), filled[:, 4:]])
    np.testing.assert_allclose(scaler.transform(new), expected, rtol=1e-6, atol=1e-7)
    twice = scaler.times(2.0)
    np.testing.assert_allclose(twice.transform(new), 2 * expected, rtol=1e-6, atol=1e-7)


def test_a_column_that_misses_in_another_part_alone_gets_its_median_and_no_further_column() -> None:
    scaler = Scaler.fit(GAPS[:, :1], may_miss=True)
    assert (scaler.flagged, len(scaler.mean)) == ((), 1)
    assert scaler.transform(np.array([[np.nan]])).tolist() == [[0]]


def test_a_column_without_a_number_in_the_training_part_is_refused() -> None:
    x = np.column_stack([GAPS, [np.nan] * 4])
    with pytest.raises(UserError) as caught:
        Scaler.fit(x, ("a", "b", "c", "year of death"), may_miss=True)
    assert str(caught.value) == (
        "dataset.numeric: column 'year of death' has no number in the 4 rows of the training part; at least one is "
        "needed; fill some in, or take the column out of dataset.numeric"
    )


def test_the_scaler_survives_json_exactly() -> None:
    gaps = Scaler.fit(GAPS, may_miss=True)
    again = Scaler.from_json(json.loads(json.dumps(gaps.to_json())))
    assert again.transform(GAPS).tobytes() == gaps.transform(GAPS).tobytes()
    assert set(Scaler.fit(GAPS[:, :1]).to_json()) == {"mean", "std"}  # as 0.4.2 stores it
    scaler = Scaler.fit(np.random.default_rng(0).normal(size=(30, 3)))
    stored = Scaler.from_json(json.loads(json.dumps(scaler.to_json())))
    assert (stored.mean == scaler.mean).all()
    assert (stored.std == scaler.std).all()


COLOURS = Tokens.from_lists([["red"], [""], ["blue"], ["red"]])
SIZES = Tokens.from_lists([["2"], ["10"], ["2"], ["2"]])


def test_one_hot_by_hand() -> None:
    one_hot = OneHot.fit({"colour": COLOURS, "size": SIZES})
    assert one_hot.values == {"colour": ("red", "", "blue"), "size": ("2", "10")}  # by frequency, ties by name
    assert one_hot.width == 5
    columns = one_hot.transform({"colour": COLOURS, "size": SIZES})
    assert columns.dtype == np.float32
    assert columns.toarray().tolist() == [[1, 0, 0, 1, 0], [0, 1, 0, 0, 1], [0, 0, 1, 1, 0], [1, 0, 0, 1, 0]]
    new = {"colour": Tokens.from_lists([["green"], [""]]), "size": Tokens.from_lists([["10"], ["3"]])}
    assert one_hot.transform(new).toarray().tolist() == [[0, 0, 0, 0, 1], [0, 1, 0, 0, 0]]
    assert one_hot.codes(new).tolist() == [[-1, 1], [1, -1]]
    stored = OneHot.from_json(json.loads(json.dumps(one_hot.times(0.25).to_json())))
    assert stored.transform(new).toarray().tolist() == [[0, 0, 0, 0, 0.25], [0, 0.25, 0, 0, 0]]
    assert OneHot.fit({}).width == 0


def test_one_hot_as_scikit_learn_has_it() -> None:
    rng = np.random.default_rng(0)
    known, new = rng.choice(["a", "b", "c", "", "d d"], (60, 2)), rng.choice(["a", "", "new", "c"], (20, 2))
    reference = OneHotEncoder(handle_unknown="ignore", sparse_output=False).fit(known)
    names = ("first", "second")

    def fields(cells: np.ndarray) -> dict[str, Tokens]:
        return {name: Tokens.from_lists([[cell] for cell in cells[:, i]]) for i, name in enumerate(names)}

    one_hot = OneHot.fit(fields(known))
    own = [(name, value) for name, values in one_hot.values.items() for value in values]
    theirs = [(name, value) for name, values in zip(names, reference.categories_, strict=True) for value in values]
    for cells in (known, new):
        expected = reference.transform(cells)[:, [theirs.index(one) for one in own]]
        np.testing.assert_array_equal(one_hot.transform(fields(cells)).toarray(), expected)


@pytest.mark.parametrize("may_miss", [False, True])
@pytest.mark.parametrize("largest", [1.7e308, -1e200])
def test_numbers_too_large_to_be_scaled_are_refused(may_miss: bool, largest: float) -> None:
    """Their squares have no finite sum: the standard deviation would be infinite, and the column would become 0."""
    x = np.array([[1.0, 2.0], [2.0, largest], [3.0, -largest], [4.0, 1.0]])
    with pytest.raises(UserError) as caught:
        Scaler.fit(x, ("a", "big"), may_miss=may_miss)
    assert str(caught.value) == (
        f"dataset.numeric: column 'big' holds {largest:g}, and numbers so large have no finite mean and spread; "
        "give the column in another unit, or take it out of dataset.numeric"
    )


def test_values_take_the_place_of_counts_and_of_idf() -> None:
    rows = Tokens.from_lists([["a", "b", "rare"], ["b"], ["a"]])
    valued = replace(rows, values=np.array([3.0, 0.5, 9.0, -2.0, 1.0]))
    vocabulary = Vocabulary.fit(valued, min_rows=2, max_tokens=None)
    assert vocabulary.tokens == ("a", "b")
    assert vocabulary.idf.tolist() == [1, 1]
    assert vocabulary.counts(valued).toarray().tolist() == [[3, 0.5], [0, -2], [1, 0]]
    np.testing.assert_array_equal(vocabulary.pad(valued, 3), [[1, 2, 0], [2, 0, 0], [1, 0, 0]])
    np.testing.assert_array_equal(vocabulary.pad_values(valued, 3), [[3, 0.5, 0], [-2, 0, 0], [1, 0, 0]])
    assert vocabulary.pad_values(rows, 3) is None
