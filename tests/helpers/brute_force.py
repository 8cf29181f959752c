"""Small parts with every kind of scores, and what trying every cut finds on them, in fractions."""

import itertools
from fractions import Fraction

import numpy as np

from rarelabels.judging.settings import F1, BalancedAccuracy, Cost, FBeta, Jaccard
from rarelabels.judging.sweeps.each_label import best_thresholds

COST = Cost(kind="cost", false_positive=1.0, false_negative=4.5, true_positive=-0.5, true_negative=0.25)
DEAR = Cost(kind="cost", false_positive=6.0, false_negative=1.0)
JACCARD, BALANCED = Jaccard(kind="jaccard"), BalancedAccuracy(kind="balanced_accuracy")
OBJECTIVES = [F1, FBeta(kind="f_beta", beta=0.5), FBeta(kind="f_beta", beta=2), JACCARD, BALANCED, COST, DEAR]
COMMON = ("micro_f1", "macro_f1", "samples_f1", "subset_accuracy")
KINDS = {
    "ties": lambda rng, shape: rng.integers(0, 4, shape) / 4,
    "float32": lambda rng, shape: rng.random(shape).astype(np.float32),
    "neighbours": lambda rng, shape: 0.3 + np.spacing(0.3) * rng.integers(0, 4, shape),
    "float32 neighbours": lambda rng, shape: (np.float32(0.7) + np.float32(2**-24) * rng.integers(0, 4, shape)).astype(
        "f4"
    ),
    "logits": lambda rng, shape: rng.normal(size=shape) * 10.0 ** rng.integers(-3, 300),
    "constant": lambda rng, shape: np.full(shape, rng.random()),
    "two zeros": lambda rng, shape: rng.choice([-0.0, 0.0, 5e-324], shape),
    "two zeros among logits": lambda rng, shape: rng.choice([-1.5, -0.0, 0.0, 2.0], shape).astype(np.float32),
    "integers": lambda rng, shape: rng.integers(-2, 3, shape),
    "float16": lambda rng, shape: rng.integers(0, 3, shape).astype(np.float16),
    "label by label": lambda rng, shape: np.asfortranarray(rng.random(shape)),
    "other byte order": lambda rng, shape: (rng.integers(0, 3, shape) / 2).astype(">f8"),
}


def random_parts(n_parts, seed=0, max_rows=12, max_labels=8):
    """Small parts with few, no and only positives, the kinds of scores in turn."""
    rng = np.random.default_rng(seed)
    kinds = itertools.cycle(KINDS.values())
    for make in itertools.islice(kinds, n_parts):
        shape = int(rng.integers(1, max_rows + 1)), int(rng.integers(1, max_labels + 1))
        yield rng.random(shape) < rng.choice([0.1, 0.3, 0.7, 1.0], shape[1]), make(rng, shape)


def assign(s, thresholds):
    return np.asarray(s) >= np.asarray(thresholds, dtype=np.float64)


def every_cut(s):
    """Every way to cut scores, of any shape: above each distinct one, and assigning nothing; fewest assigned first."""
    return [np.zeros(s.shape, dtype=bool), *(s >= score for score in np.unique(s)[::-1])]


def value_of(objective, y, assigned):
    """The objective of one label as a fraction; None where undefined."""
    tp, fp, fn, tn = (
        int(np.count_nonzero(cells)) for cells in (y & assigned, ~y & assigned, y & ~assigned, ~y & ~assigned)
    )
    match objective:
        case FBeta(beta=beta):
            square = Fraction(beta) ** 2
            return (1 + square) * tp / ((1 + square) * tp + square * fn + fp) if y.any() else None
        case Jaccard():
            return Fraction(tp, tp + fp + fn) if y.any() else None
        case BalancedAccuracy():
            return (Fraction(tp, tp + fn) + Fraction(tn, tn + fp)) / 2 if y.any() and not y.all() else None
        case Cost() as cost:
            cells = {"true_positive": tp, "false_positive": fp, "false_negative": fn, "true_negative": tn}
            return -sum(Fraction(getattr(cost, cell)) * count for cell, count in cells.items()) / y.size
    raise AssertionError(objective)


def measured(metric, y, assigned):
    """The metric of a whole part by scikit-learn; macro over labels with a positive."""
    if metric == "subset_accuracy":
        return float((y == assigned).all(axis=1).mean())
    if metric == "macro_f1":
        y, assigned = y[:, y.any(axis=0)], assigned[:, y.any(axis=0)]
    hits, wrong = (y & assigned), (y != assigned)
    axis = {"micro_f1": None, "macro_f1": 0, "samples_f1": 1}[metric]
    tp, errors = np.atleast_1d(hits.sum(axis=axis)), np.atleast_1d(wrong.sum(axis=axis))
    return float(np.mean([2 * t / (2 * t + e) if t else 0.0 for t, e in zip(tp, errors, strict=True)]))


def best(y, s):
    """The threshold of one label."""
    return best_thresholds(np.array(y)[:, None], np.array(s)[:, None]).thresholds[0]
