"""What a command imports: those that read start without what trains, draws or writes, each in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from old_record import unpack
from project import Project

HEAVY = ("tensorflow", "keras", "dask", "distributed", "optuna", "matplotlib", "mlflow", "sqlalchemy", "sklearn")
CALLED = """
import json, sys
from rarelabels import cli
sys.argv = ["rarelabels", *sys.argv[1:]]
if __name__ == "__main__":
    try:
        cli.main()
    except SystemExit as end:
        assert not end.code, end.code
    print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})), file=sys.stderr)
"""


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = unpack(tmp_path_factory.mktemp("old"))
    project.do("best", "table")  # registers it with digests
    project.do("run", "films", "table")  # sums up what 0.4.2 summed up
    return project


def imported(project: Project, *arguments: str) -> set[str]:
    """Call a command, and return the top names of what it imported."""
    command = [sys.executable, "-c", CALLED, *arguments]
    ended = subprocess.run(command, cwd=project.folder, env=project.environment, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return set(json.loads(ended.stderr.splitlines()[-1]))


@pytest.mark.parametrize(
    "arguments",
    [
        ("results", "films"),
        ("results", "table", "--by", "rule"),
        ("results", "films", "--format", "csv"),
        ("findings",),
        ("best", "table"),
        ("check",),
        ("run", "films", "table/bce"),
        ("list",),
        ("validate",),
    ],
    ids=" ".join,
)
def test_a_command_that_reads_imports_nothing_heavy(old: Project, arguments: tuple[str, ...]) -> None:
    assert imported(old, *arguments).isdisjoint(HEAVY)


def test_a_linear_model_predicts_with_what_it_needs_alone(old: Project) -> None:
    assert imported(old, "predict", "table", "new.csv").isdisjoint({*HEAVY} - {"sklearn"})


def test_the_report_draws_nothing_that_is_drawn(tmp_path: Path) -> None:
    """It writes, and imports MLflow for that; matplotlib the first time alone, when the record is as 0.4.2 left it."""
    project = unpack(tmp_path)
    project.do("run", "films/floor_prior", "--seeds", "0,1,2", "--workers", "1")  # draws what the report shows
    without = {"tensorflow", "keras", "dask", "distributed", "optuna", "matplotlib", "sklearn"}
    assert imported(project, "report", "films").isdisjoint(without)


def test_the_ui_lists_its_links_without_mlflow(old: Project) -> None:
    code = "import sys; from rarelabels.record import connection; from rarelabels.show import ui; "
    code += "ui._links(connection.uri(), ''); print(*sys.modules)"
    for _ in range(2):  # the first time it puts its views into the record
        out = subprocess.check_output([sys.executable, "-c", code], cwd=old.folder, env=old.environment, text=True)
    assert {name.partition(".")[0] for name in out.split()}.isdisjoint(HEAVY)
