"""Who may import whom: the arrows of DESIGN section 2. They go downwards only, and each heavy library has its door."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import rarelabels

SOURCE = Path(rarelabels.__file__).parent

# What each module may import of ours. A module that is not here is new: decide where it stands, and write it down.
STEPS = {"config", "evaluation", "results", "schema", "tracking"}
READING = {
    *("comparison", "evaluation", "findings", "metrics", "plots", "results", "schema", "statistics", "sweeps"),
    "thresholds",
}
ARROWS: dict[str, set[str]] = {
    "schema": set(),
    "problems": {"schema"},
    "declared": {"problems", "schema"},
    "each_tuned": {"schema"},
    "study_files": {"declared", "problems", "schema"},
    "config": {"declared", "each_tuned", "problems", "schema", "study_files"},
    "datasets": {"schema", "whole_files"},
    "columns": {"datasets", "problems", "schema"},
    "leaks": {"datasets"},
    "look": {"columns", "datasets", "leaks", "schema"},
    "look_table": {"ahead", "datasets", "leaks", "look", "propose", "schema"},
    "study_templates": set(),
    "propose": {"config", "datasets", "look", "schema", "study_templates"},
    "ahead": {"datasets", "look", "propose", "schema", "study_templates"},
    "weighting": {"schema"},
    "tensorflow_setup": set(),
    "losses": {"schema", "tensorflow_setup"},
    "backbones": {"datasets", "memory", "schema", "tensorflow_setup"},
    "memory": set(),
    "powerset": set(),
    "powerset_sizes": {"plots", "powerset"},
    "preprocessing": {"datasets", "memory", "powerset", "schema"},
    "models": {"backbones", "preprocessing", "schema", "tensorflow_setup"},
    "pruning": {"schema", "tensorflow_setup"},
    "optimizers": {"tensorflow_setup"},
    "watched": {"tensorflow_setup"},
    "sweeps": {"schema"},
    "thresholds": {"schema", "sweeps"},
    "metrics": {"schema", "sweeps", "thresholds"},
    "training": {
        *("backbones", "datasets", "losses", "memory", "metrics", "model_files", "models", "optimizers", "powerset"),
        *("preprocessing", "pruning"),
        *("schema",),
        *("tensorflow_setup", "watched", "weighting"),
    },
    "model_files": {"schema"},
    "baselines": {"datasets", "evaluation", "metrics", "model_files", "schema"},
    "statistics": {"metrics", "sweeps", "thresholds"},
    "evaluation": {"calibration", "metrics", "schema", "thresholds"},
    "calibration": {"metrics", "schema"},
    "theory": {"schema"},
    "threshold_study": {"evaluation", "metrics", "sweeps", "thresholds"},
    "lease": set(),
    "outbox": set(),
    "tracking": {"addresses", "datasets", "lease", "outbox", "schema", "whole_files"},
    "score_files": {"evaluation", "problems", "schema"},
    "judge": {"evaluation", "schema", "score_files", "statistics", "thresholds", "metrics", "tracking"},
    "judge_table": {"evaluation", "judge", "metrics", "score_files", "statistics", "sweeps"},
    "fitting": {
        *("backbones", "baselines", "cross_validation", "datasets", "evaluation", "metrics", "schema", "training"),
        "weighting",
    },
    "runner": STEPS | {"addresses", "baselines", "fitting", "picking", "powerset", "thresholds"},
    "refit": {
        *("baselines", "config", "cross_validation", "datasets", "evaluation", "fitting", "predictor", "ranking"),
        *("schema", "tracking", "weighting"),
    },
    "cross_validation": {"datasets", "evaluation", "schema"},
    "picking": {"evaluation", "metrics", "schema", "thresholds"},
    "own_keys": set(),
    "addresses": set(),
    "whole_files": set(),
    "engine": {"own_keys", "schema"},
    "workers": {"engine"},
    "results": {"calibration", "evaluation", "picking", "schema", "thresholds", "tracking"},
    "plots": READING - {"comparison", "findings", "plots"},
    "symptoms": {"tracking"},
    "measured_trials": {"results", "schema", "symptoms", "tracking"},
    "competence": {"measured_trials", "statistics"},
    "winner": {"competence", "ranking", "results", "statistics", "symptoms", "tracking"},
    "findings": {"competence", "measured_trials", "schema", "statistics", "sweeps"},
    "comparison": READING - {"comparison", "plots"} | {"symptoms", "tracking"},
    "table": {"comparison", "findings", "ranking", "schema"},
    "report": READING | {"tracking", "whole_files"},
    "summary": READING - {"comparison", "plots"} | {"runner", "symptoms", "tracking"},
    "trial_figures": {"plots", "results", "summary", "threshold_study", "tracking"},
    "study_plots": {"plots"},
    "study_figures": READING - {"findings"} | {"study_plots", "tracking"},
    "study_record": READING | {"report", "study_figures", "datasets", "theory", "tracking", "weighting"},
    "progress": set(),
    "check": {"addresses", "outbox", "progress", "results", "schema", "summary", "tracking"},
    "ranking": READING - {"comparison", "findings", "plots"} | {"problems", "tracking"},
    "ui": {"addresses", "schema", "tracking", "whole_files"},
    "study": READING
    | {
        "ranking",
        "baselines",
        "config",
        "datasets",
        "preprocessing",
        "progress",
        "runner",
        *("competence", "measured_trials", "winner"),
        "study_record",
        "summary",
        "tracking",
        "trial_figures",
    }
    | {"weighting", "workers"},
    "tuning": {
        *("addresses", "config", "datasets", "workers", "evaluation", "fitting", "lease", "metrics", "plots"),
        *("problems", "progress", "results", "runner", "schema", "study", "sweeps", "thresholds", "tracking"),
    },
    "predictor": {"baselines", "calibration", "datasets", "evaluation", "schema", "thresholds", "training"},
    "pyfunc_model": {"datasets", "predictor", "schema"},
    "deployment": {"datasets", "evaluation", "predictor", "pyfunc_model", "ranking", "schema", "tracking"},
    "probes": {"schema", "tensorflow_setup", "tracking"},
}
FREE = {"cli", "__main__"}  # on top of everything; what the command line may import at once is tested below

# Libraries that only these modules may import.
DOORS = {
    "tensorflow": {"tensorflow_setup"},
    "keras": {"tensorflow_setup"},
    # probes: MLflow's own Keras callback is among what is probed
    "mlflow": {"deployment", "probes", "pyfunc_model", "tracking", "tuning"},
    "requests": {"datasets", "tracking"},
    "sqlalchemy": {"tracking", "tuning"},
    "dask": {"engine"},
    "distributed": {"engine"},
    "optuna": {"tuning"},
    "pydantic": {"problems", "schema"},
    "ruamel": {"config", "declared"},
    "typer": {"cli"},
    "matplotlib": {"plots", "report", "study_figures", "study_plots", "trial_figures"},
}
TENSORFLOW_USERS = {"losses", "models", "backbones", "optimizers", "pruning", "training", "watched", "probes"}
READERS = ("results", "comparison", "ranking", "plots", "table", "summary", "findings", "statistics", "report")
HEAVY = {"tensorflow", "keras", "mlflow", "dask", "distributed", "optuna", "sklearn", "scipy", "pandas", "matplotlib"}
WRITES = {  # what MlflowClient can change
    *("create_experiment", "create_run", "delete_experiment", "delete_run", "delete_tag", "log_artifact"),
    *("log_artifacts", "log_batch", "log_dict", "log_figure", "log_image", "log_inputs", "log_metric", "log_param"),
    *("log_table", "log_text", "rename_experiment", "set_experiment_tag", "set_tag", "set_terminated", "update_run"),
    *("create_model_version", "create_registered_model", "set_model_version_tag", "set_registered_model_alias"),
}


@dataclass(frozen=True)
class Import:
    """One imported module: of ours by its name below the package, else by its distribution's top name."""

    by: str
    of: str
    ours: bool
    line: int
    at_once: bool  # when the module is imported, not inside a function or for type checkers only

    def __str__(self) -> str:
        return f"src/rarelabels/{self.by}, line {self.line}: imports {self.of}"


