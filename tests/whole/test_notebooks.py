"""Notebooks: run from top to bottom on small real records, and committed with what a full run printed and drew."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook
from ruamel.yaml import YAML

from old_record import unpack
from project import REPOSITORY, Project

FOLDER = REPOSITORY / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
# What a machine's own folders look like in text: /a/b where no name stands before, C:\, and where records lie.
ABSOLUTE = re.compile(r"(?<![\w/.<:)\]])/[\w.~-]+/[\w.~-]|\b[A-Za-z]:\\|file://|sqlite:|site-packages")
NOT_RUN = re.compile(r"not run yet: (.+?) \(")
MOST_BYTES = 1_000_000
FEW_IMAGES = 2

# Of each study the trials of the small record; the others of a notebook must be told to be missing.
SMALL = {
    "movies": ("floor_zeros", "floor_prior", "linear_bce", "bce_accuracy", "focal_auc", "cce_textbook"),
    "two_by_two": (
        *("sigmoid_bce", "softmax_bce", "softmax_cce_normalised", "floor_prior", "rows_sigmoid_bce"),
        *("simulated_known", "simulated_sigmoid_bce"),
    ),
    "averaging": ("bce", "watch_val_loss", "watch_f1_macro", "f1_average_micro", "f1_average_none"),
    "attributes": ("floor_zeros", "floor_prior", "bce", "weighted_bce"),
    "powerset": ("sigmoid", "powerset", "dependent_sigmoid", "dependent_powerset"),
    "mulan": ("bce", "pos_weight_ratio"),
}
NUMBERS = """
dataset: {kind: table, path: ../../docs/your_table.csv, labels: {column: genres, separator: "|", min_rows: 20},
  numeric: [year, runtime], id: id}
"""


def of_study(path: Path) -> str:
    name = path.stem.split("_", 1)[1]
    return "your_table" if name == "your_own_data" else name


def texts(notebook: NotebookNode) -> Iterator[str]:
    """Everything in it that can be read: sources and outputs, without images."""
    for cell in notebook.cells:
        yield cell.source
        for output in cell.get("outputs", []):
            yield output.get("text", "")
            yield from (text for kind, text in output.get("data", {}).items() if not kind.startswith("image/"))
            yield from output.get("traceback", [])


def images(notebook: NotebookNode) -> int:
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return sum("image/png" in output.get("data", {}) for output in outputs)


def assert_whole(notebook: NotebookNode) -> None:
    """Run once from top to bottom, without an error, and with nothing of the machine in it."""
    codes = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in codes] == list(range(1, len(codes) + 1))
    kinds = {output.output_type for cell in codes for output in cell.outputs}
    assert kinds <= {"stream", "display_data", "execute_result"}
    assert not [output.text for cell in codes for output in cell.outputs if output.get("name") == "stderr"]
    assert images(notebook) >= FEW_IMAGES
    assert [found.group() for text in texts(notebook) for found in ABSOLUTE.finditer(text)] == []
    assert notebook.metadata == METADATA


def execute(project: Project, path: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, FOLDER / "execute.py", path]
    return subprocess.run(command, env=project.environment, cwd=project.folder.parent, capture_output=True, text=True)


def executed(project: Project, path: Path) -> NotebookNode:
    """A copy in the project, without its outputs, run there by what `make notebooks` runs."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    copy = project.folder / "notebooks" / path.name
    copy.parent.mkdir(exist_ok=True)
    nbformat.write(notebook, copy)
    ended = execute(project, copy)
    assert ended.returncode == 0, ended.stderr
    return nbformat.read(copy, as_version=4)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text, path
    path.write_text(text.replace(old, new), encoding="utf-8")


def with_table(folder: Path) -> Project:
    project = Project(folder, plain=True, genres=5)
    (folder / "docs").mkdir()
    shutil.copy(REPOSITORY / "docs" / "your_table.csv", folder / "docs")
    edit(folder / "conf" / "base.yaml", "seeds: [0, 1, 2, 3, 4]", "seeds: [0]")
    edit(folder / "experiments" / "your_table" / "_base.yaml", "min_rows: 40", "min_rows: 150")
    return project


