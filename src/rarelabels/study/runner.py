"""One run: load, weigh, fit, score, choose, measure, record. This module holds the order of the steps, nothing else."""

from __future__ import annotations

import socket
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np

from rarelabels import json_files
from rarelabels.declare import as_yaml, own_measures
from rarelabels.declare.trial import Trial
from rarelabels.errors import UserError, failure
from rarelabels.judging import evaluation, picking, scores
from rarelabels.judging.arrays import Floats
from rarelabels.judging.own import Own
from rarelabels.judging.picking import Epochs
from rarelabels.judging.rules import definition
from rarelabels.judging.scores import Scores
from rarelabels.judging.settings import PickedBy
from rarelabels.learn import fitting, powerset
from rarelabels.learn.baselines.boosting import LeftOutError
from rarelabels.record import connection, identities, opening, reading, writing
from rarelabels.record.identities import Identity
from rarelabels.record.writing import Record, WaitingError
from rarelabels.study.progress_display import Say

WATCHED_ROWS = "of the training part as many as validation has, evenly spread"  # see watched.rows


@dataclass(frozen=True)
class Task:
    """One training and the runs that share it. Their trials differ only in watched metrics or in threshold rules.

    Attributes:
        experiment: MLflow's id.
        runs: each with the id of its parent run.
        watch: the metrics to follow each epoch; see ``plan.watched``.
        hypotheses: the hash of each hypothesis by name, as declared when the task was planned.
        source: id of a finished run of the same training, which is copied; if empty, the task trains.
        own_packages: name and version of the packages whose metrics and rules the trials declare.
    """

    experiment: str
    runs: tuple[tuple[Identity, str], ...]
    watch: tuple[str, ...]
    hypotheses: dict[str, str]
    source: str = ""
    own_packages: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, eq=False)
class Trained:
    """The scores of a training. Rules are chosen on the validation scores and measured on the test scores.

    Attributes:
        labels: names of the columns.
        validation: scores of the validation part.
        test: scores of the test part.
        prevalence: of the labels in the training part, shape (n_labels,).
        source: id of the run that the training was copied from; empty if this process trained.
        epochs: scores after each epoch; None if the training was copied or does not keep them.
    """

    labels: tuple[str, ...]
    validation: Scores
    test: Scores
    prevalence: Floats
    source: str = ""
    epochs: Epochs | None = None


@dataclass(frozen=True)
class Ended:
    """How a task ended. A task that is left out is no failure.

    Attributes:
        failure: why it failed; empty if it did not fail.
        left_out: why it was left out; empty if it was not left out.
    """

    failure: str = ""
    left_out: str = ""


def run(task: Task, where: str, say: Say) -> Ended:
    """Do a task and record its runs. A failure is recorded and returned; it is not raised.

    Raises:
        UserError: the record does not answer when a run begins.
    """
    client = connection.connect(where, writing.PATIENCE)
    writing.deliver_left(client, where, connection.outboxes(where))
    source, failures, left_out = task.source, [], ""
    if not source:
        fitting.prepare(task.runs[0][0].trial)
    for identity, parent in task.runs:
        with connection.answering(where):
            record = opening.start(client, task.experiment, identity, parent, task.hypotheses)
        try:
            with record.alive():
                record.params(as_yaml.flat(identity.trial) | {"seed": identity.seed})
                record.text("trial.yaml", as_yaml.dump(identity.trial))
                own = own_of(identity.trial, task)  # before the training, which would be lost if it cannot be used
                # read before the training: if the record did not answer afterwards, the training would be lost
                searched = reading.rules(client, identity.search) if identity.trial.searches_thresholds else {}
                if left_out:  # the runs of a task share a training, so all are left out
                    raise LeftOutError(left_out)
                trained = copied(source, record) if source else train(identity, task.watch, record, say)
                source = source or record.run_id
                judge(identity, record, trained, searched, own)
                record.finish()
        except LeftOutError as error:
            end(record, error)
            left_out = str(error)
        except Exception as error:  # an error ends only its own run
            reason = end(record, error)
            if not source:  # the training failed, so the other runs of the task have none
                return Ended(reason)
            failures.append(f"{identity.trial.name}: {reason}")
    return Ended("; ".join(failures), left_out)


def own_of(trial: Trial, task: Task) -> Own:
    """Return the metrics and rules of other packages that a trial declares.

    Raises:
        UserError: one of them cannot be used, or its package has another version than where the run was planned.
    """
    other = own_measures.versions(trial).items() - task.own_packages
    if other:
        told = ", ".join(f"{name} {version}" for name, version in sorted(other))
        raise UserError(
            f"{socket.gethostname()} has {told}, which is not the version that this run was planned with; install the "
            "same version everywhere, and call the same command again"
        )
    return own_measures.of(trial)


