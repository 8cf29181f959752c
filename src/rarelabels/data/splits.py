"""Three parts of a data set: a test part, fixed unless declared otherwise, and training and validation of each seed.

The parts are stratified over all labels at once by iterative stratification (Sechidis, Tsoumakas and Vlahavas 2011),
which brings rare labels to every part. Shares are good to a few percent, not exact: the realised parts are recorded
with each run.

Both cuts of 20,000 rows take 1 s on one core with 3,000 labels, and 3 s with 10,000. For two million rows with 20
labels they take 5 s; see ``stratification``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from rarelabels.data import stratification
from rarelabels.errors import UserError

VERSION = 1
"""To be increased whenever the same table and seed give other parts."""

TEST_SHARE = 0.2
VALIDATION_SHARE = 1 / 8  # of what the test part leaves: training and validation are 7 : 1
TEST_SEED = 20_200_520  # one test part for all seeds
FOLDS = 5  # of a cross-validated validation part
MIN_ROWS = 10  # 2 for test, 1 for validation, 7 for training

PARTS = ("train", "validation", "test")

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Split:
    """Row numbers of the three parts, each sorted; together they hold every row once.

    In cross-validation the validation part is the training part, and ``folds`` has the fold of each of its rows.
    """

    train: Rows
    validation: Rows
    test: Rows
    folds: Rows | None = None


def split(
    y: npt.NDArray[np.uint8],
    seed: int,
    *,
    groups: npt.NDArray[np.int64] | None = None,
    parts: npt.NDArray[np.uint8] | None = None,
    validation: Literal["stratified", "last_rows", "cross_validated"] = "stratified",
    test: Literal["fixed", "repeated"] = "fixed",
) -> Split:
    """Divide the rows into training, validation and test, 7 : 1 : 2, stratified over the columns of ``y``.

    A fixed test part depends on ``y`` and ``groups`` alone, never on ``seed``; the seed divides the rest.

    Args:
        y: 0/1, shape (n, n_labels).
        seed: 0 to 2**32 - 1.
        groups: (n,); rows with the same number (near-duplicates) stay in one part. The split is then stratified over
            one row per group, which has a label if any row of the group has it. Shares are shares of groups.
        parts: (n,); the declared part of each row as its place in ``PARTS``. Declared parts are the same for every
            seed. With ``cross_validated`` only the declared test part counts.
        validation: how to divide the rows outside the test part. ``stratified``: an eighth, drawn by ``seed``.
            ``last_rows``: the last eighth in the order of ``y``, for every seed; a group stands where its first row
            stands. ``cross_validated``: all these rows are both training and validation part, in folds of whole groups
            that ``seed`` draws.
        test: ``fixed``: one test part for all seeds. ``repeated``: another one for each seed.

    Raises:
        UserError: the seed is out of range, there are fewer than ten rows (groups, if given), or the labels are so rare
            that a part stays empty. For ``cross_validated``: fewer than five rows (groups) are outside the test part.
    """
    if not 0 <= seed < 2**32:
        raise UserError(f"seed: must be from 0 to {2**32 - 1}, but is {seed}")
    if validation == "cross_validated":
        return _cross_validated(y, seed, groups, parts, test)
    if parts is not None:
        return Split(*(np.flatnonzero(parts == place) for place in range(len(PARTS))))
    last_rows = validation == "last_rows"
    test_seed = TEST_SEED if test == "fixed" else (TEST_SEED + 1 + seed) % 2**32
    if groups is None:
        return _split_rows(y, seed, test_seed, np.arange(len(y)) if last_rows else None, unit="rows")
    y_of_group, first_row, group_of_row = _by_group(y, groups)
    order = np.argsort(first_row) if last_rows else None
    by_group = _split_rows(y_of_group, seed, test_seed, order, unit="groups of rows")
    return Split(
        *(np.flatnonzero(np.isin(group_of_row, p)) for p in (by_group.train, by_group.validation, by_group.test))
    )


def same_rows(n: int) -> Split:
    """Return a split whose three parts are the same n rows."""
    return Split(np.arange(n), np.arange(n), np.arange(n))


def fraction(n: int, share: float, seed: int) -> Rows:
    """Return ``share`` of n row numbers, rounded up and sorted; with one seed, a larger share holds a smaller one."""
    # Rounded first, because 0.07 of 100 is 7.000000000000001 in floating point.
    return np.sort(np.random.default_rng([seed, n]).permutation(n)[: math.ceil(round(share * n, 6))])


def _by_group(y: npt.NDArray[np.uint8], groups: Rows) -> tuple[npt.NDArray[np.uint8], Rows, Rows]:
    """Return for each group the labels that any of its rows has and its first row; and the group of each row."""
    names, first_row, group_of_row = np.unique(groups, return_index=True, return_inverse=True)
    y_of_group = np.zeros((len(names), y.shape[1]), dtype=np.uint8)
    np.maximum.at(y_of_group, group_of_row, y)
    return y_of_group, first_row, group_of_row


def _cross_validated(
    y: npt.NDArray[np.uint8],
    seed: int,
    groups: npt.NDArray[np.int64] | None,
    parts: npt.NDArray[np.uint8] | None,
    test: Literal["fixed", "repeated"],
) -> Split:
    """Return the test part of every other split, and the remaining rows, in folds, as training and validation part."""
    # last_rows stratifies once only; the validation rows that it cuts off are joined to the others again.
    whole = split(y, seed, groups=groups, parts=parts, validation="last_rows", test=test)
    rest = np.sort(np.concatenate([whole.train, whole.validation]))
    if groups is None:
        return Split(rest, rest, whole.test, folds=_folds(y[rest], seed, "rows"))
    y_of_group, _, group_of_row = _by_group(y[rest], groups[rest])
    return Split(rest, rest, whole.test, folds=_folds(y_of_group, seed, "groups of rows")[group_of_row])


def _folds(y: npt.NDArray[np.uint8], seed: int, unit: str) -> Rows:
    """Return the fold of each row (or group), stratified over the columns."""
    if len(y) < FOLDS:
        raise UserError(f"{FOLDS} folds need at least {FOLDS} {unit} outside the test part, but there are {len(y)}")
    return stratification.folds(_two_or_more_columns(y), FOLDS, seed)


def _split_rows(y: npt.NDArray[np.uint8], seed: int, test_seed: int, order: Rows | None, unit: str) -> Split:
    """Divide rows (or groups). If ``order`` is given, its last eighth outside the test part is the validation part."""
    if len(y) < MIN_ROWS:
        raise UserError(
            f"a split into training, validation and test needs at least {MIN_ROWS} {unit}, but there are {len(y)}"
        )
    rest, test = _stratify(y, TEST_SHARE, test_seed)
    if order is None:
        train, validation = (rest[rows] for rows in _stratify(y[rest], VALIDATION_SHARE, seed))
    else:
        in_order = order[np.isin(order, rest)]
        first_of_validation = len(in_order) - math.ceil(VALIDATION_SHARE * len(in_order))
        train, validation = np.sort(in_order[:first_of_validation]), np.sort(in_order[first_of_validation:])
    parts = {"training": train, "validation": validation, "test": test}
    empty = [name for name, rows in parts.items() if not len(rows)]
    if empty:
        raise UserError(
            f"{len(y)} {unit} are too few for these labels: stratification leaves the {' and '.join(empty)} part "
            "empty, because most labels have one or two positives; add rows, or leave the rarest labels out"
        )
    return Split(train, validation, test)


def _stratify(y: npt.NDArray[np.uint8], share: float, seed: int) -> tuple[Rows, Rows]:
    """Return the rows in two parts: most of them, and about ``share`` of them."""
    part = stratification.two_parts(_two_or_more_columns(y), math.ceil(share * len(y)), seed)
    return np.flatnonzero(part == 0), np.flatnonzero(part == 1)


def _two_or_more_columns(y: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    # "No label" beside a single column says nothing new, but VERSION 1 has always drawn with it.
    return y if y.shape[1] > 1 else np.column_stack([y, 1 - y])
