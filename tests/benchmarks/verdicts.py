"""How often verdicts are false, and how often they see what is there: real films, real learners, resampled many times.

Three logistic regressions are trained on a few thousand films, with many seeds. All other films are the population: on
them the difference of two learners is known. A test part is a sample of the population with a few of the seeds, and
``verdicts.decide`` judges hypotheses on it as it does in a study. Where a hypothesis's margin is the known difference
itself, every verdict but undecided is false.

Run by ``make verdicts``, which prints how often; ``test_verdicts.py`` asserts it on fewer samples.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from rarelabels.compare import verdicts as compare_verdicts
from rarelabels.compare.measured_trials import MeasuredTrial
from rarelabels.compare.verdicts import Finding
from rarelabels.data import loading
from rarelabels.data.fitted import Vocabulary
from rarelabels.declare.data import MoviesSpec
from rarelabels.declare.study import Hypothesis
from rarelabels.judging import metrics
from rarelabels.judging import scores as judged_scores
from rarelabels.judging.rules.definition import HALF, Rule
from rarelabels.judging.statistics import estimate
from rarelabels.learn.baselines import linear

TRAINING, SEEDS = 3000, 20
ROWS, STUDIES = (500, 2000), 200
LEARNERS = {"plain": (3.0, None), "weak": (0.5, None), "balanced": (3.0, "balanced")}
PAIRS = (("weak", "plain"), ("balanced", "plain"))
METRICS = (
    *("half/macro_f1", "half/micro_f1", "half/macro_recall", "half/subset_accuracy"),
    *("ranking/macro_average_precision", "ranking/lrap", "ranking/log_loss"),
)

Scores = Mapping[str, npt.NDArray[np.float64]]  # of each learner, (seeds, rows, labels)


@dataclass(frozen=True, eq=False)
class Population:
    """All films that no learner saw: labels, and the scores of each learner."""

    y: npt.NDArray[np.uint8]
    scores: Scores
    means: Mapping[str, Mapping[str, float]]

    def difference(self, pair: tuple[str, str], metric: str) -> float:
        """Return the known difference, mean over all seeds."""
        return self.means[pair[0]][metric] - self.means[pair[1]][metric]


def population() -> Population:
    """Train every learner with every seed, each on four fifths of the training films, and score all other films."""
    data = loading.load(MoviesSpec(kind="movies", labels=17), 0)
    order = np.random.default_rng(0).permutation(len(data.train.ids))
    known, fresh = data.train.take(order[:TRAINING]), data.train.take(order[TRAINING:])
    words = {name: Vocabulary.fit(tokens, min_rows=3, max_tokens=None) for name, tokens in known.text.items()}
    features = linear.tfidf(words, known.text)
    others = (fresh, data.validation, data.test)
    rows = sparse.vstack([linear.tfidf(words, part.text) for part in others], format="csr")
    y = np.concatenate([part.y for part in others])
    scores = {name: np.empty((SEEDS, *y.shape)) for name in LEARNERS}
    for name, (c, weight) in LEARNERS.items():
        for seed in range(SEEDS):
            chosen = np.random.default_rng(seed).permutation(TRAINING)[: TRAINING * 4 // 5]
            for label in range(y.shape[1]):
                model = LogisticRegression(C=c, class_weight=weight, solver="liblinear")
                model.fit(features[chosen], known.y[chosen, label])
                scores[name][seed, :, label] = model.predict_proba(rows)[:, 1]
    return Population(y, scores, {name: _means(y, of) for name, of in scores.items()})


def _means(y: npt.NDArray[np.uint8], scores: npt.NDArray[np.float64]) -> dict[str, float]:
    by_seed = [_measured(y, one) for one in scores]
    return {name: float(np.mean([values[name] for values in by_seed])) for name in by_seed[0]}


def _measured(y: npt.NDArray[np.uint8], scores: npt.NDArray[np.float64]) -> dict[str, float]:
    ranked = {f"ranking/{name}": value for name, value in metrics.ranking_metrics(y, scores).items()}
    return ranked | {f"half/{name}": value for name, value in metrics.decision_metrics(y, scores >= HALF).items()}


def samples(whole: Population, number: int, *, rows: int, seeds: int) -> Iterator[dict[str, MeasuredTrial]]:
    """Yield what a study would have measured of each learner: some rows, some seeds, the estimates of a summary."""
    rng = np.random.default_rng(1)
    half = {"half": Rule("half", np.full(whole.y.shape[1], HALF), fallbacks=0)}
    for _ in range(number):
        row, seed = rng.choice(len(whole.y), rows, replace=False), rng.choice(SEEDS, seeds, replace=False)
        measured = {}
        for name, scores in whole.scores.items():
            part = scores[seed][:, row]
            values = [_measured(whole.y[row], one) for one in part]
            parts = [judged_scores.Scores.from_arrays(whole.y[row], one) for one in part]
            found = estimate.estimates(parts, [half] * seeds, values)
            estimates = {f"test/{metric}": one for metric, one in found.items()}
            means = {metric: one.value for metric, one in estimates.items()}
            measured[name] = MeasuredTrial(tuple(range(seeds)), (), "sample", means, estimates)
        yield measured


def hypotheses(whole: Population, share: float) -> list[Hypothesis]:
    """Return claims whose margin is this share of the known difference: at 1 none can be told, at 0 all are true."""
    declared = []
    for pair in PAIRS:
        for metric in METRICS:
            known = whole.difference(pair, metric)
            declared.append(
                Hypothesis(
                    name=f"{pair[0]}_{metric.replace('/', '_')}",
                    claim="The difference is larger than this.",
                    source="the population",
                    trial=pair[0],
                    against=pair[1],
                    metric=f"test/{metric}",
                    direction="greater" if known > 0 else "less",
                    margin=share * abs(known),
                )
            )
    return declared


def judged(whole: Population, measured: Sequence[Mapping[str, MeasuredTrial]], share: float) -> list[list[Finding]]:
    """Return the findings of each sample."""
    declared = hypotheses(whole, share)
    return [compare_verdicts.decide(declared, one) for one in measured]


def main() -> None:
    """Print how often verdicts are false where nothing is to be told, and how often right where something is."""
    whole = population()
    for rows in ROWS:
        measured = list(samples(whole, STUDIES, rows=rows, seeds=5))
        null = judged(whole, measured, 1.0)
        some_false = np.mean([any(one.verdict != "undecided" for one in study) for study in null])
        print(f"\n{rows:,} rows, 5 seeds, {STUDIES} studies of {len(null[0])} hypotheses")
        print(f"  the margin being the difference: a false verdict in {some_false:.1%} of the studies (promised: 5 %)")
        for share in (0.5, 0.0):
            verdicts = [one for study in judged(whole, measured, share) for one in study]
            right, wrong = (np.mean([one.verdict == verdict for one in verdicts]) for verdict in ("upheld", "refuted"))
            print(f"  the margin being {share:.0%} of it: {right:.1%} upheld, {wrong:.1%} refuted", flush=True)


if __name__ == "__main__":
    main()
