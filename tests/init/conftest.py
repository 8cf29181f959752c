"""A look at a table of films, small tables, and an empty folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from proposed_study import FILMS
from rarelabels.errors import UserError
from rarelabels.init import columns
from rarelabels.init.column import Wish
from rarelabels.init.columns import TableColumns
from rarelabels.init.look import Look, look
from usual_columns import write


@pytest.fixture(scope="package")
def films() -> Look:
    return look(FILMS, Wish(labels="genres", group="director"))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def find(tmp_path: Path) -> Callable[..., TableColumns]:
    def found(given: dict[str, list[Any]], suffix: str = ".csv", **wish: Any) -> TableColumns:
        return columns.find(write(tmp_path / f"my{suffix}", given), Wish(**wish))

    return found


@pytest.fixture
def refused(find: Callable[..., TableColumns], tmp_path: Path) -> Callable[..., str]:
    def message(given: dict[str, list[Any]], **wish: Any) -> str:
        with pytest.raises(UserError) as caught:
            find(given, **wish)
        text = str(caught.value).replace(str(tmp_path / "my.csv"), "my.csv")
        assert "\n" not in text
        return text

    return message
