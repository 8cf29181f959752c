"""The sections of a judgement, each a table with an explanation of its columns, and the terminal that prints them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from rarelabels.judging.evaluation import Evaluation

ONE_LINE = 105  # columns of a terminal that is wide enough for an interval beside its number, not below it
NARROWEST = 12  # columns for the names of labels and metrics; longer names are wrapped
RULES = ("half", "global", "per_label", "oracle")  # the rules on the page; --format csv has all rules
NOWHERE = "–"


@dataclass(frozen=True)
class Section:
    """A table and the lines below it.

    Attributes:
        title: of the section.
        header: the names of the columns; all columns but the first are numbers.
        blocks: rows of cells, with a gap between blocks. A cell may be a number, a line break and its interval.
        lines: explain the columns.
    """

    title: str
    header: Sequence[str]
    blocks: Sequence[Sequence[Sequence[str]]]
    lines: Sequence[str]


class Page:
    """Sections, and lines of text around them, on a terminal."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.between = " " if console.width >= ONE_LINE else "\n"  # stands between a number and its interval

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
