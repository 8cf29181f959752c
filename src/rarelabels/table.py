"""Print the comparisons of a study as tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.console import Console
from rich.table import Table

from rarelabels.comparison import FLOORS, HEADLINE, Comparison, Row
from rarelabels.schema import Bound

# What the table of trainings shows of a run's metrics: header, and how a number is written.
TRAINING: dict[str, tuple[str, Callable[[float], str]]] = {
    "training/kept_epoch": ("epoch\nkept", "{:.1f}".format),
    "training/gap_macro_average_precision": ("macro average precision:\ntraining minus test", "{:.3f}".format),
    "training/gap_half_macro_f1": ("macro-F1 at 0.5:\ntraining minus test", "{:.3f}".format),
    "training/roughness_val_loss": ("roughness of\nvalidation loss", "{:.4f}".format),
    "training/effective_sample_share": ("effective\nsample size", "{:.1%}".format),
    "training/zero_share": ("weights\nthat are 0", "{:.0%}".format),
    "training/compressed_bytes": ("compressed\nweights", lambda size: f"{size / 1e6:.2f} MB"),
}
WIDE = 10_000  # without a terminal nothing is cut


def print_comparisons(study: str, comparisons: Sequence[Comparison], bounds: Sequence[Bound]) -> None:
    """Print the trials of a study on stdout, a table for each set of test rows, and what a reader must know of them.

    Mean and 95 % interval, floors below, ``*`` where tied with the best; then how the networks trained.
    """
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=WIDE)
    for one in comparisons:
        console.print(as_table(study, one))
        console.print("* cannot be told from the best of its column (paired bootstrap over test rows and seeds, Holm)")
        if any(_trained(row) for row in one.all_rows):
            console.print(training_table(one))
        for row in one.all_rows:
            for note in row.notes:
                console.print(f"{row.name}: {note}", soft_wrap=True)
    for bound in bounds:
        console.print(f"bound: {bound.verdict()}", soft_wrap=True)
    if comparisons[0].missing:
        console.print(f"not run: {', '.join(comparisons[0].missing)}", soft_wrap=True)
    for reason in comparisons[0].skipped:
        console.print(f"skipped: {reason}", soft_wrap=True)


def as_table(study: str, comparison: Comparison) -> Table:
    """Return the table; trials from the best macro average precision down."""
    title = " on ".join(filter(None, [study, comparison.data]))
    table = Table(title=f"{title}: test part, mean and 95 % interval", title_justify="left")
    table.add_column("trial", overflow="fold")
    table.add_column("seeds", justify="right")
    for header in HEADLINE.values():
        table.add_column(header, justify="right")
    for row in comparison.rows:
        table.add_row(row.name, _count(row), *(_cell(row, metric) for metric in HEADLINE))
    table.add_section()
    for name in FLOORS if comparison.floors else ():
        values = (comparison.floor(name, metric) for metric in HEADLINE)
        table.add_row(f"floor: {name}", "", *("" if value is None else f"{value:.3f}" for value in values))
    if comparison.overridden:
        table.add_section()
    for row in comparison.overridden:
        table.add_row(f"{row.name} (overridden: {row.overrides})", _count(row), *(_cell(row, m) for m in HEADLINE))
    return table


def training_table(comparison: Comparison) -> Table:
    """Return how the networks trained: means over seeds, in the order of the other table, no column without numbers."""
    rows = [row for row in comparison.all_rows if _trained(row)]
    columns = {metric: shown for metric, shown in TRAINING.items() if any(metric in row.values.index for row in rows)}
    table = Table(title="how the networks trained, mean over seeds", title_justify="left")
    table.add_column("trial", overflow="fold")
    for header, _ in columns.values():
        table.add_column(header, justify="right")
    for row in rows:
        means = row.values["mean"].to_dict()
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
    mean, low, high = row.values.loc[metric, ["mean", "low", "high"]]
    star = "*" if metric in row.tied else " "
    return f"{mean:.3f}{star}\n{low:.3f}–{high:.3f} "
