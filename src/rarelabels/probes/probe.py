"""What a probe is, and what becomes of it when it is run."""

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
ERROR = "error"  # the name under which it is observed that a probe cannot be run
NOTHING = 1e-7  # observed numbers this close to a pinned 0 are 0


@dataclass(frozen=True)
class Probe:
    """A small check of what this version of a library really does with multi-hot labels.

    Attributes:
        name: unique, in letters, digits and underscores.
        thread: which of the threads it is about.
        believed: what was believed there, in one sentence.
        documented: what the library's documentation says, in one sentence.
        run: calls the library; returns the observed numbers by name, and names of exceptions as text.
        observed: one sentence with a replacement field for each number that it speaks of: ``{loss:.3f}``.
        expected: the pinned numbers. The sentence is true of them; of others nobody has checked it.
        tolerance: relative; wider where the number comes out of training or of the processor's own functions.
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
    """What a probe showed here."""

    probe: Probe
    numbers: Numbers

    @property
    def changed(self) -> dict[str, tuple[Value | None, Value | None]]:
        """Return the numbers that are not as pinned: name -> (pinned, observed), None where there is none."""
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
        """Return the observed sentence, or what changed: the sentence is true of the pinned numbers alone."""
        return self.probe.observed.format(**self.numbers) if self.is_as_pinned else f"CHANGED: {self._changes()}"

    def complaint(self) -> str:
        """Return one line for who meets a changed world: what was pinned, what is so now, with what, what to do."""
        installed = ", ".join(f"{name} {number}" for name, number in versions().items())
        return (
            f"the world changed: {self.probe.name}: {self._changes()} with {installed}; update the text, the pinned "
            "numbers and what is built on them"
        )

    def _changes(self) -> str:
        if ERROR in self.numbers:
            return f"it cannot be run any more, {self.numbers[ERROR]}"
        return "; ".join(
            f"{name}: pinned {_written(pinned)}, observed {_written(observed)}"
            for name, (pinned, observed) in self.changed.items()
        )


def observe(probe: Probe) -> Observation:
    """Run a probe. That it cannot be run is an observation, too: an ``error`` that no probe pins."""
    keras.utils.set_random_seed(0)  # whatever drew random numbers before
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what the probe does on purpose
            return Observation(probe, dict(probe.run()))
    except Exception as error:
        return Observation(probe, {ERROR: failure(error)})


def observe_all(probes: Sequence[Probe]) -> list[Observation]:
    """Run probes in their order; a terminal shows how far they are."""
    stderr = Console(stderr=True)
    return [observe(probe) for probe in track(probes, "probes", console=stderr, disable=not stderr.is_terminal)]


def versions() -> dict[str, str]:
    """Return the versions that an observation is about."""
    return {name: version(name) for name in LIBRARIES}


def error_of(call: Callable[[], object]) -> str:
    """Return the name of the exception that a call raises, "nothing" if it raises none."""
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
