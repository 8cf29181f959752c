"""Search the values of a trial's keys. Each of Optuna's trials trains a model and is a run in MLflow."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import optuna
from mlflow.exceptions import MlflowException
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState
from sqlalchemy.exc import SQLAlchemyError

from rarelabels import errors, json_files
from rarelabels.declare import variants
from rarelabels.declare.tuning import NoPruner, ParameterSearch
from rarelabels.judging import evaluation
from rarelabels.learn import fitting
from rarelabels.names import one_line
from rarelabels.record import connection, opening
from rarelabels.record.client import Client
from rarelabels.record.writing import Record, WaitingError
from rarelabels.study.progress_display import Say
from rarelabels.study.tuning.counted_trials import ENDED, fail_cut_off, finished, in_flight, taken
from rarelabels.study.tuning.history import save_history
from rarelabels.study.tuning.searches import Search, load
from rarelabels.study.tuning.storage import CUT_OFF, once_more, tell

EDGE = 0.02  # share of a range that is its edge, at either end


def attempt(client: Client, one: Search, say: Say) -> None:
    """Draw one more trial, train it, and report its value to Optuna. A trial that fails counts too.

    Raises:
        CUT_OFF: the storage went away meanwhile; the trial is cut off.
    """
    study, tuning = load(one, declared_values(one)), one.trial.tuning
    assert isinstance(tuning, ParameterSearch)
    fail_cut_off(study, one.now)  # perhaps a worker died during this task, and left a trial
    if len(taken(study)) >= tuning.n_trials:  # another process was faster
        return
    optuna_trial = study.ask(distributions(one))
    with in_flight(study, optuna_trial, one.now):
        _attempt(client, one, study, optuna_trial, say)


def _attempt(client: Client, one: Search, study: optuna.Study, optuna_trial: optuna.Trial, say: Say) -> None:
    tuning = one.trial.tuning
    assert isinstance(tuning, ParameterSearch)
    if sum(trial.number < optuna_trial.number for trial in taken(study)) >= tuning.n_trials:
        tell(study, optuna_trial, state=TrialState.FAIL)  # without a reason: it does not count
        return
    record = opening.start_tried(client, one.experiment, one.record, one.trial, optuna_trial.number)
    try:
        optuna_trial.set_user_attr("run", record.run_id)
        values = values_of(one, optuna_trial.params)
        record.params({key: json.dumps(v) if isinstance(v, Mapping) else v for key, v in values.items()})
        with record.alive():
            measured = _same(study, optuna_trial, tuning) or _measure(one, values, optuna_trial, record, say)
        value = measured[tuning.metric]
        record.metrics(measured)
        tell(study, optuna_trial, value)
        with suppress(MlflowException, SQLAlchemyError):  # the record may be away; only a point of a curve is lost
            Record(client, one.record).metrics({"search/value": value}, step=optuna_trial.number)
        record.tags({"state": "complete"})
        record.finish()
    except CUT_OFF:  # the storage went away; another trial is drawn instead
        with suppress(Exception):
            record.stop("cut off: the storage of the searches went away")
        raise
    except WaitingError:  # Optuna has the value; the results wait on disk for the record
        return
    except optuna.TrialPruned as pruned:
        tell(study, optuna_trial, state=TrialState.PRUNED)
        record.tags({"state": "pruned"})
        record.stop(str(pruned))
    except Exception as error:
        reason = errors.failure(error)
        once_more(lambda: optuna_trial.set_user_attr("reason", reason))
        tell(study, optuna_trial, state=TrialState.FAIL)
        record.tags({"state": "failed"})
        record.fail(reason)


def distributions(one: Search) -> dict[str, BaseDistribution]:
    """Return Optuna's parameters: one for each key of the space, or one for each label where a key is per label."""
    tuning = one.trial.tuning
    assert isinstance(tuning, ParameterSearch)
    searched: dict[str, BaseDistribution] = {}
    for key, values in tuning.space.items():
        if values.choices is not None:
            searched[key] = CategoricalDistribution(values.choices)
            continue
        assert values.low is not None
        assert values.high is not None
        if variants.is_per_label(one.trial, key):
            searched |= {
                f"{key}.{label}": FloatDistribution(values.low, values.high, log=values.log) for label in one.labels
            }
        elif variants.is_whole(one.trial, key):
            searched[key] = IntDistribution(int(values.low), int(values.high), log=values.log)
        else:
            searched[key] = FloatDistribution(values.low, values.high, log=values.log)
    return searched


