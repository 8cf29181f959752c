"""What a study costs, as ratios within one run: beside an ordinary script, bare ``fit``, one worker and scikit-learn.

    python tests/benchmarks/study.py                    # every part
    python tests/benchmarks/study.py plain runner       # some
    python tests/benchmarks/study.py --small            # sizes to try it out: the numbers mean nothing

Where two things are compared they take turns, and medians are printed with the lowest and the highest. Nothing here is
a test. The machine should do nothing else meanwhile.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median, stdev

import growth
import one_run
import scoring
from commands import REPOSITORY, Phases, call, in_words, machine, new_project, overrides
from growth import Grown

from rarelabels.data import loading
from rarelabels.declare import trial
from rarelabels.study import selection

PLAIN = Path(__file__).with_name("plain_keras.py")
COUNTED = Path(__file__).with_name("counted.py")
TRIALS = ("bce_accuracy", "pos_weight_ratio", "focal_auc", "asymmetric")  # of movies, and in plain_keras.LOSSES
NAMES = tuple(f"movies/{name}" for name in TRIALS)
MIB = 2**20


@dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    seeds: int
    epochs: int
    rounds: int
    resumed_runs: int
    scores: scoring.Size
    rows: tuple[int, ...]
    labels: tuple[int, ...]
    runs: tuple[int, ...]

    @property
    def changes(self) -> Mapping[str, object]:
        """What is changed of the declared trials; nothing in full size."""
        return {} if self.epochs == FULL.epochs else {"training.epochs": self.epochs}


FULL = Sizes(
    seeds=3,
    epochs=15,
    rounds=3,
    resumed_runs=500,
    scores=scoring.Size(rows=100_000, labels=1000, some_labels=50, some_rows=5000),
    rows=(5000, 20_000, 80_000),
    labels=(17, 100, 1000),
    runs=(10, 100, 1000),
)
SMALL = Sizes(
    seeds=1,
    epochs=2,
    rounds=1,
    resumed_runs=20,
    scores=scoring.Size(rows=5000, labels=100, some_labels=20, some_rows=500),
    rows=(500, 2000),
    labels=(5, 17),
    runs=(10, 20),
)


def plain(sizes: Sizes) -> None:
    """An ordinary Keras script against `rarelabels run` with two workers"""
    seeds = _seeds(sizes)
    for seed in range(sizes.seeds):
        loading.load(_declared("movies/bce_accuracy").dataset, seed)  # a warm cache: reading is not what is measured
    scripts, commands = list[_Script](), list[_Command]()
    for number in range(sizes.rounds):
        for measured in (_script, _command) if number % 2 == 0 else (_command, _script):
            one = measured(seeds, sizes)
            (scripts if isinstance(one, _Script) else commands).append(one)  # type: ignore[arg-type]
    pairs = list(zip(scripts, commands, strict=True))
    n_runs = len(TRIALS) * sizes.seeds
    _row("the script, a run (starting and reading left out)", [fmean(one.runs) for one in scripts], " s")
    _row("rarelabels, seconds for each run, two at a time", [one.phases.runs / n_runs for one in commands], " s")
    _row("  before the first run", [one.phases.before for one in commands], " s")
    _row("  after the last run (intervals, figures, table)", [one.phases.after for one in commands], " s")
    _row("whole commands", [script.whole / one.phases.whole for script, one in pairs], " x", at_least=4)
    _row("runs alone", [sum(script.runs) / one.phases.runs for script, one in pairs], " x", at_least=6)
    print("  Both do the same work; macro average precision on test, mean over seeds:")
    for name in TRIALS:
        theirs, ours = scripts[0].precision[name], commands[0].precision[name]
        differences = [a - b for a, b in zip(ours, theirs, strict=True)]
        spread = f", of one seed {stdev(ours):.4f} (standard deviation)" if len(ours) > 1 else ""
        print(f"    {name:18}{fmean(theirs):.4f} and {fmean(ours):.4f}: {fmean(differences):+.4f}{spread}")


@dataclass(frozen=True)
class _Script:
    """The plain script: seconds of each run and of all but reading the data, and macro average precision by trial."""

    runs: tuple[float, ...]
    whole: float
    precision: Mapping[str, Sequence[float]]


@dataclass(frozen=True)
class _Command:
    """The same work by ``rarelabels run``: its phases, and macro average precision by trial."""

    phases: Phases
    precision: Mapping[str, Sequence[float]]


def _script(seeds: str, sizes: Sizes) -> _Script:
    with new_project() as project:
        asked = [*TRIALS, "--seeds", seeds, "--epochs", str(sizes.epochs), "--folder", str(project.folder)]
        ended = call([sys.executable, str(PLAIN), *asked], project.folder)
    found = json.loads(ended.out.splitlines()[-1])
    precision = defaultdict(list)
    for run in found["runs"]:
        precision[run["trial"]].append(run["average_precision"])
    return _Script(tuple(run["seconds"] for run in found["runs"]), ended.seconds - found["reading"], precision)


def _command(seeds: str, sizes: Sizes, workers: int = 2) -> _Command:
    with new_project() as project:
        ended = project.run(*NAMES, "--seeds", seeds, "--workers", str(workers), *overrides(sizes.changes))
        precision = defaultdict(list)
        for run in sorted(project.runs("movies"), key=lambda run: int(run.data.tags["seed"])):
            name = run.data.tags["trial"].split("/")[1]
            precision[name].append(run.data.metrics["test/ranking/macro_average_precision"])
        return _Command(project.phases(ended, "movies"), precision)


def runner(sizes: Sizes) -> None:
    """One run against bare `fit` of the same training, both with a compiled network"""
    with new_project() as project:
        measured = one_run.beside_fit(NAMES[0], sizes.changes, project.folder, project.record, 2 * sizes.rounds - 1)
    _row("bare fit", [one.bare for one in measured], " s")
    _row("the run", [one.run for one in measured], " s")
    _row("  more inside fit: curves, watched metrics", [100 * (one.fit / one.bare - 1) for one in measured], " %")
    _row("  around fit: data, rules, record", [100 * (one.run - one.fit) / one.bare for one in measured], " %")
    _row("overhead", [100 * one.overhead for one in measured], " %", at_most=35)


def workers(sizes: Sizes) -> None:
    """Two workers against one"""
    commands: dict[int, list[Phases]] = {1: [], 2: []}
    for number in range(sizes.rounds):
        for count in (1, 2) if number % 2 == 0 else (2, 1):
            commands[count].append(_command(_seeds(sizes), sizes, count).phases)
    pairs = list(zip(commands[1], commands[2], strict=True))
    for count, phases in commands.items():
        _row(f"{count} at a time: runs", [one.runs for one in phases], " s")
        _row(f"{count} at a time: the whole command", [one.whole for one in phases], " s")
    _row("whole commands", [one.whole / two.whole for one, two in pairs], " x", at_least=1.7)
    _row("runs alone", [one.runs / two.runs for one, two in pairs], " x", at_least=1.7)


def tracking(sizes: Sizes) -> None:
    """MLflow's share of a study, all of it in one process"""
    with new_project() as project:
        seeds = tuple(range(sizes.seeds))
        share = one_run.share_of_mlflow(NAMES, sizes.changes, seeds, project.folder, project.record)
    for phase, seconds in share.seconds.items():
        inside = share.in_mlflow[phase]
        print(f"  {phase:52}{seconds:.1f} s, in MLflow {inside:.2f} s: {inside / seconds:.1%}")
    for name in sorted(share.methods, key=lambda name: -share.methods[name])[:6]:
        print(f"    {name:50}{share.methods[name]:.2f} s in {share.calls[name]:,} calls")
    _row("of the study", [100 * share.share], " %", at_most=3)


