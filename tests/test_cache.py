from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from rarelabels import cache
from rarelabels.cache import cached
from rarelabels.errors import UserError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RARELABELS_CACHE", str(tmp_path / "deep" / "cache"))
    return tmp_path / "deep" / "cache"


def build() -> cache.Arrays:
    return {"numbers": np.arange(2000).reshape(40, 50), "names/of": np.array(["ä", "日本"])}


def never() -> cache.Arrays:
    raise AssertionError("built although the cache holds it")


def check(arrays: cache.Arrays) -> None:
    assert set(arrays) == {"numbers", "names/of"}
    assert (arrays["numbers"] == np.arange(2000).reshape(40, 50)).all()
    assert arrays["names/of"].tolist() == ["ä", "日本"]


def test_the_second_time_nothing_is_built(folder: Path) -> None:
    check(cached("table", "key", build))
    check(cached("table", "key", never))
    assert len(list(folder.iterdir())) == 1


def test_another_key_or_name_is_another_entry(folder: Path) -> None:
    cached("table", "key", build)
    assert cached("table", "key 2", lambda: {"x": np.ones(1)})["x"] == 1
    assert cached("split", "key", lambda: {"x": np.zeros(1)})["x"] == 0
    check(cached("table", "key", never))


def flip(position: int) -> Callable[[bytes], bytes]:
    return lambda content: content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :]


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "only a checksum": lambda content: content[:32],
    "cut short": lambda content: content[:-100],
    "last byte missing": lambda content: content[:-1],
    "grown": lambda content: content + b"\0",
    "bit of the checksum": flip(5),
    "bit of the numbers": flip(4000),
    "other content": lambda _: b"not ours " * 1000,
    "pickle": lambda _: b"\x80\x04\x8c\x05hello\x94.",
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_damaged_file_is_built_again_and_mended(folder: Path, damage: Callable[[bytes], bytes]) -> None:
    cached("table", "key", build)
    (entry,) = folder.iterdir()
    entry.write_bytes(damage(entry.read_bytes()))
    calls = []
    check(cached("table", "key", lambda: calls.append(1) or build()))  # type: ignore[func-returns-value]
    assert calls == [1]
    check(cached("table", "key", never))


def test_an_intact_entry_under_another_name_is_not_trusted(folder: Path) -> None:
    cached("table", "theirs", lambda: {"numbers": np.zeros(3)})
    (theirs,) = folder.iterdir()
    content = theirs.read_bytes()
    theirs.unlink()
    cached("table", "ours", build)
    (ours,) = folder.iterdir()
    ours.write_bytes(content)
    check(cached("table", "ours", build))


def test_objects_are_refused_because_they_need_pickles(folder: Path) -> None:
    with pytest.raises(ValueError, match="allow_pickle"):
        cached("table", "key", lambda: {"x": np.array([{}], dtype=object)})
    assert not list(folder.iterdir())


def test_two_processes_fill_one_entry_at_once(folder: Path, tmp_path: Path) -> None:
    # Each build waits until the other has begun too, so both find nothing and both write.
    code = """
import sys, time
from pathlib import Path
import numpy as np
from rarelabels.cache import cached
here, own, other = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
def build():
    (here / own).touch()
    end = time.monotonic() + 30
    while not (here / other).exists():
        assert time.monotonic() < end
        time.sleep(0.001)
    return {"x": np.arange(500_000)}
assert cached("table", "key", build)["x"].sum() == 124999750000
"""
    environment = os.environ | {"RARELABELS_CACHE": str(folder)}
    started = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path), *names], env=environment)
        for names in (("one", "two"), ("two", "one"))
    ]
    assert [process.wait(60) for process in started] == [0, 0]
    assert cached("table", "key", never)["x"].sum() == 124999750000
    assert len(list(folder.iterdir())) == 1


def test_a_write_that_fails_leaves_nothing_behind(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full_disk(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(UserError, match="No space left on device"):
        cached("table", "key", build)
    assert not list(folder.iterdir())


@pytest.mark.parametrize("unusable", ["file/cache", "file", "/proc/rarelabels"])
def test_a_folder_that_cannot_be_made_is_named(unusable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("a regular file, not a folder")
    where = tmp_path / unusable  # an absolute path stays as it is
    monkeypatch.setenv("RARELABELS_CACHE", str(where))
    with pytest.raises(UserError) as caught:
        cached("table", "key", never)
    assert str(caught.value).startswith(f"{where}: ")
    assert "RARELABELS_CACHE" in str(caught.value)


@pytest.mark.parametrize(
    ("own", "shared", "expected"),
    [
        ("/a/b", "/x", "/a/b"),
        ("~/c", "/x", "/home/me/c"),
        ("", "/x", "/x/rarelabels"),
        (None, "/x", "/x/rarelabels"),
        (None, "x", "/home/me/.cache/rarelabels"),
        (None, None, "/home/me/.cache/rarelabels"),
    ],
)
def test_where_the_cache_is(
    own: str | None, shared: str | None, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    for variable, value in (("RARELABELS_CACHE", own), ("XDG_CACHE_HOME", shared)):
        if value is None:
            monkeypatch.delenv(variable, raising=False)
        else:
            monkeypatch.setenv(variable, value)
    assert cache.folder() == Path(expected)
