"""Do all runs of studies that are not finished: train in workers, sum up each trial, draw its figures."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from rarelabels.compare import comparison, verdicts
from rarelabels.declare import declarations, study_files
from rarelabels.errors import counted
from rarelabels.record import connection, damage, queries, reading, run_files, writing
from rarelabels.record.client import Client
from rarelabels.record.entities import Run
from rarelabels.study import progress_display, runner, summary
from rarelabels.study.plan import Plan, make_plan, seconds_ahead
from rarelabels.study.progress_display import Progress
from rarelabels.study.runner import Ended, Task
from rarelabels.study.selection import Selection, recorded
from rarelabels.study.set_aside import set_aside
from rarelabels.study.standing import as_declared, compare_trials, shown_name
from rarelabels.study.summary import SummaryTask
from rarelabels.study.workers import Workers

ROUNDS = 3  # of summing up: other processes may change a trial at the same time
WORKER_DIED = "its worker died again and again (out of memory?)"


def run(selected: Selection, where: str, engine: Workers, progress: Progress, *, force: bool = False) -> None:
    """Do all selected runs that are not finished, then sum up their trials; ``progress`` collects the failures.

    Raises:
        UserError: the record does not answer.
    """
    client = connection.connect(where)
    if delivered := writing.deliver_left(client, where, connection.outboxes(where)):
        progress.say([f"the results of {counted(delivered, 'run')} waited on disk and are now in the record"])
    progress.say(selected.data)
    studies = sorted({identity.trial.study for identity in selected.identities})
    plans = [
        make_plan(client, study, [i for i in selected.identities if i.trial.study == study], force) for study in studies
    ]
    tasks = [task for plan in plans for task in plan.tasks]
    progress.say(line for plan in plans for line in (*plan.lost, seconds_ahead(plan, engine.count)))
    progress.begin(sum(len(task.runs) for task in tasks))
    work = functools.partial(_run_task, where)
    names = [f"{task.runs[0][0].trial.short_name} seed {task.runs[0][0].seed}" for task in tasks]
    for position, outcome in engine.map(
        work,
        tasks,
        lambda i, event: progress.epoch(names[i], event),
        group=lambda task: task.runs[0][0].trial.compiled(),
    ):
        runs = tasks[position].runs
        ended = ", ".join(" ".join(filter(None, [one.trial.name, one.variant, f"seed {one.seed}"])) for one, _ in runs)
        outcome = outcome or Ended(WORKER_DIED)
        progress.end(names[position], ended, len(runs), outcome.failure, outcome.left_out)
    for plan in plans:
        with set_aside(progress.failures, f"{plan.study}: not summed up"):
            if _sum_up(client, plan, where, engine, progress):
                progress.failures += _record_comparison(client, plan, where, progress)


def _record_comparison(client: Client, plan: Plan, where: str, progress: Progress) -> list[str]:
    """Record the comparison of all trials, as declared now, on the study's run.

    Return a line for each figure that could not be drawn.
    """
    from rarelabels.study import page  # matplotlib takes a second to import: only drawing needs it

    runs = recorded(plan.study, where)
    declared = as_declared(plan.study, where, runs, plan.identities)
    compared = [one for one in compare_trials(runs, declared, where) if one.rows]
    if not compared:  # only overridden trials have runs
        return []
    return page.record_comparison(
        client, plan.experiment, plan.study, compared, runs, declared.identities, progress.say
    )


def _run_task(where: str, task: Task, say: progress_display.Say) -> Ended:
    return runner.run(task, where, say)


def _sum_up(client: Client, plan: Plan, where: str, engine: Workers, progress: Progress) -> bool:
    """Bring the summary and figures of each trial up to date; return whether the study's run needs new figures.

    Workers draw the figures after all trials are summed up. Each summary is checked once more: another process may have
    written it at the same time, or finished a run meanwhile.
    """
    runs = queries.heads(client, plan.experiment) if plan.tasks else plan.runs
    queries.end_orphans(client, runs)
    behind = _behind(client, plan, runs)
    anew, lost = bool(behind.tasks), set[str]()
    for _ in range(ROUNDS):
        progress.say(behind.lines)
        tasks = {name: one for name, one in behind.tasks.items() if name not in lost}
        if not tasks:
            break
        progress.summing(len(tasks))
        names = list(tasks)
        work = functools.partial(_summed_up, where)
        for position, reason in engine.map(work, list(tasks.values()), lambda *_: None):
            if reason != "":
                lost.add(names[position])
                progress.failures.append(f"{names[position]}: not summed up: {reason or WORKER_DIED}")
        runs = queries.heads(client, plan.experiment)
        behind = _behind(client, plan, runs)
    undrawn = list(behind.undrawn.items())
    for position, failures in engine.map(functools.partial(_draw, where), undrawn, lambda *_: None):
        name = undrawn[position][0]
        progress.failures += [f"{name}: not drawn: {WORKER_DIED}"] if failures is None else failures
    of_study = [run for run in runs if run.data.tags.get("kind") == "study"]
    return anew or any(run.data.tags.get("drawn") == "" or _has_lost_figures(client, run) for run in of_study)


@dataclass(frozen=True)
class _Behind:
    """Trials that are behind their runs.

    Attributes:
        tasks: for trials whose summary is missing, damaged or that of other runs, by the trial's name.
        undrawn: for trials whose summary is right but whose figures are missing or damaged, by the trial's name.
        lines: a line for each trial whose summary is damaged.
    """

    tasks: dict[str, SummaryTask]
    undrawn: dict[str, SummaryTask]
    lines: list[str]


def _behind(client: Client, plan: Plan, runs: list[Run]) -> _Behind:
    parents, by_id = reading.parents(runs), {run.info.run_id: run for run in runs}
    below, behind = reading.below(runs), _Behind({}, {}, [])
    compared = _compared(plan)
    for key in dict.fromkeys(identity.parent_key for identity in plan.identities):
        children = tuple(run.info.run_id for run in below.get(key, []))
        parent = by_id.get(parents.get(key, ""))
        if not parent or not children:
            continue
        one, name = SummaryTask(parent.info.run_id, children, summary.stamp(children), compared), shown_name(key)
        if (parent.data.tags.get("summed_up"), parent.info.status) != (one.stamp, "FINISHED"):
            behind.tasks[name] = one
            continue
        wrong = damage.faults(client, parent, deep=run_files.local_folder(parent) is not None)
        if summed := [f"{path} {what}" for path, what in wrong.items() if path in damage.SUMMARY]:
            behind.tasks[name] = one
            behind.lines.append(f"{name}: {'; '.join(summed)}; its runs are summed up again")
        elif wrong or not _is_drawn(client, parent, one.stamp):
            behind.undrawn[name] = one
    return behind


def _compared(plan: Plan) -> frozenset[str]:
    """Return the metrics of a study's trials whose differences its tables and verdicts show."""
    declared = declarations.load_study(study_files.EXPERIMENTS / plan.study)
    own = {f"test/{rule}/macro_f1" for one in plan.identities for rule in one.trial.thresholds.own_rules}
    return frozenset({*comparison.compared(), *own, *verdicts.metrics(declared.hypotheses if declared else ())})


def _has_lost_figures(client: Client, study: Run) -> bool:
    return any(not path.endswith(".html") for path in damage.faults(client, study, deep=False))


def _is_drawn(client: Client, parent: Run, stamp: str) -> bool:
    """Return whether a parent run has the figures of its summary.

    Version 0.4.2 drew the figures while it summed up, and wrote no tag ``drawn``.
    """
    drawn = parent.data.tags.get("drawn")
    return drawn == stamp if drawn is not None else "figures" in run_files.names_there(client, parent.info.run_id)


def _summed_up(where: str, task: SummaryTask, say: progress_display.Say) -> str:
    """Sum up a trial. Return why that failed, or ""."""
    failures: list[str] = []
    with set_aside(failures):
        return summary.sum_up(where, task, say)
    return failures[0]


def _draw(where: str, named: tuple[str, SummaryTask], _: progress_display.Say) -> list[str]:
    """Draw the figures of a trial. Return a line for each failure."""
    from rarelabels.study import drawing  # matplotlib takes a second to import: only drawing needs it

    failures: list[str] = []
    with set_aside(failures, f"{named[0]}: {drawing.FOLDER}: not drawn"):
        failures += drawing.draw(where, *named)
    return failures
