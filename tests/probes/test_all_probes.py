"""All probes: what they observe is as pinned; their names, their threads, and sentences that say the numbers."""

import re
from collections.abc import Callable

import pytest

from rarelabels.probes import all_probes
from rarelabels.probes.probe import Observation

NAMES = [probe.name for probe in all_probes.PROBES]
THREADS = {"clothes_attributes", "f1_averaging", "label_powerset", "movie_genres", "three_classes"}


@pytest.mark.parametrize("name", NAMES)
def test_the_world_is_as_pinned(name: str, observed: Callable[[str], Observation]) -> None:
    assert observed(name).is_as_pinned, observed(name).complaint()


def test_names_threads_and_sentences() -> None:
    assert len(set(NAMES)) == len(NAMES)
    assert all(re.fullmatch(r"[a-z0-9_]+", name) for name in NAMES)
    assert {probe.thread for probe in all_probes.PROBES} == THREADS
    for probe in all_probes.PROBES:
        fields = set(re.findall(r"\{(\w+):?[^}]*\}", probe.observed))
        assert fields <= set(probe.expected), probe.name
        assert fields, f"{probe.name}: a sentence without numbers is not an observation"
        assert probe.observed.format(**probe.expected).endswith(".")