def resume(sizes: Sizes) -> None:
    """The command again, where every run is finished"""
    with new_project() as project:
        growth.declare_floors(project, sizes.resumed_runs, share_training=True)
        made = project.run(growth.STUDY)
        seconds, importing = [], []
        for _ in range(2 * sizes.rounds - 1):
            seconds.append(project.run(growth.STUDY).seconds)
            importing.append(call([sys.executable, "-c", "import rarelabels.study.running"], project.folder).seconds)
        place = project.folder / "counts.json"
        call([sys.executable, str(COUNTED), str(place), "run", growth.STUDY], project.folder)
        counts = json.loads(place.read_text("utf-8"))
    print(f"  {sizes.resumed_runs} runs of {sizes.resumed_runs // growth.SEEDS} trials, made in {made.seconds:.0f} s")
    _row("again", seconds, " s", at_most=4)
    _row("  of these to start Python and import libraries", importing, " s")
    print(f"  {'calls of MLflow':52}{_counted(counts['calls'])}")
    print(f"  {'SQL':52}{_counted(counts['statements'])}")


def _counted(counts: Mapping[str, int]) -> str:
    many = sorted(counts.items(), key=lambda pair: -pair[1])
    return ", ".join(f"{number:,} {name}" for name, number in many)


def scores(sizes: Sizes) -> None:
    """Metrics and sweeps against scikit-learn"""
    size = sizes.scores
    print(
        f"  {size.rows:,} rows x {size.labels:,} labels of float64. scikit-learn is measured on {size.some_labels} "
        f"labels, and where it goes row by row on {size.some_rows:,} rows, and extrapolated."
    )
    measured = scoring.beside_scikit_learn(size, sizes.rounds)
    for one in measured:
        print(
            f"  {one.name:40}{one.ours:8.2f} s, scikit-learn {one.theirs:8.1f} s: {one.theirs / one.ours:6.1f} x; "
            f"numbers differ by {one.difference:.0e}; memory {one.peak:.1f} x the scores"
        )
    ratio = sum(one.theirs for one in measured) / sum(one.ours for one in measured)
    _row("all of them", [ratio], " x", at_least=8)
    _row("numbers differ by at most, in 1e-9", [1e9 * max(one.difference for one in measured)], "", at_most=1)
    _row("peak memory, in score matrices", [max(one.peak for one in measured)], "", at_most=4)


