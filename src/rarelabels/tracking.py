"""The record in MLflow: the only module that writes to it.

One MLflow experiment per study; per trial a parent run with the aggregate, below it one child per seed. What a run is
called, which tags it carries and what counts as the same run is decided here.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import platform
import socket
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from subprocess import run as run_command
from typing import Any
from urllib.parse import urlsplit

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # nothing leaves the machine unasked
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")

from mlflow import MlflowClient
from mlflow.entities import Dataset as LoggedDataset
from mlflow.entities import DatasetInput, Experiment, Metric, Param, Run, RunTag
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from rarelabels import THREADS, __version__
from rarelabels.schema import Trial, UserError

logging.getLogger("mlflow").setLevel(logging.WARNING)  # it tells of every table it makes

ROOT = "rarelabels/"
SQLITE = "sqlite:///"
KIND = "mlflow.experimentKind"  # unset, MLflow's page opens in its mode for language models
PARENT = "mlflow.parentRunId"
HYPOTHESIS = "hypothesis."  # before its name: the digest of one that was declared when the run was made
VIEW = "mlflow.sharedViewState."  # before its key: a saved view of MLflow's page
COLOUR = "mlflow.runColor"
NOTE = "mlflow.note.content"  # what MLflow's page shows as the description
DESCRIBED = 2  # paragraphs that a run is begun with: its question and its thread
COPIED_TAGS = ("watched", "test_part")
OF_TRAINING = ("curve/", "training/")  # metrics that do not depend on how scores are judged
FILES_OF_TRAINING = ("data.json", "model", "scores")
EVALUATION = 4  # raised when rules or metrics are added: runs are judged anew from their scores, without training
EPOCHS = "scores/epochs.npz"  # the scores of every epoch, of a training that records them
TUNING = "/tuning"  # added to a study's name: the experiment of its searches
BATCH, PARAMS = 900, 100  # MLflow takes at most 1,000 metrics, and 100 parameters, at once
PATIENCE = 5  # seconds that a server is given to answer the first time

BEST = "best"  # alias of the registered version that predicts
NOT_THERE = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")  # of a model, or of an alias of one

Build = Callable[[Path], None]
ParentKey = tuple[str, str, str, str]  # trial, variant, definition, overrides


@dataclass(frozen=True)
class Identity:
    """Which run this is. Two runs with the same fingerprint have the same numbers.

    Attributes:
        trial: as it runs, overrides included.
        variant: of a trial with ``vary``, else empty.
        seed: of the split and the net.
        definition: fingerprint without the seed; what the runs below one parent share.
        fingerprint: see :func:`fingerprint`.
        training: see :func:`training_fingerprint`.
        overrides: how the trial differs from its declaration, as text; empty if it does not.
        search: id of the run of the search that tuned it; empty for a trial without one.
    """

    trial: Trial
    variant: str
    seed: int
    definition: str
    fingerprint: str
    training: str
    overrides: str
    search: str = ""

    @property
    def parent_key(self) -> ParentKey:
        """Which parent run it belongs to."""
        return self.trial.name, self.variant, self.definition, self.overrides


def parent_key(run: Run) -> ParentKey:
    """Return which parent a recorded run is, or belongs to."""
    tags = run.data.tags
    return tags["trial"], tags["variant"], tags["definition"], tags["overrides"]


def uri() -> str:
    """Return where the record is: ``MLFLOW_TRACKING_URI``, else an absolute SQLite file in ``runs/`` of this folder."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{Path('runs').resolve() / 'mlflow.db'}"


def is_begun(where: str) -> bool:
    """Return whether there may be anything to read: a local record is a file that the first run makes."""
    return not where.startswith(SQLITE) or Path(where.removeprefix(SQLITE)).exists()


