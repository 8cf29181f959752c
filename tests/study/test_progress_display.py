"""Progress without a terminal: plain lines on stderr, failures with their reason and without passwords."""

from __future__ import annotations

import doctest

import pytest

from rarelabels.study import progress_display
from rarelabels.study.progress_display import Progress


def test_each_run_that_ends_is_a_line_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress() as progress:
        progress.say(["films: 4 runs to do"])
        progress.begin(4)
        progress.epoch("bce seed 0", {"epoch": 3, "epochs": 5, "loss": 0.25})
        progress.end("bce seed 0", "films/bce seed 0, films/other seed 0", 2, "")
        progress.end("boosted seed 0", "films/boosted seed 0", 1, "", "one label took 9 s")
        progress.end("focal seed 0", "films/focal seed 0", 1, "OSError: //me:secret@host is away")
        progress.summing(2)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.splitlines() == [
        "films: 4 runs to do",
        "  bce seed 0: epoch 3/5, loss 0.2500",
        "[2/4] done: films/bce seed 0, films/other seed 0",
        "[3/4] films/boosted seed 0: left out: one label took 9 s",
        "[4/4] FAILED: films/focal seed 0: OSError: //me:***@host is away",
        "summing up 2 trials (means, intervals, figures)",
    ]
    assert progress.failures == ["films/focal seed 0: OSError: //me:secret@host is away"]


def test_in_a_notebook_it_is_lines_on_stderr_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rich asks IPython where it runs, and would print HTML to the cell."""
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    with Progress() as progress:
        progress.say(["one line"])
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "one line\n")


def test_the_examples() -> None:
    assert doctest.testmod(progress_display).failed == 0


def test_names_in_brackets_are_printed_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress() as progress:
        progress.begin(1)
        progress.epoch("[red]x[/red] :cat:", {"epoch": 1, "epochs": 1, "loss": 0.5})
        progress.end("[red]x[/red] :cat:", "films/[/]", 1, "")
        assert progress._bar.columns[-1].render(progress._bar.tasks[0]).plain == "  "
        progress._bar.update(progress._row, now="[/] loss 0.5")
        assert progress._bar.columns[-1].render(progress._bar.tasks[0]).plain == "  [/] loss 0.5"
    assert capsys.readouterr().err.splitlines() == [
        "  [red]x[/red] :cat:: epoch 1/1, loss 0.5000",
        "[1/1] done: films/[/]",
    ]
