"""Observations as they are printed, and the page of those that are pinned."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from halves import halves
from rarelabels.probes import all_probes, report
from rarelabels.probes.probe import Observation

PAGE = Path(__file__).parents[2] / "docs" / "probes.md"


def test_the_page_is_what_is_pinned() -> None:
    """But for the versions: the sentences are those of the pinned numbers, to the digits that are printed."""
    page, pinned = (
        re.sub(r"Observed with [^\n]*", "", text)
        for text in (
            PAGE.read_text("utf-8"),
            report.markdown([Observation(probe, probe.expected) for probe in all_probes.PROBES]),
        )
    )
    assert page == pinned, "docs/probes.md: make it anew: rarelabels probes --format markdown > docs/probes.md"


def test_each_observation_is_a_block_and_what_changed_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    report.print_observations([Observation(halves(), halves().expected), Observation(halves(), {"half": 0.6})])
    blocks = capsys.readouterr().out.split("\n\n")
    assert blocks[0].splitlines() == [
        "halves: as pinned",
        "  believed    halves are halves (three_classes)",
        "  documented  a half is a half",
        "  observed    A half is 0.50 and raises TypeError.",
        "halves: CHANGED",
        "  believed    halves are halves (three_classes)",
        "  documented  a half is a half",
        "  observed    CHANGED: half: pinned 0.5, observed 0.6; raised: pinned TypeError, observed nothing",
    ]
    assert blocks[1].startswith("2 probes, 1 changed; observed with keras ")


def test_a_bar_does_not_end_a_cell_of_the_page() -> None:
    barred = replace(halves(), documented="a | b")
    assert "| a \\| b |" in report.markdown([Observation(barred, barred.expected)])
