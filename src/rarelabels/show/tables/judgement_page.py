"""The page that a judgement is printed on: its width, and how numbers are written."""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from rarelabels.judging.evaluation import Evaluation

WIDE = 10_000  # without a terminal nothing is cut
ONE_LINE = 105  # columns from which an interval stands beside its number, not below it
NARROWEST = 12  # columns for the names of labels and metrics; longer ones go on below
RULES = ("half", "global", "per_label", "oracle")  # those of the page; --format csv has every one
NOWHERE = "–"


class Page:
    """Tables, and lines of text around them."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.between = " " if console.width >= ONE_LINE else "\n"  # a number and its interval

    def title(self, text: str) -> None:
        """Print a title."""
        self.console.print(Text(f"\n{text}\n", style="bold"))

    def line(self, text: str) -> None:
        """Print a line of text."""
        self.console.print(Text(text))

    def table(self, header: Sequence[str], blocks: Sequence[Sequence[Sequence[str]]]) -> None:
        """Print blocks of rows with a gap between them; all but the first column are numbers."""
        table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
        table.add_column(header[0], overflow="fold", min_width=NARROWEST)
        for name in header[1:]:
            table.add_column(name, justify="right", no_wrap=True)
        for block in blocks:
            for row in block:
                table.add_row(*(Text(cell) for cell in row))
            table.add_section()
        self.console.print(table)


def rules_shown(measured: Evaluation) -> list[str]:
    """Return the rules of a judgement that the page shows."""
    return [rule for rule in RULES if rule in measured.rules]