def connect(where: str) -> MlflowClient:
    """Open the record, creating a local one (which takes MLflow a few seconds, once).

    Raises:
        UserError: nothing answers there.
    """
    if where.startswith(SQLITE):
        _make_folder(Path(where.removeprefix(SQLITE)).parent)
    if where.startswith(("http://", "https://")):
        _ping(where)
    try:
        client = MlflowClient(tracking_uri=where)
        client.search_experiments(max_results=1)
    except Exception as error:
        raise _no_answer(where, error) from error
    return client


def find_experiment(client: MlflowClient, study: str) -> str | None:
    """Return the id of a study's experiment, None if nothing is recorded of it."""
    found = client.get_experiment_by_name(ROOT + study)
    return str(found.experiment_id) if found else None


def open_experiment(client: MlflowClient, study: str) -> str:
    """Return the id of a study's experiment, creating it if need be; two processes may do so at once."""
    if found := find_experiment(client, study):
        return found
    place = None
    where = str(client.tracking_uri)
    if where.startswith(SQLITE):
        place = (Path(where.removeprefix(SQLITE)).parent / "artifacts" / study).as_uri()
    try:
        return str(client.create_experiment(ROOT + study, place, tags={KIND: "custom_model_development"}))
    except MlflowException:
        if found := find_experiment(client, study):
            return found
        raise


def experiments(client: MlflowClient) -> list[Experiment]:
    """Return what was recorded by this suite, by name: an experiment for each study, its searches, and others."""
    found = client.search_experiments(filter_string=f"name LIKE '{ROOT}%'", order_by=["name ASC"], max_results=1000)
    return list(found)


def offer_view(client: MlflowClient, experiment: Experiment, key: str, content: str) -> None:
    """Put a saved view of MLflow's page into an experiment, unless it is there."""
    if experiment.tags.get(VIEW + key) != content:
        client.set_experiment_tag(experiment.experiment_id, VIEW + key, content)


def colour_trials(client: MlflowClient, experiment: str, colours: Sequence[str]) -> int:
    """Give the trials of an experiment colours in turn, but those that have one; return how many trials there are."""
    trials = all_runs(client, experiment, "tags.kind = 'trial'")
    for number, run in enumerate(trials):
        if COLOUR not in run.data.tags:
            client.set_tag(run.info.run_id, COLOUR, colours[number % len(colours)])
    return len(trials)


def fingerprint(trial: Trial, seed: int | None, digest: str) -> str:
    """Hash what can change the numbers: definition, data, seed, library versions, thread count, results version.

    Without a seed it is the fingerprint of a trial's definition, which its parent run carries.
    """
    return _hash(trial, trial.definition() | {"evaluation": EVALUATION}, seed, digest)


def training_fingerprint(trial: Trial, seed: int, digest: str) -> str:
    """Hash what can change the scores: runs that differ only in their rules share a training."""
    return _hash(trial, trial.training_definition(), seed, digest)


def search_fingerprint(trial: Trial, seed: int | None, digest: str) -> str:
    """Hash what can change a search; of parameters all but how many trials it has, for with more of them it goes on.

    A search of parameters has no seed, for it has several of its own.
    """
    assert trial.tuning is not None
    tuning = trial.tuning.model_dump(mode="json", exclude=None if trial.searches_thresholds else {"n_trials"})
    also = {"tuning": tuning, "evaluation": EVALUATION, "optuna": version("optuna")}
    return _hash(trial, trial.definition() | also, seed, digest)


def _hash(trial: Trial, definition: Mapping[str, Any], seed: int | None, digest: str) -> str:
    identity = {
        "definition": definition,
        "data": digest,
        "seed": seed,
        "versions": _versions(trial.needs_tensorflow),
        "results": __version__.rsplit(".", 1)[0],
    }
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()


