"""What each extra installs, and the line that a command says where an extra is missing."""

from __future__ import annotations

import ast
import doctest
import importlib.metadata
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pandas as pd
import pytest

import rarelabels
from rarelabels import extras
from rarelabels.errors import UserError

SOURCE = Path(rarelabels.__file__).parent
PROJECT = tomllib.loads((SOURCE.parents[1] / "pyproject.toml").read_text("utf-8"))["project"]
INSTALLED = importlib.metadata.packages_distributions()
PARTS_OF_OTHERS = {"distributed": "dask", "pydantic_core": "pydantic"}  # these come with the library that is declared
HIDE = """
import importlib.machinery, sys
from rarelabels.extras import EXTRAS

def find(name, path=None, target=None, there=importlib.machinery.PathFinder.find_spec):
    return None if name.partition(".")[0] in HIDDEN else there(name, path, target)

HIDDEN = {name for name in EXTRAS if name != "PIL"}  # matplotlib brings that
importlib.machinery.PathFinder.find_spec = find
sys.argv = ["rarelabels", *sys.argv[1:]]
from rarelabels.cli import main
main()
"""


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=]", one)[0].lower().replace("_", "-") for one in requirements}


def imported() -> set[str]:
    """The libraries that are imported anywhere in the package, by their top names."""
    found = set()
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.partition(".")[0])
    return found - sys.stdlib_module_names - {"rarelabels"}


def distributions(library: str) -> set[str]:
    """The distributions that a library may come with."""
    return {PARTS_OF_OTHERS.get(library, one).lower().replace("_", "-") for one in INSTALLED[library]}


def without_extras(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Do a command in a process that finds no library of an extra."""
    return subprocess.run([sys.executable, "-c", HIDE, *arguments], cwd=folder, capture_output=True, text=True)


@pytest.mark.parametrize("library", sorted(imported()))
def test_each_library_is_declared_once(library: str) -> None:
    places = {None: names(PROJECT["dependencies"])}
    places |= {extra: names(of) for extra, of in PROJECT["optional-dependencies"].items() if extra != "dev"}
    declared = {extra for extra, of in places.items() if distributions(library) & of} - {"gpu"}
    expected = extras.EXTRAS.get(library)
    assert expected in declared, f"{library}: EXTRAS in extras.py says {expected}, and pyproject.toml {declared}"
    assert expected is None or None not in declared, f"{library}: is no library of an extra, but of all"


def test_the_environment_for_development_has_what_studies_need() -> None:
    assert "rarelabels[suite,attributes,auth]" in PROJECT["optional-dependencies"]["dev"]


def test_every_named_extra_is_declared() -> None:
    assert set(extras.EXTRAS.values()) <= set(PROJECT["optional-dependencies"])


def test_the_examples() -> None:
    assert doctest.testmod(extras).failed == 0


def test_a_missing_library_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(extras.EXTRAS, "no_such_library", "suite")
    with pytest.raises(UserError) as error:
        extras.need("no_such_library", "a search")
    assert str(error.value) == ("a search needs no_such_library, of the extra suite: pip install 'rarelabels[suite]'")


@pytest.mark.parametrize(
    "arguments",
    [
        *(["run", "movies/bce_accuracy"], ["results", "movies"], ["findings"], ["report"], ["best", "movies"]),
        *(["predict", "movies", "new.csv"], ["ui"], ["check"], ["probes"]),
        ["judge", "scores.csv", "--log", "mine"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_what_needs_the_suite_says_so_in_one_line(arguments: list[str], tmp_path: Path) -> None:
    (tmp_path / "experiments").symlink_to(SOURCE.parents[1] / "experiments")
    (tmp_path / "conf").symlink_to(SOURCE.parents[1] / "conf")
    (tmp_path / "new.csv").write_text("Title\nAlien\n", "utf-8")
    scores(tmp_path / "scores.csv")
    ended = without_extras(tmp_path, *arguments)
    assert ended.stderr == (
        "rarelabels: the record of runs needs mlflow, of the extra suite: pip install 'rarelabels[suite]'\n"
    )
    assert (ended.returncode, ended.stdout) == (2, "")


def scores(path: Path) -> None:
    columns = {
        "true/a": [0, 1] * 10,
        "score/a": [0.1, 0.8] * 10,
        "true/b": [1, 1, 0, 0] * 5,
        "score/b": [0.6, 0.4] * 10,
    }
    pd.DataFrame(columns).to_csv(path, index=False)


@pytest.mark.parametrize("arguments", [["--help"], ["list"], ["validate", "movies/bce_accuracy"], ["schema"]])
def test_what_reads_declarations_needs_no_extra(arguments: list[str]) -> None:
    ended = without_extras(SOURCE.parents[1], *arguments)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_scores_are_judged_and_a_table_is_looked_at_without_an_extra(tmp_path: Path) -> None:
    scores(tmp_path / "scores.csv")
    judged = without_extras(tmp_path, "judge", "scores.csv", "--format", "csv")
    assert (judged.returncode, judged.stderr) == (0, "")
    assert "macro_f1" in judged.stdout
    rows = {"plot": [f"word{i % 7} and word{i % 5} again" for i in range(60)], "tags": ["a|b", "b", "a|c", "c"] * 15}
    pd.DataFrame(rows).to_csv(tmp_path / "mine.csv", index=False)
    proposed = without_extras(tmp_path, "init", "mine.csv", "--labels", "tags", "--quick")
    assert proposed.returncode == 0, proposed.stderr
    assert (tmp_path / "experiments" / "mine" / "study.yaml").is_file()
