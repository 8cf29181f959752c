"""Which encoding a file is likely in, as a message says it."""

from __future__ import annotations

from pathlib import Path

import pytest

from rarelabels.data.table.encodings import is_utf_8, likely, not_text

PROSE = {
    "cp1252": "Un café noir à côté de la rivière, “voilà” — naïf. ",
    "cp1251": "Старый дом у реки, где никто не живёт. ",
    "cp932": "昔の男は川の家を見た。カタカナもあります。",
    "gb18030": "从前有一个人看见河边的房子。",
}


@pytest.mark.parametrize("encoding", PROSE)
def test_the_likely_encoding(encoding: str, tmp_path: Path) -> None:
    content = f"plot,tags\n{'a quiet house,b' * 20}\n".encode() + (PROSE[encoding] * 20).encode(encoding)
    assert likely(content) == encoding
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    assert f"set dataset.encoding to {encoding} (init: --encoding {encoding})" in not_text(path, "utf-8")
    assert not is_utf_8(path)


def test_utf_8_is_known_by_what_is_not_ascii(tmp_path: Path) -> None:
    for text, found in (("été" * 500_000, True), ("plain", False)):
        (tmp_path / "a.csv").write_text(text, encoding="utf-8")
        assert is_utf_8(tmp_path / "a.csv") is found


def test_another_declared_encoding_is_wrong_itself(tmp_path: Path) -> None:
    assert not_text(tmp_path / "a.csv", "cp1252").startswith("is not cp1252 text; set dataset.encoding")
