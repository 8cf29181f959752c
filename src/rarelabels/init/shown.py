"""Print the facts of a table, and what to do next."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from rarelabels.data.describe import odd_labels
from rarelabels.data.table import bracketed, cell_values
from rarelabels.init.ahead import Ahead
from rarelabels.init.image_column import FEATURES
from rarelabels.init.leaks import Leak, by_column
from rarelabels.init.look import MIN_LABEL_ROWS, Look
from rarelabels.init.propose import TRAININGS
from rarelabels.judging.settings import ThresholdSpec
from rarelabels.names import some

EVERY_LABEL = 30  # with more labels only the most and the least frequent are listed
ENDS = 8
NAMES = 12  # in a line
LEAKS = 12  # of a column
WIDEST = 40  # columns for the name of a label
LINE = 110
HEAD = 12  # columns for the heading of a line


def print_look(look: Look, path: Path) -> None:
    """Print the facts of a table on stdout: rows, columns, labels, rows that repeat, suspicious inputs."""
    print(f"{path}: {look.rows:,} rows, {look.columns.count:,} columns\n")
    for head, lines in (
        ("file", _file(look)),
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


def _file(look: Look) -> Iterator[str]:
    """Yield how the file is written, if it is not plain CSV or TSV in UTF-8."""
    spec = look.spec
    said = {
        "delimiter": f"{spec.delimiter!r} between cells (--delimiter)",
        "encoding": f"encoding {spec.encoding} (--encoding)",
        "header": "no row of names, so the columns are called 1, 2, 3, ... (--no-header)",
        "index": "each row begins with its number, which has no name and is not used",
        "decimal": f"{spec.decimal!r} before the decimals of numbers (--decimal)",
        "thousands": f"{spec.thousands!r} between groups of digits (--decimal)",
    }
    written = [text for key, text in said.items() if getattr(spec, key) != type(spec).model_fields[key].default]
    if written:
        yield "; ".join(written)
    if look.columns.hint:
        yield look.columns.hint.removeprefix("; ")


def _labels(look: Look) -> Iterator[str]:
    labels = look.spec.labels
    if labels.column is not None:
        where = f"column {_shown(labels.column)}, {_parted(labels.separator)}"
    else:
        where = f"0/1 columns{f' that begin with {labels.prefix!r}' if labels.prefix else ''}"
        where += f", {look.columns.word_of_one} is 1" if look.columns.word_of_one else ""
    yield f"{len(look.positives):,}, in {where}"
    if look.columns.guessed_labels:
        yield "this is a guess: they are all 0/1 columns; if some are inputs, name the labels with --labels"
    entries = sum(look.known.values()) if look.known else look.rows * len(look.positives)
    ones = look.cardinality * look.rows / max(entries, 1)
    yield (
        f"a row has {look.cardinality:.2f} labels on average; {look.without_labels:,} rows have none; {ones:.2%} "
        f"of all {'known ' if look.known else ''}entries are ones"
    )
    if look.known:
        words = ", ".join(repr(word) if word else "an empty cell" for word in labels.unknown)
        yield (
            f"{entries / (look.rows * len(look.positives)):.1%} of all entries are known: {words} "
            f"{'means' if len(labels.unknown) == 1 else 'mean'} that nobody annotated the label, and such entries "
            "count in no training and no metric (dataset.labels.unknown)"
        )
    yield from _prevalence(look)
    if look.too_rare:
        names = _some([f"{_shown(name)} {n}" for name, n in look.too_rare.items()])
        yield f"{_count(look.too_rare)} fewer than {MIN_LABEL_ROWS} rows, too few to be used: {names}"
    if look.few:
        yield (
            f"{_count(look.few)} fewer than {ThresholdSpec().min_positives} rows in the validation part, so the common "
            f"threshold decides: {_some([_shown(name) for name in look.few])}"
        )
    yield from odd_labels(look.positives | look.too_rare, look.rows)
    for part, missing in look.missing.items():
        yield f"no row of the {part} part has {_some([_shown(name) for name in missing])}"


def _count(labels: Collection[str]) -> str:
    return f"{len(labels):,} {'label has' if len(labels) == 1 else 'labels have'}"


def _prevalence(look: Look) -> Iterator[str]:
    labels = list(look.positives.items())
    width = min(max(len(_shown(name)) for name, _ in labels), WIDEST)
    rows = [f"  {_shown(name):{width}}  {n:>9,}  {_share(look, name):>7.2%}{_known(look, name)}" for name, n in labels]
    if len(rows) > EVERY_LABEL:
        rows[ENDS:-ENDS] = [f"  ... {len(rows) - 2 * ENDS:,} more ..."]
    yield from rows


def _share(look: Look, label: str) -> float:
    return look.positives[label] / max(look.known.get(label, look.rows), 1)


def _known(look: Look, label: str) -> str:
    known = look.known.get(label, look.rows)
    return f" of the {known:,} rows in which it is known ({known / look.rows:.1%})" if look.known else ""


def _inputs(look: Look) -> Iterator[str]:
    """Yield a line for each column of words and names, and one for all with the same reason of the others."""
    spec, why = look.spec, look.columns.why
    cut = {one.column: f", cut into {one.ngrams[0]} to {one.ngrams[1]} neighbouring {one.of}" for one in spec.tokens}
    yield from _first(
        f"text        {_shown(name)}{cut.get(name, '')} (95 % of the rows have up to {look.lengths[name]:,} "
        f"{'tokens' if name in cut else 'words'}){_because(why.get(name))}"
        for name in spec.text
    )
    yield from _first(
        f"list        {_shown(one.column)}, "
        f"{'names with values' if one.column in look.valued else _parted(one.separator)}{_because(why.get(one.column))}"
        for one in spec.lists
    )
    yield from _first(
        f"vectors     {_shown(name)}, {length:,} numbers each{_because(why.get(name))}"
        for name, length in look.vectors.items()
    )
    if spec.images:
        place = Path(spec.images.folder or Path(spec.path).parent)
        yield (
            f"images      {_shown(spec.images.column)}, files below {place}, each {FEATURES:,} numbers by a frozen "
            f"network{_because(why.get(spec.images.column))}"
        )
    for names in _by_reason(spec.numeric, why):
        yield f"numeric     {_some([_number(look, name) for name in names])}{_because(why.get(names[0]))}"
    for name in look.far_out:
        yield f"            far out: {name}, so that the other rows hardly differ once standardised; mend or empty it"
    for names in _by_reason(spec.categories, why):
        values = [f"{_shown(name)} ({look.values[name]:,} values)" for name in names]
        yield f"category    {_some(values)}, a 0/1 input for each value{_because(why.get(names[0]))}"
    options = '--text, --list "COLUMN:SEPARATOR", --numeric, --categories, --vectors, --images or --ignore'
    yield f"a guess is overruled by {options}"


def _first(lines: Iterable[str]) -> Iterator[str]:
    """Yield the first lines, and how many there are more."""
    every = list(lines)
    yield from every[:NAMES]
    if len(every) > NAMES:
        yield f"            and {len(every) - NAMES:,} more columns"


def _by_reason(names: Iterable[str], why: Mapping[str, str]) -> list[list[str]]:
    """Return the names that have the same reason together."""
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(why.get(name, ""), []).append(name)
    return list(found.values())


def _because(reason: str | None) -> str:
    return f": {reason}" if reason else ""


def _number(look: Look, name: str) -> str:
    empty = look.columns.empty.get(name, 0)
    return _shown(name) + (f" ({empty:,} of {look.rows:,} cells are empty)" if empty else "")


def _parted(separator: str | None) -> str:
    if separator == cell_values.ONE_NAME or separator is None:
        return "each cell a name or a list of names"
    if separator in bracketed.BRACKETS:
        return f"a list in {separator}"
    return f"separated by {separator!r}"


def _rows(look: Look) -> Iterator[str]:
    spec, why = look.spec, look.columns.why
    if spec.weight is not None:
        yield f"{_shown(spec.weight)} says how much a row counts in training; nothing is judged by it"
    if spec.id is not None:
        yield f"each row is named by {_shown(spec.id)}{_because(why.get(spec.id))}"
    if spec.group is not None:
        yield f"rows with the same {_shown(spec.group)} stay in one part"
    if spec.split is not None:
        yield f"{_shown(spec.split)} says which part a row belongs to{_because(why.get(spec.split))}"


def _unused(look: Look) -> Iterator[str]:
    unused = list(look.columns.unused.items())
    yield from (f"{_shown(name)}: {reason}" for name, reason in unused[:NAMES])
    if len(unused) > NAMES:
        yield f"and {len(unused) - NAMES:,} more columns"


def _repeats(look: Look) -> Iterator[str]:
    repeats = look.repeats
    if not repeats.rows:
        yield "no two rows have the same inputs"
    else:
        yield f"{repeats.rows:,} rows have the same inputs as another row, {repeats.inputs:,} different inputs in all"
    if repeats.other_labels:
        yield f"{repeats.other_labels:,} of these rows have the same inputs as a row with other labels"
    if repeats.apart:
        yield (
            f"{repeats.apart:,} of these rows may be in the training and in the test part, which flatters every "
            "metric; remove the repeats, or name a column under --group that has the same value in rows that "
            "belong together"
        )
    if repeats.empty:
        yield f"{repeats.empty:,} rows have no word, entry or number at all"


def _leaks(look: Look) -> Iterator[str]:
    if not look.leaks:
        yield "no input gives a label away, as far as names, single words and numbers tell"
        return
    for column, leaks in by_column(look.leaks).items():
        yield (
            f"{_shown(column)} gives {len(leaks):,} of {len(look.positives):,} labels away; will the column be "
            "filled in when the model is used?"
        )
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
    return some(names, "{}", NAMES)


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
        f"\nHypotheses count only if they are declared before the first run: read {of_study[0].parent}/study.yaml. "
        "Then run"
    )
    run = f"make {name}" if has_makefile else f"rarelabels run {name}"
    commands = {
        run: f"run every trial with its seeds, and compare them: about {ahead.minutes:,} minutes on two cores",
        f"rarelabels findings {name}": "the verdict on each hypothesis",
        f"rarelabels report {name}": "one page with all results",
        f"rarelabels best {name}": "which trial and which rule to use",
    }
    width = max(map(len, commands))
    for command, what in commands.items():
        print(f"  {command:{width}}  {what}")
    if ahead.settings:
        fewer = f" (not {TRAININGS}, which would take long)" if ahead.settings < TRAININGS else ""
        print(
            f"\n`{run}` first tries {ahead.settings} settings{fewer} for each network, on validation; `rarelabels "
            "init --quick` writes a study without these searches"
        )
