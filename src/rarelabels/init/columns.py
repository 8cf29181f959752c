"""What each column of a table is taken for: labels, prose, a list, numbers, a category, an id, a part, or nothing.

The file is read once from its first row to its last, and once more if its numbers have other signs than Python's. A
sample of the cells is kept: every row of the first batch, and every sixteenth row later. What must hold for all cells,
such as being a number, is checked on all cells.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from rarelabels.data.table import column_checks, dialect, opening, table_files
from rarelabels.data.table.dialect import Dialect
from rarelabels.data.table.number_signs import DECIMALS, OTHERS, PLAIN, NumberSigns
from rarelabels.declare.table import ImageColumn, TableSpec, checked_delimiter, checked_encoding
from rarelabels.errors import UserError, nearest
from rarelabels.init.column import (
    LISTED,
    Column,
    Wish,
    check_text,
    is_empty,
    read_columns,
    unknown_column,
    with_separator,
)
from rarelabels.init.image_column import PROPOSED, find_images, given_images
from rarelabels.init.input_columns import Guess, declared_list
from rarelabels.init.label_columns import find_labels, label_columns
from rarelabels.init.label_files import with_labels_of_format
from rarelabels.init.unsegmented import proposed_tokens
from rarelabels.init.weight_column import find_weight


@dataclass(frozen=True)
class TableColumns:
    """What the columns of a table are taken for.

    Attributes:
        spec: the declaration; its path is the file as it was given, and every label counts, however rare.
        rows: how many rows of data the file has.
        count: how many columns.
        guessed_labels: whether the labels are a guess: all 0/1 columns.
        unused: column to the reason why it is not used.
        empty: numeric column to the number of its empty cells, for columns that have some.
        why: column to the reason why it is taken for what it is: the option that says so, or what its cells are like.
        word_of_one: the word that stands for 1 in 0/1 columns of labels; empty if a number or ``true`` does.
        hint: what may be wrong with how the file is read; empty if nothing seems to be.
    """

    spec: TableSpec
    rows: int
    count: int
    guessed_labels: bool
    unused: dict[str, str]
    empty: dict[str, int] = field(default_factory=dict)
    why: dict[str, str] = field(default_factory=dict)
    word_of_one: str = ""
    hint: str = ""


def find(path: Path, wish: Wish) -> TableColumns:
    """Read a table and return what its columns are taken for.

    Raises:
        UserError: the file cannot be read, a named column is not there, or there is nothing to guess.
    """
    _check_texts(path, wish)
    _check_there(path)
    written = _dialect(path, wish)
    everything = table_files.column_names(path, written)
    names = [name for name in everything if name]
    wish = with_labels_of_format(path, wish)
    column_checks.check_delimiter(path, names, written)
    hint = column_checks.header_hint(path, names, written, "say --no-header")
    lists = dict(with_separator(given, names) for given in wish.lists)
    asked = given_images(wish.images, names)
    _check_wish(path, names, wish, [*lists], hint, asked)
    columns = read_columns(path, names, written)
    given = {*wish.text, *lists, *wish.numeric, *wish.categories, *wish.ignore}
    given |= set(filter(None, (wish.id, wish.group, wish.split, wish.weight)))
    given |= {one.column for one in wish.vectors}
    given |= {asked.column} if asked else set()
    labels = find_labels(path, wish, columns, given, hint)
    of_labels = label_columns(labels, names)
    numbers = [columns[name] for name in names if name not in (of_labels | given) - {*wish.numeric, wish.weight}]
    signs = _signs(numbers, wish)
    plain, columns = columns, columns if signs == PLAIN else read_columns(path, names, written, signs)
    rest = {name: one for name, one in columns.items() if name not in given | of_labels}
    split = wish.split or next((name for name, one in rest.items() if one.says_parts), None)
    weight = wish.weight or find_weight(rest)
    of_images, no_images = find_images(path.parent, rest)
    images = asked or next(iter(of_images), None)
    others = {name: one for name, one in rest.items() if name not in (split, weight)}
    used = {one.column for one in of_images} | no_images.keys()
    guess = Guess.of({name: one for name, one in others.items() if name not in used}, wish)
    unused: dict[str, str] = {name: "has no name" for name in everything if not name}
    unused |= dict.fromkeys(wish.ignore, "as --ignore says") | guess.unused | no_images
    unused |= {one.column: "names images, as another column does" for one in of_images if one != images}
    unused |= {
        name: f"holds numbers, but not with {signs.decimal!r} before the decimals as other columns do"
        for name in guess.unused
        if plain[name].is_numeric and not columns[name].is_numeric
    }
    text = (*wish.text, *guess.text)
    inputs = {
        "text": text,
        "lists": (*(declared_list(columns[name], sign) for name, sign in lists.items()), *guess.lists),
        "numeric": (*wish.numeric, *guess.numeric),
        "categories": (*wish.categories, *guess.categories),
        "vectors": (*wish.vectors, *guess.vectors),
        "images": images,
    }
    if not any(inputs.values()):
        raise _nothing_left(path, wish, unused)
    table = {"kind": "table", "path": str(path), "labels": labels, **inputs, **asdict(written), **asdict(signs)}
    table |= {"backbone": PROPOSED} if images else {}
    one_use = {"id": wish.id or guess.id, "group": wish.group, "split": split, "weight": weight}
    tokens = {"tokens": proposed_tokens({name: columns[name].texts for name in text})}
    spec = TableSpec.model_validate(table | one_use | tokens)
    flags = of_labels if labels.column is None else set()
    return TableColumns(
        spec,
        rows=next(iter(columns.values())).rows,
        count=len(everything),
        guessed_labels=wish.labels is None,
        unused=unused,
        empty={name: columns[name].missing for name in spec.numeric if columns[name].missing},
        why=guess.why | _of_images(images, asked) | _as_asked(wish, lists) | _of_parts(columns, split, wish),
        word_of_one=next((columns[name].word_of_one for name in names if name in flags), ""),
        hint=hint + _empty_rows(path, columns, written),
    )


def _empty_rows(path: Path, columns: dict[str, Column], written: Dialect) -> str:
    """Return that rows have no filled cell, as spreadsheets may write them below a table; empty if there are none."""
    if not all(one.empty for one in columns.values()):
        return ""
    rows = [
        batch.first + row
        for batch in table_files.batches(path, list(columns), written)
        for row, cells in enumerate(zip(*batch.cells.values(), strict=True))
        if all(map(is_empty, cells))
    ]
    return (
        f"; rows without a filled cell: {len(rows):,}, first row {rows[0]:,}; they count, so take them out"
        if rows
        else ""
    )


def _nothing_left(path: Path, wish: Wish, unused: dict[str, str]) -> UserError:
    why = [f"column {name!r} {reason}" for name, reason in list(unused.items())[:LISTED]]
    if wish.labels is None:
        why.append("all 0/1 columns are taken for labels; if some are inputs, name the labels with --labels")
    return UserError(
        f"{path}: no column is left that a model could read; name the input columns with --text, --list, --numeric, "
        f"--categories, --vectors or --images{''.join(f'; {reason}' for reason in why)}"
    )


def _check_there(path: Path) -> None:
    with opening.readable(path):
        is_there = path.exists()
    if not is_there:
        near = nearest(path.name, [one.name for one in path.absolute().parent.glob("*")])
        raise UserError(f"{path}: there is no such file{near}")


def _dialect(path: Path, wish: Wish) -> Dialect:
    """Return how the file is written, as the user says or as it looks."""
    asked = {"delimiter": wish.delimiter, "encoding": wish.encoding}
    checks = {"delimiter": checked_delimiter, "encoding": checked_encoding}
    for option, value in asked.items():
        try:
            if value is not None:
                checks[option](value)
        except ValueError as error:
            raise UserError(f"--{option}: {error}") from None
    given = [f"--{option}" for option, value in asked.items() if value is not None] + ["--no-header"] * (
        not wish.header
    )
    if given and opening.table_format(path) not in opening.DELIMITERS:
        raise UserError(f"{given[0]}: only a .csv or .tsv file is read in another way; given {path}")
    return dialect.recognise(path, wish.delimiter, wish.encoding, header=wish.header)


def _signs(columns: Sequence[Column], wish: Wish) -> NumberSigns:
    """Return the signs of the table's numbers: those that read the most columns, if a column needs other than plain."""
    if wish.decimal not in (None, *DECIMALS):
        raise UserError(f"--decimal: allowed {' or '.join(DECIMALS)}; given {wish.decimal!r}")
    allowed = [signs for signs in OTHERS if wish.decimal in (None, signs.decimal)]
    odd = [one for one in columns if one.others and one.otherwise]
    plain = [one for one in columns if one.is_numeric and not one.others]

    def read(signs: NumberSigns) -> tuple[int, int]:
        return sum(one.is_read_by(signs) for one in odd), sum(one.is_read_by(signs) for one in plain)

    best = max(allowed, key=read)
    if read(best)[0]:
        return best
    return NumberSigns(wish.decimal) if wish.decimal else PLAIN


