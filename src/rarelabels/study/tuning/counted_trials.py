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

UNOWNED_SECONDS = 10  # a running trial whose owner does not write its name while one looks so long is cut off
SILENT_SECONDS = AWAY_SECONDS + 2 * lease.RENEWED_EVERY  # then others do not wait for a process any more
_UNOWNED: dict[tuple[int, datetime | None], float] = {}  # trials: when this process first saw that nobody owns them
Now = Callable[[], float]
ENDED = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)


def beat(trial: optuna.Trial, now: Now) -> None:
    """Say that this process runs a trial and is alive; ``now`` is the clock of the storage."""
    trial.set_user_attr("owner", lease.owner())
    trial.set_user_attr("alive", now())


def is_cut_off(trial: FrozenTrial, now: Now) -> bool:
    """Return whether a trial that has not ended never will: its process is gone, or on another machine and silent.

    When it began is written by the clock of its machine, which may be wrong: how long nobody owns it is seen here.
    """
    owner, alive = trial.user_attrs.get("owner"), trial.user_attrs.get("alive")
    if owner is None or alive is None:
        since = _UNOWNED.setdefault((trial.number, trial.datetime_start), time.monotonic())
        return time.monotonic() - since > UNOWNED_SECONDS
    return lease.is_gone(owner) or now() - float(alive) > SILENT_SECONDS


@contextmanager
def in_flight(asked_of: optuna.Study, asked: optuna.Trial, now: Now) -> Iterator[None]:
    """Beat for a trial while the block runs; tell it as failed, without a reason: as cut off, if the block raises.

    This process may live on, and whoever waits for the trial would take it for one in flight.
    """
    try:
        once_more(lambda: beat(asked, now))
        with lease.renewed(lambda: beat(asked, now)):
            yield
    except BaseException:
        with suppress(Exception):  # the storage may be what it died of; then others wait
            tell(asked_of, asked, state=TrialState.FAIL)
        raise


def fail_cut_off(asked: optuna.Study, now: Now) -> None:
    """Tell the trials that never will end as failed; without a reason they do not count."""
    while any("alive" not in one.user_attrs and not is_cut_off(one, now) for one in _running(asked)):
        time.sleep(0.1)  # it has just begun, or its process is gone
    for trial in _running(asked):
        if is_cut_off(trial, now):
            tell(asked, trial.number, state=TrialState.FAIL)


def _running(asked: optuna.Study) -> list[FrozenTrial]:
    return asked.get_trials(deepcopy=False, states=(TrialState.RUNNING,))


def taken(asked: optuna.Study) -> list[FrozenTrial]:
    """Return the trials that count: ended ones but for those that were cut off, and those in flight."""
    states = (*ENDED, TrialState.RUNNING)
    found = asked.get_trials(deepcopy=False, states=states)
    return [trial for trial in found if trial.state != TrialState.FAIL or "reason" in trial.user_attrs]


def finished(asked: optuna.Study) -> list[FrozenTrial]:
    """Return the trials that were trained to their end."""
    return asked.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))


def wait_for_others(asked_of: optuna.Study, now: Now) -> None:
    """Wait while trials of another process, which is alive, are in flight."""
    while any(not is_cut_off(one, now) for one in once_more(lambda: _running(asked_of))):
        time.sleep(1)
