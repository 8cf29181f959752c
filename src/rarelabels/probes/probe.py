"""A probe, and the observation that it makes when it is run."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version

from rich.console import Console
from rich.progress import track

from rarelabels.errors import failure
from rarelabels.learn.tensorflow_setup import keras, tf

Value = float | str  # a number, or the name of an exception
Numbers = Mapping[str, Value]

LIBRARIES = ("keras", "tensorflow", "scikit-learn", "numpy", "mlflow")
ERROR = "error"  # the name of the observed value if a probe cannot be run
NOTHING = 1e-7  # an observed number that is so close to a pinned 0 counts as 0


@dataclass(frozen=True)
class Probe:
    """A small check of what this version of a library really does with multi-hot labels.

    Attributes:
        name: unique, in letters, digits and underscores.
        thread: the thread that it is about.
        believed: the belief in that thread, in one sentence.
        documented: the statement of the library's documentation, in one sentence.
        run: calls the library; returns the observed numbers by name, and names of exceptions as text.
        observed: sentences with a replacement field for each number: ``{loss:.3f}``.
        expected: the pinned numbers. The sentences are known to be true only with these numbers.
        tolerance: relative; larger for numbers that depend on a training or on the processor.
    """

    name: str
    thread: str
    believed: str
    documented: str
    run: Callable[[], Numbers]
    observed: str
    expected: Numbers
    tolerance: float = 1e-4


@dataclass(frozen=True)
class Observation:
    """The numbers that a probe observed with the installed versions."""

    probe: Probe
    numbers: Numbers

    @property
    def changed(self) -> dict[str, tuple[Value | None, Value | None]]:
        """Return the numbers that are not as pinned: name -> (pinned, observed); None for a missing number."""
        expected, numbers = self.probe.expected, self.numbers
        names = [*expected, *(name for name in numbers if name not in expected)]
        both = {name: (expected.get(name), numbers.get(name)) for name in names}
        return {name: pair for name, pair in both.items() if not _is_same(*pair, self.probe.tolerance)}

    @property
    def is_as_pinned(self) -> bool:
        """Return whether every number is as pinned."""
        return not self.changed

    @property
    def text(self) -> str:
        """Return the observed sentences; if numbers have changed, the changes, because the sentences may be wrong."""
        return self.probe.observed.format(**self.numbers) if self.is_as_pinned else f"CHANGED: {self._changes()}"

    def complaint(self) -> str:
        """Return one line about changed numbers: pinned and observed numbers, the versions, and what to do."""
        installed = ", ".join(f"{name} {number}" for name, number in versions().items())
        return (
            f"probe {self.probe.name}: the libraries have changed: {self._changes()}, with {installed}; update its "
            "text, its pinned numbers and what is built on them"
        )

    def _changes(self) -> str:
        if ERROR in self.numbers:
            return f"it cannot be run any more, {self.numbers[ERROR]}"
        return "; ".join(
            f"{name}: pinned {_written(pinned)}, observed {_written(observed)}"
            for name, (pinned, observed) in self.changed.items()
        )


def observe(probe: Probe) -> Observation:
    """Run a probe. If it cannot be run, the observation has the value ``error``, which no probe pins."""
    keras.utils.set_random_seed(0)  # so that the numbers do not depend on what ran before
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a probe does on purpose what libraries warn of
            return Observation(probe, dict(probe.run()))
    except Exception as error:
        return Observation(probe, {ERROR: failure(error)})


def observe_all(probes: Sequence[Probe]) -> list[Observation]:
    """Run probes in their order. A terminal shows the progress."""
    stderr = Console(stderr=True)
    return [observe(probe) for probe in track(probes, "probes", console=stderr, disable=not stderr.is_terminal)]


def versions() -> dict[str, str]:
    """Return the installed version of each probed library."""
    return {name: version(name) for name in LIBRARIES}


def error_of(call: Callable[[], object]) -> str:
    """Return the name of the exception that a call raises, or "nothing" if it raises none."""
    try:
        call()
    except (ArithmeticError, LookupError, TypeError, ValueError, tf.errors.OpError) as error:
        return type(error).__name__
    return "nothing"


def _is_same(pinned: Value | None, observed: Value | None, tolerance: float) -> bool:
    if pinned is None or observed is None or isinstance(pinned, str) or isinstance(observed, str):
        return pinned == observed
    return math.isclose(pinned, observed, rel_tol=tolerance, abs_tol=NOTHING)


def _written(value: Value | None) -> str:
    if value is None:
        return "nothing"
    return value if isinstance(value, str) else f"{value:.6g}"
