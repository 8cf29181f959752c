"""The figures of a trial, on its parent run. They are drawn once for each summary; a stamp says for which."""

from __future__ import annotations

from collections.abc import Iterator

from matplotlib.figure import Figure

from rarelabels.judging import threshold_study
from rarelabels.record import connection, reading, writing
from rarelabels.record.client import Client
from rarelabels.record.entities import Run
from rarelabels.show.figures import house_style, of_thresholds, of_trial
from rarelabels.study.summary import SummaryTask

FOLDER = "figures"  # of the parent run
CURSE_DRAWS = 30


def draw(where: str, name: str, one: SummaryTask) -> list[str]:
    """Draw the figures of a trial onto its parent run; return a line for each figure that could not be drawn.

    Args:
        where: the record.
        name: of the trial.
        one: the trial's runs and the stamp of their summary, which is already recorded.
    """
    failures: list[str] = []
    client = connection.connect(where)
    parent, of_files = writing.Record(client, one.parent), {"drawn": ""}
    with parent.folder(of_files) as folder:
        with house_style.or_reported(failures, f"{name}: {FOLDER}"):
            (folder / FOLDER).mkdir()
            children = [client.run(run_id) for run_id in one.children]
            for file, figure in _figures(client, children, f"{name}: {FOLDER}", failures):
                with house_style.or_reported(failures, f"{name}: {FOLDER}/{file}.png"):
                    house_style.save(figure, folder / FOLDER / f"{file}.png")
        of_files["drawn"] = "" if failures else one.stamp
    return failures


def _figures(client: Client, children: list[Run], of: str, failures: list[str]) -> Iterator[tuple[str, Figure]]:
    """Yield file names (without ending) and figures.

    A figure that cannot be drawn adds a line to ``failures``, which begins with ``of``.
    """
    trial, ids = children[0].data.tags["trial"], [run.info.run_id for run in children]
    seed, first = children[0].data.tags["seed"], ids[0]
    with house_style.or_reported(failures, f"{of}/learning_curves.png"):
        if len(curves := reading.curves(client, ids)):
            unit = of_trial.loss_unit(children[0].data.params)
            kept = [epoch for run in children if (epoch := _epoch(run)) is not None]
            of_a_sample = "watched_rows" in children[0].data.tags
            yield "learning_curves", of_trial.learning_curves(curves, trial, unit, kept, of_a_sample=of_a_sample)
    validations = [reading.scores(client, run_id, "validation") for run_id in ids]
    parts = [reading.scores(client, run_id, "test") for run_id in ids]
    labels = reading.labels(client, first)
    with house_style.or_reported(failures, f"{of}/precision_recall.png"):
        yield "precision_recall", of_trial.precision_recall(parts, labels, trial)
    with house_style.or_reported(failures, f"{of}/confusion.png"):
        yield "confusion", of_trial.confusion(reading.per_label(client, first), f"{trial}, seed {seed}")
    with house_style.or_reported(failures, f"{of}/reliability.png"):
        is_calibrated = any(name.startswith("test/uncalibrated/") for name in children[0].data.metrics)
        before = [reading.raw_scores(client, run_id)[2] for run_id in ids] if is_calibrated else None
        yield "reliability", of_trial.reliability(parts, before, trial)
    with house_style.or_reported(failures, f"{of}/f1_theory.png"):
        theory = threshold_study.f1_theory(validations, [int(run.data.tags["seed"]) for run in children], labels)
        if len(theory):  # empty unless a label has positives in validation; the next figure needs them in test too
            yield "f1_theory", of_thresholds.f1_theory(theory, trial)
    with house_style.or_reported(failures, f"{of}/winners_curse.png"):
        curse = threshold_study.winners_curse(validations[0], parts[0], draws=CURSE_DRAWS, seed=int(seed))
        if len(curse):
            yield "winners_curse", of_thresholds.winners_curse(curse, f"{trial}, seed {seed}")


def _epoch(run: Run) -> float | None:
    """Return the epoch whose scores are judged: the epoch picked afterwards, else the epoch that the training kept."""
    return run.data.metrics.get("picked/epoch", run.data.metrics.get("training/kept_epoch"))
