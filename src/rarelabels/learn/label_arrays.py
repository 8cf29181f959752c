"""Labels from arrays, DataFrames, sparse matrices or tensors to 0/1 arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import issparse

from rarelabels.judging import arrays

Labels = npt.NDArray[np.uint8]
Known = npt.NDArray[np.bool_] | None


def labels_of(y: Any, name: str) -> Labels:
    """Return multi-hot labels as 0/1, uint8 (n, n_labels).

    Args:
        y: an array, nested lists, a DataFrame, a sparse matrix of SciPy, or a tensor on the CPU.
        name: the caller's name for ``y``, for the error message.

    Raises:
        ValueError: ``y`` has not two dimensions, is empty, or has values other than 0 and 1.
    """
    return arrays.multi_hot(_dense(y), name).astype(np.uint8)


def labels_and_known(y: Any, name: str) -> tuple[Labels, Known]:
    """Return multi-hot labels as :func:`labels_of`, and which of them are known; None if all are.

    A label that is NaN, or masked, is not known; it is 0 in what is returned.
    """
    filled, known = arrays.with_known(_dense(y))
    return labels_of(filled, name), known


def with_unknown(y: Labels, known: Known) -> Any:
    """Return labels as :func:`labels_and_known` takes them: NaN where they are not known."""
    return y if known is None else np.where(known, y, np.float16(np.nan))


def _dense(y: Any) -> Any:
    return y.toarray() if issparse(y) else y  # type: ignore[attr-defined]  # all sparse classes of SciPy have it
