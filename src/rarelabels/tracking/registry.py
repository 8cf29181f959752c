"""The best models of studies in MLflow's model registry."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from rarelabels import __version__
from rarelabels.tracking.client import Client
from rarelabels.tracking.entities import Run, Version

BEST = "best"  # alias of the registered version that predicts

Build = Callable[[Path], None]


def registered_name(study: str) -> str:
    """Return what the model of a study is called in the registry."""
    return f"rarelabels-{study.replace(':', '-')}"  # MLflow takes no colon, and no slash, which no study has


def registered(client: Client, study: str) -> Version | None:
    """Return the version of a study's model that was registered as the best; None if there is none."""
    return next((one for one in versions(client, study) if BEST in one.aliases), None)


def register(
    client: Client, study: str, run: Run, what: Mapping[str, str], why: Mapping[str, str], build: Build
) -> str:
    """Make a run's model the best of its study in the registry, and return its version.

    The files go below the run. What has been registered before is not registered again.

    Args:
        client: of the record.
        study: of the run.
        run: the trained one.
        what: tags that tell whether a version is this very model.
        why: tags of what it was chosen by.
        build: writes the model to a new folder.
    """
    name = registered_name(study)
    what = {"run": run.info.run_id, "rarelabels": __version__, **what}
    same = [one for one in versions(client, study) if what.items() <= one.tags.items()]
    if same:
        version = same[0].version
        for key, value in why.items():
            if same[0].tags.get(key) != value:
                client.set_model_version_tag(name, version, key, value)
    else:
        place = "/".join(["registered", *(what[key] for key in sorted(what) if key != "run")])
        with tempfile.TemporaryDirectory() as folder:
            build(Path(folder, "model"))
            client.log_artifacts(run.info.run_id, str(Path(folder, "model")), place)
        with suppress(Exception):  # there already
            client.create_registered_model(name, description=f"The best model of the study {study}.")
        source = f"{run.info.artifact_uri}/{place}"
        version = client.create_model_version(name, source, run.info.run_id, {**what, **why}).version
    if not (same and BEST in same[0].aliases):
        client.set_registered_model_alias(name, BEST, version)
    return str(version)


def versions(client: Client, study: str) -> list[Version]:
    """Return all registered versions of a study's model, newest first."""
    return client.read.versions(registered_name(study))
