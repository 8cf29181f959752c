"""Begin runs of each kind: a trial's parent run, its runs, searches, judgements, and the run of a study.

A study has one MLflow experiment. A trial has a parent run with the aggregate and, below it, one child for each seed.
This module decides the names and tags of runs; ``identities`` decides which runs are the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from functools import lru_cache
from itertools import chain
from pathlib import Path
from subprocess import run as run_command

from rarelabels import __version__
from rarelabels.declare.trial import Trial
from rarelabels.names import shortened
from rarelabels.record import lease, outbox
from rarelabels.record.client import Client
from rarelabels.record.connection import KIND, PING_SECONDS, outboxes
from rarelabels.record.database import SQLITE, folders_of
from rarelabels.record.entities import Experiment, Run
from rarelabels.record.identities import Identity, library_versions
from rarelabels.record.moved import ROOT, files_of
from rarelabels.record.queries import earliest, find_experiment, heads
from rarelabels.record.registry import REFIT
from rarelabels.record.run_files import fetch
from rarelabels.record.writing import NOTE, Record

OWN_METRICS = "own_metrics"  # tag of a run: the metrics of other packages that it has, with blanks between

PARENT = "mlflow.parentRunId"
HYPOTHESIS = "hypothesis."  # begins the tag with the digest of a hypothesis as declared when the run was made
VIEW = "mlflow.sharedViewState."  # begins the tag with a saved view of MLflow's page
COLOUR = "mlflow.runColor"
OF_SOURCE = ("trial", "study", "variant", "overrides", "definition", "seed")  # tags that a refit copies from its run
COPIED_TAGS = ("watched", "watched_rows", "test_part")
OF_TRAINING = ("curve/", "training/")  # metrics that do not depend on how scores are judged
FILES_OF_TRAINING = ("data.json", "model", "scores")
LONGEST_NAME = 250  # characters of a run's name in MLflow's databases
EPOCHS = "scores/epochs.npz"  # the scores of every epoch, of a training that records them


def alive(client: Client, run_ids: Sequence[str]) -> AbstractContextManager[None]:
    """Renew the leases of several runs of this process while a block runs."""

    def renew() -> None:
        end = lease.until(client.now())
        for run_id in run_ids:
            client.set_tag(run_id, "lease", end)

    return lease.renewed(renew)


def open_experiment(client: Client, study: str) -> str:
    """Return the id of a study's experiment, and create it if it does not exist. Two processes may do so at once."""
    if found := find_experiment(client, study):
        return found
    place = None
    where = str(client.tracking_uri)
    if where.startswith(SQLITE):
        place = files_of(folders_of(where)[0], study).as_uri()
    try:
        return str(client.create_experiment(ROOT + study, place, tags={KIND: "custom_model_development"}))
    except Exception:
        if found := find_experiment(client, study):
            return found
        raise


def offer_view(client: Client, experiment: Experiment, key: str, content: str) -> None:
    """Put a saved view of MLflow's page into an experiment, unless the experiment has it already."""
    if experiment.tags.get(VIEW + key) != content:
        client.set_experiment_tag(experiment.experiment_id, VIEW + key, content)


def colour_trials(client: Client, experiment: str, colours: Sequence[str]) -> int:
    """Give colours to the trials of an experiment that have none, in turn; return the number of trials."""
    trials = heads(client, experiment, "trial")
    for number, run in enumerate(trials):
        if COLOUR not in run.data.tags:
            client.set_tag(run.info.run_id, COLOUR, colours[number % len(colours)])
    return len(trials)


def start(client: Client, experiment: str, identity: Identity, parent: str, hypotheses: Mapping[str, str]) -> Record:
    """Open the run of one seed below its parent run. Its entries wait in an outbox while the record is away."""
    tags = _tags(identity, "run") | {"seed": str(identity.seed), "fingerprint": identity.fingerprint, PARENT: parent}
    tags |= {"training": identity.training, "search": identity.search, "lease": lease.until(client.now())}
    tags |= {HYPOTHESIS + name: digest for name, digest in hypotheses.items()}
    return _start(client, experiment, tags, f"seed {identity.seed}")


def start_refit(client: Client, source: Run) -> Record:
    """Open the run of a model that is trained anew like the model of ``source``.

    Its kind is ``refit``, so it does not count as one of the trial's runs.
    """
    own = {name: source.data.tags[name] for name in (*OF_SOURCE, PARENT) if name in source.data.tags}
    tags = own | {"kind": REFIT, "refit_of": source.info.run_id, "rarelabels": __version__}
    tags |= {"owner": lease.owner(), "lease": lease.until(client.now())}
    tags |= {NOTE: "The model of this seed, trained anew on training and validation rows; nothing has judged it."}
    return Record(client, _create(client, source.info.experiment_id, tags, f"refit of seed {source.data.tags['seed']}"))


def _start(client: Client, experiment: str, tags: Mapping[str, str], name: str) -> Record:
    run_id = _create(client, experiment, tags, name)
    where = str(client.tracking_uri)
    return Record(client, run_id, outbox.of_run(outboxes(where), where, run_id), tags[NOTE])


def open_parent(client: Client, experiment: str, identity: Identity) -> Record:
    """Open a new parent run of a trial, or of one variant of a trial."""
    tags = _tags(identity, "trial") | {"search": identity.search}
    return Record(client, _create(client, experiment, tags, " ".join(_named(identity))))


def _named(identity: Identity) -> list[str]:
    changed = ["(overridden)"] if identity.overrides else []
    return [identity.trial.short_name, *filter(None, [identity.variant.rpartition(".")[2]]), *changed]


