"""How often intervals hold the truth: real networks and a simulation, sampled again and again.

A population is the scores of 30 seeds of some trials on all rows of a test part. A study is a sample from it: groups of
rows with replacement, and a few seeds with replacement. Thresholds are those that each seed chose on validation. The
truth is the mean of a metric over all samples, because a test part of this size is what an interval is about.

``films`` and ``emoji`` (whose rows have groups) are networks of the suite, trained once and kept in the record
``runs/coverage``. ``rare`` is a simulation in which every label has 5, 10 or 20 positives.

Run by ``make coverage``, which writes ``docs/intervals_coverage.md``. It does the arithmetic for many samples at once,
and holds the first sample of each population against ``judging.statistics``.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse, stats
from scipy.optimize import brentq
from scipy.special import expit

import rarelabels as rl
from rarelabels.judging import metrics
from rarelabels.judging.rules.definition import Rule
from rarelabels.judging.scores import Scores
from rarelabels.judging.statistics import estimate

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
ROOT = Path(__file__).parents[2]
RECORD = f"sqlite:///{ROOT}/runs/coverage/mlflow.db"
PAGE = ROOT / "docs" / "intervals_coverage.md"
SEEDS = 30
DRAWN_SEEDS = (3, 5, 10)
SAMPLES, AT_ONCE = 2000, 25
LEVELS = (0.95, 1 - 0.05 / 57)  # plain, and the highest that 57 hypotheses ask for
RULES = ("half", "global", "per_label")
METRICS = (*(f"{rule}/macro_f1" for rule in RULES), "half/micro_f1", "global/micro_f1")
RANKING = "ranking/macro_average_precision"
FILMS = ("bce_accuracy", "focal_auc", "pos_weight_ratio", "asymmetric")
EMOJI = ("bce", "focal", "weighted_bce")


@dataclass(frozen=True, eq=False)
class Population:
    """Everything that samples are drawn from.

    Attributes:
        name: in words.
        y: (n, n_labels) bool.
        groups: (n,), the group of each row, 0 to the number of groups − 1.
        scores: of each trial, (SEEDS, n, n_labels).
        thresholds: of each trial and rule, (SEEDS, n_labels).
        size: groups in a sample.
    """

    name: str
    y: npt.NDArray[np.bool_]
    groups: npt.NDArray[np.int64]
    scores: Mapping[str, npt.NDArray[np.float32]]
    thresholds: Mapping[tuple[str, str], Floats]
    size: int

    @property
    def n_groups(self) -> int:
        """How many groups of rows there are."""
        return int(self.groups.max()) + 1


def recorded(study: str, trials: Sequence[str], name: str) -> Population:
    """Train what is not trained yet, and return the population of a study's test part."""
    from rarelabels.record import connection, queries, reading

    (ROOT / "runs" / "coverage").mkdir(parents=True, exist_ok=True)
    os.environ["MLFLOW_TRACKING_URI"] = RECORD
    rl.run([f"{study}/{trial}" for trial in trials], seeds=range(SEEDS))
    client = connection.connect(RECORD)
    found = reading.below(queries.heads(client, queries.find_experiment(client, study)))
    scores, thresholds, part = {}, {}, None
    for key, runs in found.items():
        trial = key[0].partition("/")[2]
        if trial not in trials or key[3]:
            continue
        parts = [reading.scores(client, run.info.run_id, "test") for run in runs[:SEEDS]]
        rules = [reading.rules(client, run.info.run_id) for run in runs[:SEEDS]]
        scores[trial] = np.stack([one.scores.astype(np.float32) for one in parts])
        for rule in RULES:
            of_rule = [np.broadcast_to(one[rule].thresholds, parts[0].y.shape[1]) for one in rules]
            thresholds[trial, rule] = np.stack(of_rule)
        part = parts[0]
    assert part is not None, f"{study}: nothing is recorded"
    groups = estimate.group_of_rows(part)
    return Population(name, part.truth, groups, scores, thresholds, int(groups.max()) + 1)


