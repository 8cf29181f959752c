"""Which of Optuna's trials count: those that ended, and those whose process lives."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime

import optuna
from optuna.trial import FrozenTrial, TrialState

from rarelabels.record import lease
from rarelabels.study.tuning.storage import AWAY_SECONDS, once_more, tell

UNOWNED_SECONDS = 10  # a running trial is cut off if this process sees no owner for so long
SILENT_SECONDS = AWAY_SECONDS + 2 * lease.RENEWED_EVERY  # other processes wait no longer for a process that is silent
_UNOWNED: dict[tuple[int, datetime | None], float] = {}  # when this process first saw that a trial has no owner
Now = Callable[[], float]
ENDED = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)


def beat(trial: optuna.Trial, now: Now) -> None:
    """Write into a trial that this process runs it and is alive; ``now`` is the clock of the storage."""
    trial.set_user_attr("owner", lease.owner())
    trial.set_user_attr("alive", now())


def is_cut_off(trial: FrozenTrial, now: Now) -> bool:
    """Return whether a running trial will never end, because its process is gone or has been silent for too long.

    A trial that has no owner yet is cut off if it stays so. This process measures for how long, because the clock of
    another machine may be wrong.
    """
    owner, alive = trial.user_attrs.get("owner"), trial.user_attrs.get("alive")
    if owner is None or alive is None:
        since = _UNOWNED.setdefault((trial.number, trial.datetime_start), time.monotonic())
        return time.monotonic() - since > UNOWNED_SECONDS
    return lease.is_gone(owner) or now() - float(alive) > SILENT_SECONDS


@contextmanager
def in_flight(study: optuna.Study, optuna_trial: optuna.Trial, now: Now) -> Iterator[None]:
    """Renew the lease of a trial while the block runs; if the block raises, mark the trial as failed, without a reason.

    A failed trial without a reason counts as cut off. Without the mark, other processes would wait for the trial as
    long as this process lives.
    """
    try:
        once_more(lambda: beat(optuna_trial, now))
        with lease.renewed(lambda: beat(optuna_trial, now)):
            yield
    except BaseException:
        with suppress(Exception):  # if the storage does not answer, other processes wait until the lease is over
            tell(study, optuna_trial, state=TrialState.FAIL)
        raise


def fail_cut_off(study: optuna.Study, now: Now) -> None:
    """Mark the trials that will never end as failed, without a reason. So they do not count."""
    while any("alive" not in one.user_attrs and not is_cut_off(one, now) for one in _running(study)):
        time.sleep(0.1)  # the trial has just begun, or its process is gone
    for trial in _running(study):
        if is_cut_off(trial, now):
            tell(study, trial.number, state=TrialState.FAIL)


def _running(study: optuna.Study) -> list[FrozenTrial]:
    return study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))


def taken(study: optuna.Study) -> list[FrozenTrial]:
    """Return the trials that count: those that ended and were not cut off, and those in flight."""
    states = (*ENDED, TrialState.RUNNING)
    trials = study.get_trials(deepcopy=False, states=states)
    return [trial for trial in trials if trial.state != TrialState.FAIL or "reason" in trial.user_attrs]


def finished(study: optuna.Study) -> list[FrozenTrial]:
    """Return the trials that were trained to their end."""
    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))


def wait_for_others(study: optuna.Study, now: Now) -> None:
    """Wait while trials of other living processes are in flight."""
    while any(not is_cut_off(one, now) for one in once_more(lambda: _running(study))):
        time.sleep(1)
