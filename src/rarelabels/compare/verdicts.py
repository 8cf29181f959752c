"""Verdicts on the declared hypotheses, from paired differences with intervals at the level of Holm's procedure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np
import pandas as pd

from rarelabels.compare import competence, lateness, power
from rarelabels.compare.competence import Competence
from rarelabels.compare.measured_trials import MeasuredTrial
from rarelabels.declare.first_seen import NOTHING_SEEN, FirstSeen
from rarelabels.declare.study import ASKS_THE_READER, COMPETENCE_MARGIN, Hypothesis, Outcome
from rarelabels.judging.statistics.estimate import Estimate
from rarelabels.judging.statistics.reliability import few_seeds, is_by_label

Verdict = Literal["upheld", "refuted", "undecided"]
LEVEL = 0.95  # the level at which all verdicts of a study hold together
INTERVALS = (
    "The interval beside a difference is the one that decided. All verdicts of a study hold together at 95 % (Holm), "
    "not all its intervals. They are about other seeds, and other test rows from the same source, as many as here."
)
CLAIMED: Mapping[str, Outcome] = {"greater": "higher", "less": "lower", "equal": "equal"}  # outcome by direction


@dataclass(frozen=True)
class Finding:
    """A hypothesis and its verdict.

    Attributes:
        hypothesis: as it is declared now.
        verdict: also undecided if the difference could not be measured; ``reason`` says why.
        value: the difference, mean over seeds.
        low, high: its interval at ``level``, which decides the verdict.
        level: of the interval, so high that all verdicts of the study hold together.
        share_of_seeds: the share of the difference's variance that comes from the seeds, 0 to 1.
        visible: the difference that would have been told from 0 in 80 % of all studies like this one.
        needed: how many seeds or test rows would decide, in words; empty if the verdict is decided.
        unreliable: why the interval cannot be relied on; empty if it can.
        identical: whether both sides are the same in every row and seed.
        late: whether a run of either side was made, or looked at, before the hypothesis had its present form; see
            ``lateness.is_late``.
        provisional: whether declared seeds are missing, the same seeds on both sides.
        competence: of the better of its networks, if the hypothesis is about losses or weights.
        symptoms: symptoms of the trainings on both sides, each with the name of its trial.
        reason: why the difference could not be measured; empty if it was measured.
    """

    hypothesis: Hypothesis
    verdict: Verdict = "undecided"
    value: float = np.nan
    low: float = np.nan
    high: float = np.nan
    level: float = np.nan
    share_of_seeds: float = np.nan
    visible: float = np.nan
    needed: str = ""
    unreliable: str = ""
    identical: bool = False
    late: bool = False
    provisional: bool = False
    competence: Competence | None = None
    symptoms: tuple[str, ...] = ()
    reason: str = ""

    @property
    def behind_baseline(self) -> str:
        """How far the better of its networks lies behind a baseline, as a phrase.

        It is empty if the network keeps up, or if no network is judged.
        """
        return self.competence.behind if self.competence and self.competence.is_lacking else ""

    @property
    def outcome(self) -> Outcome:
        """The outcome of ``trial`` compared with ``against``: higher, lower, equal or undecided.

        A refuted claim of a difference may have the opposite outcome: if the whole interval lies on the other side of 0
        and reaches beyond the margin. Otherwise the outcome is ``equal``, because the claimed difference is not there.
        """
        direction, margin = self.hypothesis.direction, self.hypothesis.margin
        if self.verdict == "undecided":
            return "undecided"
        if self.verdict == "upheld":
            return CLAIMED[direction]
        if self.identical or (direction != "equal" and -margin <= self.low and self.high <= margin):
            return "equal"
        return "lower" if self.high < 0 else "higher" if self.low > 0 else "equal"

    def notes(self) -> list[str]:
        """Return the notes that a reader of the verdict must know."""
        marks = {"identical": self.identical, "late": self.late, "provisional": self.provisional}
        notes = [mark for mark, holds in marks.items() if holds]
        if self.behind_baseline:
            notes.append(f"no advice, for {self.behind_baseline}")
        if self.unreliable:
            notes.append(f"interval not reliable: {self.unreliable}")
        if self.needed:
            notes.append(f"{self.needed}; a difference of {self.visible:.3f} is seen in four of five such studies")
        return [*notes, *self.symptoms, *filter(None, [self.reason])]

    def advice(self) -> str:
        """Return the sentence of advice for the outcome; empty if the hypothesis gives no advice."""
        given = self.hypothesis.advice
        if given is None or self.reason or self.behind_baseline:
            return ""
        of_verdict = {"upheld": given.upheld, "refuted": given.refuted, "undecided": None}[self.verdict]
        text = getattr(given, self.outcome) or of_verdict
        if text is None:
            told = {"upheld": "Holds here", "refuted": "Does not hold here", "undecided": "Not decided here"}
            return f"{told[self.verdict]}: {self.hypothesis.claim}"
        turned_out = f"{self.hypothesis.trial} is {self.outcome}"
        return str(text).replace(ASKS_THE_READER, turned_out)


def metrics(declared: Sequence[Hypothesis]) -> set[str]:
    """Return the metrics whose estimates decide hypotheses and competence."""
    return {competence.RANKS, *(metric for one in declared for metric in _metrics(one))}


def decide(
    declared: Sequence[Hypothesis],
    measured: Mapping[str, MeasuredTrial],
    baselines: Sequence[str] = (),
    competence_margin: float = COMPETENCE_MARGIN,
    seen: FirstSeen = NOTHING_SEEN,
) -> list[Finding]:
    """Return the verdict on each hypothesis of a study, in their order.

    The difference is paired by test rows and seeds. The level of its interval follows Holm's step-down procedure. Of m
    hypotheses, the one that is most easily decided gets 1 − 0.05/m, the next 1 − 0.05/(m − 1), and so on until one is
    not decided. The rest get the level of that one. A hypothesis that could not be measured counts among the m. So a
    verdict does not become easier because other trials were not run.

    - greater by the margin: upheld if the interval lies above the margin, refuted if it lies below;
    - less by the margin: upheld if the interval lies below −margin, refuted if it lies above;
    - equal within the margin: upheld if the interval lies inside ±margin, refuted if it lies outside;
    - otherwise undecided. Identical sides are equal, and neither is greater or less.

    If both sides lack the same declared seeds, the verdict is on the other seeds, and is provisional.

    Args:
        declared: the hypotheses of one study.
        measured: the study's trials, by name.
        baselines: short names of the baselines that a network must keep up with.
        competence_margin: the difference by which a network may lie behind; see ``competence.judge``.
        seen: when the study's hypotheses and trials were first seen.

    Source: Holm (1979), "A simple sequentially rejective multiple test procedure".
    """
    findings, differences = [], {}
    for number, one in enumerate(declared):
        trial, against = measured.get(one.trial), measured.get(one.against)
        if trial is None or against is None:
            lacking = [name for name, side in ((one.trial, trial), (one.against, against)) if side is None]
            reason = f"not run: {', '.join(dict.fromkeys(lacking))}"
            findings.append(Finding(one, late=lateness.is_late(one, seen), reason=reason))
            continue
        reason = _not_paired(one, trial, against)
        if not reason:
            differences[number] = _difference(one, trial, against)
        judged = _competence(one, measured, baselines, competence_margin)
        provisional = not reason and bool(trial.missing or against.missing)
        suffering = {one.trial: trial.symptoms, one.against: against.symptoms}
        finding = Finding(
            one,
            late=lateness.is_late(one, seen),
            provisional=provisional,
            competence=judged,
            symptoms=tuple(f"{name} {symptom}" for name, found in suffering.items() for symptom in found),
            reason=reason,
        )
        findings.append(finding)
    left, stopped = len(declared), False
    for number in sorted(differences, key=lambda number: _p_value(declared[number], differences[number])):
        difference, level = differences[number], 1 - (1 - LEVEL) / left
        low, high = difference.interval(level)
        decide_by = partial(_verdict, declared[number], identical=difference.is_identical)
        verdict = decide_by(low, high)
        findings[number] = replace(
            findings[number],
            verdict=verdict,
            value=difference.value,
            low=low,
            high=high,
            level=level,
            share_of_seeds=difference.share_of_seeds,
            unreliable=_unreliable(declared[number], difference, measured),
            visible=power.visible(difference, level),
            needed=""
            if verdict != "undecided"
            else power.what_would_decide(difference, level, lambda *ends, by=decide_by: by(*ends) != "undecided"),
            identical=difference.is_identical,
        )
        stopped = stopped or verdict == "undecided"
        left -= not stopped
    return findings


def long(findings: Mapping[str, Sequence[Finding]]) -> pd.DataFrame:
    """Return a row for each finding of each study: the declared hypothesis, then its verdict."""
    rows = [
        {"study": study, **one.hypothesis.model_dump(exclude={"advice"}), **vars(one)}
        | {"gives_advice": bool(one.advice()), "symptoms": "; ".join(one.symptoms)}
        | {"behind_baseline": one.behind_baseline}
        for study, of in findings.items()
        for one in of
    ]
    return pd.DataFrame(rows).drop(columns=["hypothesis", "competence"], errors="ignore")


def _metrics(hypothesis: Hypothesis) -> tuple[str, str]:
    return hypothesis.metric, hypothesis.against_metric or hypothesis.metric


def _not_paired(hypothesis: Hypothesis, trial: MeasuredTrial, against: MeasuredTrial) -> str:
    """Return why two measured sides cannot be compared; empty if they can be compared."""
    both = {hypothesis.trial: trial, hypothesis.against: against}
    missing = [
        f"{name} seed{'s'[: len(side.missing) > 1]} {', '.join(map(str, side.missing))}"
        for name, side in both.items()
        if side.missing
    ]
    if trial.seeds != against.seeds and missing:
        return f"not run: {'; '.join(missing)}"
    if trial.seeds != against.seeds:
        told = (f"{name} {', '.join(map(str, side.seeds))}" for name, side in both.items())
        return f"other seeds: {'; '.join(told)}"
    if trial.test_part != against.test_part:
        return "other test rows"
    lacking = [
        f"{name} has no {metric} with an interval"
        for (name, side), metric in zip(both.items(), _metrics(hypothesis), strict=False)
        if metric not in side.estimates
    ]
    return "; ".join(lacking)


def _competence(
    hypothesis: Hypothesis, measured: Mapping[str, MeasuredTrial], baselines: Sequence[str], margin: float
) -> Competence | None:
    """Judge the better network of a hypothesis about losses or weights; return None for any other hypothesis.

    A hypothesis is about losses or weights if its advice says so; without such advice, if it compares two networks. A
    hypothesis that compares a network with a baseline is not judged, because it is itself about competence.
    """
    sides = list(dict.fromkeys([hypothesis.trial, hypothesis.against]))
    of_networks = [name for name in sides if measured[name].is_network]
    about = hypothesis.advice.about if hypothesis.advice else None
    concerned = about in ("loss", "weights") or (about is None and len(of_networks) > 1)
    if not concerned or any(competence.is_baseline(name, baselines) for name in sides):
        return None
    judged = [competence.judge(name, measured, baselines, margin) for name in of_networks]
    return max((one for one in judged if one), key=lambda one: one.value, default=None)


def _difference(hypothesis: Hypothesis, trial: MeasuredTrial, against: MeasuredTrial) -> Estimate:
    metric, other = _metrics(hypothesis)
    return trial.estimates[metric] - against.estimates[other]


def _unreliable(hypothesis: Hypothesis, difference: Estimate, measured: Mapping[str, MeasuredTrial]) -> str:
    """Return why the interval of a difference cannot be relied on; empty if it can, or if both sides are the same."""
    if difference.is_identical:
        return ""
    rare = measured[hypothesis.trial].rare_labels if any(map(is_by_label, _metrics(hypothesis))) else ""
    return "; ".join(filter(None, [rare, few_seeds(difference)]))


def _p_value(hypothesis: Hypothesis, difference: Estimate) -> float:
    """Return the p-value of the decision: the smallest p at which the interval contains no end of the margin."""
    margin = hypothesis.margin
    ends = {"greater": (margin,), "less": (-margin,), "equal": (-margin, margin)}[hypothesis.direction]
    return 0.0 if difference.is_identical else max(difference.p_value(end) for end in ends)


def _verdict(hypothesis: Hypothesis, low: float, high: float, *, identical: bool) -> Verdict:
    margin = hypothesis.margin
    if hypothesis.direction == "equal":
        inside, outside = identical or (low > -margin and high < margin), low > margin or high < -margin
    elif hypothesis.direction == "greater":
        inside, outside = low > margin, identical or high < margin
    else:
        inside, outside = high < -margin, identical or low > -margin
    return "upheld" if inside else "refuted" if outside else "undecided"
