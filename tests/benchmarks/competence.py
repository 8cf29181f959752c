"""Whether the network that ``init`` proposes for a table keeps up with logistic regression and boosted trees.

    python tests/benchmarks/competence.py                      # every table, then docs/competence.md
    python tests/benchmarks/competence.py emotions films_1000  # some; the page has all that are recorded

Every table is written as a CSV file below ``runs/competence``, as a stranger would have it. The commands called there
are the stranger's, too: ``rarelabels init --quick`` and ``rarelabels run``. What is finished is not run again.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import chdir
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import fmean

import numpy as np
import pandas as pd
from commands import REPOSITORY, call, machine

from rarelabels.compare import competence
from rarelabels.data import loading
from rarelabels.data.sources import movies, mulan, wikipedia_movies, xed
from rarelabels.declare import study_files
from rarelabels.declare.data import MoviesSpec, MulanSpec, WikipediaMoviesSpec, XedSpec
from rarelabels.declare.study import StudySpec
from rarelabels.errors import MissingDataError
from rarelabels.record import entities
from rarelabels.study import selection, standing

WORK, PAGE = REPOSITORY / "runs" / "competence", REPOSITORY / "docs" / "competence.md"
BASE = "bce"
BASELINES = {"linear": "logistic regression", "gradient_boosting": "gradient boosting"}
MARGIN = StudySpec.model_fields["competence_margin"].default  # which ``init`` leaves as it is
SEEDS = "0,1"
COMMIT = "mlflow.source.git.commit"


# The tables


@dataclass(frozen=True)
class Source:
    """A table: what it holds, its rows, and what a stranger would say to ``init``."""

    what: str
    rows: Callable[[], pd.DataFrame]
    options: tuple[str, ...]


def example() -> pd.DataFrame:
    """Return the table that comes with the suite."""
    return pd.read_csv(REPOSITORY / "docs" / "your_table.csv", dtype=str)


def films(n: int | None) -> pd.DataFrame:
    """Return some of the films of bokeh_sampledata, or all: the columns of the source, genres between bars."""
    spec = MoviesSpec(kind="movies", labels=21)
    parsed = movies.parse(spec)
    frame = pd.DataFrame(movies.raw_rows(spec, len(parsed.y)))
    return _some(frame.assign(genres=_names(parsed.labels, parsed.y)), n)


def wikipedia(n: int) -> pd.DataFrame:
    """Return some films of Wikipedia: title, year, cast, and the plot without the words that name a genre."""
    parsed = wikipedia_movies.parse(WikipediaMoviesSpec(kind="wikipedia_movies", labels=41))
    frame = pd.DataFrame(
        {
            "title": [" ".join(words) for words in parsed.text["title"].to_lists()],
            "cast": ["|".join(names) for names in parsed.text["actors"].to_lists()],
            "year": [tokens[-1].partition("=")[2] for tokens in parsed.text["year"].to_lists()],
            "plot": [" ".join(words) for words in parsed.text["plot"].to_lists()],
            "genres": _names(parsed.labels, parsed.y),
        }
    )
    return _some(frame, n)


def sentences(n: int | None) -> pd.DataFrame:
    """Return some sentences of XED, or all."""
    spec = XedSpec(kind="xed")
    parsed = xed.parse(spec)
    frame = pd.DataFrame(xed.raw_rows(spec, len(parsed.y)))
    return _some(frame.assign(emotions=_names(parsed.labels, parsed.y)), n)


def benchmark_set(name: str, labels: int | None = None) -> pd.DataFrame:
    """Return a set of Mulan: a column for each number, and a 0/1 column ``label_…`` for each label, or the first."""
    parsed = mulan.parse(MulanSpec.model_validate({"kind": "mulan", "name": name}))
    numbers = pd.DataFrame(parsed.numeric, columns=[f"x_{number}" for number in parsed.numeric_names])
    whole = bool(np.array_equal(parsed.numeric, parsed.numeric.astype(np.int64)))
    flags = pd.DataFrame(parsed.y, columns=[f"label_{label}" for label in parsed.labels]).iloc[:, :labels]
    return pd.concat([numbers.astype(np.int64) if whole else numbers, flags], axis=1)


def made_up(rows: int = 7_000, labels: int = 300, words: int = 2_000) -> pd.DataFrame:
    """Draw texts with rare labels, each of which has two words of its own.

    A row has each label with probability 0.01. It has each word of a label with probability 0.8 if it has the label,
    else with 0.001. Beside these a row has 12 common words, drawn by Zipf's law.
    """
    rng = np.random.default_rng(0)
    y = rng.random((rows, labels)) < 0.01
    told = rng.random((rows, labels, 2)) < np.where(y[:, :, None], 0.8, 0.001)
    zipf = 1 / np.arange(1, words + 1)
    common = rng.choice(words, size=(rows, 12), p=zipf / zipf.sum())
    texts = []
    for row in range(rows):
        own = [f"{'left' if side == 0 else 'right'}{label}" for label, side in np.argwhere(told[row])]
        texts.append(" ".join(rng.permutation([*own, *(f"word{word}" for word in common[row])])))
    return pd.DataFrame({"text": texts, "tags": _names([f"tag{label}" for label in range(labels)], y)})


def _names(labels: Sequence[str], y: np.ndarray) -> list[str]:
    return ["|".join(labels[column] for column in np.flatnonzero(row)) for row in y]


def _some(frame: pd.DataFrame, n: int | None) -> pd.DataFrame:
    return frame if n is None else frame.sample(n, random_state=0).sort_index()


GENRES, FLAGS = ("--labels", "genres"), ("--labels", "label_*")
SOURCES = {
    "example": Source("the example table: films", example, GENRES),
    "films_1000": Source("films, 1,000 of them", partial(films, 1_000), GENRES),
    "films": Source("films", partial(films, None), GENRES),
    "wikipedia_2000": Source("films of Wikipedia, 2,000 of them", partial(wikipedia, 2_000), GENRES),
    "wikipedia_10000": Source("films of Wikipedia, 10,000 of them", partial(wikipedia, 10_000), GENRES),
    "xed_2000": Source("XED, 2,000 sentences", partial(sentences, 2_000), ("--labels", "emotions")),
    "xed": Source("XED, all sentences", partial(sentences, None), ("--labels", "emotions")),
    "emotions": Source("emotions (Mulan)", partial(benchmark_set, "emotions"), FLAGS),
    "medical": Source("medical (Mulan)", partial(benchmark_set, "medical"), FLAGS),
    "corel5k": Source("corel5k (Mulan)", partial(benchmark_set, "corel5k"), FLAGS),
    "delicious_100": Source("delicious (Mulan), its first 100 labels", partial(benchmark_set, "delicious", 100), FLAGS),
    "made_up": Source("made-up texts, each label told by two words", made_up, ("--labels", "tags")),
}


# What is measured


@dataclass(frozen=True)
class Measured:
    """A table, and how its trials rank the test part: macro average precision, mean over seeds.

    Attributes:
        rows, labels: of the study, which leaves labels of fewer than 20 rows out.
        ones: their share among the cells.
        precision: by trial.
        seconds: of a run, by trial.
        total_seconds: of all its runs.
        left_out: why a trial has no number, by trial.
        commits: of the code that made the runs.
        warning: what ``findings`` says of bad networks before any advice; empty if nothing.
    """

    rows: int
    labels: int
    ones: float
    precision: Mapping[str, float]
    seconds: Mapping[str, float]
    total_seconds: float
    left_out: Mapping[str, str]
    commits: frozenset[str]
    warning: str

    @property
    def difference(self) -> float:
        """How far the network lies above the best baseline; negative if below."""
        return self.precision[BASE] - max(value for name, value in self.precision.items() if name != BASE)

    @property
    def verdict(self) -> str:
        """Whether a reader of the study is told what holds."""
        if self.difference >= -MARGIN:
            return f"within {MARGIN}"
        return "the line appears" if self.warning else "**behind, and nothing is said**"


def run(name: str, seeds: str, workers: int | None) -> None:
    """Write a table, let ``init`` propose its study anew, and run what is not finished of it.

    Raises:
        MissingDataError: its source is not on this machine.
    """
    folder = WORK / name
    folder.mkdir(parents=True, exist_ok=True)
    table = folder / f"{name}.csv"
    if not table.exists():
        SOURCES[name].rows().to_csv(table, index=False)
    for declared in ("conf", "experiments"):
        shutil.rmtree(folder / declared, ignore_errors=True)
    command = [sys.executable, "-m", "rarelabels"]
    call([*command, "init", table.name, "--name", name, "--quick", *SOURCES[name].options], folder)
    trials = [f"{name}/{trial}" for trial in (BASE, *BASELINES) if (_study(name) / f"{trial}.yaml").exists()]
    some = ["--workers", str(workers)] if workers else []
    call([*command, "run", *trials, "--seeds", seeds, *some], folder)


def read(name: str) -> Measured | None:
    """Return what is recorded of the trials that are declared now; None if a run of them is missing."""
    if not _study(name).is_dir():
        return None
    with chdir(WORK / name):
        where = f"sqlite:///{Path('runs').resolve() / 'mlflow.db'}"
        (compared,) = standing.compare(name, where, [])
        rows = {row.name: row for row in compared.rows}
        if BASE not in rows or "linear" not in rows:
            return None
        (named,) = selection.load([f"{name}/{BASE}"], {})
        data = loading.load(named.trial.dataset, 0)
        y = np.concatenate([part.y for part in (data.train, data.validation, data.test)])
        return Measured(
            rows=len(y),
            labels=len(data.labels),
            ones=float(y.mean()),
            precision={trial: row.mean(competence.RANKS) for trial, row in rows.items()},
            seconds={trial: fmean(_seconds(row.runs)) for trial, row in rows.items()},
            total_seconds=sum(sum(_seconds(row.runs)) for row in rows.values()),
            left_out=dict(_left_out(compared.left_out)),
            commits=frozenset(run.data.tags.get(COMMIT, "unknown")[:7] for row in rows.values() for run in row.runs),
            warning=" ".join(standing.conclude(name, where).warnings),
        )


def _study(name: str) -> Path:
    return WORK / name / study_files.EXPERIMENTS / name


def _seconds(runs: Sequence[entities.Run]) -> list[float]:
    return [(run.info.end_time - run.info.start_time) / 1000 for run in runs]


def _left_out(reasons: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the trial and the reason of lines like ``gradient_boosting seed 0: left out: one label took …``."""
    for line in reasons:
        trial, _, reason = line.partition(": left out: ")
        yield trial.partition(" seed ")[0], reason