class Record:
    """One open MLflow run. Its status is written last: a run that is cut off is never FINISHED."""

    def __init__(self, client: MlflowClient, run_id: str) -> None:
        self.client, self.run_id = client, run_id

    def curve(self, epoch: int, values: Mapping[str, float]) -> None:
        """Log one epoch of ``curve/<name>``; visible at once."""
        self.metrics({f"curve/{name}": value for name, value in values.items()}, step=epoch)

    def metrics(self, values: Mapping[str, float], step: int = 0) -> None:
        """Log metrics under their full names."""
        now = int(time.time() * 1000)
        self._log_metrics(Metric(name, float(value), now, step) for name, value in values.items())

    def curves(self, points: Iterable[tuple[str, int, float]]) -> None:
        """Log whole curves: (full name, epoch, value)."""
        now = int(time.time() * 1000)
        self._log_metrics(Metric(name, value, now, step) for name, step, value in points)

    def params(self, values: Mapping[str, object]) -> None:
        """Log flat dotted parameters."""
        params = [Param(key, str(value)[:6000]) for key, value in values.items()]
        for first in range(0, len(params), PARAMS):
            self.client.log_batch(self.run_id, params=params[first : first + PARAMS])

    def tags(self, values: Mapping[str, object]) -> None:
        """Set tags."""
        self.client.log_batch(self.run_id, tags=[RunTag(key, str(value)[:5000]) for key, value in values.items()])

    def data(self, name: str, digest: str, summary: Mapping[str, Any]) -> None:
        """Log the data set as an MLflow dataset input."""
        source = json.dumps({"kind": name})
        dataset = LoggedDataset(name, digest[:36], "rarelabels", source, profile=json.dumps(summary["rows"]))
        self.client.log_inputs(self.run_id, [DatasetInput(dataset, [])])

    def notes(self, sentences: Sequence[str]) -> None:
        """Say what a reader of the result must know: as a tag, and below the run's description."""
        if sentences:
            described = self.client.get_run(self.run_id).data.tags.get(NOTE, "").split("\n\n")
            self.tags({"notes": "\n".join(sentences), NOTE: "\n\n".join([*described[:DESCRIBED], *sentences])})

    def text(self, name: str, content: str) -> None:
        """Log a text file."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, name)
            file.write_text(content, encoding="utf-8")
            self.client.log_artifact(self.run_id, str(file))

    def files(self, folder: Path) -> None:
        """Log everything in a folder as artifacts."""
        self.client.log_artifacts(self.run_id, str(folder))

    def finish(self) -> None:
        """Write the status, last."""
        self.client.set_terminated(self.run_id, "FINISHED")

    def fail(self, reason: str) -> None:
        """End as FAILED with one readable line."""
        self.tags({"reason": reason})
        self.client.set_terminated(self.run_id, "FAILED")

    def stop(self, reason: str) -> None:
        """End as KILLED, before its time but on purpose, with one readable line."""
        self.tags({"reason": reason})
        self.client.set_terminated(self.run_id, "KILLED")

    def go_on(self) -> None:
        """Run again, owned by this process."""
        self.tags({"owner": owner()})
        self.client.update_run(self.run_id, status="RUNNING")

    def _log_metrics(self, metrics: Iterable[Metric]) -> None:
        everything = list(metrics)
        for first in range(0, len(everything), BATCH):
            self.client.log_batch(self.run_id, metrics=everything[first : first + BATCH])


def start(
    client: MlflowClient, experiment: str, identity: Identity, parent: str, hypotheses: Mapping[str, str]
) -> Record:
    """Open the run of one seed below its parent."""
    tags = _tags(identity, "run") | {"seed": str(identity.seed), "fingerprint": identity.fingerprint, PARENT: parent}
    tags |= {"training": identity.training, "search": identity.search}
    tags |= {HYPOTHESIS + name: digest for name, digest in hypotheses.items()}
    return Record(client, client.create_run(experiment, tags=tags, run_name=f"seed {identity.seed}").info.run_id)


def open_parent(client: MlflowClient, experiment: str, identity: Identity) -> Record:
    """Open a new parent run of a trial (or of one variant of it)."""
    tags = _tags(identity, "trial") | {"search": identity.search}
    run = client.create_run(experiment, tags=tags, run_name=" ".join(_named(identity)))
    return Record(client, run.info.run_id)


def _named(identity: Identity) -> list[str]:
    changed = ["(overridden)"] if identity.overrides else []
    return [identity.trial.short_name, *filter(None, [identity.variant.rpartition(".")[2]]), *changed]


def open_study(client: MlflowClient, experiment: str, study: str) -> Record:
    """Return the one run that carries the study's comparison, creating it the first time."""
    found = client.search_runs([experiment], "tags.kind = 'study'", max_results=1, order_by=["start_time ASC"])
    if found:
        return Record(client, found[0].info.run_id)
    tags = {"kind": "study", "study": study, NOTE: f"The comparison of the trials of {study}."}
    return Record(client, client.create_run(experiment, tags=tags, run_name=f"= {study}").info.run_id)


