"""Print the comparisons, verdicts, advice and ranking of a study."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import get_args

from rich.table import Table

from rarelabels.compare.comparison import ELSEWHERE, FLOORS, GAIN, HEADLINE, Comparison, Row, by_macro_f1
from rarelabels.compare.ranking import Ranked, Ranking
from rarelabels.compare.verdicts import INTERVALS, Finding, Verdict
from rarelabels.declare import own_measures
from rarelabels.declare.study import Bound
from rarelabels.errors import UserError, nearest
from rarelabels.judging.metrics.table import BY_NAME as METRICS
from rarelabels.judging.rules.table import known
from rarelabels.show.tables.console import open_console

# The metrics in the table of trainings, each with its header and its number format.
TRAINING: dict[str, tuple[str, Callable[[float], str]]] = {
    "training/kept_epoch": ("epoch\nkept", "{:.1f}".format),
    "picked/epoch": ("epoch\npicked", "{:.1f}".format),
    "training/gap_macro_average_precision": ("macro average precision:\ntraining minus test", "{:.3f}".format),
    "training/gap_half_macro_f1": ("macro-F1 at 0.5:\ntraining minus test", "{:.3f}".format),
    "test/count/sure_scores_share": ("scores within\n0.01 of 0 or 1", "{:.0%}".format),
    "training/roughness_val_loss": ("roughness of\nvalidation loss", "{:.4f}".format),
    "training/effective_sample_share": ("effective\nsample size", "{:.1%}".format),
    "training/zero_share": ("weights\nthat are 0", "{:.0%}".format),
    "training/compressed_bytes": ("compressed\nweights", lambda size: f"{size / 1e6:.2f} MB"),
}
# The additional metrics in that table for a study in which label sets are classes.
OF_LABEL_SETS: dict[str, tuple[str, Callable[[float], str]]] = {
    "training/output_parameters": ("parameters of\nthe output layer", "{:,.0f}".format),
    "training/seconds_per_epoch": ("seconds\nan epoch", "{:.2f}".format),
    "training/memory_rise_bytes": ("memory that\ntraining takes", lambda size: f"{size / 1e9:.2f} GB"),
    "training/label_sets_seen": ("label sets\nin training", "{:,.0f}".format),
    "training/rows_per_label_set": ("training rows\nper label set", "{:.1f}".format),
    "training/label_sets_once": ("label sets\nwith one row", "{:.0%}".format),
    "training/unseen_test_share": ("test rows with\nan unseen set", "{:.1%}".format),
}
OF_KEPT = ("training/kept_epoch", "training/gap_macro_average_precision", "training/gap_half_macro_f1")
TIED = "* cannot be told from the best of its column (paired by test rows and seeds, Holm)"
TIED_WITH_FIRST = "* cannot be told from the first on the test part (paired by test rows and seeds, Holm)"


def print_by_rule(study: str, comparisons: Sequence[Comparison]) -> None:
    """Print the loss × threshold tables: every trial under every rule, floors below, ``*`` for ties with the best.

    If a loss gains under ``half`` but not under ``per_label``, it has only moved the threshold. The last column of the
    first table is the gain of thresholds alone, with the same scores.
    """
    console = open_console()
    for one in comparisons:
        columns = {f"test/{rule}/macro_f1": known(rule).header for rule in by_macro_f1(one)}
        columns[GAIN] = "per_label\nminus half"
        console.print(_metrics_table(f"{_title(study, one)}: macro-F1 by threshold rule", one, columns))
        for metric, rules in ELSEWHERE.items():
            columns = {f"test/{rule}/{metric}": known(rule).header for rule in rules}
            title = f"{_title(study, one)}: {METRICS[metric].words} by threshold rule"
            console.print(_metrics_table(title, one, columns))
        console.print(TIED)


def print_metric(study: str, comparisons: Sequence[Comparison], metric: str) -> None:
    """Print one metric of all trials, under every rule that has it, with a table for each set of test rows.

    Args:
        study: its name.
        comparisons: of its trials.
        metric: its name, without a rule: ``samples_jaccard``. It may be one of another package.

    Raises:
        UserError: no trial has it.
    """
    having = [(one, rules) for one in comparisons if (rules := one.rules_of(metric))]
    if not having:
        rows = [row for one in comparisons for row in one.all_rows]
        names = {str(name).rpartition("/")[2] for row in rows for name in row.values.index if _is_tested(str(name))}
        raise UserError(f"--metric: no trial of {study} has a test metric {metric!r}{nearest(metric, sorted(names))}")
    records = [METRICS[metric]] if metric in METRICS else own_measures.installed_metrics([metric])
    console = open_console()
    for one, rules in having:
        columns = {f"test/{rule}/{metric}": known(rule).header for rule in rules}
        untied = replace(one, rows=[replace(row, tied=frozenset()) for row in one.rows])  # few columns have ties
        shown = records[0].shown if records else metric
        console.print(_metrics_table(f"{_title(study, one)}: {shown} on the test part", untied, columns))


def _is_tested(name: str) -> bool:
    return name.startswith("test/") and not name.startswith("test/count/")


def print_comparisons(study: str, comparisons: Sequence[Comparison], bounds: Sequence[Bound]) -> None:
    """Print the trials of a study on stdout, with a table for each set of test rows.

    The table has means and 95 % intervals, floors below, and ``*`` for ties with the best. Below it are a table of the
    trainings of networks, notes on trials, bounds, and the trials that are missing, skipped, left out
    or not summed up.
    """
    console = open_console()
    for one in comparisons:
        console.print(_metrics_table(f"{_title(study, one)}: test part", one, HEADLINE))
        console.print(TIED)
        if one.rare_labels:
            console.print(f"Intervals of macro means are not reliable: {one.rare_labels}.", soft_wrap=True)
        if any(_trained(row) for row in one.all_rows):
            console.print(training_table(one))
        for row in one.all_rows:
            for note in [*([f"Tuned: {row.found}"] if row.found else []), *row.notes]:
                console.print(f"{row.name}: {note}", soft_wrap=True)
    for bound in bounds:
        console.print(f"bound: {bound.verdict()}", soft_wrap=True)
    if comparisons[0].missing:
        console.print(f"not run: {', '.join(comparisons[0].missing)}", soft_wrap=True)
    for reason in comparisons[0].skipped:
        console.print(f"skipped: {reason}", soft_wrap=True)
    for reason in (*comparisons[0].left_out, *comparisons[0].unsummed):
        console.print(reason, soft_wrap=True)


def print_advice(study: str, warnings: Sequence[str], winner: Sequence[str], findings: Sequence[Finding]) -> None:
    """Print what to use: first warnings about the networks, then the winner, then the advice of verdicts."""
    console = open_console()
    advised = [(advice, one) for one in findings if (advice := one.advice())]
    if warnings or winner or advised:
        console.print(f"{study}: what to use", soft_wrap=True)
    for line in (*warnings, *winner):
        console.print(f"- {line}", soft_wrap=True)
    for advice, one in advised:
        marks = ", ".join([one.verdict, *(["provisional"] if one.provisional else [])])
        console.print(f"- {advice} ({one.hypothesis.name}: {marks})", soft_wrap=True)


def print_findings(study: str, findings: Sequence[Finding], bounds: Sequence[Bound]) -> None:
    """Print the verdicts on the hypotheses of a study, and its bounds."""
    console = open_console()
    table = Table(title=f"{study}: declared hypotheses", title_justify="left", show_lines=True)
    table.add_column("claim", overflow="fold")
    table.add_column("expected", overflow="fold")
    table.add_column("difference", justify="right", no_wrap=True)
    table.add_column("verdict", overflow="fold")
    for one in findings:
        table.add_row(one.hypothesis.claim, one.hypothesis.expectation, _difference(one), _verdict(one))
    console.print(table)
    counts = Counter(one.verdict for one in findings)
    counted = ", ".join(f"{counts[verdict]} {verdict}" for verdict in get_args(Verdict))
    console.print(f"{counted}. {INTERVALS}", soft_wrap=True)
    console.print("seeds: their share of the variance of a difference; test rows bring the rest", soft_wrap=True)
    if any(one.provisional for one in findings):
        console.print("provisional: not all declared seeds have been run", soft_wrap=True)
    if any(one.late for one in findings):
        seen = "late: a run of one of its trials was made, or looked at, before the hypothesis had its present form"
        console.print(seen, soft_wrap=True)
    for bound in bounds:
        console.print(f"bound: {bound.verdict()}", soft_wrap=True)


def print_ranking(study: str, ranking: Ranking) -> None:
    """Print the trials of a study, best on validation first, with test results, and the trials that are not ranked."""
    console, chosen = open_console(), ranking.chosen
    seeds = f"seed{'s' if len(ranking.seeds) > 1 else ''} {', '.join(map(str, ranking.seeds))}"
    order = "least first" if chosen.is_lower_better else "greatest first"
    console.print(f"{study}: {chosen.recorded}, {order}; means over {seeds}", soft_wrap=True)
    table = Table()
    table.add_column("", justify="right")
    table.add_column("trial", overflow="fold")
    for header in ("validation", "test, 95 % interval"):
        table.add_column(header, justify="right")
    for number, one in enumerate(ranking.ranked, 1):
        name = f"{one.name} (searched on these rows)" if one.is_searched else one.name
        table.add_row(str(number), name, f"{one.value:.4f}", _tested(one))
    table.add_section()
    for one in ranking.beside:
        table.add_row("", f"{one.name} (not ranked: learns nothing)", f"{one.value:.4f}", _tested(one))
    console.print(table)
    if any(one.tied for one in ranking.ranked):
        console.print(TIED_WITH_FIRST, soft_wrap=True)
    if ranking.lacking:
        lacking = ", ".join(map(str, ranking.lacking))
        console.print(
            f"No trial has run all its declared seeds ({lacking} are missing): these are the results of {seeds} only",
            soft_wrap=True,
        )
    for reason in (*ranking.overridden, *ranking.left_out):
        console.print(f"not ranked: {reason}", soft_wrap=True)


def _tested(one: Ranked) -> str:
    if math.isnan(one.test):
        return ""
    bounds = "" if math.isnan(one.low) else f" {one.low:.3f}–{one.high:.3f}"
    return f"{one.test:.4f}{'*' if one.tied else ' '}{bounds}"


def _verdict(finding: Finding) -> str:
    notes = "; ".join(finding.notes())
    return f"{finding.verdict} ({notes})" if notes else finding.verdict


def _difference(finding: Finding) -> str:
    if math.isnan(finding.value):
        return ""
    share = "" if math.isnan(finding.share_of_seeds) else f"\nseeds {100 * finding.share_of_seeds:.0f} %"
    return f"{finding.value:+.3f}\n{finding.low:+.3f} to {finding.high:+.3f}{share}"


def _title(study: str, comparison: Comparison) -> str:
    return " on ".join(filter(None, [study, comparison.data]))


def _is_measured(comparison: Comparison, metric: str) -> bool:
    return any(metric in row.values.index for row in comparison.all_rows)


def _metrics_table(title: str, comparison: Comparison, columns: Mapping[str, str]) -> Table:
    """Return a table of means and intervals with a column for each measured metric, rows in the comparison's order."""
    columns = {metric: header for metric, header in columns.items() if _is_measured(comparison, metric)}
    table = Table(title=f"{title}, mean and 95 % interval", title_justify="left")
    table.add_column("trial", overflow="fold")
    table.add_column("seeds", justify="right")
    for header in columns.values():
        table.add_column(header, justify="right")
    for row in comparison.rows:
        table.add_row(row.name, _count(row), *(_cell(row, metric) for metric in columns))
    table.add_section()
    for name in FLOORS if comparison.floors else ():
        values = (None if metric == GAIN else comparison.floor(name, metric) for metric in columns)
        table.add_row(f"floor: {name}", "", *("" if value is None else f"{value:.3f} " for value in values))
    if comparison.overridden:
        table.add_section()
    for row in comparison.overridden:
        table.add_row(f"{row.name} (overridden: {row.overrides})", _count(row), *(_cell(row, m) for m in columns))
    return table


