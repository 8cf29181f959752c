"""Addresses of records, storages and schedulers: what is one, and how it is shown, without the password in it."""

from __future__ import annotations

import re

# //name:password@ up to the last @ of a word, for a password may hold any sign; and ?password=... of PostgreSQL.
_IN_ADDRESS = re.compile(r"(//[^/@\s:]*:)\S*@")
_IN_QUERY = re.compile(r"((?:password|passwd|pwd|sslpassword)=)[^&\s'\"]*", re.IGNORECASE)


def is_url(address: str) -> bool:
    """Return whether an address is of something that is asked, and no path on this machine."""
    return "://" in address


def without_password(text: str) -> str:
    """Return a text in which the passwords of all addresses are three stars.

    >>> without_password("cannot reach postgresql://me:a/b@c@10.0.0.1:5432/runs")
    'cannot reach postgresql://me:***@10.0.0.1:5432/runs'
    """
    return _IN_QUERY.sub(r"\1***", _IN_ADDRESS.sub(r"\1***@", text))
