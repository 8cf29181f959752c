"""Go on where a part of a command fails that is not its main work, such as a summary, a figure or a page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rarelabels.errors import UserError, failure
from rarelabels.record import writing


@contextmanager
def set_aside(failures: list[str], what: str = "") -> Iterator[None]:
    """Catch an error of a block, and add a line with the reason to ``failures``.

    An error of the record itself is raised, and so is one that the user can mend.

    Args:
        failures: gets the line.
        what: begins the line, if it is given.

    >>> failures = []
    >>> with set_aside(failures, "movies: not summed up"):
    ...     raise ValueError("no room")
    >>> failures
    ['movies: not summed up: ValueError: no room']
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        if writing.is_of_record(error):
            raise
        failures.append(": ".join(filter(None, [what, failure(error)])))
