"""The contents of the report on a study: recorded numbers, figures, verdicts and advice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean

import pandas as pd

from rarelabels.compare.comparison import FLOORS, HEADLINE, Comparison, by_rule
from rarelabels.compare.verdicts import Finding
from rarelabels.declare.study import StudySpec
from rarelabels.record import opening
from rarelabels.record.client import Client
from rarelabels.record.entities import Run
from rarelabels.show.report import pictures
from rarelabels.show.report.pictures import Picture

PRICED = ("global", "per_label")  # the rules that are compared with 0.5
VERSIONS = ("rarelabels", "tensorflow", "keras", "scikit_learn", "numpy")


@dataclass(frozen=True)
class Price:
    """Found positives and false alarms of a rule, labels pooled, mean over seeds.

    Attributes:
        found: the positives that the rule finds.
        false: its false alarms.
        more_found: how many more positives than 0.5 it finds; None for 0.5 itself.
        more_false: how many more false alarms than 0.5 it has; None for 0.5 itself.
    """

    found: float
    false: float
    more_found: float | None = None
    more_false: float | None = None

    @property
    def each(self) -> float | None:
        """Additional false alarms for each additional positive; None unless the rule has more of both."""
        if self.more_found is None or self.more_false is None or self.more_found <= 0 or self.more_false <= 0:
            return None
        return self.more_false / self.more_found


@dataclass(frozen=True, eq=False)
class ReportPart:
    """The results of all trials with the same test rows.

    Attributes:
        comparison: of the trials.
        rules: macro-F1 by trial and rule, floors last; columns ``trial, rule, mean, low, high``.
        positives: the number of positives on test, over all labels.
        prices: by trial and rule, including ``half``.
        pictures: in the order of the page.
    """

    comparison: Comparison
    rules: pd.DataFrame
    positives: int
    prices: Mapping[str, Mapping[str, Price]]
    pictures: Sequence[Picture]


@dataclass(frozen=True, eq=False)
class Contents:
    """The contents of the report on a study.

    Attributes:
        name: of the study.
        study: as it is declared; None if there is no ``study.yaml``.
        findings: the verdicts on its hypotheses.
        warnings: what a reader must know about its networks before any advice.
        winner: lines on which trial to use.
        parts: the results, one part for each set of test rows.
        versions: the versions of each library with which the runs were made.
        days: of the first and of the last run.
        n_runs: the number of runs that count.
    """

    name: str
    study: StudySpec | None
    findings: Sequence[Finding]
    parts: Sequence[ReportPart]
    versions: Mapping[str, Sequence[str]] = field(default_factory=dict)
    days: tuple[str, str] = ("", "")
    n_runs: int = 0
    warnings: Sequence[str] = ()
    winner: Sequence[str] = ()


def gather(
    client: Client,
    name: str,
    stated: StudySpec | None,
    compared: Sequence[Comparison],
    findings: Sequence[Finding],
    failures: list[str],
    warnings: Sequence[str] = (),
    winner: Sequence[str] = (),
) -> Contents:
    """Return the contents of the report on a study.

    Args:
        client: of the record.
        name: of the study.
        stated: its ``study.yaml``; None if there is none.
        compared: its comparisons, each with at least one trial.
        findings: the verdicts on its hypotheses.
        failures: gets a line for each figure that cannot be drawn.
        warnings: what a reader must know about its networks before any advice.
        winner: lines on which trial to use.
    """
    study = opening.study_run(client, name)
    runs = [run for one in compared for row in one.rows for run in row.runs]
    versions = {
        library: sorted({run.data.tags[library] for run in runs if library in run.data.tags}) for library in VERSIONS
    }
    ended = [pd.Timestamp(run.info.end_time or 0, unit="ms").strftime("%Y-%m-%d") for run in runs]
    return Contents(
        name,
        stated,
        findings,
        [_part(client, one, study, number, failures) for number, one in enumerate(compared)],
        {library: found for library, found in versions.items() if found},
        (min(ended), max(ended)),
        len(runs),
        warnings,
        winner,
    )


def _part(client: Client, comparison: Comparison, study: Run | None, number: int, failures: list[str]) -> ReportPart:
    labels = pictures.labels_of(client, comparison)
    first = next(iter(labels.values()))[0]
    prices = {name: _prices(tables) for name, tables in labels.items()}
    drawn = pictures.kept(client, study, number, comparison, labels, failures)
    return ReportPart(comparison, by_rule(comparison), int(first["positives"].sum()), prices, drawn)


def _prices(tables: Sequence[pd.DataFrame]) -> dict[str, Price]:
    """Return the price of each rule that the trial has."""

    def total(rule: str, cell: str) -> float:
        return fmean(float(table[f"{rule}/{cell}"].sum()) for table in tables)

    if "half/tp" not in tables[0]:
        return {}
    found, false = total("half", "tp"), total("half", "fp")
    prices = {"half": Price(found, false)}
    for rule in [rule for rule in PRICED if f"{rule}/tp" in tables[0]]:
        own_found, own_false = total(rule, "tp"), total(rule, "fp")
        prices[rule] = Price(own_found, own_false, own_found - found, own_false - false)
    return prices


def floor_rows(comparison: Comparison, metrics: Sequence[str]) -> dict[str, list[float | None]]:
    """Return the values of each floor, in the order of ``metrics``; None where a floor has no value."""
    return {name: [comparison.floor(name, metric) for metric in metrics] for name in FLOORS}


def headline(comparison: Comparison) -> dict[str, str]:
    """Return the headline metrics that were measured, with their names for readers."""
    return {
        metric: shown.replace("\n", " ")
        for metric, shown in HEADLINE.items()
        if any(metric in row.values.index for row in comparison.rows)
    }
