"""Search a threshold for each label on the validation scores of one training, beside coordinate ascent."""

from __future__ import annotations

import time
from collections.abc import Mapping

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, IntDistribution

from rarelabels import errors, json_files
from rarelabels.declare.tuning import ThresholdSearch
from rarelabels.judging import evaluation, metrics
from rarelabels.judging.arrays import Floats
from rarelabels.judging.rules import definition
from rarelabels.judging.rules.definition import Rule, Rules
from rarelabels.judging.rules.table import ASCENT, SEARCHED
from rarelabels.judging.scores import Scores
from rarelabels.judging.settings import F1
from rarelabels.judging.sweeps import common_threshold, each_label
from rarelabels.judging.sweeps.climbing import climb
from rarelabels.judging.sweeps.ordered import thresholds_for_counts
from rarelabels.record import damage, reading
from rarelabels.record.client import Client
from rarelabels.record.writing import Record
from rarelabels.study import runner
from rarelabels.study.progress_display import Say
from rarelabels.study.tuning.counted_trials import finished, in_flight, taken
from rarelabels.study.tuning.history import save_history
from rarelabels.study.tuning.searches import Search, load
from rarelabels.study.tuning.storage import once_more, tell


def search_thresholds(client: Client, one: Search, say: Say) -> str:
    """Search thresholds for the scores of one training. The training is recorded first, in the run of the search.

    Return why the search, or a figure of it, failed, or "".
    """
    record, tuning = Record(client, one.record), one.trial.tuning
    assert isinstance(tuning, ThresholdSearch)
    record.go_on()
    try:
        begun = client.run(one.record)
        is_trained = "trained" in begun.data.tags
        if not is_trained or not damage.faults(client, begun, deep=False).keys().isdisjoint(damage.OF_SCORES):
            if one.source:
                runner.copied(one.source, record)
            else:
                runner.train(one.identity, one.watch, record, say)
            record.tags({"trained": "yes"})
        _, validation, _ = reading.raw_scores(client, one.record)
        validation = evaluation.calibrated(validation, one.trial.thresholds)
        study, facts, rules = once_more(lambda: _find_thresholds(one, tuning, validation))
        with record.folder() as folder:
            stored = definition.to_json(rules, one.labels)
            json_files.write(folder / "thresholds.json", stored, indent=1)
            undrawn = save_history(study, f"validation {tuning.metric}", one.title, folder)
        record.metrics(facts)
        record.curves(("search/value", trial.number, trial.values[0]) for trial in finished(study))
        sentence = (
            "seed {seed}: {trials} trials reach a {metric} of {best:.4f} on validation in {seconds:.1f} s, coordinate "
            "ascent {ascent:.4f} in {ascent_seconds:.3f} s; the exact thresholds per label have {per_label:.4f}"
        )
        numbers = {name.removeprefix("search/"): value for name, value in facts.items()}
        sentence = sentence.format(seed=one.identity.seed, trials=tuning.n_trials, metric=tuning.metric, **numbers)
        record.tags({"trials": tuning.n_trials, "found": sentence})
    except Exception as error:
        reason = errors.failure(error)
        record.fail(reason)
        return reason
    record.finish()
    return "; ".join(undrawn)


def _find_thresholds(
    one: Search, tuning: ThresholdSearch, validation: Scores
) -> tuple[optuna.Study, dict[str, float], Rules]:
    """Search thresholds; return Optuna's study, facts about the search, and the rules.

    The facts are the metric on validation and the seconds, for the search, for coordinate ascent and for the exact
    thresholds per label.
    """
    y, scores = validation.y, validation.scores
    began = time.monotonic()
    exact = each_label.sweep_labels(validation, F1).thresholds
    swept = time.monotonic()
    common = np.full(len(one.labels), common_threshold.sweep_common(validation, "micro_f1").threshold)
    start = exact if tuning.warm_start else common
    climbing = time.monotonic()
    ascent = climb(validation, tuning.metric, start)
    climbed = time.monotonic()
    ordered = -np.sort(-scores, axis=0)

    def cut(params: Mapping[str, int]) -> Floats:
        """Return the thresholds for Optuna's parameters.

        A parameter is the number of rows that get a label, plus one. So rare and frequent labels have the same steps.
        """
        return thresholds_for_counts(ordered, [params[label] - 1 for label in one.labels])

    def value(thresholds: Floats) -> float:
        assigned = scores >= thresholds
        return metrics.measure_decisions(validation.truth, assigned, known=validation.known)[tuning.metric]

    counts = np.count_nonzero(scores >= start, axis=0)
    study = load(one, dict(zip(one.labels, (counts + 1).tolist(), strict=True)))
    space: dict[str, BaseDistribution] = {label: IntDistribution(1, len(y) + 1, log=True) for label in one.labels}
    while len(taken(study)) < tuning.n_trials:
        optuna_trial = study.ask(space)
        with in_flight(study, optuna_trial, one.now):
            tell(study, optuna_trial, value(cut(optuna_trial.params)))
    searched = cut(study.best_trial.params)
    facts = {
        "search/best": value(searched),
        "search/start": value(start),
        "search/ascent": value(ascent.thresholds),
        "search/per_label": value(exact),
        "search/seconds": sum(one.duration.total_seconds() for one in finished(study) if one.duration),
        "search/ascent_seconds": climbed - climbing,
        "search/per_label_seconds": swept - began,
    }
    chosen = {SEARCHED.name: searched, ASCENT.name: ascent.thresholds}
    return study, facts, {name: Rule(name, thresholds, fallbacks=0) for name, thresholds in chosen.items()}
