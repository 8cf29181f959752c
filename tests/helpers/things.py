"""A study of several models on a table of things, declared and run: the models whose deployment is tested."""

from __future__ import annotations

from collections.abc import Mapping

from project import Project

STUDY = "things"


def run(project: Project, base: str, trials: Mapping[str, str]) -> None:
    """Declare the study and run it.

    Args:
        project: with the table.
        base: what all trials extend.
        trials: name to the blocks of each.
    """
    study = project.folder / "experiments" / STUDY
    study.mkdir()
    (study / "_base.yaml").write_text(base)
    (study / "study.yaml").write_text("title: Things\nquestion: Which is best?\nthread: beyond the threads\n")
    for name, blocks in trials.items():
        question = f"question: How far does {name} get here?\nthread: beyond the threads\n"
        (study / f"{name}.yaml").write_text(f"extends: _base.yaml\n{question}{blocks}\n")
    project.do("run", STUDY, "--workers", "1")
