"""Positives that are hidden at random, as if annotators had missed them: to learn what that costs.

The draws are of the whole table. So a row has the same hidden labels in whatever part it is, and with one seed a
smaller share keeps some of the positives that a larger share keeps.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from rarelabels.data.dataset import Part
from rarelabels.declare.data_spec import HiddenPositives

DRAW = 2112  # keeps these draws apart from others of the same seed


def hidden(spec: HiddenPositives, y: npt.NDArray[np.uint8], seed: int) -> npt.NDArray[np.bool_]:
    """Return which positives are hidden, (n, n_labels).

    Args:
        spec: says how many are left: a share of all positives, or one of each row that has any.
        y: 0/1, (n, n_labels), of all rows.
        seed: of the run.
    """
    drawn = np.random.default_rng([seed, DRAW]).random(y.shape, dtype=np.float32)
    if spec.keep == "one":
        kept = np.where(y == 1, drawn, np.inf).argmin(axis=1)[:, None] == np.arange(y.shape[1])
    else:
        kept = drawn < spec.keep
    return np.asarray((y == 1) & ~kept)


def hide(spec: HiddenPositives, part: Part, which: npt.NDArray[np.bool_]) -> Part:
    """Return a part whose hidden positives count as ``spec.taken_as`` says."""
    y = np.where(which, 0, part.y).astype(np.uint8)
    if spec.taken_as == "negative":
        return replace(part, y=y)
    known = ~which if part.known is None else part.known & ~which
    return replace(part, y=y, known=known)
