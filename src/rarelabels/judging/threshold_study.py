"""Two studies of thresholds from scores alone.

Does the theory of the best F1 hold? How many positives does a threshold need?
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from rarelabels.judging import metrics
from rarelabels.judging.arrays import Floats
from rarelabels.judging.scores import Scores
from rarelabels.judging.settings import F1
from rarelabels.judging.sweeps import each_label, ordered

POSITIVES = (1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)


@dataclass(frozen=True, eq=False)
class _Label:
    """The scores of one label in one part, positives and negatives apart, each lowest first."""

    positives: Floats
    negatives: Floats

    @classmethod
    def of(cls, part: Scores, label: int) -> _Label:
        """Take one column of a part."""
        truth, scores = part.of_label(label)
        scores = np.asarray(scores, dtype=np.float64)
        return cls(np.sort(scores[truth]), np.sort(scores[~truth]))

    def f1(self, cuts: Floats) -> Floats:
        """Return the F1 of each threshold, in the shape of ``cuts``."""
        hits, alarms = (len(scores) - np.searchsorted(scores, cuts) for scores in (self.positives, self.negatives))
        return metrics.precision_recall_f1(hits, hits + alarms, np.asarray(len(self.positives)))["f1"]


def f1_theory(validations: Sequence[Scores], seeds: Sequence[int], labels: Sequence[str]) -> pd.DataFrame:
    """Return each label's best threshold beside half its best F1, which is the best threshold of calibrated scores.

    Threshold and F1 are swept on the validation part, and F1 under both thresholds is measured on that same part. The
    question is what the threshold ``f1 / 2`` would have lost there, not how well either threshold does on fresh rows.

    Args:
        validations: one part for each seed.
        seeds: their seeds.
        labels: names of the columns.

    Returns:
        Columns ``seed, label, positives, threshold, f1, f1_at_half`` (the F1 under the threshold ``f1 / 2``); one row
        for each seed and label with a positive.

    Source: :func:`rarelabels.learn.theory.optimal_f1_of_calibrated`.
    """
    rows = []
    for seed, part in zip(seeds, validations, strict=True):
        best = each_label.sweep_labels(part, F1)
        for column in np.flatnonzero(best.defined).tolist():
            label, f1 = _Label.of(part, column), float(best.values[column])
            at_half = float(label.f1(np.array(f1 / 2)))
            rows.append((seed, labels[column], len(label.positives), best.thresholds[column], f1, at_half))
    return pd.DataFrame(rows, columns=["seed", "label", "positives", "threshold", "f1", "f1_at_half"])


def winners_curse(validation: Scores, test: Scores, *, draws: int, seed: int) -> pd.DataFrame:
    """Return how good a threshold is on test if few positives have chosen it.

    The number of positives is 1, 2, 3, 5, 10, … up to the number that a label has. A draw takes that many of the
    label's validation positives and the same share of its negatives, so that the prevalence stays. The threshold with
    the best F1 is swept on the draw and measured on the test part. The last size of a label is almost its whole
    validation part, so its draws hardly differ.

    Args:
        validation: thresholds are chosen on parts of it.
        test: measures them.
        draws: how many for each label and number of positives.
        seed: of the draws.

    Returns:
        Columns ``positives, label`` (number of the column), ``draw``, ``f1_chosen`` (of the draw, on the very rows that
        chose the threshold), ``f1_test``, ``f1_oracle`` (the best on test) and ``f1_all_ones`` (every test row
        assigned). Labels without a positive in either part are left out.
    """
    rng = np.random.default_rng(seed)
    present = np.flatnonzero(validation.y.any(axis=0) & test.y.any(axis=0)).tolist()
    blocks = [
        block
        for label in present
        for block in _curse_of_label(label, _Label.of(validation, label), _Label.of(test, label), draws, rng)
    ]
    columns = ["positives", "label", "draw", "f1_chosen", "f1_test", "f1_oracle", "f1_all_ones"]
    return pd.concat(blocks, ignore_index=True) if blocks else pd.DataFrame(columns=columns)


def _curse_of_label(
    number: int, known: _Label, fresh: _Label, draws: int, rng: np.random.Generator
) -> Iterator[pd.DataFrame]:
    n_positives, n_negatives = len(known.positives), len(known.negatives)
    oracle = fresh.f1(np.concatenate([fresh.positives, [ordered.ALWAYS]]))  # the best cut is at a positive
    for size in POSITIVES:
        if size > n_positives:
            return
        share = round(n_negatives * size / n_positives)
        drawn = [_drawn(known.positives, size, draws, rng), _drawn(known.negatives, share, draws, rng)]
        truth = np.repeat([[True], [False]], [size, share], axis=0)
        scores = np.vstack(drawn)  # each draw is a column, which is swept like a label
        best = each_label.best_thresholds(np.broadcast_to(truth, scores.shape), scores)
        yield pd.DataFrame(
            {
                "positives": size,
                "label": number,
                "draw": np.arange(draws),
                "f1_chosen": best.values,
                "f1_test": fresh.f1(best.thresholds),
                "f1_oracle": oracle.max(),
                "f1_all_ones": oracle[-1],
            }
        )


def _drawn(scores: Floats, size: int, draws: int, rng: np.random.Generator) -> Floats:
    """Return ``size`` of the scores without repetition, for each draw anew, shape (size, draws)."""
    lots = rng.random((len(scores), draws))
    return scores[np.argpartition(lots, size - 1, axis=0)[:size]] if size else np.empty((0, draws))
