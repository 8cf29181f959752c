"""Which runs there are, and which of them were cut off: their process is gone."""

from __future__ import annotations

import os
from collections.abc import Iterable

from rarelabels import __version__
from rarelabels.record import lease
from rarelabels.record.client import Client
from rarelabels.record.connection import connect, is_begun
from rarelabels.record.damage import faults
from rarelabels.record.database import SQLITE, file_of
from rarelabels.record.entities import Experiment, Run
from rarelabels.record.moved import ROOT
from rarelabels.record.writing import Record, is_of_record

TUNING = "/tuning"  # added to a study's name: the experiment of its searches
JOURNAL = ".journal"  # how the file of a search ends


def find_experiment(client: Client, study: str) -> str | None:
    """Return the id of a study's experiment, None if nothing is recorded of it."""
    return client.read.experiment(ROOT + study)


def experiments(client: Client) -> list[Experiment]:
    """Return what was recorded by this suite, by name: an experiment for each study, its searches, and others."""
    return [one for one in client.read.experiments() if one.name.startswith(ROOT)]


def refits(client: Client, runs: Iterable[Run], source: Run) -> list[Run]:
    """Return the models that this version trained anew like that of ``source``, and that have all their files."""
    return [
        run
        for run in runs
        if run.data.tags.get("refit_of") == source.info.run_id
        and (run.info.status, run.data.tags["rarelabels"]) == ("FINISHED", __version__)
        and not faults(client, run)
    ]


def earliest(client: Client, experiment: str, mark: str) -> Record | None:
    """Return the first run of an experiment with this fingerprint, if there is one."""
    found = client.search_runs([experiment], f"tags.fingerprint = '{mark}'", 1, 1, ["start_time ASC"])
    return Record(client, found[0].info.run_id) if found else None


def all_runs(client: Client, experiment: str, kind: str = "") -> list[Run]:
    """Return the runs of an experiment, or those of a kind, as their tag says, with their metrics, oldest first."""
    return client.read.runs(experiment, kind, with_metrics=True)


def heads(client: Client, experiment: str, kind: str = "") -> list[Run]:
    """Return the runs of :func:`all_runs` without their metrics, hundreds for each run; a server gives whole runs."""
    return client.read.runs(experiment, kind)


def end_cut_off(where: str) -> None:
    """Mark all runs of a record that were cut off, see :func:`end_orphans`. A read-only record stays as it is."""
    if not is_begun(where) or _is_read_only(where):
        return
    client = connect(where)
    running = client.read.running([one.experiment_id for one in experiments(client)])
    try:
        end_orphans(client, running)
    except Exception as error:
        if not is_of_record(error):
            raise


def _is_read_only(where: str) -> bool:
    """Return whether the file of a local record cannot be written. A server says so when something is written."""
    place = file_of(where)
    return where.startswith(SQLITE) and not (os.access(place, os.W_OK) and os.access(place.parent, os.W_OK))


def end_orphans(client: Client, runs: Iterable[Run]) -> list[str]:
    """Mark as KILLED the RUNNING runs that never end, see ``lease.is_over``; return their ids.

    A process that was only away for long still ends its run, which is FINISHED then. So is the trial of a study that is
    run again.
    """
    ended = []
    for run in runs:
        # read again: it may have ended, or its results may have been delivered, since the runs were read
        if is_orphan(client, run) and is_orphan(client, client.run(run.info.run_id)):
            client.set_tag(run.info.run_id, "reason", "cut off: the process that ran it is gone, or silent for minutes")
            client.set_terminated(run.info.run_id, "KILLED")
            ended.append(run.info.run_id)
    return ended


def is_orphan(client: Client, run: Run) -> bool:
    """Return whether a run is RUNNING and never ends."""
    tags = run.data.tags
    return run.info.status == "RUNNING" and lease.is_over(tags.get("owner", ""), tags.get("lease", ""), client.now)