def end(record: Record, error: Exception) -> str:
    """End a run that failed or is left out, and return the reason.

    A run whose results wait for the record is not ended: another command delivers them.
    """
    if isinstance(error, WaitingError):
        return str(error)
    reason = failure(error)
    with suppress(Exception):  # perhaps the record itself failed; a run that is not ended counts as cut off
        if isinstance(error, LeftOutError):
            record.tags({"left_out": str(error)})
            record.stop(f"left out: {error}")
        else:
            record.fail(reason)
    return reason


def copied(source: str, record: Record) -> Trained:
    """Copy the training of the run ``source`` into a record, and return its scores."""
    opening.copy_training(record.client, source, record)
    prevalence = reading.train_prevalence(record.client, source)
    return Trained(*reading.trained_scores(record.client, source), prevalence, source)


def train(identity: Identity, watch: tuple[str, ...], record: Record, say: Say) -> Trained:
    """Train and record the training: curves, facts, weights, and the scores of validation and test.

    The metrics of these scores are recorded later, by :func:`judge`.
    """
    trial, seed = identity.trial, identity.seed
    data, weights = fitting.load(trial, seed)
    if identities.training_fingerprint(trial, seed, data.digest) != identity.training:
        raise UserError(
            f"the data or the versions of the libraries on {socket.gethostname()} are not those that this run was "
            "planned with; make them equal, and call the same command again"
        )
    of_some_rows = {"watched_rows": WATCHED_ROWS} if trial.is_network and watch else {}
    record.tags({"watched": " ".join(watch), "test_part": data.test.digest()} | of_some_rows)
    record.data(trial.dataset.kind, data.digest, data.summary)
    record.notes([*data.notes, *weights.notes])
    of_sets = {} if data.has_unknown else powerset.facts(data.train.y, data.test.y)
    facts = weights.facts | of_sets
    record.metrics({f"training/{name}": value for name, value in facts.items()})

    epochs = trial.training.schedule(len(data.train.y)).epochs

    def on_epoch(epoch: int, curves: dict[str, float]) -> None:
        record.curve(epoch, curves)
        say({"epoch": epoch, "epochs": epochs, "loss": curves["loss"]})

    data = fitting.with_features(trial.dataset, data)
    fitted, validation = fitting.fit(trial, seed, data, weights, watch, on_epoch)
    test = Scores.of(fitted, data.test)
    if fitted.notes:
        record.notes([*data.notes, *weights.notes, *fitted.notes])
    record.metrics({f"training/{name}": value for name, value in fitted.facts.items()})
    if not trial.is_scored_elsewhere:
        train = Scores(data.train.ids, data.train.y, fitted.scores(data.train), known=data.train.known)
        record.metrics(evaluation.gap(train, test))
    with record.folder() as folder:
        scores.save_scores(folder / reading.SCORES, data.labels, validation, test)
        if fitted.epochs:
            np.savez_compressed(folder / opening.EPOCHS, allow_pickle=False, **fitted.epochs)
        json_files.write(folder / "data.json", data.summary, indent=1)
        fitted.save(folder / "model")
        compressed = float((folder / "model" / "weights.npz").stat().st_size)
        stored = reading.stored_scores(folder / reading.SCORES)
    record.metrics({"training/compressed_bytes": compressed} if trial.stores_model else {})
    prevalence = np.array(list(data.summary["prevalence"]["train"].values()))
    return Trained(*stored, prevalence, epochs=Epochs.of(fitted.epochs) if fitted.epochs else None)


def judge(identity: Identity, record: Record, trained: Trained, searched: definition.Rules, own: Own) -> None:
    """Choose the rules on the validation scores; measure both parts under these and under the ``searched`` rules.

    ``own`` are metrics and rules of other packages.
    """
    if identity.trial.picked_by:
        trained = pick(identity.trial.picked_by, record, trained)
    floors, spec, decides = evaluation.floors(trained.prevalence), identity.trial.thresholds, identity.trial.decides
    given = trained.labels, trained.validation, trained.test
    measured = evaluation.evaluate(*given, floors, spec, searched, decides=decides, own=own)
    honest = evaluation.crossfit_metrics(trained.validation, spec, decides=decides, own=own)
    names = (*evaluation.KEPT, *(f"/{metric.name}" for metric in own.metrics))
    kept = {name: value for name, value in honest.items() if name.endswith(names)}
    record.metrics(measured.metrics | kept)
    with record.folder() as folder:
        measured.save(folder)


def pick(by: PickedBy, record: Record, trained: Trained) -> Trained:
    """Pick the epoch that is best by one watched metric; record its scores, and return them as the scores to judge.

    A metric with a number for each label picks an epoch for each label; see ``picking.pick``.
    """
    epochs = trained.epochs or reading.epochs(record.client, trained.source)
    picked = picking.pick(by, epochs, trained.validation, trained.test)
    with record.folder() as folder:
        scores.save_scores(folder / reading.PICKED, trained.labels, picked.validation, picked.test)
        _, validation, test = reading.stored_scores(folder / reading.PICKED)
    record.metrics({"picked/epoch": float(picked.epochs.mean())})
    record.tags({"model_is_judged": "no: the weights are those of the epoch that training.keep names"})
    return replace(trained, validation=validation, test=test)