def modules() -> dict[str, list[Path]]:
    """Module name -> its files; a package is one module."""
    found: dict[str, list[Path]] = {}
    for path in sorted(SOURCE.rglob("*.py")):
        inside = path.relative_to(SOURCE).parts
        found.setdefault(inside[0].removesuffix(".py"), []).append(path)
    return found


def nodes(tree: ast.AST, at_once: bool = True) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    """Every import statement, and whether it runs when the module is imported."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child, at_once
        later = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        typing = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
        yield from nodes(child, at_once and not later and not typing)


def imports_of(source: str, by: str) -> Iterator[Import]:
    for node, at_once in nodes(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            assert not node.level, f"src/rarelabels/{by}, line {node.lineno}: relative import; name the package"
            base = node.module or ""
            names = [f"{base}.{alias.name}" for alias in node.names] if base == "rarelabels" else [base]
        for name in names:
            top, _, rest = name.partition(".")
            ours = top == "rarelabels"
            yield Import(by, (rest.split(".")[0] or "__init__") if ours else top, ours, node.lineno, at_once)


MODULES = modules()
IMPORTS = [
    one for name, paths in MODULES.items() for path in paths for one in imports_of(path.read_text("utf-8"), name)
]
OURS = [one for one in IMPORTS if one.ours and one.of in MODULES and one.of != one.by and one.of != "__init__"]


def reached(start: str) -> dict[str, tuple[str, ...]]:
    """Everything, ours or not, that importing a module brings with it at once -> the way there."""
    ways: dict[str, tuple[str, ...]] = {start: (start,)}
    left = [start]
    while left:
        here = left.pop()
        for one in IMPORTS:
            if one.by == here and one.at_once and one.of not in ways:
                ways[one.of] = (*ways[here], one.of)
                left += [one.of] if one.ours and one.of in MODULES else []
    return ways


def test_the_parser_sees_every_kind_of_import() -> None:
    source = """