def open_search(client: MlflowClient, experiment: str, identity: Identity, seed: int | None) -> Record:
    """Return the run of a search, the one that was begun before if there is one; ``fingerprint`` is the search's.

    A search of thresholds has a seed, and its run holds the training whose scores it searches.
    """
    found = _earliest(client, experiment, identity.fingerprint)
    if found:
        return found
    of_seed = {} if seed is None else {"seed": str(seed), "training": identity.training}
    tags = _tags(identity, "search") | {"fingerprint": identity.fingerprint} | of_seed
    # The seed first: MLflow's page cuts names after some letters.
    name = " ".join([*([] if seed is None else [f"seed {seed}"]), *_named(identity)])
    made = client.create_run(experiment, tags=tags, run_name=name)
    first = _earliest(client, experiment, identity.fingerprint)
    if first and first.run_id != made.info.run_id:  # another process was faster
        Record(client, made.info.run_id).stop(f"the same search as {first.run_id}")
        return first
    return Record(client, made.info.run_id)


def _earliest(client: MlflowClient, experiment: str, mark: str) -> Record | None:
    found = client.search_runs([experiment], f"tags.fingerprint = '{mark}'", 1, 1, ["start_time ASC"])
    return Record(client, found[0].info.run_id) if found else None


def start_tried(client: MlflowClient, experiment: str, search: str, trial: Trial, number: int) -> Record:
    """Open the run of one of Optuna's trials, below its search."""
    tags = {"kind": "tried", "trial": trial.name, "number": str(number), "owner": owner(), PARENT: search}
    tags |= {NOTE: f"Optuna's trial {number} of the search for {trial.name}: validation alone."}
    return Record(client, client.create_run(experiment, tags=tags, run_name=f"trial {number}").info.run_id)


def start_judgement(client: MlflowClient, experiment: str, name: str) -> Record:
    """Open the run of scores that were made elsewhere."""
    return _start_alone(client, experiment, "judged", name, _versions(with_tensorflow=False))


def start_probes(client: MlflowClient, experiment: str, name: str, versions: Mapping[str, str]) -> Record:
    """Open the run of one round of probes; ``versions`` of the libraries that they are about become tags."""
    return _start_alone(client, experiment, "probes", name, {**_versions(with_tensorflow=True), **versions})


def _start_alone(client: MlflowClient, experiment: str, kind: str, name: str, versions: Mapping[str, str]) -> Record:
    """Open a run that belongs to no trial."""
    tags = {"kind": kind, "owner": owner(), "rarelabels": __version__}
    tags |= {library.replace("-", "_"): installed for library, installed in versions.items()}
    return Record(client, client.create_run(experiment, tags=tags, run_name=name).info.run_id)


@dataclass(frozen=True)
class ScratchRun:
    """A run of a temporary record, open in MLflow's own way."""

    client: MlflowClient
    run_id: str

    def steps(self) -> dict[str, list[int]]:
        """Return the metrics that arrived, with their steps; MLflow writes them behind one's back, so it waits."""
        import mlflow

        mlflow.flush_async_logging()
        names = self.client.get_run(self.run_id).data.metrics
        return {name: [point.step for point in self.client.get_metric_history(self.run_id, name)] for name in names}


