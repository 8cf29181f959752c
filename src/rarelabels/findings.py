"""What became of the declared hypotheses: paired differences, with intervals at the level that Holm asks for."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from rarelabels import results, statistics
from rarelabels.schema import Hypothesis
from rarelabels.sweeps import Floats
from rarelabels.tracking import HYPOTHESIS, Client, ParentKey, Run, parent_key

Verdict = Literal["upheld", "refuted", "undecided"]
LEVEL = 0.95  # at which all verdicts of a study hold together


@dataclass(frozen=True, eq=False)
class Side:
    """A trial as it was measured.

    Attributes:
        seeds: those it was run with; ``missing`` are declared and not run.
        test_part: digest of the test rows; only sides with the same rows and seeds are paired.
        means: each metric, mean over seeds.
        replicates: a column per metric, a row per draw.
        known: of each run, the digest of each hypothesis as it was declared when the run was made, by name.
    """

    seeds: tuple[int, ...]
    missing: tuple[int, ...]
    test_part: str
    means: Mapping[str, float]
    replicates: pd.DataFrame
    known: Sequence[Mapping[str, str]] = ()


@dataclass(frozen=True)
class Finding:
    """A hypothesis and what became of it.

    Attributes:
        hypothesis: as it is declared now.
        verdict: undecided also where there is nothing to decide by; ``reason`` says why.
        value: the difference, mean over seeds.
        low, high: its interval at ``level``, which decides the verdict.
        level: so high that all verdicts of the study hold together.
        identical: whether both sides are the same in every draw.
        late: whether a run of either side was made, or looked at, before the hypothesis stood as it does now.
    """

    hypothesis: Hypothesis
    verdict: Verdict = "undecided"
    value: float = np.nan
    low: float = np.nan
    high: float = np.nan
    level: float = np.nan
    identical: bool = False
    late: bool = False
    reason: str = ""


def digest(hypothesis: Hypothesis) -> str:
    """Return what tells whether a hypothesis claims what it did when a run was made, however it is worded."""
    claimed = hypothesis.model_dump_json(exclude={"claim", "source", "after_a_look", "advice"})
    return hashlib.sha256(claimed.encode()).hexdigest()[:12]


def sides(
    client: Client,
    runs: Sequence[Run],
    names: Mapping[ParentKey, str],
    seeds: Mapping[str, Sequence[int]],
    declared: Sequence[Hypothesis],
) -> dict[str, Side]:
    """Return the trials that were measured, by name.

    Args:
        client: of the record.
        runs: all runs of the study.
        names: the parents that count, with what hypotheses call them.
        seeds: those that are declared, by name; of a name that is not there, those it was run with.
        declared: the hypotheses, whose metrics alone are read of the replicates.
    """
    metrics = {metric for one in declared for metric in _metrics(one)}
    made, found = results.below(list(runs)), {}
    for run in runs:
        tags = run.data.tags
        if tags.get("kind") != "trial" or "summed_up" not in tags or (name := names.get(parent_key(run))) is None:
            continue
        table = results.summary(client, run)
        done = tuple(int(seed) for seed in tags["seeds"].split())
        known = [
            {key.removeprefix(HYPOTHESIS): text for key, text in one.data.tags.items() if key.startswith(HYPOTHESIS)}
            for one in made.get(parent_key(run), [])
        ]
        found[name] = Side(
            done,
            tuple(sorted(set(seeds.get(name, done)) - set(done))),
            tags["test_part"],
            dict(zip(table["metric"], table["mean"], strict=True)),
            results.replicates(client, run, metrics),
            known,
        )
    return found


def decide(declared: Sequence[Hypothesis], measured: Mapping[str, Side]) -> list[Finding]:
    """Return what became of each hypothesis of a study, in their order.

    The difference is paired by test rows and seeds. Its interval is at the level that Holm's step-down asks for: of m
    hypotheses the one that is most easily decided gets 1 − 0.05/m, the next 1 − 0.05/(m − 1), and so on until one is
    not decided; the rest get the level of that one. What could not be measured counts among the m, so that no verdict
    is easier for what was not run.

    - greater (less) by the margin: upheld where the interval lies above it (below −margin), refuted on its other side;
    - equal within the margin: upheld where the interval lies inside ±margin, refuted where it lies outside;
    - else undecided. Identical sides are equal, and neither is greater nor less.

    Args:
        declared: of one study.
        measured: its trials, by name.

    Source: Holm (1979), "A simple sequentially rejective multiple test procedure".
    """
    findings, differences = [], {}
    for number, one in enumerate(declared):
        trial, against = measured.get(one.trial), measured.get(one.against)
        if trial is None or against is None:
            lacking = [name for name, side in ((one.trial, trial), (one.against, against)) if side is None]
            reason = f"not run: {', '.join(dict.fromkeys(lacking))}"
            findings.append(Finding(one, late=one.after_a_look, reason=reason))
            continue
        changed = any(known.get(one.name) != digest(one) for side in (trial, against) for known in side.known)
        reason = _not_paired(one, trial, against)
        if not reason:
            differences[number] = _difference(one, trial, against)
        findings.append(Finding(one, late=changed or one.after_a_look, reason=reason))
    left, stopped = len(declared), False
    for number in sorted(differences, key=lambda number: _p_value(declared[number], differences[number])):
        value, drawn = differences[number]
        level = 1 - (1 - LEVEL) / left
        low, high = statistics.interval(drawn, level)
        identical = _identical(drawn)
        verdict = _verdict(declared[number], low, high, identical)
        findings[number] = replace(
            findings[number], verdict=verdict, value=value, low=low, high=high, level=level, identical=identical
        )
        stopped = stopped or verdict == "undecided"
        left -= not stopped
    return findings


def long(findings: Mapping[str, Sequence[Finding]]) -> pd.DataFrame:
    """Return a row for each finding of each study: what was declared, then what became of it."""
    rows = [
        {"study": study, **one.hypothesis.model_dump(exclude={"advice"}), **vars(one)}
        for study, of in findings.items()
        for one in of
    ]
    return pd.DataFrame(rows).drop(columns="hypothesis", errors="ignore")


def _metrics(hypothesis: Hypothesis) -> tuple[str, str]:
    return hypothesis.metric, hypothesis.against_metric or hypothesis.metric


def _not_paired(hypothesis: Hypothesis, trial: Side, against: Side) -> str:
    """Say why two sides that were measured cannot be compared; empty where they can."""
    both = {hypothesis.trial: trial, hypothesis.against: against}
    missing = [
        f"{name} seed{'s'[: len(side.missing) > 1]} {', '.join(map(str, side.missing))}"
        for name, side in both.items()
        if side.missing
    ]
    if missing:
        return f"not run: {'; '.join(missing)}"
    if trial.seeds != against.seeds:
        told = (f"{name} {', '.join(map(str, side.seeds))}" for name, side in both.items())
        return f"other seeds: {'; '.join(told)}"
    if trial.test_part != against.test_part:
        return "other test rows"
    lacking = [
        f"{name} has no {metric} with an interval"
        for (name, side), metric in zip(both.items(), _metrics(hypothesis), strict=False)
        if metric not in side.replicates
    ]
    return "; ".join(lacking)


def _difference(hypothesis: Hypothesis, trial: Side, against: Side) -> tuple[float, Floats]:
    metric, other = _metrics(hypothesis)
    value = trial.means[metric] - against.means[other]
    drawn = statistics.differences(value, trial.replicates[metric], against.replicates[other])
    return value, drawn


def _identical(drawn: Floats) -> bool:
    return not drawn.any()


def _p_value(hypothesis: Hypothesis, drawn: tuple[float, Floats]) -> float:
    """Return the smallest p at which the interval leaves out what it must to decide: every end of the margin."""
    margin = hypothesis.margin
    ends = {"greater": (margin,), "less": (-margin,), "equal": (-margin, margin)}[hypothesis.direction]
    return 0.0 if _identical(drawn[1]) else max(statistics.p_value(drawn[1] - end) for end in ends)


def _verdict(hypothesis: Hypothesis, low: float, high: float, identical: bool) -> Verdict:
    margin = hypothesis.margin
    if hypothesis.direction == "equal":
        inside, outside = identical or (low > -margin and high < margin), low > margin or high < -margin
    elif hypothesis.direction == "greater":
        inside, outside = low > margin, identical or high < margin
    else:
        inside, outside = high < -margin, identical or low > -margin
    return "upheld" if inside else "refuted" if outside else "undecided"
