"""Which runs are recorded, and which of them were cut off because their process is gone."""

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
JOURNAL = ".journal"  # the ending of a search's file


def find_experiment(client: Client, study: str) -> str | None:
    """Return the id of a study's experiment; None if nothing is recorded of the study."""
    return client.read.experiment(ROOT + study)


def experiments(client: Client) -> list[Experiment]:
    """Return the experiments of this package, sorted by name: of studies, of their searches, and others."""
    return [one for one in client.read.experiments() if one.name.startswith(ROOT)]


def refits(client: Client, runs: Iterable[Run], source: Run) -> list[Run]:
    """Return the finished refits of the run ``source`` by this version that have all their files."""
    return [
        run
        for run in runs
        if run.data.tags.get("refit_of") == source.info.run_id
        and (run.info.status, run.data.tags["rarelabels"]) == ("FINISHED", __version__)
        and not faults(client, run)
    ]


def earliest(client: Client, experiment: str, mark: str) -> Record | None:
    """Return the first run of an experiment with the fingerprint ``mark``; None if there is none."""
    found = client.search_runs([experiment], f"tags.fingerprint = '{mark}'", 1, 1, ["start_time ASC"])
    return Record(client, found[0].info.run_id) if found else None


def all_runs(client: Client, experiment: str, kind: str = "") -> list[Run]:
    """Return the runs of an experiment with their metrics, oldest first; with ``kind``, only runs of that kind."""
    return client.read.runs(experiment, kind, with_metrics=True)


def heads(client: Client, experiment: str, kind: str = "") -> list[Run]:
    """Return the runs of :func:`all_runs` without their metrics, which are hundreds for each run.

    A server sends the metrics all the same.
    """
    return client.read.runs(experiment, kind)


def end_cut_off(where: str) -> None:
    """Mark all runs that were cut off, see :func:`end_orphans`. A record that cannot be written stays as it is."""
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
    """Return whether the file of a local record cannot be written. Of a server, only an attempt to write shows it."""
    place = file_of(where)
    return where.startswith(SQLITE) and not (os.access(place, os.W_OK) and os.access(place.parent, os.W_OK))


def end_orphans(client: Client, runs: Iterable[Run]) -> list[str]:
    """Mark the RUNNING runs that will never end as KILLED, see ``lease.is_over``; return their ids.

    Perhaps a process lives but was silent for long. Then it still ends its run later, and the run becomes FINISHED. A
    parent run that is marked becomes FINISHED when its trial is run again.
    """
    ended = []
    for run in runs:
        # the run is read again: since the first time it may have ended, or its results may have been delivered
        if is_orphan(client, run) and is_orphan(client, client.run(run.info.run_id)):
            client.set_tag(run.info.run_id, "reason", "cut off: the process that ran it is gone, or silent for minutes")
            client.set_terminated(run.info.run_id, "KILLED")
            ended.append(run.info.run_id)
    return ended


def is_orphan(client: Client, run: Run) -> bool:
    """Return whether a run is RUNNING but will never end, see ``lease.is_over``."""
    tags = run.data.tags
    return run.info.status == "RUNNING" and lease.is_over(tags.get("owner", ""), tags.get("lease", ""), client.now)
