"""When the hypotheses and trials of a study were first seen in a record."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from rarelabels.declare.first_seen import DIGEST, FirstSeen
from rarelabels.record import damage
from rarelabels.record.entities import Run
from rarelabels.record.opening import HYPOTHESIS

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def of(runs: Iterable[Run]) -> FirstSeen:
    """Return when each hypothesis, in each of its forms, and each trial was first seen; ``runs`` are all of a study.

    A form of a hypothesis is seen when a run begins that is tagged with its digest, however that run ends. A tag that
    holds no digest says nothing. A trial is seen when a run of it begins that finishes, with whatever settings, even if
    its files were damaged afterwards. Times are by the clocks of the machines that ran them.
    """
    forms: dict[str, dict[str, int]] = defaultdict(dict)
    trials: dict[str, int] = {}
    for run in runs:
        tags, began = run.data.tags, run.info.start_time
        if tags.get("kind") != "run":
            continue
        for key, text in tags.items():
            if key.startswith(HYPOTHESIS):
                known = forms[key]
                if text not in known or began < known[text]:
                    known[text] = began
        if run.info.status == "FINISHED" or damage.is_condemned(run):
            name = tags["trial"].partition("/")[2]
            trials[name] = min(began, trials.get(name, began))
    hypotheses = {}
    for key, known in forms.items():
        digests = {text: began for text, began in known.items() if re.fullmatch(DIGEST, text)}
        if digests and (name := key.removeprefix(HYPOTHESIS)):
            hypotheses[name] = _times(digests)
    return FirstSeen(hypotheses=hypotheses, trials=_times(trials))


def _times(milliseconds: dict[str, int]) -> dict[str, datetime]:
    return {name: EPOCH + timedelta(milliseconds=count) for name, count in milliseconds.items()}
