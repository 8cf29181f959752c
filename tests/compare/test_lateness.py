"""Lateness by hand-made times: which look came before which form of a hypothesis."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from rarelabels.compare import lateness
from rarelabels.declare.first_seen import FirstSeen
from rarelabels.declare.study import Hypothesis

METRIC = "test/half/macro_f1"
ADVICE = {"about": "loss", "upheld": "Take the first one.", "refuted": "Take the other."}


def claim(name: str = "claim", **declared: object) -> Hypothesis:
    known = {"claim": "A claim of one sentence.", "source": "here", "trial": "a", "against": "b", "metric": METRIC}
    return Hypothesis.model_validate(known | {"name": name, "direction": "greater", "margin": 0.0} | declared)


def at(hour: float, zone: int = 0) -> datetime:
    return (datetime(2026, 11, 30, tzinfo=UTC) + timedelta(hours=hour)).astimezone(timezone(timedelta(hours=zone)))


def seen(*forms: tuple[Hypothesis, float], **trials: float) -> FirstSeen:
    hypotheses: dict[str, dict[str, datetime]] = {}
    for one, hour in forms:
        hypotheses.setdefault(one.name, {})[lateness.digest(one)] = at(hour)
    return FirstSeen(hypotheses=hypotheses, trials={name: at(hour) for name, hour in trials.items()})


@pytest.mark.parametrize(
    ("known", "looks", "late"),
    [
        (1, {"a": 1, "b": 2}, False),  # the first run of a knew it
        (1, {"a": 3, "b": 2}, False),  # a run of another trial, or one that failed, knew it before
        (2, {"a": 1, "b": 3}, True),
        (2, {"a": 3, "b": 1}, True),  # either side is enough
        (2, {"c": 1}, False),  # another trial is no side
        (2, {"c": 1, "a": 2, "b": 2}, False),
        (2, {}, False),
    ],
)
def test_late_is_what_was_first_known_after_a_look_at_a_side(known: float, looks: dict[str, float], late: bool) -> None:
    assert lateness.is_late(claim(), seen((claim(), known), **looks)) is late


def test_what_no_run_ever_knew_is_late_once_a_side_is_run() -> None:
    changed = claim(margin=0.02)
    assert lateness.is_late(changed, seen((claim(), 1), a=1))
    assert lateness.is_late(changed, seen(b=1))
    assert not lateness.is_late(changed, seen((claim(), 1), c=1))


def test_what_is_changed_after_a_look_stays_late_and_what_is_changed_back_is_what_it_was() -> None:
    changed = claim(margin=0.02)
    record = seen((claim(), 1), (changed, 5), a=2, b=2)
    assert lateness.is_late(changed, record)
    assert not lateness.is_late(claim(), record)


def test_one_millisecond_decides() -> None:
    soon = 1 + 1 / 3_600_000
    assert lateness.is_late(claim(), seen((claim(), soon), a=1))
    assert not lateness.is_late(claim(), seen((claim(), 1), a=soon))


def test_hours_of_different_time_zones_are_compared_as_times() -> None:
    """13:00 in Zurich is before 13:00 in London."""
    digest = lateness.digest(claim())

    def is_late(known: datetime, look: datetime) -> bool:
        return lateness.is_late(claim(), FirstSeen(hypotheses={"claim": {digest: known}}, trials={"a": look}))

    assert is_late(at(13), at(12, zone=1))
    assert not is_late(at(12, zone=1), at(13))
    assert not is_late(at(12, zone=-11), at(12, zone=14))


def test_any_variant_of_a_side_is_a_look_at_it() -> None:
    """The trial is run, whichever of its variants the hypothesis names; a trial whose name begins alike is another."""
    of_variant = claim(trial="sweep loss.gamma=2", against="b")
    assert lateness.is_late(of_variant, seen((of_variant, 2), sweep=1))
    assert not lateness.is_late(of_variant, seen((of_variant, 2), swee=1, sweeper=1))


def test_what_says_that_it_was_declared_after_a_look_is_always_late() -> None:
    looked = claim(after_a_look=True)
    assert lateness.is_late(looked, seen())
    assert lateness.is_late(looked, seen((looked, 1), a=2))


def test_wording_may_change_and_what_is_claimed_may_not() -> None:
    digest = lateness.digest(claim())
    reworded = claim(claim="The same in other words.", source="there", after_a_look=True, advice=ADVICE)
    assert lateness.digest(reworded) == digest
    others = [{"trial": "c"}, {"against": "c"}, {"margin": 0.1}, {"direction": "less"}, {"against_metric": METRIC}]
    assert len({digest, *(lateness.digest(claim(**other)) for other in others)}) == 6


def test_a_new_name_claims_the_same_and_is_not_late() -> None:
    """The digest holds the name, and the records have it so. What is claimed is what counts: it was declared before."""
    renamed = claim("renamed")
    assert lateness.digest(renamed) != lateness.digest(claim())
    record = seen((claim(), 1), a=2, b=2)
    assert not lateness.is_late(renamed, record)
    assert not lateness.is_late(renamed, seen((claim(), 1), (renamed, 3), a=2, b=2))
    assert lateness.is_late(claim("renamed", margin=0.02), record)


def test_a_new_name_does_not_hide_a_change() -> None:
    """Two hypotheses that exchange their names claim what they claimed; one that takes the other's margin does not."""
    narrow, wide = claim("narrow", margin=0.01), claim("wide", margin=0.1, trial="c")
    record = seen((narrow, 1), (wide, 1), a=2, b=2, c=2)
    assert not lateness.is_late(claim("wide", margin=0.01), record)
    assert not lateness.is_late(claim("narrow", margin=0.1, trial="c"), record)
    assert lateness.is_late(claim("narrow", margin=0.1), record)


def test_a_digest_is_that_of_0_4_2() -> None:
    """Records hold it; if it changed, every hypothesis would be late. By hand: sha256sum of the line below."""
    known = claim(trial="bce", against="floor_prior", metric="test/ranking/lrap", margin=0.05)
    # printf '{"name":"claim","trial":"bce","against":"floor_prior","metric":"test/ranking/lrap","against_metric":null,
    # "direction":"greater","margin":0.05}' | sha256sum
    assert lateness.digest(known) == "9545dad17ec2"
