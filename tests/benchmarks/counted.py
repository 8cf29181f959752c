"""Call rarelabels, and count what it asks the record: ``counted.py COUNTS.json run movies``.

Counts this process alone, which does everything where nothing is to be done.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from sqlalchemy import event
from sqlalchemy.engine import Engine

from rarelabels import cli


def main() -> None:
    """Write {"calls": by method of MLflow's client, "statements": of SQL} to the file."""
    place, *sys.argv[1:] = sys.argv[1:]
    calls, statements = Counter[str](), Counter[str]()

    def counted(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def count(*args: Any, **kwargs: Any) -> Any:
            calls[name] += 1
            return method(*args, **kwargs)

        return count

    for name, method in list(vars(MlflowClient).items()):
        if callable(method) and not name.startswith("_"):
            setattr(MlflowClient, name, counted(name, method))

    @event.listens_for(Engine, "before_cursor_execute")
    def count_statement(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements[statement.split(maxsplit=1)[0].upper()] += 1

    try:
        cli.main()
    finally:
        Path(place).write_text(json.dumps({"calls": calls, "statements": statements}), "utf-8")


if __name__ == "__main__":
    main()
