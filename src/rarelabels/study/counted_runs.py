"""Which runs of a recorded study count, and how they are named."""

from __future__ import annotations

from collections.abc import Sequence

from rarelabels.errors import UserError
from rarelabels.record import connection, moved, queries
from rarelabels.record.entities import Run
from rarelabels.record.identities import parent_key
from rarelabels.record.reading import earliest_finished


def recorded(name: str, where: str) -> list[Run]:
    """Return all recorded runs of a study, with their metrics.

    Raises:
        UserError: nothing is recorded of the study, or the record does not answer.
    """
    begun = connection.is_begun(where)
    client = connection.connect(where) if begun else None
    experiment = queries.find_experiment(client, name) if client else None
    if client is None or experiment is None:
        studies = [one.name.removeprefix(moved.ROOT) for one in queries.experiments(client)] if client else []
        there = f"; there are: {', '.join(studies)}" if studies else ""
        raise UserError(f"nothing is recorded of {name!r} yet: `make {name}` runs it{there}")
    return queries.all_runs(client, experiment)


def counted(runs: Sequence[Run], *, overridden: bool) -> list[Run]:
    """Return the runs that count, sorted by name and seed. Of each trial, only the definition that was run last counts.

    Args:
        runs: all recorded runs of a study.
        overridden: also count the runs with ``--set``.
    """
    count = [run for run in earliest_finished(list(runs)).values() if overridden or not run.data.tags["overrides"]]
    count.sort(key=lambda run: (run.info.start_time, run.info.run_id))
    last = {key(run)[:2]: parent_key(run) for run in count}
    return sorted((run for run in count if last[key(run)[:2]] == parent_key(run)), key=key)


def short_name(run: Run) -> str:
    """Return the short name of a run's trial, with its overrides: ``bce``, ``bce (training.epochs=3)``."""
    tags = run.data.tags
    short = str(tags["trial"]).partition("/")[2]
    return f"{short} ({tags['overrides']})" if tags["overrides"] else short


def key(run: Run) -> tuple[str, str, int]:
    """Return the short name of the trial, the variant and the seed of a run."""
    return short_name(run), str(run.data.tags["variant"]), int(run.data.tags["seed"])
