"""Standard output of a command: a pipe that is closed early ends it quietly, a full disk with one line."""

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
            ReaderGoneError: nobody reads it any more.
            LostOutputError: it cannot be written.
        """
        try:
            return super().write(text)
        except BrokenPipeError as error:
            raise ReaderGoneError from error
        except OSError as error:
            raise LostOutputError(f"the output cannot be written to stdout: {error.strerror}") from error


def guard() -> None:
    """Let what is printed from now on raise the errors of this module."""
    shown = sys.__stdout__
    if shown is not None and shown is sys.stdout:  # else a test or another program has taken its place
        binary = io.BufferedWriter(_Output(shown.fileno(), "wb", closefd=False))
        sys.stdout = io.TextIOWrapper(binary, shown.encoding, shown.errors, line_buffering=shown.line_buffering)


def drop() -> None:
    """Write nothing more: Python would try the rest again when it ends, and complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
