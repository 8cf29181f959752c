"""What is stored as JSON is JSON: no NaN and no infinity, and a message that says where one was."""

from __future__ import annotations

import ast
import json
import math
from pathlib import Path

import numpy as np
import pytest

import rarelabels
from rarelabels import json_files


def test_what_is_written_comes_back(tmp_path: Path) -> None:
    content = {"Küche": [1, 0.1, 1e300, None, True], "1.0": {"NA": "é\ud800".encode("utf-8", "replace").decode()}}
    json_files.write(tmp_path / "a.json", content, indent=1)
    assert json.loads((tmp_path / "a.json").read_text("utf-8")) == content
    assert json_files.text({"é": 1}) == '{"é": 1}'


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ({"labels": {"a": {"slope": math.inf}}}, "x.json: labels/a/slope: must be a finite number; got inf"),
        ({"idf": [0.5, math.nan]}, "x.json: idf/1: must be a finite number; got nan"),
        ([-math.inf], "x.json: 0: must be a finite number; got -inf"),
        (math.nan, "x.json: the number: must be a finite number; got nan"),
        ({"a": (1, np.float64("nan"))}, "x.json: a/1: must be a finite number; got nan"),
    ],
)
def test_a_number_that_is_not_finite_is_refused_with_its_place(tmp_path: Path, content: object, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        json_files.write(tmp_path / "x.json", content)
    assert not (tmp_path / "x.json").exists()


def written_elsewhere() -> list[str]:
    """The calls in which a module writes JSON past ``json_files``, by module and line."""
    source, found = Path(rarelabels.__file__).parent, []
    for path in sorted(source.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and path.name != "json_files.py":
                is_write = node.func.attr in ("write_text", "write", "text") and "json.dumps(" in ast.unparse(node)
                is_finite = "allow_nan=False" in ast.unparse(node)
                if (is_write and not is_finite) or ast.unparse(node.func) == "json.dump":
                    found.append(f"{path.relative_to(source)}, line {node.lineno}")
    return found


def test_json_is_written_in_one_place() -> None:
    assert written_elsewhere() == [], "write JSON with json_files"