def study_run(client: Client, study: str) -> Run | None:
    """Return the run of a study, which holds the study's comparison; None if there is none yet."""
    experiment = find_experiment(client, study)
    return next(iter(heads(client, experiment, "study")), None) if experiment else None


def open_study(client: Client, experiment: str, study: str) -> Record:
    """Return the run of a study, which holds the study's comparison. It is created the first time."""
    if found := study_run(client, study):
        return Record(client, found.info.run_id)
    tags = {"kind": "study", "study": study, NOTE: f"The comparison of the trials of {study}."}
    return Record(client, _create(client, experiment, tags, f"= {study}"))


def open_search(client: Client, experiment: str, identity: Identity, seed: int | None) -> Record:
    """Return the run of a search, and create it if it does not exist.

    Args:
        client: of the record.
        experiment: MLflow's id of the study's experiment for searches.
        identity: of the trial, but with the fingerprint of the search.
        seed: of a search of thresholds, whose run also holds the training; None for a search of settings.
    """
    found = earliest(client, experiment, identity.fingerprint)
    if found:
        return found
    of_seed = {} if seed is None else {"seed": str(seed), "training": identity.training}
    tags = (
        _tags(identity, "search") | {"fingerprint": identity.fingerprint, "lease": lease.until(client.now())} | of_seed
    )
    # The seed comes first, because MLflow's page cuts long names.
    name = " ".join([*([] if seed is None else [f"seed {seed}"]), *_named(identity)])
    made = _create(client, experiment, tags, name)
    first = earliest(client, experiment, identity.fingerprint)
    if first and first.run_id != made:  # another process was faster
        Record(client, made).stop(f"the same search as {first.run_id}")
        return first
    return Record(client, made)


def start_tried(client: Client, experiment: str, search: str, trial: Trial, number: int) -> Record:
    """Open the run of one of Optuna's trials, below the run of its search."""
    tags = {"kind": "tried", "trial": trial.name, "number": str(number), PARENT: search}
    tags |= {"owner": lease.owner(), "lease": lease.until(client.now())}
    tags |= {NOTE: f"Optuna's trial {number} of the search for {trial.name}: validation alone."}
    return _start(client, experiment, tags, f"trial {number}")


def start_judgement(client: Client, experiment: str, name: str) -> Record:
    """Open the run of a judgement: of scores that another program made."""
    return _start_alone(client, experiment, "judged", name, library_versions(with_tensorflow=False))


def start_probes(client: Client, experiment: str, name: str, versions: Mapping[str, str]) -> Record:
    """Open the run of one round of probes; ``versions`` are those of the probed libraries, and become tags."""
    return _start_alone(client, experiment, "probes", name, {**library_versions(with_tensorflow=True), **versions})


def _start_alone(client: Client, experiment: str, kind: str, name: str, versions: Mapping[str, str]) -> Record:
    """Open a run that belongs to no trial."""
    tags = {"kind": kind, "owner": lease.owner(), "rarelabels": __version__}
    tags |= {library.replace("-", "_"): installed for library, installed in versions.items()}
    return Record(client, _create(client, experiment, tags, name))


def _create(client: Client, experiment: str, tags: Mapping[str, str], name: str) -> str:
    """Open a run and return its id. Its name is cut if a database would refuse it."""
    run = client.create_run(experiment, tags=dict(tags), run_name=shortened(name, LONGEST_NAME))
    return str(run.info.run_id)


def copy_training(client: Client, source: str, target: Record) -> None:
    """Copy a recorded training to another run, whose trial differs only in watched metrics or in its rules."""
    run = client.get_run(source)
    metrics = {key: value for key, value in run.data.metrics.items() if key.startswith(OF_TRAINING)}
    curves = [key for key in metrics if key.startswith("curve/")]
    history = chain.from_iterable(client.get_metric_history(source, key) for key in curves)
    target.curves((point.key, point.step, point.value) for point in history)
    target.metrics({key: value for key, value in metrics.items() if key not in curves})
    origin = run.data.tags.get("trained_by", source)
    target.tags({"trained_by": origin} | {name: run.data.tags[name] for name in COPIED_TAGS if name in run.data.tags})
    target.notes([note for note in run.data.tags.get("notes", "").split("\n") if note])
    target.data_of(run)
    with target.folder() as folder:
        fetch(client, source, FILES_OF_TRAINING, folder, without=EPOCHS)  # a large file, read from its first run


def _tags(identity: Identity, kind: str) -> dict[str, str]:
    trial = identity.trial
    tags = {
        "kind": kind,
        "trial": trial.name,
        "study": trial.study,
        "variant": identity.variant,
        "definition": identity.definition,
        "overrides": identity.overrides,
        "owner": lease.owner(),
        "rarelabels": __version__,
        NOTE: f"{trial.question}\n\nThread: {trial.thread}",
    }
    tags |= {name.replace("-", "_"): value for name, value in library_versions(trial.needs_tensorflow).items()}
    if trial.packages:
        tags["packages"] = " ".join(f"{name}=={version}" for name, version in trial.packages.items())
    if trial.own_metrics:
        tags[OWN_METRICS] = " ".join(trial.own_metrics)
    if commit := _commit():
        tags["mlflow.source.git.commit"] = commit
    return tags


@lru_cache(maxsize=1)
def _commit() -> str:
    try:
        here = Path(__file__).parent
        command = ["git", "-C", str(here), "rev-parse", "HEAD"]
        return run_command(command, capture_output=True, text=True, timeout=PING_SECONDS).stdout.strip()
    except OSError:
        return ""
