"""What a user can mend, and how it is said: errors, the nearest known name, one line of failure without passwords."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

# //name:password@ up to the last @ of a word, for a password may hold any sign; and ?password=... of PostgreSQL.
_IN_ADDRESS = re.compile(r"(//[^/@\s:]*:)\S*@")
_IN_QUERY = re.compile(r"((?:password|passwd|pwd|sslpassword)=)[^&\s'\"]*", re.IGNORECASE)


def without_password(text: str) -> str:
    """Return a text in which the passwords of all addresses are three stars.

    >>> without_password("cannot reach postgresql://me:a/b@c@10.0.0.1:5432/runs")
    'cannot reach postgresql://me:***@10.0.0.1:5432/runs'
    """
    return _IN_QUERY.sub(r"\1***", _IN_ADDRESS.sub(r"\1***@", text))


def nearest(name: str, known: Iterable[str]) -> str:
    """Return ``; did you mean 'gamma'?``, or nothing where no known name is near."""
    near = get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def failure(error: Exception) -> str:
    """Return what a run died of, in one line, without the password that an address in it may have."""
    return without_password(f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}")


class UserError(Exception):
    """A mistake the user can mend: the message is all they need. The command line prints it and exits with 2."""


class ArgumentError(UserError, ValueError):
    """A value that a Python function does not take. A ``ValueError``, as NumPy's and scikit-learn's users expect.

    Not every ``UserError`` is a ``ValueError``: readers of files turn a parser's ``ValueError`` into a message, and
    would catch their own.
    """


class MissingDataError(UserError):
    """The data of a declared trial are not on this machine; the message says how to get them."""


class NotSearchedError(UserError):
    """A tuned trial has no finished search in the record; the message says how to run it."""
