"""Every loss that can be declared is built, costs something, and stays finite where logits are large."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import TypeAdapter

from loss_cases import KINDS
from rarelabels.declare.losses import LossSpec
from rarelabels.learn import losses
from rarelabels.learn.tensorflow_setup import tf
from rarelabels.learn.weighting import Weights


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_built_and_finite(kind: str) -> None:
    spec = TypeAdapter(LossSpec).validate_python({"kind": kind})
    draw = np.random.default_rng(0)
    y = tf.constant(draw.integers(0, 2, (8, 3)), tf.float32)
    z = tf.constant(draw.choice([-60.0, -1.0, 0.0, 1.0, 60.0], (8, 3)), tf.float32)
    weights = Weights(np.full(3, 0.3), positive=np.full(3, 2.0), negative=np.ones(3))
    with tf.GradientTape() as tape:
        tape.watch(z)
        value = losses.build(spec, "sigmoid", weights).call(y, z)
    gradient = tape.gradient(value, z)
    assert value.shape == (8,)
    assert (value.numpy() >= 0).all()
    assert value.numpy().sum() > 0
    assert np.isfinite(value).all()
    assert np.isfinite(gradient).all()
    assert np.abs(gradient).max() > 0
