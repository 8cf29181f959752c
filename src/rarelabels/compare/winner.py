"""Sentences about the trial that ``rarelabels best`` would choose: its result, its ties, and its thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
import numpy.typing as npt

from rarelabels.compare import competence, symptoms
from rarelabels.compare.ranking import Ranked, Ranking
from rarelabels.compare.written import signed
from rarelabels.judging.metrics.table import BY_NAME as METRICS
from rarelabels.judging.rules.table import BY_NAME as RULES
from rarelabels.record import estimates, reading
from rarelabels.record.client import Client
from rarelabels.record.entities import Run
from rarelabels.record.identities import parent_key

# The bins of labels by their positives on validation; these are the lower ends.
BINS = (1, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)
OWN, COMMON = "test/per_label/macro_f1", "test/global/macro_f1"


@dataclass(frozen=True)
class Gain:
    """The gain in macro-F1 on test of a threshold per label over one global threshold, with the same scores.

    Attributes:
        value: the difference, mean over seeds.
        low, high: its paired 95 % interval.
        least: labels with at least so many positives on validation gain; None if there is no such number.
    """

    value: float
    low: float
    high: float
    least: int | None


def lines(client: Client, runs: Sequence[Run], ranking: Ranking, baselines: Sequence[str]) -> list[str]:
    """Return lines about the winner of a study, each of one or a few sentences; empty if no trial is ranked.

    Args:
        client: of the record.
        runs: all runs of the study.
        ranking: of the study's trials.
        baselines: the short names of the baselines.
    """
    if not ranking.ranked:
        return []
    first = ranking.ranked[0]
    parent = next((run for run in runs if _is_parent(run, first)), None)
    tied = cheapest_first([one for one in ranking.ranked[1:] if one.tied], baselines, runs)
    gain = _gain(client, parent, first) if parent else None
    return [
        chosen(ranking, first),
        *told_apart(ranking, tied),
        *(about_thresholds(gain) if gain else []),
        *(f"{first.name}: {symptom}." for symptom in (symptoms.recorded(parent) if parent else ())),
    ]


def chosen(ranking: Ranking, first: Ranked) -> str:
    """Return the line that says which trial to use with which rule, and its result."""
    by = ranking.chosen
    interval = "" if np.isnan(first.low) else f" ({first.low:.3f} to {first.high:.3f})"
    reached = "" if np.isnan(first.test) else f": {METRICS[by.metric].words} {first.test:.3f}{interval} on test"
    searched = " (it was searched on these rows)" if first.is_searched else ""
    rule = RULES[by.deployed_rule].words
    missing = ", ".join(map(str, ranking.lacking))
    provisional = f" Provisional: seed{'s' if len(ranking.lacking) > 1 else ''} {missing} not run." if missing else ""
    first_by = f"It is first on validation: {by.recorded} {first.value:.3f}{searched}."
    return f"Use {first.name} with {rule}{reached}. {first_by}{provisional}"


def told_apart(ranking: Ranking, tied: Sequence[Ranked]) -> list[str]:
    """Return a line on the trials that cannot be told from the winner on test."""
    if len(ranking.ranked) < 2:
        return ["No other trial is ranked."]
    if np.isnan(ranking.ranked[0].low):
        return ["What cannot be told from it is not known: it was summed up over other seeds."]
    if not tied:
        return ["All other trials can be told from it on test."]
    named = ", ".join(f"{one.name} ({one.test:.3f})" for one in tied)
    return [f"It cannot be told from these on test, the cheapest first: {named}."]


def cheapest_first(tied: Sequence[Ranked], baselines: Sequence[str], runs: Sequence[Run]) -> list[Ranked]:
    """Sort trials: baselines first, then networks and what was trained elsewhere; each by the time that it took."""
    by_id = {run.info.run_id: run for run in runs}

    def seconds(one: Ranked) -> float:
        made = [by_id.get(run.data.tags.get("trained_by", ""), run) for run in one.runs]
        return fmean((run.info.end_time or 0) - run.info.start_time for run in made)

    return sorted(
        tied,
        key=lambda one: (
            (one.trial.is_network or one.trial.is_scored_elsewhere) and not competence.is_baseline(one.name, baselines),
            seconds(one),
            one.name,
        ),
    )


def about_thresholds(gain: Gain) -> list[str]:
    """Return lines that say whether a threshold per label is better than a global one, and for which labels."""
    interval = f"macro-F1 {signed(gain.value)} ({signed(gain.low)} to {signed(gain.high)}) on test"
    if gain.low > 0:
        told = f"For it a threshold for each label is better than one for all: {interval}."
    elif gain.high < 0:
        told = f"For it a threshold for each label is worse than one for all: {interval}; use one for all."
    else:
        told = f"For it a threshold for each label cannot be told from one for all: {interval}."
    if gain.least is None:
        return [told, "Labels do not gain by a threshold of their own, however many positives they have on validation."]
    return [told, f"Labels with {gain.least:,} positives on validation, or more, gain by a threshold of their own."]


def gains_from(positives: npt.NDArray[np.int64], gained: npt.NDArray[np.float64]) -> int | None:
    """Return the number of positives from which on labels gain; None if there is no such number.

    It is the lower end of a bin. In this bin and in all higher bins, labels gain on average. Example: labels with 3,
    12, 15 and 40 positives gain 0.1, −0.2, 0.1 and 0.1. So the bins from 1, 10 and 20 gain 0.1, −0.05 and 0.1, and
    labels gain from 20 positives on.

    Args:
        positives: of each label on validation, (n,).
        gained: F1 of each label with its own threshold minus its F1 with the global threshold, (n,).
    """
    least = None
    bins = np.searchsorted(BINS, positives, side="right") - 1
    for number in sorted(set(bins[bins >= 0].tolist()), reverse=True):
        if gained[bins == number].mean() <= 0:
            break
        least = BINS[number]
    return least


def _is_parent(run: Run, one: Ranked) -> bool:
    return run.data.tags.get("kind") == "trial" and parent_key(run) == parent_key(one.runs[0])


def _gain(client: Client, parent: Run, one: Ranked) -> Gain | None:
    found = estimates.of_trial(client, parent, one.runs, [OWN, COMMON])
    if not {OWN, COMMON} <= set(found):
        return None
    gain = found[OWN] - found[COMMON]
    low, high = gain.interval()
    positives, gained = zip(*(_by_label(client, run) for run in one.runs), strict=True)
    return Gain(gain.value, low, high, gains_from(np.concatenate(positives), np.concatenate(gained)))


def _by_label(client: Client, run: Run) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return the positives on validation and the gain of each label that has a positive on test; two arrays, (n,).

    The gain is F1 with the label's own threshold minus F1 with the global threshold.
    """
    table = reading.per_label(client, run.info.run_id)
    positives = reading.scores(client, run.info.run_id, "validation").y.sum(axis=0, dtype=np.int64)
    gained = (table["per_label/f1"] - table["global/f1"]).to_numpy(np.float64)
    is_measured = table["positives"].to_numpy() > 0
    return positives[is_measured], gained[is_measured]
