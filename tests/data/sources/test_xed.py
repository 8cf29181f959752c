from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from rarelabels.data import loading, splits
from rarelabels.data.sources import xed
from rarelabels.data.unsplit import Table
from rarelabels.declare.data import XedSpec
from rarelabels.errors import MissingDataError, UserError

SPEC = XedSpec(kind="xed")
MEND = "run `rarelabels fetch xed`"


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RARELABELS_DATA", str(tmp_path))
    (tmp_path / "xed").mkdir()
    return tmp_path / "xed/en-annotated.tsv"


def parsed(path: Path, text: str) -> Table:
    path.write_bytes(text.encode())
    return xed.parse(SPEC)


def tokens(path: Path, sentence: str) -> list[str]:
    return parsed(path, f"{sentence}\t1\n").text["sentence"].to_lists()[0]


# The table


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["unix", "windows"])
def test_the_table_worked_by_hand(path: Path, end: str) -> None:
    text = "Get out !\t1, 4\nWe are friends .\t8, 5, 2\nget OUT .\t7\nget it out !\t3,6\n"
    table = parsed(path, text.replace("\n", end))
    assert table.labels == ("anger", "anticipation", "disgust", "fear", "joy", "sadness", "surprise", "trust")
    assert table.y.tolist() == [
        [1, 0, 0, 1, 0, 0, 0, 0],
        [0, 1, 0, 0, 1, 0, 0, 1],
        [0, 0, 0, 0, 0, 0, 1, 0],
        [0, 0, 1, 0, 0, 1, 0, 0],
    ]
    assert table.y.dtype == np.uint8
    assert table.strata is table.y
    assert list(table.text) == ["sentence"]
    assert table.text["sentence"].to_lists() == [
        ["get", "out", "!"],
        ["we", "are", "friends"],
        ["get", "out"],
        ["get", "it", "out", "!"],
    ]
    assert table.ids.tolist() == ["1", "2", "3", "4"]
    assert table.groups is not None
    assert table.groups.tolist() == [0, 1, 0, 2]
    assert table.numeric.shape == (4, 0)


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("I don't , I'm [PERSON]'s !!", ["i", "don't", "i'm", "[person]", "s", "!", "!"]),
        ("... Well ? - No ... it's $ 5", ["...", "well", "?", "no", "...", "it's", "5"]),
        ("a [GAY SLUR] and a [N-WORD]", ["a", "[gay slur]", "and", "a", "[n-word]"]),
        ("♪ Été ♪ 'quoted' years ' end", ["été", "quoted", "years", "end"]),
        ("an [open bracket", ["an", "open", "bracket"]),
        ("-- .", []),
    ],
)
def test_tokens(path: Path, sentence: str, expected: list[str]) -> None:
    assert tokens(path, sentence) == expected


def test_sentences_without_words_are_their_own_groups(path: Path) -> None:
    groups = parsed(path, "!\t1\n?\t7\n... ?\t7\n!\t2\n").groups
    assert groups is not None
    assert groups.tolist() == [0, 1, 2, 0]


def test_blank_lines_are_no_rows_and_ids_are_lines(path: Path) -> None:
    assert parsed(path, "\ufeffa\t1\n\n  \nb\t2").ids.tolist() == ["1", "4"]


def test_a_line_ends_nowhere_else(path: Path) -> None:
    assert tokens(path, "one\u2028two\x85three\x0cfour") == ["one", "two", "three", "four"]


def test_gzipped_and_plain_are_the_same(path: Path) -> None:
    parsed(path, "a\t1\n")
    content = xed.content(SPEC)
    path.with_name("en-annotated.tsv.gz").write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    assert xed.content(SPEC) == content
    assert xed.parse(SPEC).y.sum() == 1
    parsed(path, "a\t2\n")
    assert xed.content(SPEC) != content


# Files that are missing or damaged


def test_missing_data(path: Path) -> None:
    for read in (xed.content, xed.parse):
        with pytest.raises(MissingDataError) as error:
            read(SPEC)
        assert str(error.value) == (
            f"{path.parent}: en-annotated.tsv (or .tsv.gz) is missing; {MEND}, or set RARELABELS_DATA to the folder "
            "that holds xed/"
        )


@pytest.mark.parametrize(
    "line",
    ["no tab", "a\t", "a\t0", "a\t9", "a\t1, 9", "a\t1 4", "a\t1,", "a\tanger", "\t1", " \t1", "a\tb\t1", "a\t1\t2"],
)
def test_a_line_of_another_shape(path: Path, line: str) -> None:
    with pytest.raises(UserError) as error:
        parsed(path, f"fine\t1\r\n{line}\r\n")
    assert str(error.value) == (
        f"{path}: line 2: must be a sentence, a tab and numbers from 1 to 8 as in '1, 4, 7', but is {line!r}; {MEND}"
    )


def test_a_long_line_is_shown_in_short(path: Path) -> None:
    with pytest.raises(UserError) as error:
        parsed(path, "x" * 10_000)
    assert len(str(error.value)) < 300 + len(str(path))


def test_an_emotion_given_twice(path: Path) -> None:
    with pytest.raises(UserError, match="line 1: gives an emotion twice, in '1, 4, 1'; run"):
        parsed(path, "a\t1, 4, 1\n")


def test_not_utf_8(path: Path) -> None:
    path.write_bytes(b"a\t1\r\n\xe9\t2\r\n")
    with pytest.raises(UserError, match=r"en-annotated\.tsv: line 2: is not UTF-8 text; run"):
        xed.parse(SPEC)


def test_an_empty_file(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RARELABELS_CACHE", str(tmp_path / "cache"))
    assert parsed(path, "").y.shape == (0, 8)
    with pytest.raises(UserError, match="no row has the label 'anger'"):
        loading.load(SPEC, 0)


# The real sentences


def test_the_real_sentences() -> None:
    try:
        data = loading.load(SPEC, 0)
    except MissingDataError as error:
        pytest.skip(f"the real sentences are not on this machine: {error}")
    parts = [getattr(data, part) for part in splits.PARTS]
    assert data.prose == tuple(data.train.text) == ("sentence",)
    y = np.concatenate([part.y for part in parts])
    assert y.shape == (17_528, 8)
    assert y.any(axis=1).all()
    assert y.mean() == pytest.approx(0.1599, abs=5e-5)
    assert data.labels == xed.EMOTIONS
    assert y.sum(axis=0).tolist() == [3828, 3400, 2317, 2439, 2833, 2464, 2442, 2699]
    assert min(part.text["sentence"].lengths.min() for part in parts) == 1
    words = [
        {" ".join(word for word in row if word not in ("!", "?", "...")) for row in part.text["sentence"].to_lists()}
        for part in parts
    ]
    assert not any(words[a] & words[b] - {""} for a, b in ((0, 1), (0, 2), (1, 2)))
    for part, share in zip(parts, (0.7, 0.1, 0.2), strict=True):
        assert len(part.y) == pytest.approx(17_528 * share, rel=0.02)
        assert np.abs(part.y.mean(axis=0) - y.mean(axis=0)).max() < 0.005
