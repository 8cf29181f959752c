from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from rarelabels.data import loading, splits
from rarelabels.data.sources import mulan
from rarelabels.data.unsplit import Table
from rarelabels.declare.data import MulanSpec
from rarelabels.errors import MissingDataError, UserError

SPEC = MulanSpec(kind="mulan", name="emotions")
MEND = "run `rarelabels fetch mulan`"

XML = """<?xml version="1.0" encoding="utf-8"?>
<labels xmlns="http://mulan.sourceforge.net/labels">
<label name="sad"></label>
<label name="calm &amp; still"/>
</labels>
"""
HEADER = """@relation music
@attribute tempo numeric
@attribute 'calm & still' {0,1}
@attribute loud {0,1}
@attribute sad {0,1}
@data
"""
DENSE = "120.5,0,1,1\n-3,1,0,0\n120.5,1,1,0\n0,0,0,0\n-0,0,0,1\n"
SPARSE = "{0 120.5,2 1,3 1}\n{0 -3,1 1}\n{1 1,0 120.5,2 1}\n{}\n{3 1}\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for the two files of ``emotions``."""
    monkeypatch.setenv("RARELABELS_DATA", str(tmp_path))
    monkeypatch.setenv("RARELABELS_CACHE", str(tmp_path / "cache"))
    (tmp_path / "mulan/emotions").mkdir(parents=True)
    return tmp_path / "mulan/emotions"


def write(folder: Path, arff: str = HEADER + DENSE, xml: str | bytes = XML) -> None:
    (folder / "emotions.arff").write_bytes(arff.encode())
    (folder / "emotions.xml").write_bytes(xml if isinstance(xml, bytes) else xml.encode())


def parsed(folder: Path, arff: str = HEADER + DENSE, xml: str | bytes = XML) -> Table:
    write(folder, arff, xml)
    return mulan.parse(SPEC)


def refused(folder: Path, arff: str = HEADER + DENSE, xml: str | bytes = XML) -> str:
    with pytest.raises(UserError) as error:
        parsed(folder, arff, xml)
    message = str(error.value)
    assert not isinstance(error.value, MissingDataError)
    assert message.startswith(f"{folder}/emotions.")
    assert "\n" not in message
    return message


# The table


