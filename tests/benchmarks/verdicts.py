"""How often verdicts are false, and how often they see what is there, on samples of which the truth is known.

The populations are those of ``coverage``: networks with 30 seeds on the films, whose thresholds were chosen on
validation. A study is a sample of the films and of the seeds, both with replacement. ``verdicts.decide`` judges
hypotheses on it as it does in a study. The known difference is the mean over all samples, since a test part of this
size is what a verdict is about. Where a hypothesis's margin is the known difference itself, every verdict but undecided
is false.

Run by ``make verdicts``, which prints how often; ``tests/whole/test_verdicts.py`` asserts it on a simulated population.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from benchmarks import coverage
from benchmarks.coverage import RANKING, RULES, Integers, Population
from rarelabels.compare import verdicts as compare_verdicts
from rarelabels.compare.measured_trials import MeasuredTrial
from rarelabels.compare.verdicts import Finding
from rarelabels.declare.study import Hypothesis

SIZES, STUDIES, SEEDS = (500, 2000), 200, 5
METRICS = (*(f"{rule}/macro_f1" for rule in RULES), "half/micro_f1", "global/micro_f1", "half/subset_accuracy", RANKING)
Study = Mapping[str, MeasuredTrial]  # what a sample has measured of each trial


def samples(whole: Population, number: int, *, seeds: int) -> list[Study]:
    """Return what studies would have measured of each trial: rows and seeds, both drawn with replacement."""
    rng, found = np.random.default_rng(1), []
    for _ in range(number):
        drawn = rng.integers(whole.n_groups, size=whole.size)
        of_seeds = rng.integers(coverage.SEEDS, size=seeds)
        found.append({trial: _measured(whole, trial, drawn, of_seeds) for trial in whole.scores})
    return found


def _measured(whole: Population, trial: str, drawn: Integers, seeds: Integers) -> MeasuredTrial:
    of_sample = coverage.estimates_of(whole, trial, drawn, seeds, METRICS)
    estimates = {f"test/{name}": one for name, one in of_sample.items()}
    means = {name: one.value for name, one in estimates.items()}
    return MeasuredTrial(tuple(range(len(seeds))), (), "sample", means, estimates)


def hypotheses(studies: Sequence[Study], share: float) -> list[Hypothesis]:
    """Return claims on every two trials, with this share of the known difference as the margin.

    At 1 none can be told, and at 0 all are true.
    """
    names, declared = list(studies[0]), []
    for a, b in ((a, b) for i, a in enumerate(names) for b in names[:i]):
        for metric in METRICS:
            known = float(np.mean([one[a].means[f"test/{metric}"] - one[b].means[f"test/{metric}"] for one in studies]))
            declared.append(
                Hypothesis(
                    name=f"{a}_{b}_{metric.replace('/', '_')}",
                    claim="The difference is larger than this.",
                    source="the population",
                    trial=a,
                    against=b,
                    metric=f"test/{metric}",
                    direction="greater" if known > 0 else "less",
                    margin=share * abs(known),
                )
            )
    return declared


def judged(studies: Sequence[Study], share: float) -> list[list[Finding]]:
    """Return the findings of each study."""
    declared = hypotheses(studies, share)
    return [compare_verdicts.decide(declared, one) for one in studies]


def main() -> None:
    """Print how often verdicts are false where nothing is to be told, and how often right where something is."""
    films = coverage.recorded("movies", coverage.FILMS, "films, networks")
    for size in SIZES:
        studies = samples(replace(films, size=size), STUDIES, seeds=SEEDS)
        null = judged(studies, 1.0)
        some_false = np.mean([any(one.verdict != "undecided" for one in study) for study in null])
        error = np.sqrt(0.05 * 0.95 / STUDIES)
        print(f"\n{size:,} rows, {SEEDS} seeds, {STUDIES} studies of {len(null[0])} hypotheses")
        print(
            f"  the margin being the difference: a false verdict in {some_false:.1%} of the studies (promised: 5 %; "
            f"± {error:.1%}, one standard error)"
        )
        for share in (0.5, 0.0):
            found = [one for study in judged(studies, share) for one in study]
            right, wrong = (np.mean([one.verdict == verdict for one in found]) for verdict in ("upheld", "refuted"))
            print(f"  the margin being {share:.0%} of it: {right:.1%} upheld, {wrong:.1%} refuted", flush=True)


if __name__ == "__main__":
    main()
