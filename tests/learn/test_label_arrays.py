"""Labels as people have them become one kind of array."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array

from rarelabels.learn.keras_backend import tf
from rarelabels.learn.label_arrays import labels_and_known, labels_of, with_unknown

Y = np.array([[1, 0, 0], [0, 1, 1]], np.uint8)
FORMS = [
    Y,
    Y == 1,
    Y.astype(np.float64),
    Y.tolist(),
    pd.DataFrame(Y),
    pd.DataFrame(Y == 1),
    csr_array(Y),
    tf.constant(Y),
]


@pytest.mark.parametrize("y", FORMS, ids=lambda y: type(y).__name__)
def test_every_form_is_the_same_labels(y: object) -> None:
    labels = labels_of(y, "y")
    assert labels.dtype == np.uint8
    np.testing.assert_array_equal(labels, Y)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([[0, 0.5]], r"^y_val: must be 0 or 1; got .*0\.5"),
        ([[0, -1]], r"^y_val: must be 0 or 1; got .*-1"),
        ([0, 1], r"^y_val: must have shape \(n, n_labels\) and not be empty; got \(2,\)$"),
        (csr_array((0, 3)), r"^y_val: must have shape .* got \(0, 3\)$"),
        ([[0, np.nan]], r"^y_val: must be 0 or 1; got .*nan"),
    ],
)
def test_what_is_no_multi_hot_matrix_is_named(y: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        labels_of(y, "y_val")


def test_labels_that_are_nan_or_masked_are_not_known() -> None:
    for given in ([[1, np.nan], [0, 1]], pd.DataFrame([[1, np.nan], [0, 1]]), np.ma.masked_equal([[1, 7], [0, 1]], 7)):
        y, known = labels_and_known(given, "y")
        assert y.tolist() == [[1, 0], [0, 1]]
        assert known is not None
        assert known.tolist() == [[True, False], [True, True]]
        assert np.array_equal(with_unknown(y, known), [[1, np.nan], [0, 1]], equal_nan=True)
    assert labels_and_known(csr_array(np.eye(2)), "y")[1] is None
