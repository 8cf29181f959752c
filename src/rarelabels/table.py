"""Print a comparison as a table."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from rarelabels.comparison import FLOORS, HEADLINE, Comparison, Row

WIDE = 10_000  # without a terminal nothing is cut


def print_comparison(study: str, comparison: Comparison) -> None:
    """Print the trials of a study on stdout: mean and 95 % interval, floors below, ``*`` where tied with the best."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=WIDE)
    console.print(as_table(study, comparison))
    console.print("* cannot be told from the best of its column (paired bootstrap over test rows and seeds, Holm)")
    for name in comparison.missing:
        console.print(f"not run: {name}", soft_wrap=True)


def as_table(study: str, comparison: Comparison) -> Table:
    """Return the table; trials from the best macro average precision down."""
    table = Table(title=f"{study}: test part, mean and 95 % interval", title_justify="left")
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


def _count(row: Row) -> str:
    return str(len(row.seeds.split()))


def _cell(row: Row, metric: str) -> str:
    if metric not in row.values.index:
        return ""
    mean, low, high = row.values.loc[metric, ["mean", "low", "high"]]
    star = "*" if metric in row.tied else " "
    return f"{mean:.3f}{star}\n{low:.3f}–{high:.3f} "