@dataclass(frozen=True)
class ScratchRecord:
    """A temporary record, and the experiment in it."""

    client: MlflowClient
    experiment: str

    @contextmanager
    def run(self) -> Iterator[ScratchRun]:
        """Open a run as the active one, for what logs by itself."""
        import mlflow

        with mlflow.start_run(experiment_id=self.experiment) as run:
            yield ScratchRun(self.client, run.info.run_id)


@contextmanager
def scratch_record() -> Iterator[ScratchRecord]:
    """Make a temporary record MLflow's own; the user's is untouched.

    Whatever MLFLOW_TRACKING_URI says is put back afterwards.
    """
    import mlflow

    said = os.environ.get("MLFLOW_TRACKING_URI")
    with tempfile.TemporaryDirectory() as folder:
        where = f"{SQLITE}{folder}/mlflow.db"
        client = MlflowClient(tracking_uri=where)
        experiment = client.create_experiment("scratch", Path(folder, "artifacts").as_uri())
        try:
            mlflow.set_tracking_uri(where)
            yield ScratchRecord(client, experiment)
        finally:
            mlflow.set_tracking_uri(None)
            if said is not None:
                os.environ["MLFLOW_TRACKING_URI"] = said


def registered_name(study: str) -> str:
    """Return what the model of a study is called in the registry."""
    return f"rarelabels-{study.replace(':', '-')}"  # MLflow takes no colon, and no slash, which no study has


def registered(client: MlflowClient, study: str) -> ModelVersion | None:
    """Return the version of a study's model that was registered as the best; None if there is none."""
    try:
        return client.get_model_version_by_alias(registered_name(study), BEST)
    except MlflowException as error:
        if error.error_code in NOT_THERE:
            return None
        raise


