"""Run all probes, record the observations and print them."""

from __future__ import annotations

import sys

from rarelabels.record import connection, moved


def run(where: str, *, as_markdown: bool) -> list[str]:
    """Run all probes, record and print the observations, and return a line for each that is not as pinned.

    Args:
        where: MLflow's tracking URI.
        as_markdown: print the page ``docs/probes.md`` instead of a list.

    Raises:
        UserError: the record does not answer.
    """
    connection.connect(where)  # a record that does not answer is reported before TensorFlow is imported
    from rarelabels.probes import all_probes, probe
    from rarelabels.probes.record import EXPERIMENT, record
    from rarelabels.probes.report import markdown, print_observations

    observations = probe.observe_all(all_probes.PROBES)
    record(observations, where)
    if as_markdown:
        print(markdown(observations), end="")
    else:
        print_observations(observations)
    print(f"\nRecorded in the experiment {moved.ROOT}{EXPERIMENT}: `rarelabels ui`", file=sys.stderr)
    return [one.complaint() for one in observations if not one.is_as_pinned]
