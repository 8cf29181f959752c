"""A probe of what halves are."""

from rarelabels.probes.probe import Probe


def halves(number: float = 0.5) -> Probe:
    return Probe(
        name="halves",
        thread="three_classes",
        believed="halves are halves",
        documented="a half is a half",
        run=lambda: {"half": number, "raised": "TypeError"},
        observed="A half is {half:.2f} and raises {raised}.",
        expected={"half": 0.5, "raised": "TypeError"},
    )


def halves_that_fail() -> Probe:
    def run() -> dict:
        raise ValueError("no halves\nat all")

    probe = halves()
    return Probe(probe.name, probe.thread, probe.believed, probe.documented, run, probe.observed, probe.expected)