def grows(sizes: Sizes) -> None:
    """How seconds and memory grow; ^ is the exponent since the line above: 1 is as the work"""
    _table(f"rows ({sizes.labels[0]} labels)", growth.by_rows(sizes.rows, sizes.labels[0]))
    _table(f"labels ({sizes.rows[0]:,} rows)", growth.by_labels(sizes.labels, sizes.rows[0]))
    _table("runs (floors)", growth.by_runs(sizes.runs))


def _table(what: str, grown: Sequence[Grown]) -> None:
    names = list(grown[0].seconds)
    powers = {name: [None, *growth.exponents(grown, name)] for name in names}
    print(f"  {what:24}" + "".join(f"{name + ' s':>19}" for name in names) + f"{'peak MiB':>14}")
    for number, one in enumerate(grown):
        cells = []
        for name in names:
            power = powers[name][number]
            cells.append(f"{one.seconds[name]:.2f}" + (f" ^{power:.1f}" if power is not None else "     "))
        print(f"  {one.size:<24,}" + "".join(f"{cell:>19}" for cell in cells) + f"{one.peak_bytes / MIB:>14,.0f}")
    print(flush=True)


PARTS: dict[str, Callable[[Sizes], None]] = {
    "plain": plain,
    "runner": runner,
    "workers": workers,
    "tracking": tracking,
    "resume": resume,
    "scores": scores,
    "growth": grows,
}


def _row(
    name: str, values: Sequence[float], unit: str, *, at_least: float | None = None, at_most: float | None = None
) -> None:
    """Print a measured value and, if there is one, whether it meets its target."""
    line = f"  {name:52}{in_words(values, unit)}"
    if at_least is not None:
        line += f"; at least {at_least:g}: {'yes' if median(values) >= at_least else 'NO'}"
    if at_most is not None:
        line += f"; at most {at_most:g}: {'yes' if median(values) <= at_most else 'NO'}"
    print(line, flush=True)


def _seeds(sizes: Sizes) -> str:
    return ",".join(map(str, range(sizes.seeds)))


def _declared(name: str) -> trial.Trial:
    (named,) = selection.load([name], {})
    return named.trial


def _machine() -> None:
    """Say where, when and with what the numbers are made, and whether the machine is quiet."""
    print("\n".join(machine()))
    load = os.getloadavg()[0]
    busy = " - SOMETHING ELSE IS RUNNING: ratios may be off" if load > 0.5 else ""
    print(f"load average before: {load:.1f}{busy}")


def main() -> None:
    """Measure the parts that are named."""
    parser = argparse.ArgumentParser(description="What a study costs, as ratios within one run.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all by default")
    parser.add_argument("--small", action="store_true", help="sizes to try it out")
    asked = parser.parse_args()
    if unknown := set(asked.parts) - set(PARTS):
        parser.error(f"no part is called {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    os.chdir(REPOSITORY)
    _machine()
    for name in asked.parts or PARTS:
        print(f"\n{name}: {PARTS[name].__doc__}", flush=True)
        start = time.perf_counter()
        PARTS[name](SMALL if asked.small else FULL)
        print(f"  ({(time.perf_counter() - start) / 60:.1f} min)", flush=True)


if __name__ == "__main__":
    main()