# The page

EXPLAINED = f"""\
Each table is a CSV file. `rarelabels init --quick` was told which columns hold the labels, and nothing else. Its base,
`{BASE}`, and its baselines were run with seeds {SEEDS}: logistic regression with C chosen on validation, and on tables
of numbers gradient boosting, which is left out where a run of it would take longer than 3 minutes. Numbers are macro
average precision on test, means over the seeds. `init` leaves labels of fewer than 20 rows out.

A network may lie {MARGIN} behind the best baseline. Where it lies farther behind, `rarelabels findings` and the report
must say so before any advice: that is the line of the last column."""


def page(measured: Mapping[str, Measured | None], where: str) -> str:
    """Return the page as Markdown.

    Args:
        measured: by table; None of one that is not run.
        where: when, on which machine and with which versions.
    """
    return "\n".join(_lines(measured, where)) + "\n"


def _lines(measured: Mapping[str, Measured | None], where: str) -> Iterator[str]:
    known = {name: one for name, one in measured.items() if one is not None}
    yield "# Do the networks that `init` proposes keep up with logistic regression and boosted trees?"
    yield ""
    yield f"Made by `make competence`. {where}"
    yield ""
    yield EXPLAINED
    yield ""
    called = " | ".join(BASELINES.values())
    yield f"| data | rows | labels | ones | `{BASE}` | {called} | difference | seconds of a run | |"
    yield f"|---|---:|---:|---:|---:|{'---:|' * len(BASELINES)}---:|---:|---|"
    for name, one in known.items():
        yield f"| {' | '.join(_cells(SOURCES[name].what, one))} |"
    yield ""
    kept_up = [one for one in known.values() if one.difference >= -MARGIN]
    yield f"{len(kept_up)} of {len(known)} networks are within {MARGIN} of the best baseline."
    minutes = sum(one.total_seconds for one in known.values()) / 60
    yield f"Their runs took {minutes:.0f} minutes one after another; several go at once on several cores."
    yield "What is finished is not run again, and tables may be older than the page. They were made by these commits:"
    yield "; ".join(f"{SOURCES[name].what}: {', '.join(sorted(one.commits))}" for name, one in known.items()) + "."
    for name, one in known.items():
        for trial, reason in one.left_out.items():
            yield f"On {SOURCES[name].what}, {BASELINES[trial]} is left out: {reason}."
    for name, one in known.items():
        if one.warning:
            yield ""
            yield f"Said of {SOURCES[name].what}: {one.warning}"
    if missing := [SOURCES[name].what for name, one in measured.items() if one is None]:
        yield ""
        yield f"Not run: {'; '.join(missing)}."


