"""What each column of a table is taken for: labels, prose, a list, numbers, a category, an id, a part, or nothing.

The file is read once from its first row to its last. A sample of the cells is kept: every row of the first batch, and
every sixteenth row later. What must hold for all cells, such as being a number, is checked on all cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rarelabels.data.table import column_checks, opening, table_files
from rarelabels.declare.data import TableSpec
from rarelabels.errors import UserError, nearest
from rarelabels.init.column import LISTED, Wish, read_columns, unknown_column
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
    """

    spec: TableSpec
    rows: int
    count: int
    guessed_labels: bool
    unused: dict[str, str]
    empty: dict[str, int] = field(default_factory=dict)


def find(path: Path, wish: Wish) -> TableColumns:
    """Read a table and return what its columns are taken for.

    Raises:
        UserError: the file cannot be read, a named column is not there, or there is nothing to guess.
    """
    with opening.readable(path):
        is_there = path.exists()
    if not is_there:
        near = nearest(path.name, [one.name for one in path.absolute().parent.glob("*")])
        raise UserError(f"{path}: there is no such file{near}")
    names = [name for name in table_files.column_names(path) if name]
    wish = with_labels_of_format(path, wish)
    column_checks.check_delimiter(path, names)
    _check_wish(path, names, wish)
    columns = read_columns(path, names)
    given = {
        *wish.text,
        *wish.lists,
        *wish.numeric,
        *wish.categories,
        *filter(None, (wish.id, wish.group, wish.weight)),
    }
    given |= {one.column for one in wish.vectors}
    labels = find_labels(path, wish, columns, given)
    rest = {name: one for name, one in columns.items() if name not in given | label_columns(labels, names)}
    split = next((name for name, one in rest.items() if one.says_parts), None)
    weight = wish.weight or find_weight(rest)
    guess = Guess.of({name: one for name, one in rest.items() if name not in (split, weight)}, wish)
    lists = [declared_list(columns[name]) for name in wish.lists] or guess.lists
    text = wish.text or tuple(guess.text)
    inputs = {"text": text, "lists": tuple(lists), "numeric": wish.numeric or guess.numeric}
    inputs |= {"categories": wish.categories or guess.categories, "vectors": wish.vectors or guess.vectors}
    if not any(inputs.values()):
        why = [f"column {name!r} {reason}" for name, reason in list(guess.unused.items())[:LISTED]]
        if wish.labels is None:
            why.append("all 0/1 columns are taken for labels; if some are inputs, name the labels with --labels")
        raise UserError(
            f"{path}: no column is left that a model could read; name the input columns with --text, --list, "
            f"--numeric, --categories or --vectors{''.join(f'; {reason}' for reason in why)}"
        )
    inputs["tokens"] = proposed_tokens({name: columns[name].texts for name in text})
    one_use = {"id": wish.id or guess.id, "group": wish.group, "split": split, "weight": weight}
    spec = TableSpec.model_validate({"kind": "table", "path": str(path), "labels": labels, **inputs, **one_use})
    empty = {name: columns[name].missing for name in spec.numeric if columns[name].missing}
    return TableColumns(spec, next(iter(columns.values())).rows, len(names), wish.labels is None, guess.unused, empty)


def _check_wish(path: Path, names: Sequence[str], wish: Wish) -> None:
    inputs = [("--text", one) for one in wish.text]
    inputs += [("--list", one) for one in wish.lists] + [("--numeric", one) for one in wish.numeric]
    inputs += [("--categories", one) for one in wish.categories]
    inputs += [("--vectors", one.column) for one in wish.vectors if one.file is None]
    # An id or a group may be an input too, as in a declaration.
    inputs += [("--weight", wish.weight)] if wish.weight is not None else []
    others = [(option, one) for option, one in (("--id", wish.id), ("--group", wish.group)) if one is not None]
    taken: dict[str, str] = {}
    for option, name in inputs + others:
        if name not in names:
            unknown_column(path, names, option, name)
        if (option, name) in inputs and taken.setdefault(name, option) != option:
            raise UserError(
                f"{option}: column {name!r} is given under {taken[name]}, too; name it under one option only"
            )
    if len(inputs) > len(taken):
        twice = next(name for option, name in inputs if inputs.count((option, name)) > 1)
        raise UserError(f"{taken[twice]}: column {twice!r} is given twice; name it once")
