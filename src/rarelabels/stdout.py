"""Standard output of a command. A pipe closed early ends the command quietly; a full disk ends it with one line."""

from __future__ import annotations

import io
import os
import sys
from typing import Any

from rarelabels.errors import UserError


class ReaderGoneError(Exception):
    """Nobody reads the output any more."""


class LostOutputError(UserError):
    """The output cannot be written."""


class _Output(io.FileIO):
    def write(self, text: Any) -> int:
        """Write what is printed.

        Raises:
            ReaderGoneError: nobody reads the output any more.
            LostOutputError: the output cannot be written.
        """
        try:
            return super().write(text)
        except BrokenPipeError as error:
            raise ReaderGoneError from error
        except OSError as error:
            raise LostOutputError(f"the output cannot be written to stdout: {error.strerror}") from error


def guard() -> None:
    """Replace ``sys.stdout``, so that printing raises the errors of this module from now on."""
    shown = sys.__stdout__
    if shown is not None and shown is sys.stdout:  # otherwise a test or another program has replaced it
        binary = io.BufferedWriter(_Output(shown.fileno(), "wb", closefd=False))
        sys.stdout = io.TextIOWrapper(binary, shown.encoding, shown.errors, line_buffering=shown.line_buffering)


def drop() -> None:
    """Discard all further output: Python would try to write the rest when it exits, and complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
