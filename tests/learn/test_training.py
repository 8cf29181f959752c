"""Training on 300 small rows: it learns, and the same seed gives the same numbers whatever was trained before."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.special import softmax

from rarelabels.data.dataset import Dataset
from rarelabels.learn import network as learn_network
from rarelabels.learn import powerset, training
from rarelabels.learn.weighting import weights
from small_training import LABELS, PLAIN, PREVALENCE, Trained, cut, fit, macro_ap, scores, trial


def test_it_learns(data: Dataset) -> None:
    fitted, curves = fit(trial(epochs=12), data)
    assert macro_ap(data.validation, fitted.scores(data.validation)) > 0.8 > 3 * np.mean(PREVALENCE)
    assert macro_ap(data.test, fitted.scores(data.test)) > 0.8
    assert curves[12]["loss"] < 0.7 * curves[1]["loss"]


def test_scores_are_probabilities_of_the_parts_shape(data: Dataset, plain: Trained) -> None:
    values = plain[0].scores(data.test)
    assert values.dtype == np.float64
    assert values.shape == data.test.y.shape
    assert ((values > 0) & (values < 1)).all()
    assert np.ptp(values.sum(axis=1)) > 0.1
    softmax = scores(trial(model={"head": "softmax"}), data)
    np.testing.assert_allclose(softmax.sum(axis=1), 1, rtol=1e-12)


def test_pos_weight_reaches_the_loss(data: Dataset, plain: Trained) -> None:
    light, heavy = (
        scores(
            trial(
                loss={"kind": "weighted_bce"},
                weighting={"kind": "pos_weight", "strength": 0, "scale": scale},
                keep="last",
            ),
            data,
        )
        for scale in (1, 1000)
    )
    assert heavy.mean() > light.mean() + 0.3
    np.testing.assert_allclose(light, plain[0].scores(data.test), atol=1e-4)  # weight 1 is plain BCE


@pytest.mark.parametrize("label", [1, 4])
def test_a_weight_reaches_its_own_label(data: Dataset, label: int) -> None:
    declared = trial(loss={"kind": "weighted_bce"}, weighting={"kind": "pos_weight"}, keep="last")
    plain = weights(declared.weighting, data.train.y)
    factors = np.ones(5)
    factors[label] = 200
    equal, heavy = (
        training.fit(declared, data, replace(plain, positive=w), 0).scores(data.test).mean(axis=0)
        for w in (np.ones(5), factors)
    )
    assert np.argmax(heavy - equal) == label  # the others rise a little, for they share its embeddings


def test_the_same_seed_gives_the_same_bits_whatever_came_between(data: Dataset) -> None:
    first, curves = fit(PLAIN, data)
    alone = first.scores(data.test)
    between: list[Callable[[], object]] = [
        lambda: None,
        lambda: fit(PLAIN, data, seed=7),
        lambda: fit(trial(loss={"kind": "weighted_bce"}, weighting={"kind": "pos_weight"}), data, seed=3),
        learn_network._compiled.cache_clear,
    ]
    for disturb in between:
        disturb()
        again, same = fit(PLAIN, data)
        np.testing.assert_array_equal(again.scores(data.test), alone)
        assert same == curves
    np.testing.assert_array_equal(first.scores(data.test), alone)  # a later fit leaves an earlier one as it was


def test_steps_are_a_bound_and_epochs_are_as_long_as_declared(data: Dataset) -> None:
    epochs = {"epochs": None, "steps": 25, "execution": "plain"}
    assert len(fit(trial(**epochs, evaluate_every=7), data)[1]) == 3
    assert len(fit(trial(**epochs), data)[1]) == 2  # 9 batches of 32 make a pass over 300 rows
    fitted, curves = fit(trial(**{**epochs, "steps": 3}), data)
    assert (len(curves), fitted.facts["epochs"]) == (1, 1.0)


def test_the_same_steps_cut_into_other_epochs_give_the_same_bits(data: Dataset) -> None:
    by_pass, by_steps = (
        trial(**how, keep="last") for how in ({"epochs": 2}, {"epochs": None, "steps": 18, "evaluate_every": 6})
    )
    np.testing.assert_array_equal(scores(by_pass, data), scores(by_steps, data))


def test_another_seed_gives_other_numbers(data: Dataset) -> None:
    assert np.abs(scores(PLAIN, data, seed=0) - scores(PLAIN, data, seed=1)).max() > 1e-3


@pytest.mark.long
def test_two_processes_give_the_same_bits(data: Dataset, tmp_path: Path) -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import numpy as np, small_training as t; "
        "data = t.Dataset(t.LABELS, t.part(300, 0), t.part(100, 1), t.part(100, 2), 'digest', {}); "
        "np.save(sys.argv[2], t.scores(t.PLAIN, data))"
    )
    file = tmp_path / "scores.npy"
    command = [sys.executable, "-c", code, str(Path(__file__).parents[1] / "helpers"), str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""  # TensorFlow and Keras have nothing to warn of
    fit(PLAIN, data, seed=5)
    np.testing.assert_array_equal(np.load(file), scores(PLAIN, data))


SETS = {"kind": "categorical_ce"}


SET_HEADS = ("powerset", "seen_sets")


@pytest.mark.parametrize("head", SET_HEADS)
def test_label_sets_learn_and_score_the_same_bits_again(data: Dataset, head: str, tmp_path: Path) -> None:
    declared = trial(loss=SETS, model={"head": head, "hidden": [8]}, epochs=12)
    fitted, curves = fit(declared, data)
    values, sets = fitted.scores(data.test), fitted.label_sets(data.test)
    assert sets is not None
    assert values.dtype == np.float64
    assert sets.dtype == np.uint8
    assert values.shape == sets.shape == data.test.y.shape
    assert ((values >= 0) & (values <= 1)).all()
    assert macro_ap(data.test, values) > 0.6 > 2 * np.mean(PREVALENCE)
    assert (sets == data.test.y).all(axis=1).mean() > 1.5 * (data.test.y == 0).all(axis=1).mean()
    assert curves[12]["loss"] < 0.7 * curves[1]["loss"]
    fitted.save(tmp_path)
    fit(declared, data, seed=9)
    learn_network._compiled.cache_clear()
    loaded = training.load_saved(declared, tmp_path)
    for rows in (np.arange(100), np.random.default_rng(0).permutation(100), np.tile(np.arange(100), 6)):
        np.testing.assert_array_equal(loaded.scores(cut(data.test, rows)), values[rows])
        np.testing.assert_array_equal(loaded.label_sets(cut(data.test, rows)), sets[rows])


def test_scores_of_label_sets_are_the_softmax_of_the_logits_summed_up(data: Dataset) -> None:
    for head in SET_HEADS:
        fitted, curves = fit(trial(loss=SETS, model={"head": head}, keep="last"), data)
        table = powerset.sets_of(np.arange(2**5), 5) if head == "powerset" else powerset.seen_sets(data.train.y)
        assert fitted.facts["output_parameters"] == 13 * len(table)
        inputs = fitted.prepared.inputs(data.validation)
        probability = softmax(fitted.network.logits(inputs).numpy().astype(np.float64), axis=1)
        np.testing.assert_allclose(fitted.scores(data.validation), probability @ table, atol=1e-6)
        np.testing.assert_array_equal(fitted.label_sets(data.validation), table[probability.argmax(axis=1)])
        own = (data.validation.y[:, None] == table).all(axis=2)  # a one-hot, but for a set that is no class
        covered = own.any(axis=1)
        assert covered.all() == (head == "powerset")
        expected = -np.log(probability[own]).mean()
        assert curves[3]["val_loss"] == pytest.approx(expected, rel=1e-5)
        assert fitted.facts["val_loss_share"] == covered.mean()


def test_rows_weigh_in_the_loss_of_label_sets(data: Dataset) -> None:
    """Rows of weight 0 teach nothing: as many epochs on the others alone end at the same loss, if not at one time."""
    declared = trial(loss=SETS, model={"head": "powerset"}, keep="last", batch_size=300, epochs=2)
    given = weights(declared.weighting, data.train.y)
    half = np.repeat([2.0, 0.0], 150)
    weighed, alone = {}, {}
    training.fit(declared, data, replace(given, rows=half), 0, (), weighed.__setitem__)
    first = replace(data, train=cut(data.train, np.arange(150)))
    training.fit(declared, first, given, 0, (), alone.__setitem__)
    assert weighed[1]["loss"] == pytest.approx(alone[1]["loss"], rel=0.02)  # another vocabulary, and so another start


def test_heads_on_labels_have_no_label_sets(plain: Trained, data: Dataset) -> None:
    assert plain[0].label_sets(data.test) is None
    assert "val_loss_share" not in plain[0].facts


def test_what_a_training_took_is_among_its_facts(plain: Trained) -> None:
    facts = plain[0].facts
    assert facts["output_parameters"] == 13 * 5
    assert 0 < facts["seconds_per_epoch"] < 5
    if sys.platform == "linux":
        assert 0 <= facts["memory_rise_bytes"] < 10**10


def test_vocabulary_is_the_training_parts_and_obeys_min_rows_and_max_tokens(data: Dataset) -> None:
    frequent, _ = fit(trial(model={"min_rows": 60}, epochs=1), data)
    for field, vocabulary in frequent.prepared.vocabularies.items():
        rows = [set(row) for row in data.train.text[field].to_lists()]
        frequency = {token: sum(token in row for row in rows) for token in set().union(*rows)}
        assert set(vocabulary.tokens) == {token for token in frequency if frequency[token] >= 60}
        assert 0 < len(vocabulary.tokens) < len(frequency)
    few, _ = fit(trial(model={"max_tokens": 2}, epochs=1), data)
    assert [len(vocabulary.tokens) for vocabulary in few.prepared.vocabularies.values()] == [2, 2]
    assert few.network.model.get_layer("bag_0").table.shape == (3, 6)


def test_the_idf_of_a_run_is_its_own_splits(data: Dataset) -> None:
    """Two splits whose tables have the same shape share a compiled network, not an idf."""
    other = replace(data, train=cut(data.train, np.arange(150).repeat(2)))
    for split in (data, other):
        fitted, _ = fit(PLAIN, split)
        idf = fitted.network.model.get_layer("bag_0").idf.numpy()
        vocabulary = fitted.prepared.vocabularies["words"]
        np.testing.assert_allclose(idf[1 : len(vocabulary.idf) + 1], vocabulary.idf, rtol=1e-6)
        assert not idf[0]
        assert not idf[len(vocabulary.idf) + 1 :].any()


def test_saved_and_loaded_scores_are_the_same_bits(data: Dataset, tmp_path: Path) -> None:
    declared = trial(model={"wide": True, "hidden": [4]})
    fitted, _ = fit(declared, data)
    fitted.save(tmp_path / "model")
    expected = fitted.scores(data.test)
    fit(declared, data, seed=9)
    learn_network._compiled.cache_clear()
    loaded = training.load_saved(declared, tmp_path / "model")
    np.testing.assert_array_equal(loaded.scores(data.test), expected)
    assert loaded.labels == LABELS
    assert loaded.kept_epoch == fitted.kept_epoch


def test_other_threads_that_draw_random_numbers_change_nothing(data: Dataset) -> None:
    """A Dask worker's own thread draws from Python's generator while a run trains in another."""
    alone = scores(trial(), data, seed=3)
    done = threading.Event()

    def draw() -> None:
        while not done.is_set():
            random.random()
            np.random.random()

    noise = threading.Thread(target=draw)
    noise.start()
    try:
        disturbed = scores(trial(), data, seed=3)
    finally:
        done.set()
        noise.join()
    np.testing.assert_array_equal(disturbed, alone)


def test_the_weights_of_the_data_reach_the_loss(data: Dataset, plain: Trained) -> None:
    heavy = np.where(data.train.y[:, 0] == 1, 50.0, 1.0)
    weighed = replace(data, train=replace(data.train, weights=heavy))
    assert np.mean(scores(PLAIN, weighed)[:, 0]) > np.mean(scores(PLAIN, data)[:, 0]) + 0.1
    alike = replace(data, train=replace(data.train, weights=np.full(len(heavy), 3.0)))
    np.testing.assert_allclose(scores(PLAIN, alike), scores(PLAIN, data), atol=1e-5)