def _as_asked(wish: Wish, lists: Iterable[str]) -> dict[str, str]:
    """Return the columns that the user names, each with the option."""
    options = {"--text": wish.text, "--list": lists, "--numeric": wish.numeric, "--categories": wish.categories}
    options["--vectors"] = [one.column for one in wish.vectors]
    why = {name: f"as {option} says" for option, names in options.items() for name in names}
    return why | ({wish.id: "as --id says"} if wish.id is not None and wish.id not in why else {})


def _of_images(images: ImageColumn | None, asked: ImageColumn | None) -> dict[str, str]:
    return {images.column: "as --images says" if asked else "its cells name image files"} if images else {}


def _of_parts(columns: dict[str, Column], split: str | None, wish: Wish) -> dict[str, str]:
    if split is None:
        return {}
    words = ", ".join(f"{word} is {part}" for word, part in sorted(columns[split].parts.items()) if word != part)
    return {split: "; ".join(filter(None, [words, "as --split says" if wish.split else ""]))}


def _check_texts(path: Path, wish: Wish) -> None:
    """Raise if the path or an option is not UTF-8 text."""
    check_text("the name of the file", str(path))
    for one in fields(wish):
        values = getattr(wish, one.name)
        for value in values if isinstance(values, tuple) else (values,):
            if isinstance(value, str):
                check_text("--list" if one.name == "lists" else f"--{one.name}", value)