def values_of(one: Search, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of the trial's keys from Optuna's parameters. Per-label parameters become one mapping."""
    tuning = one.trial.tuning
    assert isinstance(tuning, ParameterSearch)
    return {
        key: {label: params[f"{key}.{label}"] for label in one.labels}
        if variants.is_per_label(one.trial, key)
        else params[key]
        for key in tuning.space
    }


def declared_values(one: Search) -> dict[str, Any]:
    """Return the declared values as Optuna's parameters. A label without a declared weight has weight 1.

    A declared value outside the space is left out.
    """
    tuning, data = one.trial.tuning, one.trial.model_dump()
    assert isinstance(tuning, ParameterSearch)
    declared: dict[str, Any] = {}
    for key in tuning.space:
        value = functools.reduce(lambda block, part: block[part], key.split("."), data)
        declared |= (
            {f"{key}.{label}": value.get(label, 1.0) for label in one.labels} if isinstance(value, Mapping) else {}
        )
        declared |= {} if isinstance(value, Mapping) or value is None else {key: value}
    space = distributions(one)
    return {name: value for name, value in declared.items() if _holds(space[name], value)}


def _holds(values: BaseDistribution, value: Any) -> bool:
    if isinstance(values, CategoricalDistribution):
        return value in values.choices
    assert isinstance(values, (FloatDistribution, IntDistribution))
    return bool(values.low <= value <= values.high)


def _same(study: optuna.Study, optuna_trial: optuna.Trial, tuning: ParameterSearch) -> dict[str, float]:
    """Return the value of an earlier trial with the same parameters, or {}: the same trial is not trained twice."""
    same = (one for one in finished(study) if one.params == optuna_trial.params)
    return next(({tuning.metric: float(one.values[0])} for one in same), {})


def _measure(
    one: Search, values: Mapping[str, object], optuna_trial: optuna.Trial, record: Record, say: Say
) -> dict[str, float]:
    """Train with each seed of the search, and return the mean of each validation metric. The test part is not used.

    Raises:
        TrialPruned: the pruner stops the trial, because its objective after an epoch is too bad.
    """
    tried, tuning = variants.with_values(one.trial, values), one.trial.tuning
    assert isinstance(tuning, ParameterSearch)
    measured = []
    for place, seed in enumerate(tuning.seeds):
        data, weights = fitting.load(tried, seed)
        epochs = tried.training.schedule(len(data.train.y)).epochs

        def on_epoch(epoch: int, curves: dict[str, float], seed: int = seed, epochs: int = epochs) -> None:
            record.metrics({f"curve/seed_{seed}_{name}": value for name, value in curves.items()}, step=epoch)
            say({"epoch": epoch, "epochs": epochs, "loss": curves["loss"]})
            if "objective" in curves:
                once_more(lambda: optuna_trial.report(curves["objective"], epoch - 1))  # Optuna counts from 0
                if optuna_trial.should_prune():
                    raise optuna.TrialPruned(
                        f"pruned after epoch {epoch} of seed {seed}: {tuning.metric} {curves['objective']:.4f}"
                    )

        validation = data.validation
        objective = None
        if place == 0 and not isinstance(tuning.pruner, NoPruner):
            objective = evaluation.objective(tuning.metric, validation.y, tried.thresholds, validation.known)
        data = fitting.with_features(tried.dataset, data)
        part = fitting.validate(tried, seed, data, weights, on_epoch, objective)
        measured.append(evaluation.validation_metrics(part, tried.thresholds, tuning.metric))
    return {name: fmean(one[name] for one in measured) for name in measured[0] if all(name in one for one in measured)}


def conclude(where: str, one: Search, _: Say) -> str:
    """Record the result of a search of settings whose trials have ended; return why there is no full result, or ""."""
    client, study, tuning = connection.connect(where), load(one), one.trial.tuning
    assert isinstance(tuning, ParameterSearch)
    record = Record(client, one.record)
    record.go_on()
    trials = [trial for trial in taken(study) if trial.state in ENDED]
    counts = {state.name.lower(): sum(trial.state == state for trial in trials) for state in ENDED}
    if not counts["complete"]:
        reason = next(
            (trial.user_attrs["reason"] for trial in trials if "reason" in trial.user_attrs), "all were pruned"
        )
        record.fail(reason)
        return f"none of its {len(trials)} trials could be finished: {reason}"
    best = study.best_trial
    with record.folder() as folder:
        result = {"values": values_of(one, best.params), "value": best.value, "metric": tuning.metric}
        json_files.write(folder / "best.json", result | {"number": best.number, **counts}, indent=1)
        undrawn = save_history(study, tuning.metric, one.title, folder)
    record.metrics({"search/best": float(best.values[0]), **{f"search/{state}": n for state, n in counts.items()}})
    values = ", ".join(f"{key} = {_short(value)}" for key, value in best.params.items())
    counted = f"{len(trials)} trials, {counts['pruned']} pruned, {counts['fail']} failed"
    sentence = f"{values} ({tuning.metric} {best.values[0]:.4f}; {counted})"
    edges = on_the_edge(best.params, best.distributions)
    if edges:
        sentence += f"; the best may lie beyond what was searched: {', '.join(edges.values())}"
    lines = "".join(f"{one_line(key)}\n" for key in edges)  # a key may end in a label, with blanks
    record.tags({"trials": len(trials), "found": one_line(sentence), "edge": lines})
    record.finish()
    cut_off = tuning.n_trials - len(trials)
    return "; ".join([*undrawn, *([f"{cut_off} trials were cut off; call again"] if cut_off > 0 else [])])


def on_the_edge(params: Mapping[str, Any], searched: Mapping[str, BaseDistribution]) -> dict[str, str]:
    """Return the parameters on the edge of their searched range, each with a phrase that says so.

    The edge of a range is 2 % of it at either end, measured in logarithms if the search is logarithmic. The edge of
    three or more numbers to choose from is the least and the greatest of them. Other choices have no edge. Example: a
    learning rate of 0.099 from a logarithmic range of 0.0003 to 0.1 is on the edge, 0.2 % of the range below its end.
    """
    edges = {}
    for name, value in params.items():
        ends = _ends(searched[name])
        if ends is None:
            continue
        low, high = ends.low, ends.high
        scale = math.log if ends.log else float
        place = (scale(value) - scale(low)) / (scale(high) - scale(low))
        if not ends.margin < place < 1 - ends.margin:
            edges[name] = f"{name} = {_short(value)} of {low:g} to {high:g}"
    return edges


@dataclass(frozen=True)
class _Ends:
    """Where a range ends, and which share of it is its edge."""

    low: float
    high: float
    log: bool
    margin: float


def _ends(values: BaseDistribution) -> _Ends | None:
    if isinstance(values, CategoricalDistribution):
        numbers = [one for one in values.choices if isinstance(one, (int, float)) and not isinstance(one, bool)]
        has_an_inside = len(numbers) == len(values.choices) > 2
        return _Ends(min(numbers), max(numbers), False, 0.0) if has_an_inside else None
    assert isinstance(values, (FloatDistribution, IntDistribution))
    return _Ends(values.low, values.high, values.log, EDGE)


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
