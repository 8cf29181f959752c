"""Record observations as one MLflow run."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rarelabels import json_files
from rarelabels.errors import failure
from rarelabels.probes.probe import Observation, Value, versions
from rarelabels.record import connection, opening

EXPERIMENT = "probes"  # the name of the experiment in the record


def record(observations: Sequence[Observation], where: str) -> None:
    """Record observations as one run of the experiment ``rarelabels/probes``.

    The metrics are ``probe/<name>/<number>``, and the counts ``probes`` and ``changed``. The table ``probes.json`` also
    has the sentences and the names of exceptions. The tags are the versions, and ``changed`` with the names of changed
    probes.

    Args:
        observations: of all probes.
        where: the tracking URI.
    """
    client = connection.connect(where)
    installed = versions()
    experiment = opening.open_experiment(client, EXPERIMENT)
    run = opening.start_probes(client, experiment, f"keras {installed['keras']}", installed)
    try:
        changed = [one.probe.name for one in observations if not one.is_as_pinned]
        run.metrics({"probes": len(observations), "changed": len(changed)})
        run.metrics(
            {
                f"probe/{one.probe.name}/{number}": value
                for one in observations
                for number, value in one.numbers.items()
                if not isinstance(value, str)
            }
        )
        run.text("probes.json", json_files.text(_table(observations), indent=2))
        run.tags({"changed": ", ".join(changed)})
        run.notes([one.complaint() for one in observations if not one.is_as_pinned])
    except BaseException as error:
        run.fail(failure(error))
        raise
    run.finish()


def _table(observations: Sequence[Observation]) -> dict[str, list[object]]:
    """Return the observations in the format of tables on MLflow's page: names of columns, and rows."""
    rows = [
        {
            "probe": one.probe.name,
            "as_pinned": one.is_as_pinned,
            "thread": one.probe.thread,
            "believed": one.probe.believed,
            "documented": one.probe.documented,
            "observed": one.text,
            "numbers": {name: _as_json(value) for name, value in one.numbers.items()},
        }
        for one in observations
    ]
    return {"columns": list(rows[0]), "data": [list(row.values()) for row in rows]}


def _as_json(value: Value) -> Value:
    """Return a number as JSON can hold it: as text, if a library gave NaN or an infinity."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
