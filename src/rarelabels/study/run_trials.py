"""Run trials by name: check their studies, do their searches, train, record, and sum up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import pandas as pd

from rarelabels.compare.comparison import Comparison
from rarelabels.declare import checking, find, study_files
from rarelabels.errors import NotSearchedError, UserError, without_password
from rarelabels.record import connection, database
from rarelabels.record.identities import Identity
from rarelabels.study import comparison_frame, project, running, selection, standing
from rarelabels.study.progress_display import Progress
from rarelabels.study.selection import Named
from rarelabels.study.workers import Workers

TRAINS = "rarelabels.learn.training"  # a worker that trains networks imports this module


@dataclass(frozen=True, repr=False)
class Outcome:
    """The outcome of a command that ran named trials.

    Attributes:
        studies: names of the studies, sorted.
        where: MLflow's tracking URI.
        identities: the runs of the trials, including those that were finished before.
        skipped: why trials were skipped, by name: their data are not here, or their search is not finished.
        failures: a line for each failure; empty if nothing failed.
        root: the folder of declared studies.
    """

    studies: tuple[str, ...]
    where: str
    identities: Sequence[Identity]
    skipped: Mapping[str, str]
    failures: Sequence[str]
    root: Path

    def compare(self, study: str) -> list[Comparison]:
        """Compare all trials of one of the studies, overridden trials separately; see ``standing.compare``."""
        return standing.compare(study, self.where, self.identities, self.skipped, self.root)

    def comparison(self) -> pd.DataFrame:
        """Return the headline metrics of all trials of the studies; see ``comparison_frame.frame`` for the columns."""
        return comparison_frame.frame([one for study in self.studies for one in self.compare(study)])

    def __repr__(self) -> str:
        counted = f"{len(self.identities)} runs, {len(self.skipped)} trials skipped, {len(self.failures)} failures"
        return "\n".join([f"Outcome of {', '.join(self.studies) or 'nothing'}: {counted}", *self.lines()])

    def _repr_html_(self) -> str:
        head = "<br>".join(escape(line) for line in repr(self).splitlines())
        tables = (
            f"<p><b>{escape(' on '.join(filter(None, [study, one.data])))}</b>, test part: mean and 95 % interval; "
            f"* cannot be told from the best</p>{comparison_frame.html(comparison_frame.frame([one]))}"
            for study in self.studies
            for one in self.compare(study)
            if one.all_rows
        )
        return f"<p>{head}</p>{''.join(tables)}"

    def lines(self) -> list[str]:
        """Return a line for each reason why trials were skipped, then one for each failure."""
        skipped = [f"skipped: {reason}" for reason in selection.by_reason(self.skipped)]
        return [*skipped, *(f"FAILED {without_password(failure)}" for failure in self.failures)]


def run(
    names: Sequence[str],
    *,
    seeds: Sequence[int] | None = None,
    overrides: Mapping[str, object] | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    force: bool = False,
) -> Outcome:
    """Run trials of the current folder and record them. Finished runs are not repeated. Progress goes to stderr.

    A trial that is named and declares a search is tuned first. The name of a study starts no search, unless its
    ``study.yaml`` says ``protocol: each_tuned``. A run that fails does not stop the others.

    Args:
        names: of trials (``movies/focal_auc``) or studies (``movies``), or paths of YAML files.
        seeds: used instead of the declared seeds.
        overrides: values by dotted key, ``{"training.epochs": 2}``.
        workers: processes to start on this machine; as many as cores if None.
        scheduler: address of a Dask scheduler, whose workers are used instead.
        force: also repeat finished runs.

    Raises:
        UserError: a declaration or an argument has a mistake, or the record or the scheduler does not answer.
        NotSearchedError: the searches of all trials still have to be done.
    """
    wanted, changes = _seeds(seeds), dict(overrides or {})
    engine = _workers(workers, scheduler)
    studies = sorted({trial.study for trial in find.load_many(names, changes)})
    checking.check_studies(
        studies
    )  # the comparison at the end reads all trials of these studies: better report a mistake before hours of runs
    where, root = project.record_here(), study_files.EXPERIMENTS.resolve()
    with Progress() as progress, connection.answering(where), engine:
        _check_reach(where, engine, progress)
        if tuned := _tuned(names, changes):
            from rarelabels.study.tuning import search  # imports Optuna

            search.search(tuned, wanted, where, engine, progress)
        is_done = selection.done_before(studies, where, force=force)
        try:
            selected = selection.identify(names, changes, wanted, is_done)
        except NotSearchedError:
            if not progress.failures:
                raise
            return Outcome((), where, (), {}, progress.failures, root)  # no search was finished
        if force or not connection.is_begun(where):  # then there will certainly be tasks
            networks = any(identity.trial.is_network for identity in selected.identities)
            engine.begin(["rarelabels.study.running", *([TRAINS] if networks else [])])
        running.run(selected, where, engine, progress, force=force)
    return Outcome(tuple(studies), where, selected.identities, selected.skipped, progress.failures, root)


def tune(
    names: Sequence[str],
    *,
    seeds: Sequence[int] | None = None,
    overrides: Mapping[str, object] | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
) -> pd.DataFrame:
    """Search the settings of trials of the current folder, or thresholds for their scores, and record the searches.

    A search that was cut off goes on where it stopped. A finished search is not repeated; its result is returned.

    Args:
        names: see :func:`run`; each trial must declare a search.
        seeds: used instead of the declared seeds by searches of thresholds, which search once for each seed.
        overrides: see :func:`run`.
        workers: see :func:`run`.
        scheduler: see :func:`run`.

    Returns:
        A row for each search. Columns: ``trial``, ``variant``, ``seed`` (missing for a search of settings), ``trials``
        (how many the search has), ``value`` (the best on validation), ``found`` (the result in words), then the best
        values by dotted key.

    Raises:
        UserError: a trial declares no search, or a search failed; :func:`run` names the other reasons.
        MissingDataError: the data of all trials are missing on this machine.
    """
    wanted, changes = _seeds(seeds), dict(overrides or {})
    engine = _workers(workers, scheduler)
    named = selection.load(names, changes)
    if lacking := [one.trial.name for one in named if not one.trial.tuning]:
        raise UserError(f"{', '.join(lacking)}: no search is declared (`tuning:`); name trials that declare one")
    from rarelabels.study.tuning import search  # imports Optuna

    where = project.record_here()
    with Progress() as progress, connection.answering(where), engine:
        _check_reach(where, engine, progress)
        searches = search.search(named, wanted, where, engine, progress)
    if not searches:
        selection.checked(named[0].trial, named[0].trial.seeds[0])  # raises MissingDataError
    if progress.failures:
        raise UserError("\n".join(f"FAILED {without_password(failure)}" for failure in progress.failures))
    return search.results(where, searches)


def _tuned(names: Sequence[str], changes: Mapping[str, object]) -> list[Named]:
    to_search = find.to_search(names)
    return [one for one in selection.load(names, changes) if one.trial.tuning and one.trial.name in to_search]


def _workers(workers: int | None, scheduler: str | None) -> Workers:
    if workers is not None and workers < 1:
        raise UserError(f"workers: allowed is a whole number from 1; given {workers}")
    if workers and scheduler:
        raise UserError(f"--workers starts processes here, and {scheduler} has its own; leave one of them out")
    return Workers(workers, scheduler)


def _seeds(seeds: Sequence[int] | None) -> tuple[int, ...] | None:
    if seeds is None:
        return None
    if not seeds or not all(isinstance(seed, int) and seed >= 0 for seed in seeds):
        raise UserError(f"seeds: allowed are whole numbers from 0, such as [0, 1]; given {list(seeds)!r}")
    return tuple(dict.fromkeys(seeds))


def _check_reach(where: str, engine: Workers, progress: Progress) -> None:
    """Warn of a scheduler that is open to others; refuse workers that cannot reach the record."""
    if engine.is_open_to_others():
        warning = (
            f"{engine.scheduler} is open: whoever reaches it runs code as its user; tls:// keeps others out (README)"
        )
        progress.say([f"rarelabels: {without_password(warning)}"])
    machines = engine.other_machines()
    if machines and where.startswith(database.SQLITE):
        raise UserError(
            f"workers on {', '.join(machines)} cannot write to a file on this machine ({where}); "
            "set MLFLOW_TRACKING_URI to a server that they reach"
        )
