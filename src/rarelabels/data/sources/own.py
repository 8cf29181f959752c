"""Kinds of data of other packages."""

from __future__ import annotations

from dataclasses import dataclass

from rarelabels.data.unsplit import Table
from rarelabels.declare.own import OwnData
from rarelabels.errors import UserError


@dataclass
class Source:
    """The source of a kind of data of another package, as ``loading`` reads it."""

    VERSION: int

    @classmethod
    def of(cls, spec: OwnData) -> Source:
        """Return the source that a declaration names."""
        return cls(spec.version)

    def content(self, spec: OwnData) -> str:
        """Return a hash of the source's content, in hexadecimal."""
        return str(spec.digest())

    def parse(self, spec: OwnData) -> Table:
        """Read the source.

        Raises:
            UserError: the package returns no table.
        """
        table = spec.read()
        if not isinstance(table, Table):
            raise UserError(
                f"dataset.kind {spec.kind!r}: its read must return a rarelabels.data.unsplit.Table; got a "
                f"{type(table).__name__}"
            )
        return table
