"""Probes: small checks of what this version of Keras, TensorFlow and scikit-learn does with multi-hot labels.

Nothing is trained on a data set. Each probe has what a thread believed, what the documentation says, and pinned
numbers; one whose numbers change with a new version says so, for what is built on them needs another look then.
"""

from __future__ import annotations

from rarelabels.probes import accuracy, cross_entropy, fit_arguments, measures
from rarelabels.probes.probe import Probe

PROBES: tuple[Probe, ...] = (*accuracy.PROBES, *measures.PROBES, *cross_entropy.PROBES, *fit_arguments.PROBES)
