from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from rarelabels import cache
from rarelabels.data.sources import source
from rarelabels.errors import MissingDataError, UserError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RARELABELS_DATA", str(tmp_path))
    (tmp_path / "films").mkdir()
    return tmp_path / "films"


def test_without_the_variable_the_data_lie_in_the_cache_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RARELABELS_DATA", raising=False)
    assert source.folder("films") == cache.folder() / "data" / "films"
    monkeypatch.setenv("RARELABELS_DATA", "~/data")
    assert source.folder("films") == Path.home() / "data" / "films"


def test_a_home_that_nobody_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RARELABELS_DATA", "~nobody_of_that_name/films")
    with pytest.raises(UserError, match="RARELABELS_DATA: ~nobody_of_that_name/films"):
        source.folder("films")


def test_plain_or_gzipped_and_the_plain_one_of_both(folder: Path) -> None:
    (folder / "a.json.gz").write_bytes(gzip.compress(b"packed"))
    (folder / "b.json").write_bytes(b"plain")
    assert source.files("films", ["a.json", "b.json"]) == [folder / "a.json.gz", folder / "b.json"]
    assert source.read("films", folder / "a.json.gz") == b"packed"
    packed = source.digest("films", source.files("films", ["a.json", "b.json"]))
    (folder / "a.json").write_bytes(b"packed")
    assert source.files("films", ["a.json"]) == [folder / "a.json"]
    assert source.digest("films", source.files("films", ["a.json", "b.json"])) == packed
    assert source.digest("films", source.files("films", ["b.json", "a.json"])) != packed


def test_missing_files(folder: Path) -> None:
    (folder / "b.json").write_bytes(b"plain")
    with pytest.raises(MissingDataError) as error:
        source.files("films", ["sub/a.arff", "b.json", "c.xml"])
    assert str(error.value) == (
        f"{folder}: sub/a.arff (or .arff.gz) and 1 more is missing; run `rarelabels fetch films`, or set "
        "RARELABELS_DATA to the folder that holds films/"
    )


def test_text_has_one_end_of_line_and_no_mark_before_it(folder: Path) -> None:
    path = folder / "a.txt"
    path.write_bytes("\ufeffé\r\nb\rc\u2028d\n".encode())
    assert source.read_text("films", path) == "é\nb\nc\u2028d\n"


def test_text_that_is_not_utf_8_names_the_line(folder: Path) -> None:
    path = folder / "a.txt"
    path.write_bytes(b"a\r\nb\r\n\xe9t\xe9\r\n")
    with pytest.raises(UserError) as error:
        source.read_text("films", path)
    assert str(error.value) == f"{path}: line 3: is not UTF-8 text; run `rarelabels fetch films`"
