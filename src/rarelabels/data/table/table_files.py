"""Files that hold a table, read in batches of rows: CSV, TSV, JSON Lines, sparse text, ARFF (also gzipped), Parquet.

Memory does not grow with the file. The standard library reads the text formats, and not pyarrow: its readers tell the
line of each row, refuse a quote that is never closed, and do not guess the type of a column.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path

import pyarrow.parquet as pq

from rarelabels.data.table.arff_tables import arff_names, arff_rows
from rarelabels.data.table.batch import BATCH_ROWS, Batch, Row
from rarelabels.data.table.delimited_files import check_widths, delimited_records
from rarelabels.data.table.json_lines import json_objects
from rarelabels.data.table.opening import check_content, is_text, readable, table_format
from rarelabels.data.table.parquet_files import parquet_batches
from rarelabels.data.table.svm_files import COLUMNS, svm_rows
from rarelabels.errors import UserError


def column_names(path: Path) -> tuple[str, ...]:
    """Return the names of the columns in the order of the file; for JSON Lines, every key that any row has.

    Raises:
        UserError: the file cannot be read, is not what its name says, is empty, or has two columns of one name.
    """
    check_content(path)
    match table_format(path):
        case "parquet":
            with readable(path), pq.ParquetFile(path) as file:
                names = file.schema_arrow.names
        case "jsonl":
            names = list(dict.fromkeys(chain.from_iterable(row for _, row in json_objects(path))))
        case "svm":
            names = list(COLUMNS)
        case "arff":
            names = list(arff_names(path))
        case "csv" | "tsv":
            _, names = next(delimited_records(path), (0, []))
    if not names:
        raise UserError(f"{path}: is empty; a table needs columns and rows")
    if unreadable := [name for name in names if not is_text(name)]:
        raise UserError(f"{path}: the name of column {unreadable[0]!r} is not UTF-8 text; save the file as UTF-8")
    # Spreadsheets write empty columns without a name; nobody can ask for them.
    if twice := [name for name in dict.fromkeys(names) if name and names.count(name) > 1]:
        raise UserError(f"{path}: two columns are called {', '.join(map(repr, twice))}; rename one of them")
    return tuple(names)


def batches(path: Path, columns: Sequence[str]) -> Iterator[Batch]:
    """Yield the given columns of a table, ``BATCH_ROWS`` rows at a time.

    Args:
        path: a file that :func:`column_names` has read.
        columns: without repeats; the file has them.

    Raises:
        UserError: a row that cannot be read, with its number and line.
    """
    match table_format(path):
        case "parquet":
            yield from parquet_batches(path, columns)
        case "jsonl":
            for first, objects in _numbered(json_objects(path)):
                cells = {name: [row.get(name) for _, row in objects] for name in columns}
                yield Batch(path, first, len(objects), [line for line, _ in objects], cells)
        case "svm":
            for first, sparse in _numbered(svm_rows(path)):
                cells = {name: [row.cell(name) for row in sparse] for name in columns}
                yield Batch(path, first, len(sparse), [row.line for row in sparse], cells)
        case "arff":
            for first, lines in _numbered(arff_rows(path, columns)):
                cells = {name: [row[i] for _, row in lines] for i, name in enumerate(columns)}
                yield Batch(path, first, len(lines), [line for line, _ in lines], cells)
        case "csv" | "tsv":
            records = delimited_records(path)
            _, header = next(records)
            place = {name: header.index(name) for name in columns}
            for first, rows in _numbered(records):
                batch = Batch(path, first, len(rows), [line for line, _ in rows], {})
                check_widths(batch, [record for _, record in rows], len(header))
                batch.cells.update({name: [record[i] for _, record in rows] for name, i in place.items()})
                yield batch


def _numbered(rows: Iterator[Row]) -> Iterator[tuple[int, list[Row]]]:
    first = 1
    while batch := list(islice(rows, BATCH_ROWS)):
        yield first, batch
        first += len(batch)
