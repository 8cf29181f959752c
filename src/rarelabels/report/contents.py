"""What the report says of a study: numbers and figures of what is recorded, and what follows from the verdicts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean

import pandas as pd
from matplotlib.figure import Figure

from rarelabels import plots, results
from rarelabels.comparison import FLOORS, HEADLINE, Comparison, Row, by_rule
from rarelabels.findings import Finding
from rarelabels.report import figures
from rarelabels.schema import Study
from rarelabels.tracking import Client, Run

PRICED = ("global", "per_label")  # against 0.5
VERSIONS = ("rarelabels", "tensorflow", "keras", "scikit_learn", "numpy")


@dataclass(frozen=True, eq=False)
class Picture:
    """A figure, with what it shows in a caption and in words for who cannot see it."""

    name: str
    title: str
    caption: str
    alt: str
    figure: Figure


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
        parts: what was measured, one for each set of test rows.
        versions: with which the runs were made, by library.
        days: of the first and of the last run.
        n_runs: that count.
    """

    name: str
    study: Study | None
    findings: Sequence[Finding]
    parts: Sequence[Part]
    versions: Mapping[str, Sequence[str]] = field(default_factory=dict)
    days: tuple[str, str] = ("", "")
    n_runs: int = 0


def gather(
    client: Client, name: str, stated: Study | None, compared: Sequence[Comparison], findings: Sequence[Finding]
) -> Contents:
    """Return what there is to say of a study.

    Args:
        client: of the record.
        name: of the study.
        stated: its ``study.yaml``.
        compared: its comparisons, each with a trial.
        findings: what became of its hypotheses.
    """
    runs = [run for one in compared for row in one.rows for run in row.runs]
    versions = {
        library: sorted({run.data.tags[library] for run in runs if library in run.data.tags}) for library in VERSIONS
    }
    ended = [pd.Timestamp(run.info.end_time or 0, unit="ms").strftime("%Y-%m-%d") for run in runs]
    return Contents(
        name,
        stated,
        findings,
        [_part(client, one) for one in compared],
        {library: found for library, found in versions.items() if found},
        (min(ended), max(ended)),
        len(runs),
    )


def _part(client: Client, comparison: Comparison) -> Part:
    labels = {row.name: _labels(client, row.runs) for row in comparison.rows}
    first = next(iter(labels.values()))[0]
    prices = {name: _prices(tables) for name, tables in labels.items()}
    pictures = list(_pictures(client, comparison, labels))
    return Part(comparison, by_rule(comparison), int(first["positives"].sum()), prices, pictures)


def _labels(client: Client, runs: Sequence[Run]) -> list[pd.DataFrame]:
    return [results.per_label(client, run.info.run_id) for run in runs]


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


def _pictures(
    client: Client, comparison: Comparison, labels: Mapping[str, Sequence[pd.DataFrame]]
) -> Iterator[Picture]:
    n = len(comparison.rows)
    best = comparison.rows[0]
    ranking = "test/ranking/macro_average_precision"
    yield Picture(
        "comparison",
        "Macro-F1 under each rule, and ranking",
        "Mean over seeds and 95 % interval over seeds and test rows; dashed: the best of the floors at 0.5.",
        f"Dots with intervals for {n} trials: macro-F1 on test at 0.5, with one threshold, with one for each label and "
        f"at the bound; beside it macro average precision, highest for {best.name} with {best.mean(ranking):.3f}.",
        plots.comparison(comparison.long(), comparison.best_floors(), ""),
    )
    curves = {row.name: results.curves(client, [run.info.run_id for run in row.runs]) for row in comparison.rows}
    curves = {name: of for name, of in curves.items() if len(of)}
    if curves:
        kept = {row.name: _kept(client, row) for row in comparison.rows}
        yield Picture(
            "learning_curves",
            "Learning curves",
            "Loss of training and validation: mean over seeds, the band from the lowest to the highest. "
            "Losses have other scales, so the axes differ.",
            f"A panel for each of {len(curves)} trained trials: training and validation loss by epoch.",
            figures.learning_curves(curves, kept),
        )
        yield Picture(
            "ranking_curves",
            "The metric that keeps an epoch",
            "Macro average precision on validation after each epoch: mean over seeds with its band, the other trials "
            "in grey.",
            f"A panel for each of {len(curves)} trained trials: macro average precision on validation by epoch.",
            figures.ranking_curves(curves, kept),
        )
    drawn = {
        row.name: figures.Curves.of([results.scores(client, run.info.run_id, "test") for run in row.runs])
        for row in comparison.rows
    }
    yield Picture(
        "precision_recall",
        "Precision and recall",
        "All labels pooled, on test; precision of the highest threshold that reaches a recall; band: all seeds.",
        f"A panel for each of {len(drawn)} trials: precision against recall, falling from left to right, above the "
        f"dashed line of chance.",
        figures.precision_recall(drawn),
    )
    yield Picture(
        "reliability",
        "Reliability",
        "How often labels are true against the score they were given, 15 bins of equal mass, all labels pooled, on "
        "logarithmic axes. Above the dashed line scores are too low, below it too high.",
        f"A panel for each of {len(drawn)} trials: share of true labels against mean score, beside the diagonal.",
        figures.reliability(drawn),
    )
    yield Picture(
        "f1_by_positives",
        "F1 of each label against its positives",
        "Test, mean over seeds. Labels without a positive on test are left out.",
        f"A panel for each of {len(labels)} trials: a dot for each label, F1 against its number of positives, at 0.5 "
        "and with its own threshold.",
        figures.f1_by_positives({name: _f1(tables) for name, tables in labels.items()}),
    )


def _kept(client: Client, row: Row) -> list[float]:
    metrics = (client.run(run.info.run_id).data.metrics for run in row.runs)
    epochs = (of.get("picked/epoch", of.get("training/kept_epoch")) for of in metrics)
    return [epoch for epoch in epochs if epoch is not None]


def _f1(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the F1 of each label that has a positive under each rule that is drawn, mean over seeds."""
    table = pd.DataFrame({"positives": tables[0]["positives"]})
    for rule in [rule for rule in figures.JUDGED if f"{rule}/f1" in tables[0]]:
        table[rule] = sum(of[f"{rule}/f1"] for of in tables) / len(tables)
    return table[table["positives"] > 0]


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
