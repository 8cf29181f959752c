"""Files that hold a table, read in batches of rows: CSV, TSV, JSON Lines, sparse text, ARFF (also gzipped), Parquet.

Memory does not grow with the file. The standard library reads the text formats, and not pyarrow: its readers tell the
line of each row, refuse a quote that is never closed, and do not guess the type of a column.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

import pyarrow.parquet as pq

from rarelabels.data.table.arff_tables import arff_names, arff_rows
from rarelabels.data.table.batch import Batch, numbered
from rarelabels.data.table.delimited_files import delimited_batches, delimited_names
from rarelabels.data.table.dialect import PLAIN, Dialect
from rarelabels.data.table.encodings import not_text
from rarelabels.data.table.json_lines import json_objects
from rarelabels.data.table.opening import DELIMITERS, check_content, is_text, readable, table_format
from rarelabels.data.table.parquet_files import parquet_batches
from rarelabels.data.table.svm_files import COLUMNS, svm_rows
from rarelabels.errors import UserError


def column_names(path: Path, dialect: Dialect = PLAIN) -> tuple[str, ...]:
    """Return the names of the columns in the order of the file; for JSON Lines, every key that any row has.

    Raises:
        UserError: the file cannot be read, is not what its name says, is empty, or has two columns of one name.
    """
    check_content(path, dialect.encoding)
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
            names = delimited_names(path, dialect)
    if not names:
        raise UserError(f"{path}: is empty; a table needs columns and rows")
    encoding = dialect.encoding if table_format(path) in DELIMITERS else ""
    if unreadable := [name for name in names if not is_text(name)]:
        raise UserError(f"{path}: the name of column {unreadable[0]!r} {not_text(path, encoding)}")
    # Spreadsheets write empty columns without a name; nobody can ask for them.
    if twice := [name for name in dict.fromkeys(names) if name and names.count(name) > 1]:
        or_data = "; if that row is data, set dataset.header to false (init: --no-header)"
        hint = or_data if table_format(path) in DELIMITERS else ""
        raise UserError(f"{path}: two columns are called {', '.join(map(repr, twice))}; rename one of them{hint}")
    return tuple(names)


def batches(path: Path, columns: Sequence[str], dialect: Dialect = PLAIN) -> Iterator[Batch]:
    """Yield the given columns of a table, ``BATCH_ROWS`` rows at a time.

    Args:
        path: a file that :func:`column_names` has read.
        columns: without repeats; the file has them.
        dialect: of a CSV or TSV file.

    Raises:
        UserError: a row that cannot be read, with its number and line.
    """
    match table_format(path):
        case "parquet":
            yield from parquet_batches(path, columns)
        case "jsonl":
            for first, objects in numbered(json_objects(path)):
                cells = {name: [row.get(name) for _, row in objects] for name in columns}
                yield Batch(path, first, len(objects), [line for line, _ in objects], cells)
        case "svm":
            for first, sparse in numbered(svm_rows(path)):
                cells = {name: [row.cell(name) for row in sparse] for name in columns}
                yield Batch(path, first, len(sparse), [row.line for row in sparse], cells)
        case "arff":
            for first, lines in numbered(arff_rows(path, columns)):
                cells = {name: [row[i] for _, row in lines] for i, name in enumerate(columns)}
                yield Batch(path, first, len(lines), [line for line, _ in lines], cells)
        case "csv" | "tsv":
            yield from delimited_batches(path, columns, dialect)