def _check_wish(
    path: Path, names: Sequence[str], wish: Wish, lists: Sequence[str], hint: str, images: ImageColumn | None
) -> None:
    inputs = [("--text", one) for one in wish.text]
    inputs += [("--list", one) for one in lists] + [("--numeric", one) for one in wish.numeric]
    inputs += [("--categories", one) for one in wish.categories]
    inputs += [("--vectors", one.column) for one in wish.vectors if one.file is None]
    inputs += [("--images", images.column)] if images else []
    inputs += [("--ignore", one) for one in wish.ignore] + ([("--split", wish.split)] if wish.split is not None else [])
    # An id or a group may be an input too, as in a declaration.
    inputs += [("--weight", wish.weight)] if wish.weight is not None else []
    others = [(option, one) for option, one in (("--id", wish.id), ("--group", wish.group)) if one is not None]
    taken: dict[str, str] = {}
    for option, name in inputs + others:
        if name not in names:
            unknown_column(path, names, option, name, hint)
        is_input = (option, name) in inputs or taken.get(name) in ("--ignore", "--split")
        if is_input and taken.setdefault(name, option) != option:
            raise UserError(
                f"{option}: column {name!r} is given under {taken[name]}, too; name it under one option only"
            )
    column_checks.check_files(path, wish.vectors, names)
    in_files = [one.column for one in wish.vectors if one.file is not None]
    if both := [name for name in in_files if in_files.count(name) > 1]:
        raise UserError(f"--vectors: column {both[0]!r} is given twice; name it once")
    if len(inputs) > len(taken) or len(lists) < len(wish.lists):
        twice = next((name for option, name in inputs if inputs.count((option, name)) > 1), None)
        twice = twice or next(name for name in lists if sum(one.startswith(name) for one in wish.lists) > 1)
        raise UserError(f"{taken[twice]}: column {twice!r} is given twice; name it once")
