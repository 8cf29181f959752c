"""Print the facts of a table, and what to do next."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

from rarelabels.data.table import cell_values
from rarelabels.init.ahead import Ahead
from rarelabels.init.leaks import Leak, by_column
from rarelabels.init.look import MIN_LABEL_ROWS, Look
from rarelabels.init.propose import TRAININGS
from rarelabels.judging.settings import ThresholdSpec

EVERY_LABEL = 30  # with more labels only the most and the least frequent are listed
ENDS = 8
NAMES = 12  # in a line
LEAKS = 12  # of a column
WIDEST = 40  # columns for the name of a label
LINE = 110
HEAD = 12  # columns for the heading of a line


def print_look(look: Look, path: Path) -> None:
    """Print the facts of a table on stdout: rows, columns, labels, rows that repeat, suspicious inputs."""
    print(f"{path}: {look.rows:,} rows, {look.found.columns:,} columns\n")
    for head, lines in (
        ("labels", _labels(look)),
        ("inputs", _inputs(look)),
        ("rows", _rows(look)),
        ("not used", _unused(look)),
        ("duplicates", _repeats(look)),
        ("leaks", _leaks(look)),
    ):
        whole = [part for line in lines for part in _wrapped(line)]
        for number, line in enumerate(whole):
            print(f"{'' if number else head:{HEAD}}{line}")


def _wrapped(line: str) -> list[str]:
    """Return the lines of a sentence; rows of a table begin with blanks and stay whole."""
    return [line] if line.startswith(" ") else textwrap.wrap(line, LINE, subsequent_indent="  ", break_long_words=False)


def _labels(look: Look) -> Iterator[str]:
    labels = look.spec.labels
    if labels.column is not None:
        where = f"column {_shown(labels.column)}, {_parted(labels.separator)}"
    else:
        where = f"0/1 columns{f' that begin with {labels.prefix!r}' if labels.prefix else ''}"
    yield f"{len(look.positives):,}, in {where}"
    if look.found.guessed_labels:
        yield "a guess: these are all the 0/1 columns; if not all of them are labels, say which are with --labels"
    ones = look.cardinality / len(look.positives)
    yield f"{look.cardinality:.2f} on average in a row, {look.without_labels:,} rows without any; {ones:.2%} are ones"
    yield from _prevalence(look)
    if look.too_rare:
        names = _some([f"{_shown(name)} {n}" for name, n in look.too_rare.items()])
        yield f"left out as too rare, with fewer than {MIN_LABEL_ROWS} rows: {len(look.too_rare):,} ({names})"
    if look.few:
        yield (
            f"rare, with fewer than {ThresholdSpec().min_positives} rows in the validation part, so that the common "
            f"threshold decides them: {len(look.few):,} ({_some([_shown(name) for name in look.few])})"
        )
    for part, missing in look.missing.items():
        yield f"no row of the {part} part has {_some([_shown(name) for name in missing])}"


def _prevalence(look: Look) -> Iterator[str]:
    labels = list(look.positives.items())
    width = min(max(len(_shown(name)) for name, _ in labels), WIDEST)
    rows = [f"  {_shown(name):{width}}  {n:>9,}  {n / look.rows:>7.2%}" for name, n in labels]
    if len(rows) > EVERY_LABEL:
        rows[ENDS:-ENDS] = [f"  ... {len(rows) - 2 * ENDS:,} more ..."]
    yield from rows


def _inputs(look: Look) -> Iterator[str]:
    spec = look.spec
    for name in spec.text:
        yield f"text        {_shown(name)} (95 % of the rows have up to {look.lengths[name]:,} words)"
    for one in spec.lists:
        yield f"list        {_shown(one.column)}, {_parted(one.separator)}"
    if spec.numeric:
        yield f"numeric     {_some([_number(look, name) for name in spec.numeric])}"
    yield from _categories(look)


def _categories(look: Look) -> Iterator[str]:
    for name in look.spec.categories:
        values = f"{look.values[name]:,} different values"
        yield f"category    {_shown(name)} ({values}, each one a 0/1 input; --list {_shown(name)} makes it words)"


def _number(look: Look, name: str) -> str:
    empty = look.found.empty.get(name, 0)
    return _shown(name) + (f" ({empty:,} of {look.rows:,} cells are empty)" if empty else "")


def _parted(separator: str | None) -> str:
    if separator == cell_values.ONE_NAME or separator is None:
        return "each cell a name or a list of names"
    return f"parted at {separator!r}"


def _rows(look: Look) -> Iterator[str]:
    spec = look.spec
    if spec.id is not None:
        yield f"named by {_shown(spec.id)}"
    if spec.group is not None:
        yield f"those with the same {_shown(spec.group)} stay in one part"
    if spec.split is not None:
        yield f"{_shown(spec.split)} says which part a row belongs to"


def _unused(look: Look) -> Iterator[str]:
    unused = list(look.found.unused.items())
    yield from (f"{_shown(name)}: {reason}" for name, reason in unused[:NAMES])
    if len(unused) > NAMES:
        yield f"and {len(unused) - NAMES:,} more columns"


def _repeats(look: Look) -> Iterator[str]:
    found = look.repeats
    if not found.rows:
        yield "no two rows have the same inputs"
    else:
        yield f"{found.rows:,} rows share their inputs with another, {found.inputs:,} different ones"
    if found.other_labels:
        yield f"{found.other_labels:,} of these rows have inputs that do not always have the same labels"
    if found.apart:
        yield (
            f"{found.apart:,} of them may come into training and test part, which flatters every number; remove the "
            "repeats, or give rows that belong together the same entry in a column and name it under --group"
        )
    if found.empty:
        yield f"{found.empty:,} rows have no word, entry or number at all"


def _leaks(look: Look) -> Iterator[str]:
    if not look.leaks:
        yield "no input gives a label away, as far as names, single words and numbers tell"
        return
    for column, leaks in by_column(look.leaks).items():
        yield f"{_shown(column)} gives {len(leaks):,} of {len(look.positives):,} labels away; will it be there in use?"
        yield from _table(leaks[:LEAKS])
        if len(leaks) > LEAKS:
            yield f"  and {len(leaks) - LEAKS:,} more labels"


def _table(leaks: Sequence[Leak]) -> Iterator[str]:
    width = min(max(len(_shown(leak.label)) for leak in leaks), WIDEST)
    for leak in leaks:
        if leak.auc:
            what = f"orders the rows by the label (ROC AUC {leak.auc:.3f})"
        else:
            times = f", {leak.with_label / leak.without:,.0f} times as often" if leak.without else ""
            shares = (
                f"{_percent(leak.with_label)} of the rows with the label and {_percent(leak.without)} of the others"
            )
            what = f"{leak.what!r} is in {shares}{times}"
        yield f"  {_shown(leak.label):{width}}  {what}"


def _percent(share: float) -> str:
    return f"{share:.0%}" if share in (0, 1) else f"{share:.1%}" if share > 0.01 else f"{share:.2%}"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMES:,} more" if len(names) > NAMES else ""
    return ", ".join(names[:NAMES]) + more


def _shown(name: str) -> str:
    """Return a printable name; a very long one is cut."""
    name = name if name.isprintable() and name.strip() == name and name else repr(name)
    return name if len(name) <= WIDEST else f"{name[: WIDEST - 3]}..."


def print_written(written: Sequence[Path], name: str, ahead: Ahead, has_makefile: bool) -> None:
    """Print which files were written, the commands that come next, and how long the first may take."""
    of_study = [path for path in written if path.parts[0] == "experiments"]
    others = [path for path in written if path not in of_study]
    print(f"\nWritten: {', '.join(map(str, others))} and {len(of_study)} files in {of_study[0].parent}/")
    print(
        f"\nHypotheses count only if they are declared before the first run: read {of_study[0].parent}/study.yaml. Then"
    )
    run = f"make {name}" if has_makefile else f"rarelabels run {name}"
    commands = {
        run: f"run every trial with its seeds, and compare them: about {ahead.minutes:,} minutes on two cores",
        f"rarelabels findings {name}": "what became of each hypothesis",
        f"rarelabels report {name}": "one page with all of it",
        f"rarelabels best {name}": "which trial and which rule to use",
    }
    width = max(map(len, commands))
    for command, what in commands.items():
        print(f"  {command:{width}}  {what}")
    if ahead.settings:
        fewer = f" (not {TRAININGS}, which would take long)" if ahead.settings < TRAININGS else ""
        print(
            f"\n`{run}` first tries {ahead.settings} settings{fewer} for each network, on validation; "
            "`rarelabels init --quick` leaves that out"
        )
