"""Rows to inputs: what is fitted is the training part's, and JSON keeps it."""

from __future__ import annotations

import dataclasses
import gc
import json
from dataclasses import replace

import numpy as np
import pytest

from rarelabels.data.dataset import Dataset, Part
from rarelabels.data.tokens import Tokens
from rarelabels.declare.backbones import EfficientNetLite0
from rarelabels.declare.models import LastBlockSpec, MlpSpec, NetworkSpec, TextBagSpec, TextCnnSpec, TextLstmSpec
from rarelabels.declare.training import TrainingSpec
from rarelabels.errors import UserError
from rarelabels.learn import preprocessing
from rarelabels.learn.baselines import linear
from rarelabels.learn.preprocessing import Field, Preprocessing, Shape

TEXT = [["a", "b", "a"], ["b"], [], ["c", "b"]]
NUMBERS = np.array([[1.0, 5.0], [3.0, 5.0], [1.0, 5.0], [3.0, 5.0]])
BAG = TextBagSpec(kind="text_bag", min_rows=1, max_length=16)


def part(numbers: bool = True, text: bool = True) -> Part:
    fields = {"plot / summary": Tokens.from_lists(TEXT)} if text else {}
    y = np.eye(4, 2, dtype=np.uint8)
    return Part(np.array(list("wxyz")), y, fields, NUMBERS if numbers else np.empty((4, 0)))


def dataset(one: Part) -> Dataset:
    names = ("year", "constant") if one.numeric.shape[1] else ()
    return Dataset(("p", "q"), one, one, one, "digest", {}, numeric=names)


def test_inputs_by_hand() -> None:
    prepared = Preprocessing.fit(BAG, part())
    assert prepared.shape(2) == Shape((Field(1024, 8),), n_numeric=2, n_labels=2)
    inputs = prepared.inputs(part())
    # by falling document frequency, ties by name: b 3 rows, a and c 1
    assert inputs["text_0"].tolist() == [[2, 1, 2] + [0] * 5, [1] + [0] * 7, [0] * 8, [3, 1] + [0] * 6]
    assert inputs["numeric"].tolist() == [[-1, 0], [1, 0], [-1, 0], [1, 0]]
    assert inputs["numeric"].dtype == np.float32


def test_another_part_is_scaled_and_numbered_as_the_training_part() -> None:
    prepared = Preprocessing.fit(BAG, part())
    other = Part(
        np.array(["v"]),
        np.ones((1, 2), np.uint8),
        {"plot / summary": Tokens.from_lists([["d", "c"]])},
        np.array([[7.0, 6.0]]),
    )
    inputs = prepared.inputs(other)
    assert inputs["text_0"][0].tolist() == [3] + [0] * 7
    assert inputs["numeric"].tolist() == [[5, 1]]


def test_inputs_of_a_part_are_made_once_and_go_with_it() -> None:
    one, other = part(), part()
    prepared = Preprocessing.fit(BAG, one)
    assert prepared.inputs(one) is prepared.inputs(one)
    assert prepared.inputs(one) is not prepared.inputs(other)
    assert len(prepared._made) == 2
    del other
    gc.collect()
    assert len(prepared._made) == 1


def test_without_numbers_there_is_no_numeric_input() -> None:
    assert list(Preprocessing.fit(BAG, part(numbers=False)).inputs(part(numbers=False))) == ["text_0"]
    mlp = Preprocessing.fit(MlpSpec(kind="mlp"), part())
    assert list(mlp.inputs(part())) == ["numeric"]
    assert mlp.shape(2) == Shape((), n_numeric=2, n_labels=2)


def test_json_keeps_it() -> None:
    prepared = Preprocessing.fit(BAG, part())
    again = Preprocessing.from_json(json.loads(json.dumps(prepared.to_json())))
    assert again.shape(2) == prepared.shape(2)
    for name, values in prepared.inputs(part()).items():
        np.testing.assert_array_equal(again.inputs(part())[name], values)