@pytest.mark.parametrize("rows", [DENSE, SPARSE], ids=["dense", "sparse"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["unix", "windows", "mac"])
def test_the_table_worked_by_hand(folder: Path, rows: str, end: str) -> None:
    table = parsed(folder, (HEADER + rows).replace("\n", end), XML.replace("\n", end))
    assert table.labels == ("sad", "calm & still")  # the order of the XML, not of the ARFF
    assert table.y.tolist() == [[1, 0], [0, 1], [0, 1], [0, 0], [1, 0]]
    assert table.strata is table.y
    assert table.y.dtype == np.uint8
    assert table.numeric_names == ("tempo", "loud")
    assert table.numeric.tolist() == [[120.5, 1], [-3, 0], [120.5, 1], [0, 0], [0, 0]]
    assert table.numeric.dtype == np.float64
    assert table.ids.tolist() == ["1", "2", "3", "4", "5"]
    assert table.text == {}
    assert table.groups is not None
    assert table.groups.tolist() == [0, 1, 0, 2, 2]  # by the numbers alone, and -0 is 0


def test_nested_labels_follow_the_one_that_holds_them(folder: Path) -> None:
    names = ["sport", "ball", "foot", "hand", "water", "news"]
    xml = (
        '<labels><label name="sport"><label name="ball"><label name="foot"/><label name="hand"/></label>'
        '<label name="water"/></label><label name="news"/></labels>'
    )
    attributes = "".join(f"@attribute {name} {{0,1}}\n" for name in sorted(names))
    table = parsed(folder, f"@relation r\n@attribute x real\n{attributes}@data\n{{0 2,4 1}}\n", xml)
    assert table.labels == tuple(names)
    assert table.y.tolist() == [[0, 0, 0, 0, 0, 1]]  # 0 x, 1 ball, 2 foot, 3 hand, 4 news


def test_labels_may_be_numeric_attributes(folder: Path) -> None:
    table = parsed(folder, HEADER.replace("sad {0,1}", "sad numeric") + "1,0,1,1.0\n2,0,1,0\n")
    assert table.y[:, 0].tolist() == [1, 0]
    assert "row 2 (line 8), attribute 'sad': a label must be 0 or 1, but is 0.5" in refused(
        folder, HEADER.replace("sad {0,1}", "sad numeric") + "1,0,1,1\n2,0,1,0.5\n"
    )


@pytest.mark.parametrize("seed", range(3))
def test_random_rows_come_back_and_equal_rows_are_one_group(folder: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, names = 60, ["a", "b", "c", "y0", "y1", "y2"]
    order = rng.permutation(6)
    values = np.hstack([rng.integers(0, 3, (n, 3)) * 0.1, rng.integers(0, 2, (n, 3))])
    header = "".join(f"@attribute {names[i]} {'numeric' if i < 3 else '{0,1}'}\n" for i in order)
    shown = [[repr(float(v)) if i < 3 else str(int(v)) for i, v in enumerate(row)] for row in values]
    rows = "".join(f"{{{','.join(f'{k} {row[i]}' for k, i in enumerate(order) if float(row[i]))}}}\n" for row in shown)
    label_order = rng.permutation([3, 4, 5]).tolist()
    xml = f"<labels>{''.join(f'<label name={names[i]!r}/>' for i in label_order)}</labels>"
    table = parsed(folder, f"@relation r\n{header}@data\n{rows}", xml)
    assert table.labels == tuple(names[i] for i in label_order)
    assert np.array_equal(table.y, values[:, label_order])
    assert np.array_equal(table.numeric, values[:, [i for i in order if i < 3]])
    assert table.groups is not None
    same_numbers = (values[:, None, :3] == values[None, :, :3]).all(axis=2)
    assert np.array_equal(table.groups[:, None] == table.groups[None, :], same_numbers)


def test_rows_with_the_same_numbers_never_part(folder: Path) -> None:
    rows = "".join(f"{i // 3},{i % 2},0,{i % 5 == 0:d}\n" for i in range(90))
    write(folder, HEADER + rows)
    data = loading.load(SPEC, 0)
    tempo = [set(part.numeric[:, 0].tolist()) for part in (data.train, data.validation, data.test)]
    assert sum(map(len, tempo)) == len(set().union(*tempo)) == 30
    assert data.numeric == ("tempo", "loud")


def test_a_label_without_a_positive_row_is_refused_as_in_all_data(folder: Path) -> None:
    write(folder, HEADER + "1,0,0,1\n" * 20)
    with pytest.raises(UserError, match="no row has the label 'calm & still'"):
        loading.load(SPEC, 0)


def test_content_is_that_of_both_files_gzipped_or_not(folder: Path) -> None:
    write(folder)
    content, table = mulan.content(SPEC), mulan.parse(SPEC)
    path = folder / "emotions.arff"
    (folder / "emotions.arff.gz").write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    assert mulan.content(SPEC) == content
    assert np.array_equal(mulan.parse(SPEC).numeric, table.numeric)
    write(folder, xml=XML.replace("sad", "loud"))
    assert mulan.content(SPEC) != content


# Files that are missing or damaged


@pytest.mark.parametrize(("name", "missing"), [("corel5k", "Corel5k-sparse.arff"), ("delicious", "delicious.arff")])
def test_missing_data(folder: Path, name: str, missing: str) -> None:
    spec = MulanSpec.model_validate({"kind": "mulan", "name": name})
    for read in (mulan.content, mulan.parse):
        with pytest.raises(MissingDataError) as error:
            read(spec)
        assert str(error.value) == (
            f"{folder.parent}: {name}/{missing} (or .arff.gz) and 1 more is missing; {MEND}, or set RARELABELS_DATA to "
            "the folder that holds mulan/"
        )


def test_one_missing_file(folder: Path) -> None:
    write(folder)
    (folder / "emotions.xml").unlink()
    with pytest.raises(MissingDataError, match=r"emotions/emotions\.xml \(or \.xml\.gz\) is missing; run"):
        mulan.parse(SPEC)


def test_a_label_that_is_no_attribute(folder: Path) -> None:
    message = refused(folder, xml=XML.replace("sad", "Sad"))
    assert message == f"{folder}/emotions.arff: has no attribute 'Sad', a label in {folder}/emotions.xml"
    many = "".join(f'<label name="l{i}"/>' for i in range(99))
    assert "no attribute 'l0', 'l1', 'l2', 'l3', 'l4' and 94 more, a label" in refused(
        folder, xml=f"<labels>{many}</labels>"
    )


def test_nothing_but_labels(folder: Path) -> None:
    xml = "<labels><label name='a'/><label name='b'/></labels>"
    text = "@relation r\n@attribute a {0,1}\n@attribute b {0,1}\n@data\n0,1\n"
    assert "every attribute is a label" in refused(folder, text, xml)


def test_a_damaged_arff_names_file_line_and_attribute(folder: Path) -> None:
    assert refused(folder, HEADER + DENSE + "1,?,0,0\n") == (
        f"{folder}/emotions.arff: row 6 (line 12), attribute 'calm & still': the value is missing"
    )
    assert "emotions.arff: line 0: there must be @relation" in refused(folder, "")


def test_an_arff_that_is_not_utf_8(folder: Path) -> None:
    write(folder)
    (folder / "emotions.arff").write_bytes(HEADER.replace("loud", "été").encode("latin-1"))
    with pytest.raises(UserError, match=r"emotions\.arff: line 4: is not UTF-8 text; run"):
        mulan.parse(SPEC)


BOMB = '<!DOCTYPE labels [<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {name} "{f"&{before};" * 99}">' for before, name in ("ab", "bc", "cd", "de", "ef", "fg", "gh")
)


@pytest.mark.parametrize(
    ("xml", "expected"),
    [
        ("", "line 1: is not XML: no element found"),
        ("sad, calm", "line 1: is not XML: syntax error"),
        (XML[:-12], "line 4: is not XML: unclosed token"),
        (XML[:-10], "line 5: is not XML: no element found"),
        (XML.replace("</label>", "</lable>"), "line 3: is not XML: mismatched tag"),
        (XML.encode().replace(b"sad", b"s\xe9d"), "line 3: is not XML: not well-formed"),
        (XML.replace("utf-8", "nonsense"), "line 1: cannot be read: unknown encoding: nonsense"),
        (XML.replace("utf-8", "utf-7"), "line 1: cannot be read: multi-byte encodings are not supported"),
        (XML.replace("calm &amp; still", "sad"), "line 4: label 'sad' is named twice"),
        (XML.replace('name="sad"', 'nome="sad"'), "line 3: a label has no name"),
        (XML.replace('"sad"', '""'), "line 3: a label has no name"),
        ("<labels/>", "line 1: names no label"),
        ("<label name='sad'/>", "but here is <label>"),
        ("<html><body/></html>", 'must be <labels> with <label name="..."> in it, but here is <html>'),
        ("<labels>\n<tag name='sad'/></labels>", "line 2: must be <labels>"),
        ('<?xml version="1.0"?>\n<!DOCTYPE labels SYSTEM "labels.dtd">\n<labels/>', "line 2: has a DOCTYPE"),
        (BOMB + ']><labels><label name="&h;"/></labels>', "line 1: has a DOCTYPE"),
        ('<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><labels>&a;</labels>', "line 1: has a DOCTYPE"),
    ],
)
def test_a_damaged_xml(folder: Path, xml: str | bytes, expected: str) -> None:
    message = refused(folder, xml=xml)
    assert message.startswith(f"{folder}/emotions.xml: line ")
    assert expected in message
    assert message.endswith(f"; {MEND}")


def test_a_deep_xml_is_no_trouble(folder: Path) -> None:
    open_labels = "".join(f"<label name='l{i}'>" for i in range(50_000))
    assert "is not XML: no element found" in refused(folder, xml=f"<labels>{open_labels}")


# The real sets

COUNTS = {  # rows, labels, share of ones, numbers, groups
    "emotions": (593, 6, 0.31, 72, 593),
    "medical": (978, 45, 0.028, 1449, 967),
    "corel5k": (5000, 374, 0.0094, 499, 4998),
    "delicious": (16105, 983, 0.019, 500, 12381),
}


@pytest.mark.parametrize("name", COUNTS)
def test_the_real_sets(name: str) -> None:
    try:
        table = mulan.parse(MulanSpec.model_validate({"kind": "mulan", "name": name}))
    except MissingDataError as error:
        pytest.skip(f"the real sets are not on this machine: {error}")
    rows, labels, share, numbers, groups = COUNTS[name]
    assert table.y.shape == (rows, labels)
    assert table.numeric.shape == (rows, numbers)
    assert float(f"{table.y.mean():.2g}") == share
    assert len(np.unique(table.groups)) == groups
    assert table.y.any(axis=0).all()
    assert np.isfinite(table.numeric).all()
    if name != "emotions":
        assert set(np.unique(table.numeric)) == {0, 1}


def test_the_real_emotions_are_split_in_whole() -> None:
    try:
        data = loading.load(SPEC, 0)
    except MissingDataError as error:
        pytest.skip(f"the real sets are not on this machine: {error}")
    assert data.labels[0] == "amazed-suprised"  # sic
    assert [len(getattr(data, part).y) for part in splits.PARTS] == [407, 60, 126]
    assert not any(data.summary["labels_without_positives"].values())