def register(
    client: MlflowClient, study: str, run: Run, what: Mapping[str, str], why: Mapping[str, str], build: Build
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
            client.set_model_version_tag(name, version, key, value)
    else:
        place = "/".join(["registered", *(what[key] for key in sorted(what) if key != "run")])
        with tempfile.TemporaryDirectory() as folder:
            build(Path(folder, "model"))
            client.log_artifacts(run.info.run_id, str(Path(folder, "model")), place)
        with suppress(MlflowException):  # there already
            client.create_registered_model(name, description=f"The best model of the study {study}.")
        source = f"{run.info.artifact_uri}/{place}"
        version = client.create_model_version(name, source, run.info.run_id, {**what, **why}).version
    client.set_registered_model_alias(name, BEST, version)
    return str(version)


def versions(client: MlflowClient, study: str) -> list[ModelVersion]:
    """Return all registered versions of a study's model, newest first."""
    found = client.search_model_versions(f"name = '{registered_name(study)}'")
    return sorted(found, key=lambda one: int(one.version), reverse=True)


def copy_training(client: MlflowClient, source: str, target: Record) -> None:
    """Record a training once more, for a trial that differs only in what it watches or in its rules."""
    run = client.get_run(source)
    metrics = {key: value for key, value in run.data.metrics.items() if key.startswith(OF_TRAINING)}
    curves = [key for key in metrics if key.startswith("curve/")]
    history = chain.from_iterable(client.get_metric_history(source, key) for key in curves)
    target.curves((point.key, point.step, point.value) for point in history)
    target.metrics({key: value for key, value in metrics.items() if key not in curves})
    origin = run.data.tags.get("trained_by", source)
    target.tags({"trained_by": origin} | {name: run.data.tags[name] for name in COPIED_TAGS if name in run.data.tags})
    target.notes([note for note in run.data.tags.get("notes", "").split("\n") if note])
    client.log_inputs(target.run_id, run.inputs.dataset_inputs)
    with tempfile.TemporaryDirectory() as folder:
        for name in FILES_OF_TRAINING:
            client.download_artifacts(source, name, folder)
        Path(folder, *EPOCHS.split("/")).unlink(missing_ok=True)  # large, and read where it was made
        target.files(Path(folder))


def all_runs(client: MlflowClient, experiment: str, filter_string: str = "") -> list[Run]:
    """Return all runs of an experiment that match, oldest first."""
    found: list[Run] = []
    token = None
    while True:
        page = client.search_runs([experiment], filter_string, 1, 5000, ["start_time ASC"], token)
        found += page
        token = page.token
        if not token:
            return found


def end_orphans(client: MlflowClient, runs: Iterable[Run]) -> list[str]:
    """Mark as KILLED the RUNNING runs whose owner, a process of this machine, is gone; return their ids."""
    ended = []
    for run in runs:
        tags = run.data.tags
        begun = run.info.status == "RUNNING" and tags.get("kind") in ("run", "search", "tried")
        if begun and is_gone(tags.get("owner", "")):
            client.set_tag(run.info.run_id, "reason", "cut off: the process that ran it is gone")
            client.set_terminated(run.info.run_id, "KILLED")
            ended.append(str(run.info.run_id))
    return ended


def owner() -> str:
    """Name this process on this machine: host, process id and when the process began (ids are used again)."""
    return f"{socket.gethostname()} {os.getpid()} {_began(os.getpid())}"


def is_gone(who: str) -> bool:
    """Return whether a process of this machine, as :func:`owner` names it, has ended."""
    host, _, rest = who.partition(" ")
    pid, _, began = rest.partition(" ")
    return host == socket.gethostname() and pid.isdigit() and _began(int(pid)) != began


def _began(pid: int) -> str:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        if platform.system() == "Linux":
            return "gone"
        command = ["ps", "-o", "lstart=", "-p", str(pid)]
        return run_command(command, capture_output=True, text=True).stdout.strip() or "gone"
    return stat.rpartition(")")[2].split()[19]  # start time in clock ticks since boot


def _tags(identity: Identity, kind: str) -> dict[str, str]:
    trial = identity.trial
    tags = {
        "kind": kind,
        "trial": trial.name,
        "study": trial.study,
        "variant": identity.variant,
        "definition": identity.definition,
        "overrides": identity.overrides,
        "owner": owner(),
        "rarelabels": __version__,
        NOTE: f"{trial.question}\n\nThread: {trial.thread}",
    }
    tags |= {name.replace("-", "_"): value for name, value in _versions(trial.needs_tensorflow).items()}
    if commit := _commit():
        tags["mlflow.source.git.commit"] = commit
    return tags


def _versions(with_tensorflow: bool) -> dict[str, str]:
    names = ["scikit-learn", "numpy"] + (["tensorflow", "keras"] if with_tensorflow else [])
    return {name: version(name) for name in names} | {"threads": str(THREADS)}


@lru_cache(maxsize=1)
def _commit() -> str:
    try:
        here = Path(__file__).parent
        command = ["git", "-C", str(here), "rev-parse", "HEAD"]
        return run_command(command, capture_output=True, text=True, timeout=PATIENCE).stdout.strip()
    except OSError:
        return ""


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{folder}: the record's folder cannot be made: {error.strerror}") from error


def _ping(where: str) -> None:
    """Ask a server for its health once; MLflow itself would go on asking for minutes."""
    import requests

    try:
        requests.get(f"{where.rstrip('/')}/health", timeout=PATIENCE).raise_for_status()
    except requests.RequestException as error:
        raise _no_answer(where, error) from error


def _no_answer(where: str, error: Exception) -> UserError:
    secret = urlsplit(where).password
    where = where.replace(secret, "***") if secret else where
    return UserError(
        f"MLFLOW_TRACKING_URI {where!r} does not answer ({type(error).__name__}); "
        "start the server, correct the variable, or unset it to use runs/mlflow.db here"
    )
