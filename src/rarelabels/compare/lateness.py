"""Whether a hypothesis was declared, in its present form, before the first look at one of its trials."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime

from rarelabels.declare.first_seen import FirstSeen
from rarelabels.declare.study import Hypothesis


def digest(hypothesis: Hypothesis) -> str:
    """Return a hash of what a hypothesis claims, and of its name, but not of its wording.

    It tells whether the hypothesis still claims the same as when a run was made.
    """
    return _hash(_claimed(hypothesis))


def is_late(hypothesis: Hypothesis, seen: FirstSeen) -> bool:
    """Return whether a run of either side was made, or looked at, before the hypothesis had its present form.

    Every finished run of a side is a look, with whatever settings it was made. The hypothesis has its present form from
    the beginning of the first run, of any trial of the study, that knew it so. So neither new settings nor a new
    version make up for a look. A new name does not make a hypothesis late, because it claims the same.

    Args:
        hypothesis: as it is declared now.
        seen: when the hypotheses and trials of its study were first seen.
    """
    looks = [began for trial, began in seen.trials.items() if _is_side(trial, hypothesis)]
    if hypothesis.after_a_look or not looks:
        return hypothesis.after_a_look
    first = min(looks)
    return not any(known <= first for known in _known(hypothesis, seen))


def _is_side(trial: str, hypothesis: Hypothesis) -> bool:
    """Return whether a hypothesis compares a trial, given by its short name, or a variant of it."""
    return any(f"{side} ".startswith(f"{trial} ") for side in (hypothesis.trial, hypothesis.against))


def _known(hypothesis: Hypothesis, seen: FirstSeen) -> Iterator[datetime]:
    """Yield when a hypothesis was first seen in its present form: under its name, then under every other name."""
    claimed, own = _claimed(hypothesis), f'"name":"{hypothesis.name}"'
    for name in dict.fromkeys([hypothesis.name, *seen.hypotheses]):
        so_named = _hash(claimed.replace(own, f'"name":"{name}"', 1))
        if known := seen.hypotheses.get(name, {}).get(so_named):
            yield known


def _claimed(hypothesis: Hypothesis) -> str:
    return hypothesis.model_dump_json(exclude={"claim", "source", "after_a_look", "advice"})


def _hash(claimed: str) -> str:
    return hashlib.sha256(claimed.encode()).hexdigest()[:12]
