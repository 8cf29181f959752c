"""A judgement in sections, each a table and what its columns mean; and the terminal that they are printed on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Section:
    """A table and the lines below it.

    Attributes:
        title: of the section.
        header: of the columns; all but the first are numbers.
        blocks: rows of cells, with a gap between blocks. A cell may be a number, a line break and its interval.
        lines: what the columns mean.
    """

    title: str
    header: Sequence[str]
    blocks: Sequence[Sequence[Sequence[str]]]
    lines: Sequence[str]


class Page:
    """Sections, and lines of text around them, on a terminal."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.between = " " if console.width >= ONE_LINE else "\n"  # a number and its interval

    def line(self, text: str) -> None:
        """Print a line of text."""
        self.console.print(Text(text))

    def section(self, section: Section) -> None:
        """Print the title, the table and the lines."""
        self.console.print(Text(f"\n{section.title}\n", style="bold"))
        table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
        table.add_column(section.header[0], overflow="fold", min_width=NARROWEST)
        for name in section.header[1:]:
            table.add_column(name, justify="right", no_wrap=True)
        for block in section.blocks:
            for row in block:
                table.add_row(*(Text(cell.replace("\n", self.between)) for cell in row))
            table.add_section()
        self.console.print(table)
        for line in section.lines:
            self.line(line)


def rules_shown(measured: Evaluation) -> list[str]:
    """Return the rules of a judgement that the page shows."""
    return [rule for rule in RULES if rule in measured.rules]
