"""Small films in place of the real ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from rarelabels.data.sources import movies
from small_films import database, film


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Forty small films in place of the real ones, and an empty cache."""
    genres = ["Drama", "Drama, War", "Drama, Comedy", "Comedy", "Western"]
    path = database(tmp_path / "own.db", [film(i, genres[i % 5]) for i in range(40)])
    monkeypatch.setattr(movies, "source", lambda: path)
    monkeypatch.setenv("RARELABELS_CACHE", str(tmp_path / "cache"))
    return path
