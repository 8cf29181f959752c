"""The last block of a backbone trains on from where it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emoji_images import CUT, LITE0
from rarelabels.data.dataset import Dataset, Part
from rarelabels.declare.backbones import Backbone
from rarelabels.declare.trial import Trial
from rarelabels.learn import training
from rarelabels.learn.backbones import efficientnet_lite0, extraction
from rarelabels.learn.tensorflow_setup import keras
from rarelabels.learn.training import FittedNetwork
from rarelabels.learn.weighting import weights


def trial(spec: Backbone, model: dict[str, Any], **changes: Any) -> Trial:
    return Trial.model_validate(
        {
            "name": "small/x",
            "question": "Does the last block learn?",
            "thread": "beyond the threads",
            "dataset": {"kind": "emoji", "labels": 4, "backbone": spec.model_dump()},
            "model": model,
            "loss": {"kind": "bce"},
            "weighting": {"kind": "none"},
            "training": {"epochs": 6, "batch_size": 40, "learning_rate": 0.001, "keep": "last", **changes},
            "thresholds": {},
            "seeds": [0],
        }
    )


HEAD_ALONE = trial(LITE0, {"kind": "mlp", "hidden": []})


FURTHER = trial(CUT, {"kind": "last_block", "hidden": []}, learning_rate=0.0005)


def fit(declared: Trial, data: Dataset, seed: int = 0) -> tuple[FittedNetwork, list[float]]:
    losses: list[float] = []
    fitted = training.fit(
        declared,
        data,
        weights(declared.weighting, data.train.y, data.labels),
        seed,
        on_epoch=lambda _, curves: losses.append(curves["loss"]),
    )
    return fitted, losses


@pytest.fixture(scope="module")
def maps(emoji: Dataset) -> Dataset:
    return extraction.with_features(emoji, CUT)


@pytest.fixture(scope="module")
def further(maps: Dataset) -> tuple[FittedNetwork, list[float]]:
    return fit(FURTHER, maps)


def right(fitted: FittedNetwork, one: Part) -> float:
    return float((fitted.scores(one).argmax(axis=1) == one.y.argmax(axis=1)).mean())


@pytest.mark.long
def test_a_head_on_pooled_features_learns(emoji: Dataset) -> None:
    fitted, losses = fit(HEAD_ALONE, extraction.with_features(emoji, LITE0))
    assert losses[-1] < losses[0] / 2
    assert right(fitted, extraction.with_features(emoji, LITE0).test) > 0.65  # chance is 1/4


@pytest.mark.long
def test_the_last_block_trains_on_and_gets_below_the_head_alone(
    emoji: Dataset, maps: Dataset, further: tuple[FittedNetwork, list[float]]
) -> None:
    _, head_alone = fit(HEAD_ALONE, extraction.with_features(emoji, LITE0))
    fitted, losses = further
    assert losses[-1] < head_alone[-1]
    assert right(fitted, maps.test) > 0.65


@pytest.mark.long
def test_before_training_the_last_block_is_the_backbones(emoji: Dataset, maps: Dataset) -> None:
    numbers = keras.Input((9408,))
    block = keras.Model(numbers, extraction.last_block(CUT, numbers))
    pooled = extraction.with_features(emoji, LITE0).test.numeric
    np.testing.assert_allclose(block(maps.test.numeric.astype(np.float32)), pooled, rtol=1e-3, atol=1e-4)


@pytest.mark.long
def test_kernels_are_trained_and_statistics_stay(further: tuple[FittedNetwork, list[float]]) -> None:
    stored = efficientnet_lite0.imagenet_weights(LITE0)
    variables = further[0].network.model.variables
    found = {variable.path: values for variable, values in zip(variables, further[0].weights, strict=True)}
    kernel, (_, _, mean, variance) = stored["blocks.15.expand_conv"][0], stored["blocks.15.bn1"]
    assert (found["blocks.15.expand_conv/kernel"] != kernel).mean() > 0.9
    np.testing.assert_array_equal(found["blocks.15.bn1/moving_mean"], mean)
    np.testing.assert_array_equal(found["blocks.15.bn1/moving_variance"], variance)


@pytest.mark.long
def test_the_same_seed_gives_the_same_numbers_and_another_another_head(maps: Dataset) -> None:
    once = FURTHER.model_copy(update={"training": FURTHER.training.model_copy(update={"epochs": 1})})
    first, again, other = (fit(once, maps, seed)[0].scores(maps.test) for seed in (0, 0, 1))
    np.testing.assert_array_equal(again, first)
    assert (other != first).all()


@pytest.mark.long
def test_a_saved_last_block_gives_the_same_scores(
    maps: Dataset, further: tuple[FittedNetwork, list[float]], tmp_path: Path
) -> None:
    expected = further[0].scores(maps.test)
    further[0].save(tmp_path)
    np.testing.assert_array_equal(training.load_saved(FURTHER, tmp_path).scores(maps.test), expected)


@pytest.mark.long
def test_scores_of_a_row_do_not_depend_on_the_rows_around_it(
    maps: Dataset, further: tuple[FittedNetwork, list[float]]
) -> None:
    rows = np.array([7, 3, 11])
    np.testing.assert_array_equal(further[0].scores(maps.test.take(rows)), further[0].scores(maps.test)[rows])