def test_a_network_that_could_read_nothing_is_refused() -> None:
    with pytest.raises(UserError, match="the dataset names no column of either; use text_bag"):
        preprocessing.check(MlpSpec(kind="mlp"), dataset(part(numbers=False)))
    with pytest.raises(UserError, match="the dataset has no text or list column; use mlp"):
        preprocessing.check(BAG, dataset(part(text=False)))
    with pytest.raises(UserError, match="would ignore plot / summary; use text_bag, or leave them out"):
        preprocessing.check(MlpSpec(kind="mlp"), dataset(part()))
    preprocessing.check(MlpSpec(kind="mlp"), dataset(part(text=False)))
    preprocessing.check(BAG, dataset(part(numbers=False)))


def test_images_are_read_by_a_backbone_and_never_by_a_network_on_text() -> None:
    images = np.array([f"{row}.png" for row in range(4)])
    pictures = dataset(dataclasses.replace(part(numbers=False, text=False), images=images))
    preprocessing.check(MlpSpec(kind="mlp"), pictures)
    preprocessing.check(LastBlockSpec(kind="last_block"), pictures)
    for spec in (BAG, TextLstmSpec(kind="text_lstm"), TextCnnSpec(kind="text_cnn")):
        expected = f"model.kind '{spec.kind}' reads text, but the dataset has images; use mlp, which reads the numbers"
        with pytest.raises(UserError, match=expected):
            preprocessing.check(spec, pictures)


def test_the_last_block_needs_images_or_what_a_backbone_made_of_them() -> None:
    with pytest.raises(UserError, match="'last_block' reads images, but the dataset has none"):
        preprocessing.check(LastBlockSpec(kind="last_block"), dataset(part(numbers=False)))
    preprocessing.check(LastBlockSpec(kind="last_block"), dataset(part(text=False)))


def test_what_goes_into_a_last_block_is_not_scaled() -> None:
    prepared = Preprocessing.fit(LastBlockSpec(kind="last_block"), part())
    assert prepared.inputs(part())["numeric"].tolist() == NUMBERS.tolist()
    assert prepared.inputs(part())["numeric"].dtype == np.float32
    again = Preprocessing.from_json(json.loads(json.dumps(prepared.to_json())))
    assert again.inputs(part())["numeric"].tolist() == NUMBERS.tolist()
    backbone = EfficientNetLite0(kind="efficientnet_lite0", output="last_block")
    assert again.shape(3, backbone) == Shape((), n_numeric=2, n_labels=3, backbone=backbone)


# An output layer that does not fit

TRAINING = TrainingSpec(epochs=1, batch_size=512, learning_rate=0.01)


def forty_labels() -> Dataset:
    one = part(numbers=False)
    wide = Part(one.ids, np.eye(4, 40, dtype=np.uint8), one.text)
    return Dataset(tuple(f"label {i}" for i in range(40)), wide, wide, wide, "digest", {})


def test_two_to_the_forty_columns_are_refused_with_what_they_would_take() -> None:
    spec = TextBagSpec(kind="text_bag", hidden=(16,), head="powerset")
    with pytest.raises(UserError) as refusal:
        preprocessing.check_output(spec, TRAINING, forty_labels())
    told = str(refusal.value)
    assert "\n" not in told
    assert "model.head 'powerset' with 40 labels needs an output layer of 2^40 = 1.10e+12 columns" in told
    # 17 · 2^40 weights of 4 bytes are 68 TiB; four times that, and twice 4 · 2^40 logits, for there are but four rows
    assert "columns: at least 304.0 TiB to train it (weights 68.0 TiB, their gradient 68.0 TiB, moments" in told
    assert "moments of the optimizer 136.0 TiB, logits of 4 rows 16.0 TiB, their gradients 16.0 TiB)" in told
    assert "this machine has " in told
    assert "use model.head seen_sets (4 columns here), model.head sigmoid, fewer labels or a smaller " in told
    assert "64-bit" not in told
    preprocessing.check_output(spec.model_copy(update={"head": "seen_sets"}), TRAINING, forty_labels())
    preprocessing.check_output(spec.model_copy(update={"head": "sigmoid"}), TRAINING, forty_labels())


