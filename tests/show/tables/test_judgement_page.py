"""The sections of a judgement on a terminal, narrow and wide."""

from __future__ import annotations

import io
from types import SimpleNamespace

import pytest
from rich.console import Console

from rarelabels.show.tables.judgement_page import ONE_LINE, Page, Section, rules_shown

SECTION = Section("A title", ["", "half"], [[["micro-F1", "0.500\n0.400–0.600"]], [["macro-F1", "–"]]], ["Explained."])


def printed(width: int, section: Section = SECTION) -> list[str]:
    written = io.StringIO()
    Page(Console(file=written, width=width)).section(section)
    return [line.strip() for line in written.getvalue().splitlines() if line.strip()]


def test_an_interval_stands_beside_its_number_where_there_is_room_and_below_it_where_not() -> None:
    assert [line.split() for line in printed(ONE_LINE) if "0.400" in line] == [["micro-F1", "0.500", "0.400–0.600"]]
    narrow = [line.split() for line in printed(ONE_LINE - 1) if "0.400" in line or "0.500" in line]
    assert narrow == [["micro-F1", "0.500"], ["0.400–0.600"]]


def test_a_section_is_its_title_its_table_and_its_lines() -> None:
    lines = printed(ONE_LINE)
    assert (lines[0], lines[-1]) == ("A title", "Explained.")
    assert "half" in lines[1]
    assert ["macro-F1", "–"] in [line.split() for line in lines]


def test_a_label_in_brackets_is_printed_as_it_is() -> None:
    section = Section("[red]", ["", "half"], [[["[bold]a", "[1]"]]], ["[link]"])
    lines = printed(ONE_LINE, section)
    assert (lines[0], lines[-1]) == ("[red]", "[link]")
    assert ["[bold]a", "[1]"] in [line.split() for line in lines]


@pytest.mark.parametrize(
    ("measured", "shown"),
    [
        (("oracle", "per_label", "half", "ascent"), ["half", "per_label", "oracle"]),
        (("half", "oracle"), ["half", "oracle"]),
    ],
)
def test_the_rules_on_the_page_are_those_that_were_measured_in_one_order(
    measured: tuple[str, ...], shown: list[str]
) -> None:
    assert rules_shown(SimpleNamespace(rules=dict.fromkeys(measured))) == shown  # type: ignore[arg-type]
