"""The small nets of the probes: only what is to move moves."""

import numpy as np
import pytest

from rarelabels.probes import nets
from rarelabels.probes.nets import ALL_RIGHT, SEVEN_ROWS


def test_every_decision_is_right() -> None:
    np.testing.assert_array_equal(ALL_RIGHT >= 0.5, SEVEN_ROWS == 1)


def test_scores_that_are_given_are_the_scores() -> None:
    net = nets.given_scores(3, loss="binary_crossentropy")
    np.testing.assert_array_equal(net.predict(ALL_RIGHT, verbose=0), ALL_RIGHT)


def test_a_step_of_a_constant_net_moves_its_biases_by_the_gradient() -> None:
    net = nets.constant_net(np.zeros(2, np.float32), "sigmoid", 4.0, loss="binary_crossentropy")
    x, y = np.zeros((4, 1), np.float32), np.array([[1, 0], [1, 0], [1, 0], [0, 0]], np.float32)
    assert nets.fit(net, x, y)["loss"] == pytest.approx([np.log(2)])
    kernel, biases = net.get_weights()
    assert not kernel.any()
    # the mean over two labels of y − p: 4 · (3/4 − 1/2) / 2 and 4 · (0 − 1/2) / 2
    np.testing.assert_allclose(biases, [0.5, -1.0], rtol=1e-6)


@pytest.mark.filterwarnings("ignore:`shuffle=True` was passed")
def test_many_steps_are_as_many_epochs() -> None:
    x, y = np.zeros((7, 1), np.float32), SEVEN_ROWS
    one, other = (nets.constant_net(np.zeros(3, np.float32), "sigmoid", 1.0, loss="mse") for _ in range(2))
    nets.take_steps(one, x, y, 5)
    nets.fit(other, x, y, epochs=5)
    assert nets.weights_apart(one, other) < 1e-6
    nets.take_steps(one, x, y, 1)
    assert nets.weights_apart(one, other) > 1e-4


@pytest.mark.parametrize("behind", [False, True])
def test_rows_of_an_identity_matrix_have_weights_of_their_own(behind: bool) -> None:
    start = np.array([[0.5, -1.0], [2.0, 0.0]], np.float32)
    net = nets.dense_net("linear", start, "mse", 0.1, behind=behind)
    np.testing.assert_array_equal(net.predict(np.eye(2, dtype=np.float32), verbose=0), start)
    assert len(net.layers) == 1 + behind


def test_apart_is_the_largest_difference_but_for_rounding() -> None:
    assert nets.apart([0.1, 0.5], [0.1, 0.2]) == 0.3
    assert nets.apart([0.1], [0.1 + 4e-7]) == 0