def test_every_study_has_its_notebook() -> None:
    """The studies that are shipped; a reader's own need none."""
    assert {of_study(path) for path in NOTEBOOKS} >= {*SMALL, "your_table"}
    assert [path.name[:2] for path in NOTEBOOKS] == [f"{number:02}" for number in range(1, len(NOTEBOOKS) + 1)]
    assert all((REPOSITORY / "experiments" / of_study(path) / "study.yaml").exists() for path in NOTEBOOKS)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_committed_notebooks_hold_what_a_full_run_gave(path: Path) -> None:
    assert path.stat().st_size < MOST_BYTES
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert_whole(notebook)
    missing = {name for text in texts(notebook) for told in NOT_RUN.findall(text) for name in told.split(", ")}
    # what is searched with Optuna is no part of `make <study>`
    assert {name for name in missing if not name.endswith("_tuned")} == set()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_they_are_read_without_scrolling(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    assert notebook.cells[0].source.startswith("# ")
    assert all(len(cell.source.splitlines()) <= 20 for cell in notebook.cells)


@pytest.fixture(scope="module")
def own_table(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A small run of the reader's own table."""
    project = with_table(tmp_path_factory.mktemp("own"))
    edit(project.folder / "experiments" / "your_table" / "_base.yaml", "epochs: 20", "epochs: 1")
    (project.folder / "experiments" / "your_table" / "linear.yaml").unlink()
    edit(project.folder / "experiments" / "your_table" / "study.yaml", "baselines: [linear]", "baselines: []")
    project.do("run", "your_table")
    return project


@pytest.mark.long
def test_your_own_data_on_a_small_run(own_table: Project) -> None:
    notebook = executed(own_table, FOLDER / "06_your_own_data.ipynb")
    assert_whole(notebook)
    assert images(notebook) == 4
    assert any("pos_weight_sqrt" in text for text in texts(notebook))


@pytest.mark.long
def test_execution_is_by_this_python_and_keeps_nothing_of_a_failure(own_table: Project, tmp_path: Path) -> None:
    path = tmp_path / "probe.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell("import sys\nprint(sys.executable)")]), path)
    assert execute(own_table, path).returncode == 0
    assert nbformat.read(path, as_version=4).cells[0].outputs[0].text.strip() == sys.executable
    nbformat.write(new_notebook(cells=[new_code_cell("print(1)"), new_code_cell("1 / 0")]), path)
    before = path.read_bytes()
    ended = execute(own_table, path)
    assert ended.returncode == 1
    assert "ZeroDivisionError" in ended.stderr
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


RUNS = """import rarelabels as rl
outcome = rl.run("films/floor_prior", seeds=[0, 1, 7], workers=1)
outcome"""


@pytest.mark.long
def test_a_study_runs_from_a_notebook_with_plain_lines_on_stderr(tmp_path: Path) -> None:
    """Its workers are processes of their own, and rich prints no HTML."""
    project = unpack(tmp_path)
    path = project.folder / "notebooks" / "run.ipynb"
    path.parent.mkdir()
    nbformat.write(new_notebook(cells=[new_code_cell(RUNS), new_code_cell('rl.Study("films")')]), path)
    ended = execute(project, path)
    assert ended.returncode == 0, ended.stderr
    ran, read = nbformat.read(path, as_version=4).cells
    said = "".join(output.text for output in ran.outputs if output.get("name") == "stderr")
    assert "films: 1 run to do, 2 finished before" in said
    assert "[1/1] done: films/floor_prior seed 7" in said.splitlines()
    (shown,) = [output for output in ran.outputs if output.output_type == "execute_result"]
    assert shown.data["text/plain"] == "Outcome of films: 3 runs, 0 trials skipped, 0 failures"
    assert "<th>floor: prior</th>" in shown.data["text/html"]
    assert {output.output_type for output in ran.outputs} == {"stream", "execute_result"}
    assert "3 trials, 7 finished runs, seeds 0, 1, 7." in read.outputs[0].data["text/html"]


IMPORT = re.compile(r"^\s*(?:from|import)\s+([\w.]+)", re.MULTILINE)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_import_the_face_alone(path: Path) -> None:
    sources = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    imported = {name for source in sources for name in IMPORT.findall(source)}
    assert "rarelabels" in imported
    assert not {name for name in imported if name.startswith("rarelabels.")}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Some trials of every other study, with one seed, a few epochs and less data; XED is not there."""
    project = with_table(tmp_path_factory.mktemp("small"))
    folder = project.folder / "experiments"
    data = tmp_path_factory.mktemp("data")
    project.environment["RARELABELS_DATA"] = str(data)
    write_emotions(data / "mulan" / "emotions")
    for name in ("attributes", "averaging", "mulan"):
        base = folder / name / "_base.yaml"
        base.write_text(re.sub(r"epochs: \d+", "epochs: 2", base.read_text(encoding="utf-8")), encoding="utf-8")
    edit(project.folder / "conf" / "datasets" / "movies.yaml", "kind: movies,", "kind: movies, train_fraction: 0.2,")
    (project.folder / "conf" / "datasets" / "emoji.yaml").write_text(f"extends: ../base.yaml\n{NUMBERS}", "utf-8")
    for name in ("sigmoid", "powerset"):
        edit(folder / "powerset" / f"{name}.yaml", "[17, 12, 8, 5, 3]", "[5, 3]")
    leave_out(folder / "powerset" / "study.yaml", r"labels=(8|12|17)")
    for name in ("last_block", "random_features"):  # of images alone
        (folder / "attributes" / f"{name}.yaml").unlink()
    leave_out(folder / "attributes" / "study.yaml", r"last_block|random_features")
    trials = [f"{study}/{trial}" for study, names in SMALL.items() for trial in names]
    project.do("run", *trials)
    return project


def write_emotions(folder: Path) -> None:
    """A set in the format of the benchmark sets: two labels follow from two of three numbers, one is chance."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 3))
    y = np.column_stack([x[:, 0] > 0, x[:, 1] > 1, rng.random(200) < 0.15]).astype(int)
    names = ["happy", "sad", "rare"]
    lines = ["@relation emotions", *(f"@attribute number{place} numeric" for place in range(3))]
    lines += [*(f"@attribute {name} {{0,1}}" for name in names), "@data"]
    lines += [",".join([*(f"{value:.4f}" for value in row), *map(str, truth)]) for row, truth in zip(x, y, strict=True)]
    (folder / "emotions.arff").write_text("\n".join(lines) + "\n", encoding="utf-8")
    labels = "".join(f'<label name="{name}"></label>' for name in names)
    xml = f'<labels xmlns="http://mulan.sourceforge.net/labels">{labels}</labels>'
    (folder / "emotions.xml").write_text(xml, encoding="utf-8")


def leave_out(path: Path, pattern: str) -> None:
    """Drop the hypotheses about variants that the small record does not declare."""
    yaml = YAML()
    declared = yaml.load(path)
    kept = [one for one in declared["hypotheses"] if not re.search(pattern, f"{one['trial']} {one['against']}")]
    assert 0 < len(kept) < len(declared["hypotheses"])
    declared["hypotheses"] = kept
    yaml.dump(declared, path)


@pytest.mark.long
@pytest.mark.parametrize(
    "path", [path for path in NOTEBOOKS if of_study(path) != "your_table"], ids=lambda path: path.stem
)
def test_notebooks_on_a_small_run_say_what_is_missing(small: Project, path: Path) -> None:
    notebook = executed(small, path)
    assert_whole(notebook)
    assert any("not run yet: " in text for text in texts(notebook))
    verdicts = [text for text in texts(notebook) if "claim" in text and "verdict" in text and "reason" in text]
    assert verdicts
