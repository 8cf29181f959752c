"""The walls of the house: which room may use which, which libraries have a door, and what is light to import."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import rarelabels

SOURCE = Path(rarelabels.__file__).parent

GROUND = {
    "cache",
    "csv_tables",
    "errors",
    "extras",
    "json_files",
    "names",
    "packages",
    "row_ids",
    "spec",
    "stdout",
    "whole_files",
}  # used by all, and by nothing but each other
MAY_USE: dict[str, set[str]] = {
    "judging": set(),
    "declare": {"judging"},
    "data": {"declare"},
    "learn": {"data", "declare", "judging"},
    "record": {"declare", "judging"},
    "compare": {"record", "declare", "judging"},
    "show": {"compare", "record", "declare", "judging"},
    "init": {"data", "declare", "judging"},
    "serve": {"learn", "record", "judging", "data", "declare", "compare"},
    "probes": {"learn", "record"},
    "study": {"judging", "declare", "data", "learn", "record", "compare", "show", "serve", "probes"},
}
FREE = {"cli", "__main__", "__init__"}

# Libraries that only these rooms, or files, may import.
DOORS = {
    "tensorflow": {"learn.keras_backend"},
    "keras": {"learn.keras_backend"},
    # probes: MLflow's own Keras callback is among what is probed
    "mlflow": {"record", "serve", "probes", "study.tuning"},
    "difflib": {"errors"},  # one "did you mean"
    "requests": {"data", "record"},
    "sqlalchemy": {"record", "study.tuning"},
    "dask": {"study.engine"},
    "distributed": {"study.engine"},
    "optuna": {"study.tuning"},
    "pydantic": {"declare", "judging.settings", "spec"},
    "ruamel": {"declare"},
    "typer": {"cli"},
    "matplotlib": {"show", "study.drawing", "study.page", "study.study_plots", "study.tuning.history"},
}
HEAVY = {"tensorflow", "keras", "mlflow", "dask", "distributed", "optuna", "sklearn", "scipy", "pandas", "matplotlib"}
WRITES = {  # what MlflowClient can change
    *("create_experiment", "create_run", "delete_experiment", "delete_run", "delete_tag", "log_artifact"),
    *("log_artifacts", "log_batch", "log_dict", "log_figure", "log_image", "log_inputs", "log_metric", "log_param"),
    *("log_table", "log_text", "rename_experiment", "set_experiment_tag", "set_tag", "set_terminated", "update_run"),
    *("create_model_version", "create_registered_model", "set_model_version_tag", "set_registered_model_alias"),
}

TESTS = Path(__file__).parent
NO_FILE_OF_TESTS = {  # module -> why
    "record.entities": "plain data, without a rule of its own",
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
        return f"rarelabels.{self.by}, line {self.line}: imports {self.of}"


def modules() -> dict[str, Path]:
    """Each module by its name below the package; a folder by its own, its face."""
    found = {}
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)] = path
    return found


MODULES = modules()


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
            assert not node.level, f"rarelabels.{by}, line {node.lineno}: relative import; name the package"
            base = node.module or ""
            inside = [f"{base}.{alias.name}" for alias in node.names]
            names = [one if one.removeprefix("rarelabels.") in MODULES else base for one in inside]
        for name in dict.fromkeys(names):
            top, _, rest = name.partition(".")
            ours = top == "rarelabels"
            yield Import(by, (rest or "__init__") if ours else top, ours, node.lineno, at_once)


IMPORTS = [one for name, path in MODULES.items() for one in imports_of(path.read_text("utf-8"), name)]
OURS = [one for one in IMPORTS if one.ours and one.of != "__init__"]


def room(module: str) -> str:
    return module.partition(".")[0]


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
from rarelabels import cache, __version__
from rarelabels.data.tokens import Tokens
from rarelabels.data import tokens, dataset
if TYPE_CHECKING:
    from rarelabels.study.runner import Task
class A:
    import keras
def f():
    with x:
        from rarelabels.learn import training
"""
    found = [(one.of, one.ours, one.at_once) for one in imports_of(source, "x")]
    assert found == [
        ("numpy", False, True),
        ("cache", True, True),
        ("__init__", True, True),
        ("data.tokens", True, True),
        ("data.tokens", True, True),
        ("data.dataset", True, True),
        ("study.runner", True, False),
        ("keras", False, True),
        ("learn.training", True, False),
    ]
    assert {"numpy", "spec", "data.tokens"} <= set(reached("data.loading"))
    assert "tensorflow" in reached("learn.training")


def test_every_file_is_in_a_room() -> None:
    new = {room(name) for name in MODULES} - set(MAY_USE) - GROUND - FREE
    assert not new, f"{sorted(new)}: no room; say in MAY_USE what it may use"


