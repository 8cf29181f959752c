"""Files and the digests that say whether they are what was recorded."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from rarelabels.record import digests
from rarelabels.record.digests import SMALL, fault


def test_each_file_below_a_folder_has_a_tag(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "one.txt").write_bytes(b"one")
    tags = digests.digests(tmp_path)
    assert tags == {"sha256/deep/one.txt": f"{hashlib.sha256(b'one').hexdigest()} 3"}
    assert digests.recorded(tags | {"kind": "run"}) == {"deep/one.txt": tags["sha256/deep/one.txt"]}


def test_what_is_wrong_with_a_file(tmp_path: Path) -> None:
    file = tmp_path / "one.txt"
    assert fault(file, "") == "is missing"
    file.write_bytes(b"one")
    said = digests.digests(tmp_path)["sha256/one.txt"]
    assert fault(file, said) == ""
    file.write_bytes(b"two")
    assert fault(file, said) == "is not what was recorded"
    file.write_bytes(b"three")
    assert fault(file, said) == "has 5 of the 3 bytes that were recorded"


def test_a_large_file_is_known_by_its_size_unless_it_is_read(tmp_path: Path) -> None:
    file = tmp_path / "large.txt"
    file.write_bytes(b"a" * (SMALL + 1))
    said = digests.digests(tmp_path)["sha256/large.txt"]
    file.write_bytes(b"b" * (SMALL + 1))
    assert fault(file, said, deep=False) == ""
    assert fault(file, said) == "is not what was recorded"


@pytest.mark.parametrize(
    ("name", "content"), [("a.json", b'{"a": 1}'), ("a.csv", b"a,b\n1,2\n"), ("a.parquet", b"PAR1....PAR1")]
)
def test_a_file_without_a_digest_must_end_as_its_kind_does(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    assert fault(tmp_path / name, "") == ""
    (tmp_path / name).write_bytes(content[:-1])
    assert fault(tmp_path / name, "") == "is cut or damaged"


def test_weights_without_a_digest_must_be_a_whole_archive(tmp_path: Path) -> None:
    np.savez(tmp_path / "weights.npz", a=np.arange(100))
    assert fault(tmp_path / "weights.npz", "") == ""
    content = (tmp_path / "weights.npz").read_bytes()
    (tmp_path / "weights.npz").write_bytes(content[: len(content) // 2])
    assert fault(tmp_path / "weights.npz", "") == "is cut or damaged"
