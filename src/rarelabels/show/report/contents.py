"""What the report says of a study: numbers and figures of what is recorded, and what follows from the verdicts."""

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

PRICED = ("global", "per_label")  # against 0.5
VERSIONS = ("rarelabels", "tensorflow", "keras", "scikit_learn", "numpy")


@dataclass(frozen=True)
class Price:
    """What a rule finds and costs beside 0.5, labels pooled, mean over seeds: found positives and false alarms."""

    found: float
    false: float
    more_found: float | None = None
    more_false: float | None = None

    @property
    def each(self) -> float | None:
        """False alarms for each positive more; None where it is not that way round."""
        if self.more_found is None or self.more_false is None or self.more_found <= 0 or self.more_false <= 0:
            return None
        return self.more_false / self.more_found


@dataclass(frozen=True, eq=False)
class Part:
    """What was measured on the same test rows.

    Attributes:
        comparison: of the trials.
        rules: columns ``trial, rule, mean, low, high``: macro-F1, floors last.
        positives: of all labels on test.
        prices: by trial and rule, ``half`` among them.
        pictures: in their order.
    """

    comparison: Comparison
    rules: pd.DataFrame
    positives: int
    prices: Mapping[str, Mapping[str, Price]]
    pictures: Sequence[Picture]


@dataclass(frozen=True, eq=False)
class Contents:
    """All that the report says of a study.

    Attributes:
        name: of the study.
        study: as it is declared; None if there is no ``study.yaml``.
        findings: what became of its hypotheses.
        warnings: what a reader must know of its networks before any advice.
        winner: which trial to use, a sentence or two each.
        parts: what was measured, one for each set of test rows.
        versions: with which the runs were made, by library.
        days: of the first and of the last run.
        n_runs: that count.
    """

    name: str
    study: StudySpec | None
    findings: Sequence[Finding]
    parts: Sequence[Part]
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
    """Return what there is to say of a study.

    Args:
        client: of the record.
        name: of the study.
        stated: its ``study.yaml``.
        compared: its comparisons, each with a trial.
        findings: what became of its hypotheses.
        failures: takes a line for each figure that cannot be drawn.
        warnings: what a reader must know of its networks before any advice.
        winner: which trial to use.
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


def _part(client: Client, comparison: Comparison, study: Run | None, number: int, failures: list[str]) -> Part:
    labels = pictures.labels_of(client, comparison)
    first = next(iter(labels.values()))[0]
    prices = {name: _prices(tables) for name, tables in labels.items()}
    drawn = pictures.kept(client, study, number, comparison, labels, failures)
    return Part(comparison, by_rule(comparison), int(first["positives"].sum()), prices, drawn)


def _prices(tables: Sequence[pd.DataFrame]) -> dict[str, Price]:
    """Return what each rule finds and costs, where the trial has it."""

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
    """Return the value of each floor of each metric."""
    return {name: [comparison.floor(name, metric) for metric in metrics] for name in FLOORS}


def headline(comparison: Comparison) -> dict[str, str]:
    """Return the headline metrics that were measured, with what they are called."""
    return {
        metric: shown.replace("\n", " ")
        for metric, shown in HEADLINE.items()
        if any(metric in row.values.index for row in comparison.rows)
    }
