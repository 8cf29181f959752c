"""From a table to the files of a study: look, print what is in it, propose, write."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from rarelabels.init import ahead, naming, propose, scores_trials, writing
from rarelabels.init.column import Wish
from rarelabels.init.look import look
from rarelabels.init.shown import print_look, print_written

LONG_FILE = 50_000_000  # bytes; reading a longer file takes noticeable time


def write_study(file: Path, wish: Wish, name: str | None, *, each_tuned: bool, scores: Sequence[str] = ()) -> None:
    """Look at a table, print what is in it, and write a study for it to the current folder.

    Args:
        file: the table.
        wish: what the user says of the columns; the rest is proposed.
        name: of the study; from the file's name if None.
        each_tuned: whether every network is searched before it is run.
        scores: trials of scores that another program makes, each as ``NAME=VALIDATION,TEST``.

    Raises:
        UserError: the file cannot be read, its columns are not what ``wish`` says, or the study's files are there.
    """
    here = Path.cwd()
    study = naming.study_name(file, name, here)
    with suppress(OSError):  # a file that is not there is reported when it is read
        if file.stat().st_size > LONG_FILE:
            print(f"rarelabels: reading {file}; 100 MB take about 15 seconds", file=sys.stderr)
    table = look(file, wish)
    print_look(table, file)
    expected = ahead.estimate(table, each_tuned=each_tuned)
    elsewhere = scores_trials.parse(scores, propose.trials(table.spec))
    files = propose.declarations(table, study, here, expected.settings)
    folder, has_split = Path("experiments", study), table.spec.split is not None
    files |= scores_trials.declarations(elsewhere, propose.HEAD, folder, here, has_split=has_split)
    written = writing.write(files, study, here)
    print_written(written, study, expected, has_makefile=naming.has_makefile(here))
    if elsewhere:
        print(scores_trials.next_steps(elsewhere, study))
