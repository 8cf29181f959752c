"""What became of the declared hypotheses: paired differences, with intervals at the level that Holm asks for."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from rarelabels.compare import competence
from rarelabels.compare.competence import Competence
from rarelabels.compare.measured_trials import MeasuredTrial
from rarelabels.declare.study import ASKS_THE_READER, COMPETENCE_MARGIN, Hypothesis, Outcome
from rarelabels.judging.arrays import Floats
from rarelabels.judging.statistics import inference

Verdict = Literal["upheld", "refuted", "undecided"]
LEVEL = 0.95  # at which all verdicts of a study hold together
CLAIMED: Mapping[str, Outcome] = {"greater": "higher", "less": "lower", "equal": "equal"}  # by direction


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
        provisional: whether declared seeds are missing, the same ones on both sides.
        competence: of the better of its networks, where it is about losses or weights.
        symptoms: what the trainings of its sides suffer from, by trial.
    """

    hypothesis: Hypothesis
    verdict: Verdict = "undecided"
    value: float = np.nan
    low: float = np.nan
    high: float = np.nan
    level: float = np.nan
    identical: bool = False
    late: bool = False
    provisional: bool = False
    competence: Competence | None = None
    symptoms: tuple[str, ...] = ()
    reason: str = ""

    @property
    def behind_baseline(self) -> str:
        """By how much the better of its networks lies behind a baseline; empty where it keeps up, or none is judged."""
        return self.competence.behind if self.competence and self.competence.is_lacking else ""

    @property
    def outcome(self) -> Outcome:
        """How ``trial`` turned out beside ``against``.

        A refuted claim of a difference turns out the other way round if the whole interval lies on that side of 0 and
        reaches beyond the margin. Else it turns out ``equal``: the difference that was claimed is not there.
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
        """Return what a reader must know of the verdict."""
        marks = {"identical": self.identical, "late": self.late, "provisional": self.provisional}
        notes = [mark for mark, holds in marks.items() if holds]
        if self.behind_baseline:
            notes.append(f"no advice, for {self.behind_baseline}")
        return [*notes, *self.symptoms, *([self.reason] if self.reason else [])]

    def advice(self) -> str:
        """Return the sentence of advice for how it turned out; empty where it gives none."""
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


def digest(hypothesis: Hypothesis) -> str:
    """Return what tells whether a hypothesis claims what it did when a run was made, however it is worded."""
    claimed = hypothesis.model_dump_json(exclude={"claim", "source", "after_a_look", "advice"})
    return hashlib.sha256(claimed.encode()).hexdigest()[:12]


def metrics(declared: Sequence[Hypothesis]) -> set[str]:
    """Return the metrics whose replicates decide hypotheses and competence."""
    return {competence.RANKS, *(metric for one in declared for metric in _metrics(one))}


def decide(
    declared: Sequence[Hypothesis],
    measured: Mapping[str, MeasuredTrial],
    baselines: Sequence[str] = (),
    competence_margin: float = COMPETENCE_MARGIN,
) -> list[Finding]:
    """Return what became of each hypothesis of a study, in their order.

    The difference is paired by test rows and seeds. Its interval is at the level that Holm's step-down asks for: of m
    hypotheses the one that is most easily decided gets 1 − 0.05/m, the next 1 − 0.05/(m − 1), and so on until one is
    not decided; the rest get the level of that one. What could not be measured counts among the m, so that no verdict
    is easier for what was not run.

    - greater (less) by the margin: upheld where the interval lies above it (below −margin), refuted on its other side;
    - equal within the margin: upheld where the interval lies inside ±margin, refuted where it lies outside;
    - else undecided. Identical sides are equal, and neither is greater nor less.

    With declared seeds missing, the same on both sides, it is decided on those that are there, and provisional.

    Args:
        declared: of one study.
        measured: its trials, by name.
        baselines: short names of the trials that a network must keep up with.
        competence_margin: by which it may lie behind; see ``competence.judge``.

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
        judged = _competence(one, measured, baselines, competence_margin)
        provisional = not reason and bool(trial.missing or against.missing)
        suffering = {one.trial: trial.symptoms, one.against: against.symptoms}
        finding = Finding(
            one,
            late=changed or one.after_a_look,
            provisional=provisional,
            competence=judged,
            symptoms=tuple(f"{name} {symptom}" for name, found in suffering.items() for symptom in found),
            reason=reason,
        )
        findings.append(finding)
    left, stopped = len(declared), False
    for number in sorted(differences, key=lambda number: _p_value(declared[number], differences[number])):
        value, drawn = differences[number]
        level = 1 - (1 - LEVEL) / left
        low, high = inference.interval(drawn, level)
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
        | {"gives_advice": bool(one.advice()), "symptoms": "; ".join(one.symptoms)}
        | {"behind_baseline": one.behind_baseline}
        for study, of in findings.items()
        for one in of
    ]
    return pd.DataFrame(rows).drop(columns=["hypothesis", "competence"], errors="ignore")


def _metrics(hypothesis: Hypothesis) -> tuple[str, str]:
    return hypothesis.metric, hypothesis.against_metric or hypothesis.metric


def _not_paired(hypothesis: Hypothesis, trial: MeasuredTrial, against: MeasuredTrial) -> str:
    """Say why two sides that were measured cannot be compared; empty where they can."""
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
        if metric not in side.replicates
    ]
    return "; ".join(lacking)


def _competence(
    hypothesis: Hypothesis, measured: Mapping[str, MeasuredTrial], baselines: Sequence[str], margin: float
) -> Competence | None:
    """Judge the better network of a hypothesis about losses or weights; None of any other.

    It is about them if its advice says so, or else if it compares two networks. What compares a network with a baseline
    is about neither: it is the question of competence itself.
    """
    sides = list(dict.fromkeys([hypothesis.trial, hypothesis.against]))
    of_networks = [name for name in sides if measured[name].is_network]
    about = hypothesis.advice.about if hypothesis.advice else None
    concerned = about in ("loss", "weights") or (about is None and len(of_networks) > 1)
    if not concerned or any(competence.is_baseline(name, baselines) for name in sides):
        return None
    judged = [competence.judge(name, measured, baselines, margin) for name in of_networks]
    return max((one for one in judged if one), key=lambda one: one.value, default=None)


def _difference(hypothesis: Hypothesis, trial: MeasuredTrial, against: MeasuredTrial) -> tuple[float, Floats]:
    metric, other = _metrics(hypothesis)
    value = trial.means[metric] - against.means[other]
    drawn = inference.differences(value, trial.replicates[metric], against.replicates[other])
    return value, drawn


def _identical(drawn: Floats) -> bool:
    return not drawn.any()


def _p_value(hypothesis: Hypothesis, drawn: tuple[float, Floats]) -> float:
    """Return the smallest p at which the interval leaves out what it must to decide: every end of the margin."""
    margin = hypothesis.margin
    ends = {"greater": (margin,), "less": (-margin,), "equal": (-margin, margin)}[hypothesis.direction]
    return 0.0 if _identical(drawn[1]) else max(inference.p_value(drawn[1] - end) for end in ends)


def _verdict(hypothesis: Hypothesis, low: float, high: float, identical: bool) -> Verdict:
    margin = hypothesis.margin
    if hypothesis.direction == "equal":
        inside, outside = identical or (low > -margin and high < margin), low > margin or high < -margin
    elif hypothesis.direction == "greater":
        inside, outside = low > margin, identical or high < margin
    else:
        inside, outside = high < -margin, identical or low > -margin
    return "upheld" if inside else "refuted" if outside else "undecided"