def training_table(comparison: Comparison) -> Table:
    """Return the table of trainings: means over seeds. The trials have the order of the comparison.

    A column without numbers is left out.
    """
    rows = [row for row in comparison.all_rows if _trained(row)]
    known = TRAINING | (OF_LABEL_SETS if _is_measured(comparison, "test/most_likely_set/subset_accuracy") else {})
    columns = {metric: shown for metric, shown in known.items() if any(metric in row.values.index for row in rows)}
    table = Table(title="how the networks trained, mean over seeds", title_justify="left")
    table.add_column("trial", overflow="fold")
    for header, _ in columns.values():
        table.add_column(header, justify="right")
    for row in rows:
        means = row.values["mean"].to_dict()
        if "picked/epoch" in means:  # the gaps are those of the epoch that the training kept
            means = {metric: value for metric, value in means.items() if metric not in OF_KEPT}
        cells = (show(means[metric]) if metric in means else "" for metric, (_, show) in columns.items())
        table.add_row(f"{row.name} (overridden)" if row.overrides else row.name, *cells)
    return table


def _trained(row: Row) -> bool:
    return "training/kept_epoch" in row.values.index


def _count(row: Row) -> str:
    return str(len(row.seeds.split()))


def _cell(row: Row, metric: str) -> str:
    if metric not in row.values.index:
        return ""
    mean, low, high = (float(row.values[end][metric]) for end in ("mean", "low", "high"))
    star = "*" if metric in row.tied else " "
    bounds = "" if math.isnan(low) else f"\n{low:.3f}–{high:.3f} "  # the bound ``oracle`` has no interval
    return f"{mean:.3f}{star}{bounds}"