import numpy.linalg
from rarelabels import config, __version__
from rarelabels.datasets.fields import Tokens
if TYPE_CHECKING:
    from rarelabels.runner import Task
class A:
    import keras
def f():
    with x:
        from rarelabels import training
"""
    found = [(one.of, one.ours, one.at_once) for one in imports_of(source, "x")]
    assert found == [
        ("numpy", False, True),
        ("config", True, True),
        ("__version__", True, True),
        ("datasets", True, True),
        ("runner", True, False),
        ("keras", False, True),
        ("training", True, False),
    ]
    assert {"numpy", "schema", "fields"} & set(reached("datasets")) == {"numpy", "schema"}
    assert "tensorflow" in reached("training")


def test_every_module_has_its_place() -> None:
    new = set(MODULES) - set(ARROWS) - FREE - {"__init__"}
    assert not new, f"{sorted(new)}: not in ARROWS; say what it may import"


@pytest.mark.parametrize("one", [one for one in OURS if one.by not in FREE], ids=str)
def test_arrow(one: Import) -> None:
    allowed = ARROWS[one.by]
    assert one.of in allowed, f"{one}; it may import {', '.join(sorted(allowed)) or 'nothing of ours'}"


def test_no_module_imports_itself_by_a_detour() -> None:
    for one in OURS:
        if one.at_once:
            way = reached(one.of).get(one.by)
            assert way is None, f"{one}, which imports it back: {' -> '.join(way or ())}"


@pytest.mark.parametrize("library", DOORS)
def test_door(library: str) -> None:
    wrong = [str(one) for one in IMPORTS if one.of == library and not one.ours and one.by not in DOORS[library]]
    assert not wrong, f"{wrong}; only {', '.join(sorted(DOORS[library]))} may"


def test_tensorflow_is_for_those_who_train() -> None:
    wrong = [str(one) for one in OURS if one.of == "tensorflow_setup" and one.by not in TENSORFLOW_USERS]
    assert not wrong, f"{wrong}; only {', '.join(sorted(TENSORFLOW_USERS))} may"


def test_only_tracking_writes_to_mlflow() -> None:
    wrong = [
        f"src/rarelabels/{path.relative_to(SOURCE)}, line {node.lineno}: .{node.attr}"
        for name, paths in MODULES.items()
        if name != "tracking"
        for path in paths
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in WRITES
    ]
    assert not wrong, wrong


@pytest.mark.parametrize("name", [name for name in READERS if name in MODULES])
def test_reading_never_imports_training(name: str) -> None:
    for other in ("training", "losses", "models", "tensorflow_setup", "tensorflow", "keras"):
        way = reached(name).get(other)
        assert way is None, " -> ".join(way or ())
        direct = [str(one) for one in IMPORTS if one.by == name and one.of == other]
        assert not direct, direct


@pytest.mark.parametrize("name", ["cli", "__main__", "config", "schema"])
def test_what_help_list_and_validate_need_is_light(name: str) -> None:
    for library in HEAVY:
        way = reached(name).get(library)
        assert way is None, " -> ".join(way or ())


def test_a_look_at_a_table_imports_neither_tensorflow_nor_mlflow() -> None:
    for name in ("look", "look_table", "propose", "ahead"):
        for library in ("tensorflow", "keras", "mlflow", "dask", "optuna", "matplotlib"):
            way = reached(name).get(library)
            assert way is None, " -> ".join(way or ())


def test_a_run_imports_tensorflow_only_when_it_trains() -> None:
    way = reached("runner").get("training")
    assert way is None, " -> ".join(way or ())
    assert {one.at_once for one in OURS if one.by == "fitting" and one.of == "training"} == {False}


def test_the_parent_of_many_runs_never_imports_tensorflow() -> None:
    for name in ("study", "study_record", "engine", "summary", "tuning", "deployment"):
        way = reached(name).get("tensorflow_setup")
        assert way is None, " -> ".join(way or ())


def test_a_study_with_nothing_left_to_do_draws_and_fits_nothing() -> None:
    for library in ("matplotlib", "sklearn"):
        way = reached("study").get(library)
        assert way is None, " -> ".join(way or ())


def test_the_first_import_of_the_package_is_light() -> None:
    assert {one.of for one in IMPORTS if one.by == "__init__"} <= {"importlib"}
