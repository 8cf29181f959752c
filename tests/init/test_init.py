"""``rarelabels init`` as a user meets it, in folders that hold a table and nothing else."""

from __future__ import annotations

import csv
import io
import random
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from project import Project
from rarelabels.declare import declarations
from rarelabels.record import reading

REPOSITORY = Path(__file__).parents[2]
FILMS = REPOSITORY / "docs" / "your_table.csv"


class Alone(Project):
    """A folder without the repository: no conf, no experiments, no Makefile."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, declared=False)

    def files(self) -> dict[str, bytes]:
        return {
            str(path.relative_to(self.folder)): path.read_bytes() for path in self.folder.rglob("*") if path.is_file()
        }


@pytest.fixture
def alone(tmp_path: Path) -> Alone:
    shutil.copy(FILMS, tmp_path / "my.csv")
    return Alone(tmp_path)


def small_table(path: Path, rows: int = 240) -> Path:
    """Two words tell two labels; a third label, named in the text, is rare; a fourth too rare."""
    rng = random.Random(0)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["plot", "price", "is_good", "is_bad", "is_western", "is_odd"])
        for row in range(rows):
            good, bad, western, odd = (int(rng.random() < share) for share in (0.5, 0.3, 0.15, 0.02))
            words = rng.choices(["a", "film", "house", "river", "tree"], k=6)
            words += ["bright"] * good + ["dark"] * bad + ["western"] * western
            writer.writerow([" ".join(words), row * 37 % 101, good, bad, western, odd])
    return path


def test_it_prints_what_it_found_and_writes_a_valid_study(alone: Alone) -> None:
    out, err = alone.do("init", "my.csv", "--labels", "genres", "--group", "director")
    assert err == ""
    for said in (
        "my.csv: 1,500 rows, 7 columns",
        "labels      19, in column genres, separated by '|'",
        "a row has 2.17 labels on average",
        "Drama              892   59.47%",
        "2 labels have fewer than 20 rows, too few to be used: Animation 4, Music 4",
        "text        title",
        "list        actors, separated by '|'",
        "numeric     year, runtime",
        "named by id",
        "rows with the same director stay in one part",
        "no two rows have the same inputs",
        "no input gives a label away",
        "rarelabels run my ",
        "rarelabels findings my ",
        "rarelabels report my ",
        "rarelabels best my ",
    ):
        assert said in out
    assert "make my" not in out
    assert "`rarelabels run my` first tries 6 settings for each network" in out
    files = {path.relative_to(alone.folder).as_posix() for path in alone.folder.rglob("*.yaml")}
    assert files == {"conf/base.yaml", "conf/datasets/my.yaml"} | {
        f"experiments/my/{name}.yaml"
        for name in (
            *("_base", "study", "floor_zeros", "floor_prior", "linear", "bce", "deep", "pos_weight", "focal"),
            "asymmetric",
        )
    }
    assert not list(alone.folder.glob(".rarelabels*"))
    out, _ = alone.do("validate")
    assert out.startswith("8 trials and 1 studies are valid")


def test_it_overwrites_nothing(alone: Alone) -> None:
    alone.do("init", "my.csv", "--labels", "genres")
    before = alone.files()
    out, err = alone.do("init", "my.csv", "--labels", "genres", code=2)
    assert out == ""
    assert err == (
        "rarelabels: experiments/my: exists already, and no file is overwritten; choose another --name, or remove it\n"
    )
    assert alone.files() == before
    alone.do("init", "my.csv", "--labels", "genres", "--name", "second")
    after = alone.files()
    assert before == {name: content for name, content in after.items() if "second" not in name}


@pytest.mark.parametrize(
    "arguments",
    [
        ["none.csv"],
        ["my.csv"],
        ["my.csv", "--labels", "genre"],
        ["my.csv", "--labels", "genres", "--text", "plot"],
        ["my.csv", "--labels", "x_*"],
        ["my.csv", "--labels", "title,director"],
        ["my.csv", "--labels", "genres", "--name", "_my"],
        ["my.csv", "--labels", "genres", "--id", "director"],
        ["my.csv", "--labels", "genres", "--numeric", "title"],
        ["my.csv", "--labels", "genres", "--categories", "studio"],
        ["my.csv", "--labels", "genres", "--categories", "year", "--numeric", "year"],
        ["my.csv", "--labels", "title"],
    ],
)
def test_a_mistake_is_one_line_and_changes_nothing(alone: Alone, arguments: list[str]) -> None:
    before = alone.files()
    out, err = alone.do("init", *arguments, code=2)
    assert out == ""
    assert err.startswith("rarelabels: ")
    assert err.count("\n") == 1
    assert alone.files() == before


def test_a_file_that_is_not_utf_8_is_told_by_row_and_column(alone: Alone) -> None:
    (alone.folder / "latin.csv").write_bytes(b"plot,tags\n" + "un café noir,a|b\nle thé,b|c\n".encode("latin-1") * 30)
    _, err = alone.do("init", "latin.csv", "--labels", "tags", code=2)
    assert "latin.csv: row 1 (line 2), column 'plot': is not UTF-8 text" in err


def test_suspicious_inputs_and_a_guess_are_told(alone: Alone) -> None:
    small_table(alone.folder / "small.csv")
    out, _ = alone.do("init", "small.csv")
    assert "this is a guess: they are all 0/1 columns" in out
    assert "0/1 columns that begin with 'is_'" in out
    assert "plot gives 3 of 3 labels away" in out
    assert "western  'western' is in 100% of the rows with the label and 0% of the others" in out
    assert ": odd " in out


def test_the_makefile_of_the_repository_has_the_next_targets(alone: Alone) -> None:
    """In a copy of the repository the commands that are printed are targets: a folder is one by existing."""
    for name in ("Makefile", "pyproject.toml", "requirements.lock"):
        shutil.copy(REPOSITORY / name, alone.folder)
    small_table(alone.folder / "test.csv")
    out, _ = alone.do("init", "test.csv")
    assert "  make test_table " in out
    dry = subprocess.run(
        ["make", "--dry-run", "test_table"], cwd=alone.folder, capture_output=True, text=True, check=True
    )
    assert "rarelabels run test_table \n" in dry.stdout


def test_a_study_on_a_table_runs_in_an_empty_folder(alone: Alone) -> None:
    small_table(alone.folder / "small.csv")
    said, _ = alone.do("init", "small.csv", "--name", "my", "--quick")
    assert "settings" not in said
    names = ("my/bce", "my/linear", "my/floor_prior")
    few_steps = ("--set", "training.steps=20", "--set", "training.evaluate_every=20")
    alone.do("run", *names, "--seeds", "0", *few_steps, "--plain")
    runs = reading.runs(alone.runs(study="my"))
    assert sorted(runs["trial"]) == sorted(names)
    # Every hypothesis is about a metric that a run records.
    study = declarations.load_study(alone.folder / "experiments" / "my")
    assert study
    for one in study.hypotheses:
        assert {one.metric, one.against_metric or one.metric} <= set(runs.columns), one.name
    out, _ = alone.do("findings", "my", "--format", "csv")
    assert set(pd.read_csv(io.StringIO(out))["name"]) == {one.name for one in study.hypotheses}
