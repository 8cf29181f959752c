"""A console prints text as it is, and without a terminal cuts nothing."""

from __future__ import annotations

import pytest

from rarelabels.show.tables.console import WIDE, open_console


def test_a_word_in_brackets_is_no_style(capsys: pytest.CaptureFixture[str]) -> None:
    open_console().print("Declare [linear], or [bold]this[/bold] 12.")
    assert capsys.readouterr().out == "Declare [linear], or [bold]this[/bold] 12.\n"


def test_without_a_terminal_a_long_line_stays_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    long = " ".join(["word"] * 900)
    assert len(long) < WIDE
    open_console().print(long)
    assert capsys.readouterr().out == f"{long}\n"


def test_a_word_between_colons_is_no_picture(capsys: pytest.CaptureFixture[str]) -> None:
    open_console().print(":cat: [/]")
    assert capsys.readouterr().out == ":cat: [/]\n"
