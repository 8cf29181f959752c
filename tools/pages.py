"""Write the result pages of ``docs/`` from what is published in ``docs/results``: no number on them is typed by hand.

`make pages`. Each template ``docs/pages/<page>.md.jinja`` makes ``docs/<page>.md``. A sentence that concludes names the
hypothesis on which it rests and the verdict that it needs: ``{{ of(study, hypothesis, "upheld") }}``; with another
verdict the page is not written.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

import rarelabels as rl
from rarelabels.compare.written import number, signed
from rarelabels.declare.study import Hypothesis

DECLARED = [name for name in Hypothesis.model_fields if name != "advice"]
DOCS = Path(__file__).parents[1] / "docs"


class WrongVerdictError(Exception):
    """A sentence needs another verdict than the one that was measured."""


class Page:
    """What a template may say of the published studies.

    Args:
        results: the folder of the published studies.
    """

    def __init__(self, results: Path) -> None:
        self._results = results
        self.study = lru_cache(maxsize=None)(lambda name: rl.Study(name, published=results))
        self._verdicts = lru_cache(maxsize=None)(lambda name: self.study(name).verdicts().set_index("name", drop=False))
        self._summary = lru_cache(maxsize=None)(
            lambda name: self.study(name).summary().set_index(["trial", "variant", "metric"])
        )

    def mean(self, study: str, trial: str, metric: str, variant: str = "") -> str:
        """Return the mean of a metric over the seeds: ``0.439``."""
        return number(self._of(study, trial, metric, variant)["mean"])

    def interval(self, study: str, trial: str, metric: str, variant: str = "") -> str:
        """Return a mean with its 95 % interval: ``0.439 (0.421 to 0.456)``."""
        of = self._of(study, trial, metric, variant)
        return f"{number(of['mean'])} ({number(of['low'])} to {number(of['high'])})"

    def of(self, study: str, hypothesis: str, needed: str) -> str:
        """Return the difference of a hypothesis with the interval that decided: ``+0.012 (+0.001 to +0.023)``.

        A dagger follows if the interval is not reliable.

        Args:
            study: its name.
            hypothesis: as ``study.yaml`` names it.
            needed: the verdict on which the sentence rests: upheld, refuted or undecided.

        Raises:
            WrongVerdictError: there is no such hypothesis, or its verdict is another one.
        """
        verdicts = self._verdicts(study)
        if hypothesis not in verdicts.index:
            raise WrongVerdictError(f"{study} declares no hypothesis {hypothesis!r}")
        found = verdicts.loc[hypothesis]
        if found["verdict"] != needed:
            told = f"{hypothesis} of {study} is {found['verdict']} ({_difference(found)}), not {needed}"
            raise WrongVerdictError(f"{told}: rewrite the sentence")
        return _difference(found) + ("†" if found["unreliable"] else "")

    def behind(self, study: str) -> str:
        """Return of how many hypotheses both networks lie behind a baseline, so that no advice follows."""
        return str(int((self._verdicts(study)["behind_baseline"] != "").sum()))

    def counts(self, study: str) -> str:
        """Return how many hypotheses have each verdict: ``20 upheld, 3 refuted, 18 undecided``."""
        found = self._verdicts(study)["verdict"].value_counts()
        return ", ".join(f"{found.get(verdict, 0)} {verdict}" for verdict in ("upheld", "refuted", "undecided"))

    def verdicts(self, study: str) -> str:
        """Return a table of all hypotheses: claim, what is compared, difference, verdict and notes."""
        lines = ["| claim | compared | difference | verdict |", "|---|---|---|---|"]
        for _, one in self._verdicts(study).iterrows():
            compared = Hypothesis.model_validate({key: one[key] for key in DECLARED if pd.notna(one[key])}).expectation
            marks = [mark for mark in ("late", "provisional", "identical") if bool(one[mark])]
            marks += [f"interval not reliable: {one['unreliable']}"] if one["unreliable"] else []
            marks += ["no advice: behind its baseline"] if one["behind_baseline"] else []
            verdict = f"**{one['verdict']}**" + "".join(f"; {mark}" for mark in marks)
            lines.append(f"| {one['claim']} | {compared} | {_difference(one)} | {verdict} |")
        return "\n".join(lines)

    def table(self, study: str, rows: Sequence[tuple[str, str, str]], metrics: Mapping[str, str]) -> str:
        """Return means with their intervals.

        Args:
            study: its name.
            rows: the words, trial and variant of each row.
            metrics: from the title of each column to its metric.
        """
        lines = ["| | " + " | ".join(metrics) + " |", "|---|" + "---:|" * len(metrics)]
        for words, trial, variant in rows:
            cells = [self._cell(study, trial, metric, variant) for metric in metrics.values()]
            lines.append(f"| {words} | " + " | ".join(cells) + " |")
        return "\n".join(lines)

    def made(self, study: str) -> str:
        """Return when, where and with what a study was run, in a sentence."""
        about = self.study(study).about
        versions = ", ".join(f"{name} {', '.join(of)}" for name, of in about["versions"].items() if name != "threads")
        commits = ", ".join(commit[:7] for commit in about["commits"])
        days = " to ".join(dict.fromkeys([about["first_run"], about["last_run"]]))
        return (
            f"{about['runs']} runs of {about['trials']} trials and variants, seeds "
            f"{', '.join(map(str, about['seeds']))}, of {days} at {commits} on {about['machine']}: "
            f"Rarelabels {', '.join(about['rarelabels'])}, {versions}. The runs took "
            f"{about['seconds_of_runs'] / 60:.0f} minutes one after another."
        )

    def _of(self, study: str, trial: str, metric: str, variant: str) -> pd.Series[float]:
        return self._summary(study).loc[(trial, variant, metric)]

    def _cell(self, study: str, trial: str, metric: str, variant: str) -> str:
        of = self._of(study, trial, metric, variant)
        return f"{number(of['mean'])} <sub>{number(of['low'])}–{number(of['high'])}</sub>"


def write(docs: Path = DOCS) -> dict[Path, str]:
    """Return the text of each page by its file.

    Raises:
        WrongVerdictError: a sentence needs another verdict than the one that was measured.
    """
    page = Page(docs / "results")
    environment = Environment(
        loader=FileSystemLoader(docs / "pages"),
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals["page"] = page
    names = sorted(environment.list_templates(extensions=["jinja"]))
    return {docs / name.removesuffix(".jinja"): environment.get_template(name).render() for name in names}


def _difference(one: pd.Series[float]) -> str:
    if one["reason"]:
        return f"not measured: {one['reason']}"
    return f"{signed(one['value'])} ({signed(one['low'])} to {signed(one['high'])})"


def main() -> int:
    """Write all pages; return the exit code."""
    try:
        pages = write()
    except WrongVerdictError as error:
        print(f"pages: {error}", file=sys.stderr)
        return 1
    for path, text in pages.items():
        path.write_text(text, "utf-8")
        print(path.relative_to(DOCS.parent))
    return 0


if __name__ == "__main__":
    sys.exit(main())