def test_more_columns_than_an_index_counts_are_refused_too() -> None:
    many = replace(forty_labels(), labels=tuple(map(str, range(2000))))
    with pytest.raises(
        UserError,
        match=r"2\^2000 = 1\.15e\+602 columns \(more than a 64-bit index can count\): at least .* EiB to ",
    ):
        preprocessing.check_output(TextBagSpec(kind="text_bag", head="powerset"), TRAINING, many)


@pytest.mark.parametrize(
    ("spec", "width"),
    [
        (TextBagSpec(kind="text_bag", width=5), 5 + 2),
        (TextBagSpec(kind="text_bag", width=5, hidden=(9, 3)), 3),
        (TextLstmSpec(kind="text_lstm", width=5, units=4), 4 + 2),
        (TextCnnSpec(kind="text_cnn", width=5, filters=6), 6 + 2),
        (MlpSpec(kind="mlp", hidden=()), 2),
        (LastBlockSpec(kind="last_block"), 0),
    ],
    ids=lambda value: getattr(value, "kind", ""),
)
@pytest.mark.parametrize(("schedule", "moments"), [({"optimizer": "adam"}, 2), ({"optimizer": "sgd"}, 0)])
def test_the_bytes_that_just_fit(
    spec: NetworkSpec, width: int, schedule: dict[str, str], moments: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two labels are 4 columns: (width + 1) · 4 numbers for weights, gradient and moments, and 2 · 2 · 4 logits."""
    training = TrainingSpec(epochs=1, batch_size=2, learning_rate=0.01, **schedule)
    spec, data = spec.model_copy(update={"head": "powerset"}), dataset(part())
    needed = 4 * ((width + 1) * 4 * (2 + moments) + 2 * 2 * 4)
    monkeypatch.setattr(preprocessing, "machine_bytes", lambda: needed)
    preprocessing.check_output(spec, training, data)
    monkeypatch.setattr(preprocessing, "machine_bytes", lambda: needed - 1)
    with pytest.raises(UserError, match=r"needs an output layer of 2\^2 = 4 columns"):
        preprocessing.check_output(spec, training, data)
    monkeypatch.setattr(preprocessing, "machine_bytes", lambda: 1)
    with pytest.raises(UserError, match=r"of 3 columns: .*; use model\.head sigmoid, fewer labels or"):
        preprocessing.check_output(spec.model_copy(update={"head": "seen_sets"}), training, data)
    monkeypatch.setattr(preprocessing, "machine_bytes", lambda: None)  # no one knows
    preprocessing.check_output(spec, training, data)


def test_tokens_are_weighed_as_tf_idf_of_all_fields_side_by_side() -> None:
    rng = np.random.default_rng(0)
    rows = [[[str(word) for word in rng.integers(0, 9, rng.integers(0, 12))] for _ in range(30)] for _ in range(2)]
    rows[0][4], rows[1][4] = [], []
    text = {name: Tokens.from_lists(of) for name, of in zip(("plot", "title"), rows, strict=True)}
    train = Part(np.arange(30).astype(str), np.zeros((30, 1), np.uint8), text)
    spec = TextBagSpec(kind="text_bag", width=0, wide=True, min_rows=3, max_length=16)
    prepared = Preprocessing.fit(spec, train)
    tfidf = linear.tfidf(prepared.vocabularies, text).toarray()
    inputs = Preprocessing.from_json(json.loads(json.dumps(prepared.to_json()))).inputs(train)
    first = 0
    for i, vocabulary in enumerate(prepared.vocabularies.values()):
        ids, weights = inputs[f"text_{i}"], inputs[f"text_{i}_weights"]
        dense = np.zeros((30, len(vocabulary.tokens) + 1))
        np.add.at(dense, (np.arange(30)[:, None], ids), weights)
        np.testing.assert_allclose(dense[:, 1:], tfidf[:, first : first + len(vocabulary.tokens)], atol=1e-7)
        assert (dense[:, 0] == 0).all()
        first += len(vocabulary.tokens)
    assert first == tfidf.shape[1]


def test_missing_numbers_are_the_median_and_a_column_says_so() -> None:
    x = np.array([[1.0, 5.0], [3.0, np.nan], [1.0, 5.0], [3.0, 5.0]])
    train = replace(part(), numeric=x)
    data = dataset(train)
    assert data.misses_numbers
    assert not dataset(part()).misses_numbers
    for spec in (BAG, MlpSpec(kind="mlp")):
        prepared = Preprocessing.fit(
            spec, train if spec is BAG else replace(train, text={}), data.numeric, may_miss=True
        )
        assert prepared.n_numeric == 3
        assert prepared.inputs(train)["numeric"].tolist() == [[-1, 0, 0], [1, 0, 1], [-1, 0, 0], [1, 0, 0]]
        new = replace(train.take(np.array([0])), numeric=np.array([[np.nan, 5.0]]))  # the median of 1, 1, 3, 3 is 2
        stored = Preprocessing.from_json(json.loads(json.dumps(prepared.to_json())))
        assert stored.inputs(new)["numeric"].tolist() == prepared.inputs(new)["numeric"].tolist() == [[0, 0, 0]]
    with pytest.raises(UserError, match="column 'year' has no number in the 4 rows of the training part"):
        Preprocessing.fit(BAG, replace(train, numeric=np.full((4, 2), np.nan)), data.numeric, may_miss=True)


def test_categories_are_columns_after_the_numbers() -> None:
    train = replace(part(), categories={"colour": Tokens.from_lists([["red"], [""], ["red"], ["blue"]])})
    other = replace(train, categories={"colour": Tokens.from_lists([["new"], ["blue"], ["red"], [""]])})
    prepared = Preprocessing.fit(TextBagSpec(kind="text_bag", min_rows=1, numeric_weight=0.5), train)
    assert prepared.shape(2).n_numeric == 5
    expected = [[-0.5, 0, 0, 0, 0], [0.5, 0, 0, 0, 0.5], [-0.5, 0, 0.5, 0, 0], [0.5, 0, 0, 0.5, 0]]  # red, "", blue
    stored = Preprocessing.from_json(json.loads(json.dumps(prepared.to_json())))
    assert prepared.inputs(other)["numeric"].tolist() == stored.inputs(other)["numeric"].tolist() == expected
    alone = replace(train, text={}, numeric=np.empty((4, 0)))
    mlp = Preprocessing.fit(MlpSpec(kind="mlp"), alone)
    assert mlp.inputs(alone)["numeric"].tolist() == [[1, 0, 0], [0, 1, 0], [1, 0, 0], [0, 0, 1]]
    preprocessing.check(MlpSpec(kind="mlp"), dataset(alone))
    assert "categories" not in Preprocessing.fit(BAG, part()).to_json()


def valued(one: Part) -> Part:
    tokens = Tokens.from_lists([["a", "b"], ["b"], [], ["c", "b"]])
    return replace(one, text={"features": replace(tokens, values=np.array([3.0, 4.0, -2.0, 0.5, 1.0]))})


def test_values_are_weights_without_idf_and_each_row_has_norm_1() -> None:
    one = valued(part(numbers=False))
    spec = TextBagSpec(kind="text_bag", min_rows=1, width=0, wide=True)
    inputs = Preprocessing.fit(spec, one).inputs(one)
    assert inputs["text_0"][:, :2].tolist() == [[2, 1], [1, 0], [0, 0], [3, 1]]
    expected = [[0.6, 0.8], [-1, 0], [0, 0], [0.5 / 1.25**0.5, 1 / 1.25**0.5]]
    np.testing.assert_allclose(inputs["text_0_weights"][:, :2], expected, rtol=1e-6)
    dense = linear.tfidf({"features": Preprocessing.fit(spec, one).vocabularies["features"]}, one.text).toarray()
    np.testing.assert_allclose(dense[0], [0.8, 0.6, 0])


@pytest.mark.parametrize("spec", [BAG, TextLstmSpec(kind="text_lstm"), TextCnnSpec(kind="text_cnn")])
def test_a_network_that_would_ignore_values_is_refused(spec: NetworkSpec) -> None:
    with pytest.raises(UserError, match="would ignore the values that the entries of features have; use linear"):
        preprocessing.check(spec, dataset(valued(part(numbers=False))))
    wide = TextBagSpec(kind="text_bag", width=0, wide=True)
    preprocessing.check(wide, dataset(valued(part(numbers=False))))
