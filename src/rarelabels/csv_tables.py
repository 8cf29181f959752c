"""Tables as CSV: names that are written come back as they were, whatever they look like."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def text(frame: pd.DataFrame) -> str:
    r"""Return a table as CSV, without its index.

    >>> import pandas as pd
    >>> text(pd.DataFrame({"label": ["a,b", "NA"], "f1": [0.5, None]}))
    'label,f1\n"a,b",0.5\nNA,\n'
    """
    written = frame.to_csv(index=False)
    if "\r" in written:  # pandas leaves it without quotes, and readers take it for the end of a row
        written = frame.to_csv(index=False, quoting=csv.QUOTE_NONNUMERIC)
    return str(written)


def write(path: Path, frame: pd.DataFrame) -> None:
    """Write a table as CSV; see :func:`text`."""
    path.write_text(text(frame), encoding="utf-8", newline="")


def read(path: Path, names: Sequence[str]) -> pd.DataFrame:
    """Return a table that :func:`write` wrote.

    Args:
        path: of the file.
        names: columns of text, such as labels: ``1.0``, ``0010`` and ``NA`` stay what they are. Columns that the file
            does not have are ignored. In other columns an empty cell is a missing value.
    """
    import pandas as pd

    found = pd.read_csv(path, dtype=dict.fromkeys(names, "str"), keep_default_na=False, na_values=[""])
    return found.fillna({name: "" for name in names if name in found})
