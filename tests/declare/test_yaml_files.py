"""Files are read, `extends` is followed, files are merged, and each key knows which file wrote it."""

import os
from pathlib import Path

import pytest

from rarelabels.declare.problems import InputError, Origins
from rarelabels.declare.yaml_files import Declared, read_file, read_with_parents
from yaml_texts import problem_of, write

pytestmark = pytest.mark.usefixtures("beside_a_parent")


def data_of(text: str) -> dict[str, object]:
    return read_with_parents(write(text)).data


def test_a_missing_file_and_a_folder():
    Path("folder").mkdir()
    for path, says in [("no.yaml", "there is no such file"), ("folder", "is not a file")]:
        with pytest.raises(InputError) as caught:
            read_with_parents(Path(path))
        assert str(caught.value) == f"{path}: {says}"


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_permission():
    write("seeds: [1]").chmod(0)
    with pytest.raises(InputError, match="Permission denied"):
        read_file(Path("t.yaml"))


def test_mappings_merge_by_key_and_lists_are_replaced():
    data = data_of("extends: _base.yaml\nmodel: {width: 8}\nseeds: [7]\nwatch: [auc]")
    assert data == {
        "loss": {"kind": "bce", "form": "textbook"},
        "model": {"kind": "text_bag", "width": 8},
        "seeds": (7,),
        "watch": ("auc",),
    }


@pytest.mark.parametrize(
    ("loss", "merged"),
    [
        ("{kind: categorical_ce}", {"kind": "categorical_ce"}),
        ("{kind: bce}", {"kind": "bce", "form": "textbook"}),
        ("{form: shipped}", {"kind": "bce", "form": "shipped"}),
        ("bce", "bce"),
    ],
)
def test_a_changed_kind_replaces_its_block_and_the_same_kind_keeps_it(loss: str, merged: object):
    assert data_of(f"extends: _base.yaml\nloss: {loss}")["loss"] == merged


def test_a_parent_may_leave_the_kind_to_its_child():
    write("model: {width: 32}", "_open.yaml")
    assert data_of("extends: _open.yaml\nmodel: {kind: text_bag}") == {"model": {"width": 32, "kind": "text_bag"}}


def test_each_key_knows_which_file_wrote_it():
    declared = read_with_parents(write("extends: _base.yaml\nmodel: {width: 8}\nloss: {kind: categorical_ce}"))
    origins = declared.origins
    assert origins.files == ("t.yaml", "_base.yaml")
    assert origins.of(("model", "width")) == "t.yaml"
    assert origins.of(("model", "kind")) == "_base.yaml"
    assert origins.of(("seeds", 1)) == "_base.yaml"
    assert origins.of(("loss", "form")) == "t.yaml"  # a replaced block forgets who wrote the old one
    assert origins.of(("thread",)) == "t.yaml"  # what nobody wrote is missing in the file itself


def test_a_layer_leaves_what_is_below_it_as_it_was():
    below = Declared({"model": {"width": 8}}, Origins(("t.yaml",), {}))
    above = below.under({"model": {"width": 16}}, "--set")
    assert (below.data, above.data) == ({"model": {"width": 8}}, {"model": {"width": 16}})
    assert (below.origins.of(("model", "width")), above.origins.of(("model", "width"))) == ("t.yaml", "--set")


def test_a_cycle_is_told_as_the_chain_of_files():
    write("extends: b.yaml", "a.yaml")
    write("extends: t.yaml", "b.yaml")
    assert problem_of("extends: a.yaml") == "t.yaml: extends: a cycle: t.yaml → a.yaml → b.yaml → t.yaml"


def test_a_file_that_extends_itself_is_a_cycle():
    assert problem_of("extends: t.yaml") == "t.yaml: extends: a cycle: t.yaml → t.yaml"


def test_a_missing_parent_names_both_files():
    line = problem_of("extends: _bse.yaml")
    assert line == "t.yaml: extends: there is no file _bse.yaml; did you mean '_base.yaml'?"


def test_four_files_may_extend_each_other_and_five_may_not():
    write("extends: _base.yaml", "second.yaml")
    write("extends: second.yaml", "third.yaml")
    assert data_of("extends: third.yaml\nseeds: [7]")["seeds"] == (7,)
    write("extends: third.yaml", "fourth.yaml")
    assert problem_of("extends: fourth.yaml") == (
        "t.yaml: extends: a chain of 5 files; allowed 4; "
        "given t.yaml → fourth.yaml → third.yaml → second.yaml → _base.yaml"
    )


@pytest.mark.parametrize(
    ("extends", "says"),
    [
        ("/etc/base.yaml", "an absolute path"),
        ("[a.yaml, b.yaml]", "allowed the relative path of one YAML file"),
        ("3", "allowed the relative path of one YAML file"),
        ("", "allowed the relative path of one YAML file"),
        ("../../../../etc/passwd", "not a YAML file"),
        ('"a\\0b.yaml"', "there is no file"),
        ("x" * 3000 + ".yaml", "there is no file"),
    ],
)
def test_a_parent_is_one_relative_yaml_file(extends: str, says: str):
    line = problem_of(f"extends: {extends}")
    assert line.startswith("t.yaml: extends: ")
    assert says in line


def test_a_broken_parent_is_named():
    write("model: [", "_base.yaml")
    assert problem_of("extends: _base.yaml").startswith("_base.yaml: line ")


def test_how_long_a_file_may_be():
    path = write("a: " + "x" * 60_000)
    with pytest.raises(InputError, match="is too long for a declaration; allowed 50000 bytes"):
        read_file(path)
    assert read_file(path, 100_000) == {"a": "x" * 60_000}
