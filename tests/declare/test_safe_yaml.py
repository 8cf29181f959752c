"""One YAML file is read safely."""

import doctest
from pathlib import Path

import pytest

from rarelabels.declare import safe_yaml
from rarelabels.declare.safe_yaml import dump, parse
from rarelabels.declare.yaml_files import read_file
from yaml_texts import problem_of, write

pytestmark = pytest.mark.usefixtures("beside_a_parent")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("# a comment only\n", "is empty"),
        (b"question: \xff", "is not UTF-8"),
        ("question: a".encode("utf-16"), "is not UTF-8"),
        ("[1, 2]", "allowed a mapping"),
        ("just text", "allowed a mapping"),
        ("watch: [auc", "line 1: not YAML"),
        ("watch:\t[auc]", "line 1: not YAML"),
        (b"question: \x07", "not YAML"),
        ("seeds: [" + "9" * 5000 + "]", "not YAML"),
        ("? [1, [2]]\n: 3", "not YAML"),
        ("? {a: 1}\n: 3", "line 1: not YAML"),
        ("watch: [auc]\nseeds: [1]\nwatch: [auc]", "line 3: key 'watch' is given twice"),
        ("loss: {kind: bce,\n kind: bce}", "line 2: key 'kind' is given twice"),
        ("watch: [auc]\n---\nwatch: [auc]", "line 2: a second document"),
        ("%YAML 1.1\n---\nthread: no", "%YAML directive"),
        ("watch: !!python/object/apply:os.system [ls]", "line 1: tags are not allowed"),
        ("watch: !env HOME", "line 1: tags are not allowed; given !env"),
        ("a: &x [1]\nb: *x", "line 1: anchors and aliases"),
        ("<<: {a: 1}", "merge keys"),
        ("a: " + "[" * 5000 + "]" * 5000, "nested too deeply"),
        ("a: " + "x" * 200_000, "too long"),
        ("3.5: 4", "a key must be text; given 3.5"),
        ("loss: {true: 4}", "a key must be text; given true"),
    ],
)
def test_an_unreadable_file_is_one_line(text: str | bytes, says: str):
    line = problem_of(text, read_file)
    assert line.startswith("t.yaml: ")
    assert says in line


def test_an_alias_bomb_does_not_hang():
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 60))
    assert "anchors and aliases" in problem_of(bomb)


def test_nothing_in_a_file_is_executed(beside_a_parent: Path):
    problem_of(f"watch: !!python/object/apply:pathlib.Path.touch ['{beside_a_parent}/touched']")
    assert not (beside_a_parent / "touched").exists()


def test_yaml_is_1_2():
    text = "rate: 1e-3\nword: no\nother: yes\noctal: 010\nday: 2020-01-01\nequals: =\nnothing: null\nlist: [1, [2]]"
    assert parse(text, "here") == {
        "rate": 0.001,
        "word": "no",
        "other": "yes",
        "octal": 10,
        "day": "2020-01-01",
        "equals": "=",
        "nothing": None,
        "list": (1, (2,)),
    }


def test_a_byte_order_mark_is_harmless():
    assert read_file(write(b"\xef\xbb\xbfseeds: [1]")) == {"seeds": (1,)}


def test_what_is_dumped_is_parsed_equal_and_keeps_its_order():
    values = {"b": {"0": "1", "a": "no: it's"}, "a": (1, 2.5, True, None, "null", "1e3", "2026-11-30", "ä\nb")}
    assert parse(dump(values | {"a": list(values["a"])}), "f.yaml") == values
    assert list(parse(dump({"b": 1, "a": 2}), "f.yaml")) == ["b", "a"]
    assert doctest.testmod(safe_yaml).failed == 0
