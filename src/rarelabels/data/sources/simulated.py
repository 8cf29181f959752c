"""Simulated data: numbers x ~ N(0, I), and labels drawn with probabilities that are known.

- ``independent``: label l has the logit b + scale·dₗ·x, with a random direction dₗ of length 1, so that scale is the
  standard deviation of its logits. Where there are no more labels than columns, the directions are at right angles: the
  logits are independent of each other, and so are the labels, given x or not. b makes the mean probability the declared
  prevalence; it is 0 for 0.5, and three labels then make all eight label sets equally frequent.
- ``label_sets``: S different sets are drawn once. Set k has the logit scale·vₖ·x, with vₖ drawn like dₗ. For each row a
  softmax of these logits draws one of the sets. Every label is in one set at least, and missing in another.

All random numbers come from PCG64 with keys of ``drawn_by``. The parameters, the numbers and the labels have a stream
each, which is used row by row. So the rows of a small table are the first rows of a large one, and the number of rows
changes no probability.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy as sp

from rarelabels.data.unsplit import Table
from rarelabels.declare.data import SimulatedSpec

VERSION = 1
"""To be increased whenever the same spec gives another table."""

Bits = npt.NDArray[np.uint8]

_GENERATOR = np.random.PCG64
_PARAMETERS, _NUMBERS, _DRAWS = range(3)  # streams
_FARTHEST, _NODES = 10.0, 20_001  # of the integral over a normal distribution


@dataclass(frozen=True, eq=False)
class Simulation:
    """The probabilities of the labels given the numbers.

    Attributes:
        slopes: (features, n_labels), or (features, n_sets) with ``sets``: the logits are x @ slopes + intercept.
        intercept: added to every logit of independent labels; 0 with ``sets``.
        sets: (n_sets, n_labels) 0/1, what a softmax of the logits draws from; None: each label is drawn on its own.
    """

    slopes: npt.NDArray[np.float64]
    intercept: float
    sets: Bits | None = None

    @classmethod
    def of(cls, spec: SimulatedSpec) -> Simulation:
        """Draw the parameters: the same for every number of rows."""
        rng = _rng(spec, _PARAMETERS)
        if spec.sets is None:
            slopes = spec.scale * _directions(rng, spec.features, spec.labels)
            return cls(slopes, centre(spec.prevalence, spec.scale))
        slopes = spec.scale * _directions(rng, spec.features, spec.sets)
        return cls(slopes, 0.0, _different_sets(rng, spec.sets, spec.labels))

    def probabilities(self, numeric: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the probability of each label, (n, n_labels), from numbers (n, features)."""
        z = self._logits(numeric)
        if self.sets is None:
            return np.asarray(sp.special.expit(z))
        return np.asarray(
            np.clip(sp.special.softmax(z, axis=1) @ self.sets.astype(np.float64), 0, 1)
        )  # rounding passes 1

    def most_likely_sets(self, numeric: npt.NDArray[np.float64]) -> Bits:
        """Return the most likely label set of each row, (n, n_labels) 0/1: no predictor has a higher subset accuracy.

        If labels are independent, it holds those with a probability above 0.5. With label sets it may hold a label
        with a probability below 0.5.
        """
        z = self._logits(numeric)
        return (z > 0).astype(np.uint8) if self.sets is None else self.sets[z.argmax(axis=1)]

    def draw(self, numeric: npt.NDArray[np.float64], rng: np.random.Generator) -> Bits:
        """Draw labels, (n, n_labels) 0/1."""
        if self.sets is None:
            p = self.probabilities(numeric)
            return (rng.random(p.shape) < p).astype(np.uint8)
        up_to = sp.special.softmax(self._logits(numeric), axis=1).cumsum(axis=1)[:, :-1]
        drawn = (rng.random((len(numeric), 1)) >= up_to).sum(axis=1)
        return np.asarray(self.sets[drawn])

    def _logits(self, numeric: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.asarray(numeric @ self.slopes + self.intercept)


def content(spec: SimulatedSpec) -> str:
    """Return the SHA-256 of what decides the data, in hexadecimal: the spec and the name of the generator."""
    drawn = spec.model_dump(mode="json", exclude={"validation", "train_fraction"})
    return hashlib.sha256(json.dumps([drawn, _GENERATOR.__name__], sort_keys=True).encode()).hexdigest()


def parse(spec: SimulatedSpec) -> Table:
    """Draw the table: numbers ``x0``, ``x1``, …, labels ``y0``, ``y1``, …, ids 0 to n − 1, and no groups."""
    numeric = _rng(spec, _NUMBERS).standard_normal((spec.rows, spec.features))
    y = Simulation.of(spec).draw(numeric, _rng(spec, _DRAWS))
    return Table(
        ids=np.arange(spec.rows).astype(np.str_),
        labels=tuple(f"y{label}" for label in range(spec.labels)),
        y=y,
        strata=y,
        groups=None,
        text={},
        numeric=numeric,
        numeric_names=tuple(f"x{column}" for column in range(spec.features)),
    )


def centre(prevalence: float, scale: float) -> float:
    """Return the b with E σ(b + scale·Z) = ``prevalence`` for Z ~ N(0, 1): 0 for 0.5.

    With scale 2 a prevalence of 0.05 takes b = −4.42, where σ alone is 0.0119.
    """
    if prevalence == 0.5:
        return 0.0
    z = np.linspace(-_FARTHEST, _FARTHEST, _NODES)
    density = np.exp(-(z**2) / 2)
    weights = density / density.sum()
    farthest = abs(float(sp.special.logit(prevalence))) + _FARTHEST * scale
    return float(
        sp.optimize.brentq(
            lambda b: float(weights @ sp.special.expit(b + scale * z)) - prevalence, -farthest, farthest, xtol=1e-12
        )
    )


def _rng(spec: SimulatedSpec, stream: int) -> np.random.Generator:
    return np.random.Generator(_GENERATOR([spec.drawn_by, stream]))


def _directions(rng: np.random.Generator, features: int, n: int) -> npt.NDArray[np.float64]:
    """Return n random directions of length 1, (features, n); at right angles if there are no more than columns."""
    drawn = rng.standard_normal((features, n))
    if n > features:
        return np.asarray(drawn / np.linalg.norm(drawn, axis=0))
    q, r = np.linalg.qr(drawn)
    return np.asarray(q * np.sign(np.diagonal(r)))  # so that every direction is equally likely


def _different_sets(rng: np.random.Generator, n: int, labels: int) -> Bits:
    """Return n different label sets, (n, labels) 0/1, with no label in all or in none of them."""
    numbers = rng.choice(2**labels, size=n, replace=False)
    sets = (numbers[:, None] >> np.arange(labels) & 1).astype(np.uint8)
    for label in np.flatnonzero(sets.min(axis=0) == sets.max(axis=0)):
        # The set that changes is then the only one with that bit, so all stay different.
        sets[rng.integers(n), label] ^= 1
    return sets
