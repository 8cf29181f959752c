"""A study whose labels, columns and ids are written in signs that other programs read as something else."""

from __future__ import annotations

import csv
import io
import json
import random
import re
import warnings

import pandas as pd
import pytest

from odd_names import ODD
from project import Project
from rarelabels.record import connection, reading

TEXT, ID = "the $te_xt$ [b]", "=id"
WATCHED = """
extends: _base.yaml
question: Is a training kept whose labels are no names for MLflow?
thread: names as people have them
watch: [f1_none_half]
training: {steps: 50, evaluate_every: 25}
"""
LABELS = (*ODD, "two\nlines", "Joy", "joy", "everywhere")


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Project:
    draw, rows = random.Random(0), []
    for number in range(300):
        had = [label for label in LABELS[:-1] if draw.random() < 0.25]
        words = [f"w{LABELS.index(label)}" for label in had if draw.random() < 0.8] or ["none"]
        rows.append({ID: f"={number}+1", TEXT: " ".join([*words, "and", "so"]), "tags": [*had, LABELS[-1]]})
    project = Project(tmp_path_factory.mktemp("odd"), declared=False, draws=True)
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (project.folder / "odd.jsonl").write_text(lines, "utf-8")
    return project


@pytest.mark.long
def test_odd_names_go_from_the_table_to_predicted_rows(odd: Project) -> None:
    out, err = odd.do("init", "odd.jsonl", "--labels", "tags", "--text", TEXT, "--id", ID, "--quick")
    assert err == ""
    out = " ".join(out.split())  # it is wrapped
    assert "a label that every row has, so nothing can be learnt of it: 'everywhere'" in out
    assert re.search("differ by case, blanks, accents or width only, perhaps one label: '[Jj]oy' and '[Jj]oy'", out)
    (odd.folder / "experiments" / "odd" / "watched.yaml").write_text(WATCHED, "utf-8")

    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        names = ("odd/floor_prior", "odd/linear", "odd/watched")
        out, err = odd.do("run", *names, "--seeds", "0")
    assert "FAILED" not in err
    assert "odd: figures show boxes for" in err
    assert "not run: " in out
    assert "watched" not in out.partition("not run: ")[2].splitlines()[0]

    client = connection.connect(odd.record)
    (run,) = [one for one in odd.runs(study="odd") if one.data.tags["trial"] == "odd/watched"]
    curves = reading.curves(client, [run.info.run_id])
    assert curves[curves["curve"].str.startswith("curve/val_f1_none_half/")]["curve"].nunique() == len(LABELS)
    parents = [one for one in odd.runs("trial", "odd") if one.data.tags.get("drawn")]
    assert len(parents) == 3

    for command in ("results", "findings"):
        assert "linear" in odd.do(command, "odd")[0]
    odd.do("report", "odd")
    page = (odd.folder / "runs" / "report.html").read_text("utf-8")
    assert "<script>alert" not in page

    assert "registered: rarelabels-odd" in odd.do("best", "odd")[0]
    out, err = odd.do("predict", "odd", "odd.jsonl")
    lines = list(csv.reader(io.StringIO(out, newline="")))
    assert [line[0] for line in lines[1:3]] == ["=0+1", "=1+1"]
    assert sorted(lines[0][2:]) == sorted(f"probability/{label}" for label in LABELS)
    assert len(lines) == 301
    assert {label for line in lines[1:] for label in line[1].split(";")} <= set(
        LABELS
    )  # a|b is a label, so ; separates
    read = pd.read_csv(io.StringIO(out, newline=""), dtype=str)
    assert list(read.columns) == lines[0]
