"""A study of a small table, and its models in the registry: made once for all tests of serving."""

from pathlib import Path

import mlflow
import pytest

import my_study
from rarelabels.declare import declarations
from rarelabels.record import connection
from rarelabels.serve import deployment


@pytest.fixture(scope="session")
def project(tmp_path_factory):
    return my_study.run(tmp_path_factory.mktemp("my"))


@pytest.fixture(scope="session")
def registered(project):
    """The run of a trial's first seed, and where its model was registered; later ones take the alias over."""
    made = {}

    def register(name):
        if name not in made:
            client = connection.connect(project.record)
            run = next(
                one
                for one in project.runs(study=my_study.STUDY)
                if one.data.tags["trial"] == f"my/{name}" and one.data.tags["seed"] == "0"
            )
            trial = declarations.load_trial(project.folder / "experiments" / "my" / f"{name}.yaml")
            version = deployment.register(client, run, trial, "per_label", {})
            found = client.get_model_version("rarelabels-my", version)
            made[name] = run, Path(mlflow.artifacts.download_artifacts(found.source, tracking_uri=project.record))
        return made[name]

    return register
