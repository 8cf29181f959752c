"""Kinds of data of other packages."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
import pytest

from rarelabels.data import loading
from rarelabels.data.tokens import Tokens
from rarelabels.data.unsplit import Table
from rarelabels.declare.own import OwnData
from rarelabels.errors import UserError


class Words(OwnData):
    """A hundred rows, each with the words of its labels."""

    kind: Literal["words"] = "words"
    rows: int = 100
    is_right: bool = True
    version: ClassVar[int] = 1

    def digest(self) -> str:
        return f"{self.rows:064x}"

    def read(self) -> Any:
        y = np.random.default_rng(0).integers(0, 2, (self.rows, 3)).astype(np.uint8)
        words = Tokens.from_lists([[f"w{place}" for place in np.flatnonzero(row)] for row in y])
        ids = np.array([f"r{i}" for i in range(self.rows)])
        return Table(ids, ("a", "b", "c"), y, y, None, {"words": words}) if self.is_right else "rows"


def test_it_is_read_split_and_kept_like_any_other() -> None:
    data = loading.load(Words(), 0)  # type: ignore[arg-type]  # no entry point brings it into the union
    assert data.labels == ("a", "b", "c")
    assert sorted(len(part.ids) for part in (data.train, data.validation, data.test)) == [10, 20, 70]
    assert data.digest == loading.digest(Words())  # type: ignore[arg-type]


def test_its_digest_is_of_source_keys_and_version(monkeypatch: pytest.MonkeyPatch) -> None:
    before = loading.digest(Words())  # type: ignore[arg-type]
    assert loading.digest(Words(rows=101)) != before  # type: ignore[arg-type]
    monkeypatch.setattr(Words, "version", 2)
    assert loading.digest(Words()) != before  # type: ignore[arg-type]


def test_something_else_than_a_table_is_refused() -> None:
    with pytest.raises(UserError, match=r"dataset.kind 'words': its read must return a rarelabels.data.unsplit.Table"):
        loading.load(Words(is_right=False), 0)  # type: ignore[arg-type]