@pytest.mark.parametrize("name", sorted({*MAY_USE, *GROUND}))
def test_a_room_uses_only_what_it_may(name: str) -> None:
    allowed = {name, *GROUND, *MAY_USE.get(name, ())}
    wrong = [str(one) for one in OURS if room(one.by) == name and room(one.of) not in allowed]
    assert not wrong, f"{wrong}; {name} may use {', '.join(sorted(allowed))}"


def test_no_module_imports_itself_by_a_detour() -> None:
    for one in OURS:
        if one.at_once:
            way = reached(one.of).get(one.by)
            assert way is None, f"{one}, which imports it back: {' -> '.join(way or ())}"


def without_tests() -> set[str]:
    """The modules with functions or classes whose tests are not in ``tests/<room>/test_<module>.py``."""
    lacking = set()
    for name, path in MODULES.items():
        of_their_own = any(
            isinstance(one, ast.FunctionDef | ast.ClassDef) for one in ast.parse(path.read_text("utf-8")).body
        )
        place = TESTS / path.relative_to(SOURCE).with_name(f"test_{path.name}")
        if of_their_own and not path.name.startswith("__") and not place.is_file():
            lacking.add(name)
    return lacking


def test_every_module_has_a_file_of_tests() -> None:
    lacking = without_tests() - set(NO_FILE_OF_TESTS)
    files = [f"tests/{'/'.join(name.split('.')[:-1])}/test_{name.split('.')[-1]}.py" for name in sorted(lacking)]
    assert not lacking, f"write {', '.join(files)}"


def test_no_exception_is_left_that_none_needs() -> None:
    told = set(NO_FILE_OF_TESTS)
    assert told <= without_tests(), "a module has its file of tests: take it out of NO_FILE_OF_TESTS"


def test_a_face_is_short() -> None:
    for name, path in MODULES.items():
        if path.name == "__init__.py":
            lines = len(path.read_text("utf-8").splitlines())
            assert lines < 40, f"rarelabels.{name}: its face has {lines} lines; fewer than 40, names and a docstring"


def test_no_file_has_banners() -> None:
    """A comment that stands alone between two blank lines marks a file that wants to exist."""
    for name, path in MODULES.items():
        lines = ["", *path.read_text("utf-8").splitlines(), ""]
        for i, line in enumerate(lines[1:-1], 1):
            alone = line.startswith("# ") and not lines[i - 1] and not lines[i + 1]
            assert not alone, f"rarelabels.{name}, line {i}: {line}"


@pytest.mark.parametrize("library", DOORS)
def test_door(library: str) -> None:
    doors = DOORS[library]
    wrong = [
        str(one)
        for one in IMPORTS
        if one.of == library and not one.ours and not any(f"{one.by}.".startswith(f"{door}.") for door in doors)
    ]
    assert not wrong, f"{wrong}; only {', '.join(sorted(doors))} may"


def test_tensorflow_is_for_those_who_train() -> None:
    doors = ("learn.tensorflow_setup", "learn.keras_backend")
    wrong = [str(one) for one in OURS if one.of in doors and room(one.by) not in ("learn", "probes")]
    assert not wrong, wrong


def test_only_the_record_writes_to_mlflow() -> None:
    wrong = [
        f"rarelabels.{name}, line {node.lineno}: .{node.attr}"
        for name, path in MODULES.items()
        if room(name) != "record"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in WRITES
    ]
    assert not wrong, wrong


@pytest.mark.parametrize("name", ["cli", "__main__", "__init__", "declare"])
def test_what_help_list_and_validate_need_is_light(name: str) -> None:
    for start in [one for one in MODULES if room(one) == name]:
        for library in HEAVY:
            way = reached(start).get(library)
            assert way is None, " -> ".join(way or ())


def test_a_look_at_a_table_imports_neither_tensorflow_nor_mlflow() -> None:
    for start in [one for one in MODULES if room(one) == "init"]:
        for library in ("tensorflow", "keras", "mlflow", "dask", "optuna", "matplotlib"):
            way = reached(start).get(library)
            assert way is None, " -> ".join(way or ())


def test_a_run_imports_tensorflow_only_when_it_trains() -> None:
    way = reached("study.runner").get("learn.training")
    assert way is None, " -> ".join(way or ())
    assert {one.at_once for one in OURS if one.by == "learn.fitting" and one.of == "learn.training"} == {False}


def test_the_parent_of_many_runs_never_imports_tensorflow() -> None:
    for start in [one for one in MODULES if room(one) in ("study", "serve")]:
        way = reached(start).get("learn.keras_backend")
        assert way is None, " -> ".join(way or ())


def test_a_study_with_nothing_left_to_do_draws_and_fits_nothing() -> None:
    for library in ("matplotlib", "sklearn"):
        way = reached("study.running").get(library)
        assert way is None, " -> ".join(way or ())
