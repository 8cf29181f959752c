"""Whether an interval can be relied on. The bounds are those that ``docs/intervals.md`` has measured."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rarelabels.errors import counted
from rarelabels.judging.arrays import Integers
from rarelabels.judging.metrics.averages import MEDIUM
from rarelabels.judging.statistics.estimate import Estimate

RARE_SHARE = 0.1  # of the labels with a positive
SEEDS_SHARE, ENOUGH_SEEDS = 0.75, 10
BY_LABEL = ("macro_", "tail_")  # what the names of metrics begin with that rare labels decide


def rare_labels(positives: Integers) -> str:
    """Return why intervals of means over labels are not reliable, in words; empty if they are.

    An F1 of few positives is far from normal, and so is a mean over labels if many of them have few.

    Args:
        positives: of each label on the test part, (n_labels,).

    >>> import numpy as np
    >>> rare_labels(np.array([3, 12, 80, 0]))
    '1 of 3 labels has fewer than 10 positives on test'
    >>> rare_labels(np.array([12, 80]))
    ''
    """
    covered, rare = int(np.count_nonzero(positives)), int(np.count_nonzero((positives > 0) & (positives < MEDIUM)))
    if rare <= RARE_SHARE * covered:
        return ""
    labels = "1 label has" if covered == 1 else f"{rare:,} of {covered:,} labels {'has' if rare == 1 else 'have'}"
    return f"{labels} fewer than {MEDIUM} positives on test"


def few_positives(positives: Integers) -> str:
    """Return why no interval is reliable, in words: all labels together have few positives; empty if they have enough.

    Args:
        positives: of each label on the test part, (n_labels,).

    >>> import numpy as np
    >>> few_positives(np.array([3, 0])), few_positives(np.array([3, 7]))
    ('test has 3 positives in all', '')
    """
    total = int(positives.sum())
    if total >= MEDIUM:
        return ""
    return f"test has {counted(total, 'positive')} in all" if total else "test has no positive"


def little_known(labels: Sequence[str], n_known: Integers, positives: Integers, n_rows: int) -> list[str]:
    """Return the labels that are known in too few rows to be judged, each with the reason in words.

    Such a label is known in fewer than 10 rows, or its known rows have no positive or no negative.

    Args:
        labels: their names.
        n_known: in how many rows each is known, (n_labels,).
        positives: of each, (n_labels,).
        n_rows: of the part. A label that is known in all of them is not returned.

    >>> import numpy as np
    >>> little_known(["a", "b", "c", "d"], np.array([4, 30, 30, 90]), np.array([2, 0, 30, 0]), 90)
    ['a (4 of 90 rows known)', 'b (30 of 90 rows known, no positive)', 'c (30 of 90 rows known, no negative)']
    """
    found = []
    for label, known, ones in zip(labels, n_known.tolist(), positives.tolist(), strict=True):
        lacks = ", no positive" if known and not ones else ", no negative" if known and ones == known else ""
        if known < n_rows and (lacks or known < MEDIUM):
            found.append(f"{label} ({known:,} of {n_rows:,} rows known{lacks})")
    return found


def is_by_label(metric: str) -> bool:
    """Return whether rare labels decide a metric, by its recorded name."""
    return metric.rpartition("/")[2].startswith(BY_LABEL)


def few_seeds(estimate: Estimate) -> str:
    """Return why an interval is not reliable for its seeds, in words; empty if it is."""
    if estimate.n_seeds >= ENOUGH_SEEDS or not estimate.share_of_seeds > SEEDS_SHARE:
        return ""
    return f"its variance is mostly that of seeds, of which {estimate.n_seeds} say little"
