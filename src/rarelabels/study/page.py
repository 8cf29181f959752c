"""The files on a study's run: the comparison of all its trials as a table, and the figures across trials."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import pandas as pd

from rarelabels import csv_tables
from rarelabels.compare.comparison import FLOORS, Comparison, by_rule
from rarelabels.record import opening
from rarelabels.record.client import Client
from rarelabels.record.entities import Run
from rarelabels.record.identities import Identity
from rarelabels.show.figures import fonts, house_style, of_study, which
from rarelabels.show.report import pictures
from rarelabels.study.half_by_theory import half_by_theory

MANY_SIGNS = 20


def record_comparison(
    client: Client,
    experiment: str,
    study: str,
    compared: Sequence[Comparison],
    runs: Sequence[Run],
    identities: Sequence[Identity],
    say: Callable[[Iterable[str]], None] = lambda _: None,
) -> list[str]:
    """Record the comparisons of a study on the study's run, as a table and figures.

    The figures are those across trials, and those of the report.

    Args:
        client: of the record.
        experiment: MLflow's id.
        study: its name.
        compared: a comparison for each set of test rows, each with at least one trial.
        runs: all recorded runs of the study.
        identities: the runs of the trials as they are declared now.
        say: gets a line on names that no installed font can show.

    Returns:
        A line for each figure that cannot be drawn.
    """
    failures: list[str] = []
    record = opening.open_study(client, experiment, study)
    of_files: dict[str, str] = {}
    with record.folder(of_files) as folder:
        csv_tables.write(folder / "comparison.csv", pd.concat([one.long() for one in compared]))
        for number, one in enumerate(compared):
            suffix = f"_{number + 1}" if number else ""
            title = f"{study} on {one.data}"
            with house_style.or_reported(failures, f"{study}: comparison{suffix}.png"):
                figure = of_study.comparison(
                    one.long(), one.best_floors(), f"{title}: mean and 95 % interval over seeds and test rows"
                )
                house_style.save(figure, folder / f"comparison{suffix}.png")
            with house_style.or_reported(failures, f"{study}: loss_by_threshold{suffix}.png"):
                floors = [f"floor: {name}" for name in FLOORS]
                house_style.save(
                    of_study.rule_table(by_rule(one), floors, title), folder / f"loss_by_threshold{suffix}.png"
                )
            with house_style.or_reported(failures, f"{study}: half_by_theory{suffix}.png"):
                predicted = half_by_theory(client, one, runs, identities)
                if len(predicted):
                    house_style.save(of_study.half_by_theory(predicted, title), folder / f"half_by_theory{suffix}.png")
            with house_style.or_reported(failures, f"{study}: figures of the report"):
                labels = pictures.labels_of(client, one)
                say(_boxes(study, labels))
                pictures.save(pictures.draw(client, one, labels, failures), number, folder)
        for file, figure in which.figures(client, study, compared, runs, identities, failures):
            with house_style.or_reported(failures, f"{study}: {file}.png"):
                house_style.save(figure, folder / f"{file}.png")
        shown = "" if failures else " ".join(map(pictures.stamp, compared))
        of_files |= {"drawn": "" if failures else "yes", pictures.TAG: shown}
    record.finish()
    return failures


def _boxes(study: str, labels: pictures.LabelFrames) -> list[str]:
    """Return a line on the signs of labels and trials that figures show as boxes; no line if there are none."""
    names = {str(label) for tables in labels.values() for label in tables[0]["label"]} | set(labels)
    signs = fonts.without("".join(sorted(names)))
    if not signs:
        return []
    some = signs if len(signs) <= MANY_SIGNS else f"{signs[:MANY_SIGNS]} and {len(signs) - MANY_SIGNS} more signs"
    return [f"{study}: figures show boxes for {some}: no installed font has them; install one, such as Noto Sans CJK"]
