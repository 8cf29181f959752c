"""How a CSV or TSV file is written: what separates its cells, its encoding, whether its first row names the columns."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from rarelabels.data.table.opening import DELIMITERS, opened, readable, table_format
from rarelabels.declare.table import TableSpec

LOOKED_AT = 1 << 18  # characters
ROWS = 200
SENTENCE = 4  # words: the name of a column has no more
_SEP = re.compile(r"sep=([^\w\s]|\t)\r?\n")  # the first line of a file for Excel
UTF_16 = (b"\xff\xfe", b"\xfe\xff")  # the first bytes of such a file


@dataclass(frozen=True)
class Dialect:
    """How a CSV or TSV file is written. It says nothing of a file of another format.

    Attributes:
        delimiter: the sign between cells; None: as the file's name says.
        encoding: of the text. A mark at the beginning of UTF-8 text is skipped.
        header: whether the first row names the columns; otherwise they are called 1, 2, 3, ...
        index: whether rows may begin with a cell that the header does not name, such as the row numbers that R writes.
    """

    delimiter: str | None = None
    encoding: str = "utf-8"
    header: bool = True
    index: bool = False

    @classmethod
    def of(cls, spec: TableSpec) -> Dialect:
        """Return the dialect that a table declares."""
        return cls(spec.delimiter, spec.encoding, spec.header, spec.index)

    def between(self, path: Path) -> str:
        """Return the sign between the cells of a CSV or TSV file."""
        return self.delimiter or DELIMITERS[table_format(path)]

    @property
    def codec(self) -> str:
        """The name of the encoding for Python, which skips the mark of UTF-8."""
        return "utf-8-sig" if self.encoding.lower().replace("_", "-") in ("utf-8", "utf8") else self.encoding


PLAIN = Dialect()


def recognise(
    path: Path, delimiter: str | None = None, encoding: str | None = None, *, header: bool | None = None
) -> Dialect:
    """Return how a file is written, from its beginning; what is given is not looked for.

    Args:
        path: the file.
        delimiter: the sign between cells, if it is known.
        encoding: of the text, if it is known. UTF-16 is recognised by its mark; nothing else is, and UTF-8 is assumed.
        header: False if there is none.

    Raises:
        UserError: the file cannot be read.
    """
    if table_format(path) not in DELIMITERS:
        return PLAIN
    named = header is not False
    with readable(path), opened(path) as file:
        start = file.read(2)
    encoding = encoding or ("utf-16" if start in UTF_16 else "utf-8")
    looked = Dialect(delimiter, encoding, named)
    with readable(path), opened(path) as file:
        text = io.TextIOWrapper(file, encoding=looked.codec, errors="surrogateescape", newline="").read(LOOKED_AT)
    own, told = DELIMITERS[table_format(path)], _SEP.match(text)
    delimiter = delimiter or (told.group(1) if told else None)
    text = text[told.end() :] if told else text
    signs = [delimiter] if delimiter else [own, *(sign for sign in ("\t", ";", "|", ",") if sign != own)]
    fits = {sign: rows for sign in signs if _is_table(rows := _rows(text, sign), named=named)}
    if not named and own == "," and not delimiter:  # decimal commas part rows into as many cells each, too
        signs = [*signs[1:], own]
    found = next((sign for sign in signs if sign in fits), signs[0])
    index = named and _has_index(fits.get(found, []))
    return Dialect(None if found == own else found, encoding, named, index)


def _rows(text: str, sign: str) -> list[list[str]]:
    """Return the first rows of a text; none if a quote is wrong in them."""
    rows: list[list[str]] = []
    try:
        for row in islice(csv.reader(io.StringIO(text, newline=""), delimiter=sign, strict=True), ROWS + 1):
            if row:
                rows.append(row)
    except csv.Error:
        if len(text) < LOOKED_AT:
            return []
    # The last row may be cut.
    return rows[:-1] if len(text) == LOOKED_AT and len(rows) <= ROWS else rows


def _is_table(rows: Sequence[Sequence[str]], *, named: bool) -> bool:
    """Whether rows have as many cells as the first, two or more; or all one more than the header."""
    widths = {len(row) for row in rows[1:]}
    return bool(rows) and len(rows[0]) > 1 and (widths <= {len(rows[0])} or (named and widths == {len(rows[0]) + 1}))


def _has_index(rows: Sequence[Sequence[str]]) -> bool:
    """Whether each row has one cell more than the header, and the first cells count the rows."""
    if len(rows) < 2 or len(rows[1]) != len(rows[0]) + 1:
        return False
    return any([row[0].strip() for row in rows[1:]] == [str(i) for i in range(k, k + len(rows) - 1)] for k in (0, 1))


def looks_like_data(names: Sequence[str], cells: dict[str, list[str]]) -> str:
    """Return the name of the first column that seems to be a cell of the first row; empty if none does.

    A name is taken for a cell if it is a sentence, or if a cell of its column is the same; not if the names count up.

    >>> looks_like_data(["a grey house by the sea", "0"], {})
    'a grey house by the sea'

    Args:
        names: the names of the columns.
        cells: column name to the cells of the first rows.
    """
    numbers = [int(name) for name in names if name.isdecimal()]
    first = min(numbers, default=0)
    counted = set(map(str, numbers)) if numbers == list(range(first, first + len(numbers))) else set()
    for name in names:
        if name in counted:
            continue
        if len(name.split()) > SENTENCE or name.strip() in {str(cell).strip() for cell in cells.get(name, []) if cell}:
            return name
    return ""
