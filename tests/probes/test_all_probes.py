"""All probes: their names, their threads, and sentences that say the numbers."""

import re

from rarelabels.probes import all_probes

NAMES = [probe.name for probe in all_probes.PROBES]
THREADS = {"clothes_attributes", "f1_averaging", "label_powerset", "movie_genres", "three_classes"}


def test_names_threads_and_sentences() -> None:
    assert len(set(NAMES)) == len(NAMES)
    assert all(re.fullmatch(r"[a-z0-9_]+", name) for name in NAMES)
    assert {probe.thread for probe in all_probes.PROBES} == THREADS
    for probe in all_probes.PROBES:
        fields = set(re.findall(r"\{(\w+):?[^}]*\}", probe.observed))
        assert fields <= set(probe.expected), probe.name
        assert fields, f"{probe.name}: a sentence without numbers is not an observation"
        assert probe.observed.format(**probe.expected).endswith(".")
