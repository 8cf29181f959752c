"""ARFF files as tables: each attribute is a column."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rarelabels.data.table.label_xml import label_names
from rarelabels.data.table.opening import opened, readable
from rarelabels.errors import UserError
from rarelabels.extras import need

if TYPE_CHECKING:
    from rarelabels.data.sources.arff_files import ArffTable

_MEKA = re.compile(r"-C\s+(-?\d+)")


def arff_names(path: Path) -> tuple[str, ...]:
    """Return the names of the attributes.

    Raises:
        UserError: the file cannot be read, or its header is damaged.
    """
    return _table(path).attributes


def arff_rows(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, list[Any]]]:
    """Yield the line of each row, and its cells in these columns.

    Raises:
        UserError: a row is damaged.
    """
    table = _table(path)
    places = [table.attributes.index(name) for name in columns]
    for line, cells in table.rows():
        yield line, [cells[place] for place in places]


def labels_by_count(path: Path, count: int | None) -> tuple[str, ...]:
    """Return the first attributes, or the last ones for a negative count.

    Args:
        path: an ARFF file.
        count: how many; None: as MEKA writes it into the name of the relation, ``-C 6`` or ``-C -6``; none if it does
            not.

    Raises:
        UserError: there are not so many attributes, or none would be left.
    """
    table = _table(path)
    found = _MEKA.search(table.relation) if count is None else None
    if count is None and found is None:
        return ()
    wanted = int(found[1]) if found else count or 0
    if not 2 <= abs(wanted) < len(table.attributes):
        whence = f"@relation {table.relation!r}" if found else "--labels"
        raise UserError(
            f"{path}: {whence}: the number of labels must be 2 to {len(table.attributes) - 1} (the first) or "
            f"-2 to -{len(table.attributes) - 1} (the last); given {wanted}"
        )
    return table.attributes[:wanted] if wanted > 0 else table.attributes[wanted:]


def labels_by_xml(path: Path, xml: Path) -> tuple[str, ...]:
    """Return the attributes that an XML file of Mulan names as labels, in its order.

    Raises:
        UserError: the XML cannot be read, or names an attribute that is not there.
    """
    with readable(xml):
        content = xml.read_bytes()
    names, there = label_names(content, str(xml)), set(arff_names(path))
    if missing := [name for name in names if name not in there]:
        raise UserError(f"{path}: has no attribute {missing[0]!r}, which {xml} names as a label")
    return tuple(names)


def _table(path: Path) -> ArffTable:
    need("arff", "an ARFF file")
    from rarelabels.data.sources.arff_files import ArffTable

    with readable(path), opened(path) as file:
        content = file.read()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UserError(f"{path}: line {line}: is not UTF-8 text; save the file as UTF-8") from None
    return ArffTable(text.replace("\r\n", "\n").replace("\r", "\n"), str(path))