def simulated(positives: int) -> Population:
    """Return 4,000 rows in which 1,000 have so many positives of each of 17 labels; validation has 500 rows."""
    rng, n, n_labels, size = np.random.default_rng(3), 4000, 17, 1000
    spread = 1.8 * rng.normal(size=200_000)
    base = brentq(lambda base: expit(spread + base).mean() - positives / size, -20, 0)

    def rows(n: int) -> tuple[Floats, npt.NDArray[np.bool_], Floats]:
        logits = 1.8 * rng.normal(size=(n, n_labels)) + base
        return logits, rng.random(logits.shape) < expit(logits), rng.normal(size=(2, n, n_labels))

    logits, y, shared = rows(n)
    scores: dict[str, npt.NDArray[np.float32]] = {}
    thresholds: dict[tuple[str, str], Floats] = {}
    for number, (name, noise, shift) in enumerate((("plain", 0.8, 0.0), ("noisy", 1.1, 0.0), ("shifted", 0.8, 2.0))):
        of_seeds, rules = [], []
        for _ in range(SEEDS):
            bias = 0.3 * rng.normal(size=n_labels) + shift
            known, known_y, known_shared = rows(size // 2)
            parts = [
                expit(of + bias + noise * (0.85 * common[int(number == 1)] + 0.5 * rng.normal(size=of.shape)))
                for of, common in ((known, known_shared), (logits, shared))
            ]
            rules.append(rl.choose_rules(known_y.astype(np.uint8), parts[0]))
            of_seeds.append(parts[1].astype(np.float32))
        scores[name] = np.stack(of_seeds)
        for rule in RULES:
            thresholds[name, rule] = np.stack([np.broadcast_to(one[rule].thresholds, n_labels) for one in rules])
    return Population(f"simulated, {positives} positives a label", y, np.arange(n), scores, thresholds, size)


@dataclass(frozen=True, eq=False)
class Steps:
    """The places where the precision-recall curves of all labels have a step, one label after the other.

    Attributes:
        hits: (n_steps, n_groups) sparse, the positives of a group at a step.
        others: (n_steps, n_groups) sparse, the negatives of a group that are assigned from this step on, but from none
            before it. Negatives below all positives are left out.
        label: (n_steps,) the label of each step.
        first: (n_labels,) the first step of each label.
    """

    hits: sparse.csr_array
    others: sparse.csr_array
    label: Integers
    first: Integers

    def so_far(self, values: Floats) -> Floats:
        """Return the sums from a label's first step to each of its steps, (n_steps, m)."""
        whole = np.cumsum(values, axis=0)
        before = np.concatenate([np.zeros((1, values.shape[1])), whole])[self.first]
        return np.asarray(whole - before[self.label])

    def of_labels(self, values: Floats) -> Floats:
        """Return the sums over each label's steps, (n_labels, m)."""
        return np.asarray(np.add.reduceat(values, self.first, axis=0))


class Prepared:
    """A population with what does not depend on the sample: who is assigned what, and where scores stand."""

    def __init__(self, whole: Population) -> None:
        self.whole, n = whole, len(whole.y)
        self.sums = sparse.csr_array((np.ones(n), (whole.groups, np.arange(n))), shape=(whole.n_groups, n))
        self.actual = self.sums @ sparse.csr_array(whole.y.astype(np.float64))
        of_trials = [(trial, seed) for trial in whole.scores for seed in range(SEEDS)]
        self.cells = {(*of, rule): self._cells(*of, rule) for of in of_trials for rule in RULES}
        self.steps = {(trial, seed): self._steps(whole.scores[trial][seed]) for trial, seed in of_trials}

    def _cells(self, trial: str, seed: int, rule: str) -> sparse.csr_array:
        """Return hits, assigned rows and positives of each label in each group, side by side."""
        assigned = self.whole.scores[trial][seed].astype(np.float64) >= self.whole.thresholds[trial, rule][seed]
        hits = self.sums @ sparse.csr_array((assigned & self.whole.y).astype(np.float64))
        return sparse.hstack([hits, self.sums @ sparse.csr_array(assigned.astype(np.float64)), self.actual], "csr")

    def _steps(self, scores: npt.NDArray[np.float32]) -> Steps:
        y = self.whole.y
        label, row, step, count = [], [], [], []
        begin = 0
        for number in np.flatnonzero(y.any(axis=0)):
            distinct = np.unique(scores[y[:, number], number])
            at = distinct.size - np.searchsorted(distinct, scores[:, number], side="right")
            above = np.flatnonzero(at < distinct.size)
            row, step = [*row, above], [*step, begin + at[above]]
            label, count = [*label, np.full(above.size, number)], [*count, distinct.size]
            begin += distinct.size
        rows, steps = np.concatenate(row), np.concatenate(step)
        positive = y[rows, np.concatenate(label)]
        hits, others = (
            sparse.csr_array((np.ones(int(cells.sum())), (steps[cells], rows[cells])), shape=(begin, len(y)))
            @ self.sums.T
            for cells in (positive, ~positive)
        )
        sizes = np.array(count)
        return Steps(hits, others, np.repeat(np.arange(sizes.size), sizes), np.cumsum(sizes) - sizes)

    def measure(self, trial: str, metric: str, seed: int, weights: Floats) -> tuple[Floats, Floats]:
        """Return a metric under each column of weights of groups, (m,), and the influence of groups, (n_groups, m)."""
        if metric == RANKING:
            return self._average_precision(self.steps[trial, seed], weights)
        rule, _, name = metric.partition("/")
        cells = self.cells[trial, seed, rule]
        hits, assigned, actual = np.split((cells.T @ weights).T, 3, axis=1)
        if name == "micro_f1":
            hits, assigned, actual = (
                np.broadcast_to(x.sum(1, keepdims=True), x.shape) for x in (hits, assigned, actual)
            )
        below, covered = assigned + actual, actual > 0
        with np.errstate(divide="ignore", invalid="ignore"):
            value, by_hit = np.where(below > 0, 2 * hits / below, 0.0), np.where(below > 0, 2 / below, 0.0)
        share = np.ones_like(value) if name == "micro_f1" else covered / covered.sum(axis=1, keepdims=True)
        slopes = np.concatenate([by_hit * share, *[-value * by_hit / 2 * share] * 2], axis=1)
        mean = value[:, 0] if name == "micro_f1" else (value * share).sum(axis=1)
        return mean, cells @ slopes.T

    def _average_precision(self, steps: Steps, weights: Floats) -> tuple[Floats, Floats]:
        hits = steps.hits @ weights
        found = steps.so_far(hits)
        assigned = found + steps.so_far(steps.others @ weights)
        positives = steps.of_labels(hits)
        there, above_zero = positives > 0, np.maximum(positives, 1)
        covered = there.sum(axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            precision = np.where(assigned > 0, found / assigned, 0.0)
            each = np.where(assigned > 0, hits / assigned, 0.0)
        areas, share = steps.of_labels(hits * precision) / above_zero, there / above_zero / covered

        def from_here(values: Floats) -> Floats:
            return np.asarray(steps.of_labels(values)[steps.label] - steps.so_far(values) + values)

        lost = from_here(each * precision) * share[steps.label]
        gained = (from_here(each) + precision - areas[steps.label]) * share[steps.label]
        return (areas * there).sum(axis=0) / covered, steps.hits.T @ (gained - lost) - steps.others.T @ lost


def sample(prepared: Prepared, first: int) -> dict[tuple[int, str, str, str], Floats]:
    """Return value, variance of rows and variance of seeds of every cell in some samples, each (AT_ONCE, 3)."""
    whole, rng = prepared.whole, np.random.default_rng([7, first])
    drawn = [rng.integers(whole.n_groups, size=whole.size) for _ in range(AT_ONCE)]
    weights = np.stack([np.bincount(one, minlength=whole.n_groups) for one in drawn], axis=1).astype(np.float64)
    seeds = rng.integers(SEEDS, size=(AT_ONCE, max(DRAWN_SEEDS)))
    names = list(whole.scores)
    sides = [(name, "") for name in names] + [(a, b) for i, a in enumerate(names) for b in names[:i]]
    found = {}
    for metric in (*METRICS, RANKING):
        measured = {name: [prepared.measure(name, metric, seed, weights) for seed in range(SEEDS)] for name in names}
        for a, b in sides:
            for n in DRAWN_SEEDS:
                cell = np.empty((AT_ONCE, 3))
                for place in range(AT_ONCE):
                    chosen = [measured[a][seed] for seed in seeds[place, :n]]
                    values = np.array([value[place] for value, _ in chosen])
                    influence = sum(influence[:, place] for _, influence in chosen) / n
                    if b:
                        other = [measured[b][seed] for seed in seeds[place, :n]]
                        values = values - np.array([value[place] for value, _ in other])
                        influence = influence - sum(influence[:, place] for _, influence in other) / n
                    rows = (weights[:, place] * influence**2).sum() * whole.size / (whole.size - 1)
                    cell[place] = values.mean(), rows, values.var(ddof=1) / n
                found[n, metric, a, b] = cell
    if first == 0:
        _hold_against_the_library(whole, drawn[0], seeds[0], found)
    return found


def estimates_of(
    whole: Population, trial: str, drawn: Integers, seeds: Integers, wanted: Sequence[str]
) -> dict[str, estimate.Estimate]:
    """Return what the library says of a sample in which the rows of the drawn groups are really repeated."""
    rows = [np.flatnonzero(whole.groups == group) for group in drawn]
    groups, taken = np.repeat(np.arange(len(rows)), [len(one) for one in rows]), np.concatenate(rows)
    parts, rules, values = [], [], []
    for seed in seeds:
        scores = whole.scores[trial][seed][taken].astype(np.float64)
        part = Scores(taken.astype(str), whole.y[taken], scores, groups=groups)
        own = {rule: Rule(rule, whole.thresholds[trial, rule][seed], fallbacks=0) for rule in RULES}
        of_seed = {RANKING: metrics.macro_average_precision(part.y, scores)}
        for rule, one in own.items():
            decided = metrics.decision_metrics(part.y, one.assign(scores))
            of_seed |= {f"{rule}/{metric}": value for metric, value in decided.items()}
        parts, rules, values = [*parts, part], [*rules, own], [*values, of_seed]
    return estimate.estimates(parts, rules, values, wanted)


def _hold_against_the_library(
    whole: Population, drawn: Integers, seeds: Integers, found: Mapping[tuple[int, str, str, str], Floats]
) -> None:
    """Stop if the first sample is not what the library says of it."""
    if whole.size > estimate.MOST_GROUPS:
        return  # the library draws groups together
    n, trial = 5, next(iter(whole.scores))
    for metric, one in estimates_of(whole, trial, drawn, seeds[:n], (*METRICS, RANKING)).items():
        by_library = one.value, one.variance_of_rows, one.variance_of_seeds
        np.testing.assert_allclose(found[n, metric, trial, ""][0], by_library, rtol=1e-6, err_msg=metric)


_PREPARED: list[Prepared] = []  # for processes that are forked


def _sample(first: int) -> dict[tuple[int, str, str, str], Floats]:
    return sample(_PREPARED[-1], first)


def table(whole: Population, samples: int) -> pd.DataFrame:
    """Return a row for each cell: how often its interval held the truth, and how wide it is beside the truth."""
    _PREPARED.append(Prepared(whole))
    began = time.monotonic()
    with multiprocessing.get_context("fork").Pool(os.cpu_count()) as pool:
        parts = []
        for part in pool.imap(_sample, range(0, samples, AT_ONCE)):
            parts.append(part)
            done = len(parts) * AT_ONCE / samples
            print(
                f"\r{whole.name}: {done:.0%}, {(time.monotonic() - began) / done / 60:.0f} min", end="", file=sys.stderr
            )
    print(file=sys.stderr)
    rows = []
    for n, metric, a, b in parts[0]:
        values, of_rows, of_seeds = np.concatenate([part[n, metric, a, b] for part in parts]).T
        variance = of_rows + of_seeds
        degrees = variance**2 / (of_rows**2 / (whole.size - 1) + of_seeds**2 / (n - 1))
        away = np.abs(values - values.mean()) / np.sqrt(variance)
        held = [float((away <= stats.t.ppf((1 + level) / 2, degrees)).mean()) for level in LEVELS]
        share = float(of_seeds.mean() / variance.mean())
        wide = float(np.sqrt(variance.mean()) / values.std())
        rows.append((whole.name, samples, metric, a, b, n, *held, share, wide))
    columns = [
        "population",
        "samples",
        "metric",
        "trial",
        "against",
        "seeds",
        "held",
        "held_57",
        "share_of_seeds",
        "error",
    ]
    return pd.DataFrame(rows, columns=columns)


def page(found: pd.DataFrame) -> Iterator[str]:
    """Yield the lines of the page of docs: every cell, none averaged away."""
    yield "# How often intervals hold the truth"
    yield ""
    yield f"Made by `make coverage`, Rarelabels {rl.__version__}. A cell is the share of 95 % intervals that held the"
    yield "truth. In brackets: how many of the intervals at the highest level that 57 hypotheses ask for missed it"
    yield "(0.088 are promised). In per cent, by number of seeds. *Seeds*: the share of the variance that five seeds"
    yield "bring. *Error*: the standard error with five seeds, divided by the true one."
    for (name, samples), of in found.groupby(["population", "samples"], sort=False):
        errors = (100 * np.sqrt((1 - level) * level / samples) for level in LEVELS)
        told = " and ".join(f"± {error:.2f}" for error in errors)
        yield f"\n## {name}: {samples:,} samples ({told}, one standard error of the simulation)\n"
        yield f"| metric | trial | {' | '.join(f'{n} seeds' for n in DRAWN_SEEDS)} | seeds | error |"
        yield f"|---|---|{'---|' * len(DRAWN_SEEDS)}---|---|"
        for (metric, trial, against), cell in of.groupby(["metric", "trial", "against"], sort=False):
            by_n = cell.set_index("seeds")
            told = [f"{100 * by_n.held[n]:.1f} ({100 * (1 - by_n.held_57[n]):.2f})" for n in DRAWN_SEEDS]
            sides = f"{trial} − {against}" if against else str(trial)
            last = f"{100 * by_n.share_of_seeds[5]:.0f} | {by_n.error[5]:.2f}"
            yield f"| {metric} | {sides} | {' | '.join(told)} | {last} |"


def main() -> None:
    """Measure all populations and write the page."""
    wholes = [
        recorded("movies", FILMS, "films, networks"),
        recorded("attributes", EMOJI, "emoji, networks, rows in groups"),
    ]
    wholes += [simulated(positives) for positives in (5, 10, 20)]
    found = pd.concat([table(whole, SAMPLES) for whole in wholes])
    PAGE.write_text("\n".join(page(found)) + "\n", encoding="utf-8")
    print(PAGE.read_text("utf-8"))


if __name__ == "__main__":
    main()
