"""Which columns of a table are its labels."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from pathlib import Path

from rarelabels.data.table import bracketed
from rarelabels.data.table.opening import shown
from rarelabels.declare.table import TableLabels
from rarelabels.errors import UserError
from rarelabels.init.column import Column, Wish, some_names, unknown_column, with_separator
from rarelabels.init.input_columns import declared_list, separator
from rarelabels.names import separated


def find_labels(path: Path, wish: Wish, columns: dict[str, Column], given: set[str], hint: str = "") -> TableLabels:
    """Return which columns are the labels, as the user says or as guessed.

    Args:
        path: the file.
        wish: what the user says.
        columns: all columns of the file.
        given: the columns that the user names as something else.
        hint: what may be wrong with the file if it has not the columns that the user names.

    Raises:
        UserError: the labels cannot be guessed, or the columns that the user names cannot be labels.
    """
    return _with_unknown(path, _found_labels(path, wish, columns, given, hint), columns)


def _with_unknown(path: Path, labels: TableLabels, columns: dict[str, Column]) -> TableLabels:
    """Return 0/1 columns with the cells that say that nobody annotated a label."""
    if labels.column is not None:
        return labels
    flags = [columns[name] for name in columns if name in label_columns(labels, list(columns))]
    for one in flags:
        if one.empty and one.is_filled_flags and not one.words_of_unknown:
            only = next(iter(one.few or ()))
            raise UserError(
                f"{path}: column {one.name!r} has empty cells and otherwise {only!r} alone: if empty means the other "
                "of 0 and 1, write that; if it means that nobody annotated the label, there is nothing to learn "
                "about it, so leave the column out of --labels"
            )
    words = dict.fromkeys(word for one in flags for word in one.words_of_unknown)
    return labels.model_copy(update={"unknown": tuple(words)}) if words else labels


def _found_labels(path: Path, wish: Wish, columns: dict[str, Column], given: set[str], hint: str) -> TableLabels:
    if wish.labels is not None:
        labels = _given_labels(path, wish.labels, columns, hint)
        if both := sorted(label_columns(labels, list(columns)) & given):
            raise UserError(
                f"--labels: column {both[0]!r} is given under another option, too; name it under one option only"
            )
        return labels
    found = [name for name, one in columns.items() if one.is_flags and name not in given]
    # Of columns that are written in two ways, words are more likely inputs.
    flags = [name for name in found if not columns[name].word_of_one]
    flags = flags if len(flags) > 1 else found
    if len(flags) < 2:  # columns that are 0, 1 or not annotated; beside two that are 0 or 1 they are more likely inputs
        flags = [name for name, one in columns.items() if name not in given and (one.is_flags or one.words_of_unknown)]
    if len(flags) < 2:
        only = f"; at least two labels are needed, and {flags[0]!r} is the only 0/1 column" if flags else ""
        raise UserError(
            f"{path}: which columns are the labels? name the column of label names (--labels a), or 0/1 columns "
            f"(--labels a,b,c, or a prefix: --labels 'is_*'){only}{some_names(list(columns))}"
        )
    # The prefix of the first and the last in alphabetical order is that of all; it ends with a sign: is_, not is_co.
    shared = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(min(flags), max(flags), strict=False))
    prefix = re.sub(r"[^\W_]*$", "", "".join(one for one, _ in shared))
    if prefix and prefix not in flags and flags == [name for name in columns if name.startswith(prefix)]:
        return TableLabels(prefix=prefix)
    return TableLabels(columns=tuple(flags))


def _given_labels(path: Path, given: str, columns: dict[str, Column], hint: str) -> TableLabels:
    column, sign = with_separator(given, list(columns))
    if column in columns:
        return _label_column(path, columns[column], sign)
    if given.endswith("*") and len(given) > 1:
        return TableLabels(prefix=given[:-1])
    bare = {name.strip(): name for name in columns}  # the option's names have no blanks around them
    names = [name if name in columns else bare.get(name, name) for name in separated(given)]
    for name in names:
        if name not in columns:
            unknown_column(path, list(columns), "--labels", name, hint)
    if len(names) < 2 or len(set(names)) < len(names):
        raise UserError(
            "--labels: allowed one column of label names, two or more different 0/1 columns (a,b,c), or their "
            f"prefix ('is_*'); given {given!r}"
        )
    return TableLabels(columns=tuple(names))


def _label_column(path: Path, column: Column, sign: str | None) -> TableLabels:
    if column.is_flags:
        raise UserError(
            f"--labels: column {column.name!r} of {path} is 0/1, so it is one label, but at least two labels are "
            f"needed; name all 0/1 columns (--labels {column.name},...), or a prefix ('is_*')"
        )
    found = sign or separator(column.texts)
    if sign is None and found not in bracketed.BRACKETS and any(map(bracketed.is_quoted_list, column.texts)):
        other = next((text for text in column.texts if not bracketed.is_quoted_list(text)), column.texts[0])
        raise UserError(
            f"--labels: column {column.name!r} of {path} holds lists in brackets beside other texts, as "
            f"{shown(other)}; write all cells in one way"
        )
    if sign is None and (deep := bracketed.not_of_names(column.texts)):
        raise UserError(
            f"--labels: column {column.name!r} of {path} holds lists of lists, or objects, and no lists of names, as "
            f"{shown(deep)}; write the names of a row as one list"
        )
    return TableLabels(column=column.name, separator=declared_list(column, sign).separator)


def label_columns(labels: TableLabels, names: Sequence[str]) -> set[str]:
    """Return the columns that a declaration of labels names."""
    if labels.prefix is not None:
        return {name for name in names if name.startswith(labels.prefix)}
    return {labels.column} if labels.column is not None else set(labels.columns or ())
