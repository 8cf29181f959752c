from __future__ import annotations

import numpy as np
import pytest

from rarelabels.schema import NoWeighting, PosWeight
from rarelabels.weighting import pos_weight, weights

# Positives of 10 rows: 1, 5, 2, 0, 10.
Y = np.zeros((10, 5), dtype=np.uint8)
for column, positives in enumerate((1, 5, 2, 0, 10)):
    Y[:positives, column] = 1


def spec(**values: float) -> PosWeight:
    return PosWeight(kind="pos_weight", **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        # Without positives the ratio is that of one positive: 9.
        ({}, [9, 1, 4, 9, 0]),
        ({"strength": 0.5}, [3, 1, 2, 3, 0]),
        ({"strength": 0}, [1, 1, 1, 1, 1]),
        ({"scale": 2}, [18, 2, 8, 18, 0]),
        ({"cap": 4}, [4, 1, 4, 4, 0]),
        ({"scale": 2, "strength": 0.5, "cap": 5}, [5, 2, 4, 5, 0]),
    ],
)
def test_pos_weight_by_hand(values: dict[str, float], expected: list[float]) -> None:
    weight = pos_weight(Y, spec(**values))
    np.testing.assert_allclose(weight, expected, rtol=1e-12)
    assert weight.dtype == np.float64


def test_many_rows_do_not_overflow_the_labels_type() -> None:
    y = np.zeros((1000, 1), dtype=np.uint8)
    y[:300] = 1  # 300 does not fit into uint8
    np.testing.assert_allclose(pos_weight(y, spec()), [700 / 300], rtol=1e-12)


def test_weights_follow_the_kind() -> None:
    assert weights(NoWeighting(kind="none"), Y).pos_weight is None
    np.testing.assert_allclose(weights(spec(cap=3), Y).pos_weight, [3, 1, 3, 3, 0])  # type: ignore[arg-type]