def _cells(what: str, one: Measured) -> Iterator[str]:
    yield from (what, f"{one.rows:,}", f"{one.labels:,}", f"{one.ones:.1%}".replace("%", " %"))
    best = max(one.precision.values())
    for trial in (BASE, *BASELINES):
        value = one.precision.get(trial)
        if value is None:
            yield "left out" if trial in one.left_out else "–"
        else:
            yield f"**{value:.3f}**" if value == best else f"{value:.3f}"
    yield f"{one.difference:+.3f}".replace("-", "−")
    yield ", ".join(f"{one.seconds[trial]:.1f}" for trial in (BASE, *BASELINES) if trial in one.seconds)
    yield one.verdict


def main() -> None:
    """Run the tables that are named, and write the page."""
    parser = argparse.ArgumentParser(description="Whether what `init` proposes keeps up with the baselines.")
    parser.add_argument("tables", nargs="*", metavar="TABLE", help=f"of {', '.join(SOURCES)}; all by default")
    parser.add_argument("--seeds", default=SEEDS, help=f"of every trial; default {SEEDS}")
    parser.add_argument("--workers", type=int, help="processes; as many as cores by default")
    asked = parser.parse_args()
    if unknown := set(asked.tables) - set(SOURCES):
        parser.error(f"no table is called {', '.join(sorted(unknown))}; there are {', '.join(SOURCES)}")
    os.environ["RARELABELS_CACHE"] = str(WORK / "cache")
    for name in asked.tables or SOURCES:
        start = time.perf_counter()
        try:
            run(name, asked.seeds, asked.workers)
        except MissingDataError as error:
            print(f"{name}: skipped: {error}", flush=True)
            continue
        one = read(name)
        minutes = (time.perf_counter() - start) / 60
        told = f"{one.difference:+.3f} {one.verdict}" if one else "not finished"
        print(f"{name}: {told} ({minutes:.1f} min)", flush=True)
    PAGE.write_text(page({name: read(name) for name in SOURCES}, " ".join(machine())), encoding="utf-8")
    print(PAGE.relative_to(REPOSITORY))


if __name__ == "__main__":
    main()
