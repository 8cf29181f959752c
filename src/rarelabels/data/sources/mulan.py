"""Four benchmark sets of Mulan, each an ARFF file of rows and an XML file that says which attributes are labels.

| set | rows | labels | share of ones | numbers | rows with the same numbers as another |
|---|---|---|---|---|---|
| ``emotions`` | 593 | 6 | 31 % | 72 | none |
| ``medical`` | 978 | 45 | 2.8 % | 1,449 | 18, in 7 groups |
| ``corel5k`` | 5,000 | 374 | 0.94 % | 499 | 4, in 2 groups |
| ``delicious`` | 16,105 | 983 | 1.9 % | 500 | 4,945, in 1,221 groups of up to 107 |

The labels are those of the XML, in its order; a nested label comes after the label that holds it. Every other attribute
is a number (``arff_files``). Each label of the four sets has a positive row, so none is dropped: a label without one
would be refused, as in all data. But 77 labels of corel5k and 20 of medical have fewer than 5 positives, and 41 and 14
of these have no positive in the test part.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from rarelabels.data.sources import source
from rarelabels.data.table.label_xml import label_names
from rarelabels.data.unsplit import Table
from rarelabels.declare.data import MulanSpec
from rarelabels.errors import UserError
from rarelabels.names import some

if TYPE_CHECKING:
    from rarelabels.data.sources.arff_files import ArffFile

VERSION = 1
"""To be increased whenever the same source gives another table."""

NAME = "mulan"
FILES = {
    "emotions": ("emotions.arff", "emotions.xml"),
    "medical": ("medical.arff", "medical.xml"),
    "corel5k": ("Corel5k-sparse.arff", "Corel5k.xml"),
    "delicious": ("delicious.arff", "delicious.xml"),
}
"""Set -> its ARFF and its XML file below ``mulan/<set>``, each plain or gzipped."""


def content(spec: MulanSpec) -> str:
    """Return the SHA-256 of the set's two files, as hexadecimal text; gzipped or not makes no difference.

    Raises:
        MissingDataError: a file is missing.
        UserError: a file cannot be read.
    """
    return source.digest(NAME, _files(spec))


def parse(spec: MulanSpec) -> Table:
    """Read a set; rows keep the order of the file, and their ids are their numbers from 1.

    Labels and strata are those of the XML; ``numeric`` is (n, k) float64. Rows with the same numbers are a group: to a
    model they are one row, whatever their labels are.

    Raises:
        MissingDataError: a file is missing.
        UserError: the message says in one line what is wrong, in which file, and in which line, row or attribute.
    """
    from rarelabels.data.sources.arff_files import ArffFile  # to predict, liac-arff is not needed

    arff_path, xml_path = _files(spec)
    labels = _labels(xml_path)
    file = ArffFile(source.read_text(NAME, arff_path), str(arff_path))
    if missing := [name for name in labels if name not in file.attributes]:
        raise UserError(f"{arff_path}: has no attribute {some(missing)}, a label in {xml_path}")
    numbers = [name for name in file.attributes if name not in set(labels)]
    if not numbers:
        raise UserError(f"{arff_path}: every attribute is a label in {xml_path}, so nothing is left to learn from")
    x, y = _matrices(file, numbers, labels)
    return Table(
        ids=np.arange(1, len(y) + 1).astype(np.str_),
        labels=tuple(labels),
        y=y,
        strata=y,
        groups=pd.factorize(np.array([row.tobytes() for row in x], dtype=object))[0].astype(np.int64),
        text={},
        numeric=x,
        numeric_names=tuple(numbers),
    )


def _files(spec: MulanSpec) -> list[Path]:
    """Return the ARFF and the XML file of a set."""
    return source.files(NAME, [f"{spec.name}/{name}" for name in FILES[spec.name]])


def _matrices(
    file: ArffFile, numbers: Sequence[str], labels: Sequence[str]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.uint8]]:
    """Return (n, len(numbers)) and (n, len(labels)) 0/1."""
    column = {name: i for i, name in enumerate(file.attributes)}
    row_numbers, label_columns = ([column[name] for name in names] for names in (numbers, labels))
    x, y = [], []
    for row in file.rows():
        flags = row.values[label_columns]
        if len(wrong := np.flatnonzero((flags != 0) & (flags != 1))):
            raise UserError(
                f"{row.where}, attribute {labels[wrong[0]]!r}: a label must be 0 or 1, but is {flags[wrong[0]]:g}"
            )
        x.append(row.values[row_numbers])
        y.append(flags.astype(np.uint8))
    # Adding 0 turns -0 into 0, which has other bytes.
    return np.array(x).reshape(-1, len(numbers)) + 0.0, np.array(y, dtype=np.uint8).reshape(-1, len(labels))


def _labels(path: Path) -> list[str]:
    """Return the names of the labels in the order in which they begin."""
    return label_names(source.read(NAME, path), str(path), f"; {source.fetch_again(NAME)}")
