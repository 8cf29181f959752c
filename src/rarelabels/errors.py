"""Errors that a user can mend, and their messages: the nearest known name, one line for a failure, no passwords."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

# //name:password@ up to the last @ of a word: a password may hold any character. And ?password=... of PostgreSQL.
_IN_ADDRESS = re.compile(r"(//[^/@\s:]*:)\S*@")
_IN_QUERY = re.compile(r"((?:password|passwd|pwd|sslpassword)=)[^&\s'\"]*", re.IGNORECASE)


def without_password(text: str) -> str:
    """Return a text in which the passwords of all addresses are three stars.

    >>> without_password("cannot reach postgresql://me:a/b@c@10.0.0.1:5432/runs")
    'cannot reach postgresql://me:***@10.0.0.1:5432/runs'
    """
    return _IN_QUERY.sub(r"\1***", _IN_ADDRESS.sub(r"\1***@", text))


def nearest(name: str, known: Iterable[str], *, cutoff: float = 0.6) -> str:
    """Return a hint at the known name that is most like ``name``; an empty text where no name is like it.

    Args:
        name: what was given.
        known: what is allowed.
        cutoff: the least similarity of a hint, from 0 to 1 (``difflib.SequenceMatcher.ratio``); case is ignored.

    >>> nearest("gama", ["alpha", "gamma"])
    "; did you mean 'gamma'?"
    >>> nearest("x", ["alpha", "gamma"])
    ''
    """
    spelled = {one.lower(): one for one in known}
    near = get_close_matches(name.lower(), spelled, n=1, cutoff=cutoff)
    return f"; did you mean {spelled[near[0]]!r}?" if near else ""


def counted(number: int, thing: str) -> str:
    """Return a number with its noun, in the plural where it needs one.

    >>> counted(1, "run"), counted(2000, "run")
    ('1 run', '2,000 runs')
    """
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, without passwords; the error's type where the message is empty.

    >>> first_line(ValueError("no such table\\nin http://me:secret@host/"))
    'no such table'
    >>> first_line(KeyboardInterrupt())
    'KeyboardInterrupt'
    """
    return without_password((str(error).strip().splitlines() or [type(error).__name__])[0])


def failure(error: BaseException) -> str:
    """Return why something failed, in one line without passwords: the error's type and the first line of its message.

    >>> failure(ConnectionError("postgresql://me:secret@host/runs does not answer"))
    'ConnectionError: postgresql://me:***@host/runs does not answer'
    """
    reason, name = first_line(error), type(error).__name__
    return name if reason == name else f"{name}: {reason}"


class UserError(Exception):
    """A mistake the user can mend: the message is all they need, and holds no password.

    The command line prints it and exits with 2.
    """

    def __init__(self, message: str) -> None:
        super().__init__(without_password(message))


class ArgumentError(UserError, ValueError):
    """A value that a Python function does not take. A ``ValueError``, as NumPy's and scikit-learn's users expect.

    Not every ``UserError`` is a ``ValueError``: readers of files catch a parser's ``ValueError``, and would catch
    their own errors with it.
    """


class MissingDataError(UserError):
    """The data of a declared trial are not on this machine; the message says how to get them."""


class NotSearchedError(UserError):
    """A tuned trial has no finished search in the record; the message says how to run it."""
