"""Which columns are labels in formats that say so in their own way: ARFF and sparse text."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rarelabels.data.table import opening
from rarelabels.data.table.arff_tables import labels_by_count, labels_by_xml
from rarelabels.data.table.svm_files import LABELS
from rarelabels.init.column import Wish


def with_labels_of_format(path: Path, wish: Wish) -> Wish:
    """Return the wish with the labels by name.

    For ARFF, ``--labels`` may be a number, of the first attributes or if negative the last, or an XML file of Mulan;
    without it, the number that MEKA writes into the name of the relation counts. Sparse text has a column of labels.

    Raises:
        UserError: the file of labels cannot be read, or the number is out of range.
    """
    match opening.table_format(path):
        case "svm" if wish.labels is None:
            return replace(wish, labels=LABELS)
        case "arff":
            return _of_arff(path, wish)
        case _:
            return wish


def _of_arff(path: Path, wish: Wish) -> Wish:
    given = wish.labels
    if given is None:
        found = labels_by_count(path, None)
    elif re.fullmatch(r"-?\d+", given):
        found = labels_by_count(path, int(given))
    elif given.lower().endswith(".xml"):
        found = labels_by_xml(path, Path(given))
    else:
        return wish
    return replace(wish, labels=_as_option(found)) if found else wish


def _as_option(names: Sequence[str]) -> str:
    """Return names as ``--labels`` takes them.

    >>> _as_option(["a", "b, c"])
    '"a","b, c"'
    """
    line = io.StringIO()
    csv.writer(line, quoting=csv.QUOTE_ALL, lineterminator="").writerow(names)
    return line.getvalue()
