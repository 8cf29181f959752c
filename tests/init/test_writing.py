"""A study is written whole, or nothing is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from proposed_study import everything, loaded, with_spec, write
from rarelabels.errors import UserError
from rarelabels.init import naming
from rarelabels.init.look import Look
from rarelabels.init.template_files import text


@pytest.mark.parametrize("there", ["experiments/my", "conf/datasets/my.yaml"])
def test_what_is_there_is_not_overwritten(films: Look, folder: Path, there: str) -> None:
    (folder / there).parent.mkdir(parents=True)
    (folder / there).mkdir() if there == "experiments/my" else (folder / there).write_text("mine")
    before = everything(folder)
    with pytest.raises(UserError, match=re.escape(there)):
        naming.study_name(Path("my.csv"), None, folder)
    # Nor if it comes to be between the question and the writing.
    with pytest.raises(UserError, match=re.escape(there)):
        write(films, "my", folder)
    assert everything(folder) == before


def test_the_base_and_the_schema_of_a_folder_are_kept(films: Look, folder: Path) -> None:
    (folder / "conf").mkdir()
    base = text("base").replace("[0, 1, 2, 3, 4]", "[7]")
    (folder / "conf/base.yaml").write_text(base)
    (folder / "conf/trial.schema.json").write_text("{}")
    written = write(films, "my", folder)
    assert Path("conf/base.yaml") not in written
    assert (folder / "conf/base.yaml").read_text() == base
    assert (folder / "conf/trial.schema.json").read_text() == "{}"
    assert loaded(folder, "my").seeds == (7,)


def test_with_a_base_that_does_not_load_nothing_is_written(films: Look, folder: Path) -> None:
    (folder / "conf").mkdir()
    (folder / "conf/base.yaml").write_text("lss: {kind: bce}\n")
    before = everything(folder)
    with pytest.raises(UserError, match=r"no file was written: conf/base\.yaml: lss: unknown key") as caught:
        write(films, "my", folder)
    assert "\n" not in str(caught.value)
    assert everything(folder) == before


def test_a_list_too_long_for_a_declaration_says_what_to_do(films: Look, folder: Path) -> None:
    names = [f"a column with a long name, number {i}" for i in range(2_000)]
    with pytest.raises(UserError, match=r"no file was written.*too long.*--labels 'is_\*'"):
        write(with_spec(films, labels={"columns": names}), "my", folder)
    assert everything(folder) == {}


@pytest.mark.parametrize("method", ["rename", "open"])
def test_a_disk_that_fails_leaves_nothing(
    films: Look, folder: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    real = getattr(Path, method)

    def fail(path: Path, *args, **kwargs):
        if method == "rename" or (path.name == "my.yaml" and args[:1] == ("x",)):
            raise OSError(28, "No space left on device", str(path))
        return real(path, *args, **kwargs)

    monkeypatch.setattr(Path, method, fail)
    with pytest.raises(UserError, match="cannot be written: No space left on device; no file was written"):
        write(films, "my", folder)
    monkeypatch.undo()
    assert list(folder.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_one_line(films: Look, folder: Path) -> None:
    (folder / "experiments").write_text("a file where a folder is to be")
    with pytest.raises(UserError, match="cannot be written"):
        write(films, "my", folder)
    assert list(everything(folder)) == ["experiments"]
